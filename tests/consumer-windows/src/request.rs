//! Waiting for what a call has started.

use std::ffi::c_void;
use std::sync::{Condvar, Mutex};

use windows::Win32::Foundation::WIN32_ERROR;
use windows::Win32::Networking::WinHttp::*;
use windows::core::{Error, Result};

/// How a call ended well.
#[derive(Clone, Copy, Debug)]
pub enum Finished {
    /// A read, with this many bytes.
    Read(usize),
    /// Any other.
    Other,
}

/// The call of a request that is pending.
#[derive(Default)]
pub struct Pending {
    ended: Mutex<Option<Result<Finished>>>,
    /// Whether HANDLE_CLOSING is still to come.
    watching: Mutex<bool>,
    signal: Condvar,
}

impl Pending {
    /// What the callback is given.
    pub fn context(&self) -> usize {
        (&raw const *self).expose_provenance()
    }

    /// Hears of everything that happens to a request.
    ///
    /// # Safety
    /// `self` outlives the request.
    pub unsafe fn watch(&self, request: *mut c_void) -> Result<()> {
        let context = self.context().to_ne_bytes();
        let all = WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS;
        // SAFETY: the caller's promise.
        unsafe {
            WinHttpSetOption(Some(request), WINHTTP_OPTION_CONTEXT_VALUE, Some(&context))?;
            WinHttpSetStatusCallback(request, Some(told), all, 0);
        }
        *self.watching.lock().unwrap() = true;
        Ok(())
    }

    /// Makes a call and waits for its end.
    pub fn finish(&self, call: impl FnOnce() -> Result<()>) -> Result<Finished> {
        *self.ended.lock().unwrap() = None;
        call()?;
        let ended = self.signal.wait_while(self.ended.lock().unwrap(), |ended| ended.is_none()).unwrap();
        ended.clone().expect("waited for")
    }
}

impl Drop for Pending {
    /// The callback of a closed request may still be on its way.
    fn drop(&mut self) {
        let watching = self.watching.lock().unwrap();
        drop(self.signal.wait_while(watching, |watching| *watching).unwrap());
    }
}

unsafe extern "system" fn told(_: *mut c_void, context: usize, status: u32, information: *mut c_void, length: u32) {
    // SAFETY: the context is that of `watch`, and lives until HANDLE_CLOSING.
    let pending = unsafe { &*std::ptr::with_exposed_provenance::<Pending>(context) };
    let ended = match status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE | WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => Ok(Finished::Other),
        WINHTTP_CALLBACK_STATUS_READ_COMPLETE => Ok(Finished::Read(length as usize)),
        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
            // SAFETY: the information of this status.
            let result = unsafe { &*information.cast::<WINHTTP_ASYNC_RESULT>() };
            Err(Error::from(WIN32_ERROR(result.dwError)))
        }
        WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
            let mut watching = pending.watching.lock().unwrap();
            *watching = false;
            pending.signal.notify_all();
            return;
        }
        _ => return,
    };
    let mut last = pending.ended.lock().unwrap();
    *last = Some(ended);
    pending.signal.notify_all();
}
