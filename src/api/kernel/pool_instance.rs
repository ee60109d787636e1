//! What a callback of the thread pool may ask for while it runs.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::Arc;

use super::pool_object::Object;
use super::{CRITICAL_SECTION, LeaveCriticalSection, ReleaseMutex, ReleaseSemaphore, SetEvent};
use crate::api::edge::{caught, no_panic};
use crate::win32::{BOOL, HANDLE};

/// A callback that runs on this thread.
struct CallbackInstance {
    object: Arc<Object>,
    /// Nobody waits for it any more.
    apart: bool,
    at_return: Vec<Box<dyn FnOnce()>>,
}

thread_local! {
    /// Innermost last.
    static RUNNING: RefCell<Vec<CallbackInstance>> = const { RefCell::new(Vec::new()) };
}

/// Runs a callback of an object and does what it asked for; whether somebody waits for it still.
pub(super) fn run(object: &Arc<Object>, callback: impl FnOnce()) -> bool {
    let running = CallbackInstance { object: Arc::clone(object), apart: false, at_return: Vec::new() };
    RUNNING.with_borrow_mut(|all| all.push(running));
    callback();
    let Some(ended) = RUNNING.with_borrow_mut(Vec::pop) else { return true };
    ended.at_return.into_iter().for_each(|act| act());
    !ended.apart
}

fn at_return(act: impl FnOnce() + 'static) {
    no_panic((), || {
        RUNNING.with_borrow_mut(|all| {
            if let Some(running) = all.last_mut() {
                running.at_return.push(Box::new(act));
            }
        });
    });
}

/// TRUE: a worker that blocks is replaced by another one (nf-threadpoolapiset-callbackmayrunlong).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CallbackMayRunLong(_pci: *mut c_void) -> BOOL {
    caught(0, || 1)
}

/// Whoever waits for the callback no longer waits for the one that runs on this thread
/// (nf-threadpoolapiset-disassociatecurrentthreadfromcallback).
///
/// # Safety
/// It is called in a callback, with its instance.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DisassociateCurrentThreadFromCallback(_pci: *mut c_void) {
    no_panic((), || {
        let object = RUNNING.with_borrow_mut(|all| {
            let running = all.last_mut().filter(|running| !running.apart)?;
            running.apart = true;
            Some(Arc::clone(&running.object))
        });
        object.iter().for_each(|object| object.returned());
    });
}

/// Signals the event when the callback returns (nf-threadpoolapiset-seteventwhencallbackreturns).
///
/// # Safety
/// It is called in a callback, with its instance.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetEventWhenCallbackReturns(_pci: *mut c_void, evt: HANDLE) {
    caught((), || {
        // SAFETY: any value may be passed.
        at_return(move || unsafe {
            SetEvent(evt);
        });
    })
}

/// Releases the semaphore when the callback returns (nf-threadpoolapiset-releasesemaphorewhencallbackreturns).
///
/// # Safety
/// It is called in a callback, with its instance.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReleaseSemaphoreWhenCallbackReturns(_pci: *mut c_void, sem: HANDLE, crel: u32) {
    caught((), || {
        // SAFETY: any value may be passed.
        at_return(move || unsafe {
            ReleaseSemaphore(sem, crel as i32, std::ptr::null_mut());
        });
    })
}

/// Releases the mutex, which this thread holds, when the callback returns
/// (nf-threadpoolapiset-releasemutexwhencallbackreturns).
///
/// # Safety
/// It is called in a callback, with its instance.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReleaseMutexWhenCallbackReturns(_pci: *mut c_void, mutex: HANDLE) {
    caught((), || {
        // SAFETY: any value may be passed.
        at_return(move || unsafe {
            ReleaseMutex(mutex);
        });
    })
}

/// Leaves the critical section when the callback returns
/// (nf-threadpoolapiset-leavecriticalsectionwhencallbackreturns).
///
/// # Safety
/// It is called in a callback, with its instance; the thread has entered the section, which lives until then.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LeaveCriticalSectionWhenCallbackReturns(_pci: *mut c_void, pcs: *mut CRITICAL_SECTION) {
    caught((), || {
        // SAFETY: the caller's promise.
        at_return(move || unsafe { LeaveCriticalSection(pcs) });
    })
}
