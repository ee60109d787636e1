//! An asynchronous GET with `windows-sys` alone, as programs for Windows write it.
//!
//! ```text
//! cargo run --example windows_sys_get [URL]
//! ```
//!
//! Without a URL it asks a server of its own. The line `use portable_winhttp as _;` is all that it takes to link and
//! run on Linux and macOS.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;
use std::ptr::{null, null_mut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{CloseHandle, GetLastError, HANDLE, WAIT_OBJECT_0};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::{CreateEventW, INFINITE, SetEvent, WaitForSingleObject};

#[cfg(not(windows))]
use portable_winhttp as _;

fn main() -> ExitCode {
    let url = std::env::args().nth(1).unwrap_or_else(serve_one_request);
    match get(&url) {
        Ok((status, body)) => {
            println!("{status}\n{}", String::from_utf8_lossy(&body));
            ExitCode::SUCCESS
        }
        Err(Failure { what, error }) => {
            eprintln!("{what}: error {error}");
            ExitCode::FAILURE
        }
    }
}

/// What failed, with its Win32 error.
struct Failure {
    what: &'static str,
    error: u32,
}

impl Failure {
    /// A function failed: the last error says why.
    fn of(what: &'static str) -> Failure {
        // SAFETY: it has no arguments.
        Failure { what, error: unsafe { GetLastError() } }
    }
}

/// What the status callback's context points to. It is freed after HANDLE_CLOSING.
struct Request {
    /// Set by HANDLE_CLOSING.
    closed: HANDLE,
    /// Belongs to WinHTTP from WinHttpReadData to READ_COMPLETE.
    buffer: UnsafeCell<[u8; 4096]>,
    /// Never locked around a WinHTTP call, because the callback may run inside the call.
    reply: Mutex<Reply>,
}

#[derive(Default)]
struct Reply {
    status: u32,
    body: Vec<u8>,
    failure: Option<Failure>,
}

impl Request {
    fn reply(&self) -> MutexGuard<'_, Reply> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get(url: &str) -> Result<(u32, Vec<u8>), Failure> {
    let url = wide(url);
    // SAFETY: every pointer is NULL, or points to what outlives its call; the request outlives its callbacks, because
    // `ask` waits for HANDLE_CLOSING.
    unsafe {
        let mut parts = URL_COMPONENTS {
            dwStructSize: size_of::<URL_COMPONENTS>() as u32,
            dwHostNameLength: u32::MAX,
            dwUrlPathLength: u32::MAX,
            ..std::mem::zeroed()
        };
        if WinHttpCrackUrl(url.as_ptr(), 0, 0, &mut parts) == 0 {
            return Err(Failure::of("WinHttpCrackUrl"));
        }
        let host = std::slice::from_raw_parts(parts.lpszHostName, parts.dwHostNameLength as usize);
        let host: Vec<u16> = host.iter().copied().chain([0]).collect();
        let flags = if parts.nScheme == WINHTTP_INTERNET_SCHEME_HTTPS { WINHTTP_FLAG_SECURE } else { 0 };

        let agent = wide("windows-sys-get/1.0");
        let access = WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY;
        let session = WinHttpOpen(agent.as_ptr(), access, null(), null(), WINHTTP_FLAG_ASYNC);
        if session.is_null() {
            return Err(Failure::of("WinHttpOpen"));
        }
        let result = match WinHttpConnect(session, host.as_ptr(), parts.nPort, 0) {
            connection if connection.is_null() => Err(Failure::of("WinHttpConnect")),
            connection => {
                let result = ask(connection, parts.lpszUrlPath, flags);
                WinHttpCloseHandle(connection);
                result
            }
        };
        WinHttpCloseHandle(session);
        result
    }
}

/// # Safety
/// `connection` is open; `object` is NULL or NUL-terminated.
unsafe fn ask(connection: *mut c_void, object: *const u16, flags: u32) -> Result<(u32, Vec<u8>), Failure> {
    // SAFETY: see `get`.
    unsafe {
        let handle = WinHttpOpenRequest(connection, null(), object, null(), null(), null(), flags);
        if handle.is_null() {
            return Err(Failure::of("WinHttpOpenRequest"));
        }
        let request = Box::new(Request {
            closed: CreateEventW(null(), 1, 0, null()),
            buffer: UnsafeCell::new([0; 4096]),
            reply: Mutex::default(),
        });
        let context = (&raw const *request).expose_provenance();
        let length = size_of::<usize>() as u32;
        // With the context in place before anything can fail, HANDLE_CLOSING always brings it.
        let mask = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
        if WinHttpSetOption(handle, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), length) == 0
            || WinHttpSetStatusCallback(handle, Some(on_status), mask, 0).map(|f| f as usize) == Some(usize::MAX)
        {
            let failure = Failure::of("preparing the request");
            WinHttpCloseHandle(handle);
            CloseHandle(request.closed);
            return Err(failure);
        }
        if WinHttpSendRequest(handle, null(), 0, null(), 0, 0, context) == 0 {
            finish(handle, &request, Some(Failure::of("WinHttpSendRequest")));
        }
        let waited = WaitForSingleObject(request.closed, INFINITE);
        assert_eq!(waited, WAIT_OBJECT_0, "the request cannot be freed while callbacks may come");
        CloseHandle(request.closed);

        let Reply { status, body, failure } = std::mem::take(&mut *request.reply());
        failure.map_or(Ok((status, body)), Err)
    }
}

/// Drives the request: each completion starts the next operation.
unsafe extern "system" fn on_status(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    // SAFETY: the context is the request that `ask` keeps until HANDLE_CLOSING, and the information has the shape that
    // belongs to the status.
    unsafe {
        let request = &*std::ptr::with_exposed_provenance::<Request>(context);
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                go_on(handle, request, "WinHttpReceiveResponse", WinHttpReceiveResponse(handle, null_mut()));
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                let (mut code, mut size) = (0_u32, 4);
                let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
                WinHttpQueryHeaders(handle, level, null(), (&raw mut code).cast(), &mut size, null_mut());
                request.reply().status = code;
                go_on(handle, request, "WinHttpQueryDataAvailable", WinHttpQueryDataAvailable(handle, null_mut()));
            }
            WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE => match information.cast::<u32>().read() {
                0 => finish(handle, request, None),
                available => {
                    let size = available.min(size_of_val(&request.buffer) as u32);
                    let read = WinHttpReadData(handle, request.buffer.get().cast(), size, null_mut());
                    go_on(handle, request, "WinHttpReadData", read);
                }
            },
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                let data = std::slice::from_raw_parts(information.cast::<u8>(), length as usize);
                request.reply().body.extend_from_slice(data);
                go_on(handle, request, "WinHttpQueryDataAvailable", WinHttpQueryDataAvailable(handle, null_mut()));
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                let WINHTTP_ASYNC_RESULT { dwResult, dwError } = information.cast::<WINHTTP_ASYNC_RESULT>().read();
                let what = match dwResult as u32 {
                    API_SEND_REQUEST => "API_SEND_REQUEST",
                    API_RECEIVE_RESPONSE => "API_RECEIVE_RESPONSE",
                    API_QUERY_DATA_AVAILABLE => "API_QUERY_DATA_AVAILABLE",
                    API_READ_DATA => "API_READ_DATA",
                    _ => "REQUEST_ERROR",
                };
                finish(handle, request, Some(Failure { what, error: dwError }));
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
                SetEvent(request.closed);
            }
            _ => {}
        }
    }
}

/// Ends the request if the call that should go on with it failed. A call that returned TRUE may already have run
/// later callbacks, even the last one, and the request may be gone.
unsafe fn go_on(handle: *mut c_void, request: *const Request, function: &'static str, result: i32) {
    if result == 0 {
        // SAFETY: the call failed, so the handle was not closed by a callback in it, and the request is alive.
        unsafe { finish(handle, &*request, Some(Failure::of(function))) };
    }
}

/// Notes the failure, if there is one, and closes the handle; HANDLE_CLOSING comes last.
unsafe fn finish(handle: *mut c_void, request: &Request, failure: Option<Failure>) {
    request.reply().failure = failure;
    // SAFETY: every request ends here once.
    unsafe { WinHttpCloseHandle(handle) };
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Starts a server that answers one request, and returns its URL.
fn serve_one_request() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut head = Vec::new();
        let mut part = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut part)? {
                0 => break,
                count => head.extend_from_slice(&part[..count]),
            }
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nHello, WinHTTP")
    });
    format!("http://{address}/")
}
