//! The exported functions, as a program that knows nothing of this crate declares them.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::net::SocketAddr;
use std::ptr::{null, null_mut};

use portable_winhttp::win32::*;

#[cfg_attr(windows, link(name = "winhttp"))]
unsafe extern "system" {
    pub fn WinHttpOpen(a: *const u16, access: u32, proxy: *const u16, bypass: *const u16, flags: u32) -> *mut c_void;
    pub fn WinHttpConnect(session: *mut c_void, host: *const u16, port: u16, reserved: u32) -> *mut c_void;
    pub fn WinHttpOpenRequest(
        connection: *mut c_void,
        verb: *const u16,
        object: *const u16,
        version: *const u16,
        referrer: *const u16,
        accept: *const *const u16,
        flags: u32,
    ) -> *mut c_void;
    pub fn WinHttpSetStatusCallback(
        handle: *mut c_void,
        callback: Option<RawStatusCallback>,
        mask: u32,
        reserved: usize,
    ) -> *mut c_void;
    pub fn WinHttpSetOption(handle: *const c_void, option: u32, buffer: *const c_void, length: u32) -> i32;
    pub fn WinHttpQueryOption(handle: *mut c_void, option: u32, buffer: *mut c_void, length: *mut u32) -> i32;
    pub fn WinHttpSendRequest(
        request: *mut c_void,
        headers: *const u16,
        headers_length: u32,
        optional: *const c_void,
        optional_length: u32,
        total_length: u32,
        context: usize,
    ) -> i32;
    pub fn WinHttpWriteData(request: *mut c_void, buffer: *const c_void, length: u32, written: *mut u32) -> i32;
    pub fn WinHttpReceiveResponse(request: *mut c_void, reserved: *mut c_void) -> i32;
    pub fn WinHttpQueryHeaders(
        request: *mut c_void,
        level: u32,
        name: *const u16,
        buffer: *mut c_void,
        length: *mut u32,
        index: *mut u32,
    ) -> i32;
    pub fn WinHttpQueryDataAvailable(request: *mut c_void, available: *mut u32) -> i32;
    pub fn WinHttpReadData(request: *mut c_void, buffer: *mut c_void, length: u32, read: *mut u32) -> i32;
    pub fn WinHttpCloseHandle(handle: *mut c_void) -> i32;
    pub fn WinHttpWebSocketCompleteUpgrade(request: *mut c_void, context: usize) -> *mut c_void;
    pub fn WinHttpWebSocketSend(socket: *mut c_void, kind: i32, buffer: *const c_void, length: u32) -> u32;
    pub fn WinHttpWebSocketReceive(
        socket: *mut c_void,
        buffer: *mut c_void,
        length: u32,
        read: *mut u32,
        kind: *mut i32,
    ) -> u32;
}

/// A text with its NUL.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A session and a connection handle.
pub struct Handles {
    session: *mut c_void,
    pub connection: *mut c_void,
    secure: bool,
}

impl Handles {
    /// `flags`: WINHTTP_FLAG_ASYNC or 0. `callback` gets completions and HANDLE_*.
    pub fn open(address: SocketAddr, secure: bool, flags: u32, callback: Option<RawStatusCallback>) -> Handles {
        let host = wide(&address.ip().to_string());
        // SAFETY: the host ends with NUL; whoever gives a callback keeps its contract.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags);
            assert!(!session.is_null(), "WinHttpOpen");
            if callback.is_some() {
                let mask = WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS | WINHTTP_CALLBACK_FLAG_HANDLES;
                WinHttpSetStatusCallback(session, callback, mask, 0);
            }
            let connection = WinHttpConnect(session, host.as_ptr(), address.port(), 0);
            assert!(!connection.is_null(), "WinHttpConnect");
            Handles { session, connection, secure }
        }
    }

    /// A request handle.
    pub fn request(&self, verb: *const u16, path: *const u16) -> *mut c_void {
        let flags = if self.secure { WINHTTP_FLAG_SECURE } else { 0 };
        // SAFETY: the connection is open; the texts end with NUL or are NULL.
        let request = unsafe { WinHttpOpenRequest(self.connection, verb, path, null(), null(), null(), flags) };
        assert!(!request.is_null(), "WinHttpOpenRequest");
        if self.secure {
            set(request, WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_UNKNOWN_CA);
        }
        request
    }

    /// Sets a number of the session.
    pub fn set(&self, option: u32, value: u32) {
        set(self.session, option, value);
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        close(self.connection);
        close(self.session);
    }
}

/// Closes a handle that is open.
pub fn close(handle: *mut c_void) {
    // SAFETY: any value is sound.
    unsafe { WinHttpCloseHandle(handle) };
}

fn set(handle: *mut c_void, option: u32, value: u32) {
    // SAFETY: the option is a number of four bytes.
    let done = unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) };
    assert_ne!(done, 0, "WinHttpSetOption({option})");
}

/// The end of an operation that was refused.
pub fn refused(information: *mut c_void) -> ! {
    // SAFETY: REQUEST_ERROR brings this structure.
    let WINHTTP_ASYNC_RESULT { dwResult, dwError } = unsafe { information.cast::<WINHTTP_ASYNC_RESULT>().read() };
    eprintln!("REQUEST_ERROR {{{dwResult}, {dwError}}}");
    std::process::abort()
}

/// Nothing is wanted of an out pointer.
pub fn nothing<T>() -> *mut T {
    null_mut()
}
