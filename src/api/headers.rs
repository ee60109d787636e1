//! WinHttpAddRequestHeaders, WinHttpQueryHeaders.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{allowed, as_bytes, copy_out, counted_text, done, find, get, put, text};
use crate::http::query;
use crate::win32::*;
use crate::world::Requested;

/// Adds, replaces or removes request headers (nf-winhttp-winhttpaddrequestheaders, source header.modifiers).
///
/// ERROR_INVALID_PARAMETER for NULL or length 0, before the handle is looked at; also for text that is
/// no header, has characters above U+00FF, or a name or value of more than 65535 characters, and for ADD_IF_NEW where there
/// is one; ERROR_WINHTTP_HEADER_NOT_FOUND for REPLACE where there is none.
///
/// # Safety
/// `lpszheaders` has `dwheaderslength` characters, or a NUL if that is -1.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpAddRequestHeaders(
    hrequest: HINTERNET,
    lpszheaders: PCWSTR,
    dwheaderslength: u32,
    dwmodifiers: u32,
) -> BOOL {
    done("WinHttpAddRequestHeaders", hrequest, || {
        if lpszheaders.is_null() || dwheaderslength == 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        // SAFETY: the caller's promise.
        let headers = unsafe { counted_text(lpszheaders, dwheaderslength) }.unwrap_or_default();
        request.configure(|config| config.template.headers.add_text(&headers, dwmodifiers))
    })
}

/// Reads headers of the reply or of the request (nf-winhttp-winhttpqueryheaders, source query.raw).
///
/// Lengths are bytes. ERROR_INSUFFICIENT_BUFFER with the length that is needed; ERROR_WINHTTP_HEADER_NOT_FOUND;
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE before the reply was received.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16; `lpbuffer` is NULL or has `*lpdwbufferlength` bytes; the length is
/// readable and writable, the index NULL or so.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpQueryHeaders(
    hrequest: HINTERNET,
    dwinfolevel: u32,
    pwszname: PCWSTR,
    lpbuffer: *mut c_void,
    lpdwbufferlength: *mut u32,
    lpdwindex: *mut u32,
) -> BOOL {
    done("WinHttpQueryHeaders", hrequest, || {
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        if lpdwbufferlength.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        allowed(&handle, Requested::Headers(dwinfolevel))?;
        // SAFETY: the caller's promise.
        let (name, index) = unsafe { (text(pwszname), get(lpdwindex)) };
        let (answer, next) = request.with(|machine| {
            let sent = machine.request_head();
            let reply = machine.response_head().ok();
            query::query(dwinfolevel, name.as_deref(), index, &sent, reply, machine.trailers())
        })?;
        let bytes = match &answer {
            query::Answer::Text(text) => as_bytes(&with_nul(text)),
            query::Answer::RawNul(text) => as_bytes(text),
            query::Answer::Wire(bytes) => [bytes.as_slice(), &[0]].concat(),
            query::Answer::Dword(value) => value.to_ne_bytes().to_vec(),
            query::Answer::Qword(value) => value.to_ne_bytes().to_vec(),
            query::Answer::Time(time) => [
                time.wYear,
                time.wMonth,
                time.wDayOfWeek,
                time.wDay,
                time.wHour,
                time.wMinute,
                time.wSecond,
                time.wMilliseconds,
            ]
            .iter()
            .flat_map(|field| field.to_ne_bytes())
            .collect(),
        };
        // SAFETY: the caller's promise, here and below.
        let room = if lpbuffer.is_null() { 0 } else { unsafe { lpdwbufferlength.read_unaligned() } };
        // SAFETY: as above.
        let copied = unsafe { copy_out(&bytes, bytes.len(), answer.reported(), lpbuffer, lpdwbufferlength) };
        if let Some(next) = next.filter(|_| copied.is_ok() || answer.moves_on(room as usize)) {
            // SAFETY: as above.
            unsafe { put(lpdwindex, next) };
        }
        copied
    })
}

fn with_nul(text: &[u16]) -> Vec<u16> {
    text.iter().copied().chain([0]).collect()
}
