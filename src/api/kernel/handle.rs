//! What all handles of the system have in common: CloseHandle, DuplicateHandle, GetHandleInformation.
#![allow(unsafe_code)]

use super::sync::event;
use super::{file, thread};
use crate::api::edge::{NONE, done, put};
use crate::win32::*;

/// HANDLE_FLAG_INHERIT and HANDLE_FLAG_PROTECT_FROM_CLOSE
const FLAGS: u32 = 1 | 2;
/// DUPLICATE_CLOSE_SOURCE
const CLOSE_SOURCE: u32 = 1;

fn close(handle: usize) -> Result<(), Win32Error> {
    event::close(handle)?;
    thread::closed(handle);
    file::closed(handle);
    Ok(())
}

/// Closes the handle of an event, semaphore, mutex, thread or file (nf-handleapi-closehandle); a pseudo handle need not be
/// closed, and closing it does nothing. FALSE with ERROR_INVALID_HANDLE, also for a handle that is protected from it.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CloseHandle(hobject: HANDLE) -> BOOL {
    done("CloseHandle", NONE, || if thread::is_pseudo(hobject.addr()) { Ok(()) } else { close(hobject.addr()) })
}

/// Another handle to the same object, in this process; a pseudo handle becomes a real one of the process, or of the calling
/// thread (nf-handleapi-duplicatehandle). FALSE with ERROR_INVALID_HANDLE. Access is not looked at.
///
/// # Safety
/// `lptargethandle` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DuplicateHandle(
    hsourceprocesshandle: HANDLE,
    hsourcehandle: HANDLE,
    htargetprocesshandle: HANDLE,
    lptargethandle: *mut HANDLE,
    _dwdesiredaccess: u32,
    binherithandle: BOOL,
    dwoptions: u32,
) -> BOOL {
    done("DuplicateHandle", NONE, || {
        if ![hsourceprocesshandle, htargetprocesshandle].iter().all(|process| thread::is_process(process.addr())) {
            return Err(ERROR_INVALID_HANDLE);
        }
        let source = thread::real(hsourcehandle.addr());
        let copy = event::duplicate(source)?;
        event::flags(copy, FLAGS, u32::from(binherithandle != 0))?;
        thread::duplicated(source, copy);
        file::duplicated(source, copy);
        // A pseudo handle need not be closed.
        if dwoptions & CLOSE_SOURCE != 0 && source == hsourcehandle.addr() {
            close(source)?;
        }
        // SAFETY: the caller's promise.
        unsafe { put(lptargethandle, std::ptr::without_provenance_mut(copy)) };
        Ok(())
    })
}

/// HANDLE_FLAG_INHERIT and HANDLE_FLAG_PROTECT_FROM_CLOSE of a handle (nf-handleapi-gethandleinformation). FALSE with
/// ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpdwflags` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetHandleInformation(hobject: HANDLE, lpdwflags: *mut u32) -> BOOL {
    done("GetHandleInformation", NONE, || {
        let flags = event::flags(hobject.addr(), 0, 0)?;
        // SAFETY: the caller's promise.
        unsafe { put(lpdwflags, flags) };
        Ok(())
    })
}

/// Sets those of the flags that the mask names (nf-handleapi-sethandleinformation). No process is started here that could
/// inherit. FALSE with ERROR_INVALID_HANDLE or ERROR_INVALID_PARAMETER.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetHandleInformation(hobject: HANDLE, dwmask: u32, dwflags: u32) -> BOOL {
    done("SetHandleInformation", NONE, || {
        if (dwmask | dwflags) & !FLAGS != 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        event::flags(hobject.addr(), dwmask, dwflags).map(drop)
    })
}
