//! FormatMessage: the system's errors have the descriptions that Windows documents, WinHTTP's have texts of this crate's own.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::module;
use crate::api::edge::no_panic;
use crate::win32::memory::allocate;
use crate::win32::*;

const ALLOCATE_BUFFER: u32 = 0x100;
const FROM_STRING: u32 = 0x400;
const FROM_HMODULE: u32 = 0x800;
const FROM_SYSTEM: u32 = 0x1000;
const MAX_WIDTH_MASK: u32 = 0xff;

/// The texts of WinHTTP stand in its library, not in the system's table.
const OF_WINHTTP: std::ops::RangeInclusive<u32> = 12001..=12999;

/// The descriptions of "System Error Codes" (debug/system-error-codes) of what the functions here answer, and of what programs
/// ask for most.
const fn of_system(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "The operation completed successfully.",
        1 => "Incorrect function.",
        2 => "The system cannot find the file specified.",
        3 => "The system cannot find the path specified.",
        4 => "The system cannot open the file.",
        5 => "Access is denied.",
        6 => "The handle is invalid.",
        8 => "Not enough memory resources are available to process this command.",
        13 => "The data is invalid.",
        14 => "Not enough memory resources are available to complete this operation.",
        18 => "There are no more files.",
        31 => "A device attached to the system is not functioning.",
        32 => "The process cannot access the file because it is being used by another process.",
        38 => "Reached the end of the file.",
        50 => "The request is not supported.",
        80 => "The file exists.",
        87 => "The parameter is incorrect.",
        109 => "The pipe has been ended.",
        112 => "There is not enough space on the disk.",
        120 => "This function is not supported on this system.",
        122 => "The data area passed to a system call is too small.",
        123 => "The filename, directory name, or volume label syntax is incorrect.",
        126 => "The specified module could not be found.",
        127 => "The specified procedure could not be found.",
        131 => "An attempt was made to move the file pointer before the beginning of the file.",
        183 => "Cannot create a file when that file already exists.",
        203 => "The system could not find the environment option that was entered.",
        206 => "The filename or extension is too long.",
        234 => "More data is available.",
        258 => "The wait operation timed out.",
        259 => "No more data is available.",
        288 => "Attempt to release mutex not owned by caller.",
        298 => "Too many posts were made to a semaphore.",
        995 => "The I/O operation has been aborted because of either a thread exit or an application request.",
        996 => "Overlapped I/O event is not in a signaled state.",
        997 => "Overlapped I/O operation is in progress.",
        998 => "Invalid access to memory location.",
        1004 => "Invalid flags.",
        1113 => "No mapping for the Unicode character exists in the target multi-byte code page.",
        1168 => "Element not found.",
        1223 => "The operation was canceled by the user.",
        1225 => "The remote computer refused the network connection.",
        1460 => "This operation returned because the timeout period expired.",
        _ => return None,
    })
}

/// The text of a number.
fn text(flags: u32, source: *const c_void, number: u32) -> Result<String, Win32Error> {
    if flags & FROM_STRING != 0 {
        return Err(ERROR_NOT_SUPPORTED);
    }
    if flags & (FROM_HMODULE | FROM_SYSTEM) == 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let winhttp = flags & FROM_HMODULE != 0 && module::is_winhttp(source.addr());
    let there = if OF_WINHTTP.contains(&number) { winhttp } else { flags & FROM_SYSTEM != 0 };
    // Numbers of HRESULT's shape stand for those of Win32.
    let number = if number >> 16 == 0x8007 { number & 0xffff } else { number };
    let text =
        of_system(number).or_else(|| Win32Error(number).text()).filter(|_| there).ok_or(ERROR_MR_MID_NOT_FOUND)?;
    let end = if flags & MAX_WIDTH_MASK == MAX_WIDTH_MASK { " " } else { "\r\n" };
    Ok(format!("{text}{end}"))
}

/// Hands the text out with its NUL: how long it is without.
///
/// # Safety
/// `buffer` has `size` elements; with ALLOCATE_BUFFER it is a place for a pointer.
unsafe fn hand_out<T: Copy + Default>(flags: u32, text: &[T], buffer: *mut T, size: u32) -> Result<u32, Win32Error> {
    if buffer.is_null() {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let out = if flags & ALLOCATE_BUFFER != 0 {
        let room = (text.len() + 1).max(size as usize);
        let block = allocate(room * size_of::<T>(), true).cast::<T>();
        // SAFETY: the caller's promise.
        unsafe { buffer.cast::<*mut T>().write_unaligned(block) };
        if block.is_null() {
            return Err(ERROR_NOT_ENOUGH_MEMORY);
        }
        block
    } else if text.len() < size as usize {
        buffer
    } else {
        return Err(ERROR_INSUFFICIENT_BUFFER);
    };
    // SAFETY: there is room for the text and its NUL.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr(), out, text.len());
        out.add(text.len()).write(T::default());
    }
    Ok(text.len() as u32)
}

fn answered(result: Result<u32, Win32Error>) -> u32 {
    result.unwrap_or_else(|error| {
        set_last_error(error);
        0
    })
}

/// The text of an error (nf-winbase-formatmessagew): its characters without the NUL. WinHTTP's numbers have one with
/// FORMAT_MESSAGE_FROM_HMODULE and the handle of winhttp.dll only. The language is not looked at. 0 with
/// ERROR_MR_MID_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, or ERROR_NOT_SUPPORTED for
/// FORMAT_MESSAGE_FROM_STRING.
///
/// # Safety
/// The buffer has `nsize` characters; with FORMAT_MESSAGE_ALLOCATE_BUFFER it is a place for a pointer, and LocalFree frees
/// what that leads to.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn FormatMessageW(
    dwflags: u32,
    lpsource: *const c_void,
    dwmessageid: u32,
    _dwlanguageid: u32,
    lpbuffer: PWSTR,
    nsize: u32,
    _arguments: *mut c_void,
) -> u32 {
    no_panic(0, || {
        let text = text(dwflags, lpsource, dwmessageid);
        answered(text.and_then(|text| {
            let wide: Vec<u16> = text.encode_utf16().collect();
            // SAFETY: the caller's promise.
            unsafe { hand_out(dwflags, &wide, lpbuffer, nsize) }
        }))
    })
}

/// [`FormatMessageW`] in UTF-8 (nf-winbase-formatmessagea).
///
/// # Safety
/// As there, in bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn FormatMessageA(
    dwflags: u32,
    lpsource: *const c_void,
    dwmessageid: u32,
    _dwlanguageid: u32,
    lpbuffer: PSTR,
    nsize: u32,
    _arguments: *mut c_void,
) -> u32 {
    no_panic(0, || {
        let text = text(dwflags, lpsource, dwmessageid);
        // SAFETY: the caller's promise.
        answered(text.and_then(|text| unsafe { hand_out(dwflags, text.as_bytes(), lpbuffer, nsize) }))
    })
}
