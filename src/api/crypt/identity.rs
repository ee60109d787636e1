//! Client certificates: contexts that have a private key.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::context::{Alive, Context, alive, pointer};
use crate::transport::Identity;
use crate::win32::*;

/// A certificate context with its private key, to be set as WINHTTP_OPTION_CLIENT_CERT_CONTEXT. On Windows such a context
/// comes from a store of the system; here it is made from PEM.
///
/// ```no_run
/// # use portable_winhttp::api::ClientCertificate;
/// # use portable_winhttp::win32::*;
/// # let request: HINTERNET = std::ptr::null_mut();
/// let pem = std::fs::read("client.pem").unwrap();
/// let certificate = ClientCertificate::from_pem(&pem, &pem).unwrap();
/// let length = size_of::<CERT_CONTEXT>() as u32;
/// // SAFETY: the context lives as long as `certificate`.
/// let set = unsafe {
///     portable_winhttp::api::WinHttpSetOption(
///         request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, certificate.context().cast(), length)
/// };
/// ```
#[derive(Debug)]
pub struct ClientCertificate(usize);

impl ClientCertificate {
    /// Reads the first certificate of `certificates`, those of its issuers that follow, and the first private key of `key`
    /// (PKCS#8, PKCS#1 or SEC1, not encrypted). CRYPT_E_ASN1_BADTAG for what is no certificate,
    /// ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY without a key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<ClientCertificate, Win32Error> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain: Vec<Vec<u8>> = read.map_err(|_| CRYPT_E_ASN1_BADTAG)?.iter().map(|der| der.to_vec()).collect();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY)?;
        let address = alive().identity(&chain, key.secret_der().to_vec())?;
        Ok(ClientCertificate(address))
    }

    /// The context. It is good as long as this value, or as somebody holds it by CertDuplicateCertificateContext.
    pub fn context(&self) -> *const CERT_CONTEXT {
        std::ptr::with_exposed_provenance(self.0)
    }
}

impl Drop for ClientCertificate {
    fn drop(&mut self) {
        alive().release(self.0);
    }
}

impl Alive {
    /// A certificate with its key, held once, in a store with its issuers.
    fn identity(&mut self, chain: &[Vec<u8>], key: Vec<u8>) -> Result<usize, Win32Error> {
        let contexts: Result<Vec<_>, _> = chain.iter().map(|der| Context::new(der)).collect();
        let mut contexts = contexts?.into_iter();
        let mut first = contexts.next().ok_or(CRYPT_E_ASN1_BADTAG)?;
        first.key = key;
        let store = self.open();
        let address = self.insert(first, store);
        self.hold(address)?;
        for issuer in contexts {
            self.insert(issuer, store);
        }
        if let Some(store) = self.stores.get_mut(&store) {
            store.handles = 0;
        }
        Ok(address)
    }

    /// What a context says to a server: the certificate, its issuers as far as its store has them, and its key.
    pub fn identity_of(&self, address: usize) -> Result<Arc<Identity>, Win32Error> {
        let context = self.context(address)?;
        let members = self.stores.get(&context.store).map(|store| store.members.as_slice()).unwrap_or_default();
        let others: Vec<_> = members.iter().filter_map(|member| self.contexts.get(member)).collect();
        let mut chain = vec![context.der.to_vec()];
        let mut last = context.certificate();
        while chain.len() <= others.len() && last.subject != last.issuer {
            let issuer = others.iter().find(|other| other.certificate().subject == last.issuer);
            let Some(issuer) = issuer else { break };
            chain.push(issuer.der.to_vec());
            last = issuer.certificate();
        }
        Ok(Arc::new(Identity { chain, key: context.key.clone() }))
    }
}

/// What a context that the application gives says to a server; ERROR_INVALID_PARAMETER for what is none. A copy of the
/// structure is none: its address is looked up.
pub(crate) fn client_identity(context: *const CERT_CONTEXT) -> Result<Arc<Identity>, Win32Error> {
    alive().identity_of(context.addr()).map_err(|_| ERROR_INVALID_PARAMETER)
}

/// A certificate context with its private key from PEM: [`ClientCertificate::from_pem`] for C. It is freed by
/// CertFreeCertificateContext. NULL with the last error.
///
/// # Safety
/// Both arguments are NULL or NUL-terminated text.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn PortableWinHttpClientCertificateFromPem(
    certificates: PCSTR,
    key: PCSTR,
) -> *mut CERT_CONTEXT {
    pointer(|| {
        if certificates.is_null() || key.is_null() {
            return Err(E_INVALIDARG);
        }
        // SAFETY: the caller's promise.
        let (certificates, key) = unsafe { (CStr::from_ptr(certificates.cast()), CStr::from_ptr(key.cast())) };
        let made = ClientCertificate::from_pem(certificates.to_bytes(), key.to_bytes())?;
        alive().hold(made.0)
    })
}
