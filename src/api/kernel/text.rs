//! Text between UTF-16 and other encodings.
#![allow(unsafe_code)]

use crate::api::edge::{no_panic, put};
use crate::win32::*;

/// CP_ACP and CP_THREAD_ACP are UTF-8 here, as a program's manifest may ask for on Windows.
const UTF8: [u32; 3] = [65001, 0, 3];
/// ISO 8859-1, ASCII, and the code page of Western Europe
const LATIN1: u32 = 28591;
const ASCII: u32 = 20127;
const WESTERN: u32 = 1252;

/// What 1252 has where ISO 8859-1 has the control characters 0x80 to 0x9F; it keeps five of them.
const WESTERN_ONLY: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

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
        return Ok(String::from_utf8_lossy(bytes).encode_utf16().collect());
    }
    match page {
        LATIN1 => Ok(bytes.iter().map(|byte| u16::from(*byte)).collect()),
        WESTERN => Ok(bytes.iter().map(|byte| western(*byte)).collect()),
        ASCII if strict && !bytes.is_ascii() => Err(ERROR_NO_UNICODE_TRANSLATION),
        ASCII => Ok(bytes.iter().map(|byte| if byte.is_ascii() { u16::from(*byte) } else { 0xfffd }).collect()),
        _ => Err(ERROR_INVALID_PARAMETER),
    }
}

/// A character of 1252; all are in the first plane.
fn western(byte: u8) -> u16 {
    let at = usize::from(byte).wrapping_sub(0x80);
    WESTERN_ONLY.get(at).map_or(byte.into(), |character| u32::from(*character) as u16)
}

/// The bytes, and whether a character had no form.
fn encode(page: u32, text: &[u16], default: u8) -> Result<(Vec<u8>, bool), Win32Error> {
    if UTF8.contains(&page) {
        return Ok((String::from_utf16_lossy(text).into_bytes(), String::from_utf16(text).is_err()));
    }
    let byte = |c: char| match page {
        ASCII => u8::try_from(c).ok().filter(u8::is_ascii),
        WESTERN => (0..=u8::MAX).find(|byte| u32::from(western(*byte)) == u32::from(c)),
        _ => u8::try_from(c).ok(),
    };
    if ![LATIN1, ASCII, WESTERN].contains(&page) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let bytes: Vec<Option<u8>> = String::from_utf16_lossy(text).chars().map(byte).collect();
    let lost = bytes.contains(&None);
    Ok((bytes.into_iter().map(|byte| byte.unwrap_or(default)).collect(), lost))
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

/// To UTF-16 (nf-stringapiset-multibytetowidechar): from UTF-8 (also CP_ACP), ISO 8859-1, 1252 or ASCII. 0 with
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
            // Of UTF-8 by its own number, nothing else is composed.
            let known = if codepage == UTF8[0] { MB_ERR_INVALID_CHARS } else { MB_PRECOMPOSED | MB_ERR_INVALID_CHARS };
            if dwflags & !known != 0 {
                return Err(ERROR_INVALID_FLAGS);
            }
            let wide = decode(codepage, &bytes, dwflags & MB_ERR_INVALID_CHARS != 0)?;
            // SAFETY: the caller's promise.
            unsafe { hand_out(&wide, lpwidecharstr, cchwidechar) }
        }))
    })
}

/// From UTF-16 (nf-stringapiset-widechartomultibyte): to UTF-8 (also CP_ACP), ISO 8859-1, 1252 or ASCII. 0 with
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_pages() {
        let rows: [(u32, &[u8], &str); 6] = [
            (65001, b"\xc3\xa9\xe2\x82\xac", "é€"),
            (0, b"\xc3\xa9", "é"),
            (LATIN1, b"caf\xe9 \x80\xff", "café \u{80}ÿ"),
            (WESTERN, b"caf\xe9 \x80\x81\x93\x9f\xa0\xff", "café €\u{81}“Ÿ\u{a0}ÿ"),
            (ASCII, b"plain", "plain"),
            (WESTERN, b"", ""),
        ];
        for (page, bytes, text) in rows {
            let wide: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(decode(page, bytes, true), Ok(wide.clone()), "{page}");
            assert_eq!(encode(page, &wide, b'?'), Ok((bytes.to_vec(), false)), "{page}");
        }
        let wide: Vec<u16> = "a\u{80}€Ω".encode_utf16().collect();
        let lost: [(u32, &[u8]); 3] = [(LATIN1, b"a\x80??"), (WESTERN, b"a?\x80?"), (ASCII, b"a???")];
        for (page, bytes) in lost {
            assert_eq!(encode(page, &wide, b'?'), Ok((bytes.to_vec(), true)), "{page}");
        }
        assert_eq!(decode(932, b"a", false), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(encode(932, &wide, b'?'), Err(ERROR_INVALID_PARAMETER));
    }
}
