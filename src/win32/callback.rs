//! The application's status callback.
#![allow(unsafe_code)]

use std::ffi::c_void;

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
        payload.lend(|information, length| {
            // SAFETY: the application promised so (contract of `new`); the payload outlives the call.
            unsafe { (self.0)(std::ptr::without_provenance_mut(handle), context, status, information, length) }
        });
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
        // SAFETY: the application promised so (contract of `new`).
        unsafe { (self.function)(flags, self.context) }
    }
}
