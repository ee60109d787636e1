//! What comes when, and on which thread: locks, states, callbacks, contexts.

use std::ffi::c_void;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portable_winhttp::lab::{Fault, Reply, Sim};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;
const HEADERS: u32 = WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE;
const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

/// The lock of a client; taking it twice would never end, and is noted.
#[derive(Clone, Default)]
struct Lock {
    lock: Arc<Mutex<()>>,
    twice: Arc<AtomicBool>,
}

impl Lock {
    fn hold<R>(&self, body: impl FnOnce() -> R) -> R {
        let guard = self.lock.try_lock();
        self.twice.fetch_or(guard.is_err(), Ordering::SeqCst);
        body()
    }

    fn result(&self) -> Result<(), String> {
        if self.twice.load(Ordering::SeqCst) { Err("the lock is taken twice".to_owned()) } else { Ok(()) }
    }
}

/// Runs `call` under the lock if the client is wrong; its callback takes the lock for this status.
fn under_the_lock(sim: &Sim, wrong: bool, status: u32, call: fn(*mut c_void) -> i32) -> Result<(), String> {
    let lock = Lock::default();
    let of_callback = lock.clone();
    let one = One::with(sim, "GET", Reply::ok().body("x"), move |_, seen| {
        if seen.status == status {
            of_callback.hold(|| {});
        }
    });
    assert_eq!(send(one.request), 1);
    one.until(sim, SENT, 1);
    sim.settle();
    if wrong {
        lock.hold(|| call(one.request))
    } else {
        call(one.request)
    };
    if status != CLOSING {
        one.until(sim, status, 1);
        close(one.request);
    }
    one.closed(sim);
    lock.result()
}

pub fn lock_over_receive(sim: &Sim, wrong: bool) -> Result<(), String> {
    under_the_lock(sim, wrong, HEADERS, receive)
}

pub fn lock_over_close(sim: &Sim, wrong: bool) -> Result<(), String> {
    under_the_lock(sim, wrong, CLOSING, close)
}

/// The callback calls the user's code, which cancels, under the lock.
pub fn user_code_under_a_lock(sim: &Sim, wrong: bool) -> Result<(), String> {
    let lock = Lock::default();
    let of_callback = lock.clone();
    let one = One::with(sim, "GET", Reply::ok(), move |request, seen| {
        if seen.status == SENT {
            let cancel = || of_callback.hold(|| close(request));
            if wrong {
                of_callback.hold(cancel)
            } else {
                cancel()
            };
        }
    });
    assert_eq!(send(one.request), 1);
    one.closed(sim);
    lock.result()
}

/// A task is woken under the lock, and polled at once: it looks at what the lock protects.
pub fn woken_under_a_lock(sim: &Sim, wrong: bool) -> Result<(), String> {
    let lock = Lock::default();
    let of_callback = lock.clone();
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == CLOSING {
            let wake = || of_callback.hold(|| {});
            if wrong {
                of_callback.hold(wake)
            } else {
                wake()
            };
        }
    });
    one.receive(sim);
    one.close(sim);
    lock.result()
}

/// The field that the callback uses is set when the call has returned; the completion is faster.
pub fn handle_is_kept_too_late(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSendRequest").settle_before_return());
    let kept = Arc::new(AtomicUsize::new(0));
    let field = Arc::clone(&kept);
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == SENT {
            receive(field.load(Ordering::SeqCst) as _);
        }
    });
    if !wrong {
        kept.store(one.request as usize, Ordering::SeqCst);
    }
    assert_eq!(send(one.request), 1);
    kept.store(one.request as usize, Ordering::SeqCst);
    sim.settle();
    one.close(sim);
    Ok(())
}

/// The state is set when the call has returned; the completion, which is faster, has set the next one.
pub fn started_overwrites_complete(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSendRequest").settle_before_return());
    const STARTED: usize = 1;
    const COMPLETE: usize = 2;
    let state = Arc::new(AtomicUsize::new(0));
    let of_callback = Arc::clone(&state);
    let one = One::with(sim, "GET", Reply::ok(), move |_, seen| {
        if seen.status == SENT {
            of_callback.store(COMPLETE, Ordering::SeqCst);
        }
    });
    if !wrong {
        state.store(STARTED, Ordering::SeqCst);
    }
    assert_eq!(send(one.request), 1);
    if wrong {
        state.store(STARTED, Ordering::SeqCst);
    }
    sim.block_until(|| state.load(Ordering::SeqCst) == COMPLETE);
    one.close(sim);
    Ok(())
}

pub fn concurrent_reads(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, late_body("0123456789"));
    one.receive(sim);
    let request = one.request as usize;
    read(one.request, 4);
    if !wrong {
        one.until(sim, READ, 1);
    }
    sim.spawn(move || {
        read(request as _, 4);
    });
    one.until(sim, READ, if wrong { 1 } else { 2 });
    one.close(sim);
    Ok(())
}

fn take_callback(request: *mut c_void) {
    // SAFETY: NULL takes the callback away.
    unsafe { WinHttpSetStatusCallback(request, None, 0, 0) };
}

/// At the end the callback is taken away so that it cannot come any more; but a request is under way.
pub fn callback_taken_away(sim: &Sim, wrong: bool) -> Result<(), String> {
    let one = One::get(sim, Reply::never());
    assert_eq!(send(one.request), 1);
    if wrong {
        take_callback(one.request);
    }
    one.close(sim);
    Ok(())
}

/// Windows has let it go, and so nobody tells of HANDLE_CLOSING.
pub fn callback_is_really_taken_away(sim: &Sim, wrong: bool) -> Result<(), String> {
    sim.fault(Fault::in_call("WinHttpSetStatusCallback").accept());
    callback_taken_away(sim, wrong)
}

/// Callbacks that came with context 0: HANDLE_CREATED, HANDLE_CLOSING, others. The rows of one test share it.
static NAMELESS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

unsafe extern "system" fn checking(request: *mut c_void, context: usize, status: u32, info: *mut c_void, length: u32) {
    if context == 0 {
        NAMELESS.lock().unwrap().push(status);
    }
    // SAFETY: the arguments of a callback with a context of ours.
    unsafe { record(request, context, status, info, length) };
}

/// The names of the statuses that came with context 0.
fn nameless() -> Result<(), String> {
    let seen = std::mem::take(&mut *NAMELESS.lock().unwrap());
    match seen.first() {
        None => Ok(()),
        Some(&CLOSING) => Err("HANDLE_CLOSING with context 0".to_owned()),
        Some(&WINHTTP_CALLBACK_STATUS_HANDLE_CREATED) => Err("HANDLE_CREATED with context 0".to_owned()),
        Some(status) => Err(format!("{status:#x} with context 0")),
    }
}

fn check_with(handle: *mut c_void) {
    // SAFETY: the callback takes every context of ours.
    unsafe { WinHttpSetStatusCallback(handle, Some(checking), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) };
}

/// The callback is set, then the context is refused: HANDLE_CLOSING comes without one.
pub fn context_is_refused(sim: &Sim, wrong: bool) -> Result<(), String> {
    use portable_winhttp::win32::ERROR_NOT_ENOUGH_MEMORY;
    sim.fault(Fault::in_call("WinHttpSetOption").fail(ERROR_NOT_ENOUGH_MEMORY));
    let one = One::silent();
    if wrong {
        check_with(one.request);
    }
    assert_eq!(bind(one.request, context_of(&one.record)), 0);
    close(one.request);
    sim.settle();
    one.client.close();
    nameless()
}

/// The session has the callback already when the request is opened.
pub fn callback_before_context(sim: &Sim, wrong: bool) -> Result<(), String> {
    let record = Record::new();
    let client = crate::support::Client::new(true, 80);
    take_callback(client.session);
    take_callback(client.connection);
    if wrong {
        check_with(client.connection);
    }
    // SAFETY: NULL is GET and /.
    let request = unsafe { WinHttpOpenRequest(client.connection, null(), null(), null(), null(), null(), 0) };
    bind(request, context_of(&record));
    check_with(request);
    close(request);
    sim.settle();
    take_callback(client.connection);
    client.close();
    nameless()
}
