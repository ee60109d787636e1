//! One-time initialization, and waiting for a value in memory to change.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::INFINITE;
use super::sync::lock;
use crate::api::edge::{NONE, caught, done, no_panic, put};
use crate::win32::*;

/// The word of an INIT_ONCE begins as 0; its lower two bits are these, the rest is the context once it is done.
const UNTOUCHED: usize = 0;
const RUNNING: usize = 1;
const DONE: usize = 2;
/// Several threads may be at it: the first to complete wins.
const RUNNING_ASYNC: usize = 3;
const STATE: usize = 3;

/// INIT_ONCE_CHECK_ONLY
const CHECK_ONLY: u32 = 1;
/// INIT_ONCE_ASYNC
const ASYNC: u32 = 2;
/// INIT_ONCE_INIT_FAILED
const INIT_FAILED: u32 = 4;

/// PINIT_ONCE_FN without its NULL.
pub type RawInitOnce =
    unsafe extern "system" fn(initonce: *mut *mut c_void, parameter: *mut c_void, context: *mut *mut c_void) -> BOOL;

/// The word of an INIT_ONCE.
///
/// # Safety
/// It points to one that lives.
unsafe fn word<'a>(once: *mut *mut c_void) -> &'a AtomicUsize {
    // SAFETY: the caller's promise; a pointer has the size and alignment of its number.
    unsafe { AtomicUsize::from_ptr(once.cast()) }
}

/// Claims the initialization, or waits until another thread is done with it: the context, or `None` if this thread has to
/// initialize.
fn begin(word: &AtomicUsize, running: usize) -> Result<Option<usize>, Win32Error> {
    let mut found = Ok(None);
    lock::wait(word.as_ptr().addr(), "a one-time initialization", None, &mut || {
        let seen = word.compare_exchange(UNTOUCHED, running, Ordering::Acquire, Ordering::Acquire);
        found = match seen {
            Ok(_) => Ok(None),
            Err(value) if value & STATE == DONE => Ok(Some(value & !STATE)),
            Err(RUNNING_ASYNC) if running == RUNNING_ASYNC => Ok(None),
            Err(RUNNING) if running == RUNNING => return false,
            Err(_) => Err(ERROR_INVALID_PARAMETER),
        };
        true
    });
    found
}

/// Ends the initialization of this kind: with a context, or so that another thread may try.
fn complete(word: &AtomicUsize, running: usize, context: Option<usize>) -> Result<(), Win32Error> {
    let value = match context {
        Some(context) if context & STATE != 0 => return Err(ERROR_INVALID_PARAMETER),
        Some(context) => context | DONE,
        None => UNTOUCHED,
    };
    word.compare_exchange(running, value, Ordering::AcqRel, Ordering::Acquire).map_err(|_| ERROR_GEN_FAILURE)?;
    lock::changed(word.as_ptr().addr());
    Ok(())
}

/// Makes one (nf-synchapi-initonceinitialize).
///
/// # Safety
/// `initonce` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitOnceInitialize(initonce: *mut *mut c_void) {
    caught((), || {
        // SAFETY: the caller's promise.
        unsafe { initonce.write(std::ptr::null_mut()) };
    })
}

/// Calls the function unless that has succeeded before; other threads wait meanwhile (nf-synchapi-initonceexecuteonce).
/// FALSE if the function says so: the next caller tries again.
///
/// # Safety
/// `initonce` lives; the function may be called with these; `context` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitOnceExecuteOnce(
    initonce: *mut *mut c_void,
    initfn: Option<RawInitOnce>,
    parameter: *mut c_void,
    context: *mut *mut c_void,
) -> BOOL {
    no_panic(0, || {
        // SAFETY: the caller's promise.
        let word = unsafe { word(initonce) };
        let value = match (begin(word, RUNNING), initfn) {
            (Ok(Some(value)), _) => value,
            (Ok(None), Some(function)) => {
                let mut made = std::ptr::null_mut();
                // SAFETY: the caller's promise.
                if unsafe { function(initonce, parameter, &raw mut made) } == 0 {
                    let _ = complete(word, RUNNING, None);
                    return 0;
                }
                let value = made.expose_provenance();
                if let Err(error) = complete(word, RUNNING, Some(value)) {
                    let _ = complete(word, RUNNING, None);
                    set_last_error(error);
                    return 0;
                }
                value
            }
            (Err(error), _) => {
                set_last_error(error);
                return 0;
            }
            (Ok(None), None) => {
                let _ = complete(word, RUNNING, None);
                set_last_error(ERROR_INVALID_PARAMETER);
                return 0;
            }
        };
        // SAFETY: the caller's promise.
        unsafe { put(context, std::ptr::with_exposed_provenance_mut(value)) };
        1
    })
}

/// Begins an initialization, or tells that it is done (nf-synchapi-initoncebegininitialize). FALSE with
/// ERROR_GEN_FAILURE if it was only to be looked at and is not done, or ERROR_INVALID_PARAMETER.
///
/// # Safety
/// `lpinitonce` lives; `fpending` and `lpcontext` are NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitOnceBeginInitialize(
    lpinitonce: *mut *mut c_void,
    dwflags: u32,
    fpending: *mut BOOL,
    lpcontext: *mut *mut c_void,
) -> BOOL {
    done("InitOnceBeginInitialize", NONE, || {
        // SAFETY: the caller's promise.
        let word = unsafe { word(lpinitonce) };
        let context = match dwflags {
            CHECK_ONLY => {
                let seen = word.load(Ordering::Acquire);
                Some((seen & STATE == DONE).then_some(seen & !STATE).ok_or(ERROR_GEN_FAILURE)?)
            }
            0 => begin(word, RUNNING)?,
            ASYNC => begin(word, RUNNING_ASYNC)?,
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        // SAFETY: the caller's promise.
        unsafe {
            put(fpending, BOOL::from(context.is_none()));
            if let Some(context) = context {
                put(lpcontext, std::ptr::with_exposed_provenance_mut(context));
            }
        }
        Ok(())
    })
}

/// Ends an initialization that this thread has begun (nf-synchapi-initoncecomplete). FALSE with ERROR_GEN_FAILURE if
/// another thread was first, or ERROR_INVALID_PARAMETER.
///
/// # Safety
/// `lpinitonce` lives.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn InitOnceComplete(
    lpinitonce: *mut *mut c_void,
    dwflags: u32,
    lpcontext: *mut c_void,
) -> BOOL {
    done("InitOnceComplete", NONE, || {
        // SAFETY: the caller's promise.
        let word = unsafe { word(lpinitonce) };
        let context = Some(lpcontext.expose_provenance());
        match dwflags {
            0 => complete(word, RUNNING, context),
            ASYNC => complete(word, RUNNING_ASYNC, context),
            INIT_FAILED if lpcontext.is_null() => complete(word, RUNNING, None),
            _ => Err(ERROR_INVALID_PARAMETER),
        }
    })
}

/// How often threads that wait for an address were woken, by the address. Two addresses may share a place: a thread may
/// be woken without a reason, as on Windows.
static WOKEN: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];

fn woken(address: usize) -> &'static AtomicUsize {
    &WOKEN[(address >> 3) % WOKEN.len()]
}

/// Waits until the value at an address is another than this one, or is told to look
/// (nf-synchapi-waitonaddress). FALSE with ERROR_TIMEOUT, or ERROR_INVALID_PARAMETER for a size other than 1, 2, 4, 8.
///
/// # Safety
/// Both point to values of this size, aligned.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitOnAddress(
    address: *const c_void,
    compareaddress: *const c_void,
    addresssize: usize,
    dwmilliseconds: u32,
) -> BOOL {
    done("WaitOnAddress", NONE, || {
        let value = |pointer: *const c_void| {
            let pointer = pointer.cast_mut();
            // SAFETY: the caller's promise.
            unsafe {
                match addresssize {
                    1 => Ok(AtomicU8::from_ptr(pointer.cast()).load(Ordering::SeqCst).into()),
                    2 => Ok(AtomicU16::from_ptr(pointer.cast()).load(Ordering::SeqCst).into()),
                    4 => Ok(AtomicU32::from_ptr(pointer.cast()).load(Ordering::SeqCst).into()),
                    8 => Ok(AtomicU64::from_ptr(pointer.cast()).load(Ordering::SeqCst)),
                    _ => Err(ERROR_INVALID_PARAMETER),
                }
            }
        };
        let woken = woken(address.addr());
        let (before, undesired) = (woken.load(Ordering::SeqCst), value(compareaddress)?);
        let timeout = (dwmilliseconds != INFINITE).then(|| Duration::from_millis(dwmilliseconds.into()));
        let mut changed = || value(address) != Ok(undesired) || woken.load(Ordering::SeqCst) != before;
        lock::wait(address.addr(), "a value at an address", timeout, &mut changed).then_some(()).ok_or(ERROR_TIMEOUT)
    })
}

/// Wakes whoever waits for the address: more than one may come, as on Windows (nf-synchapi-wakebyaddresssingle).
///
/// # Safety
/// Any address may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WakeByAddressSingle(address: *const c_void) {
    caught((), || {
        // SAFETY: any address may be passed.
        unsafe { WakeByAddressAll(address) };
    })
}

/// Wakes all that wait for the address (nf-synchapi-wakebyaddressall).
///
/// # Safety
/// Any address may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WakeByAddressAll(address: *const c_void) {
    no_panic((), || {
        woken(address.addr()).fetch_add(1, Ordering::SeqCst);
        lock::changed(address.addr());
    });
}
