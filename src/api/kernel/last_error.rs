//! The calling thread's last error.
#![allow(unsafe_code)]

use crate::api::edge::caught;
use crate::observe::CheckEvent;
use crate::real::tell;
use crate::win32::{ERROR_WINHTTP_INTERNAL_ERROR, keep, kept};

/// The last error of this thread (nf-errhandlingapi-getlasterror).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetLastError() -> u32 {
    caught(ERROR_WINHTTP_INTERNAL_ERROR.0, || {
        let (error, by_program) = kept();
        if by_program {
            tell(&CheckEvent::AsksLastError);
        }
        error.0
    })
}

/// Sets the last error of this thread (nf-errhandlingapi-setlasterror).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn SetLastError(dwerrcode: u32) {
    caught((), || {
        if keep(dwerrcode) {
            tell(&CheckEvent::SetsLastError);
        }
    })
}
