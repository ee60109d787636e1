//! Certificate contexts: what the application sees of a certificate, and how often it holds it.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::LazyLock;

use super::chain::Chain;
use super::engine::Engine;
use super::store::Store;
use crate::api::edge::{bytes, caught, no_panic};
use crate::pki::{Algorithm, Certificate};
use crate::sync::{Mutex, MutexGuard};
use crate::win32::*;

/// A certificate that is alive. What `face` points to belongs to it and does not move.
pub(super) struct Context {
    face: CERT_CONTEXT,
    /// How often the application holds it.
    pub references: usize,
    /// The store that has it, or 0.
    pub store: usize,
    pub der: Box<[u8]>,
    /// DER: PKCS#8, PKCS#1 or SEC1. Empty without one.
    pub key: Vec<u8>,
    pub friendly_name: Option<String>,
    _info: Box<CERT_INFO>,
    _extensions: Box<[CERT_EXTENSION]>,
    _ids: Vec<CString>,
    _serial: Box<[u8]>,
}

// SAFETY: its pointers lead only into what it owns, which nobody changes while it lives.
unsafe impl Send for Context {}

/// Everything of crypt32 that is alive.
#[derive(Default)]
pub(super) struct Alive {
    pub contexts: HashMap<usize, Box<Context>>,
    pub stores: HashMap<usize, Store>,
    pub chains: HashMap<usize, Box<Chain>>,
    pub engines: HashMap<usize, Engine>,
    pub made: usize,
}

/// The one table of it.
pub(super) fn alive() -> MutexGuard<'static, Alive> {
    static ALIVE: LazyLock<Mutex<Alive>> = LazyLock::new(Mutex::default);
    ALIVE.lock()
}

pub(super) fn blob(bytes: &[u8]) -> CRYPT_INTEGER_BLOB {
    CRYPT_INTEGER_BLOB { cbData: bytes.len() as u32, pbData: bytes.as_ptr().cast_mut() }
}

fn bits(bytes: &[u8]) -> CRYPT_BIT_BLOB {
    CRYPT_BIT_BLOB { cbData: bytes.len() as u32, pbData: bytes.as_ptr().cast_mut(), cUnusedBits: 0 }
}

/// Hundreds of nanoseconds since 1601.
pub(super) fn file_time(unix: u64) -> FILETIME {
    let ticks = (unix + 11_644_473_600) * 10_000_000;
    FILETIME { dwLowDateTime: ticks as u32, dwHighDateTime: (ticks >> 32) as u32 }
}

impl Context {
    /// A certificate that nobody holds yet.
    pub fn new(der: &[u8]) -> Result<Box<Context>, Win32Error> {
        let der: Box<[u8]> = der.into();
        let parsed = Certificate::parse(&der).map_err(|_| CRYPT_E_ASN1_BADTAG)?;
        // Windows has integers the other way round.
        let serial: Box<[u8]> = parsed.serial.iter().rev().copied().collect();
        let mut ids = Vec::new();
        let mut id = |text: String| {
            ids.push(CString::new(text).unwrap_or_default());
            ids[ids.len() - 1].as_ptr().cast_mut().cast::<u8>()
        };
        let mut algorithm = |algorithm: &Algorithm<'_>| CRYPT_ALGORITHM_IDENTIFIER {
            pszObjId: id(algorithm.id.to_string()),
            Parameters: blob(algorithm.parameters),
        };
        let signature = algorithm(&parsed.algorithm);
        let key =
            CERT_PUBLIC_KEY_INFO { Algorithm: algorithm(&parsed.key.algorithm), PublicKey: bits(parsed.key.bits) };
        let mut extensions: Box<[CERT_EXTENSION]> = parsed
            .extensions
            .iter()
            .map(|extension| CERT_EXTENSION {
                pszObjId: id(extension.id.to_string()),
                fCritical: extension.critical.into(),
                Value: blob(extension.value.as_bytes()),
            })
            .collect();
        let mut info = Box::new(CERT_INFO {
            dwVersion: parsed.version,
            SerialNumber: blob(&serial),
            SignatureAlgorithm: signature,
            Issuer: blob(parsed.issuer),
            NotBefore: file_time(parsed.not_before),
            NotAfter: file_time(parsed.not_after),
            Subject: blob(parsed.subject),
            SubjectPublicKeyInfo: key,
            IssuerUniqueId: bits(&[]),
            SubjectUniqueId: bits(&[]),
            cExtension: extensions.len() as u32,
            rgExtension: extensions.as_mut_ptr(),
        });
        Ok(Box::new(Context {
            face: CERT_CONTEXT {
                dwCertEncodingType: X509_ASN_ENCODING,
                pbCertEncoded: der.as_ptr().cast_mut(),
                cbCertEncoded: der.len() as u32,
                pCertInfo: &raw mut *info,
                hCertStore: null_mut(),
            },
            references: 0,
            store: 0,
            key: Vec::new(),
            friendly_name: None,
            _info: info,
            _extensions: extensions,
            _ids: ids,
            _serial: serial,
            der,
        }))
    }

    /// Its parts.
    pub fn certificate(&self) -> Certificate<'_> {
        Certificate::parse(&self.der).expect("it was taken apart when it was made")
    }

    fn pointer(&self) -> *mut CERT_CONTEXT {
        (&raw const self.face).cast_mut()
    }
}

impl Alive {
    /// A number that no store had before. Such values are no addresses.
    pub fn number(&mut self) -> usize {
        self.made += 1;
        self.made * 16 + 4
    }

    /// Takes in a context, in `store` if that is not 0; answers its address.
    pub fn insert(&mut self, mut context: Box<Context>, store: usize) -> usize {
        context.store = store;
        context.face.hCertStore = without_provenance_mut::<c_void>(store);
        let address = context.pointer().expose_provenance();
        if let Some(store) = self.stores.get_mut(&store) {
            store.members.push(address);
        }
        self.contexts.insert(address, context);
        address
    }

    /// The context at this address; E_INVALIDARG if none is alive there.
    pub fn context(&self, address: usize) -> Result<&Context, Win32Error> {
        self.contexts.get(&address).map(|context| &**context).ok_or(E_INVALIDARG)
    }

    /// Holds a context once more.
    pub fn hold(&mut self, address: usize) -> Result<*mut CERT_CONTEXT, Win32Error> {
        let context = self.contexts.get_mut(&address).ok_or(E_INVALIDARG)?;
        context.references += 1;
        Ok(context.pointer())
    }

    /// Holds it once less. What nobody holds, and no store has, is gone.
    pub fn release(&mut self, address: usize) {
        let Some(context) = self.contexts.get_mut(&address) else { return };
        context.references = context.references.saturating_sub(1);
        if context.references > 0 {
            return;
        }
        match context.store {
            0 => drop(self.contexts.remove(&address)),
            store => self.bury(store),
        }
    }
}

/// NULL and the last error, or a pointer.
pub(super) fn pointer<T>(call: impl FnOnce() -> Result<*mut T, Win32Error>) -> *mut T {
    no_panic(null_mut(), || {
        call().unwrap_or_else(|error| {
            set_last_error(error);
            null_mut()
        })
    })
}

/// FALSE and the last error, or TRUE.
pub(super) fn truth(call: impl FnOnce() -> Result<(), Win32Error>) -> BOOL {
    no_panic(0, || match call() {
        Ok(()) => 1,
        Err(error) => {
            set_last_error(error);
            0
        }
    })
}

/// Makes a context from DER (nf-wincrypt-certcreatecertificatecontext). NULL with CRYPT_E_ASN1_BADTAG for what is no
/// certificate.
///
/// # Safety
/// `pbcertencoded` is NULL or has `cbcertencoded` bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertCreateCertificateContext(
    _dwcertencodingtype: u32,
    pbcertencoded: *const u8,
    cbcertencoded: u32,
) -> *mut CERT_CONTEXT {
    pointer(|| {
        // SAFETY: the caller's promise.
        let der = unsafe { bytes(pbcertencoded, cbcertencoded) }.ok_or(E_INVALIDARG)?;
        let mut alive = alive();
        let address = alive.insert(Context::new(der)?, 0);
        alive.hold(address)
    })
}

/// Holds a context once more, and answers it (nf-wincrypt-certduplicatecertificatecontext). NULL for NULL; NULL with
/// E_INVALIDARG for what is none.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertDuplicateCertificateContext(pcertcontext: *const CERT_CONTEXT) -> *mut CERT_CONTEXT {
    caught(null_mut(), || {
        if pcertcontext.is_null() {
            return null_mut();
        }
        pointer(|| alive().hold(pcertcontext.addr()))
    })
}

/// Holds a context once less (nf-wincrypt-certfreecertificatecontext). Always TRUE. A chain's context may be given, too:
/// one page says that it is freed so.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertFreeCertificateContext(pcertcontext: *const CERT_CONTEXT) -> BOOL {
    no_panic(1, || {
        let mut alive = alive();
        if alive.chains.contains_key(&pcertcontext.addr()) {
            alive.release_chain(pcertcontext.addr());
        } else {
            alive.release(pcertcontext.addr());
        }
        1
    })
}
