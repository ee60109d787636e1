//! Waits that the thread pool does for a program.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use super::INFINITE;
use super::pool::made;
use super::pool_environment::Belongs;
use super::pool_object::{Callback, Object, RawWaitCallback, RawWaitOrTimerCallback, find, value};
use super::pool_timer::{end, until};
use super::sync::event::{self, Released};
use super::sync::threads;
use crate::api::edge::{NONE, caught, done, get, no_panic, put};
use crate::win32::*;

/// WT_EXECUTEONLYONCE
const ONLY_ONCE: u32 = 8;

/// Calls a function on a worker whenever the object is signalled or the time is over
/// (nf-winbase-registerwaitforsingleobject). FALSE with ERROR_INVALID_PARAMETER or ERROR_INVALID_HANDLE.
///
/// # Safety
/// The function may be called on any thread with `context` until the wait is unregistered; `phnewwaitobject` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn RegisterWaitForSingleObject(
    phnewwaitobject: *mut HANDLE,
    hobject: HANDLE,
    callback: Option<RawWaitOrTimerCallback>,
    context: *mut c_void,
    dwmilliseconds: u32,
    dwflags: u32,
) -> BOOL {
    done("RegisterWaitForSingleObject", NONE, || {
        let callback = callback.filter(|_| !phnewwaitobject.is_null()).ok_or(ERROR_INVALID_PARAMETER)?;
        // The wait goes on if the program closes its handle.
        let object = event::duplicate(hobject.addr())?;
        let registered = Object::create(Callback::WaitOrTimer(callback), context, Belongs::default());
        let cancels = cancelable(&registered);
        // SAFETY: the caller's promise; the value is there before a callback can ask for it.
        unsafe { put(phnewwaitobject, value(registered.number)) };
        let timeout = (dwmilliseconds != INFINITE).then(|| Duration::from_millis(dwmilliseconds.into()));
        let once = dwflags & ONLY_ONCE != 0;
        threads::start(Box::new(move || serve(&registered, object, cancels, timeout, once)));
        Ok(())
    })
}

/// The event that ends the wait of this object; that of an older wait is signalled.
fn cancelable(object: &Object) -> usize {
    let cancels = event::create(true, false);
    let older = object.cancels.lock().replace(cancels);
    older.into_iter().for_each(event::signal);
    cancels
}

/// Waits for the object: whether the time was over, or `None` if there is nothing to wait for any more.
fn next(object: usize, cancels: usize, timeout: Option<Duration>) -> Option<bool> {
    match event::wait(&[cancels, object], false, timeout) {
        Ok(Some(Released { index: 1, .. })) => Some(false),
        Ok(None) => Some(true),
        _ => None,
    }
}

/// Calls are made here: the next wait begins when the callback has returned.
fn serve(registered: &Arc<Object>, object: usize, cancels: usize, timeout: Option<Duration>, once: bool) {
    while let Some(fired) = next(object, cancels, timeout) {
        registered.call_here(fired);
        if once {
            break;
        }
    }
    ended(registered, object, cancels);
}

/// The handles of a wait are closed when nobody signals them any more.
fn ended(waiter: &Object, object: usize, cancels: usize) {
    let mut known = waiter.cancels.lock();
    if *known == Some(cancels) {
        *known = None;
    }
    let _ = (event::close(object), event::close(cancels));
}

fn unregister(wait: HANDLE, completion: HANDLE) -> BOOL {
    done("UnregisterWaitEx", NONE, || {
        let registered = find(wait.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        registered.cancel();
        registered.close();
        end(registered, completion)
    })
}

/// Ends a wait; FALSE with ERROR_IO_PENDING while its callback runs (nf-winbase-unregisterwait).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn UnregisterWait(waithandle: HANDLE) -> BOOL {
    caught(0, || unregister(waithandle, std::ptr::null_mut()))
}

/// Ends a wait; with INVALID_HANDLE_VALUE it waits for the callback, an event is signalled when that has returned
/// (nf-threadpoollegacyapiset-unregisterwaitex).
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn UnregisterWaitEx(waithandle: HANDLE, completionevent: HANDLE) -> BOOL {
    caught(0, || unregister(waithandle, completionevent))
}

/// A wait that is not set (nf-threadpoolapiset-createthreadpoolwait). NULL with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on any thread with `pv` until the wait is closed and its callbacks have returned; `pcbe` is
/// NULL or an environment.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateThreadpoolWait(
    pfnwa: Option<RawWaitCallback>,
    pv: *mut c_void,
    pcbe: *const c_void,
) -> *mut c_void {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { made(pfnwa.map(Callback::Wait), pv, pcbe) }
    })
}

/// Calls the function once, on a worker, when the object is signalled or the time is over; without an object nothing is
/// waited for any more (nf-threadpoolapiset-setthreadpoolwait). Without a time it waits for ever.
///
/// # Safety
/// `pfttimeout` is NULL or readable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetThreadpoolWait(pwa: *mut c_void, h: HANDLE, pfttimeout: *const FILETIME) {
    no_panic((), || {
        let Some(waiter) = find(pwa.addr()) else { return };
        waiter.rest();
        // SAFETY: the caller's promise.
        let timeout = unsafe { get(pfttimeout) }.map(until);
        // The wait goes on if the program closes its handle.
        let Ok(object) = event::duplicate(h.addr()) else { return };
        let cancels = cancelable(&waiter);
        threads::start(Box::new(move || {
            let fired = next(object, cancels, timeout);
            fired.into_iter().for_each(|fired| waiter.call_on_worker(fired));
            ended(&waiter, object, cancels);
        }));
    });
}

/// Waits until its callback is not running (nf-threadpoolapiset-waitforthreadpoolwaitcallbacks).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForThreadpoolWaitCallbacks(pwa: *mut c_void, fcancelpendingcallbacks: BOOL) {
    caught((), || {
        super::pool::wait(pwa, fcancelpendingcallbacks);
    })
}

/// Waits for nothing any more and closes it (nf-threadpoolapiset-closethreadpoolwait).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpoolWait(pwa: *mut c_void) {
    no_panic((), || find(pwa.addr()).iter().for_each(|wait| wait.close()));
}
