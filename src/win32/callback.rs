//! The application's status callback.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::sync::Once;

use super::Payload;

/// `WINHTTP_STATUS_CALLBACK` without its NULL.
pub type RawStatusCallback = unsafe extern "system" fn(
    hinternet: *mut c_void,
    dwcontext: usize,
    dwinternetstatus: u32,
    lpvstatusinformation: *mut c_void,
    dwstatusinformationlength: u32,
);

/// A callback that the application registered: safe to keep, to send to a worker and to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(unpredictable_function_pointer_comparisons)]
pub struct StatusCallback(RawStatusCallback);

impl StatusCallback {
    /// Takes the application's function.
    ///
    /// # Safety
    /// It may be called from any thread, with any context the application bound and every status, until it is
    /// removed and HANDLE_CLOSING was delivered.
    pub unsafe fn new(function: RawStatusCallback) -> StatusCallback {
        StatusCallback(function)
    }

    /// The application's function, as WinHttpSetStatusCallback gives it back.
    pub fn raw(self) -> RawStatusCallback {
        self.0
    }

    /// Runs the application's code on this thread.
    pub fn call(self, handle: usize, context: usize, status: u32, payload: &Payload) {
        type Unwinding = unsafe extern "system-unwind" fn(*mut c_void, usize, u32, *mut c_void, u32);
        let running = CallbackFrame::begin("status callback", self.0 as usize, handle, status);
        payload.lend(|information, length| {
            // SAFETY: the application promised so (contract of `new`); the payload outlives the call. The ABIs differ in
            // what may come back alone: what unwinds into `running` ends the process there.
            unsafe {
                let function = std::mem::transmute::<RawStatusCallback, Unwinding>(self.0);
                function(std::ptr::without_provenance_mut(handle), context, status, information, length);
            }
        });
        running.returned();
    }
}

/// `WINHTTP_PROXY_CHANGE_CALLBACK` without its NULL.
pub type RawProxyChangeCallback = unsafe extern "system" fn(ullflags: u64, pvcontext: *const c_void);

/// A callback for changed proxy settings, with its context.
#[derive(Clone, Copy, Debug)]
pub struct ProxyChangeCallback {
    function: RawProxyChangeCallback,
    context: *const c_void,
}

// SAFETY: the context is only passed on to the function, which the application let every thread call (contract of `new`).
unsafe impl Send for ProxyChangeCallback {}
// SAFETY: as above.
unsafe impl Sync for ProxyChangeCallback {}

impl ProxyChangeCallback {
    /// Takes the application's function.
    ///
    /// # Safety
    /// It may be called from any thread with this context, until it is unregistered and a call that had begun has returned.
    pub unsafe fn new(function: RawProxyChangeCallback, context: *const c_void) -> ProxyChangeCallback {
        ProxyChangeCallback { function, context }
    }

    /// Runs the application's code on this thread.
    pub fn call(self, flags: u64) {
        type Unwinding = unsafe extern "system-unwind" fn(u64, *const c_void);
        let running = CallbackFrame::begin("proxy change callback", self.function as usize, 0, 0);
        // SAFETY: the application promised so (contract of `new`). The ABIs differ in what may come back alone, as above.
        unsafe {
            let function = std::mem::transmute::<RawProxyChangeCallback, Unwinding>(self.function);
            function(flags, self.context);
        }
        running.returned();
    }
}

/// A callback that runs on this thread. Nothing may unwind out of it: that ends the process, and so does a panic that
/// leaves a callback written in Rust, before it comes here.
#[derive(Clone, Copy)]
struct CallbackFrame {
    what: &'static str,
    function: usize,
    handle: usize,
    status: u32,
}

thread_local!(static RUNNING: Cell<Option<CallbackFrame>> = const { Cell::new(None) });

/// Whether this thread is in a callback.
pub fn in_callback() -> bool {
    RUNNING.try_with(Cell::get).ok().flatten().is_some()
}

impl fmt::Display for CallbackFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CallbackFrame { what, function, handle, status } = self;
        write!(f, "{what} {function:#x}")?;
        if *handle == 0 { Ok(()) } else { write!(f, " of handle {handle:#x}, told of status {status:#x}") }
    }
}

/// Ends the process unless the callback has returned.
struct Aborts {
    running: CallbackFrame,
    outer: Option<CallbackFrame>,
}

impl CallbackFrame {
    fn begin(what: &'static str, function: usize, handle: usize, status: u32) -> Aborts {
        name_panics();
        let running = CallbackFrame { what, function, handle, status };
        Aborts { running, outer: RUNNING.try_with(|inside| inside.replace(Some(running))).ok().flatten() }
    }
}

impl Aborts {
    fn returned(self) {
        let _ = RUNNING.try_with(|inside| inside.set(self.outer));
        std::mem::forget(self);
    }
}

impl Drop for Aborts {
    fn drop(&mut self) {
        eprintln!("portable-winhttp: a panic or an exception leaves the {}: the process ends", self.running);
        std::process::abort();
    }
}

/// Has the message of a panic inside a callback followed by the name of the callback.
fn name_panics() {
    static ONCE: Once = Once::new();
    // A thread that panics may not set the hook.
    if ONCE.is_completed() || std::thread::panicking() {
        return;
    }
    ONCE.call_once(|| {
        let former = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            former(panic);
            if let Some(running) = RUNNING.try_with(Cell::get).ok().flatten() {
                eprintln!("portable-winhttp: that panic is inside the {running}");
            }
        }));
    });
}
