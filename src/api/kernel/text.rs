//! Text between UTF-16 and other encodings.
#![allow(unsafe_code)]

use crate::api::edge::{no_panic, put};
use crate::http::Encoding;
use crate::win32::*;

/// CP_ACP and CP_THREAD_ACP are UTF-8 here, as a program's manifest may ask for on Windows.
const UTF8: [u32; 3] = [65001, 0, 3];
/// ISO 8859-1 and ASCII
const LATIN1: u32 = 28591;
const ASCII: u32 = 20127;

const MB_PRECOMPOSED: u32 = 1;
const MB_ERR_INVALID_CHARS: u32 = 8;
const WC_ERR_INVALID_CHARS: u32 = 0x80;
const WC_NO_BEST_FIT_CHARS: u32 = 0x400;

/// NUL-terminated text in UTF-8 as NUL-terminated UTF-16; `None` for NULL.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
pub(super) unsafe fn widened(text: PCSTR) -> Option<Vec<u16>> {
    // SAFETY: the caller's promise.
    let mut wide = unsafe { crate::api::edge::narrow_text(text) }?;
    wide.push(0);
    Some(wide)
}

fn decode(page: u32, bytes: &[u8], strict: bool) -> Result<Vec<u16>, Win32Error> {
    if UTF8.contains(&page) {
        if strict && std::str::from_utf8(bytes).is_err() {
            return Err(ERROR_NO_UNICODE_TRANSLATION);
        }
        return Ok(Encoding::Utf8.decode(bytes).encode_utf16().collect());
    }
    match page {
        LATIN1 => Ok(bytes.iter().map(|byte| u16::from(*byte)).collect()),
        ASCII if strict && !bytes.is_ascii() => Err(ERROR_NO_UNICODE_TRANSLATION),
        ASCII => Ok(bytes.iter().map(|byte| if byte.is_ascii() { u16::from(*byte) } else { 0xfffd }).collect()),
        _ => Err(ERROR_INVALID_PARAMETER),
    }
}

/// The bytes, and whether a character had no form.
fn encode(page: u32, text: &[u16], default: u8) -> Result<(Vec<u8>, bool), Win32Error> {
    if UTF8.contains(&page) {
        return Ok((String::from_utf16_lossy(text).into_bytes(), String::from_utf16(text).is_err()));
    }
    let last = match page {
        LATIN1 => 0xff,
        ASCII => 0x7f,
        _ => return Err(ERROR_INVALID_PARAMETER),
    };
    let known = |c: char| u32::from(c) <= last;
    let characters: Vec<char> = String::from_utf16_lossy(text).chars().collect();
    let bytes = characters.iter().map(|c| if known(*c) { u32::from(*c) as u8 } else { default }).collect();
    Ok((bytes, !characters.iter().all(|c| known(*c))))
}

/// Hands out what was made: its length if there is no room asked for.
///
/// # Safety
/// `out` has `room` elements, or that is 0.
unsafe fn hand_out<T>(made: &[T], out: *mut T, room: i32) -> Result<i32, Win32Error> {
    if room < 0 || (room > 0 && out.is_null()) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    if room > 0 {
        if made.len() > room as usize {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        // SAFETY: the caller's promise; it fits.
        unsafe { std::ptr::copy_nonoverlapping(made.as_ptr(), out, made.len()) };
    }
    i32::try_from(made.len()).map_err(|_| ERROR_INVALID_PARAMETER)
}

/// The elements of a text: so many, or with -1 up to its NUL, that included.
///
/// # Safety
/// `text` has so many.
unsafe fn elements<T: Copy + PartialEq + Default>(text: *const T, count: i32) -> Result<Vec<T>, Win32Error> {
    if text.is_null() || count == 0 || count < -1 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let mut all = Vec::new();
    // SAFETY: the caller's promise.
    unsafe {
        while count < 0 || all.len() < count as usize {
            let element = text.add(all.len()).read_unaligned();
            all.push(element);
            if count < 0 && element == T::default() {
                break;
            }
        }
    }
    Ok(all)
}

fn answered(result: Result<i32, Win32Error>) -> i32 {
    result.unwrap_or_else(|error| {
        set_last_error(error);
        0
    })
}

/// To UTF-16 (nf-stringapiset-multibytetowidechar): from UTF-8 (also CP_ACP), ISO 8859-1 or ASCII. 0 with
/// ERROR_INVALID_PARAMETER for another code page, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_FLAGS, or
/// ERROR_NO_UNICODE_TRANSLATION where MB_ERR_INVALID_CHARS is given.
///
/// # Safety
/// The text has its length, the buffer its size.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn MultiByteToWideChar(
    codepage: u32,
    dwflags: u32,
    lpmultibytestr: PCSTR,
    cbmultibyte: i32,
    lpwidecharstr: PWSTR,
    cchwidechar: i32,
) -> i32 {
    no_panic(0, || {
        // SAFETY: the caller's promise.
        answered(unsafe { elements(lpmultibytestr, cbmultibyte) }.and_then(|bytes| {
            if dwflags & !(MB_PRECOMPOSED | MB_ERR_INVALID_CHARS) != 0 {
                return Err(ERROR_INVALID_FLAGS);
            }
            let wide = decode(codepage, &bytes, dwflags & MB_ERR_INVALID_CHARS != 0)?;
            // SAFETY: the caller's promise.
            unsafe { hand_out(&wide, lpwidecharstr, cchwidechar) }
        }))
    })
}

/// From UTF-16 (nf-stringapiset-widechartomultibyte): to UTF-8 (also CP_ACP), ISO 8859-1 or ASCII. 0 with
/// ERROR_INVALID_PARAMETER for another code page, or a default character where UTF-8 needs none,
/// ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_FLAGS, or ERROR_NO_UNICODE_TRANSLATION where WC_ERR_INVALID_CHARS is given.
///
/// # Safety
/// The text has its length, the buffer its size; the others are NULL or readable and writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WideCharToMultiByte(
    codepage: u32,
    dwflags: u32,
    lpwidecharstr: PCWSTR,
    cchwidechar: i32,
    lpmultibytestr: PSTR,
    cbmultibyte: i32,
    lpdefaultchar: PCSTR,
    lpuseddefaultchar: *mut BOOL,
) -> i32 {
    no_panic(0, || {
        // SAFETY: the caller's promise.
        answered(unsafe { elements(lpwidecharstr, cchwidechar) }.and_then(|text| {
            let utf8 = codepage == UTF8[0];
            if utf8 && !(lpdefaultchar.is_null() && lpuseddefaultchar.is_null()) {
                return Err(ERROR_INVALID_PARAMETER);
            }
            if dwflags & !(WC_ERR_INVALID_CHARS | WC_NO_BEST_FIT_CHARS) != 0 {
                return Err(ERROR_INVALID_FLAGS);
            }
            // SAFETY: the caller's promise.
            let default = unsafe { crate::api::edge::get(lpdefaultchar) }.unwrap_or(b'?');
            let (bytes, lost) = encode(codepage, &text, default)?;
            if lost && dwflags & WC_ERR_INVALID_CHARS != 0 {
                return Err(ERROR_NO_UNICODE_TRANSLATION);
            }
            // SAFETY: the caller's promise.
            unsafe {
                put(lpuseddefaultchar, BOOL::from(lost));
                hand_out(&bytes, lpmultibytestr, cbmultibyte)
            }
        }))
    })
}
