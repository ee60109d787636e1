//! The errors that are looked at, and where threads are.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win32Error(pub u32);

pub const ERROR_WINHTTP_INCORRECT_HANDLE_STATE: Win32Error = Win32Error(12019);
pub const ERROR_WINHTTP_RESPONSE_DRAIN_OVERFLOW: Win32Error = Win32Error(12184);

/// All threads of the models that ask are in a callback.
pub fn in_callback() -> bool {
    true
}
