//! The life of the process: its end, its children, the library in it.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

/// Has `last` called when the process ends well. Only the first one counts. It must not panic, nor use what belongs to a
/// thread: the threads may be gone.
#[cfg(feature = "net")]
pub fn at_exit(last: fn()) {
    static LAST: std::sync::OnceLock<fn()> = std::sync::OnceLock::new();
    unsafe extern "C" {
        fn atexit(last: extern "C" fn()) -> c_int;
    }
    extern "C" fn run() {
        if let Some(last) = LAST.get() {
            if !forked() {
                last();
            }
        }
    }
    if LAST.set(last).is_ok() {
        // SAFETY: `run` is a function of this library and stays; that there is no room for it only loses the last report.
        unsafe { atexit(run) };
    }
}

static FORKED: AtomicBool = AtomicBool::new(false);

/// Whether this is a child, by fork, of a process that had used the library: it has none of its threads, and its locks may
/// be held for ever.
pub fn forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

/// The process uses the library from now on: children that it forks are known by [`forked`], and the code stays in memory,
/// because threads run in it.
pub fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(system::begin);
}

#[cfg(unix)]
mod system {
    use super::*;

    extern "C" fn child() {
        FORKED.store(true, Ordering::Relaxed);
    }

    pub(super) fn begin() {
        unsafe extern "C" {
            fn pthread_atfork(
                prepare: Option<extern "C" fn()>,
                parent: Option<extern "C" fn()>,
                child: Option<extern "C" fn()>,
            ) -> c_int;
        }
        // SAFETY: `child` is a function of this library, which stays, and does what may be done in a child: a store.
        unsafe { pthread_atfork(None, None, Some(child)) };
        #[cfg(feature = "net")]
        stay();
    }

    /// Makes dlclose keep this library, where it was loaded by dlopen.
    #[cfg(feature = "net")]
    fn stay() {
        let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: an address of this library, and room for the answer, whose name lives as long as the library.
        unsafe {
            if libc::dladdr(stay as fn() as *const std::ffi::c_void, found.as_mut_ptr()) != 0 {
                let name = found.assume_init().dli_fname;
                // A program of its own is not known by its name; it cannot be unloaded.
                libc::dlopen(name, libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    pub(super) fn begin() {}
}
