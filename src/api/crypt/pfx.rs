//! PKCS#12: certificates and keys in one file.
#![allow(unsafe_code)]

use std::ptr::without_provenance_mut;

use super::context::{Context, alive, pointer};
use crate::api::edge::{bytes, get, text};
use crate::win32::*;

/// A certificate in a PKCS#12 file.
struct PfxEntry {
    der: Vec<u8>,
    /// Empty if the file has none for it.
    key: Vec<u8>,
    friendly_name: Option<String>,
}

/// Opens a store with the certificates of a PKCS#12 file, each with its private key if the file has one
/// (nf-wincrypt-pfximportcertstore). The flags, which say where Windows keeps the keys, are not looked at: keys live with
/// their certificates. NULL with ERROR_INVALID_PASSWORD, CRYPT_E_ASN1_BADTAG for what is no such file, E_INVALIDARG, or
/// ERROR_CALL_NOT_IMPLEMENTED without the feature `pkcs12`.
///
/// # Safety
/// `ppfx` is NULL or a blob; `szpassword` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn PFXImportCertStore(
    ppfx: *const CRYPT_INTEGER_BLOB,
    szpassword: PCWSTR,
    _dwflags: u32,
) -> HCERTSTORE {
    pointer(|| {
        // SAFETY: the caller's promises.
        let (file, password) = unsafe {
            let blob = get(ppfx).ok_or(E_INVALIDARG)?;
            (bytes(blob.pbData, blob.cbData).ok_or(E_INVALIDARG)?, text(szpassword).unwrap_or_default())
        };
        let mut contexts = Vec::new();
        for PfxEntry { der, key, friendly_name } in read(file, &String::from_utf16_lossy(&password))? {
            let mut context = Context::new(&der)?;
            (context.key, context.friendly_name) = (key, friendly_name);
            contexts.push(context);
        }
        let mut alive = alive();
        let store = alive.open();
        for context in contexts {
            alive.insert(context, store);
        }
        Ok(without_provenance_mut(store))
    })
}

#[cfg(feature = "pkcs12")]
fn read(file: &[u8], password: &str) -> Result<Vec<PfxEntry>, Win32Error> {
    use p12_keystore::Pkcs12Archive;
    use p12_keystore::error::Error;

    let archive = Pkcs12Archive::from_pkcs12(file, password).map_err(|error| match error {
        Error::DerError(_) | Error::InvalidVersion | Error::UnsupportedContentType => CRYPT_E_ASN1_BADTAG,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => ERROR_NOT_SUPPORTED,
        _ => ERROR_INVALID_PASSWORD,
    })?;
    let only = archive.certs.len() == 1 && archive.keys.len() == 1;
    let key_of = |bag: &p12_keystore::CertificateBag| {
        let of_bag = |key: &&p12_keystore::PrivateKeyBag| {
            let linked = key.local_key_id.as_ref().map(|id| &id.0);
            only || (linked.is_some() && linked == bag.local_key_id.as_ref())
        };
        archive.keys.iter().find(of_bag).map(|key| key.key.as_der().to_vec()).unwrap_or_default()
    };
    let found = archive.certs.iter().map(|bag| PfxEntry {
        der: bag.cert.as_der().to_vec(),
        key: key_of(bag),
        friendly_name: bag.friendly_name.clone(),
    });
    Ok(found.collect())
}

#[cfg(not(feature = "pkcs12"))]
fn read(_file: &[u8], _password: &str) -> Result<Vec<PfxEntry>, Win32Error> {
    Err(ERROR_CALL_NOT_IMPLEMENTED)
}
