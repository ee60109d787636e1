//! Facts of the wire that hyper alone does not give: each is one row.

mod support;

use std::io::{Read, Write};
use std::ptr::{null, null_mut};
use std::sync::mpsc::channel;

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// What a client does with its request before ReceiveResponse; the answer of its last call.
struct Sent {
    /// Everything that the server read.
    wire: String,
    /// What REQUEST_SENT said.
    counted: u32,
}

/// Sends a request; `tail` is what the server waits for before it answers.
fn exchange(verb: &str, path: &str, flags: u32, headers: &str, body: &[&str], total: u32, tail: &'static str) -> Sent {
    let (sender, received) = channel();
    let port = serve(move |mut stream| {
        let (mut wire, mut part) = (Vec::new(), [0; 4096]);
        while !wire.ends_with(tail.as_bytes()) {
            match stream.read(&mut part) {
                Ok(count @ 1..) => wire.extend_from_slice(&part[..count]),
                _ => return,
            }
        }
        sender.send(String::from_utf8_lossy(&wire).into_owned()).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let client = Client::new(false, port);
    let record = Record::new();
    let context = context(&record);
    // SAFETY: strings end in NUL, bodies have the lengths that are given.
    unsafe {
        let request = WinHttpOpenRequest(
            client.connection,
            wide(verb).as_ptr(),
            wide(path).as_ptr(),
            null(),
            null(),
            null(),
            flags,
        );
        let (first, rest) = body.split_first().unwrap_or((&"", &[]));
        let sent = WinHttpSendRequest(
            request,
            wide(headers).as_ptr(),
            u32::MAX,
            first.as_ptr().cast(),
            first.len() as u32,
            total,
            context,
        );
        assert_eq!(sent, 1, "{}", last_error());
        for piece in rest {
            let written = WinHttpWriteData(request, piece.as_ptr().cast(), piece.len() as u32, null_mut());
            assert_eq!(written, 1, "{}", last_error());
        }
        if flags & WINHTTP_FLAG_AUTOMATIC_CHUNKING != 0 {
            assert_eq!(WinHttpWriteData(request, null(), 0, null_mut()), 1, "{}", last_error());
        }
        assert_eq!(receive(request), 1, "{}", last_error());
        close(request);
    }
    client.close();
    let counted = record.wait(WINHTTP_CALLBACK_STATUS_REQUEST_SENT).value;
    let wire = received.recv_timeout(PATIENCE).unwrap().replace(&format!("127.0.0.1:{port}"), "HOST");
    // The count is of what went out, where the name of the host is longer or shorter.
    let shrunk = format!("127.0.0.1:{port}").len() - "HOST".len();
    Sent { wire, counted: counted - shrunk as u32 }
}

/// Verb, object, flags, headers, body pieces, total, what ends it; and the bytes on the wire.
type Row = (&'static str, &'static str, u32, &'static str, &'static [&'static str], u32, &'static str, &'static str);

#[test]
fn requests_go_out_byte_for_byte() {
    const AUTO: u32 = 0x200;
    assert_eq!(AUTO, WINHTTP_FLAG_AUTOMATIC_CHUNKING);
    #[rustfmt::skip]
    let rows: &[Row] = &[
        ("GET", "/", 0, "", &[], 0, "\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: test\r\nHost: HOST\r\n\r\n"),
        ("GET", "/", 0, "zEta: 1\r\nALPHA: 2\r\nzeta: 3", &[], 0, "\r\n\r\n",
            "GET / HTTP/1.1\r\nConnection: Keep-Alive\r\nzeta: 3\r\nALPHA: 2\r\nUser-Agent: test\r\nHost: HOST\r\n\r\n"),
        ("get", "/a\u{1F}<|>?%zz", WINHTTP_FLAG_ESCAPE_DISABLE, "", &[], 0, "\r\n\r\n",
            "GET /a\u{1F}<|>?%zz HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: test\r\nHost: HOST\r\n\r\n"),
        ("PROPFIND", "*", 0, "", &[], 0, "\r\n\r\n",
            "PROPFIND /* HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: test\r\nHost: HOST\r\n\r\n"),
        ("POST", "/", 0, "", &["ab"], 2, "ab",
            "POST / HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: test\r\nContent-Length: 2\r\nHost: HOST\r\n\r\nab"),
        ("POST", "/", 0, "", &["a", "b", "cd"], 4, "cd",
            "POST / HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: test\r\nContent-Length: 4\r\nHost: HOST\r\n\r\nabcd"),
        ("POST", "/", 0, "Transfer-Encoding: chunked", &["post"], 4, "post",
            "POST / HTTP/1.1\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\nUser-Agent: test\r\nHost: HOST\r\n\r\npost"),
        ("POST", "/", 0, "Transfer-Encoding: chunked", &["", "2;x=y\r\nab\r\n", "0\r\nT: u\r\n\r\n"], 0, "u\r\n\r\n",
            "POST / HTTP/1.1\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\nUser-Agent: test\r\nHost: HOST\r\n\r\n2;x=y\r\nab\r\n0\r\nT: u\r\n\r\n"),
        ("POST", "/", AUTO, "", &["", "hello", "0123456789abcdef"], 0, "0\r\n\r\n",
            "POST / HTTP/1.1\r\nConnection: Keep-Alive\r\nUser-Agent: test\r\nTransfer-Encoding: chunked\r\nHost: HOST\r\n\r\n5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"),
        ("PUT", "/", 0, "Host: elsewhere\nUser-Agent: me\nConnection: close", &[], 0, "\r\n\r\n",
            "PUT / HTTP/1.1\r\nHost: elsewhere\r\nUser-Agent: me\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
    ];
    for (verb, path, flags, headers, body, total, tail, wire) in rows {
        let sent = exchange(verb, path, *flags, headers, body, *total, tail);
        assert_eq!(sent.wire, *wire);
        if !headers.contains("Host") {
            let head = wire.find("\r\n\r\n").unwrap() + 4;
            let first = body.first().map_or(0, |first| first.len());
            assert_eq!(sent.counted as usize, head + first, "REQUEST_SENT: head and optional data of {wire:?}");
        }
    }
}

#[test]
fn a_large_body_goes_out_whole() {
    let body = "0123456789abcdef".repeat(1 << 16);
    let (sender, received) = channel();
    let port = serve(move |mut stream| {
        let head = read_head(&mut stream).unwrap();
        let mut body = vec![0; 2 << 20];
        stream.read_exact(&mut body).unwrap();
        sender.send((head, body)).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    let client = Client::new(false, port);
    let request = client.request("POST", "/", &Record::new());
    // SAFETY: the body has so many bytes.
    unsafe {
        let (bytes, length) = (body.as_ptr().cast(), body.len() as u32);
        assert_eq!(WinHttpSendRequest(request, null(), 0, bytes, length, 2 * length, 0), 1);
        assert_eq!(WinHttpWriteData(request, bytes.cast(), length, null_mut()), 1);
    }
    assert_eq!(receive(request), 1, "{}", last_error());
    let (_, got) = received.recv_timeout(PATIENCE).unwrap();
    assert!(got == [body.as_bytes(), body.as_bytes()].concat());
    close(request);
    client.close();
}

/// Order, case and duplicates of reply headers are the server's; lines are written anew.
#[test]
fn replies_keep_the_order_and_case_of_their_headers() {
    let port = serve_always(
        "HTTP/1.1  200  Very   OK\r\nzEta  :  1\r\nALPHA: 2\r\nzeta: 3\r\nFolded: a\r\n b\r\ncontent-LENGTH: 0\r\n\r\n",
    );
    let client = Client::new(false, port);
    let request = client.request("GET", "/", &Record::new());
    assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
    let (mut text, mut length) = ([0u16; 256], 512);
    // SAFETY: the buffer has so many bytes.
    let answer = unsafe {
        WinHttpQueryHeaders(
            request,
            WINHTTP_QUERY_RAW_HEADERS_CRLF,
            null(),
            text.as_mut_ptr().cast(),
            &mut length,
            null_mut(),
        )
    };
    assert_eq!(answer, 1, "{}", last_error());
    let raw = String::from_utf16_lossy(&text[..length as usize / 2]);
    assert!(raw.starts_with("HTTP/1.1 200 Very   OK\r\nzEta: 1\r\nALPHA: 2\r\nzeta: 3\r\nFolded: a"), "{raw}");
    assert!(raw.ends_with("b\r\ncontent-LENGTH: 0\r\n\r\n"), "{raw}");
    close(request);
    client.close();
}

/// m17: REQUEST_SENT says what the socket took. A server that answers and reads nothing more takes little of a large body.
#[test]
fn what_is_counted_as_sent() {
    const BODY: usize = 64 << 20;
    let (done, waits) = channel::<()>();
    let waits = std::sync::Mutex::new(waits);
    let port = serve(move |mut stream| {
        read_head(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        // It keeps the connection open, and reads nothing.
        let _ = waits.lock().unwrap().recv();
    });
    let body = vec![b'x'; BODY];
    let client = Client::new(true, port);
    let record = Record::new();
    let request = client.request("POST", "/", &record);
    // SAFETY: the body has so many bytes, and outlives the handle.
    let sent = unsafe { WinHttpSendRequest(request, null(), 0, body.as_ptr().cast(), BODY as u32, BODY as u32, 0) };
    assert_eq!(sent, 1, "{}", last_error());
    let sent = record.wait(WINHTTP_CALLBACK_STATUS_REQUEST_SENT).value as usize;
    assert!((1..BODY).contains(&sent), "{sent} of {BODY}");
    close(request);
    record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    drop(done);
    client.close();
}

/// source n193: WinHttpConnect takes an address of IPv6 in brackets only; the Host field has them.
#[test]
fn the_host_is_an_address_of_ipv6() {
    let listener = std::net::TcpListener::bind(("::1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        head
    });
    let session = Client::new(false, port);
    // SAFETY: NUL-terminated texts; NULL stands for what is not given.
    unsafe {
        assert!(WinHttpConnect(session.session, wide("::1").as_ptr(), port, 0).is_null());
        assert_eq!(last_error(), 12005);
        let connection = WinHttpConnect(session.session, wide("[::1]").as_ptr(), port, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
        assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
        close(request);
        close(connection);
    }
    session.close();
    let head = server.join().unwrap();
    assert!(head.contains(&format!("\r\nHost: [::1]:{port}\r\n")), "{head}");
}

/// source n198: an address may have a zone, by number or by the name of an interface; source connect.zone: the server hears
/// of none, and without it, it is another server.
#[cfg(unix)]
#[test]
fn the_host_has_a_zone() {
    let loopback = if cfg!(target_os = "linux") { c"lo" } else { c"lo0" };
    // SAFETY: the name ends in NUL.
    let zone = unsafe { libc::if_nametoindex(loopback.as_ptr()) };
    assert_ne!(zone, 0, "{loopback:?}");
    let listener = std::net::TcpListener::bind(("::1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        for (connection, stream) in listener.incoming().enumerate() {
            let (mut stream, sender) = (stream.unwrap(), sender.clone());
            std::thread::spawn(move || {
                while let Some(head) = read_head(&mut stream) {
                    let moved = format!("302 Found\r\nLocation: http://[::1]:{port}/there");
                    let status = if head.contains(" /moved ") { &moved } else { "200 OK" };
                    sender.send((connection, head)).unwrap();
                    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                }
            });
        }
    });
    let session = Client::new(false, port);
    // Connections and paths, as the server sees them.
    type Heard = &'static [(usize, &'static str)];
    let rows: [(String, &str, Heard); 4] = [
        (format!("[::1%{zone}]"), "/moved", &[(0, "/moved"), (0, "/there")]),
        (format!("[::1%{}]", loopback.to_str().unwrap()), "/named", &[(0, "/named")]),
        ("[::1]".to_owned(), "/without", &[(1, "/without")]),
        (format!("[0::1%{zone}]"), "/again", &[(2, "/again")]),
    ];
    for (host, path, expected) in rows {
        // SAFETY: NUL-terminated texts; NULL stands for what is not given.
        unsafe {
            let connection = WinHttpConnect(session.session, wide(&host).as_ptr(), port, 0);
            let request = WinHttpOpenRequest(connection, null(), wide(path).as_ptr(), null(), null(), null(), 0);
            assert_eq!((send(request), receive(request)), (1, 1), "{host}: {}", last_error());
            assert_eq!((status_code(request), query_data(request)), (200, 1), "{host}");
            close(request);
            close(connection);
        }
        for (connection, path) in expected {
            let (carried, head) = heard.recv().unwrap();
            assert_eq!(carried, *connection, "{host}: {head}");
            assert!(head.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{host}: {head}");
            let hosts: Vec<_> = head.lines().filter(|line| line.starts_with("Host:")).collect();
            let address = if host.starts_with("[0") { "[0::1]" } else { "[::1]" };
            assert_eq!(hosts, [format!("Host: {address}:{port}")], "{host}");
        }
    }
    // TLS is with the address: with a zone it would be no name, and nothing would be said.
    let listener = std::net::TcpListener::bind(("::1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let mut hello = [0];
        listener.accept().unwrap().0.read_exact(&mut hello).unwrap();
        hello
    });
    // SAFETY: as above.
    unsafe {
        let connection = WinHttpConnect(session.session, wide(&format!("[::1%{zone}]")).as_ptr(), port, 0);
        let secure = WINHTTP_FLAG_SECURE;
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), secure);
        assert_eq!(send(request), 0);
        close(request);
        close(connection);
    }
    assert_eq!(server.join().unwrap(), [22], "a handshake record");
    session.close();
}
