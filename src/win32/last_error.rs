//! The calling thread's last error.
//!
//! On systems other than Windows the engine reads and writes it through the exported functions: a program that has
//! `GetLastError` and `SetLastError` of its own, and is linked to the C library, sees the engine's errors in them.
#![allow(unsafe_code)]

use std::cell::Cell;

use super::Win32Error;

thread_local! {
    static LAST_ERROR: Cell<u32> = const { Cell::new(0) };
    static EXTENDED_ERROR: Cell<u32> = const { Cell::new(0) };
    /// Whether the engine asks or sets, rather than the program.
    static ENGINE: Cell<bool> = const { Cell::new(false) };
}

/// The last error of this thread, as `GetLastError` answers it.
pub fn last_error() -> Win32Error {
    Win32Error(exported::get())
}

/// Sets the last error of this thread, as `SetLastError` does.
pub fn set_last_error(error: Win32Error) {
    exported::set(error.0);
}

/// What the exported functions keep, and whether the program asks for it.
pub(crate) fn kept() -> (Win32Error, bool) {
    (Win32Error(LAST_ERROR.get()), !ENGINE.get())
}

/// Keeps it for the exported functions; whether it is the program that sets it.
pub(crate) fn keep(error: u32) -> bool {
    LAST_ERROR.set(error);
    !ENGINE.get()
}

#[cfg(not(windows))]
mod exported {
    use std::hint::black_box;

    use super::ENGINE;

    // Defined in `api`, and weak in the C libraries: the linker may find those of the program instead.
    unsafe extern "system" {
        safe fn GetLastError() -> u32;
        safe fn SetLastError(dwerrcode: u32);
    }

    pub fn get() -> u32 {
        // The address is the linker's to say: the compiler must not put in the body that it knows.
        let ask: extern "system" fn() -> u32 = black_box(GetLastError);
        as_engine(|| ask())
    }

    pub fn set(error: u32) {
        let tell: extern "system" fn(u32) = black_box(SetLastError);
        as_engine(|| tell(error));
    }

    fn as_engine<R>(act: impl FnOnce() -> R) -> R {
        let outer = ENGINE.replace(true);
        let result = act();
        ENGINE.set(outer);
        result
    }
}

#[cfg(windows)]
mod exported {
    use super::LAST_ERROR;

    pub fn get() -> u32 {
        LAST_ERROR.get()
    }

    pub fn set(error: u32) {
        LAST_ERROR.set(error);
    }
}

/// The Winsock error behind the last failure of a request that this thread heard of (WINHTTP_OPTION_EXTENDED_ERROR).
pub fn extended_error() -> u32 {
    EXTENDED_ERROR.get()
}

/// Sets what [`extended_error`] answers on this thread.
pub fn set_extended_error(winsock: u32) {
    EXTENDED_ERROR.set(winsock);
}
