//! Events, and the waiting for all that can be waited for.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::time::Duration;

use super::sync::event::{self, Released};
use super::sync::waitable::Waitable;
use super::{INFINITE, thread};
use crate::api::edge::{NONE, caught, done, no_panic, text};
use crate::win32::{
    BOOL, ERROR_ALREADY_EXISTS, ERROR_INVALID_PARAMETER, ERROR_SUCCESS, HANDLE, PCSTR, PCWSTR, Win32Error,
    set_last_error,
};

const WAIT_ABANDONED: u32 = 0x80;
const WAIT_TIMEOUT: u32 = 258;
const WAIT_FAILED: u32 = u32::MAX;
const MAXIMUM_WAIT_OBJECTS: u32 = 64;

/// Makes an event, or opens the one of this process that has the name; the last error is then ERROR_ALREADY_EXISTS
/// (nf-synchapi-createeventw). NULL with ERROR_INVALID_HANDLE if the name is another object's. Security attributes are
/// not looked at.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateEventW(
    _lpeventattributes: *const c_void,
    bmanualreset: BOOL,
    binitialstate: BOOL,
    lpname: PCWSTR,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        let state = Waitable::Event { manual: bmanualreset != 0, signalled: binitialstate != 0 };
        // SAFETY: the caller's promise.
        unsafe { named(lpname, || Ok(state)) }
    })
}

/// A handle to what is made, or to the object of this kind and name; NULL with the last error.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
pub(super) unsafe fn named(name: PCWSTR, state: impl FnOnce() -> Result<Waitable, Win32Error>) -> HANDLE {
    no_panic(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let name = unsafe { text(name) }.filter(|name| !name.is_empty());
        let (handle, error) = match state().and_then(|state| event::create_object(state, name)) {
            Ok((handle, known)) => (handle, if known { ERROR_ALREADY_EXISTS } else { ERROR_SUCCESS }),
            Err(error) => (0, error),
        };
        set_last_error(error);
        std::ptr::without_provenance_mut(handle)
    })
}

/// A handle to the object of this kind and name; NULL with ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE or
/// ERROR_INVALID_PARAMETER.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
pub(super) unsafe fn opened(name: PCWSTR, kind: &Waitable) -> HANDLE {
    no_panic(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let name = unsafe { text(name) }.ok_or(ERROR_INVALID_PARAMETER);
        let handle = name.and_then(|name| event::open(&name, kind)).unwrap_or_else(|error| {
            set_last_error(error);
            0
        });
        std::ptr::without_provenance_mut(handle)
    })
}

/// The event of this process that has the name; access is not looked at. NULL with ERROR_FILE_NOT_FOUND, or
/// ERROR_INVALID_HANDLE if the name is another object's (nf-synchapi-openeventw).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn OpenEventW(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: PCWSTR) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { opened(lpname, &Waitable::Event { manual: false, signalled: false }) }
    })
}

/// [`CreateEventW`] with a name in UTF-8 (nf-synchapi-createeventa).
///
/// # Safety
/// The name is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateEventA(
    lpeventattributes: *const c_void,
    bmanualreset: BOOL,
    binitialstate: BOOL,
    lpname: PCSTR,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lpname);
            let name = wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr());
            CreateEventW(lpeventattributes, bmanualreset, binitialstate, name)
        }
    })
}

/// [`CreateEventW`] with flags; access is not looked at (nf-synchapi-createeventexw).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateEventExW(
    lpeventattributes: *const c_void,
    lpname: PCWSTR,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { CreateEventW(lpeventattributes, BOOL::from(dwflags & 1 != 0), BOOL::from(dwflags & 2 != 0), lpname) }
    })
}

/// Signals an event (nf-synchapi-setevent). FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetEvent(hevent: HANDLE) -> BOOL {
    done("SetEvent", NONE, || event::set(hevent.addr(), true))
}

/// Takes the signal away (nf-synchapi-resetevent). FALSE with ERROR_INVALID_HANDLE.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ResetEvent(hevent: HANDLE) -> BOOL {
    done("ResetEvent", NONE, || event::set(hevent.addr(), false))
}

/// Waits for an event, semaphore, mutex or thread, in milliseconds or INFINITE: WAIT_OBJECT_0, WAIT_ABANDONED for a mutex
/// whose owner ended without releasing it, WAIT_TIMEOUT, or WAIT_FAILED with ERROR_INVALID_HANDLE
/// (nf-synchapi-waitforsingleobject).
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForSingleObject(hhandle: HANDLE, dwmilliseconds: u32) -> u32 {
    no_panic(WAIT_FAILED, || wait(&[hhandle.addr()], false, dwmilliseconds))
}

/// [`WaitForSingleObject`]; there are no asynchronous procedure calls (nf-synchapi-waitforsingleobjectex).
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForSingleObjectEx(hhandle: HANDLE, dwmilliseconds: u32, _balertable: BOOL) -> u32 {
    caught(WAIT_FAILED, || {
        // SAFETY: any values may be passed.
        unsafe { WaitForSingleObject(hhandle, dwmilliseconds) }
    })
}

/// Waits for one of up to 64 objects, or for all (nf-synchapi-waitformultipleobjects): WAIT_OBJECT_0 or WAIT_ABANDONED_0
/// and the index of the first that is signalled, WAIT_TIMEOUT, or WAIT_FAILED with ERROR_INVALID_PARAMETER, also where
/// all are waited for and one is there twice (the page forbids that; the number is our choice).
///
/// # Safety
/// `lphandles` points to `ncount` handles.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForMultipleObjects(
    ncount: u32,
    lphandles: *const HANDLE,
    bwaitall: BOOL,
    dwmilliseconds: u32,
) -> u32 {
    no_panic(WAIT_FAILED, || {
        if ncount == 0 || ncount > MAXIMUM_WAIT_OBJECTS || lphandles.is_null() {
            set_last_error(ERROR_INVALID_PARAMETER);
            return WAIT_FAILED;
        }
        // SAFETY: the caller's promise.
        let handles = unsafe { std::slice::from_raw_parts(lphandles, ncount as usize) };
        let handles: Vec<usize> = handles.iter().map(|handle| handle.addr()).collect();
        if bwaitall != 0 && (1..handles.len()).any(|at| handles[..at].contains(&handles[at])) {
            set_last_error(ERROR_INVALID_PARAMETER);
            return WAIT_FAILED;
        }
        wait(&handles, bwaitall != 0, dwmilliseconds)
    })
}

/// [`WaitForMultipleObjects`]; there are no asynchronous procedure calls (nf-synchapi-waitformultipleobjectsex).
///
/// # Safety
/// `lphandles` points to `ncount` handles.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WaitForMultipleObjectsEx(
    ncount: u32,
    lphandles: *const HANDLE,
    bwaitall: BOOL,
    dwmilliseconds: u32,
    _balertable: BOOL,
) -> u32 {
    caught(WAIT_FAILED, || {
        // SAFETY: the caller's promise.
        unsafe { WaitForMultipleObjects(ncount, lphandles, bwaitall, dwmilliseconds) }
    })
}

fn wait(handles: &[usize], all: bool, milliseconds: u32) -> u32 {
    let handles: Vec<usize> = handles.iter().copied().map(thread::real).collect();
    let timeout = (milliseconds != INFINITE).then(|| Duration::from_millis(milliseconds.into()));
    match event::wait(&handles, all, timeout) {
        Ok(Some(Released { index, abandoned })) => index as u32 + if abandoned { WAIT_ABANDONED } else { 0 },
        Ok(None) => WAIT_TIMEOUT,
        Err(error) => {
            set_last_error(error);
            WAIT_FAILED
        }
    }
}
