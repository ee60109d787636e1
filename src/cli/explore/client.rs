//! A careful client of WinHTTP, and the same with a mistake put into it: those that real clients had, each where it was.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use portable_winhttp::lab::{Reply, Sim, allocated, any, freed};
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A callback goes on with a handle that another thread has closed.
    UseAfterClose,
    /// The context is freed when WinHttpSendRequest fails, and again in HANDLE_CLOSING.
    FreedOnFailure,
    /// REQUEST_ERROR 12017 is nothing that can happen.
    CancelledIsImpossible,
    /// REQUEST_ERROR ends the operation, and the next one begins.
    ErrorIsSuccess,
    /// Two reads are begun: the first is thought to be over when its call returns.
    SecondRead,
    /// Cancelling closes the handle under the lock that the callback takes.
    CancelUnderLock,
    /// Who cancels thinks that it always wins against a completion.
    CancelAlwaysWins,
    /// The context is freed when WinHttpCloseHandle has returned.
    FreedAfterClose,
    /// A cancel that came early is done in SENDING_REQUEST, also by who came late.
    ClosedInSending,
    /// 12032 is answered by waiting for the reply once more.
    NotSentAgain,
}

impl Bug {
    pub const ALL: &[Bug] = &[
        Bug::UseAfterClose,
        Bug::FreedOnFailure,
        Bug::CancelledIsImpossible,
        Bug::ErrorIsSuccess,
        Bug::SecondRead,
        Bug::CancelUnderLock,
        Bug::CancelAlwaysWins,
        Bug::FreedAfterClose,
        Bug::ClosedInSending,
        Bug::NotSentAgain,
    ];
}

impl Bug {
    /// What it is called on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Bug::UseAfterClose => "use-after-close",
            Bug::FreedOnFailure => "freed-on-failure",
            Bug::CancelledIsImpossible => "cancelled-is-impossible",
            Bug::ErrorIsSuccess => "error-is-success",
            Bug::SecondRead => "second-read",
            Bug::CancelUnderLock => "cancel-under-lock",
            Bug::CancelAlwaysWins => "cancel-always-wins",
            Bug::FreedAfterClose => "freed-after-close",
            Bug::ClosedInSending => "closed-in-sending",
            Bug::NotSentAgain => "not-sent-again",
        }
    }

    /// What it is, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Bug::UseAfterClose => "a callback goes on with a handle that another thread has closed",
            Bug::FreedOnFailure => "the context is freed when WinHttpSendRequest fails, and again in HANDLE_CLOSING",
            Bug::CancelledIsImpossible => "REQUEST_ERROR 12017 is thought to be impossible",
            Bug::ErrorIsSuccess => "after REQUEST_ERROR the next operation begins",
            Bug::SecondRead => "a second read begins when the call of the first has returned",
            Bug::CancelUnderLock => "cancelling closes the handle under the lock that the callback takes",
            Bug::CancelAlwaysWins => "who cancels thinks that no completion can come first",
            Bug::FreedAfterClose => "the context is freed when WinHttpCloseHandle has returned",
            Bug::ClosedInSending => "the handle is closed inside SENDING_REQUEST, and once more by who cancelled",
            Bug::NotSentAgain => "12032 is answered by waiting, not by sending again",
        }
    }

    /// Whether its natural test is one of cancelling.
    pub fn needs_cancel(self) -> bool {
        !matches!(self, Bug::FreedOnFailure | Bug::ErrorIsSuccess | Bug::SecondRead | Bug::NotSentAgain)
    }
}

/// The test that anybody would write: a request, perhaps somebody who cancels it, and what is true however it ends.
pub fn natural(sim: &Sim, bug: Option<Bug>, cancelled: bool) {
    sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123456789"));
    let client = Buggy::start("a.test", "/", false, bug);
    if cancelled {
        sim.actor("cancel", move || client.cancel());
    }
    sim.block_until(|| client.closed());
    assert!(client.is_well(), "the client came to what it thought impossible");
}

/// How a request ended: its body, or the error.
pub type Outcome = Result<Vec<u8>, u32>;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

#[derive(Default)]
struct Inner {
    /// The request, until it is closed.
    request: Option<usize>,
    /// Calls in progress on it, and whether it is to be closed behind them: a handle must not be closed under a call.
    calls: usize,
    closes: bool,
    body: Vec<u8>,
    outcome: Option<Outcome>,
    closed: bool,
    /// The connection and the session, which must outlive the request.
    parents: Vec<usize>,
}

/// The client. It lives for ever, as its callbacks may.
#[derive(Default)]
pub struct Buggy {
    inner: Mutex<Inner>,
    buffer: Mutex<Box<[u8; 8]>>,
    other: Mutex<Box<[u8; 8]>>,
    bug: Option<Bug>,
    lock: Mutex<()>,
    /// What a client of the real world would have stumbled over without anybody noticing.
    wrong: AtomicBool,
    cancelled: AtomicBool,
    freed: AtomicBool,
}

impl Buggy {
    /// Fetches a URL of port 80, or of 443 if it is secure.
    pub fn start(host: &str, path: &str, secure: bool, bug: Option<Bug>) -> &'static Buggy {
        let client: &'static Buggy = Box::leak(Box::new(Buggy { bug, ..Buggy::default() }));
        allocated(std::ptr::from_ref(client) as usize);
        // SAFETY: strings end in NUL; the context lives for ever.
        unsafe { client.open(host, path, secure) };
        client
    }

    unsafe fn open(&'static self, host: &str, path: &str, secure: bool) {
        // SAFETY: as above.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
            if session.is_null() {
                self.free();
                return self.ended(Err(GetLastError()), true);
            }
            let flags = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
            self.inner.lock().parents = vec![session as usize];
            let former = WinHttpSetStatusCallback(session, Some(notified), flags, 0);
            let connection = match former {
                Some(_) => null_mut(),
                None => WinHttpConnect(session, wide(host).as_ptr(), if secure { 443 } else { 80 }, 0),
            };
            if connection.is_null() {
                self.ended(Err(GetLastError()), false);
                return self.close_parents();
            }
            self.inner.lock().parents.push(connection as usize);
            let secure = if secure { WINHTTP_FLAG_SECURE } else { 0 };
            let request = WinHttpOpenRequest(connection, null(), wide(path).as_ptr(), null(), null(), null(), secure);
            if request.is_null() {
                self.ended(Err(GetLastError()), false);
                return self.close_parents();
            }
            self.inner.lock().request = Some(request as usize);
            // Bound before anything can fail: HANDLE_CLOSING will bring it in any case.
            let context = std::ptr::from_ref(self) as usize;
            let bound = WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8);
            if bound == 0 {
                self.ended(Err(GetLastError()), false);
                self.close();
                return self.close_parents();
            }
            self.send();
        }
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn wrong(&self) {
        self.wrong.store(true, Ordering::SeqCst);
    }

    /// Nothing was stumbled over.
    pub fn is_well(&self) -> bool {
        !self.wrong.load(Ordering::SeqCst)
    }

    /// The context is freed, by what the client knows.
    fn free(&self) {
        if !self.freed.swap(true, Ordering::SeqCst) || self.has(Bug::FreedOnFailure) {
            freed(std::ptr::from_ref(self) as usize);
        }
    }

    /// Closes the request, if nobody has: from any thread, at any time.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        let request = self.inner.lock().request;
        match (self.bug, request) {
            (Some(Bug::UseAfterClose), Some(request)) => {
                // SAFETY: an open handle, as far as it knows.
                unsafe { WinHttpCloseHandle(request as *mut c_void) };
                return;
            }
            (Some(Bug::CancelUnderLock), _) => {
                let _locked = self.lock.lock();
                return self.close();
            }
            (Some(Bug::CancelAlwaysWins), _) if request.is_some() => {
                self.close();
                if self.outcome().is_some_and(|outcome| outcome != Err(ERROR_WINHTTP_OPERATION_CANCELLED)) {
                    self.wrong();
                }
                return;
            }
            (Some(Bug::FreedAfterClose), Some(_)) => {
                self.close();
                return self.free();
            }
            _ => {}
        }
        self.ended(Err(ERROR_WINHTTP_OPERATION_CANCELLED), false);
        self.close();
    }

    fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closes = true;
        let request = if inner.calls == 0 { inner.request.take() } else { None };
        drop(inner);
        if let Some(request) = request {
            // SAFETY: nobody else closes it.
            unsafe { WinHttpCloseHandle(request as *mut c_void) };
        }
    }

    /// Makes a call on the request, unless it is closed or about to be. One that fails at once ends the request.
    fn call(&self, call: impl FnOnce(*mut c_void) -> i32) {
        let mut inner = self.inner.lock();
        let closes = inner.closes && !self.has(Bug::UseAfterClose);
        let Some(request) = inner.request.filter(|_| !closes) else { return };
        inner.calls += 1;
        drop(inner);
        let answer = call(request as *mut c_void);
        if answer == 0 {
            // SAFETY: no pointers.
            self.ended(Err(unsafe { GetLastError() }), false);
        }
        let mut inner = self.inner.lock();
        inner.calls -= 1;
        let closes = inner.closes || answer == 0;
        drop(inner);
        if closes {
            self.close();
        }
    }

    /// The last that is to be done.
    fn close_parents(&self) {
        let parents = std::mem::take(&mut self.inner.lock().parents);
        self.free();
        for handle in parents.into_iter().rev() {
            // SAFETY: an open handle.
            unsafe { WinHttpCloseHandle(handle as *mut c_void) };
        }
        self.inner.lock().closed = true;
    }

    fn ended(&self, outcome: Outcome, closed: bool) {
        let mut inner = self.inner.lock();
        inner.outcome.get_or_insert(outcome);
        inner.closed |= closed;
    }

    fn send(&self) {
        let context = std::ptr::from_ref(self) as usize;
        self.call(|request| {
            // SAFETY: no pointers; the context lives for ever.
            let sent = unsafe { WinHttpSendRequest(request, null(), 0, null(), 0, 0, context) };
            if sent == 0 && self.has(Bug::FreedOnFailure) {
                self.free();
            }
            sent
        });
    }

    fn read(&self) {
        let buffer = self.buffer.lock().as_mut_ptr();
        // SAFETY: the buffer lives for ever.
        self.call(|request| unsafe { WinHttpReadData(request, buffer.cast(), 8, null_mut()) });
    }

    /// Whether HANDLE_CLOSING came, or there never was a handle to wait for.
    pub fn closed(&self) -> bool {
        self.inner.lock().closed
    }

    pub fn outcome(&self) -> Option<Outcome> {
        self.inner.lock().outcome.clone()
    }
}

unsafe extern "system" fn notified(request: *mut c_void, context: usize, status: u32, info: *mut c_void, length: u32) {
    // SAFETY: contexts are leaked clients; payloads are those of their status.
    unsafe {
        let Some(client) = (context as *const Buggy).as_ref() else { return };
        if client.has(Bug::CancelUnderLock) && client.lock.try_lock().is_none() {
            client.wrong();
        }
        match status {
            WINHTTP_CALLBACK_STATUS_SENDING_REQUEST
                if client.has(Bug::ClosedInSending) && client.cancelled.load(Ordering::SeqCst) =>
            {
                WinHttpCloseHandle(request);
            }
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                client.call(|request| WinHttpReceiveResponse(request, null_mut()));
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                client.read();
                if client.has(Bug::SecondRead) {
                    let buffer = client.other.lock().as_mut_ptr();
                    client.call(|request| WinHttpReadData(request, buffer.cast(), 8, null_mut()));
                }
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if length > 0 => {
                let bytes = std::slice::from_raw_parts(info.cast::<u8>(), length as usize);
                client.inner.lock().body.extend_from_slice(bytes);
                client.read();
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                let body = client.inner.lock().body.clone();
                client.ended(Ok(body), false);
                client.close();
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                let result = &*info.cast::<WINHTTP_ASYNC_RESULT>();
                match (client.bug, result.dwError) {
                    (Some(Bug::CancelledIsImpossible), ERROR_WINHTTP_OPERATION_CANCELLED) => client.wrong(),
                    (Some(Bug::ErrorIsSuccess), error) if error != ERROR_WINHTTP_OPERATION_CANCELLED => {
                        WinHttpReceiveResponse(request, null_mut());
                        return;
                    }
                    (Some(Bug::NotSentAgain), ERROR_WINHTTP_RESEND_REQUEST) => return,
                    (_, ERROR_WINHTTP_RESEND_REQUEST) => return client.send(),
                    _ => {}
                }
                client.ended(Err(result.dwError), false);
                client.close();
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => client.close_parents(),
            _ => {}
        }
    }
}
