//! What WinHTTP makes of a server's certificates.

use super::context::{self, alive};
use crate::pki::{JudgedPath, Usages};
use crate::transport::Secured;
use crate::win32::{CERT_CHAIN_CONTEXT, CERT_CONTEXT, CRYPT_E_NOT_FOUND, FILETIME, Win32Error};

/// The server's certificate, held once; its store has all that the server sent.
pub fn context(secured: &Secured) -> Result<*mut CERT_CONTEXT, Win32Error> {
    let mut alive = alive();
    let contexts = alive.hold_all(&secured.presented)?;
    let first = *contexts.first().ok_or(CRYPT_E_NOT_FOUND)?;
    let pointer = alive.hold(first);
    for context in contexts {
        alive.release(context);
    }
    pointer
}

/// The way to a root, held once.
pub fn chain(secured: &Secured) -> Result<*mut CERT_CHAIN_CONTEXT, Win32Error> {
    let judged = JudgedPath {
        path: secured.path.clone(),
        faults: secured.faults,
        revocation: Vec::new(),
        at: secured.judged_at,
        usages: Usages::server(),
    };
    alive().chain(&judged, 0)
}

/// Seconds since 1970 as Windows counts.
pub fn file_time(unix: u64) -> FILETIME {
    context::file_time(unix)
}
