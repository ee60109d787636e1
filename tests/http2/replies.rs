//! Heads, bodies and trailers of replies.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use h2::Reason;
use http::Response;
use tokio::sync::Semaphore;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;
use crate::server::{Server, trailers};
use crate::support::*;
use crate::{CONNECTION_ERROR, INVALID_RESPONSE, TIMEOUT};

#[test]
fn heads_bodies_and_trailers() {
    let server = Server::start(|mut exchange| async move {
        let head = Response::builder().status(201).header("x-b", "1").header("x-a", "2").header("x-b", "3");
        let seen: Vec<_> = exchange.request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        let seen = format!("{} {} {}", exchange.request.method(), exchange.request.uri(), seen.join(","));
        exchange.reply.send_informational(Response::builder().status(103).body(()).unwrap()).unwrap();
        let mut stream = exchange.reply.send_response(head.body(()).unwrap(), false).unwrap();
        stream.send_data(seen.into(), false).unwrap();
        stream.send_trailers(trailers(&[("x-end", "yes")])).unwrap();
    });
    let client = client(false, server.port);
    let request = open(&client, "GET", "/a?b#c", 0, None);
    let extra = wide("X-Mine: 1\r\nConnection: X-Hop\r\nX-Hop: 2\r\nUpgrade: x");
    // SAFETY: text and its length.
    assert_eq!(unsafe { WinHttpAddRequestHeaders(request, extra.as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) }, 1);
    let body = String::from_utf8(fetch(request).unwrap()).unwrap();
    assert_eq!(body, format!("GET https://127.0.0.1:{}/a?b%23c x-mine,user-agent", server.port));
    let raw = header(request, WINHTTP_QUERY_RAW_HEADERS_CRLF);
    // source query.http2-line
    assert_eq!(raw, "HTTP/2.0 201\r\nx-b: 1\r\nx-b: 3\r\nx-a: 2\r\n\r\n");
    assert_eq!(header(request, WINHTTP_QUERY_VERSION), "HTTP/2.0");
    let trailer = header(request, TRAILERS);
    assert!(trailer.contains("x-end: yes"), "{trailer}");
    // WinHttpQueryHeadersEx has them, too.
    let level = WINHTTP_QUERY_EX_ALL_HEADERS | WINHTTP_QUERY_FLAG_TRAILERS;
    let (mut room, mut length, mut fields, mut count) = ([0u64; 32], 256, null_mut(), 0);
    // SAFETY: the buffer has so many bytes; what it holds ends in NUL.
    unsafe {
        let index = null_mut();
        let name = null();
        let buffer = room.as_mut_ptr().cast();
        let error =
            WinHttpQueryHeadersEx(request, level, 0, 0, index, name, buffer, &mut length, &mut fields, &mut count);
        assert_eq!((error, count), (0, 1));
        assert_eq!(*(*fields).Anonymous1.pwszName, u16::from(b'x'));
    }
    close(request);
    client.close();
}

/// Ten interim replies may come, as over HTTP/1.1; whoever sends more is not waited for.
#[test]
fn interim_replies_without_end() {
    let server = Server::start(|mut exchange| async move {
        let count: usize = exchange.path()[1..].parse().unwrap();
        for _ in 0..count {
            // The client may have had enough.
            let _ = exchange.reply.send_informational(Response::builder().status(103).body(()).unwrap());
        }
        if count > 10 {
            std::future::pending().await
        }
        exchange.answer("hello");
    });
    assert_eq!(get(&server, "/10"), Ok(b"hello".to_vec()));
    for path in ["/11", "/1000"] {
        assert_eq!(get(&server, path), Err(INVALID_RESPONSE), "{path}");
    }
}

/// All trailers.
const TRAILERS: u32 = WINHTTP_QUERY_RAW_HEADERS_CRLF | WINHTTP_QUERY_FLAG_TRAILERS;

/// The error of a query for trailers that are not there.
fn no_trailers(request: *mut c_void) -> u32 {
    let mut length = 0;
    // SAFETY: there is no room, and its length says so.
    let found = unsafe { WinHttpQueryHeaders(request, TRAILERS, null(), null_mut(), &mut length, null_mut()) };
    assert_eq!(found, 0);
    last_error()
}

/// Trailers behind a body with a Content-Length, which REQUIRE_STREAM_END takes no notice of (sources n141, m3), be the body
/// as long, longer (n138) or shorter: none before it has been read, the same ones however often they are asked for.
#[test]
fn trailers_behind_a_length() {
    let server = Server::start(|mut exchange| async move {
        let head = Response::builder().header("content-length", "5").body(()).unwrap();
        let mut stream = exchange.reply.send_response(head, false).unwrap();
        for piece in exchange.path()[1..].split('-') {
            stream.send_data(piece.to_owned().into(), false).unwrap();
        }
        stream.send_trailers(trailers(&[("x-end", "yes")])).unwrap();
    });
    let client = client(false, server.port);
    // By default the length ends the body.
    let rows: [(&str, u32, Result<&str, u32>); 6] = [
        ("/hello", 1, Ok("hello")),
        ("/hello-world", 1, Ok("helloworld")),
        ("/hel", 1, Ok("hel")),
        ("/hello", 0, Ok("hello")),
        ("/hello-world", 0, Ok("hello")),
        ("/hel", 0, Err(INVALID_RESPONSE)),
    ];
    for (path, required, body) in rows {
        let request = open(&client, "GET", path, 0, None);
        assert_eq!(set(request, WINHTTP_OPTION_REQUIRE_STREAM_END, required), 0);
        assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
        assert_eq!(header(request, WINHTTP_QUERY_CONTENT_LENGTH), "5");
        assert_eq!(no_trailers(request), 12019, "{path}");
        assert_eq!(read_all(request), body.map(Vec::from), "{path} {required}");
        for _ in 0..2 * required {
            assert_eq!(header(request, TRAILERS), "x-end: yes\r\n\r\n", "{path}");
            assert_eq!(read_all(request), Ok(Vec::new()), "{path}");
        }
        close(request);
    }
    client.close();
}

/// Trailers without a body (source n139), no trailers (n140), and a Cookie of the program (n143).
#[test]
fn trailers_alone_none_and_a_cookie() {
    let server = Server::start(|mut exchange| async move {
        if exchange.request.uri().path() == "/trailers" {
            let mut stream = exchange.reply.send_response(Response::new(()), false).unwrap();
            stream.send_trailers(trailers(&[("x-end", "yes"), ("x-empty", "")])).unwrap();
            return;
        }
        let cookies: Vec<_> = exchange.request.headers().get_all("cookie").iter().cloned().collect();
        let cookies: Vec<_> = cookies.iter().map(|value| value.to_str().unwrap()).collect();
        exchange.answer(cookies.join("; "));
    });
    let client = client(false, server.port);
    let request = open(&client, "GET", "/trailers", 0, None);
    assert_eq!(fetch(request), Ok(Vec::new()));
    assert_eq!(header(request, TRAILERS), "x-end: yes\r\nx-empty: \r\n\r\n");
    close(request);
    let request = open(&client, "GET", "/", 0, None);
    let cookie = wide("Cookie: a=1; b=2");
    // SAFETY: text and its length.
    assert_eq!(unsafe { WinHttpAddRequestHeaders(request, cookie.as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) }, 1);
    assert_eq!(fetch(request), Ok(b"a=1; b=2".to_vec()));
    assert_eq!(no_trailers(request), 12150);
    close(request);
    client.close();
}

/// What a reset in mid-body does to reads and writes (sources m2, m16), what Content-Length does (m3).
#[test]
fn where_a_body_ends() {
    let head = Arc::new(Semaphore::new(0));
    let heard = Arc::clone(&head);
    let server = Server::start(move |mut exchange| {
        let head = Arc::clone(&heard);
        async move {
            let path = exchange.path().to_owned();
            let length = path.strip_prefix("/length/").map(|length| length.parse::<usize>().unwrap());
            let response =
                length.into_iter().fold(Response::builder(), |head, length| head.header("content-length", length));
            let Ok(mut stream) = exchange.reply.send_response(response.body(()).unwrap(), false) else { return };
            let whole = path == "/whole";
            stream.send_data("half".into(), whole).unwrap();
            // A reset overtakes what is not out yet.
            head.acquire().await.unwrap().forget();
            match &*path {
                "/whole" | "/calm" => stream.send_reset(Reason::NO_ERROR),
                "/angry" => stream.send_reset(Reason::CANCEL),
                // The end of the stream never comes.
                _ => std::future::pending().await,
            }
        }
    });
    let half = || Ok(b"half".to_vec());
    let rows = [
        ("m2: a reset without an error in mid-body", "/calm", 0, Err(CONNECTION_ERROR)),
        ("m2", "/calm", 1, Err(CONNECTION_ERROR)),
        ("m2: with an error", "/angry", 0, Err(CONNECTION_ERROR)),
        ("m3: the length ends the body", "/length/4", 0, half()),
        ("m3: the end of the stream is waited for", "/length/4", 1, Err(TIMEOUT)),
        ("h06: a reset behind the end", "/whole", 0, half()),
    ];
    for (what, path, required, expected) in rows {
        let client = client(false, server.port);
        let request = open(&client, "POST", path, WINHTTP_FLAG_AUTOMATIC_CHUNKING, None);
        assert_eq!(set(request, WINHTTP_OPTION_REQUIRE_STREAM_END, required), 0);
        assert_eq!(
            set(request, WINHTTP_OPTION_RECEIVE_TIMEOUT, if expected == Err(TIMEOUT) { 300 } else { 20_000 }),
            0
        );
        assert_eq!((send(request), receive(request)), (1, 1), "{what}: {}", last_error());
        head.add_permits(usize::from(path != "/whole"));
        assert_eq!(read_all(request), expected, "{what}");
        head.add_permits(usize::from(path == "/whole"));
        let written = write(request, b"more");
        // What failed once fails again; behind a whole reply a program may write (h06).
        let broken = expected.as_ref().err().map_or(Ok(()), |error| Err(*error));
        assert_eq!(written, broken, "m16, {what}");
        head.forget_permits(usize::MAX);
        close(request);
        client.close();
    }
}
