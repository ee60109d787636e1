//! Functions of WinHTTP that do nothing yet. They check what Windows checks first and answer as Windows does where a
//! feature is absent, so that programs link and take their fallback.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{NONE, code, done, find, handle, put};
use crate::win32::*;

/// The answer of functions that work on a request, once the handle is found good.
fn on_request<T>(request: *const T, answer: Win32Error) -> Result<(), Win32Error> {
    find(request)?.as_request()?;
    Err(answer)
}

/// The answer of functions that work on a session.
fn on_session<T>(session: *const T, answer: Win32Error) -> Result<(), Win32Error> {
    find(session)?.as_session()?;
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
    )*};
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

    /// Not there yet: ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR.
    fn WinHttpCreateProxyResolver(hsession: *const c_void, _resolver: *mut HINTERNET) -> u32 {
        code("WinHttpCreateProxyResolver", hsession, || on_session(hsession, ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR))
    }

    /// Not there yet; no resolver handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpGetProxyForUrlEx(
        hresolver: *const c_void, _url: PCWSTR, _options: *const WINHTTP_AUTOPROXY_OPTIONS, _context: usize
    ) -> u32 {
        code("WinHttpGetProxyForUrlEx", hresolver, || on_other(hresolver))
    }

    /// Not there yet; no resolver handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpGetProxyForUrlEx2(
        hresolver: *const c_void, _url: PCWSTR, _options: *const WINHTTP_AUTOPROXY_OPTIONS, _size: u32,
        _selection: *const u8, _context: usize
    ) -> u32 {
        code("WinHttpGetProxyForUrlEx2", hresolver, || on_other(hresolver))
    }

    /// Not there yet; no resolver handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpGetProxyResult(hresolver: *const c_void, _result: *mut WINHTTP_PROXY_RESULT) -> u32 {
        code("WinHttpGetProxyResult", hresolver, || on_other(hresolver))
    }

    /// Not there yet; no resolver handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpGetProxyResultEx(hresolver: *const c_void, _result: *mut WINHTTP_PROXY_RESULT_EX) -> u32 {
        code("WinHttpGetProxyResultEx", hresolver, || on_other(hresolver))
    }

    /// Not there yet; no resolver handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpGetProxySettingsEx(
        hresolver: *const c_void, _type: i32, _parameters: *const WINHTTP_PROXY_SETTINGS_PARAM, _context: usize
    ) -> u32 {
        code("WinHttpGetProxySettingsEx", hresolver, || on_other(hresolver))
    }

    /// Not there yet; no resolver handle exists: 6 or ERROR_WINHTTP_INCORRECT_HANDLE_TYPE.
    fn WinHttpGetProxySettingsResultEx(hresolver: *const c_void, _settings: *mut c_void) -> u32 {
        code("WinHttpGetProxySettingsResultEx", hresolver, || on_other(hresolver))
    }

    /// Not there yet: ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR.
    fn WinHttpGetProxySettingsVersion(hsession: *const c_void, _version: *mut u32) -> u32 {
        code("WinHttpGetProxySettingsVersion", hsession, || on_session(hsession, ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR))
    }

    /// Not there yet: FALSE with ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR; NULL arguments are ERROR_INVALID_PARAMETER.
    fn WinHttpGetProxyForUrl(
        hsession: HINTERNET, url: PCWSTR, options: *mut WINHTTP_AUTOPROXY_OPTIONS, info: *mut WINHTTP_PROXY_INFO
    ) -> BOOL {
        done("WinHttpGetProxyForUrl", hsession, || {
            let session = find(hsession)?;
            session.as_session()?;
            if url.is_null() || options.is_null() || info.is_null() {
                return Err(ERROR_INVALID_PARAMETER);
            }
            Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR)
        })
    }

    /// No proxy is ever found: FALSE with ERROR_WINHTTP_AUTODETECTION_FAILED and a NULL URL; no flags or a NULL pointer
    /// are ERROR_INVALID_PARAMETER.
    fn WinHttpDetectAutoProxyConfigUrl(flags: u32, url: *mut PWSTR) -> BOOL {
        done("WinHttpDetectAutoProxyConfigUrl", NONE, || {
            if flags == 0 || url.is_null() {
                return Err(ERROR_INVALID_PARAMETER);
            }
            // SAFETY: the caller's promise.
            unsafe { put(url, std::ptr::null_mut()) };
            Err(ERROR_WINHTTP_AUTODETECTION_FAILED)
        })
    }

    /// Nothing was handed out: nothing is freed.
    fn WinHttpFreeProxyResult(_result: *mut WINHTTP_PROXY_RESULT) -> () {}

    /// Nothing was handed out: nothing is freed.
    fn WinHttpFreeProxyResultEx(_result: *mut WINHTTP_PROXY_RESULT_EX) -> () {}

    /// Nothing was handed out: nothing is freed, and 0 is answered.
    fn WinHttpFreeProxySettingsEx(_type: i32, _settings: *const c_void) -> u32 {
        code("WinHttpFreeProxySettingsEx", NONE, || Ok(()))
    }

    /// Not there yet: ERROR_CALL_NOT_IMPLEMENTED.
    fn WinHttpRegisterProxyChangeNotification(
        _flags: u64, _callback: Option<unsafe extern "system" fn(u64, *const c_void)>, _context: *const c_void,
        _registration: *mut *mut c_void
    ) -> u32 {
        code("WinHttpRegisterProxyChangeNotification", NONE, || Err(ERROR_CALL_NOT_IMPLEMENTED))
    }

    /// Nothing is registered: ERROR_INVALID_HANDLE.
    fn WinHttpUnregisterProxyChangeNotification(_registration: *const c_void) -> u32 {
        code("WinHttpUnregisterProxyChangeNotification", NONE, || Err(ERROR_INVALID_HANDLE))
    }

    /// Nothing is cached: ERROR_SUCCESS for a session.
    fn WinHttpResetAutoProxy(hsession: *const c_void, _flags: u32) -> u32 {
        code("WinHttpResetAutoProxy", hsession, || find(hsession)?.as_session().map(drop))
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
