//! Requests, web sockets and resolvers that go on in their callbacks until they end or are cancelled.

use std::collections::{BTreeMap, HashMap};
use std::ffi::c_void;
use std::fmt;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use portable_winhttp::api::*;
use portable_winhttp::record::Status;
use portable_winhttp::win32::*;

const BUFFER: usize = 512;
/// The ending of what was closed before it had one of its own.
const CANCELLED: u32 = u32::MAX;

/// What became of all.
#[derive(Default)]
pub struct Counts {
    pub started: AtomicU64,
    pub resolvers: AtomicU64,
    pub sockets: AtomicU64,
    /// Handles whose operations did not have one ending each.
    pub wrong: AtomicU64,
    /// By error; 0 is a whole reply.
    ended: Mutex<BTreeMap<u32, u64>>,
    open: Mutex<usize>,
    left: Condvar,
}

impl Counts {
    /// Waits until fewer than so many are open, or for too long, which it tells.
    pub fn wait(&self, fewer_than: usize, patience: Duration) -> bool {
        let mut open = self.open.lock();
        !self.left.wait_while_for(&mut open, |open| *open >= fewer_than, patience).timed_out()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |what: &AtomicU64| what.load(Ordering::Relaxed);
        let ended = self.ended.lock();
        let list: Vec<_> = ended
            .iter()
            .map(|(error, times)| match *error {
                0 => format!("whole: {times}"),
                CANCELLED => format!("cancelled: {times}"),
                error => format!("{error}: {times}"),
            })
            .collect();
        write!(
            f,
            "requests {}, web sockets {}, resolvers {}, ended {} {{{}}}",
            count(&self.started),
            count(&self.sockets),
            count(&self.resolvers),
            ended.values().sum::<u64>(),
            list.join(", ")
        )
    }
}

/// What is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrivenKind {
    Request,
    Socket,
    Resolver,
}

/// By the contexts of their handles. A context that is not here has had its HANDLE_CLOSING.
static OPEN: LazyLock<Mutex<HashMap<usize, Arc<Driven>>>> = LazyLock::new(Mutex::default);

/// A handle that is driven by its callbacks.
pub struct Driven {
    what: DrivenKind,
    counts: Arc<Counts>,
    /// At which notification it is closed.
    close_at: u32,
    notifications: AtomicU32,
    started: AtomicU32,
    ended: AtomicU32,
    /// How it ended; one that is told first counts.
    ending: AtomicU32,
    buffer: Mutex<Box<[u8; BUFFER]>>,
}

impl Driven {
    /// A new one, and its context.
    pub fn new(counts: &Arc<Counts>, what: DrivenKind, close_at: u32) -> (Arc<Driven>, usize) {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        *counts.open.lock() += 1;
        let driven = Arc::new(Driven {
            what,
            counts: Arc::clone(counts),
            close_at,
            notifications: AtomicU32::new(0),
            started: AtomicU32::new(0),
            ended: AtomicU32::new(0),
            ending: AtomicU32::new(CANCELLED),
            buffer: Mutex::new(Box::new([0; BUFFER])),
        });
        let context = NEXT.fetch_add(1, Ordering::Relaxed);
        OPEN.lock().insert(context, Arc::clone(&driven));
        (driven, context)
    }

    /// Its handle was not made.
    pub fn never_opened(&self, context: usize) {
        OPEN.lock().remove(&context);
    }

    /// Makes a call that begins an operation, with the buffer that it may be lent; what is refused has no ending.
    pub fn begin(&self, call: impl FnOnce(*mut c_void) -> bool) -> bool {
        self.started.fetch_add(1, Ordering::SeqCst);
        let buffer = self.buffer.lock().as_mut_ptr().cast();
        let taken = call(buffer);
        if !taken {
            self.started.fetch_sub(1, Ordering::SeqCst);
        }
        taken
    }

    /// Asks to close it; another may have.
    pub fn close(&self, handle: *mut c_void) {
        // SAFETY: any value may be passed.
        unsafe { WinHttpCloseHandle(handle) };
    }

    fn end(&self, error: u32) {
        let _ = self.ending.compare_exchange(CANCELLED, error, Ordering::SeqCst, Ordering::SeqCst);
    }

    fn notified(&self, handle: *mut c_void, status: u32, value: u32) {
        if Status(status).is_completion() {
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
        if self.notifications.fetch_add(1, Ordering::SeqCst) + 1 == self.close_at {
            return self.close(handle);
        }
        if status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
            self.end(value);
            return self.close(handle);
        }
        let goes_on = match self.what {
            DrivenKind::Request => self.request(handle, status, value),
            DrivenKind::Socket => self.socket(handle, status, value),
            DrivenKind::Resolver => {
                let resolved = status == WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE;
                resolved.then(|| self.end(0));
                !resolved
            }
        };
        if !goes_on {
            self.close(handle);
        }
    }

    /// Whether a request goes on.
    fn request(&self, handle: *mut c_void, status: u32, value: u32) -> bool {
        // SAFETY: the handle is open, or refuses; the buffer lives until HANDLE_CLOSING.
        unsafe {
            match status {
                WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                    self.begin(|_| WinHttpReceiveResponse(handle, null_mut()) != 0)
                }
                WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                    self.upgrade(handle);
                    self.begin(|_| WinHttpQueryDataAvailable(handle, null_mut()) != 0)
                }
                WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE if value > 0 => {
                    self.begin(|buffer| WinHttpReadData(handle, buffer, BUFFER as u32, null_mut()) != 0)
                }
                WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                    self.begin(|_| WinHttpQueryDataAvailable(handle, null_mut()) != 0)
                }
                WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE => {
                    self.end(0);
                    false
                }
                _ => true,
            }
        }
    }

    /// Whether a web socket goes on: it receives, and answers some.
    fn socket(&self, handle: *mut c_void, status: u32, value: u32) -> bool {
        match status {
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                if value % 3 == 0 {
                    // SAFETY: the bytes live for ever.
                    self.begin(|_| unsafe { WinHttpWebSocketSend(handle, 2, b"answer".as_ptr().cast(), 6) == 0 });
                }
                self.receive(handle)
            }
            WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE => false,
            _ => true,
        }
    }

    fn receive(&self, socket: *mut c_void) -> bool {
        self.begin(|buffer| {
            // SAFETY: the buffer lives until HANDLE_CLOSING.
            unsafe { WinHttpWebSocketReceive(socket, buffer, BUFFER as u32, null_mut(), null_mut()) == 0 }
        })
    }

    /// A reply that agreed to a web socket: it is opened, and receives.
    fn upgrade(&self, request: *mut c_void) {
        let (driven, context) = Driven::new(&self.counts, DrivenKind::Socket, 1 + self.close_at % 7);
        // SAFETY: contexts are numbers.
        let socket = unsafe { WinHttpWebSocketCompleteUpgrade(request, context) };
        if socket.is_null() {
            return driven.never_opened(context);
        }
        self.counts.sockets.fetch_add(1, Ordering::Relaxed);
        if !driven.receive(socket) {
            driven.close(socket);
        }
    }

    /// HANDLE_CLOSING has come. A call on another thread that was refused may still have to say so: [`Drop`] looks.
    fn closed(&self) {
        *self.counts.ended.lock().entry(self.ending.load(Ordering::SeqCst)).or_default() += 1;
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        let balanced = self.started.load(Ordering::SeqCst) == self.ended.load(Ordering::SeqCst);
        self.counts.wrong.fetch_add(u64::from(!balanced), Ordering::Relaxed);
        *self.counts.open.lock() -= 1;
        self.counts.left.notify_all();
    }
}

/// The callback of all.
///
/// # Safety
/// Payloads are what their statuses say.
pub unsafe extern "system" fn on_status(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    if context == 0 || status == WINHTTP_CALLBACK_STATUS_HANDLE_CREATED {
        return;
    }
    let closing = status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
    let known = if closing { OPEN.lock().remove(&context) } else { OPEN.lock().get(&context).cloned() };
    let Some(driven) = known else {
        LATE.fetch_add(1, Ordering::Relaxed);
        return;
    };
    if closing {
        return driven.closed();
    }
    // SAFETY: the caller's promise.
    let value = unsafe {
        match status {
            WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE => *information.cast::<u32>(),
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => (*information.cast::<WINHTTP_ASYNC_RESULT>()).dwError,
            _ => length,
        }
    };
    driven.notified(handle, status, value);
}

/// Notifications of handles whose HANDLE_CLOSING has come.
pub static LATE: AtomicU64 = AtomicU64::new(0);
