//! What the integration tests share: UTF-16, a loopback server, a client that records.
#![allow(dead_code)]

use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use portable_winhttp as _;
use windows_sys::Win32::Networking::WinHttp::*;

/// How long a test waits for what must come: only a test that fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// NUL-terminated UTF-16.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Serves each connection on a thread of its own; answers the port.
pub fn serve(connection: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connection = Arc::new(connection);
    thread::spawn(move || {
        // A process without a free descriptor accepts later.
        for stream in listener.incoming().flatten() {
            let connection = Arc::clone(&connection);
            thread::spawn(move || connection(stream));
        }
    });
    port
}

/// Reads up to the end of a head; `None` when the client has closed.
pub fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// A server that answers every request without a body with the same bytes and keeps the connection.
pub fn serve_always(reply: impl Into<Vec<u8>>) -> u16 {
    let reply = reply.into();
    serve(move |mut stream| {
        while read_head(&mut stream).is_some() {
            if stream.write_all(&reply).is_err() {
                return;
            }
        }
    })
}

/// A server that accepts, reads and never answers.
pub fn serve_silence() -> u16 {
    serve(|mut stream| {
        let mut sink = [0; 1024];
        while matches!(stream.read(&mut sink), Ok(1..)) {}
    })
}

/// One notification: status, and what of its payload a test looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub status: u32,
    /// The DWORD, the error of a REQUEST_ERROR, or the length.
    pub value: u32,
    /// The API id of a REQUEST_ERROR.
    pub api: usize,
    pub thread: thread::ThreadId,
}

/// What a callback does beside recording.
pub type Then = Box<dyn Fn(*mut c_void, Seen) + Send + Sync>;

/// The context of a handle: records every notification.
pub struct Record {
    seen: Mutex<Vec<Seen>>,
    changed: Condvar,
    then: Then,
}

impl Record {
    pub fn new() -> Arc<Record> {
        Record::with(|_, _| {})
    }

    /// A record whose callback also does `then`.
    pub fn with(then: impl Fn(*mut c_void, Seen) + Send + Sync + 'static) -> Arc<Record> {
        Arc::new(Record { seen: Mutex::default(), changed: Condvar::new(), then: Box::new(then) })
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn statuses(&self) -> Vec<u32> {
        self.seen().iter().map(|seen| seen.status).collect()
    }

    /// Waits for a notification of this status; answers the first.
    pub fn wait(&self, status: u32) -> Seen {
        self.wait_for(|seen| seen.iter().find(|seen| seen.status == status).copied(), &format!("status {status:#x}"))
    }

    pub fn wait_for<R>(&self, mut found: impl FnMut(&[Seen]) -> Option<R>, what: &str) -> R {
        let mut seen = self.seen.lock().unwrap();
        loop {
            if let Some(found) = found(&seen) {
                return found;
            }
            let (woken, waited) = self.changed.wait_timeout(seen, PATIENCE).unwrap();
            assert!(!waited.timed_out(), "{what} did not come: {woken:#x?}");
            seen = woken;
        }
    }
}

/// The status callback of all tests: the context is a [`Record`] that outlives the handles.
///
/// # Safety
/// The context is 0 or an `Arc<Record>` that was leaked by [`context`].
pub unsafe extern "system" fn record(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    if context == 0 {
        return;
    }
    // SAFETY: contexts are leaked.
    let record = unsafe { &*(context as *const Record) };
    let (value, api) = match (status, length) {
        (WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, _) => {
            // SAFETY: that is what REQUEST_ERROR brings.
            let result = unsafe { &*information.cast::<WINHTTP_ASYNC_RESULT>() };
            // That of a web socket is longer, and begins with it.
            assert!(
                [size_of::<WINHTTP_ASYNC_RESULT>(), size_of::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>()]
                    .contains(&(length as usize))
            );
            (result.dwError, result.dwResult)
        }
        (WINHTTP_CALLBACK_STATUS_READ_COMPLETE, length) => (length, 0),
        // SAFETY: four bytes are a DWORD.
        (_, 4) if !information.is_null() => (unsafe { *information.cast::<u32>() }, 0),
        (_, length) => (length, 0),
    };
    let seen = Seen { status, value, api, thread: thread::current().id() };
    record.seen.lock().unwrap().push(seen);
    record.changed.notify_all();
    (record.then)(handle, seen);
}

/// The value of a context that lives for ever: a late callback must not crash the test that looks for it.
pub fn context(record: &Arc<Record>) -> usize {
    Arc::into_raw(Arc::clone(record)) as usize
}

/// An asynchronous or synchronous session, a connection to `port` of this machine, and requests of it.
pub struct Client {
    pub session: *mut c_void,
    pub connection: *mut c_void,
}

impl Client {
    pub fn new(asynchronous: bool, port: u16) -> Client {
        let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
        // SAFETY: NUL-terminated strings, a callback that takes any context of ours.
        unsafe {
            let session = WinHttpOpen(wide("test").as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags);
            assert!(!session.is_null());
            WinHttpSetStatusCallback(session, Some(record), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
            let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), port, 0);
            assert!(!connection.is_null());
            Client { session, connection }
        }
    }

    /// A request whose notifications go to `record`.
    pub fn request(&self, verb: &str, path: &str, record: &Arc<Record>) -> *mut c_void {
        let context = context(record);
        // SAFETY: NUL-terminated strings; the context outlives the handle.
        unsafe {
            let request = WinHttpOpenRequest(
                self.connection,
                wide(verb).as_ptr(),
                wide(path).as_ptr(),
                null(),
                null(),
                null(),
                0,
            );
            assert!(!request.is_null());
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8), 1);
            request
        }
    }

    pub fn close(&self) {
        for handle in [self.connection, self.session] {
            assert_eq!(close(handle), 1);
        }
    }
}

/// WinHttpSendRequest without headers and body.
pub fn send(request: *mut c_void) -> i32 {
    // SAFETY: no pointers.
    unsafe { WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) }
}

/// WinHttpReceiveResponse
pub fn receive(request: *mut c_void) -> i32 {
    // SAFETY: no pointers.
    unsafe { WinHttpReceiveResponse(request, null_mut()) }
}

/// The status of the reply.
pub fn status_code(request: *mut c_void) -> u32 {
    let (mut status, mut size) = (0u32, 4u32);
    let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
    // SAFETY: a number has four bytes.
    let found = unsafe { WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut size, null_mut()) };
    assert_eq!(found, 1, "{}", last_error());
    status
}

/// WinHttpQueryDataAvailable without out parameter.
pub fn query_data(request: *mut c_void) -> i32 {
    // SAFETY: no pointers.
    unsafe { WinHttpQueryDataAvailable(request, null_mut()) }
}

/// WinHttpReadData into a buffer that is never freed.
pub fn read(request: *mut c_void, length: u32) -> i32 {
    let buffer = Box::leak(vec![0u8; length as usize].into_boxed_slice());
    // SAFETY: the buffer lives for ever.
    unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), length, null_mut()) }
}

/// WinHttpCloseHandle
pub fn close(handle: *mut c_void) -> i32 {
    // SAFETY: any value may be passed.
    unsafe { WinHttpCloseHandle(handle) }
}

/// GetLastError
pub fn last_error() -> u32 {
    // SAFETY: nothing is passed.
    unsafe { windows_sys::Win32::Foundation::GetLastError() }
}
