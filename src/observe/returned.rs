//! What a function returns, to whoever observes.

use crate::record::Recorder;
use crate::win32::Win32Error;

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// TRUE or FALSE.
    Boolean(bool),
    /// A handle, or 0.
    Handle(usize),
    /// An error code.
    Code(u32),
    /// The former callback, if there was one.
    Callback(bool),
    /// WINHTTP_INVALID_STATUS_CALLBACK.
    InvalidCallback,
}

impl Returned {
    /// Whether the call succeeded.
    pub fn succeeded(self) -> bool {
        match self {
            Returned::Boolean(answer) => answer,
            Returned::Handle(handle) => handle != 0,
            Returned::Code(code) => code == 0,
            Returned::Callback(_) => true,
            Returned::InvalidCallback => false,
        }
    }

    /// Tells a recorder.
    pub fn record(self, recorder: &Recorder, function: &str, last_error: Win32Error) {
        match self {
            Returned::Boolean(answer) => {
                recorder.returned(function, if answer { "TRUE" } else { "FALSE" }, last_error);
            }
            Returned::Handle(handle) => recorder.returned_handle(function, handle, last_error),
            Returned::Code(code) => recorder.returned(function, &code.to_string(), last_error),
            Returned::Callback(some) => recorder.returned(function, if some { "callback" } else { "NULL" }, last_error),
            Returned::InvalidCallback => recorder.returned(function, "INVALID", last_error),
        }
    }
}
