//! WinHTTP as most programs use it: every step is taken in the status callback.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use portable_winhttp::win32::*;

use super::server::Server;
use super::winhttp::*;

/// What each request does.
#[derive(Clone)]
pub struct Plan {
    verb: Vec<u16>,
    path: Vec<u16>,
    /// Given to WinHttpSendRequest.
    body: Vec<u8>,
    /// Bytes that WinHttpWriteData sends after it.
    written: usize,
    buffer: usize,
    /// Whether WinHttpQueryDataAvailable is called before each read.
    asks: bool,
    http2: bool,
}

impl Plan {
    /// A GET.
    pub fn get(path: &str) -> Plan {
        let (verb, path) = (wide("GET"), wide(path));
        Plan { verb, path, body: Vec::new(), written: 0, buffer: 64, asks: false, http2: false }
    }

    /// A small request: a GET, or a POST of these bytes.
    pub fn send(body: Vec<u8>) -> Plan {
        let verb = wide(if body.is_empty() { "GET" } else { "POST" });
        Plan { verb, body, ..Plan::get("/") }
    }

    /// A long reply, read into a buffer of this size.
    pub fn download(path: &str, buffer: usize, asks: bool) -> Plan {
        Plan { buffer, asks, ..Plan::get(path) }
    }

    /// A long body in pieces of 64 KiB.
    pub fn upload(length: usize) -> Plan {
        Plan { verb: wide("PUT"), written: length, buffer: 64 << 10, ..Plan::get("/") }
    }

    /// Over HTTP/2.
    pub fn http2(self) -> Plan {
        Plan { http2: true, ..self }
    }
}

/// A session whose requests are driven by its callback alone.
pub struct Client {
    handles: Handles,
}

impl Client {
    pub fn new(server: &Server) -> Client {
        Client { handles: Handles::open(server.address, server.secure, WINHTTP_FLAG_ASYNC, Some(on_status)) }
    }

    /// So many requests, so many at once.
    pub fn run(&self, flight: usize, count: usize, plan: &Plan) {
        self.handles.set(WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, u32::from(plan.http2));
        let tickets = Arc::new(AtomicUsize::new(count));
        let (done, finished) = channel();
        for _ in 0..flight {
            start(Box::new(Lane {
                handles: &raw const self.handles,
                tickets: Arc::clone(&tickets),
                done: done.clone(),
                left: 0,
                buffer: UnsafeCell::new(vec![0; plan.buffer]),
                plan: plan.clone(),
            }));
        }
        drop(done);
        assert_eq!(finished.iter().count(), flight);
    }
}

/// One request in flight, and those that follow it.
struct Lane {
    /// Outlives the lanes: `run` waits for them.
    handles: *const Handles,
    tickets: Arc<AtomicUsize>,
    /// Told when no ticket is left.
    done: Sender<()>,
    plan: Plan,
    /// Bytes that are still to be written.
    left: usize,
    /// Belongs to WinHTTP while an operation is pending.
    buffer: UnsafeCell<Vec<u8>>,
}

/// Takes a ticket, if one is left.
pub fn take(tickets: &AtomicUsize) -> bool {
    tickets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// Sends the lane's next request, if there is a ticket for it.
fn start(mut lane: Box<Lane>) {
    if !take(&lane.tickets) {
        let _ = lane.done.send(());
        return;
    }
    lane.left = lane.plan.written;
    // SAFETY: the handles outlive the lane.
    let request = unsafe { &*lane.handles }.request(lane.plan.verb.as_ptr(), lane.plan.path.as_ptr());
    let (body, length) = (lane.plan.body.as_ptr(), lane.plan.body.len() as u32);
    let total = length + lane.plan.written as u32;
    let context = Box::into_raw(lane).expose_provenance();
    // SAFETY: HANDLE_CLOSING of the request takes the lane back, which owns the body until then.
    unsafe {
        assert_ne!(
            WinHttpSendRequest(request, null(), 0, body.cast(), length, total, context),
            0,
            "WinHttpSendRequest"
        );
    }
}

impl Lane {
    /// The next step after a completion that left nothing behind.
    unsafe fn ask(&self, request: *mut c_void) {
        let (buffer, length) = self.room();
        // SAFETY: the buffer lives until HANDLE_CLOSING and nobody else touches it.
        let asked = unsafe {
            match self.plan.asks {
                true => WinHttpQueryDataAvailable(request, nothing()),
                false => WinHttpReadData(request, buffer.cast(), length, nothing()),
            }
        };
        assert_ne!(asked, 0, "the next read");
    }

    fn room(&self) -> (*mut u8, u32) {
        // SAFETY: only the vector's own fields are read.
        let buffer = unsafe { &mut *self.buffer.get() };
        (buffer.as_mut_ptr(), buffer.len() as u32)
    }

    /// Writes the next piece, or goes on to the reply.
    unsafe fn write(&mut self, request: *mut c_void) {
        let (buffer, length) = self.room();
        let length = self.left.min(length as usize);
        self.left -= length;
        // SAFETY: as in `ask`.
        let went = unsafe {
            match length {
                0 => WinHttpReceiveResponse(request, nothing()),
                length => WinHttpWriteData(request, buffer.cast(), length as u32, nothing()),
            }
        };
        assert_ne!(went, 0, "the next write");
    }
}

unsafe extern "system" fn on_status(
    request: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    let lane = std::ptr::with_exposed_provenance_mut::<Lane>(context);
    if lane.is_null() {
        return;
    }
    // SAFETY: a context other than 0 is the lane that `start` gave up, which lives until HANDLE_CLOSING; the
    // information has the shape that belongs to the status.
    unsafe {
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE | WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE => {
                (*lane).write(request);
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => (*lane).ask(request),
            WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE => match information.cast::<u32>().read() {
                0 => close(request),
                available => {
                    let (buffer, room) = (*lane).room();
                    let read = WinHttpReadData(request, buffer.cast(), available.min(room), nothing());
                    assert_ne!(read, 0, "WinHttpReadData");
                }
            },
            // A small reply is read with one call; of a long one the end is waited for.
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if length == 0 || (*lane).plan.buffer == 64 => close(request),
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => (*lane).ask(request),
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => refused(information),
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => start(Box::from_raw(lane)),
            _ => {}
        }
    }
}
