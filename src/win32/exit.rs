//! The end of the process.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::OnceLock;

static LAST: OnceLock<fn()> = OnceLock::new();

/// Has `last` called when the process ends well. Only the first one counts. It must not panic, nor use what belongs to a
/// thread: the threads may be gone.
pub fn at_exit(last: fn()) {
    unsafe extern "C" {
        fn atexit(last: extern "C" fn()) -> c_int;
    }
    extern "C" fn run() {
        if let Some(last) = LAST.get() {
            last();
        }
    }
    if LAST.set(last).is_ok() {
        // SAFETY: `run` is a function of this library and stays; that there is no room for it only loses the last report.
        unsafe { atexit(run) };
    }
}
