//! WinHTTP as a safe client: one request, its three handles, and a record of every call and notification.
//!
//! It calls the exported functions, as a program that knows nothing of this crate does.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use portable_winhttp::record::{AsyncResult, Notification, Recorder};
use portable_winhttp::win32::*;

use functions::*;

mod functions {
    use super::{RawStatusCallback, URL_COMPONENTS, c_void};

    #[cfg_attr(windows, link(name = "winhttp"))]
    unsafe extern "system" {
        pub fn WinHttpCrackUrl(url: *const u16, length: u32, flags: u32, components: *mut URL_COMPONENTS) -> i32;
        pub fn WinHttpOpen(
            agent: *const u16,
            access: u32,
            proxy: *const u16,
            bypass: *const u16,
            flags: u32,
        ) -> *mut c_void;
        pub fn WinHttpConnect(session: *mut c_void, host: *const u16, port: u16, reserved: u32) -> *mut c_void;
        pub fn WinHttpOpenRequest(
            connection: *mut c_void,
            verb: *const u16,
            object: *const u16,
            version: *const u16,
            referrer: *const u16,
            accept: *const *const u16,
            flags: u32,
        ) -> *mut c_void;
        pub fn WinHttpSetStatusCallback(
            handle: *mut c_void,
            callback: Option<RawStatusCallback>,
            mask: u32,
            reserved: usize,
        ) -> *mut c_void;
        pub fn WinHttpSetOption(handle: *const c_void, option: u32, buffer: *const c_void, length: u32) -> i32;
        pub fn WinHttpAddRequestHeaders(request: *mut c_void, headers: *const u16, length: u32, modifiers: u32) -> i32;
        pub fn WinHttpSendRequest(
            request: *mut c_void,
            headers: *const u16,
            headers_length: u32,
            optional: *const c_void,
            optional_length: u32,
            total_length: u32,
            context: usize,
        ) -> i32;
        pub fn WinHttpWriteData(request: *mut c_void, buffer: *const c_void, length: u32, written: *mut u32) -> i32;
        pub fn WinHttpReceiveResponse(request: *mut c_void, reserved: *mut c_void) -> i32;
        pub fn WinHttpQueryHeaders(
            request: *mut c_void,
            level: u32,
            name: *const u16,
            buffer: *mut c_void,
            length: *mut u32,
            index: *mut u32,
        ) -> i32;
        pub fn WinHttpQueryDataAvailable(request: *mut c_void, available: *mut u32) -> i32;
        pub fn WinHttpReadData(request: *mut c_void, buffer: *mut c_void, length: u32, read: *mut u32) -> i32;
        pub fn WinHttpCloseHandle(handle: *mut c_void) -> i32;
        pub fn GetLastError() -> u32;
    }
}

/// Why a request did not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// A function said so itself.
    #[error("{function} failed: {error}")]
    Call { function: &'static str, error: Win32Error },
    /// A REQUEST_ERROR of a web socket.
    #[error("REQUEST_ERROR of operation {operation}: {error}")]
    WebSocket { operation: i32, error: Win32Error },
    /// REQUEST_ERROR said so later.
    #[error("REQUEST_ERROR {0}: {text}", text = .0.error.text().unwrap_or("no text is known."))]
    Record(AsyncResult),
}

/// Where a URL leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub secure: bool,
    pub host: String,
    pub port: u16,
    /// Path and query.
    pub object: String,
}

/// Takes a URL apart. A fragment is left out: it is not the server's business.
pub fn crack_url(url: &str) -> Result<Target, Win32Error> {
    let url: Vec<u16> = url.split('#').next().unwrap_or_default().encode_utf16().chain([0]).collect();
    let mut parts = URL_COMPONENTS {
        dwStructSize: size_of::<URL_COMPONENTS>() as u32,
        lpszScheme: null_mut(),
        dwSchemeLength: u32::MAX,
        nScheme: 0,
        lpszHostName: null_mut(),
        dwHostNameLength: u32::MAX,
        nPort: 0,
        lpszUserName: null_mut(),
        dwUserNameLength: 0,
        lpszPassword: null_mut(),
        dwPasswordLength: 0,
        lpszUrlPath: null_mut(),
        dwUrlPathLength: u32::MAX,
        lpszExtraInfo: null_mut(),
        dwExtraInfoLength: u32::MAX,
    };
    // SAFETY: the URL ends with NUL and outlives `parts`, whose NULL pointers with length -1 ask for pointers into it.
    if unsafe { WinHttpCrackUrl(url.as_ptr(), 0, ICU_REJECT_USERPWD, &mut parts) } == 0 {
        return Err(last_error());
    }
    if ![WINHTTP_INTERNET_SCHEME_HTTP, WINHTTP_INTERNET_SCHEME_HTTPS].contains(&parts.nScheme) {
        return Err(ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
    }
    let text = |start: *mut u16, length: u32| {
        if start.is_null() {
            return String::new();
        }
        // SAFETY: WinHttpCrackUrl made it a range of `url`.
        String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(start, length as usize) })
    };
    let path = text(parts.lpszUrlPath, parts.dwUrlPathLength);
    let extra = text(parts.lpszExtraInfo, parts.dwExtraInfoLength);
    Ok(Target {
        secure: parts.nScheme == WINHTTP_INTERNET_SCHEME_HTTPS,
        host: text(parts.lpszHostName, parts.dwHostNameLength),
        port: parts.nPort,
        object: format!("{}{extra}", if path.is_empty() { "/" } else { &path }),
    })
}

/// What the callback passes on to the client's thread.
pub enum Word {
    Completion(Notification),
    Closed,
    /// A line of standard input, or its end.
    Line(Option<String>),
}

/// What the callback's context points to. It lives until the last HANDLE_CLOSING.
pub struct Context {
    recorder: Arc<Recorder>,
    /// The web socket, if there is one: its completions have shapes of their own.
    pub socket: AtomicUsize,
    words: Sender<Word>,
    /// Handles for which HANDLE_CLOSING has not come yet.
    open: AtomicUsize,
    /// Whether reads are left out of the record.
    quiet: AtomicBool,
    /// What SECURE_FAILURE said; 0 if it did not come.
    refused: AtomicU32,
}

/// The status callback of all three handles.
unsafe extern "system" fn notify(handle: *mut c_void, context: usize, status: u32, info: *mut c_void, length: u32) {
    let pointer = std::ptr::with_exposed_provenance::<Context>(context);
    if pointer.is_null() {
        return;
    }
    // SAFETY: the context is the address that `Client::open` leaked, and only the last HANDLE_CLOSING, after which
    // WinHTTP calls no more, takes it back.
    let context = unsafe { &*pointer };
    // SAFETY: these are the arguments of this callback.
    let payload = unsafe { Payload::read(status, info, length) };
    let payload = match payload {
        Payload::Buffer { length: 8, .. } if handle.addr() == context.socket.load(Ordering::Acquire) => {
            // SAFETY: READ_COMPLETE of a web socket brings this structure.
            let read = unsafe { info.cast::<WINHTTP_WEB_SOCKET_STATUS>().read_unaligned() };
            Payload::WebSocketStatus { bytes: read.dwBytesTransferred, buffer_type: read.eBufferType }
        }
        other => other,
    };
    let notification = Notification::from_payload(status, payload);
    let quiet = context.quiet.load(Ordering::Relaxed) && matches!(notification, Notification::ReadComplete { .. });
    if !quiet {
        context.recorder.notified(handle.addr(), pointer.addr(), &notification);
    }
    if let Notification::SecureFailure { flags } = notification {
        context.refused.store(flags, Ordering::Release);
    }
    if notification.is_completion() {
        let _ = context.words.send(Word::Completion(notification));
    } else if let Notification::HandleClosing { .. } = notification {
        let _ = context.words.send(Word::Closed);
        if context.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: the counterpart of `Arc::into_raw` in `Client::open`; this is the last callback.
            drop(unsafe { Arc::from_raw(pointer) });
        }
    }
}

/// One request with its session and connection. Dropping it closes the handles and waits for HANDLE_CLOSING of each.
pub struct Client {
    pub recorder: Arc<Recorder>,
    pub context: Arc<Context>,
    words: Receiver<Word>,
    synchronous: bool,
    session: *mut c_void,
    connection: *mut c_void,
    pub request: *mut c_void,
    pub socket: *mut c_void,
    /// The memory that WinHTTP may use until the handles are gone.
    optional: Vec<u8>,
    pub buffer: Box<[u8]>,
}

/// Bytes of one WinHttpReadData at most.
const BUFFER: usize = 64 * 1024;

impl Client {
    /// Opens a session with the status callback and its context, which the other handles inherit.
    pub fn open(recorder: Arc<Recorder>, synchronous: bool) -> Result<Client, Failure> {
        let agent = wide(concat!("portable-winhttp/", env!("CARGO_PKG_VERSION")));
        let (flags, name) = if synchronous { (0, "0") } else { (WINHTTP_FLAG_ASYNC, "WINHTTP_FLAG_ASYNC") };
        let session = making(&recorder, "WinHttpOpen", None, name, || {
            // SAFETY: the agent ends with NUL; NULL is "no proxy".
            unsafe { WinHttpOpen(agent.as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags) }
        })?;
        let (sender, words) = channel();
        let context = Arc::new(Context {
            recorder: recorder.clone(),
            socket: AtomicUsize::new(0),
            words: sender,
            open: AtomicUsize::new(0),
            quiet: AtomicBool::new(false),
            refused: AtomicU32::new(0),
        });
        let mut client = Client {
            recorder,
            context,
            words,
            synchronous,
            session,
            connection: null_mut(),
            request: null_mut(),
            socket: null_mut(),
            optional: Vec::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
        };
        client.listen()?;
        Ok(client)
    }

    fn listen(&mut self) -> Result<(), Failure> {
        let context = Arc::into_raw(self.context.clone()).expose_provenance();
        let take_back = || {
            // SAFETY: no callback knows the context yet, so the leaked count is still ours.
            drop(unsafe { Arc::from_raw(std::ptr::with_exposed_provenance::<Context>(context)) });
        };
        let name = self.recorder.names(|names| names.context(context));
        let session = self.session;
        let set = self.call("WinHttpSetOption", session, &format!("CONTEXT_VALUE, {name}"), || {
            let length = size_of::<usize>() as u32;
            // SAFETY: the option is copied from a usize that outlives the call.
            unsafe { WinHttpSetOption(session, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), length) }
        });
        set.inspect_err(|_| take_back())?;
        let heard = self.call("WinHttpSetStatusCallback", session, "ALL_NOTIFICATIONS", || {
            let mask = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
            // SAFETY: `notify` has the documented signature and is sound for the context that was just set.
            let previous = unsafe { WinHttpSetStatusCallback(session, Some(notify), mask, 0) };
            i32::from(previous.addr() != WINHTTP_INVALID_STATUS_CALLBACK)
        });
        heard.inspect_err(|_| take_back())?;
        self.context.open.store(1, Ordering::Release);
        Ok(())
    }

    /// Lets requests speak HTTP/2.
    pub fn enable_http2(&mut self) -> Result<(), Failure> {
        let (session, protocols) = (self.session, WINHTTP_PROTOCOL_FLAG_HTTP2);
        self.call("WinHttpSetOption", session, "ENABLE_HTTP_PROTOCOL, HTTP2", || {
            // SAFETY: a DWORD.
            unsafe { WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const protocols).cast(), 4) }
        })
    }

    /// Makes the connection and the request handle.
    pub fn request(&mut self, method: &str, target: &Target) -> Result<(), Failure> {
        let Target { secure, host, port, object } = target;
        let (session, host_z) = (self.session, wide(host));
        let arguments = format!("{host}, {port}");
        self.connection = making(&self.recorder, "WinHttpConnect", Some(session), &arguments, || {
            // SAFETY: the host ends with NUL.
            unsafe { WinHttpConnect(session, host_z.as_ptr(), *port, 0) }
        })?;
        self.context.open.fetch_add(1, Ordering::AcqRel);
        let (connection, verb, object_z) = (self.connection, wide(method), wide(object));
        let (flags, name) = if *secure { (WINHTTP_FLAG_SECURE, ", WINHTTP_FLAG_SECURE") } else { (0, "") };
        let arguments = format!("{method}, {object}{name}");
        self.request = making(&self.recorder, "WinHttpOpenRequest", Some(connection), &arguments, || {
            let (verb, object) = (verb.as_ptr(), object_z.as_ptr());
            // SAFETY: the texts end with NUL; NULL stands for the defaults of the others.
            unsafe { WinHttpOpenRequest(connection, verb, object, null(), null(), null(), flags) }
        })?;
        self.context.open.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    /// Adds a header `Name: value` to the request.
    pub fn add_header(&mut self, header: &str) -> Result<(), Failure> {
        let (request, units) = (self.request, wide(header));
        self.call("WinHttpAddRequestHeaders", request, header, || {
            // SAFETY: the header ends with NUL, which the length -1 announces.
            unsafe { WinHttpAddRequestHeaders(request, units.as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) }
        })
    }

    /// Sends the head with `optional` as the first part of a body of `total` bytes, and waits until it is sent.
    pub fn send(&mut self, optional: Vec<u8>, total: u32) -> Result<(), Failure> {
        self.optional = optional;
        let (request, context) = (self.request, Arc::as_ptr(&self.context).addr());
        let (data, length) = match self.optional.as_slice() {
            [] => (null(), 0),
            bytes => (bytes.as_ptr().cast(), bytes.len() as u32),
        };
        let arguments = format!("{length} of {total} bytes");
        self.call("WinHttpSendRequest", request, &arguments, || {
            // SAFETY: `optional` stays where it is until the handles are gone.
            unsafe { WinHttpSendRequest(request, null(), 0, data, length, total, context) }
        })?;
        self.completed(|word| matches!(word, Notification::SendRequestComplete { .. }).then_some(()), ())
    }

    /// What TLS came to, in words.
    pub fn security(&self) -> Vec<String> {
        let refused = self.context.refused.load(Ordering::Acquire);
        super::security::describe(self.request, (refused != 0).then_some(refused))
    }

    /// Sends the next part of the body and waits until it is sent.
    pub fn write(&mut self, data: &[u8]) -> Result<(), Failure> {
        let (request, length) = (self.request, data.len() as u32);
        let buffer = self.recorder.names(|names| names.buffer(data.as_ptr().addr()));
        let mut written = 0;
        // In asynchronous mode the count comes with WRITE_COMPLETE.
        let count = if self.synchronous { &raw mut written } else { null_mut() };
        self.call("WinHttpWriteData", request, &format!("{buffer}, {length} bytes"), || {
            // SAFETY: `data` is borrowed until the completion, for which the next line waits.
            unsafe { WinHttpWriteData(request, data.as_ptr().cast(), length, count) }
        })?;
        self.completed(|word| matches!(word, Notification::WriteComplete { .. }).then_some(()), ())
    }

    /// Ends the request and waits for the head of the reply.
    pub fn receive(&mut self) -> Result<(), Failure> {
        let request = self.request;
        self.call("WinHttpReceiveResponse", request, "", || {
            // SAFETY: the second argument is reserved.
            unsafe { WinHttpReceiveResponse(request, null_mut()) }
        })?;
        self.completed(|word| (*word == Notification::HeadersAvailable).then_some(()), ())
    }

    /// The status code of the reply.
    pub fn status(&mut self) -> Result<u32, Failure> {
        let (request, mut status, mut length) = (self.request, 0_u32, 4);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        self.call("WinHttpQueryHeaders", request, "STATUS_CODE as a number", || {
            // SAFETY: the buffer is a DWORD and `length` says so.
            unsafe { WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut length, null_mut()) }
        })?;
        Ok(status)
    }

    /// A header of the reply, by its WINHTTP_QUERY_* number, if it is there; this question is not recorded.
    pub fn header(&self, level: u32) -> Option<String> {
        let mut text = [0_u16; 256];
        let mut length = size_of_val(&text) as u32;
        let buffer = (&raw mut text).cast();
        // SAFETY: the buffer has `length` bytes.
        let found = unsafe { WinHttpQueryHeaders(self.request, level, null(), buffer, &mut length, null_mut()) };
        (found != 0).then(|| String::from_utf16_lossy(&text[..length as usize / 2]))
    }

    /// Waits until bytes of the body are there and tells how many; 0 at its end.
    pub fn available(&mut self) -> Result<u32, Failure> {
        let (request, mut count) = (self.request, 0);
        let out = if self.synchronous { &raw mut count } else { null_mut() };
        self.call("WinHttpQueryDataAvailable", request, "", || {
            // SAFETY: NULL, or a DWORD that a synchronous call fills before it returns.
            unsafe { WinHttpQueryDataAvailable(request, out) }
        })?;
        let bytes = |word: &Notification| match word {
            Notification::DataAvailable { bytes } => Some(*bytes),
            _ => None,
        };
        self.completed(bytes, count)
    }

    /// Waits for up to `length` bytes of the body; none at its end.
    pub fn read(&mut self, length: u32) -> Result<&[u8], Failure> {
        let (request, length) = (self.request, length.min(BUFFER as u32));
        let (buffer, mut count) = (self.buffer.as_mut_ptr(), 0);
        let out = if self.synchronous { &raw mut count } else { null_mut() };
        let read = || {
            // SAFETY: the buffer is larger than `length` and stays where it is until the handles are gone.
            unsafe { WinHttpReadData(request, buffer.cast(), length, out) }
        };
        if self.context.quiet.load(Ordering::Relaxed) {
            check("WinHttpReadData", read())?;
        } else {
            let name = self.recorder.names(|names| names.buffer(buffer.addr()));
            self.call("WinHttpReadData", request, &format!("{name}, {length} bytes"), read)?;
        }
        let bytes = |word: &Notification| match word {
            Notification::ReadComplete { bytes, .. } => Some(*bytes),
            _ => None,
        };
        let count = self.completed(bytes, count)?;
        Ok(&self.buffer[..count as usize])
    }

    /// Leaves the reads that follow out of the record; their errors stay in it.
    pub fn stop_recording_reads(&self) {
        self.context.quiet.store(true, Ordering::Relaxed);
    }

    /// The context of all handles.
    pub fn context_value(&self) -> usize {
        Arc::as_ptr(&self.context).expose_provenance()
    }

    /// One more handle was made, whose HANDLE_CLOSING comes.
    pub fn opened(&self) {
        self.context.open.fetch_add(1, Ordering::AcqRel);
    }

    /// Where the words come from that [`Client::next`] answers.
    pub fn sender(&self) -> Sender<Word> {
        self.context.words.clone()
    }

    /// Waits for the next word.
    pub fn next(&self) -> Word {
        self.words.recv().expect("the context holds the other end")
    }

    pub fn call(
        &self,
        function: &'static str,
        handle: *mut c_void,
        arguments: &str,
        call: impl FnOnce() -> i32,
    ) -> Result<(), Failure> {
        self.recorder.call(function, Some(handle.addr()), arguments);
        let result = call();
        let error = last_error();
        self.recorder.returned(function, if result == 0 { "FALSE" } else { "TRUE" }, error);
        if result == 0 { Err(Failure::Call { function, error }) } else { Ok(()) }
    }

    /// Waits for the completion that `wanted` knows, or for REQUEST_ERROR. A synchronous call has it already.
    fn completed<T>(&self, wanted: impl Fn(&Notification) -> Option<T>, already: T) -> Result<T, Failure> {
        if self.synchronous {
            return Ok(already);
        }
        loop {
            match self.words.recv().expect("the context holds the other end") {
                Word::Completion(Notification::RequestError(result)) => return Err(Failure::Record(result)),
                Word::Completion(word) => {
                    if let Some(value) = wanted(&word) {
                        return Ok(value);
                    }
                }
                Word::Closed | Word::Line(_) => {}
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut expected = self.context.open.load(Ordering::Acquire);
        for handle in [self.socket, self.request, self.connection, self.session] {
            if !handle.is_null() {
                // A handle that does not close is of no use to anybody; the record shows it.
                let _ = self.call("WinHttpCloseHandle", handle, "", || {
                    // SAFETY: the handle is ours and closed once.
                    unsafe { WinHttpCloseHandle(handle) }
                });
            }
        }
        while expected > 0 {
            if let Word::Closed = self.words.recv().expect("the context holds the other end") {
                expected -= 1;
            }
        }
    }
}

pub fn making(
    recorder: &Recorder,
    function: &'static str,
    parent: Option<*mut c_void>,
    arguments: &str,
    make: impl FnOnce() -> *mut c_void,
) -> Result<*mut c_void, Failure> {
    recorder.call(function, parent.map(|parent| parent.addr()), arguments);
    let handle = make();
    let error = last_error();
    recorder.returned_handle(function, handle.addr(), error);
    if handle.is_null() { Err(Failure::Call { function, error }) } else { Ok(handle) }
}

fn check(function: &'static str, result: i32) -> Result<(), Failure> {
    if result == 0 { Err(Failure::Call { function, error: last_error() }) } else { Ok(()) }
}

fn last_error() -> Win32Error {
    // SAFETY: it has no arguments.
    Win32Error(unsafe { GetLastError() })
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}
