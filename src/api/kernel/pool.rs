//! Callbacks and work of the thread pool, on the workers of the caller's world.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::RawThreadStart;
use super::pool_environment::Belongs;
use super::pool_object::{Callback, Object, RawObjectCallback, RawSimpleCallback, find, value};
use super::sync::threads;
use crate::api::edge::{NONE, caught, done, no_panic};
use crate::win32::{BOOL, ERROR_INVALID_PARAMETER, set_last_error};

/// Runs a function once on a worker (nf-threadpoolapiset-trysubmitthreadpoolcallback). FALSE with
/// ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on another thread with `pv`; `pcbe` is NULL or an environment.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn TrySubmitThreadpoolCallback(
    pfns: Option<RawSimpleCallback>,
    pv: *mut c_void,
    pcbe: *const c_void,
) -> BOOL {
    done("TrySubmitThreadpoolCallback", NONE, || {
        let function = pfns.ok_or(ERROR_INVALID_PARAMETER)?;
        // SAFETY: the caller's promise.
        let belongs = unsafe { Belongs::read(pcbe) }?;
        Object::create(Callback::Simple(function), pv, belongs).call_on_worker(false);
        Ok(())
    })
}

/// Runs a function once on a worker; its answer is not looked at, nor are flags
/// (nf-threadpoollegacyapiset-queueuserworkitem). FALSE with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on another thread with `context`.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn QueueUserWorkItem(
    function: Option<RawThreadStart>,
    context: *mut c_void,
    _flags: u32,
) -> BOOL {
    done("QueueUserWorkItem", NONE, || {
        let function = function.ok_or(ERROR_INVALID_PARAMETER)?;
        let context = context.expose_provenance();
        threads::on_worker(Box::new(move || {
            // SAFETY: the caller's promise.
            unsafe { function(std::ptr::with_exposed_provenance_mut(context)) };
        }));
        Ok(())
    })
}

/// An object of the pool for this callback, or NULL with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The environment is NULL or points to one.
pub(super) unsafe fn made(callback: Option<Callback>, context: *mut c_void, environment: *const c_void) -> *mut c_void {
    no_panic(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let belongs = unsafe { Belongs::read(environment) };
        match (callback, belongs) {
            (Some(callback), Ok(belongs)) => value(Object::create(callback, context, belongs).number),
            _ => {
                set_last_error(ERROR_INVALID_PARAMETER);
                std::ptr::null_mut()
            }
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
/// The function may be called on any thread with `pv` until the work is closed and its callbacks have returned; `pcbe` is
/// NULL or an environment.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateThreadpoolWork(
    pfnwk: Option<RawObjectCallback>,
    pv: *mut c_void,
    pcbe: *const c_void,
) -> *mut c_void {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { made(pfnwk.map(Callback::Object), pv, pcbe) }
    })
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
    caught((), || {
        wait(pwk, fcancelpendingcallbacks);
    })
}

/// Closes it; callbacks that were asked for are still made (nf-threadpoolapiset-closethreadpoolwork).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpoolWork(pwk: *mut c_void) {
    no_panic((), || find(pwk.addr()).iter().for_each(|work| work.close()));
}
