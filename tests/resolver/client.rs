//! A client of resolvers and proxies, by the functions of WinHTTP.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};

use portable_winhttp::real::{Proxies, ScriptOverride, with_proxies};
use windows_sys::Win32::Foundation::{GetLastError, GlobalFree};
use windows_sys::Win32::Networking::WinHttp::*;

pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// # Safety
/// `text` is NULL or ends in NUL.
pub unsafe fn string(text: *const u16) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: up to the NUL.
    let length = (0..).take_while(|at| unsafe { *text.add(*at) } != 0).count();
    // SAFETY: as above.
    Some(String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) }))
}

pub fn last_error() -> u32 {
    // SAFETY: nothing is passed.
    unsafe { GetLastError() }
}

pub fn close(handle: *mut c_void) {
    // SAFETY: any value may be passed.
    assert_eq!(unsafe { WinHttpCloseHandle(handle) }, 1);
}

/// What came: status, error of REQUEST_ERROR with its API, context.
pub type Seen = Arc<Mutex<Vec<(u32, u32, usize)>>>;

pub unsafe extern "system" fn note(_: *mut c_void, context: usize, status: u32, information: *mut c_void, _: u32) {
    if context == 0 {
        return;
    }
    let (error, api) = if status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
        // SAFETY: that is what REQUEST_ERROR brings.
        let result = unsafe { &*information.cast::<WINHTTP_ASYNC_RESULT>() };
        (result.dwError, result.dwResult)
    } else {
        (0, 0)
    };
    // SAFETY: contexts are leaked.
    unsafe { &*(context as *const Mutex<Vec<(u32, u32, usize)>>) }.lock().unwrap().push((status, error, api));
}

pub fn seen() -> (Seen, usize) {
    let seen = Seen::default();
    let context = Arc::into_raw(Arc::clone(&seen)) as usize;
    (seen, context)
}

pub fn open(access: u32, asynchronous: bool) -> *mut c_void {
    // SAFETY: NUL-terminated strings, a callback that takes any context of ours.
    unsafe {
        let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
        let session = WinHttpOpen(wide("test").as_ptr(), access, null(), null(), flags);
        assert!(!session.is_null(), "{}", last_error());
        WinHttpSetStatusCallback(session, Some(note), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        session
    }
}

pub fn resolver(session: *mut c_void) -> *mut c_void {
    let mut resolver = null_mut();
    // SAFETY: a place for the handle.
    assert_eq!(unsafe { WinHttpCreateProxyResolver(session, &mut resolver) }, 0);
    resolver
}

pub fn options(flags: u32, script: Option<&[u16]>) -> WINHTTP_AUTOPROXY_OPTIONS {
    WINHTTP_AUTOPROXY_OPTIONS {
        dwFlags: flags,
        dwAutoDetectFlags: if flags & WINHTTP_AUTOPROXY_AUTO_DETECT != 0 { WINHTTP_AUTO_DETECT_TYPE_DNS_A } else { 0 },
        lpszAutoConfigUrl: script.map_or(null(), <[u16]>::as_ptr),
        lpvReserved: null_mut(),
        dwReserved: 0,
        fAutoLogonIfChallenged: 0,
    }
}

pub fn ask(resolver: *mut c_void, url: &str, flags: u32, script: Option<&str>, context: usize) -> u32 {
    let script = script.map(wide);
    let options = options(flags, script.as_deref());
    // SAFETY: NUL-terminated strings.
    unsafe { WinHttpGetProxyForUrlEx(resolver, wide(url).as_ptr(), &options, context) }
}

/// The result as text.
pub fn result(resolver: *mut c_void) -> Result<Vec<String>, u32> {
    // SAFETY: a place for the result, which is freed behind.
    unsafe {
        let mut result: WINHTTP_PROXY_RESULT = std::mem::zeroed();
        match WinHttpGetProxyResult(resolver, &mut result) {
            0 => {}
            error => return Err(error),
        }
        assert_eq!(result.pEntries.is_null(), result.cEntries == 0);
        let entries = if result.cEntries == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(result.pEntries, result.cEntries as usize)
        };
        let shown = |entry: &WINHTTP_PROXY_RESULT_ENTRY| match (entry.fProxy, string(entry.pwszProxy)) {
            (0, None) if entry.fBypass != 0 => "bypass".to_owned(),
            (0, None) => "direct".to_owned(),
            (_, Some(host)) => format!("{} {host}:{}", entry.ProxyScheme, entry.ProxyPort),
            _ => panic!("a proxy without a name"),
        };
        let shown = entries.iter().map(shown).collect();
        WinHttpFreeProxyResult(&mut result);
        assert!(result.pEntries.is_null() && result.cEntries == 0);
        Ok(shown)
    }
}

pub fn script_override(answer: &'static str) -> Option<ScriptOverride> {
    Some(Arc::new(move |_, _| answer.to_owned()))
}

pub fn proxies<R>(act: impl FnOnce(&Proxies) -> R) -> R {
    with_proxies(act).unwrap()
}

pub const COMPLETE: (u32, u32, usize) = (WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 0, 0);
pub const CONFIG: u32 = WINHTTP_AUTOPROXY_CONFIG_URL;
pub const DETECT: u32 = WINHTTP_AUTOPROXY_AUTO_DETECT;

pub fn failed(error: u32) -> (u32, u32, usize) {
    (WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, error, API_GET_PROXY_FOR_URL as usize)
}

/// WinHttpGetProxyForUrl: access type and proxies, or the error.
pub fn for_url(
    session: *mut c_void,
    url: &str,
    flags: u32,
    script: Option<&str>,
) -> Result<(u32, Option<String>), u32> {
    let script = script.map(wide);
    let mut options = options(flags, script.as_deref());
    // SAFETY: NUL-terminated strings, a place for the result, whose strings are freed behind.
    unsafe {
        let mut info: WINHTTP_PROXY_INFO = std::mem::zeroed();
        if WinHttpGetProxyForUrl(session, wide(url).as_ptr(), &mut options, &mut info) == 0 {
            return Err(last_error());
        }
        assert!(info.lpszProxyBypass.is_null());
        let proxy = string(info.lpszProxy);
        GlobalFree(info.lpszProxy.cast());
        Ok((info.dwAccessType, proxy))
    }
}

/// A GET in synchronous mode: the status, or the error.
pub fn fetch(session: *mut c_void, host: &str, secure: bool) -> Result<u32, u32> {
    // SAFETY: NUL-terminated strings, a DWORD.
    unsafe {
        let connection = WinHttpConnect(session, wide(host).as_ptr(), 0, 0);
        let flags = if secure { WINHTTP_FLAG_SECURE } else { 0 };
        let request = WinHttpOpenRequest(connection, null(), wide("/").as_ptr(), null(), null(), null(), flags);
        let done = WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) != 0
            && WinHttpReceiveResponse(request, null_mut()) != 0;
        let error = last_error();
        let (mut status, mut length) = (0u32, 4);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        if done {
            WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut length, null_mut());
        }
        close(request);
        close(connection);
        if done { Ok(status) } else { Err(error) }
    }
}
