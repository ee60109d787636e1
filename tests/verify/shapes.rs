//! The shapes of real clients, one row each: none of them runs into an error, whoever delivers.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portable_winhttp::lab::{Reply, Sim, any};
use portable_winhttp::real::{Delivery, Policy};
use portable_winhttp::verify::Level;
use portable_winhttp::win32::{WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, WINHTTP_CALLBACK_FLAG_HANDLES};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const HEADERS: u32 = WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE;
const AVAILABLE: u32 = WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE;
const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
const WROTE: u32 = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE;
const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;

const ALL: u32 = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
const COMPLETIONS: u32 = WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS;
const HANDLES: u32 = WINHTTP_CALLBACK_FLAG_HANDLES;
const SECURE: u32 = WINHTTP_CALLBACK_FLAG_SECURE_FAILURE;

/// Where the callback is set.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Session,
    Request,
}

/// How the context is bound.
#[derive(Clone, Copy, PartialEq)]
enum By {
    Option,
    Send,
    Both,
}

/// How the body goes out.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    None,
    Optional,
    Written,
    /// With AUTOMATIC_CHUNKING; NULL and 0 end it.
    Chunked,
}

/// How the reply is read.
#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Query,
    Plain,
    Ex,
    /// Right behind ReceiveResponse, whose completion it does not want.
    AtOnce,
}

/// What is peculiar.
#[derive(Clone, Copy, PartialEq)]
enum Odd {
    Nothing,
    /// Out parameters.
    Outs,
    /// The callback is taken away before the handle is closed.
    TakesCallback,
    /// The connection is closed first.
    ParentFirst,
}

type Row = (&'static str, On, u32, By, Body, Reads, Odd);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (".NET", On::Request, COMPLETIONS | HANDLES | WINHTTP_CALLBACK_FLAG_REDIRECT, By::Send, Body::Chunked, Reads::Query, Odd::Nothing),
    ("libHttpClient", On::Request, ALL, By::Send, Body::Written, Reads::Query, Odd::Nothing),
    ("cpprestsdk", On::Session, COMPLETIONS | HANDLES | SECURE, By::Both, Body::Written, Reads::Query, Odd::Nothing),
    ("Azure", On::Request, ALL, By::Send, Body::Written, Reads::Plain, Odd::Outs),
    ("Omaha", On::Request, ALL, By::Option, Body::Written, Reads::Query, Odd::Nothing),
    ("Chromium", On::Request, ALL, By::Both, Body::Optional, Reads::Plain, Odd::Nothing),
    ("HERE", On::Session, COMPLETIONS | HANDLES, By::Send, Body::Optional, Reads::Query, Odd::Nothing),
    ("Service Fabric", On::Session, ALL, By::Send, Body::Written, Reads::Query, Odd::Nothing),
    ("wxWidgets", On::Request, READ | WROTE | SENT | ERROR, By::Send, Body::Optional, Reads::AtOnce, Odd::Nothing),
    ("PCSX2, DuckStation", On::Session, COMPLETIONS | HANDLES | SECURE, By::Send, Body::Optional, Reads::Query, Odd::ParentFirst),
    ("ktor", On::Request, COMPLETIONS, By::Send, Body::Written, Reads::Query, Odd::TakesCallback),
    ("Swift", On::Request, COMPLETIONS | HANDLES, By::Both, Body::Chunked, Reads::Ex, Odd::Nothing),
    ("Microsoft's sample", On::Session, ALL, By::Option, Body::None, Reads::Plain, Odd::Nothing),
    ("winhttp", On::Request, ALL, By::Option, Body::Written, Reads::Query, Odd::Outs),
    ("nyquest", On::Session, ALL, By::Send, Body::Written, Reads::Query, Odd::Nothing),
    ("wrest", On::Session, ALL, By::Option, Body::Written, Reads::Plain, Odd::Nothing),
    ("fetch_winhttp", On::Session, COMPLETIONS | SECURE | HANDLES, By::Both, Body::Written, Reads::Ex, Odd::ParentFirst),
    ("winasio-rs", On::Request, ALL, By::Both, Body::Chunked, Reads::Query, Odd::Nothing),
    ("alhc", On::Request, ALL, By::Option, Body::Written, Reads::Query, Odd::Nothing),
    ("frakt", On::Request, ALL, By::Option, Body::Optional, Reads::Query, Odd::Nothing),
];

const SENDS: &[u8] = b"what is sent";
const GETS: &str = "what comes back, in more than one piece";

/// What the callback of a client needs.
struct Driver {
    body: Body,
    reads: Reads,
    outs: bool,
    written: AtomicUsize,
    buffer: usize,
    got: Mutex<Vec<u8>>,
    done: AtomicBool,
}

impl Driver {
    fn notified(&self, request: *mut c_void, seen: Seen) {
        match seen.status {
            SENT | WROTE => self.send_on(request),
            HEADERS if self.reads != Reads::AtOnce => self.read_on(request),
            AVAILABLE if seen.value == 0 => self.end(),
            AVAILABLE => self.read(request, seen.value.min(ROOM)),
            READ if seen.value == 0 => self.end(),
            READ => {
                // SAFETY: so many bytes are in the buffer, which lives for ever.
                let bytes = unsafe { std::slice::from_raw_parts(self.buffer as *const u8, seen.value as usize) };
                self.got.lock().unwrap().extend_from_slice(bytes);
                self.read_on(request);
            }
            ERROR => self.end(),
            _ => {}
        }
    }

    fn send_on(&self, request: *mut c_void) {
        let piece = self.written.fetch_add(1, Ordering::SeqCst);
        let mut count = 0;
        let out = if self.outs { &raw mut count } else { null_mut() };
        // SAFETY: the bytes live for ever; the count is a variable of ours.
        let more = match (self.body, piece) {
            (Body::Written | Body::Chunked, 0 | 1) => unsafe {
                let bytes = if piece == 0 { &SENDS[..5] } else { &SENDS[5..] };
                WinHttpWriteData(request, bytes.as_ptr().cast(), bytes.len() as u32, out)
            },
            (Body::Chunked, 2) => unsafe { WinHttpWriteData(request, null(), 0, out) },
            _ => 0,
        };
        if more == 0 {
            assert_eq!(receive(request), 1);
            if self.reads == Reads::AtOnce {
                assert_eq!(headers_into(request, 1000), 1);
                self.read_on(request);
            }
        }
    }

    fn read_on(&self, request: *mut c_void) {
        let mut count = 0;
        if self.reads == Reads::Query {
            let out = if self.outs { &raw mut count } else { null_mut() };
            // SAFETY: the count is a variable of ours.
            assert_eq!(unsafe { WinHttpQueryDataAvailable(request, out) }, 1);
        } else {
            self.read(request, ROOM);
        }
    }

    fn read(&self, request: *mut c_void, room: u32) {
        let mut count = 0;
        let out = if self.outs { &raw mut count } else { null_mut() };
        let buffer = self.buffer as *mut c_void;
        // SAFETY: the buffer has the room and lives for ever.
        let begun = unsafe {
            match self.reads {
                Reads::Ex => WinHttpReadDataEx(request, buffer, room, out, 0, 0, null()) == 0,
                _ => WinHttpReadData(request, buffer, room, out) == 1,
            }
        };
        assert!(begun);
    }

    fn end(&self) {
        self.done.store(true, Ordering::SeqCst);
    }
}

const ROOM: u32 = 16;

/// Runs a client of this shape from its first call to HANDLE_CLOSING.
fn run(sim: &Sim, (name, on, mask, by, body, reads, odd): &Row) {
    let api = sim.peer("http://127.0.0.1");
    api.on(any()).reply(Reply::ok().body(GETS).chunks([10, 20]));
    let driver = Arc::new(Driver {
        body: *body,
        reads: *reads,
        outs: *odd == Odd::Outs,
        written: AtomicUsize::new(0),
        buffer: Box::leak(Box::new([0u8; ROOM as usize])).as_mut_ptr() as usize,
        got: Mutex::default(),
        done: AtomicBool::new(false),
    });
    let drives = Arc::clone(&driver);
    let record_of = Record::with(move |request, seen| drives.notified(request, seen));
    let context = context_of(&record_of);
    // SAFETY: NUL-terminated strings, a callback that takes every context of ours, bytes that live for ever.
    unsafe {
        let listen = |handle| WinHttpSetStatusCallback(handle, Some(record), *mask, 0);
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        if *on == On::Session {
            listen(session);
        }
        let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), 80, 0);
        let flags = if *body == Body::Chunked { WINHTTP_FLAG_AUTOMATIC_CHUNKING } else { 0 };
        let verb = wide(if *body == Body::None { "GET" } else { "POST" });
        let request = WinHttpOpenRequest(connection, verb.as_ptr(), null(), null(), null(), null(), flags);
        if *by != By::Send {
            assert_eq!(bind(request, context), 1);
        }
        if *on == On::Request {
            listen(request);
        }
        let optional: &[u8] = if *body == Body::Optional { SENDS } else { &[] };
        let total = if matches!(body, Body::Optional | Body::Written) { SENDS.len() as u32 } else { 0 };
        let sends = if *by == By::Option { 0 } else { context };
        let bytes = if optional.is_empty() { null() } else { optional.as_ptr().cast() };
        assert_eq!(WinHttpSendRequest(request, null(), 0, bytes, optional.len() as u32, total, sends), 1);
        sim.block_until(|| driver.done.load(Ordering::SeqCst));
        if *odd == Odd::TakesCallback {
            WinHttpSetStatusCallback(request, None, 0, 0);
        }
        let mut handles = [request, connection, session];
        if *odd == Odd::ParentFirst {
            handles.swap(0, 1);
        }
        handles.into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    }
    sim.settle();
    assert_eq!(String::from_utf8_lossy(&driver.got.lock().unwrap()), GETS, "{name}");
}

#[test]
fn real_clients_run_into_no_error() {
    for delivery in [Delivery::Windows, Delivery::Worker, Delivery::Inside] {
        for row in ROWS {
            // wxWidgets works only where ReceiveResponse ends inside the call: when the whole body was given to SendRequest.
            if row.5 == Reads::AtOnce && delivery == Delivery::Worker {
                continue;
            }
            let sim = Sim::builder().policy(Policy { delivery, ..Policy::default() }).build();
            run(&sim, row);
            let errors = sim.mistakes().into_iter().filter(|mistake| mistake.level == Level::Error);
            assert_eq!(errors.collect::<Vec<_>>(), [], "{} {delivery:?}", row.0);
        }
    }
}
