//! Waits that the thread pool does for a program.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use super::INFINITE;
use super::pool_object::{Callback, Object, RawWaitOrTimerCallback, find, value};
use super::pool_timer::end;
use super::sync::{event, threads};
use crate::api::edge::{NONE, done, put};
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
        let cancels = event::create(true, false, None).0;
        let registered = Object::create(Callback::WaitOrTimer(callback), context, Some(cancels));
        // SAFETY: the caller's promise; the value is there before a callback can ask for it.
        unsafe { put(phnewwaitobject, value(registered.number)) };
        let timeout = (dwmilliseconds != INFINITE).then(|| Duration::from_millis(dwmilliseconds.into()));
        let once = dwflags & ONLY_ONCE != 0;
        threads::start(Box::new(move || serve(&registered, object, cancels, timeout, once)));
        Ok(())
    })
}

/// Calls are made here: the next wait begins when the callback has returned.
fn serve(registered: &Arc<Object>, object: usize, cancels: usize, timeout: Option<Duration>, once: bool) {
    loop {
        let fired = match event::wait(&[cancels, object], false, timeout) {
            Ok(Some(1)) => false,
            Ok(None) => true,
            _ => break,
        };
        registered.call_here(fired);
        if once {
            // The object may stay signalled: there is nothing more to wait for.
            let _ = event::wait(&[cancels], false, None);
            break;
        }
    }
    let _ = (event::close(object), event::close(cancels));
}

fn unregister(wait: HANDLE, completion: HANDLE) -> BOOL {
    done("UnregisterWaitEx", NONE, || {
        let registered = find(wait.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        registered.cancel();
        registered.close();
        registered.cancels.into_iter().for_each(event::signal);
        end(registered, completion)
    })
}

/// Ends a wait; FALSE with ERROR_IO_PENDING while its callback runs (nf-winbase-unregisterwait).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn UnregisterWait(waithandle: HANDLE) -> BOOL {
    unregister(waithandle, std::ptr::null_mut())
}

/// Ends a wait; with INVALID_HANDLE_VALUE it waits for the callback, an event is signalled when that has returned
/// (nf-threadpoollegacyapiset-unregisterwaitex).
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn UnregisterWaitEx(waithandle: HANDLE, completionevent: HANDLE) -> BOOL {
    unregister(waithandle, completionevent)
}
