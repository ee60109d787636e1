//! PCWSTR, PWSTR, PCSTR, PSTR: pointers to texts that end with NUL.

use std::fmt;
use std::slice::from_raw_parts;
use std::string::{FromUtf8Error, FromUtf16Error};

use super::HSTRING;

macro_rules! pointer {
    ($(#[$doc:meta])* $name:ident, $pointer:ty, $null:ident, $unit:ty, $units:ident) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $pointer);

        impl $name {
            /// This pointer.
            pub const fn from_raw(pointer: $pointer) -> $name {
                $name(pointer)
            }

            /// NULL.
            pub const fn null() -> $name {
                $name(std::ptr::$null())
            }

            /// The pointer.
            pub const fn as_ptr(&self) -> $pointer {
                self.0
            }

            /// Whether it is NULL.
            pub fn is_null(&self) -> bool {
                self.0.is_null()
            }

            /// The text without its NUL. Panics for NULL, which crashes on Windows.
            ///
            /// # Safety
            /// It points to a text that ends with NUL and stays as it is while the slice is used.
            pub unsafe fn $units(&self) -> &[$unit] {
                assert!(!self.is_null(), concat!("a ", stringify!($name), " that is NULL is read"));
                // SAFETY: the caller's promise: every unit up to the NUL can be read.
                let length = (0..).take_while(|&place| unsafe { *self.0.add(place) } != 0).count();
                // SAFETY: the same.
                unsafe { from_raw_parts(self.0, length) }
            }
        }

        impl Default for $name {
            fn default() -> $name {
                $name::null()
            }
        }
    };
}

macro_rules! wide {
    ($name:ident) => {
        impl $name {
            /// Its length without the NUL.
            ///
            /// # Safety
            /// As for `as_wide`.
            pub unsafe fn len(&self) -> usize {
                // SAFETY: the caller's promise.
                unsafe { self.as_wide() }.len()
            }

            /// Whether it begins with its NUL.
            ///
            /// # Safety
            /// As for `as_wide`.
            pub unsafe fn is_empty(&self) -> bool {
                // SAFETY: the caller's promise.
                unsafe { self.as_wide() }.is_empty()
            }

            /// The text, if it is UTF-16.
            ///
            /// # Safety
            /// As for `as_wide`.
            pub unsafe fn to_string(&self) -> Result<String, FromUtf16Error> {
                // SAFETY: the caller's promise.
                String::from_utf16(unsafe { self.as_wide() })
            }

            /// A copy of the text.
            ///
            /// # Safety
            /// As for `as_wide`.
            pub unsafe fn to_hstring(&self) -> HSTRING {
                // SAFETY: the caller's promise.
                HSTRING::from_wide(unsafe { self.as_wide() })
            }

            /// The text, to be printed; what is not UTF-16 is replaced.
            ///
            /// # Safety
            /// As for `as_wide`.
            pub unsafe fn display(&self) -> impl fmt::Display + '_ {
                // SAFETY: the caller's promise.
                String::from_utf16_lossy(unsafe { self.as_wide() })
            }
        }
    };
}

macro_rules! narrow {
    ($name:ident) => {
        impl $name {
            /// The text, if it is UTF-8.
            ///
            /// # Safety
            /// As for `as_bytes`.
            pub unsafe fn to_string(&self) -> Result<String, FromUtf8Error> {
                // SAFETY: the caller's promise.
                String::from_utf8(unsafe { self.as_bytes() }.to_vec())
            }

            /// The text, to be printed; what is not UTF-8 is replaced.
            ///
            /// # Safety
            /// As for `as_bytes`.
            pub unsafe fn display(&self) -> impl fmt::Display + '_ {
                // SAFETY: the caller's promise.
                String::from_utf8_lossy(unsafe { self.as_bytes() })
            }
        }
    };
}

pointer! {
    /// A pointer to a UTF-16 text that ends with NUL and is not changed.
    PCWSTR, *const u16, null, u16, as_wide
}
pointer! {
    /// A pointer to a UTF-16 text that ends with NUL.
    PWSTR, *mut u16, null_mut, u16, as_wide
}
pointer! {
    /// A pointer to bytes that end with NUL and are not changed.
    PCSTR, *const u8, null, u8, as_bytes
}
pointer! {
    /// A pointer to bytes that end with NUL.
    PSTR, *mut u8, null_mut, u8, as_bytes
}
wide!(PCWSTR);
wide!(PWSTR);
narrow!(PCSTR);
narrow!(PSTR);

impl AsRef<PCWSTR> for PCWSTR {
    fn as_ref(&self) -> &PCWSTR {
        self
    }
}
