//! BOOL: a 32-bit truth.

use std::ops::Not;

use super::param::{CopyType, TypeKind};
use super::{Error, Result};

/// 0 is false, everything else is true.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct BOOL(pub i32);

impl BOOL {
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

    /// Panics with the last error of this thread if it is false.
    #[inline]
    #[track_caller]
    pub fn unwrap(self) {
        self.ok().unwrap();
    }

    /// Panics with this text and the last error of this thread if it is false.
    #[inline]
    #[track_caller]
    pub fn expect(self, text: &str) {
        self.ok().expect(text);
    }
}

impl From<BOOL> for bool {
    fn from(value: BOOL) -> bool {
        value.as_bool()
    }
}

impl From<&BOOL> for bool {
    fn from(value: &BOOL) -> bool {
        value.as_bool()
    }
}

impl From<bool> for BOOL {
    fn from(value: bool) -> BOOL {
        BOOL(value.into())
    }
}

impl From<&bool> for BOOL {
    fn from(value: &bool) -> BOOL {
        BOOL::from(*value)
    }
}

impl PartialEq<bool> for BOOL {
    fn eq(&self, other: &bool) -> bool {
        self.as_bool() == *other
    }
}

impl PartialEq<BOOL> for bool {
    fn eq(&self, other: &BOOL) -> bool {
        *self == other.as_bool()
    }
}

impl Not for BOOL {
    type Output = BOOL;

    fn not(self) -> BOOL {
        BOOL::from(!self.as_bool())
    }
}

impl TypeKind for BOOL {
    type TypeKind = CopyType;
}
