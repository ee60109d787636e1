//! CertFindChainInStore: client certificates whose chains come from those whom a server names.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};

use super::build::{judged, now};
use super::context::{alive, pointer};
use crate::api::edge::{bytes, get};
use crate::pki::{Certificate, JudgedPath};
use crate::transport::{ChainQuestion, ChainRevocation, ChainRoots};
use crate::win32::*;

/// The next chain of a store's certificates after `pprevchaincontext`, which is freed (nf-wincrypt-certfindchaininstore), by
/// CERT_CHAIN_FIND_BY_ISSUER: of a certificate that has its private key here, unless CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG is
/// set; for the usage, if one is named; issued, at whatever distance, by one of the names of `pvfindpara`, if there are any;
/// and to which its callback says TRUE, if it has one. Whether a chain is trusted does not matter. NULL with
/// CRYPT_E_NOT_FOUND at the end, with E_INVALIDARG for any other way to look.
///
/// # Safety
/// `pvfindpara` is NULL or leads to a CERT_CHAIN_FIND_BY_ISSUER_PARA, whose pointers are NULL or lead to what they name.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertFindChainInStore(
    hcertstore: HCERTSTORE,
    _dwcertencodingtype: u32,
    dwfindflags: u32,
    dwfindtype: u32,
    pvfindpara: *const c_void,
    pprevchaincontext: *const CERT_CHAIN_CONTEXT,
) -> *mut CERT_CHAIN_CONTEXT {
    pointer(|| {
        let (members, passed) = {
            let mut alive = alive();
            let passed = alive.first_of(pprevchaincontext.addr());
            alive.release_chain(pprevchaincontext.addr());
            (alive.members(hcertstore)?, passed)
        };
        // SAFETY: the caller's promise.
        let wanted = unsafe { get(pvfindpara.cast::<CERT_CHAIN_FIND_BY_ISSUER_PARA>()) };
        let wanted = wanted.filter(|_| dwfindtype == CERT_CHAIN_FIND_BY_ISSUER).ok_or(E_INVALIDARG)?;
        // SAFETY: the caller's promise.
        let (usages, issuers) = unsafe { (usages(&wanted), issuers(&wanted)?) };
        let keyless = dwfindflags & CERT_CHAIN_FIND_BY_ISSUER_NO_KEY_FLAG != 0;
        let next = members.iter().position(|member| *member == passed).map_or(0, |at| at + 1);
        for member in &members[next..] {
            let Some(question) = question(hcertstore, *member, keyless, &usages) else { continue };
            let judged = judged(question);
            let of_usage = judged.faults & WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE == 0;
            // SAFETY: the caller's promise; the context is in the store.
            if of_usage && issued(&judged, &issuers) && unsafe { chosen(&wanted, *member) } {
                return alive().chain(&judged, *member);
            }
        }
        Err(CRYPT_E_NOT_FOUND)
    })
}

/// What is asked of a certificate of a store; `None` if it is not looked at.
fn question(store: HCERTSTORE, member: usize, keyless: bool, usages: &[String]) -> Option<ChainQuestion> {
    let alive = alive();
    let context = alive.context(member).ok().filter(|context| keyless || !context.key.is_empty())?;
    let others = alive.members(store).unwrap_or_default();
    let others = others.iter().filter(|other| **other != member).filter_map(|other| alive.context(*other).ok());
    Some(ChainQuestion {
        presented: [context].into_iter().chain(others).map(|context| context.der.to_vec()).collect(),
        roots: ChainRoots::World,
        every_usage: true,
        usages: usages.to_vec(),
        at: now(),
        revocation: ChainRevocation::Unchecked,
        fetch: None,
    })
}

/// # Safety
/// The usage is NULL or NUL-terminated.
unsafe fn usages(wanted: &CERT_CHAIN_FIND_BY_ISSUER_PARA) -> Vec<String> {
    let id = wanted.pszUsageIdentifier;
    // SAFETY: the caller's promise.
    let id = (!id.is_null()).then(|| unsafe { CStr::from_ptr(id.cast()) }.to_string_lossy().into_owned());
    id.into_iter().collect()
}

/// DER names.
///
/// # Safety
/// There are as many as it says.
unsafe fn issuers(wanted: &CERT_CHAIN_FIND_BY_ISSUER_PARA) -> Result<Vec<Vec<u8>>, Win32Error> {
    if wanted.cIssuer > 0 && wanted.rgIssuer.is_null() {
        return Err(E_INVALIDARG);
    }
    let name = |at: usize| {
        // SAFETY: the caller's promise.
        let name = unsafe { wanted.rgIssuer.add(at).read_unaligned() };
        // SAFETY: the same.
        unsafe { bytes(name.pbData, name.cbData) }.map(<[u8]>::to_vec).ok_or(E_INVALIDARG)
    };
    (0..wanted.cIssuer as usize).map(name).collect()
}

/// Whether one of the issuers of a path has one of these names.
fn issued(judged: &JudgedPath, names: &[Vec<u8>]) -> bool {
    let by = |der: &Vec<u8>| Certificate::parse(der).is_ok_and(|it| names.iter().any(|name| *name == it.issuer));
    names.is_empty() || judged.path.iter().any(by)
}

/// What the program says of a context.
///
/// # Safety
/// The callback is one.
unsafe fn chosen(wanted: &CERT_CHAIN_FIND_BY_ISSUER_PARA, context: usize) -> bool {
    let context = std::ptr::with_exposed_provenance(context);
    // SAFETY: the caller's promise.
    wanted.pfnFindCallback.is_none_or(|choose| unsafe { choose(context, wanted.pvFindArg) } != 0)
}
