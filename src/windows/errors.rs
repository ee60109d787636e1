//! What the error types of `Win32::Foundation` can do beside what is generated.

use std::ops::Not;

use super::Win32::Foundation::{NTSTATUS, VARIANT_BOOL, VARIANT_FALSE, VARIANT_TRUE, WIN32_ERROR};
use super::core::{Error, HRESULT, Result};

impl WIN32_ERROR {
    /// Whether it is ERROR_SUCCESS.
    #[inline]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// Whether it is an error.
    #[inline]
    pub const fn is_err(self) -> bool {
        self.0 != 0
    }

    /// The HRESULT of the number.
    #[inline]
    pub const fn to_hresult(self) -> HRESULT {
        HRESULT::from_win32(self.0)
    }

    /// The number in an error whose facility is FACILITY_WIN32.
    #[inline]
    pub fn from_error(error: &Error) -> Option<WIN32_ERROR> {
        let code = error.code().0 as u32;
        ((code >> 16) & 0x7FF == 7).then_some(WIN32_ERROR(code & 0xFFFF))
    }

    /// `Err` if it is an error.
    #[inline]
    pub fn ok(self) -> Result<()> {
        if self.is_ok() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<WIN32_ERROR> for HRESULT {
    fn from(error: WIN32_ERROR) -> HRESULT {
        error.to_hresult()
    }
}

impl From<WIN32_ERROR> for Error {
    fn from(error: WIN32_ERROR) -> Error {
        error.to_hresult().into()
    }
}

impl NTSTATUS {
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

    /// The HRESULT of the status.
    #[inline]
    pub const fn to_hresult(self) -> HRESULT {
        HRESULT::from_nt(self.0)
    }

    /// Panics if it is failure.
    #[inline]
    #[track_caller]
    pub fn unwrap(self) {
        assert!(self.is_ok(), "NTSTATUS {:#X}", self.0);
    }

    /// `Err` if it is failure.
    #[inline]
    pub fn ok(self) -> Result<()> {
        if self.is_ok() { Ok(()) } else { Err(self.into()) }
    }
}

impl From<NTSTATUS> for HRESULT {
    fn from(status: NTSTATUS) -> HRESULT {
        status.to_hresult()
    }
}

impl From<NTSTATUS> for Error {
    fn from(status: NTSTATUS) -> Error {
        status.to_hresult().into()
    }
}

impl VARIANT_BOOL {
    /// Whether it is true.
    #[inline]
    pub fn as_bool(self) -> bool {
        self.0 != 0
    }

    /// `Err` with the last error of this thread if it is false.
    #[inline]
    pub fn ok(self) -> Result<()> {
        if self.as_bool() { Ok(()) } else { Err(Error::from_thread()) }
    }
}

impl From<VARIANT_BOOL> for bool {
    fn from(value: VARIANT_BOOL) -> bool {
        value.as_bool()
    }
}

impl From<bool> for VARIANT_BOOL {
    fn from(value: bool) -> VARIANT_BOOL {
        if value { VARIANT_TRUE } else { VARIANT_FALSE }
    }
}

impl PartialEq<bool> for VARIANT_BOOL {
    fn eq(&self, other: &bool) -> bool {
        self.as_bool() == *other
    }
}

impl Not for VARIANT_BOOL {
    type Output = VARIANT_BOOL;

    fn not(self) -> VARIANT_BOOL {
        (!self.as_bool()).into()
    }
}
