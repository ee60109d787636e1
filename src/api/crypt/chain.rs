//! Chain contexts: the way from a certificate to a root, and what is wrong with it.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use super::context::{Alive, Context, alive, pointer};
use crate::api::edge::no_panic;
use crate::pki::{ChainStatus, JudgedPath};
use crate::win32::*;

/// A chain that is alive. What `face` points to belongs to it and does not move.
pub(super) struct Chain {
    face: CERT_CHAIN_CONTEXT,
    references: usize,
    contexts: Vec<usize>,
    /// DER, as the elements have it.
    pub path: Vec<Vec<u8>>,
    pub status: ChainStatus,
    _simple: Box<CERT_SIMPLE_CHAIN>,
    _simples: Box<[*mut CERT_SIMPLE_CHAIN]>,
    _elements: Box<[CERT_CHAIN_ELEMENT]>,
    _pointers: Box<[*mut CERT_CHAIN_ELEMENT]>,
}

// SAFETY: its pointers lead only into what it owns and into contexts that it holds; nobody changes them while it lives.
unsafe impl Send for Chain {}

impl Chain {
    /// A chain of these contexts, each of which it holds.
    fn new(contexts: Vec<usize>, path: Vec<Vec<u8>>, status: ChainStatus) -> Box<Chain> {
        let mut elements: Box<[_]> = contexts
            .iter()
            .zip(&status.elements)
            .map(|(context, status)| CERT_CHAIN_ELEMENT {
                cbSize: size_of::<CERT_CHAIN_ELEMENT>() as u32,
                pCertContext: std::ptr::with_exposed_provenance(*context),
                TrustStatus: *status,
                pRevocationInfo: null_mut(),
                pIssuanceUsage: null_mut(),
                pApplicationUsage: null_mut(),
                pwszExtendedErrorInfo: std::ptr::null(),
            })
            .collect();
        let mut pointers: Box<[_]> = elements.iter_mut().map(|element| &raw mut *element).collect();
        let mut simple = Box::new(CERT_SIMPLE_CHAIN {
            cbSize: size_of::<CERT_SIMPLE_CHAIN>() as u32,
            TrustStatus: status.whole,
            cElement: pointers.len() as u32,
            rgpElement: pointers.as_mut_ptr(),
            pTrustListInfo: null_mut(),
            fHasRevocationFreshnessTime: 0,
            dwRevocationFreshnessTime: 0,
        });
        let mut simples: Box<[_]> = Box::new([&raw mut *simple]);
        Box::new(Chain {
            face: CERT_CHAIN_CONTEXT {
                cbSize: size_of::<CERT_CHAIN_CONTEXT>() as u32,
                TrustStatus: status.whole,
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
            path,
            status,
            _simple: simple,
            _simples: simples,
            _elements: elements,
            _pointers: pointers,
        })
    }
}

impl Alive {
    /// A chain of a path, held once. Its certificates are in a store of their own; `first`, if that is not 0, is the context
    /// of the first one.
    pub fn chain(&mut self, judged: &JudgedPath, first: usize) -> Result<*mut CERT_CHAIN_CONTEXT, Win32Error> {
        let status = judged.status().ok_or(CRYPT_E_ASN1_BADTAG)?;
        let mut contexts = Vec::new();
        if first != 0 {
            self.hold(first)?;
            contexts.push(first);
        }
        contexts.extend(self.hold_all(&judged.path[contexts.len()..])?);
        let chain = Chain::new(contexts, judged.path.clone(), status);
        let address = (&raw const chain.face).addr();
        self.chains.insert(address, chain);
        self.hold_chain(address)
    }

    /// These certificates in a store of their own that lives as long as one of them, each held once. What cannot be read
    /// is left out.
    pub fn hold_all(&mut self, ders: &[Vec<u8>]) -> Result<Vec<usize>, Win32Error> {
        let store = self.open();
        let mut addresses = Vec::new();
        for context in ders.iter().filter_map(|der| Context::new(der).ok()) {
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

    /// The context of the first certificate of a chain; 0 if there is no such chain.
    pub fn first_of(&self, chain: usize) -> usize {
        self.chains.get(&chain).and_then(|chain| chain.contexts.first()).copied().unwrap_or_default()
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
