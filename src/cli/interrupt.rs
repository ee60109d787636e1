//! Ctrl-C: noted, so that what is known can still be printed.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

static CAME: AtomicBool = AtomicBool::new(false);

/// Whether somebody has interrupted since [`listen`].
pub fn came() -> bool {
    CAME.load(Ordering::SeqCst)
}

/// From now on an interruption does not end the process.
pub fn listen() {
    #[cfg(unix)]
    {
        extern "C" fn note(_: libc::c_int) {
            CAME.store(true, Ordering::SeqCst);
        }
        let handler: extern "C" fn(libc::c_int) = note;
        // SAFETY: the handler only stores an atomic, which may be done in a handler.
        unsafe { libc::signal(libc::SIGINT, handler as *const () as libc::sighandler_t) };
    }
}
