//! CertGetCertificateChain: the world judges a certificate as it judges those of servers.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::context::{alive, truth};
use crate::api::edge::{get, put};
use crate::api::kernel::sync::lock;
use crate::pki::{JudgedPath, Usages};
use crate::real::current;
use crate::sync::Mutex;
use crate::transport::{ChainAnswer, ChainQuestion, ChainRevocation};
use crate::win32::*;

/// The size of the structure with what every program has.
const LEAST: usize = std::mem::offset_of!(CERT_CHAIN_PARA, RequestedIssuancePolicy);
/// How long lists of revoked certificates are fetched, if nobody says: ChainRevAccumulativeUrlRetrievalTimeout.
const FETCH: Duration = Duration::from_secs(20);
const EVERY: u32 = CERT_CHAIN_REVOCATION_CHECK_CHAIN | CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT;

/// Builds the chain of a certificate (nf-wincrypt-certgetcertificatechain): by the roots that servers are judged by, or by
/// those of the engine; with the certificates of `hadditionalstore`; for `ptime`, or for now; for the usages of
/// `pchainpara`, whose other members but the time limit are ignored. A chain that is not trusted is one, too: its
/// TrustStatus says so.
///
/// Lists of revoked certificates are fetched if `dwflags` has one of CERT_CHAIN_REVOCATION_CHECK_*, which takes up to 20
/// seconds, and with CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY not at all. Nothing else is fetched: an intermediate that neither
/// store has is missing.
///
/// FALSE with E_INVALIDARG for arguments that are none.
///
/// # Safety
/// `ptime` is NULL or readable; `pchainpara` is NULL or has `cbSize` bytes, and its usages are NUL-terminated;
/// `ppchaincontext` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertGetCertificateChain(
    hchainengine: HCERTCHAINENGINE,
    pcertcontext: *const CERT_CONTEXT,
    ptime: *const FILETIME,
    hadditionalstore: HCERTSTORE,
    pchainpara: *const CERT_CHAIN_PARA,
    dwflags: u32,
    pvreserved: *const c_void,
    ppchaincontext: *mut *mut CERT_CHAIN_CONTEXT,
) -> BOOL {
    truth(|| {
        if ppchaincontext.is_null() || !pvreserved.is_null() {
            return Err(E_INVALIDARG);
        }
        // SAFETY: the caller's promise.
        let (wanted, time) = unsafe { (Wanted::read(pchainpara)?, get(ptime)) };
        let at = time.map_or_else(now, unix);
        let (mut question, fetch) = {
            let alive = alive();
            let engine = alive.engine(hchainengine)?;
            let first = alive.context(pcertcontext.addr())?.der.to_vec();
            let presented = [first].into_iter().chain(alive.found(&engine, hadditionalstore)).collect();
            let revocation = match dwflags {
                flags if flags & EVERY != 0 => ChainRevocation::All,
                flags if flags & CERT_CHAIN_REVOCATION_CHECK_END_CERT != 0 => ChainRevocation::First,
                _ => ChainRevocation::Unchecked,
            };
            let roots = alive.roots(&engine);
            let Wanted { every_usage, usages, .. } = wanted.clone();
            (ChainQuestion { presented, roots, every_usage, usages, at, revocation, fetch: None }, engine.fetch)
        };
        if dwflags & CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY == 0 {
            let limits = [wanted.fetch, fetch].into_iter().find(|limit| *limit != 0);
            question.fetch = Some(limits.map_or(FETCH, |limit| Duration::from_millis(limit.into())));
        }
        let judged = judged(question);
        let chain = alive().chain(&judged, pcertcontext.addr())?;
        // SAFETY: the caller's promise.
        unsafe { put(ppchaincontext, chain) };
        Ok(())
    })
}

/// What a chain is wanted for.
#[derive(Clone)]
struct Wanted {
    every_usage: bool,
    usages: Vec<String>,
    /// In milliseconds; 0 if it does not say.
    fetch: u32,
}

impl Wanted {
    /// # Safety
    /// `parameters` is NULL or has `cbSize` bytes; its usages are NUL-terminated.
    unsafe fn read(parameters: *const CERT_CHAIN_PARA) -> Result<Wanted, Win32Error> {
        // SAFETY: the caller's promise: the members are there as far as the size says.
        unsafe {
            let size = get(parameters.cast::<u32>()).ok_or(E_INVALIDARG)? as usize;
            if size < LEAST {
                return Err(E_INVALIDARG);
            }
            let CERT_USAGE_MATCH { dwType, Usage } = (&raw const (*parameters).RequestedUsage).read_unaligned();
            let fetch = match size < size_of::<CERT_CHAIN_PARA>() {
                true => 0,
                false => (&raw const (*parameters).dwUrlRetrievalTimeout).read_unaligned(),
            };
            if Usage.cUsageIdentifier > 0 && Usage.rgpszUsageIdentifier.is_null() {
                return Err(E_INVALIDARG);
            }
            let mut usages = Vec::new();
            for at in 0..Usage.cUsageIdentifier as usize {
                let id = Usage.rgpszUsageIdentifier.add(at).read_unaligned();
                if id.is_null() {
                    return Err(E_INVALIDARG);
                }
                usages.push(CStr::from_ptr(id.cast()).to_string_lossy().into_owned());
            }
            Ok(Wanted { every_usage: dwType == USAGE_MATCH_TYPE_AND, usages, fetch })
        }
    }
}

/// The time of the world that the thread is in: seconds since 1970.
pub(super) fn now() -> u64 {
    let date = current().map(|(world, _)| world.clock.date());
    date.and_then(|date| date.duration_since(UNIX_EPOCH).ok()).unwrap_or_default().as_secs()
}

/// Seconds since 1970; 0 for what is before.
fn unix(time: FILETIME) -> u64 {
    let ticks = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    (ticks / 10_000_000).saturating_sub(11_644_473_600)
}

/// Asks the world that the thread is in, and waits for what it says.
pub(super) fn judged(question: ChainQuestion) -> JudgedPath {
    let usages = Usages::new(question.every_usage, question.usages.iter().map(String::as_str));
    let at = question.at;
    let ChainAnswer { path, faults, revocation } = match current() {
        Some((world, _)) => {
            let answer = Arc::new(Mutex::new(None));
            let (place, told) = (Arc::as_ptr(&answer).addr(), Arc::clone(&answer));
            let asked = Box::new(move |found| {
                *told.lock() = Some(found);
                lock::changed(place);
            });
            world.transport.judge(question, asked);
            lock::wait(place, "CertGetCertificateChain", None, &mut || answer.lock().is_some());
            let found = answer.lock().take();
            found.unwrap_or_default()
        }
        None => ChainAnswer {
            path: question.presented.into_iter().take(1).collect(),
            faults: WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
            ..ChainAnswer::default()
        },
    };
    JudgedPath { path, faults, revocation, at, usages }
}
