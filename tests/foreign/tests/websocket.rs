//! Web sockets with a server that is not ours: the package `websockets` of PyPI.

use std::ffi::c_void;
use std::path::Path;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;
use winhttp_foreign::{Server, certify, free_port};

const TEXT: i32 = WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
const BINARY: i32 = WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn server(tls: Option<&Path>) -> Server {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/websocket_server.py");
    Server::python_with(&program, free_port(), tls)
}

/// A synchronous web socket, and the handles that it needs.
struct Socket {
    socket: *mut c_void,
    others: [*mut c_void; 3],
}

impl Socket {
    fn open(port: u16, path: &str, secure: bool) -> Socket {
        let flags = if secure { WINHTTP_FLAG_SECURE } else { 0 };
        // SAFETY: texts end in NUL, the DWORD is one, the option has no value, there is no body.
        unsafe {
            let session = WinHttpOpen(wide("foreign").as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), port, 0);
            let (verb, path) = (wide("GET"), wide(path));
            let request = WinHttpOpenRequest(connection, verb.as_ptr(), path.as_ptr(), null(), null(), null(), flags);
            if secure {
                let ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA;
                let option = WINHTTP_OPTION_SECURITY_FLAGS;
                assert_eq!(WinHttpSetOption(request, option, (&raw const ignored).cast(), 4), 1);
            }
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0), 1, "{}", GetLastError());
            assert_eq!(WinHttpReceiveResponse(request, null_mut()), 1, "{}", GetLastError());
            let socket = WinHttpWebSocketCompleteUpgrade(request, 0);
            assert!(!socket.is_null(), "{}", GetLastError());
            Socket { socket, others: [request, connection, session] }
        }
    }

    fn send(&self, kind: i32, data: &[u8]) {
        // The pointer of an empty slice leads nowhere and is refused (r5).
        let start = if data.is_empty() { null() } else { data.as_ptr().cast() };
        // SAFETY: the data have their length.
        let sent = unsafe { WinHttpWebSocketSend(self.socket, kind, start, data.len() as u32) };
        assert_eq!(sent, 0);
    }

    /// The next piece: its type, and what is in it; or the error.
    fn receive(&self, buffer: &mut [u8]) -> Result<(i32, usize), u32> {
        let (mut count, mut kind) = (0, -1);
        let length = buffer.len() as u32;
        // SAFETY: the buffer has its length, the results live here.
        let error =
            unsafe { WinHttpWebSocketReceive(self.socket, buffer.as_mut_ptr().cast(), length, &mut count, &mut kind) };
        if error == 0 { Ok((kind, count as usize)) } else { Err(error) }
    }

    /// The next message: its type, its bytes, and in how many pieces it came.
    fn message(&self, room: usize) -> (i32, Vec<u8>, usize) {
        let (mut message, mut pieces, mut buffer) = (Vec::new(), 0, vec![0; room]);
        loop {
            let (kind, count) = self.receive(&mut buffer).expect("a message comes");
            message.extend(&buffer[..count]);
            pieces += 1;
            if kind != WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE
                && kind != WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE
            {
                return (kind, message, pieces);
            }
        }
    }

    fn close(&self, status: u16, reason: &str) -> u32 {
        // SAFETY: the reason has its length.
        unsafe { WinHttpWebSocketClose(self.socket, status, reason.as_ptr().cast(), reason.len() as u32) }
    }

    fn close_status(&self) -> (u16, String) {
        let (mut status, mut reason, mut length) = (0, vec![0u8; 123], 0);
        // SAFETY: the buffer has its length, the results live here.
        let error = unsafe {
            WinHttpWebSocketQueryCloseStatus(self.socket, &mut status, reason.as_mut_ptr().cast(), 123, &mut length)
        };
        assert_eq!(error, 0);
        reason.truncate(length as usize);
        (status, String::from_utf8(reason).unwrap())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for handle in [self.socket].into_iter().chain(self.others) {
            // SAFETY: a handle of ours.
            unsafe { WinHttpCloseHandle(handle) };
        }
    }
}

/// Text of this length, not all of it ASCII.
fn text(length: usize) -> Vec<u8> {
    let mut text = "gr\u{fc}n \u{1f333} ".repeat(length / 10 + 1);
    while text.len() > length {
        text.pop();
    }
    text.push_str(&"x".repeat(length - text.len()));
    text.into_bytes()
}

#[test]
fn messages_come_back() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path());
    for tls in [None, Some(folder.path())] {
        let server = server(tls);
        let socket = Socket::open(server.port, "/echo", tls.is_some());
        for length in [0, 1, 125, 126, 127, 1000, 65535, 65536, 1 << 20, 64 << 20] {
            for (kind, data) in [(TEXT, text(length)), (BINARY, vec![0xA5; length])] {
                socket.send(kind, &data);
                let (found, message, _) = socket.message(1 << 20);
                assert_eq!((found, message.len()), (kind, length));
                assert!(message == data, "{length} bytes of type {kind} differ");
            }
        }
        assert_eq!(socket.close(1000, "enough"), 0);
        assert_eq!(socket.close_status(), (1000, "enough".to_owned()));
    }
}

#[test]
fn fragments_both_ways() {
    let server = server(None);
    let socket = Socket::open(server.port, "/fragments", false);
    for length in [0, 1, 999, 1000, 1001, 100_000] {
        for (whole, piece) in [
            (TEXT, WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE),
            (BINARY, WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE),
        ] {
            let data = vec![b'f'; length];
            for part in data.chunks(77) {
                socket.send(piece, part);
            }
            socket.send(whole, b"");
            let (found, message, pieces) = socket.message(300);
            assert_eq!((found, message.len()), (whole, length));
            assert!(length < 2000 || pieces > length / 300, "{pieces} pieces");
        }
    }
    assert_eq!(socket.close(1001, ""), 0);
}

#[test]
fn a_storm_of_pings_is_answered() {
    let server = server(None);
    let socket = Socket::open(server.port, "/storm", false);
    for number in (0..1000).step_by(10) {
        assert_eq!(socket.message(100).1, format!("message {number}").into_bytes());
    }
    assert_eq!(socket.message(100).1, b"all answered");
    assert_eq!(socket.close(1000, ""), 0);
}

#[test]
fn close_codes_and_reasons() {
    let server = server(None);
    for (status, reason) in [(1000, ""), (1001, "away"), (1011, "broken"), (3000, "one"), (4999, "gr%C3%BCn")] {
        let socket = Socket::open(server.port, &format!("/close/{status}/{reason}"), false);
        assert_eq!(socket.receive(&mut [0; 10]), Ok((WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE, 0)));
        let reason = reason.replace("%C3%BC", "\u{fc}");
        assert_eq!(socket.close_status(), (status, reason));
        assert_eq!(socket.close(status, ""), 0);
    }
    for (status, reason) in [(1000, "done"), (1001, ""), (3500, "mine"), (4000, "gr\u{fc}n")] {
        let socket = Socket::open(server.port, "/watched", false);
        assert_eq!(socket.close(status, reason), 0);
        assert_eq!(socket.close_status().0, status);
        let last = Socket::open(server.port, "/last", false);
        assert_eq!(String::from_utf8(last.message(200).1).unwrap(), format!("{status} {reason} {status}"));
    }
}

#[test]
fn an_abrupt_reset_ends_what_is_pending() {
    let server = server(None);
    let socket = Socket::open(server.port, "/reset", false);
    socket.send(TEXT, b"now");
    assert_eq!(socket.receive(&mut [0; 10]), Err(12030));
    assert_eq!(socket.close(1000, ""), 12030);
}
