//! A web socket: a line is sent, the answer comes, both say goodbye.
//!
//! ```text
//! cargo run --example chat
//! ```

use std::ffi::c_void;
use std::ptr::{null, null_mut};

use portable_winhttp::lab::{Reply, Sim, WebSocketScript, get};
use windows_sys::Win32::Networking::WinHttp::*;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Sends a line.
///
/// # Safety
/// `socket` is an open web socket.
unsafe fn say(socket: *mut c_void, line: &str) {
    let kind = WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;
    // SAFETY: the caller's promise; the line outlives the synchronous call.
    let error = unsafe { WinHttpWebSocketSend(socket, kind, line.as_ptr().cast(), line.len() as u32) };
    assert_eq!(error, 0, "WinHttpWebSocketSend");
    println!("> {line}");
}

/// Receives a line, which may come in several fragments; `None` when the other side has closed.
///
/// # Safety
/// `socket` is an open web socket.
unsafe fn hear(socket: *mut c_void) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let (mut part, mut length, mut kind) = ([0u8; 64], 0u32, 0);
        // SAFETY: the caller's promise; all three outlive the synchronous call.
        let error = unsafe {
            let place = part.as_mut_ptr().cast();
            WinHttpWebSocketReceive(socket, place, part.len() as u32, &raw mut length, &raw mut kind)
        };
        assert_eq!(error, 0, "WinHttpWebSocketReceive");
        line.extend_from_slice(&part[..length as usize]);
        match kind {
            WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE => return None,
            WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE => break,
            _ => {}
        }
    }
    let line = String::from_utf8(line).expect("text is UTF-8");
    println!("< {line}");
    Some(line)
}

fn main() {
    let sim = Sim::new();
    let script =
        WebSocketScript::new().text("who is there?").expect_text("a client").text("welcome").close(1000, "bye");
    sim.peer("https://chat.test").on(get("/room")).reply(Reply::web_socket(script)).expect(1);

    // SAFETY: strings end in NUL; every handle is open while it is used.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        let connection = WinHttpConnect(session, wide("chat.test").as_ptr(), 443, 0);
        let room = wide("/room");
        let request =
            WinHttpOpenRequest(connection, null(), room.as_ptr(), null(), null(), null(), WINHTTP_FLAG_SECURE);
        assert_ne!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 0);
        assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0), 0);
        assert_ne!(WinHttpReceiveResponse(request, null_mut()), 0);
        let socket = WinHttpWebSocketCompleteUpgrade(request, 0);
        assert!(!socket.is_null());
        // The web socket lives on without the request.
        WinHttpCloseHandle(request);

        while let Some(line) = hear(socket) {
            if line.ends_with('?') {
                say(socket, "a client");
            }
        }
        assert_eq!(WinHttpWebSocketClose(socket, 1000, null(), 0), 0);
        for handle in [socket, connection, session] {
            WinHttpCloseHandle(handle);
        }
    }
}
