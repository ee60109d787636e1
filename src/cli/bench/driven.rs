//! WinHTTP driven by one thread: it sends, waits for the completion, goes on; asynchronously or not.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::net::SocketAddr;
use std::ptr::null;

use parking_lot::{Condvar, Mutex};
use portable_winhttp::win32::*;

use super::server::BODY;
use super::winhttp::*;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Session {
    Asynchronous,
    Synchronous,
}

/// The last completion: what an event object tells a waiting thread.
#[derive(Default)]
struct Completion {
    status: Mutex<u32>,
    told: Condvar,
}

impl Completion {
    fn tell(&self, status: u32) {
        *self.status.lock() = status;
        self.told.notify_one();
    }

    fn wait(&self, status: u32) {
        let mut last = self.status.lock();
        while *last != status {
            self.told.wait(&mut last);
        }
        *last = 0;
    }
}

pub struct Client {
    handles: Handles,
    session: Session,
}

impl Client {
    pub fn new(address: SocketAddr, session: Session) -> Client {
        let (flags, callback) = match session {
            Session::Asynchronous => (WINHTTP_FLAG_ASYNC, Some(on_status as RawStatusCallback)),
            Session::Synchronous => (0, None),
        };
        Client { handles: Handles::open(address, false, flags, callback), session }
    }

    /// So many requests, one by one.
    pub fn run(&self, count: usize) {
        match self.session {
            Session::Asynchronous => self.by_event(count),
            Session::Synchronous => self.synchronous(count),
        }
    }

    /// Each step is taken by this thread, which waits for its completion.
    fn by_event(&self, count: usize) {
        let completion = Completion::default();
        let context = (&raw const completion).expose_provenance();
        let mut buffer = [0u8; 64];
        for _ in 0..count {
            let request = self.handles.request(null(), null());
            // SAFETY: `completion` and `buffer` outlive the request, whose HANDLE_CLOSING is waited for.
            unsafe {
                assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, context), 0, "WinHttpSendRequest");
                completion.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
                assert_ne!(WinHttpReceiveResponse(request, nothing()), 0, "WinHttpReceiveResponse");
                completion.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
                assert_ne!(WinHttpReadData(request, buffer.as_mut_ptr().cast(), 64, nothing()), 0, "WinHttpReadData");
                completion.wait(WINHTTP_CALLBACK_STATUS_READ_COMPLETE);
            }
            close(request);
            completion.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
        }
    }

    /// No callback: each call returns when it is done.
    fn synchronous(&self, count: usize) {
        let mut buffer = [0u8; 64];
        for _ in 0..count {
            let request = self.handles.request(null(), null());
            let mut read = 0;
            // SAFETY: the pointers are good for the calls.
            unsafe {
                assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0), 0, "WinHttpSendRequest");
                assert_ne!(WinHttpReceiveResponse(request, nothing()), 0, "WinHttpReceiveResponse");
                let went = WinHttpReadData(request, buffer.as_mut_ptr().cast(), 64, &raw mut read);
                assert_ne!(went, 0, "WinHttpReadData");
            }
            assert_eq!(&buffer[..read as usize], BODY);
            close(request);
        }
    }
}

unsafe extern "system" fn on_status(_: *mut c_void, context: usize, status: u32, information: *mut c_void, _: u32) {
    let completion = std::ptr::with_exposed_provenance::<Completion>(context);
    if completion.is_null() || status == WINHTTP_CALLBACK_STATUS_HANDLE_CREATED {
        return;
    }
    if status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
        refused(information);
    }
    // SAFETY: a context other than 0 is a completion that outlives its requests.
    unsafe { (*completion).tell(status) };
}
