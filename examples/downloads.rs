//! Downloads in parallel, asynchronously, with progress: one session, one callback, a context for each.
//!
//! ```text
//! cargo run --example downloads
//! ```

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::time::Duration;

use portable_winhttp::lab::{Reply, Sim, get};
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[derive(Default)]
struct Progress {
    received: usize,
    /// The error, or nothing, when it is over.
    ended: Option<Result<(), u32>>,
    /// Whether HANDLE_CLOSING came: nothing is called any more.
    closed: bool,
}

/// A download: the context of its request, which outlives it.
struct Download {
    name: &'static str,
    /// Where the next part of the body goes; WinHTTP's between ReadData and its completion.
    buffer: Mutex<Box<[u8; 1024]>>,
    progress: Mutex<Progress>,
}

impl Download {
    fn start(connection: *mut c_void, name: &'static str) -> &'static Download {
        // It is given to callbacks, and so lives until HANDLE_CLOSING; here for ever.
        let download: &Download =
            Box::leak(Box::new(Download { name, buffer: Mutex::new(Box::new([0; 1024])), progress: Mutex::default() }));
        let context = std::ptr::from_ref(download) as usize;
        let path = wide(name);
        // SAFETY: strings end in NUL, and the context lives for ever.
        unsafe {
            let flags = WINHTTP_FLAG_SECURE;
            let request = WinHttpOpenRequest(connection, null(), path.as_ptr(), null(), null(), null(), flags);
            assert!(!request.is_null());
            // Bound before anything can fail, so that HANDLE_CLOSING finds it in any case.
            WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8);
            let sent = WinHttpSendRequest(request, null(), 0, null(), 0, 0, context);
            download.go_on(request, sent);
        }
        download
    }

    /// After a call: one that failed has no completion.
    ///
    /// # Safety
    /// `request` is open.
    unsafe fn go_on(&self, request: *mut c_void, answer: i32) {
        if answer == 0 {
            // SAFETY: the caller's promise.
            unsafe { self.end(request, Err(GetLastError())) };
        }
    }

    /// # Safety
    /// As before.
    unsafe fn end(&self, request: *mut c_void, how: Result<(), u32>) {
        self.progress.lock().unwrap().ended = Some(how);
        // SAFETY: it is closed here only, and no lock is held: HANDLE_CLOSING may come inside.
        unsafe { WinHttpCloseHandle(request) };
    }

    /// # Safety
    /// As before.
    unsafe fn read(&self, request: *mut c_void) {
        let buffer = self.buffer.lock().unwrap().as_mut_ptr();
        // SAFETY: the buffer lives for ever.
        unsafe { self.go_on(request, WinHttpReadData(request, buffer.cast(), 1024, null_mut())) };
    }
}

unsafe extern "system" fn notified(request: *mut c_void, context: usize, status: u32, info: *mut c_void, length: u32) {
    // SAFETY: contexts are downloads that live for ever; payloads are those of their status.
    unsafe {
        let Some(download) = (context as *const Download).as_ref() else { return };
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                download.go_on(request, WinHttpReceiveResponse(request, null_mut()));
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => download.read(request),
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if length > 0 => {
                let received = {
                    let mut progress = download.progress.lock().unwrap();
                    progress.received += length as usize;
                    progress.received
                };
                println!("{:>6}: {received} bytes", download.name);
                download.read(request);
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => download.end(request, Ok(())),
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                download.end(request, Err((*info.cast::<WINHTTP_ASYNC_RESULT>()).dwError));
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => download.progress.lock().unwrap().closed = true,
            _ => {}
        }
    }
}

fn main() {
    let sim = Sim::new();
    let server = sim.peer("https://files.test");
    for (path, kilobytes, pause) in [("/small", 1, 10), ("/large", 5, 20), ("/slow", 2, 50)] {
        let reply = Reply::ok().body(vec![b'x'; kilobytes * 1024]).chunks(vec![1024; kilobytes]);
        server.on(get(path)).reply(reply.between(Duration::from_millis(pause))).expect(1);
    }

    // SAFETY: strings end in NUL; handles are closed after those that were made from them.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        WinHttpSetStatusCallback(session, Some(notified), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        let connection = WinHttpConnect(session, wide("files.test").as_ptr(), 443, 0);
        let downloads = ["/small", "/large", "/slow"].map(|name| Download::start(connection, name));
        sim.block_until(|| downloads.iter().all(|download| download.progress.lock().unwrap().closed));
        for download in downloads {
            let progress = download.progress.lock().unwrap();
            println!("{:>6}: {} bytes, {:?}", download.name, progress.received, progress.ended);
            assert_eq!(progress.ended, Some(Ok(())));
        }
        WinHttpCloseHandle(connection);
        WinHttpCloseHandle(session);
    }
    println!("{:?} of the Sim's time", sim.elapsed());
}
