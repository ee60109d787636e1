//! A small asynchronous WinHTTP client.

mod request;

use std::ffi::c_void;

use request::{Finished, Pending};
use windows::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, WIN32_ERROR};
use windows::Win32::Networking::WinHttp::*;
use windows::core::{Error, HSTRING, PCWSTR, PWSTR, Result, w};

/// What a server answered.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: u32,
    /// Its Content-Type, if it gave one.
    pub content_type: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A handle that is closed when it goes out of scope.
struct Handle(*mut c_void);

impl Handle {
    fn new(handle: *mut c_void) -> Result<Handle> {
        if handle.is_null() { Err(Error::from_thread()) } else { Ok(Handle(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody else closes it.
        unsafe { WinHttpCloseHandle(self.0) }.expect("an open handle");
    }
}

/// What `http://host:port/path` answers to a POST of `body`.
pub fn post(host: &str, port: u16, path: &str, body: &[u8]) -> Result<Reply> {
    let pending = Pending::default();
    // SAFETY: the texts end with NUL; `pending` and the buffers outlive what is pending, because each call is waited for,
    // and `pending` outlives the request.
    unsafe {
        let agent = HSTRING::from("consumer/1.0");
        let flags = WINHTTP_FLAG_ASYNC;
        let session = WinHttpOpen(&agent, WINHTTP_ACCESS_TYPE_NO_PROXY, PCWSTR::null(), PCWSTR::null(), flags);
        let session = Handle::new(session)?;
        WinHttpSetTimeouts(session.0, 0, 30_000, 30_000, 30_000)?;
        let connection = Handle::new(WinHttpConnect(session.0, &HSTRING::from(host), port, 0))?;
        let accept = [w!("*/*"), PCWSTR::null()];
        let request = WinHttpOpenRequest(
            connection.0,
            w!("POST"),
            &HSTRING::from(path),
            PCWSTR::null(),
            PCWSTR::null(),
            accept.as_ptr(),
            WINHTTP_OPEN_REQUEST_FLAGS(0),
        );
        let request = Handle::new(request)?;
        pending.watch(request.0)?;

        let header: Vec<u16> = "X-Consumer: windows\r\n".encode_utf16().collect();
        WinHttpAddRequestHeaders(request.0, &header, WINHTTP_ADDREQ_FLAG_ADD)?;
        let length = body.len() as u32;
        let call =
            || WinHttpSendRequest(request.0, None, Some(body.as_ptr().cast()), length, length, pending.context());
        pending.finish(call)?;
        pending.finish(|| WinHttpReceiveResponse(request.0, std::ptr::null_mut()))?;

        let (mut status, mut size) = (0_u32, 4);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        let value = Some((&raw mut status).cast());
        WinHttpQueryHeaders(request.0, level, PCWSTR::null(), value, &mut size, std::ptr::null_mut())?;
        let content_type = text(request.0, WINHTTP_QUERY_CONTENT_TYPE)?;

        let mut received = Vec::new();
        let mut part = [0_u8; 512];
        loop {
            let buffer = part.as_mut_ptr().cast();
            let call = || WinHttpReadData(request.0, buffer, part.len() as u32, std::ptr::null_mut());
            match pending.finish(call)? {
                Finished::Read(0) => break,
                Finished::Read(count) => received.extend_from_slice(&part[..count]),
                Finished::Other => unreachable!("a read ends as a read"),
            }
        }
        Ok(Reply { status, content_type, body: received })
    }
}

/// A header of the reply, if it is there.
///
/// # Safety
/// The request is open and has its reply.
unsafe fn text(request: *mut c_void, level: u32) -> Result<Option<String>> {
    let mut size = 0;
    let index = std::ptr::null_mut();
    // SAFETY: no buffer is passed.
    match unsafe { WinHttpQueryHeaders(request, level, PCWSTR::null(), None, &mut size, index) } {
        Err(error) if code(&error) == Some(WIN32_ERROR(ERROR_WINHTTP_HEADER_NOT_FOUND)) => return Ok(None),
        Err(error) if code(&error) != Some(ERROR_INSUFFICIENT_BUFFER) => return Err(error),
        _ => {}
    }
    let mut value = vec![0_u16; size as usize / 2];
    let buffer = value.as_mut_ptr();
    // SAFETY: the buffer has the size that is told, and what was written ends with NUL.
    unsafe {
        WinHttpQueryHeaders(request, level, PCWSTR::null(), Some(buffer.cast()), &mut size, index)?;
        Ok(Some(PWSTR::from_raw(buffer).to_string()?))
    }
}

/// The Win32 error in an error.
pub fn code(error: &Error) -> Option<WIN32_ERROR> {
    WIN32_ERROR::from_error(error)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn a_closed_port_is_cannot_connect() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = post("127.0.0.1", port, "/", b"").unwrap_err();
        assert_eq!(code(&error), Some(WIN32_ERROR(ERROR_WINHTTP_CANNOT_CONNECT)));
    }
}
