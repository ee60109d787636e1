//! Callbacks and work of the thread pool, on the workers of the caller's world.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::pool_object::{Callback, Object, RawObjectCallback, find, instance, value};
use super::sync::threads;
use crate::api::edge::{NONE, done, no_panic};
use crate::win32::{BOOL, ERROR_INVALID_PARAMETER, set_last_error};

/// PTP_SIMPLE_CALLBACK without its NULL.
pub type RawSimpleCallback = unsafe extern "system" fn(instance: *mut c_void, context: *mut c_void);

/// Runs a function once on a worker (nf-threadpoolapiset-trysubmitthreadpoolcallback). The environment is not looked at.
/// FALSE with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on another thread with `pv`.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn TrySubmitThreadpoolCallback(
    pfns: Option<RawSimpleCallback>,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> BOOL {
    done("TrySubmitThreadpoolCallback", NONE, || {
        let function = pfns.ok_or(ERROR_INVALID_PARAMETER)?;
        let context = pv.expose_provenance();
        // SAFETY: the caller's promise.
        let body = move || unsafe { function(instance(), std::ptr::with_exposed_provenance_mut(context)) };
        threads::on_worker(Box::new(body));
        Ok(())
    })
}

/// An object of the pool for this callback, or NULL with ERROR_INVALID_PARAMETER.
pub(super) fn made(callback: Option<RawObjectCallback>, context: *mut c_void) -> *mut c_void {
    no_panic(std::ptr::null_mut(), || match callback {
        Some(callback) => value(Object::create(Callback::Object(callback), context, None).number),
        None => {
            set_last_error(ERROR_INVALID_PARAMETER);
            std::ptr::null_mut()
        }
    })
}

/// Waits for the callbacks of an object; those that have not begun are not made if `cancel` says so.
pub(super) fn wait(object: *mut c_void, cancel: BOOL) {
    no_panic((), || {
        if let Some(object) = find(object.addr()) {
            if cancel != 0 {
                object.cancel();
            }
            object.wait();
        }
    });
}

/// Work that can be submitted again and again (nf-threadpoolapiset-createthreadpoolwork). NULL with
/// ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on any thread with `pv` until the work is closed and its callbacks have returned.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateThreadpoolWork(
    pfnwk: Option<RawObjectCallback>,
    pv: *mut c_void,
    _pcbe: *const c_void,
) -> *mut c_void {
    made(pfnwk, pv)
}

/// Runs the work once on a worker (nf-threadpoolapiset-submitthreadpoolwork).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SubmitThreadpoolWork(pwk: *mut c_void) {
    no_panic((), || find(pwk.addr()).iter().for_each(|work| work.call_on_worker(false)));
}

/// Waits until it is not running (nf-threadpoolapiset-waitforthreadpoolworkcallbacks).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForThreadpoolWorkCallbacks(pwk: *mut c_void, fcancelpendingcallbacks: BOOL) {
    wait(pwk, fcancelpendingcallbacks);
}

/// Closes it; callbacks that were asked for are still made (nf-threadpoolapiset-closethreadpoolwork).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpoolWork(pwk: *mut c_void) {
    no_panic((), || find(pwk.addr()).iter().for_each(|work| work.close()));
}
