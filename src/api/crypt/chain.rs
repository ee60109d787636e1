//! Chain contexts: the way from a server's certificate to a root, and what is wrong with it.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use super::context::{Alive, alive, pointer};
use crate::api::edge::no_panic;
use crate::pki::Certificate;
use crate::transport::Secured;
use crate::win32::*;

/// A chain that is alive. What `face` points to belongs to it and does not move.
pub(super) struct Chain {
    face: CERT_CHAIN_CONTEXT,
    references: usize,
    contexts: Vec<usize>,
    _simple: Box<CERT_SIMPLE_CHAIN>,
    _simples: Box<[*mut CERT_SIMPLE_CHAIN]>,
    _elements: Box<[CERT_CHAIN_ELEMENT]>,
    _pointers: Box<[*mut CERT_CHAIN_ELEMENT]>,
}

// SAFETY: its pointers lead only into what it owns and into contexts that it holds; nobody changes them while it lives.
unsafe impl Send for Chain {}

/// Faults of a server's certificate as a chain's status has them. A wrong name is none of a chain's.
fn status(secured: &Secured, last: &Certificate<'_>) -> u32 {
    let root = if last.subject == last.issuer { CERT_TRUST_IS_UNTRUSTED_ROOT } else { CERT_TRUST_IS_PARTIAL_CHAIN };
    let faults = [
        (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, root),
        (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT, CERT_TRUST_IS_NOT_SIGNATURE_VALID),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, CERT_TRUST_IS_NOT_TIME_VALID),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, CERT_TRUST_IS_NOT_VALID_FOR_USAGE),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED, CERT_TRUST_IS_REVOKED),
        (
            WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED,
            CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION,
        ),
    ];
    faults.iter().filter(|(fault, _)| secured.faults & fault != 0).fold(0, |all, (_, status)| all | status)
}

/// What is wrong with one certificate of it.
fn of_element(secured: &Secured, at: usize, certificate: &Certificate<'_>, all: u32) -> CERT_TRUST_STATUS {
    let late = !certificate.is_valid_at(secured.judged_at);
    let last = at + 1 == secured.path.len();
    let mut error = if late { CERT_TRUST_IS_NOT_TIME_VALID } else { 0 };
    if !certificate.serves() {
        error |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
    }
    if last {
        error |= all & (CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_PARTIAL_CHAIN);
    }
    if at == 0 {
        let own = CERT_TRUST_IS_NOT_SIGNATURE_VALID
            | CERT_TRUST_IS_REVOKED
            | CERT_TRUST_REVOCATION_STATUS_UNKNOWN
            | CERT_TRUST_IS_OFFLINE_REVOCATION;
        error |= all & own;
    }
    let self_signed = certificate.subject == certificate.issuer;
    let info = if self_signed { CERT_TRUST_IS_SELF_SIGNED } else { 0 };
    CERT_TRUST_STATUS {
        dwErrorStatus: error,
        dwInfoStatus: info | if last { 0 } else { CERT_TRUST_HAS_NAME_MATCH_ISSUER },
    }
}

impl Alive {
    /// A chain of the certificates of a server, held once. They are in a store of their own.
    pub fn chain(&mut self, secured: &Secured) -> Result<*mut CERT_CHAIN_CONTEXT, Win32Error> {
        let parsed: Result<Vec<_>, _> = secured.path.iter().map(|der| Certificate::parse(der)).collect();
        let parsed = parsed.map_err(|_| CRYPT_E_ASN1_BADTAG)?;
        let all = status(secured, parsed.last().ok_or(CRYPT_E_NOT_FOUND)?);
        let contexts = self.hold_all(&secured.path)?;
        let mut elements = Vec::new();
        for (at, (certificate, context)) in parsed.iter().zip(&contexts).enumerate() {
            elements.push(CERT_CHAIN_ELEMENT {
                cbSize: size_of::<CERT_CHAIN_ELEMENT>() as u32,
                pCertContext: std::ptr::with_exposed_provenance(*context),
                TrustStatus: of_element(secured, at, certificate, all),
                pRevocationInfo: null_mut(),
                pIssuanceUsage: null_mut(),
                pApplicationUsage: null_mut(),
                pwszExtendedErrorInfo: std::ptr::null(),
            });
        }
        let mut elements = elements.into_boxed_slice();
        let mut pointers: Box<[_]> = elements.iter_mut().map(|element| &raw mut *element).collect();
        let trust = CERT_TRUST_STATUS { dwErrorStatus: all, dwInfoStatus: 0 };
        let mut simple = Box::new(CERT_SIMPLE_CHAIN {
            cbSize: size_of::<CERT_SIMPLE_CHAIN>() as u32,
            TrustStatus: trust,
            cElement: pointers.len() as u32,
            rgpElement: pointers.as_mut_ptr(),
            pTrustListInfo: null_mut(),
            fHasRevocationFreshnessTime: 0,
            dwRevocationFreshnessTime: 0,
        });
        let mut simples: Box<[_]> = Box::new([&raw mut *simple]);
        let chain = Box::new(Chain {
            face: CERT_CHAIN_CONTEXT {
                cbSize: size_of::<CERT_CHAIN_CONTEXT>() as u32,
                TrustStatus: trust,
                cChain: 1,
                rgpChain: simples.as_mut_ptr(),
                cLowerQualityChainContext: 0,
                rgpLowerQualityChainContext: null_mut(),
                fHasRevocationFreshnessTime: 0,
                dwRevocationFreshnessTime: 0,
                dwCreateFlags: 0,
                ChainId: GUID::default(),
            },
            references: 0,
            contexts,
            _simple: simple,
            _simples: simples,
            _elements: elements,
            _pointers: pointers,
        });
        let address = (&raw const chain.face).addr();
        self.chains.insert(address, chain);
        self.hold_chain(address)
    }

    /// The server's certificate, held once, in a store with all that it sent.
    pub fn server(&mut self, secured: &Secured) -> Result<*mut CERT_CONTEXT, Win32Error> {
        let contexts = self.hold_all(&secured.presented)?;
        let first = *contexts.first().ok_or(CRYPT_E_NOT_FOUND)?;
        let pointer = self.hold(first);
        for context in contexts {
            self.release(context);
        }
        pointer
    }

    /// These certificates in a store of their own that lives as long as one of them, each held once. What cannot be read
    /// is left out.
    fn hold_all(&mut self, ders: &[Vec<u8>]) -> Result<Vec<usize>, Win32Error> {
        let store = self.open();
        let mut addresses = Vec::new();
        for context in ders.iter().filter_map(|der| super::context::Context::new(der).ok()) {
            let address = self.insert(context, store);
            self.hold(address)?;
            addresses.push(address);
        }
        if let Some(store) = self.stores.get_mut(&store) {
            store.handles = 0;
        }
        self.bury(store);
        Ok(addresses)
    }

    fn hold_chain(&mut self, address: usize) -> Result<*mut CERT_CHAIN_CONTEXT, Win32Error> {
        let chain = self.chains.get_mut(&address).ok_or(E_INVALIDARG)?;
        chain.references += 1;
        Ok(&raw mut chain.face)
    }

    /// Holds a chain once less.
    pub fn release_chain(&mut self, address: usize) {
        let Some(chain) = self.chains.get_mut(&address) else { return };
        chain.references -= 1;
        if chain.references == 0 {
            let contexts = self.chains.remove(&address).map(|chain| chain.contexts);
            for context in contexts.into_iter().flatten() {
                self.release(context);
            }
        }
    }
}

/// Holds a chain once more, and answers it (nf-wincrypt-certduplicatecertificatechain). NULL with E_INVALIDARG for what is
/// none.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertDuplicateCertificateChain(
    pchaincontext: *const CERT_CHAIN_CONTEXT,
) -> *mut CERT_CHAIN_CONTEXT {
    pointer(|| alive().hold_chain(pchaincontext.addr()))
}

/// Holds a chain once less (nf-wincrypt-certfreecertificatechain). What is none is left alone.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertFreeCertificateChain(pchaincontext: *const CERT_CHAIN_CONTEXT) {
    no_panic((), || alive().release_chain(pchaincontext.addr()));
}
