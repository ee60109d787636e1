//! Client certificates from PKCS#12 files, as programs for Windows have them.

use std::ptr::null;

use windows_sys::Win32::Security::Cryptography::*;

use crate::support::{last_error, wide};

fn import(file: &mut [u8], password: &str) -> HCERTSTORE {
    let blob = CRYPT_INTEGER_BLOB { cbData: file.len() as u32, pbData: file.as_mut_ptr() };
    // SAFETY: the blob and the password outlive the call.
    unsafe { PFXImportCertStore(&blob, wide(password).as_ptr(), 0) }
}

#[test]
#[cfg(not(feature = "pkcs12"))]
fn without_the_feature_there_are_none() {
    assert!(import(&mut [0; 16], "").is_null());
    assert_eq!(last_error(), 120);
    // SAFETY: NULL is none.
    assert!(unsafe { PFXImportCertStore(null(), null(), 0) }.is_null());
}

#[cfg(feature = "pkcs12")]
mod imported {
    use std::sync::Arc;

    use p12_keystore::{
        Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey, PrivateKeyChain,
    };
    use rcgen::ExtendedKeyUsagePurpose;
    use rustls::ALL_VERSIONS;
    use windows_sys::Win32::Networking::WinHttp::*;

    use super::*;
    use crate::certificates::*;
    use crate::client::Get;
    use crate::server::Server;

    /// A file with a client's certificate, its key and its authority.
    fn file(password: &str, encryption: EncryptionAlgorithm) -> Vec<u8> {
        let mut params = parameters("a client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = Leaf::signed(params, &TRUSTED);
        let key = PrivateKey::from_der(&leaf.key.serialize_der()).unwrap();
        let chain = [&leaf.chain[0], &der(&TRUSTED)].map(|der| Certificate::from_der(der).unwrap());
        let mut store = KeyStore::new();
        store.add_entry("client", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new("1", key, chain)));
        store.writer(password).encryption_algorithm(encryption).mac_algorithm(MacAlgorithm::HmacSha256).write().unwrap()
    }

    /// Import, find the certificate with a key, set it, be known by the server.
    #[test]
    fn a_file_makes_a_client_certificate() {
        for encryption in
            [EncryptionAlgorithm::PbeWithHmacSha256AndAes256, EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc]
        {
            let mut file = file("secret", encryption);
            let store = import(&mut file, "secret");
            assert!(!store.is_null(), "{}", last_error());
            // SAFETY: the context is held until it is freed; the store may be closed before.
            unsafe {
                let found =
                    CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_HAS_PRIVATE_KEY, null(), null());
                assert!(!found.is_null());
                assert_eq!(CertCloseStore(store, 0), 1);
                let server = Server::new(Arc::new(certificate(&[]).config(ALL_VERSIONS, Clients::Known)));
                let get = Get::new(server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
                let length = size_of::<CERT_CONTEXT>() as u32;
                assert_eq!(WinHttpSetOption(get.request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, found.cast(), length), 1);
                // WinHTTP has its own copy.
                CertFreeCertificateContext(found);
                assert_eq!(get.run().error, None);
                assert!(server.visit().identified);
            }
        }
    }

    #[test]
    fn what_is_no_such_file() {
        let mut file = file("secret", EncryptionAlgorithm::PbeWithHmacSha256AndAes256);
        assert!(import(&mut file, "wrong").is_null());
        assert_eq!(last_error(), 86);
        assert!(import(&mut [1, 2, 3], "").is_null());
        assert_eq!(last_error(), 0x8009_310B);
        for at in (0..file.len()).step_by(7) {
            assert!(import(&mut file[..at].to_vec(), "secret").is_null(), "{at}");
        }
    }
}
