//! What a world may decide: which calls fail, and what happens where Windows leaves it open.

use crate::observe::Returned;
use crate::record::{Notification, Operation};
use crate::win32::{
    WINHTTP_FLAG_SECURE_PROTOCOL_ALL, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, WINHTTP_PROTOCOL_FLAG_HTTP2, WINHTTP_PROTOCOL_FLAG_HTTP3, Win32Error,
};

/// See the module. What is provided is what Windows does where nothing interferes.
pub trait Choices: Send + Sync {
    /// This thread calls a function, on a handle of this world or none (0): the error with which the call ends before it
    /// begins, if the world wants that. Only asked while somebody observes.
    fn enters(&self, _function: &'static str, _handle: usize) -> Option<Win32Error> {
        None
    }
    /// That call is about to return: the last error that its thread is left with.
    fn leaves(&self, _function: &'static str, _returned: Returned, last_error: Win32Error) -> Win32Error {
        last_error
    }
    /// A notification is about to be delivered on this thread.
    fn delivers(&self, _handle: usize, _notification: &Notification) {}
    /// Whether the callback is called that observers were just told of.
    fn calls_back(&self, _handle: usize) -> bool {
        true
    }
    /// The arguments of a call were taken, its context is bound: the error with which it ends now, if the world wants
    /// that.
    fn refuse(&self, _handle: usize, _asked: Requested) -> Option<Win32Error> {
        None
    }
    /// What happens where Windows does now this, now that; `usual` is the policy's.
    fn choose(&self, _handle: usize, _what: Unspecified, usual: bool) -> bool {
        usual
    }
    /// Whether what RFC 7616 added to Digest (SHA-256, SHA-512-256, `userhash`) is spoken, which no Windows does.
    fn newer_digest(&self) -> bool {
        false
    }
    /// What CP_ACP is for the bytes of headers (source ex.acp).
    fn ansi_code_page(&self) -> u32 {
        1252
    }
    /// The WINHTTP_FLAG_SECURE_PROTOCOL_* bits that the system knows.
    fn known_secure_protocols(&self) -> u32 {
        WINHTTP_FLAG_SECURE_PROTOCOL_ALL
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_1
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2
            | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3
    }
    /// The WINHTTP_PROTOCOL_FLAG_* bits that the system knows.
    fn known_protocols(&self) -> u32 {
        WINHTTP_PROTOCOL_FLAG_HTTP2 | WINHTTP_PROTOCOL_FLAG_HTTP3
    }
    /// Whether the system's winhttp.dll has this function.
    fn has_function(&self, _name: &str) -> bool {
        true
    }
}

/// What a call asks for, beyond its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// This operation.
    Operation(Operation),
    /// To set this option.
    SetOption(u32),
    /// To read this option.
    QueryOption(u32),
    /// A session with these WINHTTP_FLAG_*.
    Session(u32),
    /// A request with these WINHTTP_FLAG_*.
    Request(u32),
    /// Headers, by this dwInfoLevel.
    Headers(u32),
}

/// What Windows leaves open: it was seen to do both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unspecified {
    /// What a call of this operation brings about is delivered before it returns, on its thread.
    Inside(Operation),
    /// HANDLE_CLOSING comes inside WinHttpCloseHandle.
    ClosingInside,
    /// At close, the pending operation of the write side ends before that of the read side.
    WriteSideFirst,
    /// The callback is removed while an operation is pending.
    CallbackRemoved,
}
