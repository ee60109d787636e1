//! WinHttpOpenRequest, WinHttpSendRequest, WinHttpWriteData, WinHttpReceiveResponse.
#![allow(unsafe_code)]

use std::sync::Arc;

use bytes::Bytes;

use super::edge::{
    allowed, bytes, check, check_empty, counted_text, done, find, given, handle, out_parameter, put, text,
};
use super::options;
use super::session::header_value;
use crate::handle::{BorrowedBuffer, CallOutcome, Request};
use crate::http::{Headers, Version, header_text, target};
use crate::machine::{self, Cookies, Origin, RequestTemplate, SendCall};
use crate::record::{Api, Notification};
use crate::win32::*;
use crate::world::Requested;

/// Makes a request (nf-winhttp-winhttpopenrequest). NULL or empty: GET, `/`, HTTP/1.1. Nothing is sent.
/// GET, HEAD, POST, PUT, DELETE, TRACE and OPTIONS go out in upper case and are these verbs in whatever case they are
/// given; all others stay as they are (source open.verb-case).
///
/// ERROR_INVALID_PARAMETER for a verb that is no token; ERROR_ACCESS_DENIED for plain HTTP in a session with
/// WINHTTP_FLAG_SECURE_DEFAULTS.
///
/// # Safety
/// The strings are NULL or NUL-terminated UTF-16; the accept types NULL or an array of such with a NULL behind it.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpOpenRequest(
    hconnect: HINTERNET,
    pwszverb: PCWSTR,
    pwszobjectname: PCWSTR,
    pwszversion: PCWSTR,
    pwszreferrer: PCWSTR,
    ppwszaccepttypes: *const PCWSTR,
    dwflags: u32,
) -> HINTERNET {
    handle("WinHttpOpenRequest", hconnect, || {
        let parent = find(hconnect)?;
        let connection = parent.as_connection()?;
        allowed(&parent, Requested::Request(dwflags))?;
        let session = parent.session_part().ok_or(ERROR_INVALID_HANDLE)?;
        // SAFETY: the caller's promise, for all four and the array.
        let (verb, object, version, referrer, accept) = unsafe {
            (
                text(pwszverb),
                text(pwszobjectname),
                text(pwszversion),
                text(pwszreferrer),
                accept_types(ppwszaccepttypes),
            )
        };
        let method = header_text::verb(&verb.unwrap_or_default())?;
        let secure = dwflags & WINHTTP_FLAG_SECURE != 0;
        given(parent.world(), || {
            let object = String::from_utf16_lossy(object.as_deref().unwrap_or_default());
            format!("{method} {}{}", crate::record::url(&object), if secure { ", secure" } else { "" })
        });
        let port = match connection.port {
            0 => {
                if secure {
                    443
                } else {
                    80
                }
            }
            port => port,
        };
        let settings = session.settings.lock().clone();
        let template = RequestTemplate {
            method,
            target: target::escape(&object.unwrap_or_default(), dwflags, settings.code_page),
            version: match version.filter(|version| !version.is_empty()) {
                Some(version) => Version::of_request(&version),
                None => options::default_version(),
            },
            headers: Headers::default(),
            agent: session.agent.lock().clone(),
            accept: accept?,
            referrer: referrer.filter(|text| !text.is_empty()).map(|text| header_value(&text)).transpose()?,
            refresh: dwflags & WINHTTP_FLAG_REFRESH != 0,
            automatic_chunking: dwflags & WINHTTP_FLAG_AUTOMATIC_CHUNKING != 0,
        };
        if settings.secure_defaults && !secure {
            return Err(ERROR_ACCESS_DENIED);
        }
        let origin = Origin { secure, host: connection.host.clone(), port };
        let mut machine = machine::Request::new(origin, template, settings);
        let world = parent.world();
        machine.config.cookies = Cookies::new(Arc::clone(&session.cookies), world.clock.date() - world.clock.now());
        parent.request(Request::new(machine))
    })
}

/// # Safety
/// `types` is NULL or an array of NUL-terminated UTF-16 with a NULL behind it.
unsafe fn accept_types(types: *const PCWSTR) -> Result<Vec<String>, Win32Error> {
    let mut accept = Vec::new();
    if !types.is_null() {
        // SAFETY: the caller's promise: every entry up to the NULL is readable.
        while let Some(entry) = unsafe { text(types.add(accept.len()).read_unaligned()) } {
            accept.push(header_value(&entry)?);
        }
    }
    Ok(accept)
}

/// Sends a request (nf-winhttp-winhttpsendrequest). Ends with SENDREQUEST_COMPLETE, which carries `lpoptional` and its
/// length, or REQUEST_ERROR {API_SEND_REQUEST, error}.
///
/// `dwcontext` replaces the handle's context if it is not 0, also when the call fails. ERROR_INVALID_PARAMETER if a
/// Content-Length header contradicts `dwtotallength`, for text that is no header, for Transfer-Encoding beside
/// Content-Length, and for Transfer-Encoding with GET; ERROR_WINHTTP_INCORRECT_HANDLE_STATE while an operation is pending.
///
/// # Safety
/// `lpszheaders` has `dwheaderslength` characters, or a NUL if that is -1 or 0; `lpoptional` has `dwoptionallength` bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSendRequest(
    hrequest: HINTERNET,
    lpszheaders: PCWSTR,
    dwheaderslength: u32,
    lpoptional: *const core::ffi::c_void,
    dwoptionallength: u32,
    dwtotallength: u32,
    dwcontext: usize,
) -> BOOL {
    done("WinHttpSendRequest", hrequest, || {
        let handle = find(hrequest)?;
        handle.as_request()?;
        if dwcontext != 0 {
            handle.set_context(dwcontext);
        }
        let length = if dwheaderslength == 0 { u32::MAX } else { dwheaderslength };
        let units = if length == u32::MAX { 1 } else { length as usize };
        check(&handle, "WinHttpSendRequest", "lpszHeaders", lpszheaders, 2 * units)?;
        check(&handle, "WinHttpSendRequest", "lpOptional", lpoptional, dwoptionallength as usize)?;
        // SAFETY: the caller's promise, for both. The bytes are copied: they can be needed until the reply is there.
        let (headers, optional) = unsafe {
            let optional = bytes(lpoptional, dwoptionallength).ok_or(ERROR_INVALID_PARAMETER)?;
            (counted_text(lpszheaders, length).unwrap_or_default(), optional)
        };
        let lent = BorrowedBuffer { bytes: watched(&handle, optional), ..BorrowedBuffer::default() };
        let optional = Bytes::copy_from_slice(optional);
        let hold = handle.asynchronous() && handle.policy().hold_send;
        let optional_address = lpoptional.expose_provenance();
        if dwoptionallength > 0 || dwtotallength > 0 {
            given(handle.world(), || format!("{dwoptionallength} of {dwtotallength} bytes"));
        }
        let called = handle.call(Api::SEND_REQUEST, lent, |machine, now| {
            let key = if machine.config.settings.web_socket { handle.random() } else { [0; 16] };
            machine.send(now, SendCall { headers, optional, optional_address, total: dwtotallength, key, hold })
        })?;
        ended(&handle, called).map(drop)
    })
}

/// Takes the reply (nf-winhttp-winhttpreceiveresponse); ends the body unless WINHTTP_FLAG_AUTOMATIC_CHUNKING was given.
/// Ends with HEADERS_AVAILABLE, or REQUEST_ERROR {API_RECEIVE_RESPONSE, error}.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpReceiveResponse(hrequest: HINTERNET, _lpreserved: *mut core::ffi::c_void) -> BOOL {
    done("WinHttpReceiveResponse", hrequest, || {
        let handle = find(hrequest)?;
        let called =
            handle.call(Api::RECEIVE_RESPONSE, BorrowedBuffer::default(), |machine, now| machine.receive(now))?;
        ended(&handle, called).map(drop)
    })
}

/// Sends body bytes (nf-winhttp-winhttpwritedata). Ends with WRITE_COMPLETE, or REQUEST_ERROR {API_WRITE_DATA, error}.
/// ERROR_INVALID_PARAMETER for more bytes than were announced.
///
/// With WINHTTP_FLAG_AUTOMATIC_CHUNKING each call is a chunk, nothing is announced, and a call with NULL and 0 bytes ends the
/// body (source upload.automatic): until then the server has no whole request. WinHttpReceiveResponse may be called before the
/// writes, between them or after the last.
///
/// # Safety
/// `lpbuffer` has `dwnumberofbytestowrite` bytes; the count is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWriteData(
    hrequest: HINTERNET,
    lpbuffer: *const core::ffi::c_void,
    dwnumberofbytestowrite: u32,
    lpdwnumberofbyteswritten: *mut u32,
) -> BOOL {
    done("WinHttpWriteData", hrequest, || {
        let handle = find(hrequest)?;
        handle.as_request()?;
        given(handle.world(), || format!("{dwnumberofbytestowrite} bytes"));
        let readable = (dwnumberofbytestowrite as usize).max(1);
        check(&handle, "WinHttpWriteData", "lpBuffer", lpbuffer, readable)?;
        check_empty(lpbuffer, dwnumberofbytestowrite)?;
        // SAFETY: the caller's promise; the bytes are copied before the call returns.
        let data = unsafe { bytes(lpbuffer, dwnumberofbytestowrite) }.ok_or(ERROR_INVALID_PARAMETER)?;
        // SAFETY: the caller's promise.
        let out = unsafe { out_parameter(&handle, "WinHttpWriteData", lpdwnumberofbyteswritten) };
        let lent = BorrowedBuffer { bytes: watched(&handle, data), out, room: dwnumberofbytestowrite };
        let called = handle.call(Api::WRITE_DATA, lent, |machine, now| machine.write(now, data))?;
        if let (Some(Notification::WriteComplete { bytes }), false) = (ended(&handle, called)?, handle.asynchronous()) {
            // SAFETY: the caller's promise.
            unsafe { put(lpdwnumberofbyteswritten, bytes) };
        }
        Ok(())
    })
}

/// Bytes that an operation reads, if somebody looks whether they stay as they are.
pub(super) fn watched(handle: &crate::handle::Handle, bytes: &[u8]) -> Option<CallerBytes> {
    (handle.watch().buffers && !bytes.is_empty()).then(|| CallerBytes::watch(bytes))
}

/// The completion of an operation that has ended. A synchronous call fails with its error; an asynchronous one has
/// told it to the callback.
pub(super) fn ended(handle: &crate::handle::Handle, called: CallOutcome) -> Result<Option<Notification>, Win32Error> {
    match called.outcome {
        Some(Ok(completion)) => Ok(Some(completion)),
        Some(Err(error)) if !handle.asynchronous() => {
            if let Ok(request) = handle.as_request() {
                set_extended_error(request.with(|machine| machine.extended_error()));
            }
            Err(error)
        }
        _ => Ok(None),
    }
}
