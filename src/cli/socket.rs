//! A web socket as a safe client: the part of [`Client`] that comes after its request.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering;

use portable_winhttp::win32::*;

use super::winhttp::{Client, Failure, making};

use functions::*;

mod functions {
    use super::c_void;

    #[cfg_attr(windows, link(name = "winhttp"))]
    unsafe extern "system" {
        pub fn WinHttpSetOption(handle: *const c_void, option: u32, buffer: *const c_void, length: u32) -> i32;
        pub fn WinHttpWebSocketCompleteUpgrade(request: *mut c_void, context: usize) -> *mut c_void;
        pub fn WinHttpWebSocketSend(socket: *mut c_void, kind: i32, buffer: *const c_void, length: u32) -> u32;
        pub fn WinHttpWebSocketReceive(
            socket: *mut c_void,
            buffer: *mut c_void,
            length: u32,
            read: *mut u32,
            kind: *mut i32,
        ) -> u32;
        pub fn WinHttpWebSocketShutdown(socket: *mut c_void, status: u16, reason: *const c_void, length: u32) -> u32;
        pub fn WinHttpWebSocketClose(socket: *mut c_void, status: u16, reason: *const c_void, length: u32) -> u32;
        pub fn WinHttpWebSocketQueryCloseStatus(
            socket: *mut c_void,
            status: *mut u16,
            reason: *mut c_void,
            length: u32,
            consumed: *mut u32,
        ) -> u32;
    }
}

impl Client {
    /// The request asks for a web socket.
    pub fn ask_for_web_socket(&mut self) -> Result<(), Failure> {
        let request = self.request;
        self.call("WinHttpSetOption", request, "UPGRADE_TO_WEB_SOCKET", || {
            // SAFETY: the option has no value.
            unsafe { WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0) }
        })
    }

    /// The reply is a 101: its connection becomes a web socket, and the request is closed.
    pub fn upgrade(&mut self) -> Result<(), Failure> {
        let (request, context) = (self.request, self.context_value());
        let name = self.recorder.names(|names| names.context(context));
        self.socket = making(&self.recorder, "WinHttpWebSocketCompleteUpgrade", Some(request), &name, || {
            // SAFETY: the context lives until the last HANDLE_CLOSING, which is counted.
            unsafe { WinHttpWebSocketCompleteUpgrade(request, context) }
        })?;
        self.opened();
        self.context.socket.store(self.socket.addr(), Ordering::Release);
        Ok(())
    }

    /// Sends a message or a fragment; WRITE_COMPLETE or REQUEST_ERROR follows.
    pub fn send_message(&mut self, kind: i32, data: &[u8]) -> Result<(), Failure> {
        let (socket, length) = (self.socket, data.len() as u32);
        self.code("WinHttpWebSocketSend", &format!("{}, {length} bytes", kind_name(kind)), || {
            // SAFETY: the data are copied before the call returns.
            unsafe { WinHttpWebSocketSend(socket, kind, data.as_ptr().cast(), length) }
        })
    }

    /// Begins to receive; READ_COMPLETE or REQUEST_ERROR follows.
    pub fn receive_message(&mut self) -> Result<(), Failure> {
        let (socket, buffer, length) = (self.socket, self.buffer.as_mut_ptr(), self.buffer.len() as u32);
        let name = self.recorder.names(|names| names.buffer(buffer.addr()));
        self.code("WinHttpWebSocketReceive", &format!("{name}, {length} bytes"), || {
            // SAFETY: the buffer stays where it is until the handles are gone.
            unsafe { WinHttpWebSocketReceive(socket, buffer.cast(), length, null_mut(), null_mut()) }
        })
    }

    /// What READ_COMPLETE said is in the buffer.
    pub fn message(&self, bytes: u32) -> &[u8] {
        &self.buffer[..bytes as usize]
    }

    /// Sends the close frame; SHUTDOWN_COMPLETE or REQUEST_ERROR follows.
    pub fn shutdown(&mut self, status: u16, reason: &str) -> Result<(), Failure> {
        let socket = self.socket;
        self.code("WinHttpWebSocketShutdown", &format!("{status}, {reason:?}"), || {
            // SAFETY: the reason has its length.
            unsafe { WinHttpWebSocketShutdown(socket, status, reason.as_ptr().cast(), reason.len() as u32) }
        })
    }

    /// Closes the web socket; CLOSE_COMPLETE or REQUEST_ERROR follows.
    pub fn close(&mut self, status: u16, reason: &str) -> Result<(), Failure> {
        let socket = self.socket;
        self.code("WinHttpWebSocketClose", &format!("{status}, {reason:?}"), || {
            // SAFETY: the reason has its length.
            unsafe { WinHttpWebSocketClose(socket, status, reason.as_ptr().cast(), reason.len() as u32) }
        })
    }

    /// How the peer closed.
    pub fn close_status(&mut self) -> Result<(u16, String), Failure> {
        let (socket, mut status, mut reason, mut length) = (self.socket, 0, [0_u8; 123], 0);
        self.code("WinHttpWebSocketQueryCloseStatus", "", || {
            let (room, buffer) = (reason.len() as u32, reason.as_mut_ptr().cast());
            // SAFETY: the buffer has its length, the results live here.
            unsafe { WinHttpWebSocketQueryCloseStatus(socket, &mut status, buffer, room, &mut length) }
        })?;
        Ok((status, String::from_utf8_lossy(&reason[..length as usize]).into_owned()))
    }

    /// A call that answers its error.
    fn code(&self, function: &'static str, arguments: &str, call: impl FnOnce() -> u32) -> Result<(), Failure> {
        self.recorder.call(function, Some(self.socket.addr()), arguments);
        let error = Win32Error(call());
        self.recorder.returned(function, &error.0.to_string(), ERROR_SUCCESS);
        if error == ERROR_SUCCESS { Ok(()) } else { Err(Failure::Call { function, error }) }
    }
}

/// Windows' name of a buffer type, in short.
pub fn kind_name(kind: i32) -> &'static str {
    match kind {
        WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE => "BINARY_MESSAGE",
        WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE => "BINARY_FRAGMENT",
        WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE => "UTF8_MESSAGE",
        WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE => "UTF8_FRAGMENT",
        _ => "CLOSE",
    }
}
