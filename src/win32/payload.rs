//! What `lpvStatusInformation` points to, and how long it says it is.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::constants::*;
use super::structs::{WINHTTP_ASYNC_RESULT, WINHTTP_WEB_SOCKET_ASYNC_RESULT, WINHTTP_WEB_SOCKET_STATUS};
use super::text::{Wide, wide_z};

/// The information of one notification, in the shape in which it crosses the boundary (source notify.payload).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Payload {
    /// NULL, length 0.
    None,
    /// A DWORD, length 4.
    Dword(u32),
    /// UTF-16 text; length in characters, with the NUL.
    Text(Wide),
    /// A pointer to an `HINTERNET`, length of a pointer.
    Handle(usize),
    /// The caller's own buffer and the bytes in it.
    Buffer {
        /// Address of the buffer that the caller lent.
        address: usize,
        /// Bytes read into it, or sent from it.
        length: u32,
    },
    /// A `WINHTTP_ASYNC_RESULT`.
    AsyncResult {
        /// `dwResult`: an API_* id.
        api: usize,
        /// `dwError`.
        error: u32,
    },
    /// A `WINHTTP_WEB_SOCKET_ASYNC_RESULT`.
    WebSocketAsyncResult {
        /// `AsyncResult.dwResult`.
        api: usize,
        /// `AsyncResult.dwError`.
        error: u32,
        /// `Operation`.
        operation: i32,
    },
    /// A `WINHTTP_WEB_SOCKET_STATUS`.
    WebSocketStatus {
        /// `dwBytesTransferred`.
        bytes: u32,
        /// `eBufferType`.
        buffer_type: i32,
    },
    /// What no rule describes: only its address and length are kept.
    Unknown {
        /// `lpvStatusInformation` as a number.
        address: usize,
        /// `dwStatusInformationLength`.
        length: u32,
    },
}

impl Payload {
    /// Lends the payload as the two arguments of a status callback.
    pub fn lend<R>(&self, to: impl FnOnce(*mut c_void, u32) -> R) -> R {
        match self {
            Payload::None => to(std::ptr::null_mut(), 0),
            Payload::Dword(value) => {
                let mut value = *value;
                to((&raw mut value).cast(), 4)
            }
            Payload::Text(text) => {
                let mut text = wide_z(text);
                let length = text.len() as u32;
                to(text.as_mut_ptr().cast(), length)
            }
            Payload::Handle(value) => {
                let mut value = *value;
                to((&raw mut value).cast(), size_of::<usize>() as u32)
            }
            Payload::Buffer { address, length } | Payload::Unknown { address, length } => {
                to(std::ptr::with_exposed_provenance_mut(*address), *length)
            }
            Payload::AsyncResult { api, error } => {
                let mut result = WINHTTP_ASYNC_RESULT { dwResult: *api, dwError: *error };
                to((&raw mut result).cast(), size_of_val(&result) as u32)
            }
            Payload::WebSocketAsyncResult { api, error, operation } => {
                let mut result = WINHTTP_WEB_SOCKET_ASYNC_RESULT {
                    AsyncResult: WINHTTP_ASYNC_RESULT { dwResult: *api, dwError: *error },
                    Operation: *operation,
                };
                to((&raw mut result).cast(), size_of_val(&result) as u32)
            }
            Payload::WebSocketStatus { bytes, buffer_type } => {
                let mut status = WINHTTP_WEB_SOCKET_STATUS { dwBytesTransferred: *bytes, eBufferType: *buffer_type };
                to((&raw mut status).cast(), size_of_val(&status) as u32)
            }
        }
    }

    /// Reads the two arguments of a status callback back.
    ///
    /// # Safety
    /// They are the arguments of a running status callback for `status`.
    pub unsafe fn read(status: u32, information: *mut c_void, length: u32) -> Payload {
        let unknown = Payload::Unknown { address: information.addr(), length };
        if information.is_null() {
            return if length == 0 { Payload::None } else { unknown };
        }
        let size = length as usize;
        // SAFETY: each shape is read only if the length says that it is there, and WinHTTP keeps what it points to
        // readable while the callback runs.
        unsafe {
            match status {
                WINHTTP_CALLBACK_STATUS_RESOLVING_NAME
                | WINHTTP_CALLBACK_STATUS_NAME_RESOLVED
                | WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER
                | WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER
                | WINHTTP_CALLBACK_STATUS_REDIRECT => {
                    let text = std::slice::from_raw_parts(information.cast::<u16>(), size);
                    Payload::Text(Wide::from_units(text.strip_suffix(&[0]).unwrap_or(text)))
                }
                WINHTTP_CALLBACK_STATUS_HANDLE_CREATED | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING
                    if size == size_of::<usize>() =>
                {
                    Payload::Handle(information.cast::<usize>().read_unaligned())
                }
                WINHTTP_CALLBACK_STATUS_REQUEST_ERROR if size == size_of::<WINHTTP_ASYNC_RESULT>() => {
                    let result = information.cast::<WINHTTP_ASYNC_RESULT>().read_unaligned();
                    Payload::AsyncResult { api: result.dwResult, error: result.dwError }
                }
                WINHTTP_CALLBACK_STATUS_REQUEST_ERROR if size == size_of::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>() => {
                    let result = information.cast::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>().read_unaligned();
                    Payload::WebSocketAsyncResult {
                        api: result.AsyncResult.dwResult,
                        error: result.AsyncResult.dwError,
                        operation: result.Operation,
                    }
                }
                WINHTTP_CALLBACK_STATUS_READ_COMPLETE | WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                    Payload::Buffer { address: information.addr(), length }
                }
                WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE if size == size_of::<WINHTTP_WEB_SOCKET_STATUS>() => {
                    let status = information.cast::<WINHTTP_WEB_SOCKET_STATUS>().read_unaligned();
                    Payload::WebSocketStatus { bytes: status.dwBytesTransferred, buffer_type: status.eBufferType }
                }
                _ if size == 4 => Payload::Dword(information.cast::<u32>().read_unaligned()),
                _ => unknown,
            }
        }
    }
}
