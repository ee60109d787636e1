//! Functions of WinHTTP that do nothing yet. They check what Windows checks first and answer as Windows does where a
//! feature is absent, so that programs link and take their fallback.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{NONE, code, done, find, handle};
use crate::win32::*;

/// The answer of functions that work on a request, once the handle is found good.
fn on_request<T>(request: *const T, answer: Win32Error) -> Result<(), Win32Error> {
    find(request)?.as_request()?;
    Err(answer)
}

/// A handle of a type that cannot exist yet: what is open is of the wrong type.
fn on_other<T>(other: *const T) -> Result<(), Win32Error> {
    find(other)?;
    Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE)
}

macro_rules! absent {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        /// Pointers that are looked at are NULL or as Windows' page says; none is kept.
        #[cfg_attr(not(windows), unsafe(no_mangle))]
        #[allow(clippy::too_many_arguments)]
        pub unsafe extern "system" fn $name($($argument: $type),*) -> $answer $body
    )*

        /// The names of all of them.
        pub(crate) const ABSENT: &[&str] = &[$(stringify!($name)),*];
    };
}

absent! {
    /// Not there: FALSE with ERROR_CALL_NOT_IMPLEMENTED.
    fn WinHttpQueryAuthParams(hrequest: HINTERNET, _scheme: u32, _parameters: *mut *mut c_void) -> BOOL {
        done("WinHttpQueryAuthParams", hrequest, || on_request(hrequest, ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Not there: NULL with ERROR_WINHTTP_INCORRECT_HANDLE_STATE.
    fn WinHttpProtocolCompleteUpgrade(hrequest: *const c_void, _context: usize) -> HINTERNET {
        handle("WinHttpProtocolCompleteUpgrade", hrequest, || on_request(hrequest, ERROR_WINHTTP_INCORRECT_HANDLE_STATE).and(find(hrequest)))
    }

    /// Not there; no protocol handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpProtocolReceive(
        protocolhandle: *const c_void, _flags: u64, _buffer: *mut c_void, _length: u32, _read: *mut u32
    ) -> u32 {
        code("WinHttpProtocolReceive", NONE, || on_other(protocolhandle))
    }

    /// Not there; no protocol handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpProtocolSend(protocolhandle: *const c_void, _flags: u64, _buffer: *const c_void, _length: u32) -> u32 {
        code("WinHttpProtocolSend", NONE, || on_other(protocolhandle))
    }

    /// Not there: ERROR_CALL_NOT_IMPLEMENTED.
    fn WinHttpSetProxySettingsPerUser(_peruser: BOOL) -> u32 {
        code("WinHttpSetProxySettingsPerUser", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Not there: ERROR_CALL_NOT_IMPLEMENTED. No header declares it; its arguments are not looked at.
    fn WinHttpConnectionDeletePolicyEntries() -> u32 {
        code("WinHttpConnectionDeletePolicyEntries", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Not there: ERROR_CALL_NOT_IMPLEMENTED. No header declares it; its arguments are not looked at.
    fn WinHttpConnectionDeleteProxyInfo() -> u32 {
        code("WinHttpConnectionDeleteProxyInfo", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Not there: ERROR_CALL_NOT_IMPLEMENTED. No header declares it; its arguments are not looked at.
    fn WinHttpConnectionSetPolicyEntries() -> u32 {
        code("WinHttpConnectionSetPolicyEntries", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Not there: ERROR_CALL_NOT_IMPLEMENTED. No header declares it; its arguments are not looked at.
    fn WinHttpConnectionSetProxyInfo() -> u32 {
        code("WinHttpConnectionSetProxyInfo", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Not there: ERROR_CALL_NOT_IMPLEMENTED. No header declares it; its arguments are not looked at.
    fn WinHttpConnectionUpdateIfIndexTable() -> u32 {
        code("WinHttpConnectionUpdateIfIndexTable", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }
}
