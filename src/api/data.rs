//! WinHttpQueryDataAvailable, WinHttpReadData, WinHttpReadDataEx.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{boolean, check, code, find, given, out_parameter, put};
use super::request::ended;
use crate::handle::{BorrowedBuffer, CallOutcome, Handle};
use crate::record::{Api, Notification};
use crate::win32::probe::readable;
use crate::win32::*;

/// Asks how many bytes can be read at once, at most 8192 (nf-winhttp-winhttpquerydataavailable). Ends with
/// DATA_AVAILABLE, or REQUEST_ERROR {API_QUERY_DATA_AVAILABLE, error}; the last error is ERROR_IO_PENDING if that comes
/// from a worker.
///
/// # Safety
/// The count is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpQueryDataAvailable(
    hrequest: HINTERNET,
    lpdwnumberofbytesavailable: *mut u32,
) -> BOOL {
    boolean("WinHttpQueryDataAvailable", hrequest, || {
        let handle = find(hrequest)?;
        // SAFETY: the caller's promise.
        let out = unsafe { out_parameter(&handle, "WinHttpQueryDataAvailable", lpdwnumberofbytesavailable) };
        let lent = BorrowedBuffer { out, ..BorrowedBuffer::default() };
        let called = handle.call(Api::QUERY_DATA_AVAILABLE, lent, |machine, now| machine.query(now))?;
        let last = last_error_of(&handle, &called);
        if let (Some(Notification::DataAvailable { bytes }), false) = (ended(&handle, called)?, handle.asynchronous()) {
            // SAFETY: the caller's promise.
            unsafe { put(lpdwnumberofbytesavailable, bytes) };
        }
        Ok(last)
    })
}

/// Reads body bytes until the buffer is full or the body ends (nf-winhttp-winhttpreaddata). Ends with READ_COMPLETE,
/// 0 bytes at the end, or REQUEST_ERROR {API_READ_DATA, error}; the last error is ERROR_IO_PENDING if that comes from a
/// worker. The count is 0 before anything is looked at (source S3), and stays so when the call fails.
///
/// # Safety
/// `lpbuffer` has room for `dwnumberofbytestoread` bytes and is left alone until the operation ends; the count is NULL
/// or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpReadData(
    hrequest: HINTERNET,
    lpbuffer: *mut c_void,
    dwnumberofbytestoread: u32,
    lpdwnumberofbytesread: *mut u32,
) -> BOOL {
    // SAFETY: the caller's promise.
    boolean("WinHttpReadData", hrequest, || unsafe {
        counted(lpdwnumberofbytesread, || read(hrequest, lpbuffer, dwnumberofbytestoread, lpdwnumberofbytesread, true))
    })
}

/// Like [`WinHttpReadData`], but ends with the first bytes unless WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER is given
/// (nf-winhttp-winhttpreaddataex). Answers the error: 0 also when the end is told later.
///
/// # Safety
/// As for [`WinHttpReadData`].
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpReadDataEx(
    hrequest: HINTERNET,
    lpbuffer: *mut c_void,
    dwnumberofbytestoread: u32,
    lpdwnumberofbytesread: *mut u32,
    ullflags: u64,
    cbproperty: u32,
    pvproperty: *const c_void,
) -> u32 {
    code("WinHttpReadDataEx", hrequest, || {
        let fill = ullflags & WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER != 0;
        let unknown = ullflags & !WINHTTP_READ_DATA_EX_FLAG_FILL_BUFFER != 0;
        let refused = unknown || cbproperty != 0 || !pvproperty.is_null();
        // SAFETY: the caller's promise.
        let last = unsafe {
            counted(lpdwnumberofbytesread, || match refused {
                true => Err(ERROR_INVALID_PARAMETER),
                false => read(hrequest, lpbuffer, dwnumberofbytestoread, lpdwnumberofbytesread, fill),
            })
        };
        last.map(drop)
    })
}

/// A call whose count is 0 unless it is told what was read (source S3).
///
/// # Safety
/// `count` is NULL or writable.
unsafe fn counted(
    count: *mut u32,
    call: impl FnOnce() -> Result<Win32Error, Win32Error>,
) -> Result<Win32Error, Win32Error> {
    let answer = call();
    if answer.is_err() {
        // SAFETY: the caller's promise.
        unsafe { zero(count) };
    }
    answer
}

/// Writes 0 to a count, if that leads anywhere: who fails before the count is needed has not looked at it yet.
///
/// # Safety
/// `count` is NULL, leads nowhere, or is writable.
unsafe fn zero(count: *mut u32) {
    if !count.is_null() && readable(count.expose_provenance(), size_of::<u32>()) {
        // SAFETY: the caller's promise.
        unsafe { put(count, 0) };
    }
}

/// # Safety
/// As for [`WinHttpReadData`].
unsafe fn read(
    request: HINTERNET,
    buffer: *mut c_void,
    length: u32,
    count: *mut u32,
    fill: bool,
) -> Result<Win32Error, Win32Error> {
    let handle = find(request)?;
    handle.as_request()?;
    if buffer.is_null() && length != 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    if handle.asynchronous() {
        // SAFETY: the caller's promise.
        unsafe { zero(count) };
    }
    given(handle.world(), || format!("{length} bytes"));
    check(&handle, "WinHttpReadData", "lpBuffer", buffer, length as usize)?;
    let watched = handle.watch().buffers;
    // SAFETY: the caller's promise: the buffer, and the count, are ours until the operation ends.
    let (buffer, out) =
        unsafe { (CallerBuf::new(buffer, length).watched(watched), out_parameter(&handle, "WinHttpReadData", count)) };
    let lent = BorrowedBuffer { out, room: length, bytes: None };
    let called = handle.call(Api::READ_DATA, lent, |machine, now| machine.read(now, buffer, fill))?;
    let last = last_error_of(&handle, &called);
    if let (Some(Notification::ReadComplete { bytes, .. }), false) = (ended(&handle, called)?, handle.asynchronous()) {
        // SAFETY: the caller's promise.
        unsafe { put(count, bytes) };
    }
    Ok(last)
}

/// 997 while the completion is on its way from a worker (source E2).
fn last_error_of(handle: &Handle, called: &CallOutcome) -> Win32Error {
    if handle.asynchronous() && called.later { ERROR_IO_PENDING } else { ERROR_SUCCESS }
}
