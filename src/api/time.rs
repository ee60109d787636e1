//! WinHttpTimeFromSystemTime, WinHttpTimeToSystemTime, WinHttpCheckPlatform.
#![allow(unsafe_code)]

use super::edge::{NONE, done, get, put, put_text, text};
use crate::http::time;
use crate::win32::*;

/// Characters of the caller's buffer, with the NUL: WINHTTP_TIME_FORMAT_BUFSIZE is 62 bytes.
const CHARACTERS: usize = WINHTTP_TIME_FORMAT_BUFSIZE as usize / 2;

/// Writes a time as `Mon, 28 Jul 2008 10:05:52 GMT` (nf-winhttp-winhttptimefromsystemtime). ERROR_INVALID_PARAMETER for
/// NULL and for what is no time.
///
/// # Safety
/// `pst` is NULL or readable, `pwsztime` NULL or has WINHTTP_TIME_FORMAT_BUFSIZE bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpTimeFromSystemTime(pst: *const SYSTEMTIME, pwsztime: PWSTR) -> BOOL {
    done("WinHttpTimeFromSystemTime", NONE, || {
        // SAFETY: the caller's promise.
        let moment = unsafe { get(pst) }.filter(|_| !pwsztime.is_null()).ok_or(ERROR_INVALID_PARAMETER)?;
        let formatted = time::format(&moment).ok_or(ERROR_INVALID_PARAMETER)?;
        let units: Vec<u16> = formatted.encode_utf16().take(CHARACTERS - 1).collect();
        // SAFETY: the buffer has so many characters.
        unsafe { put_text(pwsztime, &units) };
        Ok(())
    })
}

/// Reads a time (nf-winhttp-winhttptimetosystemtime). Lenient; what is no time is now. ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `pwsztime` is NULL or NUL-terminated UTF-16, `pst` NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpTimeToSystemTime(pwsztime: PCWSTR, pst: *mut SYSTEMTIME) -> BOOL {
    done("WinHttpTimeToSystemTime", NONE, || {
        // SAFETY: the caller's promise.
        let moment = unsafe { text(pwsztime) }.filter(|_| !pst.is_null()).ok_or(ERROR_INVALID_PARAMETER)?;
        let moment = time::parse_or_now(&String::from_utf16_lossy(&moment), crate::world::date());
        // SAFETY: the caller's promise.
        unsafe { put(pst, moment) };
        Ok(())
    })
}

/// Whether WinHTTP works on this platform: TRUE (nf-winhttp-winhttpcheckplatform).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn WinHttpCheckPlatform() -> BOOL {
    done("WinHttpCheckPlatform", NONE, || Ok(()))
}
