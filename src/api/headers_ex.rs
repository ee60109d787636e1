//! WinHttpAddRequestHeadersEx, WinHttpQueryHeadersEx (sources ex.add, ex.query): names and values apart, wide or
//! narrow.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{allowed, code, find, get, narrow_text, put, text};
use crate::http::query::{self, Fields};
use crate::http::{Encoding, Headers};
use crate::win32::*;
use crate::world::Requested;

/// Adds, replaces or removes request headers whose names and values are given apart
/// (nf-winhttp-winhttpaddrequestheadersex). The modifiers are those of WinHttpAddRequestHeaders. With
/// WINHTTP_EXTENDED_HEADER_FLAG_UNICODE in `ullflags` the texts are UTF-16, else UTF-8. All headers are taken, or none.
///
/// ERROR_INVALID_PARAMETER for no headers, unknown flags, an `ullextra` that is not 0, a NULL name, for
/// what is no header, and for ADD_IF_NEW where there is one; ERROR_WINHTTP_HEADER_NOT_FOUND for REPLACE where there is none.
///
/// # Safety
/// `pheaders` is NULL or has `cheaders` entries, whose strings are NULL or end in NUL.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpAddRequestHeadersEx(
    hrequest: HINTERNET,
    dwmodifiers: u32,
    ullflags: u64,
    ullextra: u64,
    cheaders: u32,
    pheaders: *const WINHTTP_EXTENDED_HEADER,
) -> u32 {
    code("WinHttpAddRequestHeadersEx", hrequest, || {
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        let unicode = u64::from(WINHTTP_EXTENDED_HEADER_FLAG_UNICODE);
        if ullflags & !unicode != 0 || ullextra != 0 || cheaders == 0 || pheaders.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let wide = ullflags & unicode != 0;
        let mut pairs = Vec::new();
        for place in 0..cheaders as usize {
            // SAFETY: the caller's promise; both members of a union are pointers of the same size.
            let (name, value) = unsafe {
                let header = pheaders.add(place).read_unaligned();
                if wide {
                    (text(header.Anonymous1.pwszName), text(header.Anonymous2.pwszValue))
                } else {
                    (narrow_text(header.Anonymous1.pszName), narrow_text(header.Anonymous2.pszValue))
                }
            };
            pairs.push((name.ok_or(ERROR_INVALID_PARAMETER)?, value.unwrap_or_default()));
        }
        request.configure(|config| {
            let mut headers: Headers = config.template.headers.clone();
            for (name, value) in &pairs {
                headers.add_pair(name, value, dwmodifiers)?;
            }
            config.template.headers = headers;
            Ok(())
        })
    })
}

/// Reads headers as names and values (nf-winhttp-winhttpqueryheadersex): all with WINHTTP_QUERY_EX_ALL_HEADERS, else
/// one of a name: the one that `pdwindex` says, the first without it. The buffer gets the array and the texts.
/// With WINHTTP_QUERY_FLAG_WIRE_ENCODING the name is given, and the texts are answered, byte for byte; else they are
/// UTF-16, and `uicodepage` says how bytes become that: 65001 (UTF-8), 28591, 1252, 20127; 0 is CP_ACP, which is 1252
/// as on most systems of the West, or what `lab::Profile::with_ansi_code_page` says. Another number is read as 0 (source
/// ex.code-page).
///
/// ERROR_INVALID_PARAMETER for VERSION, STATUS_CODE, STATUS_TEXT, RAW_HEADERS_CRLF, the modifiers of numbers and times,
/// flags, and NULL out parameters; ERROR_INSUFFICIENT_BUFFER with the length that is needed;
/// ERROR_WINHTTP_HEADER_NOT_FOUND; ERROR_WINHTTP_INCORRECT_HANDLE_STATE before there is a reply, or trailers.
///
/// # Safety
/// The name's string is NULL or ends in NUL; `pbuffer` is NULL or has `*pdwbufferlength` bytes; the out parameters are
/// NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
#[allow(clippy::too_many_arguments)]
pub unsafe extern "system" fn WinHttpQueryHeadersEx(
    hrequest: *const c_void,
    dwinfolevel: u32,
    ullflags: u64,
    uicodepage: u32,
    pdwindex: *mut u32,
    pheadername: *const WINHTTP_HEADER_NAME,
    pbuffer: *mut c_void,
    pdwbufferlength: *mut u32,
    ppheaders: *mut *mut WINHTTP_EXTENDED_HEADER,
    pdwheaderscount: *mut u32,
) -> u32 {
    code("WinHttpQueryHeadersEx", hrequest, || {
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        // SAFETY: the caller's promise, for all that is read here.
        let (room, index, name) = unsafe { (get(pdwbufferlength), get(pdwindex), get(pheadername)) };
        let room = room.filter(|_| ullflags == 0 && !ppheaders.is_null() && !pdwheaderscount.is_null());
        let room = room.ok_or(ERROR_INVALID_PARAMETER)? as usize;
        allowed(&handle, Requested::Headers(dwinfolevel))?;
        // No code page is refused (source ex.code-page).
        let ansi = || Encoding::of_code_page(handle.world().choices.ansi_code_page()).unwrap_or_default();
        let encoding = Encoding::of_code_page(uicodepage).filter(|_| uicodepage != 0).unwrap_or_else(ansi);
        let wire = dwinfolevel & WINHTTP_QUERY_FLAG_WIRE_ENCODING != 0;
        // SAFETY: as above.
        let name = name.and_then(|name| unsafe { if wire { narrow_text(name.pszName) } else { text(name.pwszName) } });
        let Fields { fields, next } = request.with(|machine| {
            let sent = machine.request_head();
            let reply = machine.response_head().ok();
            query::fields(dwinfolevel, name.as_deref(), index, &sent, reply, machine.trailers())
        })?;
        let texts: Vec<Vec<u8>> = fields
            .iter()
            .flat_map(|(name, value)| [name.as_bytes(), value.as_slice()])
            .map(|text| if wire { [text, &[0]].concat() } else { encoding.wide_bytes(text) })
            .collect();
        let entry = size_of::<WINHTTP_EXTENDED_HEADER>();
        // The array is aligned for pointers, whatever the buffer is.
        let padding = pbuffer.cast::<u8>().align_offset(align_of::<WINHTTP_EXTENDED_HEADER>());
        let needed = padding + fields.len() * entry + texts.iter().map(Vec::len).sum::<usize>();
        if pbuffer.is_null() || room < needed {
            // SAFETY: as above.
            unsafe { put(pdwbufferlength, needed as u32) };
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        // SAFETY: the array and the texts behind it end `needed` bytes behind the buffer's begin, which are there.
        unsafe {
            let array: *mut WINHTTP_EXTENDED_HEADER = pbuffer.byte_add(padding).cast();
            let mut free: *mut u8 = array.add(fields.len()).cast();
            for (place, text) in texts.iter().enumerate() {
                std::ptr::copy_nonoverlapping(text.as_ptr(), free, text.len());
                let pointer: *mut PCWSTR = array.cast();
                pointer.add(place).write(free.cast());
                free = free.add(text.len());
            }
            put(pdwbufferlength, needed as u32);
            put(ppheaders, array);
            put(pdwheaderscount, fields.len() as u32);
            if let Some(next) = next {
                put(pdwindex, next);
            }
        }
        Ok(())
    })
}
