//! What WinHTTP makes of a server's certificates.

use super::context::{self, alive};
use crate::transport::Secured;
use crate::win32::{CERT_CHAIN_CONTEXT, CERT_CONTEXT, FILETIME, Win32Error};

/// The server's certificate, held once; its store has all that the server sent.
pub fn context(secured: &Secured) -> Result<*mut CERT_CONTEXT, Win32Error> {
    alive().server(secured)
}

/// The way to a root, held once.
pub fn chain(secured: &Secured) -> Result<*mut CERT_CHAIN_CONTEXT, Win32Error> {
    alive().chain(secured)
}

/// Seconds since 1970 as Windows counts.
pub fn file_time(unix: u64) -> FILETIME {
    context::file_time(unix)
}
