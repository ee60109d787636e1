//! Timers of the thread pool and of timer queues, on the clock of the caller's world.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::pool::{made, wait};
use super::pool_environment::Belongs;
use super::pool_object::{Callback, Object, RawObjectCallback, RawWaitOrTimerCallback, find, value};
use super::sync::{event, timers};
use super::{INFINITE, INVALID_HANDLE_VALUE};
use crate::api::edge::{NONE, caught, done, get, no_panic, put};
use crate::win32::*;
use crate::world;

/// WT_EXECUTEONLYONCE
const ONLY_ONCE: u32 = 8;
/// From 1601 to 1970, in units of FILETIME.
const BEFORE_1970: i64 = 116_444_736_000_000_000;

/// How long until this time: negative is from now on, in units of 100 nanoseconds.
pub(super) fn until(time: FILETIME) -> Duration {
    let units = (i64::from(time.dwHighDateTime as i32) << 32) | i64::from(time.dwLowDateTime);
    if units <= 0 {
        return Duration::from_nanos(units.unsigned_abs().saturating_mul(100));
    }
    let now = world::date().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_nanos(units.saturating_sub(BEFORE_1970).max(0) as u64 * 100).saturating_sub(now)
}

/// Sets the timer of an object, or takes it back.
fn set(object: &Arc<Object>, after: Option<Duration>, period: Option<Duration>) {
    let mut timer = object.timer.lock();
    if let Some(number) = timer.take() {
        timers::cancel(number);
    }
    if let Some(after) = after {
        let due = Arc::clone(object);
        *timer = Some(timers::set(after, Arc::new(move || fire(&due, period))));
    }
}

fn fire(object: &Arc<Object>, period: Option<Duration>) {
    let mut timer = object.timer.lock();
    if timer.is_none() {
        return;
    }
    *timer = period.map(|period| {
        let due = Arc::clone(object);
        timers::set(period, Arc::new(move || fire(&due, Some(period))))
    });
    drop(timer);
    object.call_on_worker(true);
}

fn is_set(object: &Object) -> bool {
    object.timer.lock().is_some()
}

fn milliseconds(count: u32) -> Option<Duration> {
    (count != 0).then(|| Duration::from_millis(count.into()))
}

/// A timer that is not set (nf-threadpoolapiset-createthreadpooltimer). NULL with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on any thread with `pv` until the timer is closed and its callbacks have returned; `pcbe` is
/// NULL or an environment.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateThreadpoolTimer(
    pfnti: Option<RawObjectCallback>,
    pv: *mut c_void,
    pcbe: *const c_void,
) -> *mut c_void {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { made(pfnti.map(Callback::Object), pv, pcbe) }
    })
}

/// Sets a timer, anew if it was set, or takes it back if there is no time (nf-threadpoolapiset-setthreadpooltimer). The
/// window is not used: it is due when it is due.
///
/// # Safety
/// `pftduetime` is NULL or readable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetThreadpoolTimer(
    pti: *mut c_void,
    pftduetime: *const FILETIME,
    msperiod: u32,
    _mswindowlength: u32,
) {
    no_panic((), || {
        // SAFETY: the caller's promise.
        let after = unsafe { get(pftduetime) }.map(until);
        find(pti.addr()).iter().for_each(|timer| set(timer, after, milliseconds(msperiod)));
    });
}

/// [`SetThreadpoolTimer`]; whether it was set before (nf-threadpoolapiset-setthreadpooltimerex).
///
/// # Safety
/// `pftduetime` is NULL or readable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetThreadpoolTimerEx(
    pti: *mut c_void,
    pftduetime: *const FILETIME,
    msperiod: u32,
    mswindowlength: u32,
) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise.
        unsafe {
            let before = IsThreadpoolTimerSet(pti);
            SetThreadpoolTimer(pti, pftduetime, msperiod, mswindowlength);
            before
        }
    })
}

/// Whether it is set (nf-threadpoolapiset-isthreadpooltimerset).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn IsThreadpoolTimerSet(pti: *mut c_void) -> BOOL {
    no_panic(0, || BOOL::from(find(pti.addr()).is_some_and(|timer| is_set(&timer))))
}

/// Waits until its callback is not running (nf-threadpoolapiset-waitforthreadpooltimercallbacks).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForThreadpoolTimerCallbacks(pti: *mut c_void, fcancelpendingcallbacks: BOOL) {
    caught((), || {
        wait(pti, fcancelpendingcallbacks);
    })
}

/// Takes it back and closes it (nf-threadpoolapiset-closethreadpooltimer).
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseThreadpoolTimer(pti: *mut c_void) {
    no_panic((), || {
        find(pti.addr()).iter().for_each(|timer| timer.close());
    });
}

/// A queue of timers: a value to be passed on (nf-threadpoollegacyapiset-createtimerqueue).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CreateTimerQueue() -> HANDLE {
    caught(std::ptr::null_mut(), || std::ptr::without_provenance_mut(0x20000))
}

/// A timer that is set, in milliseconds; with a period of 0, or WT_EXECUTEONLYONCE, once
/// (nf-threadpoollegacyapiset-createtimerqueuetimer). All flags lead to a worker. FALSE with ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The function may be called on any thread with `parameter` until the timer is deleted; `phnewtimer` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateTimerQueueTimer(
    phnewtimer: *mut HANDLE,
    _timerqueue: HANDLE,
    callback: Option<RawWaitOrTimerCallback>,
    parameter: *mut c_void,
    duetime: u32,
    period: u32,
    flags: u32,
) -> BOOL {
    done("CreateTimerQueueTimer", NONE, || {
        let callback = callback.filter(|_| !phnewtimer.is_null()).ok_or(ERROR_INVALID_PARAMETER)?;
        let timer = Object::create(Callback::WaitOrTimer(callback), parameter, Belongs::default());
        // SAFETY: the caller's promise; the value is there before a callback can ask for it.
        unsafe { put(phnewtimer, value(timer.number)) };
        let period = milliseconds(period).filter(|_| flags & ONLY_ONCE == 0);
        let after = (duetime != INFINITE).then(|| Duration::from_millis(duetime.into()));
        set(&timer, after, period);
        Ok(())
    })
}

/// Sets a timer anew (nf-threadpoollegacyapiset-changetimerqueuetimer). FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ChangeTimerQueueTimer(
    _timerqueue: HANDLE,
    timer: HANDLE,
    duetime: u32,
    period: u32,
) -> BOOL {
    done("ChangeTimerQueueTimer", NONE, || {
        let timer = find(timer.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        let after = (duetime != INFINITE).then(|| Duration::from_millis(duetime.into()));
        set(&timer, after, milliseconds(period));
        Ok(())
    })
}

/// Takes a timer back (nf-threadpoollegacyapiset-deletetimerqueuetimer): with INVALID_HANDLE_VALUE it waits for its
/// callbacks, an event is signalled when they have returned; else FALSE with ERROR_IO_PENDING while one runs.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DeleteTimerQueueTimer(
    _timerqueue: HANDLE,
    timer: HANDLE,
    completionevent: HANDLE,
) -> BOOL {
    done("DeleteTimerQueueTimer", NONE, || {
        let timer = find(timer.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        timer.cancel();
        timer.close();
        end(timer, completionevent)
    })
}

/// How the deletion of a timer or wait ends while its callback may run.
pub(super) fn end(object: Arc<Object>, completion: HANDLE) -> Result<(), Win32Error> {
    match completion.addr() {
        INVALID_HANDLE_VALUE => object.wait(),
        0 if object.busy() => return Err(ERROR_IO_PENDING),
        0 => {}
        done if object.busy() => {
            object.signal_when_done(done);
            return Err(ERROR_IO_PENDING);
        }
        done => event::signal(done),
    }
    Ok(())
}

/// Nothing is to be given back: timers are deleted one by one (nf-threadpoollegacyapiset-deletetimerqueueex).
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DeleteTimerQueueEx(_timerqueue: HANDLE, completionevent: HANDLE) -> BOOL {
    done("DeleteTimerQueueEx", NONE, || {
        if completionevent.addr() != INVALID_HANDLE_VALUE && !completionevent.is_null() {
            event::signal(completionevent.addr());
        }
        Ok(())
    })
}
