//! WinHttpWebSocketCompleteUpgrade, WinHttpWebSocketSend, WinHttpWebSocketReceive, WinHttpWebSocketShutdown,
//! WinHttpWebSocketClose, WinHttpWebSocketQueryCloseStatus (sources ws.codes, WS1).
//!
//! All but the first answer their error. On an asynchronous handle 0 says that the end is told to the callback, and
//! nothing else does: also when it came inside the call.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{bytes, check, check_empty, code, find, handle, put};
use super::request::{ended, watched};
use crate::handle::BorrowedBuffer;
use crate::observe::CheckEvent;
use crate::record::{Api, Notification, WebSocketOperation};
use crate::win32::*;

/// Makes a web socket of the connection of a request whose reply is a 101 (nf-winhttp-winhttpwebsocketcompleteupgrade).
/// HANDLE_CREATED comes through the request, before the call returns; the request can be closed then. ReceiveResponse
/// can be left out once the reply is there; a synchronous call waits for it.
///
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE if UPGRADE_TO_WEB_SOCKET was not set, the status is not 101, or the connection
/// was upgraded before.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWebSocketCompleteUpgrade(hrequest: *const c_void, pcontext: usize) -> HINTERNET {
    handle("WinHttpWebSocketCompleteUpgrade", hrequest, || {
        let handle = find(hrequest)?;
        let request = handle.as_request()?;
        if !handle.asynchronous() && request.with(|machine| machine.awaits_upgrade()) {
            let called =
                handle.call(Api::RECEIVE_RESPONSE, BorrowedBuffer::default(), |machine, now| machine.receive(now))?;
            ended(&handle, called)?;
        }
        handle.upgrade(pcontext)
    })
}

/// Sends a message, or a fragment of one (nf-winhttp-winhttpwebsocketsend). Ends with WRITE_COMPLETE, inside the call
/// unless the peer takes nothing, or with REQUEST_ERROR {0, error, WINHTTP_WEB_SOCKET_SEND_OPERATION}.
///
/// ERROR_INVALID_PARAMETER for NULL with a length, a type that cannot be sent, or one that is not that of the message
/// under way; ERROR_INVALID_OPERATION after Shutdown or Close, and while a Send is pending.
///
/// # Safety
/// `pvbuffer` has `dwbufferlength` bytes; they are copied before the call returns.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWebSocketSend(
    hwebsocket: *const c_void,
    ebuffertype: i32,
    pvbuffer: *const c_void,
    dwbufferlength: u32,
) -> u32 {
    code("WinHttpWebSocketSend", hwebsocket, || {
        let handle = find(hwebsocket)?;
        handle.as_web_socket()?;
        check(&handle, "WinHttpWebSocketSend", "pvBuffer", pvbuffer, dwbufferlength as usize)?;
        check_empty(pvbuffer, dwbufferlength)?;
        // SAFETY: the caller's promise.
        let payload = unsafe { bytes(pvbuffer, dwbufferlength) }.ok_or(ERROR_INVALID_PARAMETER)?;
        let lent = BorrowedBuffer { bytes: watched(&handle, payload), ..BorrowedBuffer::default() };
        let called = handle
            .call_web_socket(WebSocketOperation::Send, lent, |machine, now| machine.send(now, ebuffertype, payload))?;
        ended(&handle, called).map(drop)
    })
}

/// Receives a message, or as much of one as the buffer holds (nf-winhttp-winhttpwebsocketreceive). Ends with
/// READ_COMPLETE, of type CLOSE when the peer has closed, or with REQUEST_ERROR {0, error,
/// WINHTTP_WEB_SOCKET_RECEIVE_OPERATION}. The buffer is filled up to the end of a frame. The two results are written by
/// a synchronous call only.
///
/// ERROR_INVALID_PARAMETER for no buffer; ERROR_INVALID_OPERATION while a Receive or Close is pending and after the
/// peer's close frame.
///
/// # Safety
/// `pvbuffer` has room for `dwbufferlength` bytes and is left alone until the operation ends; the results are NULL or
/// writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWebSocketReceive(
    hwebsocket: *const c_void,
    pvbuffer: *mut c_void,
    dwbufferlength: u32,
    pdwbytesread: *mut u32,
    pebuffertype: *mut i32,
) -> u32 {
    code("WinHttpWebSocketReceive", hwebsocket, || {
        let handle = find(hwebsocket)?;
        handle.as_web_socket()?;
        if pvbuffer.is_null() || dwbufferlength == 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        check(&handle, "WinHttpWebSocketReceive", "pvBuffer", pvbuffer, dwbufferlength as usize)?;
        if handle.asynchronous() && !(pdwbytesread.is_null() && pebuffertype.is_null()) {
            handle.tell(&CheckEvent::OutParameter("WinHttpWebSocketReceive"));
        }
        // SAFETY: the caller's promise: the buffer is ours until the operation ends.
        let buffer = unsafe { CallerBuf::new(pvbuffer, dwbufferlength) }.watched(handle.watch().buffers);
        let lent = BorrowedBuffer { room: dwbufferlength, ..BorrowedBuffer::default() };
        let called =
            handle.call_web_socket(WebSocketOperation::Receive, lent, |machine, now| machine.receive(now, buffer))?;
        let completion = ended(&handle, called)?;
        if let (false, Some(Notification::WebSocketReadComplete { bytes, buffer_type })) =
            (handle.asynchronous(), completion)
        {
            // SAFETY: the caller's promise.
            unsafe {
                put(pdwbytesread, bytes);
                put(pebuffertype, buffer_type);
            }
        }
        Ok(())
    })
}

/// Sends the close frame; messages can still be received (nf-winhttp-winhttpwebsocketshutdown). Ends with
/// SHUTDOWN_COMPLETE, or REQUEST_ERROR {0, error, WINHTTP_WEB_SOCKET_SHUTDOWN_OPERATION}.
///
/// ERROR_INVALID_PARAMETER for a reason of more than 123 bytes, one that is NULL with a length, and a status that a
/// close frame cannot have; WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS without reason sends a frame without status.
/// ERROR_INVALID_OPERATION after Shutdown or Close, and while a Send is pending.
///
/// # Safety
/// `pvreason` is NULL or has `dwreasonlength` bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWebSocketShutdown(
    hwebsocket: *const c_void,
    usstatus: u16,
    pvreason: *const c_void,
    dwreasonlength: u32,
) -> u32 {
    code("WinHttpWebSocketShutdown", hwebsocket, || {
        let handle = find(hwebsocket)?;
        handle.as_web_socket()?;
        // SAFETY: the caller's promise.
        let reason = unsafe { reason(pvreason, dwreasonlength) }?;
        let called =
            handle.call_web_socket(WebSocketOperation::Shutdown, BorrowedBuffer::default(), |machine, now| {
                machine.shutdown(now, usstatus, reason)
            })?;
        ended(&handle, called).map(drop)
    })
}

/// Sends the close frame, unless Shutdown did, and waits for the peer's (nf-winhttp-winhttpwebsocketclose). Ends with
/// CLOSE_COMPLETE, inside the call if the peer's close frame is there, or with REQUEST_ERROR {0, error,
/// WINHTTP_WEB_SOCKET_CLOSE_OPERATION}: ERROR_WINHTTP_TIMEOUT after WEB_SOCKET_CLOSE_TIMEOUT. A pending Receive is
/// cancelled first; messages that still come are thrown away. The handle stays open.
///
/// Arguments as for [`WinHttpWebSocketShutdown`]. ERROR_INVALID_OPERATION for a second Close.
///
/// # Safety
/// `pvreason` is NULL or has `dwreasonlength` bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWebSocketClose(
    hwebsocket: *const c_void,
    usstatus: u16,
    pvreason: *const c_void,
    dwreasonlength: u32,
) -> u32 {
    code("WinHttpWebSocketClose", hwebsocket, || {
        let handle = find(hwebsocket)?;
        handle.as_web_socket()?;
        // SAFETY: the caller's promise.
        let reason = unsafe { reason(pvreason, dwreasonlength) }?;
        let called = handle.call_web_socket(WebSocketOperation::Close, BorrowedBuffer::default(), |machine, now| {
            machine.close(now, usstatus, reason)
        })?;
        ended(&handle, called).map(drop)
    })
}

/// Status and reason of the peer's close frame (nf-winhttp-winhttpwebsocketqueryclosestatus);
/// WINHTTP_WEB_SOCKET_EMPTY_CLOSE_STATUS if it had none. NULL and 0 for the reason ask for the status alone.
///
/// ERROR_INVALID_PARAMETER for a NULL result, or a NULL buffer with a length; ERROR_INVALID_OPERATION until an operation
/// took the peer's close frame; ERROR_INSUFFICIENT_BUFFER, with the length, if the reason does not fit.
///
/// # Safety
/// `pvreason` has room for `dwreasonlength` bytes; the results are NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWebSocketQueryCloseStatus(
    hwebsocket: *const c_void,
    pusstatus: *mut u16,
    pvreason: *mut c_void,
    dwreasonlength: u32,
    pdwreasonlengthconsumed: *mut u32,
) -> u32 {
    code("WinHttpWebSocketQueryCloseStatus", hwebsocket, || {
        let handle = find(hwebsocket)?;
        let socket = handle.as_web_socket()?;
        if pusstatus.is_null() || pdwreasonlengthconsumed.is_null() || pvreason.is_null() && dwreasonlength != 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let (status, reason) =
            socket.with(|machine| machine.close_status().map(|(status, reason)| (status, reason.to_vec())))?;
        // SAFETY: the caller's promise.
        unsafe {
            put(pusstatus, status);
            put(pdwreasonlengthconsumed, reason.len() as u32);
        }
        if pvreason.is_null() {
            return Ok(());
        }
        if reason.len() > dwreasonlength as usize {
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        // SAFETY: the caller's promise; the buffer has room for so much.
        unsafe { std::ptr::copy_nonoverlapping(reason.as_ptr(), pvreason.cast(), reason.len()) };
        Ok(())
    })
}

/// The bytes of a reason: at most 123.
///
/// # Safety
/// `reason` is NULL or has `length` bytes that nobody changes while the slice lives.
unsafe fn reason<'a>(reason: *const c_void, length: u32) -> Result<&'a [u8], Win32Error> {
    if length > WINHTTP_WEB_SOCKET_MAX_CLOSE_REASON_LENGTH {
        return Err(ERROR_INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise.
    unsafe { bytes(reason, length) }.ok_or(ERROR_INVALID_PARAMETER)
}
