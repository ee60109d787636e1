//! Web sockets over real connections whose peers do what they should not, and requests that are odd.

mod support;

use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use portable_winhttp::http::upgrade;
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// Serves one web socket after its handshake.
fn serve_socket(serve_it: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    serve(move |mut stream| {
        let Some(head) = read_head(&mut stream) else { return };
        assert!(!head.to_ascii_lowercase().contains("transfer-encoding"), "no body is announced: {head}");
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
        let reply = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n\r\n",
            upgrade::accept(key)
        );
        if stream.write_all(reply.as_bytes()).is_ok() {
            serve_it(stream);
        }
    })
}

/// The client, its request and the web socket of a request with these flags.
fn open(port: u16, flags: u32) -> (Client, *mut c_void, *mut c_void) {
    let client = Client::new(false, port);
    // SAFETY: text that ends in NUL, an option without a value.
    unsafe {
        let none = null();
        let path = wide("/");
        let request = WinHttpOpenRequest(client.connection, none, path.as_ptr(), none, none, none.cast(), flags);
        assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
        assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
        let socket = WinHttpWebSocketCompleteUpgrade(request, 0);
        assert!(!socket.is_null(), "{}", last_error());
        (client, request, socket)
    }
}

/// Sends `howdy`, a frame of 11 bytes, and receives `hello`.
fn exchange(socket: *mut c_void) {
    let (mut buffer, mut count, mut kind) = ([0u8; 16], 0, -1);
    // SAFETY: buffers have their lengths.
    let codes = unsafe {
        let sent =
            WinHttpWebSocketSend(socket, WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, b"howdy".as_ptr().cast(), 5);
        (sent, WinHttpWebSocketReceive(socket, buffer.as_mut_ptr().cast(), 16, &mut count, &mut kind))
    };
    assert_eq!((codes, &buffer[..count as usize]), ((0, 0), &b"hello"[..]));
}

/// A request for a web socket with AUTOMATIC_CHUNKING has no body: the socket works.
#[test]
fn automatic_chunking_changes_nothing() {
    let port = serve_socket(|mut stream| {
        let mut frame = [0; 11];
        stream.read_exact(&mut frame).unwrap();
        stream.write_all(b"\x82\x05hello").unwrap();
        let _ = stream.read(&mut frame);
    });
    let (client, request, socket) = open(port, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
    exchange(socket);
    [socket, request].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    client.close();
}

/// What nobody receives is not taken from the connection, though each frame is without bytes.
#[test]
fn a_flood_of_empty_frames_is_held_back() {
    for frame in [[0x82, 0], [0x81, 0], [0x02, 0]] {
        let (tell, told) = channel();
        let tell = std::sync::Mutex::new(tell);
        let port = serve_socket(move |mut stream| {
            stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
            let rest = if frame[0] == 0x02 { [0, 0] } else { frame };
            let block = rest.repeat(32 * 1024);
            let mut sent = 0;
            let mut written = stream.write(&frame).unwrap_or(0);
            while written > 0 && sent < 256 << 20 {
                sent += written;
                written = stream.write(&block).unwrap_or(0);
            }
            let _ = tell.lock().unwrap().send(sent);
        });
        let (client, request, socket) = open(port, 0);
        let sent = told.recv_timeout(Duration::from_secs(60)).unwrap();
        // What the sockets of the system hold.
        assert!(sent < 64 << 20, "{frame:x?}: {sent} bytes were taken");
        [socket, request].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
        client.close();
    }
}

/// A server that sends control frames faster than they are read: the client is heard all the same.
#[test]
fn a_flood_of_control_frames_holds_up_nobody() {
    let port = serve_socket(|mut stream| {
        let mut reader = stream.try_clone().unwrap();
        let heard = Arc::new(AtomicBool::new(false));
        let hears = Arc::clone(&heard);
        let reading = std::thread::spawn(move || {
            let frame = reader.read_exact(&mut [0; 11]);
            hears.store(true, Ordering::Relaxed);
            frame.unwrap();
        });
        let pongs = [0x8a, 0].repeat(32 * 1024);
        while !heard.load(Ordering::Relaxed) && stream.write_all(&pongs).is_ok() {}
        reading.join().unwrap();
        stream.write_all(b"\x82\x05hello").unwrap();
        let _ = stream.read(&mut [0; 64]);
    });
    let (client, request, socket) = open(port, 0);
    exchange(socket);
    [socket, request].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    client.close();
}

/// Close takes the place of a pending Receive, but not of a pending Send (source m7).
#[test]
fn close_is_refused_while_a_send_is_pending() {
    const LENGTH: usize = 64 << 20;
    let (go, gate) = channel();
    let gate = std::sync::Mutex::new(gate);
    let port = serve_socket(move |mut stream| {
        // More than the sockets of the system hold is on its way, and nobody reads.
        let _ = gate.lock().unwrap().recv();
        let mut taken = 0;
        let mut piece = vec![0; 1 << 16];
        while let Ok(count @ 1..) = stream.read(&mut piece) {
            taken += count;
            if taken == LENGTH + 14 {
                // The close frame of 1000 comes next, and is answered.
                let mut close = [0; 8];
                stream.read_exact(&mut close).unwrap();
                stream.write_all(b"\x88\x02\x03\xe8").unwrap();
            }
        }
    });
    let client = Client::new(true, port);
    let record = Record::new();
    let request = client.request("GET", "/", &record);
    let body = vec![0u8; LENGTH];
    // SAFETY: the option has no value; the body lives until WRITE_COMPLETE; NULL is no reason.
    unsafe {
        assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
        assert_eq!(send(request), 1);
        record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
        assert_eq!(receive(request), 1);
        record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
        let socket = WinHttpWebSocketCompleteUpgrade(request, context(&record));
        let kind = WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE;
        assert_eq!(WinHttpWebSocketSend(socket, kind, body.as_ptr().cast(), LENGTH as u32), 0);
        assert_eq!(WinHttpWebSocketClose(socket, 1000, null(), 0), 4317);
        assert_eq!(WinHttpWebSocketShutdown(socket, 1000, null(), 0), 4317);
        go.send(()).unwrap();
        record.wait(WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE);
        assert_eq!(WinHttpWebSocketClose(socket, 1000, null(), 0), 0);
        record.wait(WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE);
        [socket, request].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    }
    client.close();
}
