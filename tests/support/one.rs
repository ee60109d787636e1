//! A small client, step by step: each test does one thing wrong with it, or right.
#![allow(dead_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::Duration;

use portable_winhttp::lab::{Reply, Sim, any};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

/// A session, a connection and a request, with a record of what was notified.
pub struct One {
    pub client: Client,
    pub request: *mut c_void,
    pub record: Arc<Record>,
}

impl One {
    /// A GET of a peer that answers so.
    pub fn get(sim: &Sim, reply: Reply) -> One {
        One::with(sim, "GET", reply, |_, _| {})
    }

    /// A request whose callback does something.
    pub fn with(sim: &Sim, verb: &str, reply: Reply, then: impl Fn(*mut c_void, Seen) + Send + Sync + 'static) -> One {
        sim.peer("http://127.0.0.1").on(any()).reply(reply);
        let record = Record::with(then);
        let client = Client::new(true, 80);
        let request = client.request(verb, "/", &record);
        One { client, request, record }
    }

    /// A request to a peer that the test has made.
    pub fn to(verb: &str, then: impl Fn(*mut c_void, Seen) + Send + Sync + 'static) -> One {
        let record = Record::with(then);
        let client = Client::new(true, 80);
        let request = client.request(verb, "/", &record);
        One { client, request, record }
    }

    /// A request without a context.
    pub fn unbound(sim: &Sim, reply: Reply, then: impl Fn(*mut c_void, Seen) + Send + Sync + 'static) -> One {
        sim.peer("http://127.0.0.1").on(any()).reply(reply);
        let client = Client::new(true, 80);
        let request = open(&client);
        One { client, request, record: Record::with(then) }
    }

    /// A request without a context and without a callback.
    pub fn silent() -> One {
        let client = Client::new(true, 80);
        for handle in [client.session, client.connection] {
            // SAFETY: NULL takes the callback away.
            unsafe { WinHttpSetStatusCallback(handle, None, 0, 0) };
        }
        let request = open(&client);
        One { client, request, record: Record::new() }
    }

    /// Waits until this has come so often.
    pub fn until(&self, sim: &Sim, status: u32, times: usize) {
        sim.block_until(|| self.record.statuses().iter().filter(|seen| **seen == status).count() == times);
    }

    /// Sends, and waits for the head.
    pub fn receive(&self, sim: &Sim) {
        assert_eq!(send(self.request), 1);
        self.until(sim, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1);
        assert_eq!(receive(self.request), 1);
        self.until(sim, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, 1);
    }

    /// Sends with a body, and waits for the completion.
    pub fn post(&self, sim: &Sim, body: &[u8], total: usize) {
        // SAFETY: the test answers for the body.
        let sent = unsafe {
            WinHttpSendRequest(self.request, null(), 0, body.as_ptr().cast(), body.len() as u32, total as u32, 0)
        };
        assert_eq!(sent, 1);
        self.until(sim, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, 1);
    }

    /// All of it.
    pub fn all(&self, sim: &Sim) {
        self.receive(sim);
        self.close(sim);
    }

    /// Closes everything, and waits for HANDLE_CLOSING.
    pub fn close(&self, sim: &Sim) {
        close(self.request);
        self.closed(sim);
    }

    /// The request was closed: waits for HANDLE_CLOSING and closes the rest.
    pub fn closed(&self, sim: &Sim) {
        self.until(sim, WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 1);
        self.client.close();
    }
}

/// The value of a record as a context; it lives for ever.
pub fn context_of(record: &Arc<Record>) -> usize {
    let context = Arc::as_ptr(record) as usize;
    std::mem::forget(Arc::clone(record));
    context
}

/// Sets the context of a handle.
pub fn bind(handle: *mut c_void, context: usize) -> i32 {
    // SAFETY: the option is a pointer's value.
    unsafe { WinHttpSetOption(handle, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8) }
}

fn open(client: &Client) -> *mut c_void {
    // SAFETY: NULL is GET and /.
    unsafe { WinHttpOpenRequest(client.connection, null(), null(), null(), null(), null(), 0) }
}

/// SendRequest with this context.
pub fn send_with(request: *mut c_void, context: usize) -> i32 {
    // SAFETY: no pointers.
    unsafe { WinHttpSendRequest(request, null(), 0, null(), 0, 0, context) }
}

/// QueryOption: the answer and the last error.
pub fn option_of(handle: *mut c_void, option: u32) -> (i32, u32) {
    let (mut value, mut length) = ([0u8; 1024], 1024);
    // SAFETY: a buffer and its length.
    let answer = unsafe { WinHttpQueryOption(handle, option, value.as_mut_ptr().cast(), &raw mut length) };
    (answer, if answer == 0 { last_error() } else { 0 })
}

/// ReadData into this memory; the test answers for it.
pub fn read_to(request: *mut c_void, buffer: &mut [u8], count: *mut u32) -> i32 {
    // SAFETY: as above.
    unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), buffer.len() as u32, count) }
}

/// WriteData from this memory; the test answers for it.
pub fn write_from(request: *mut c_void, bytes: &[u8]) -> i32 {
    // SAFETY: as above.
    unsafe { WinHttpWriteData(request, bytes.as_ptr().cast(), bytes.len() as u32, null_mut()) }
}

/// QueryHeaders for all headers into so many bytes.
pub fn headers_into(request: *mut c_void, room: u32) -> i32 {
    let mut buffer = vec![0u16; room.div_ceil(2) as usize];
    let mut length = room;
    // SAFETY: the buffer has the length that is said.
    unsafe {
        let buffer = if room == 0 { null_mut() } else { buffer.as_mut_ptr().cast() };
        WinHttpQueryHeaders(request, WINHTTP_QUERY_RAW_HEADERS_CRLF, null(), buffer, &raw mut length, null_mut())
    }
}

/// Sets callback and mask.
pub fn listen(handle: *mut c_void, mask: u32) {
    // SAFETY: the callback takes every context of ours.
    unsafe { WinHttpSetStatusCallback(handle, Some(record), mask, 0) };
}

/// A reply whose body comes a second after its head.
pub fn late_body(body: &str) -> Reply {
    Reply::ok().body(body).chunks([body.len()]).between(Duration::from_secs(1))
}
