//! A small synchronous WinHTTP client.

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

#[cfg(test)]
use portable_winhttp as _;

/// A handle that is closed when it goes out of scope.
struct Handle(*mut c_void);

impl Handle {
    /// The handle that a function returned, or the last error.
    fn new(handle: *mut c_void) -> Result<Handle, u32> {
        if handle.is_null() { Err(last_error()) } else { Ok(Handle(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { WinHttpCloseHandle(self.0) };
    }
}

/// The status and the body of `http://host:port/path`, or the Win32 error that prevented them.
pub fn get(host: &str, port: u16, path: &str) -> Result<(u32, Vec<u8>), u32> {
    get_with(0, host, port, path)
}

/// [`get`] by `https`.
pub fn get_secure(host: &str, port: u16, path: &str) -> Result<(u32, Vec<u8>), u32> {
    get_with(WINHTTP_FLAG_SECURE, host, port, path)
}

fn get_with(flags: u32, host: &str, port: u16, path: &str) -> Result<(u32, Vec<u8>), u32> {
    let (host, path) = (wide(host), wide(path));
    // SAFETY: the texts end with NUL and every pointer outlives its call.
    unsafe {
        let session = Handle::new(WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0))?;
        let connection = Handle::new(WinHttpConnect(session.0, host.as_ptr(), port, 0))?;
        let request = WinHttpOpenRequest(connection.0, null(), path.as_ptr(), null(), null(), null(), flags);
        let request = Handle::new(request)?;
        check(WinHttpSendRequest(request.0, null(), 0, null(), 0, 0, 0))?;
        check(WinHttpReceiveResponse(request.0, null_mut()))?;

        let (mut status, mut size) = (0_u32, 4);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        check(WinHttpQueryHeaders(request.0, level, null(), (&raw mut status).cast(), &mut size, null_mut()))?;

        let mut body = Vec::new();
        let mut part = [0_u8; 1024];
        loop {
            let mut count = 0;
            check(WinHttpReadData(request.0, part.as_mut_ptr().cast(), part.len() as u32, &mut count))?;
            if count == 0 {
                return Ok((status, body));
            }
            body.extend_from_slice(&part[..count as usize]);
        }
    }
}

fn check(result: i32) -> Result<(), u32> {
    if result == 0 { Err(last_error()) } else { Ok(()) }
}

fn last_error() -> u32 {
    // SAFETY: it has no arguments.
    unsafe { GetLastError() }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    #[test]
    fn a_closed_port_is_cannot_connect() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        assert_eq!(super::get("127.0.0.1", port, "/"), Err(super::ERROR_WINHTTP_CANNOT_CONNECT));
    }
}
