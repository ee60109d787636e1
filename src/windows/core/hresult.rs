//! HRESULT: success or failure, a facility, a code.

use std::fmt;

use super::{Error, Result};
use crate::win32::Win32Error;
use crate::windows::Win32::Foundation::GetLastError;

/// FACILITY_WIN32
const WIN32: i32 = 7;
/// Set in a code that is a mapped NTSTATUS: FACILITY_NT_BIT.
const NT: i32 = 0x1000_0000;
/// The numbers whose texts are in winhttp.dll.
const OF_WINHTTP: std::ops::Range<u32> = 12000..13000;

/// A code: negative is failure.
#[repr(transparent)]
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[must_use]
pub struct HRESULT(pub i32);

impl HRESULT {
    /// Whether it is success.
    #[inline]
    pub const fn is_ok(self) -> bool {
        self.0 >= 0
    }

    /// Whether it is failure.
    #[inline]
    pub const fn is_err(self) -> bool {
        self.0 < 0
    }

    /// Panics if it is failure.
    #[inline]
    #[track_caller]
    pub fn unwrap(self) {
        assert!(self.is_ok(), "HRESULT {self}");
    }

    /// `Err` if it is failure.
    #[inline]
    pub fn ok(self) -> Result<()> {
        if self.is_ok() { Ok(()) } else { Err(self.into()) }
    }

    /// What `make` says, or `Err` if it is failure.
    #[inline]
    pub fn map<F: FnOnce() -> T, T>(self, make: F) -> Result<T> {
        self.ok().map(|()| make())
    }

    /// What `make` answers, or `Err` if it is failure.
    #[inline]
    pub fn and_then<F: FnOnce() -> Result<T>, T>(self, make: F) -> Result<T> {
        self.ok().and_then(|()| make())
    }

    /// The text of a Win32 error, of our own writing; empty for others, and for those of WinHTTP as on Windows.
    pub fn message(self) -> String {
        let number = self.0 as u32;
        let code = if (number >> 16) & 0x7FF == WIN32 as u32 { number & 0xFFFF } else { number };
        if OF_WINHTTP.contains(&code) {
            return String::new();
        }
        Win32Error(code).text().unwrap_or_default().to_owned()
    }

    /// The last error of this thread.
    pub fn from_thread() -> HRESULT {
        // SAFETY: it has no arguments.
        unsafe { GetLastError() }.to_hresult()
    }

    /// A Win32 error as HRESULT_FROM_WIN32 maps it: 0 and what is an HRESULT already stay.
    pub const fn from_win32(error: u32) -> HRESULT {
        let error = error as i32;
        if error <= 0 { HRESULT(error) } else { HRESULT((error & 0xFFFF) | (WIN32 << 16) | i32::MIN) }
    }

    /// An NTSTATUS as HRESULT_FROM_NT maps it; success stays.
    pub const fn from_nt(error: i32) -> HRESULT {
        if error >= 0 { HRESULT(error) } else { HRESULT(error | NT) }
    }
}

impl<T> From<Result<T>> for HRESULT {
    fn from(result: Result<T>) -> HRESULT {
        result.map_or_else(|error: Error| error.code(), |_| HRESULT(0))
    }
}

impl fmt::Display for HRESULT {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010X}", self.0)
    }
}

impl fmt::Debug for HRESULT {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HRESULT({self})")
    }
}
