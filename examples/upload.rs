//! An upload in pieces, with WinHttpWriteData, to a server of the lab.
//!
//! ```text
//! cargo run --example upload
//! ```

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use portable_winhttp::lab::{Reply, Sim, put};
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

/// A handle that is closed once, children before their parents.
struct Handle(*mut c_void);

impl Handle {
    /// What a function returned, or why it returned nothing.
    fn of(handle: *mut c_void) -> Result<Handle, u32> {
        // SAFETY: no pointers.
        if handle.is_null() { Err(unsafe { GetLastError() }) } else { Ok(Handle(handle)) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it is open, and nobody else closes it.
        unsafe { WinHttpCloseHandle(self.0) };
    }
}

fn done(answer: i32) -> Result<(), u32> {
    // SAFETY: no pointers.
    if answer == 0 { Err(unsafe { GetLastError() }) } else { Ok(()) }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Puts `pieces`, one after the other, and answers the status.
fn upload(host: &str, path: &str, pieces: &[&[u8]]) -> Result<u32, u32> {
    let total: usize = pieces.iter().map(|piece| piece.len()).sum();
    let (host, path, verb) = (wide(host), wide(path), wide("PUT"));
    // SAFETY: strings end in NUL, and what is written outlives each synchronous call.
    unsafe {
        let session = Handle::of(WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0))?;
        let connection = Handle::of(WinHttpConnect(session.0, host.as_ptr(), 443, 0))?;
        let flags = WINHTTP_FLAG_SECURE;
        let request = WinHttpOpenRequest(connection.0, verb.as_ptr(), path.as_ptr(), null(), null(), null(), flags);
        let request = Handle::of(request)?;
        // The whole length is told now; the bytes follow.
        done(WinHttpSendRequest(request.0, null(), 0, null(), 0, total as u32, 0))?;
        for piece in pieces {
            let mut written = 0;
            done(WinHttpWriteData(request.0, piece.as_ptr().cast(), piece.len() as u32, &raw mut written))?;
            println!("{written} bytes written");
        }
        done(WinHttpReceiveResponse(request.0, null_mut()))?;
        let (mut status, mut length) = (0u32, 4u32);
        let what = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        let place = (&raw mut status).cast();
        done(WinHttpQueryHeaders(request.0, what, null(), place, &raw mut length, null_mut()))?;
        // A handle is dropped before the one that it was made from: in the opposite order of their making.
        Ok(status)
    }
}

fn main() {
    let sim = Sim::new();
    let server = sim.peer("https://files.test");
    server.on(put("/notes.txt")).reply(Reply::status(201)).expect(1);

    let status = upload("files.test", "/notes.txt", &[b"What was ", b"written ", b"in pieces."]);
    println!("status {status:?}");
    assert_eq!(status, Ok(201));
    assert_eq!(server.received()[0].content(), b"What was written in pieces.");
}
