//! The calling thread's last error.

use std::cell::Cell;

use super::Win32Error;

thread_local! {
    static LAST_ERROR: Cell<u32> = const { Cell::new(0) };
    static EXTENDED_ERROR: Cell<u32> = const { Cell::new(0) };
}

/// The last error of this thread, as `GetLastError` answers it.
pub fn last_error() -> Win32Error {
    Win32Error(LAST_ERROR.get())
}

/// Sets the last error of this thread, as `SetLastError` does.
pub fn set_last_error(error: Win32Error) {
    LAST_ERROR.set(error.0);
}

/// The Winsock error behind the last failure of a request that this thread heard of (WINHTTP_OPTION_EXTENDED_ERROR).
pub fn extended_error() -> u32 {
    EXTENDED_ERROR.get()
}

/// Sets what [`extended_error`] answers on this thread.
pub fn set_extended_error(winsock: u32) {
    EXTENDED_ERROR.set(winsock);
}
