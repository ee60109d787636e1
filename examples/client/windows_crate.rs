// src/lib.rs
use std::ffi::c_void;
use std::ptr::{null, null_mut};

use windows::Win32::Networking::WinHttp::*;
use windows::core::{Error, HSTRING, PCWSTR, Result, w};

/// A handle that is closed when it goes out of scope.
struct Handle(*mut c_void);

impl Handle {
    fn new(handle: *mut c_void) -> Result<Handle> {
        if handle.is_null() { Err(Error::from_thread()) } else { Ok(Handle(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: an open handle, which nobody else closes.
        let _ = unsafe { WinHttpCloseHandle(self.0) };
    }
}

/// The body of `https://host/path`.
pub fn get(host: &str, path: &str) -> Result<Vec<u8>> {
    let (none, direct, secure) = (PCWSTR::null(), WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_FLAG_SECURE);
    let (host, path) = (HSTRING::from(host), HSTRING::from(path));
    // SAFETY: texts end with NUL, and each call ends before what it was given.
    unsafe {
        let session = Handle::new(WinHttpOpen(w!("mine/1.0"), direct, none, none, 0))?;
        let connection = Handle::new(WinHttpConnect(session.0, &host, INTERNET_DEFAULT_HTTPS_PORT, 0))?;
        let request = WinHttpOpenRequest(connection.0, w!("GET"), &path, none, none, null(), secure);
        let request = Handle::new(request)?;
        WinHttpSendRequest(request.0, None, None, 0, 0, 0)?;
        WinHttpReceiveResponse(request.0, null_mut())?;
        let (mut body, mut part) = (Vec::new(), [0_u8; 1024]);
        loop {
            let mut count = 0;
            WinHttpReadData(request.0, part.as_mut_ptr().cast(), part.len() as u32, &mut count)?;
            if count == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&part[..count as usize]);
        }
    }
}

#[cfg(all(test, not(windows)))]
mod tests {
    use windows::lab::{Reply, Sim, any, explore};

    #[test]
    fn the_body_comes() {
        let sim = Sim::new();
        sim.peer("https://api.test").on(any()).reply(Reply::ok().body("hello"));
        assert_eq!(super::get("api.test", "/items").unwrap(), b"hello");
    }

    #[test]
    fn whatever_fails_the_handles_are_closed() {
        let report = explore(|sim| {
            sim.peer("https://api.test").on(any()).reply(Reply::ok().body("hello"));
            let _ = super::get("api.test", "/items");
        });
        println!("{report}");
    }
}
