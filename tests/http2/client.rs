//! A WinHTTP client of these tests: HTTP/2 enabled, any authority trusted.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use windows_sys::Win32::Networking::WinHttp::*;

use crate::server::Server;
use crate::support::*;

/// Sets a DWORD.
pub fn set(handle: *mut c_void, option: u32, value: u32) -> u32 {
    // SAFETY: a DWORD.
    let set = unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) };
    if set == 1 { 0 } else { last_error() }
}

/// Reads a DWORD.
pub fn option(handle: *mut c_void, option: u32) -> u32 {
    let (mut value, mut length) = (u32::MAX, 4);
    // SAFETY: room for a DWORD.
    assert_eq!(unsafe { WinHttpQueryOption(handle, option, (&raw mut value).cast(), &mut length) }, 1);
    value
}

/// A client whose requests may speak HTTP/2.
pub fn client(asynchronous: bool, port: u16) -> Client {
    let client = Client::new(asynchronous, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_PROTOCOL_FLAG_HTTP2), 0);
    client
}

/// A request over TLS that trusts any authority. `record`: who hears of it.
pub fn open(client: &Client, verb: &str, path: &str, flags: u32, record: Option<&Arc<Record>>) -> *mut c_void {
    // SAFETY: NUL-terminated strings; the context outlives the handle.
    unsafe {
        let (verb, path, none) = (wide(verb), wide(path), null());
        let flags = WINHTTP_FLAG_SECURE | flags;
        let request = WinHttpOpenRequest(client.connection, verb.as_ptr(), path.as_ptr(), none, none, null(), flags);
        assert!(!request.is_null(), "{}", last_error());
        let ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;
        assert_eq!(set(request, WINHTTP_OPTION_SECURITY_FLAGS, ignored), 0);
        if let Some(record) = record {
            let context = context(record);
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8), 1);
        }
        request
    }
}

/// Reads the body of a synchronous request to its end; or the error.
pub fn read_all(request: *mut c_void) -> Result<Vec<u8>, u32> {
    let mut body = Vec::new();
    let mut buffer = [0u8; 5000];
    loop {
        let mut count = 0;
        // SAFETY: the buffer has that length.
        if unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 5000, &mut count) } == 0 {
            return Err(last_error());
        }
        if count == 0 {
            return Ok(body);
        }
        body.extend(&buffer[..count as usize]);
    }
}

/// WinHttpWriteData on a synchronous request.
pub fn write(request: *mut c_void, bytes: &[u8]) -> Result<(), u32> {
    // SAFETY: bytes and their length.
    let wrote = unsafe { WinHttpWriteData(request, bytes.as_ptr().cast(), bytes.len() as u32, null_mut()) };
    if wrote == 1 { Ok(()) } else { Err(last_error()) }
}

/// A synchronous exchange without a body: the body of the reply, or the error.
pub fn fetch(request: *mut c_void) -> Result<Vec<u8>, u32> {
    if send(request) == 0 || receive(request) == 0 {
        return Err(last_error());
    }
    read_all(request)
}

/// A header of the reply, or of the request, or a trailer: text, by an info level without a name.
pub fn header(request: *mut c_void, level: u32) -> String {
    let mut text = [0u16; 2000];
    let mut length = size_of_val(&text) as u32;
    // SAFETY: the buffer has that length.
    let found =
        unsafe { WinHttpQueryHeaders(request, level, null(), text.as_mut_ptr().cast(), &mut length, null_mut()) };
    assert_eq!(found, 1, "{}", last_error());
    String::from_utf16_lossy(&text[..length as usize / 2])
}

/// One synchronous GET at a server, by a client of its own.
pub fn get(server: &Server, path: &str) -> Result<Vec<u8>, u32> {
    let client = client(false, server.port);
    let request = open(&client, "GET", path, 0, None);
    let got = fetch(request);
    close(request);
    client.close();
    got
}
