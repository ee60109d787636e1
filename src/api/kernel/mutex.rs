//! Mutexes and semaphores, of this process.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::event::{named, opened};
use super::sync::waitable::Waitable;
use super::sync::{clock, event};
use crate::api::edge::{NONE, caught, done, put};
use crate::win32::*;

/// CREATE_MUTEX_INITIAL_OWNER
const INITIAL_OWNER: u32 = 1;

/// Makes a mutex, held by this thread if it says so, or opens the one of this process that has the name; the last error is
/// then ERROR_ALREADY_EXISTS, and nobody takes it (nf-synchapi-createmutexw). NULL with ERROR_INVALID_HANDLE if the name
/// is another object's. Security attributes are not looked at.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateMutexW(
    _lpmutexattributes: *const c_void,
    binitialowner: BOOL,
    lpname: PCWSTR,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        let owner = (binitialowner != 0).then(clock::thread_number);
        if owner.is_some() {
            event::will_end();
        }
        // SAFETY: the caller's promise.
        unsafe { named(lpname, || Ok(Waitable::mutex(owner))) }
    })
}

/// [`CreateMutexW`] with a name in UTF-8 (nf-synchapi-createmutexa).
///
/// # Safety
/// The name is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateMutexA(
    lpmutexattributes: *const c_void,
    binitialowner: BOOL,
    lpname: PCSTR,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lpname);
            CreateMutexW(lpmutexattributes, binitialowner, wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr()))
        }
    })
}

/// [`CreateMutexW`] with flags; access is not looked at (nf-synchapi-createmutexexw).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateMutexExW(
    lpmutexattributes: *const c_void,
    lpname: PCWSTR,
    dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { CreateMutexW(lpmutexattributes, BOOL::from(dwflags & INITIAL_OWNER != 0), lpname) }
    })
}

/// The mutex of this process that has the name; access is not looked at. NULL with ERROR_FILE_NOT_FOUND, or
/// ERROR_INVALID_HANDLE if the name is another object's (nf-synchapi-openmutexw).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn OpenMutexW(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: PCWSTR) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { opened(lpname, &Waitable::mutex(None)) }
    })
}

/// Releases a mutex, as often as it was taken (nf-synchapi-releasemutex). FALSE with ERROR_NOT_OWNER if another thread or
/// none holds it, or ERROR_INVALID_HANDLE.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReleaseMutex(hmutex: HANDLE) -> BOOL {
    caught(0, || {
        let thread = clock::thread_number();
        done("ReleaseMutex", NONE, || event::change(hmutex.addr(), |mutex| mutex.release(thread)))
    })
}

/// Makes a semaphore, or opens the one of this process that has the name; the last error is then ERROR_ALREADY_EXISTS
/// (nf-synchapi-createsemaphorew). NULL with ERROR_INVALID_PARAMETER for counts that do not fit, or with
/// ERROR_INVALID_HANDLE if the name is another object's. Security attributes are not looked at.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateSemaphoreW(
    _lpsemaphoreattributes: *const c_void,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: PCWSTR,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { named(lpname, || Waitable::semaphore(linitialcount, lmaximumcount)) }
    })
}

/// [`CreateSemaphoreW`] with a name in UTF-8 (nf-winbase-createsemaphorea).
///
/// # Safety
/// The name is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateSemaphoreA(
    lpsemaphoreattributes: *const c_void,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: PCSTR,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lpname);
            let name = wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr());
            CreateSemaphoreW(lpsemaphoreattributes, linitialcount, lmaximumcount, name)
        }
    })
}

/// [`CreateSemaphoreW`]; there are no flags, and access is not looked at (nf-synchapi-createsemaphoreexw).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateSemaphoreExW(
    lpsemaphoreattributes: *const c_void,
    linitialcount: i32,
    lmaximumcount: i32,
    lpname: PCWSTR,
    _dwflags: u32,
    _dwdesiredaccess: u32,
) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { CreateSemaphoreW(lpsemaphoreattributes, linitialcount, lmaximumcount, lpname) }
    })
}

/// The semaphore of this process that has the name; access is not looked at. NULL with ERROR_FILE_NOT_FOUND, or
/// ERROR_INVALID_HANDLE if the name is another object's (nf-synchapi-opensemaphorew).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn OpenSemaphoreW(_dwdesiredaccess: u32, _binherithandle: BOOL, lpname: PCWSTR) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { opened(lpname, &Waitable::Semaphore { count: 0, most: 1 }) }
    })
}

/// Lets so many more waiters go, and tells how many it would have before (nf-synchapi-releasesemaphore). FALSE with
/// ERROR_TOO_MANY_POSTS above the maximum, ERROR_INVALID_PARAMETER or ERROR_INVALID_HANDLE; nothing has changed then.
///
/// # Safety
/// `lppreviouscount` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReleaseSemaphore(
    hsemaphore: HANDLE,
    lreleasecount: i32,
    lppreviouscount: *mut i32,
) -> BOOL {
    done("ReleaseSemaphore", NONE, || {
        let before = event::change(hsemaphore.addr(), |semaphore| semaphore.post(lreleasecount))?;
        // SAFETY: the caller's promise.
        unsafe { put(lppreviouscount, before) };
        Ok(())
    })
}
