//! A proxy resolver as a safe client, over the exported functions.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::mpsc::{Sender, channel};

use portable_winhttp::http::proxy::Choice;
use portable_winhttp::real::decided;
use portable_winhttp::win32::*;

use functions::*;

mod functions {
    use super::{RawStatusCallback, WINHTTP_AUTOPROXY_OPTIONS, c_void};

    #[cfg_attr(windows, link(name = "winhttp"))]
    unsafe extern "system" {
        pub fn WinHttpOpen(
            agent: *const u16,
            access: u32,
            proxy: *const u16,
            bypass: *const u16,
            flags: u32,
        ) -> *mut c_void;
        pub fn WinHttpSetStatusCallback(
            handle: *mut c_void,
            callback: Option<RawStatusCallback>,
            mask: u32,
            reserved: usize,
        ) -> *mut c_void;
        pub fn WinHttpCreateProxyResolver(session: *const c_void, resolver: *mut *mut c_void) -> u32;
        pub fn WinHttpGetProxyForUrlEx(
            resolver: *const c_void,
            url: *const u16,
            options: *const WINHTTP_AUTOPROXY_OPTIONS,
            context: usize,
        ) -> u32;
        pub fn WinHttpCloseHandle(handle: *mut c_void) -> i32;
        pub fn GetLastError() -> u32;
    }
}

/// Whom to ask.
pub struct Sources<'a> {
    /// WINHTTP_AUTOPROXY_* bits.
    pub flags: u32,
    /// The URL of a script.
    pub script: Option<&'a str>,
}

/// What the resolver decides about a URL.
pub fn decide(url: &str, sources: &Sources<'_>) -> Result<Choice, Win32Error> {
    let url: Vec<u16> = url.encode_utf16().chain([0]).collect();
    let script: Option<Vec<u16>> = sources.script.map(|script| script.encode_utf16().chain([0]).collect());
    let options = WINHTTP_AUTOPROXY_OPTIONS {
        dwFlags: sources.flags,
        dwAutoDetectFlags: if sources.flags & WINHTTP_AUTOPROXY_AUTO_DETECT == 0 {
            0
        } else {
            WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A
        },
        lpszAutoConfigUrl: script.as_ref().map_or(null(), |script| script.as_ptr()),
        lpvReserved: null_mut(),
        dwReserved: 0,
        fAutoLogonIfChallenged: 0,
    };
    let (done, ended) = channel::<u32>();
    let context = Box::into_raw(Box::new(done));
    // SAFETY: the strings end with NUL and outlive the calls; the context outlives the resolver, whose completion is the
    // last that is told of it before it is closed.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        if session.is_null() {
            drop(Box::from_raw(context));
            return Err(Win32Error(GetLastError()));
        }
        let mut resolver = null_mut();
        let mut code = WinHttpCreateProxyResolver(session, &mut resolver);
        if code == 0 {
            let mask = WINHTTP_CALLBACK_FLAG_REQUEST_ERROR | WINHTTP_CALLBACK_FLAG_GETPROXYFORURL_COMPLETE;
            WinHttpSetStatusCallback(resolver, Some(told), mask, 0);
            code = WinHttpGetProxyForUrlEx(resolver, url.as_ptr(), &options, context as usize);
        }
        if code == ERROR_IO_PENDING.0 {
            code = ended.recv().unwrap_or(ERROR_WINHTTP_INTERNAL_ERROR.0);
        }
        let choice = decided(resolver.addr());
        WinHttpCloseHandle(resolver);
        WinHttpCloseHandle(session);
        drop(Box::from_raw(context));
        match (code, choice) {
            (0, Some(choice)) => Ok(choice),
            (0, None) => Err(ERROR_WINHTTP_INTERNAL_ERROR),
            (code, _) => Err(Win32Error(code)),
        }
    }
}

unsafe extern "system" fn told(_: *mut c_void, context: usize, status: u32, information: *mut c_void, _: u32) {
    let error = if status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
        // SAFETY: that is what REQUEST_ERROR brings.
        unsafe { (*information.cast::<WINHTTP_ASYNC_RESULT>()).dwError }
    } else {
        0
    };
    // SAFETY: the context of `decide`, which waits for this.
    let done = unsafe { &*(context as *const Sender<u32>) };
    let _ = done.send(error);
}
