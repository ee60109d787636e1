//! The calling thread's last error.
#![allow(unsafe_code)]

use crate::observe::CheckEvent;
use crate::real::tell;
use crate::win32::{keep, kept};

/// The last error of this thread (nf-errhandlingapi-getlasterror).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetLastError() -> u32 {
    let (error, by_program) = kept();
    if by_program {
        tell(&CheckEvent::AsksLastError);
    }
    error.0
}

/// Sets the last error of this thread (nf-errhandlingapi-setlasterror).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn SetLastError(dwerrcode: u32) {
    if keep(dwerrcode) {
        tell(&CheckEvent::SetsLastError);
    }
}
