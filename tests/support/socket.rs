//! A web socket, step by step, and its peer.
#![allow(dead_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portable_winhttp::lab::{RawConnection, Sim};
use sha1::{Digest, Sha1};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

pub const READ: u32 = WINHTTP_CALLBACK_STATUS_READ_COMPLETE;
pub const ERROR: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR;
pub const CLOSED: u32 = WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE;
pub const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

type Then = Box<dyn Fn(u32) + Send + Sync>;

/// The context of a web socket: what was told of it, and the bytes of each READ_COMPLETE.
pub struct Told {
    pub statuses: Mutex<Vec<u32>>,
    pub bytes: Mutex<Vec<u32>>,
    then: Then,
}

/// The callback of web sockets.
///
/// # Safety
/// The context is a [`Told`] that lives for ever.
pub unsafe extern "system" fn told(_: *mut c_void, context: usize, status: u32, info: *mut c_void, _: u32) {
    // SAFETY: the contexts of these handles are `Told`s that live for ever.
    let told = unsafe { &*(context as *const Told) };
    if status == READ {
        // SAFETY: that is what the READ_COMPLETE of a web socket brings.
        told.bytes.lock().unwrap().push(unsafe { &*info.cast::<WINHTTP_WEB_SOCKET_STATUS>() }.dwBytesTransferred);
    }
    told.statuses.lock().unwrap().push(status);
    (told.then)(status);
}

/// A web socket of a session, on a connection that the test plays.
pub struct Socket {
    pub client: Client,
    pub request: *mut c_void,
    pub socket: *mut c_void,
    pub told: &'static Told,
}

fn handshake(raw: &RawConnection) {
    let head = String::from_utf8(raw.read_until(b"\r\n\r\n").expect("a head")).unwrap();
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    raw.write(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        STANDARD.encode(digest)
    ));
}

impl Socket {
    /// Upgraded; the connection is played by `plays`, and the callback also does `then`.
    pub fn open(
        sim: &Sim,
        plays: impl Fn(&RawConnection) + Send + Sync + 'static,
        then: impl Fn(u32) + Send + Sync + 'static,
    ) -> Socket {
        sim.peer("http://127.0.0.1").raw(move |raw| {
            handshake(&raw);
            plays(&raw);
            raw.closed_by_client();
        });
        let record = Record::new();
        let client = Client::new(true, 80);
        let request = client.request("GET", "/", &record);
        let told: &Told =
            Box::leak(Box::new(Told { statuses: Mutex::default(), bytes: Mutex::default(), then: Box::new(then) }));
        // SAFETY: the option takes nothing; a callback whose contexts live for ever.
        let socket = unsafe {
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!(send(request), 1);
            sim.block_until(|| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE));
            assert_eq!(receive(request), 1);
            sim.block_until(|| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE));
            let socket = WinHttpWebSocketCompleteUpgrade(request, told as *const Told as usize);
            if !socket.is_null() {
                WinHttpSetStatusCallback(socket, Some(self::told), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
            }
            socket
        };
        Socket { client, request, socket, told }
    }

    /// Waits until so many of the wanted statuses have come.
    pub fn until(&self, sim: &Sim, wanted: impl Fn(u32) -> bool, times: usize) {
        sim.block_until(|| {
            self.told.statuses.lock().unwrap().iter().filter(|status| wanted(**status)).count() == times
        });
    }

    /// Receives into a buffer that lives for ever.
    pub fn receive(&self) -> u32 {
        let buffer = Box::leak(Box::new([0u8; 64]));
        // SAFETY: the buffer lives for ever.
        unsafe { WinHttpWebSocketReceive(self.socket, buffer.as_mut_ptr().cast(), 64, null_mut(), null_mut()) }
    }

    /// Closes everything, and waits for HANDLE_CLOSING.
    pub fn close(self, sim: &Sim) {
        close(self.socket);
        self.closed(sim);
    }

    /// The web socket was closed: waits for HANDLE_CLOSING and closes the rest.
    pub fn closed(self, sim: &Sim) {
        self.until(sim, |status| status == CLOSING, 1);
        close(self.request);
        self.client.close();
    }
}

/// Close with status 1000.
pub fn say_goodbye(socket: *mut c_void) -> u32 {
    // SAFETY: no reason is given.
    unsafe { WinHttpWebSocketClose(socket, 1000, null(), 0) }
}

/// Send of a text.
pub fn send_text(socket: *mut c_void) -> u32 {
    // SAFETY: the text lives for ever.
    unsafe { WinHttpWebSocketSend(socket, WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, b"text".as_ptr().cast(), 4) }
}
