//! HTTP/2, by ALPN over loopback, against servers that do what a test says.

mod client;
mod server;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;

use bytes::Bytes;
use client::*;
use h2::Reason;
use h2::server::Builder;
use http::Response;
use server::{Exchange, Server, trailers};
use support::*;
use tokio::sync::Semaphore;
use windows_sys::Win32::Networking::WinHttp::*;

const MISMATCH: u32 = 12190;
const CONNECTION_ERROR: u32 = 12030;
const INVALID_RESPONSE: u32 = 12152;
const TIMEOUT: u32 = 12002;

/// One synchronous GET at a server, by a client of its own.
fn get(server: &Server, path: &str) -> Result<Vec<u8>, u32> {
    let client = client(false, server.port);
    let request = open(&client, "GET", path, 0, None);
    let got = fetch(request);
    close(request);
    client.close();
    got
}

#[test]
fn the_version_that_is_spoken() {
    let newer = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let (older, silent) = (Server::http1(&["http/1.1"]), Server::http1(&[]));
    let rows = [
        ("enabled", &newer, 1, 0, Ok(1)),
        ("enabled and required", &newer, 1, 1, Ok(1)),
        ("not enabled", &older, 0, 0, Ok(0)),
        ("required, but nothing is enabled", &older, 0, 1, Ok(0)),
        ("the server has HTTP/1.1 only", &older, 1, 0, Ok(0)),
        ("the server has HTTP/1.1 only, and that will not do", &older, 1, 1, Err(MISMATCH)),
        ("HTTP/3 enabled, and not there", &older, 2, 0, Ok(0)),
        ("HTTP/3 beside HTTP/2", &newer, 3, 1, Ok(1)),
        // source n146
        ("HTTP/3 alone will do", &newer, 2, 1, Err(12029)),
        ("the server has no ALPN", &silent, 1, 0, Ok(0)),
        ("the server has no ALPN, and that will not do", &silent, 1, 1, Err(MISMATCH)),
    ];
    for (what, server, protocols, required, expected) in rows {
        let client = Client::new(false, server.port);
        let request = open(&client, "GET", "/", 0, None);
        assert_eq!(set(request, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, protocols), 0);
        assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, required), 0);
        assert_eq!(option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED), 0, "{what}");
        let used = fetch(request).map(|body| {
            assert_eq!(body, b"hello");
            option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED)
        });
        assert_eq!(used, expected, "{what}");
        close(request);
        client.close();
    }
    // source n151: a program that says nothing offers HTTP/1.1 alone; HTTP/2 would be the server's first choice.
    let both = Server::http1(&["h2", "http/1.1"]);
    let client = Client::new(false, both.port);
    let request = open(&client, "GET", "/", 0, None);
    assert_eq!((fetch(request), option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED)), (Ok(b"hello".to_vec()), 0));
    close(request);
    client.close();
    // Without TLS there is no ALPN.
    let port = serve_always("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = crate::client(false, port);
    for (required, expected) in [(0, Ok(vec![])), (1, Err(MISMATCH))] {
        let request = client.request("GET", "/", &Record::new());
        assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, required), 0);
        assert_eq!(fetch(request), expected);
        close(request);
    }
    client.close();
}

/// sources h10, m1: what the program frames itself goes over HTTP/1.1.
#[test]
fn a_transfer_encoding_of_its_own_speaks_http_1() {
    // Who takes its first protocol gets HTTP/1.1 over it, and fails.
    let server = Server::http1(&["h2", "http/1.1"]);
    let rows = [
        ("", 0, Err(INVALID_RESPONSE)),
        ("Transfer-Encoding: chunked", 0, Ok((b"hello".to_vec(), 0))),
        ("Transfer-Encoding: chunked", 1, Err(MISMATCH)),
    ];
    for (headers, required, expected) in rows {
        let client = client(false, server.port);
        let request = open(&client, "POST", "/", 0, None);
        assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, required), 0);
        let body = b"5\r\nhello\r\n0\r\n\r\n";
        let length = body.len() as u32;
        let headers_given = wide(headers);
        // SAFETY: the headers end in NUL, the body has that length.
        let sent = unsafe {
            WinHttpSendRequest(request, headers_given.as_ptr(), u32::MAX, body.as_ptr().cast(), length, length, 0)
        };
        let got = if sent == 0 || receive(request) == 0 { Err(last_error()) } else { read_all(request) };
        let got = got.map(|body| (body, option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED)));
        assert_eq!(got, expected, "{headers} {required}");
        close(request);
        client.close();
    }
}

#[test]
fn options_and_their_values() {
    let client = Client::new(false, 1);
    let invalid = 87;
    let rows = [
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 0, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 1, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 2, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 3, 0),
        (WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 4, invalid),
        (WINHTTP_OPTION_HTTP2_KEEPALIVE, 4999, invalid),
        (WINHTTP_OPTION_HTTP2_KEEPALIVE, 5000, 0),
        (WINHTTP_OPTION_HTTP_PROTOCOL_USED, 1, 12011),
        (WINHTTP_OPTION_HTTP2_PLUS_TRANSFER_ENCODING, 1, 12009),
    ];
    for (option, value, expected) in rows {
        assert_eq!(set(client.session, option, value), expected, "{option} {value}");
    }
    for (window, delta, expected) in [(1, 1, 0), (0, 0, invalid), (1 << 31, 1, invalid), (100, 101, invalid)] {
        let value = [window, delta];
        // SAFETY: a WINHTTP_HTTP2_RECEIVE_WINDOW.
        let set =
            unsafe { WinHttpSetOption(client.session, WINHTTP_OPTION_HTTP2_RECEIVE_WINDOW, value.as_ptr().cast(), 8) };
        assert_eq!(if set == 1 { 0 } else { last_error() }, expected, "{window} {delta}");
    }
    client.close();
}

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

/// Sends a body in pieces: the first with SendRequest.
fn upload(server: &Server, flags: u32, first: &[u8], total: u32, pieces: &[Vec<u8>]) -> Result<Vec<u8>, u32> {
    let client = client(false, server.port);
    let request = open(&client, "POST", "/echo", flags, None);
    // SAFETY: bytes and their length.
    let sent = unsafe { WinHttpSendRequest(request, null(), 0, first.as_ptr().cast(), first.len() as u32, total, 0) };
    assert_eq!(sent, 1, "{}", last_error());
    for piece in pieces {
        let mut written = 0;
        // The pointer of an empty vector leads nowhere.
        let bytes = if piece.is_empty() { null() } else { piece.as_ptr().cast() };
        // SAFETY: bytes and their length.
        let wrote = unsafe { WinHttpWriteData(request, bytes, piece.len() as u32, &mut written) };
        assert_eq!((wrote, written), (1, piece.len() as u32), "{}", last_error());
    }
    let got = if receive(request) == 1 { read_all(request) } else { Err(last_error()) };
    close(request);
    client.close();
    got
}

#[test]
fn uploads() {
    let server = Server::start(|mut exchange| async move {
        let length = exchange.request.headers().get("content-length").cloned();
        let chunked = exchange.request.headers().contains_key("transfer-encoding");
        let body = exchange.body().await;
        let length = length.map_or("none".to_owned(), |length| length.to_str().unwrap().to_owned());
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        exchange.answer(format!("{length} {chunked} {} {sum}", body.len()));
    });
    let large: Vec<u8> = (0..300_000).map(|number| number as u8).collect();
    let told = |length: &str, bytes: &[u8]| {
        let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
        Ok(format!("{length} false {} {sum}", bytes.len()).into_bytes())
    };
    let automatic = WINHTTP_FLAG_AUTOMATIC_CHUNKING;
    assert_eq!(upload(&server, 0, b"", 0, &[]), told("0", b""));
    assert_eq!(upload(&server, 0, b"abc", 3, &[]), told("3", b"abc"));
    assert_eq!(upload(&server, 0, &large, large.len() as u32, &[]), told("300000", &large));
    assert_eq!(upload(&server, 0, b"abc", 5, &[b"d".to_vec(), b"e".to_vec()]), told("5", b"abcde"));
    assert_eq!(upload(&server, 0, b"", 300_000, std::slice::from_ref(&large)), told("300000", &large));
    assert_eq!(upload(&server, automatic, b"ab", 0, &[b"cd".to_vec(), vec![]]), told("none", b"abcd"));
    assert_eq!(upload(&server, automatic, b"", 0, &[large.clone(), large.clone(), vec![]]), {
        told("none", &[large.clone(), large.clone()].concat())
    });
}

#[test]
fn a_reply_is_read_while_the_body_goes_on() {
    let server = Server::start(|mut exchange| async move {
        let mut stream = exchange.reply.send_response(Response::new(()), false).unwrap();
        while let Some(Ok(bytes)) = exchange.request.body_mut().data().await {
            let _ = exchange.request.body_mut().flow_control().release_capacity(bytes.len());
            stream.send_data(bytes, false).unwrap();
        }
        stream.send_data("end".into(), true).unwrap();
    });
    let client = client(true, server.port);
    let record = Record::new();
    let request = open(&client, "POST", "/", WINHTTP_FLAG_AUTOMATIC_CHUNKING, Some(&record));
    assert_eq!(send(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    assert_eq!(receive(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    let told = |status: u32, number: usize| {
        let nth = |seen: &[Seen]| seen.iter().filter(|seen| seen.status == status).nth(number).map(|seen| seen.value);
        record.wait_for(nth, "a completion")
    };
    for (number, piece, echo) in [(0, &b"one"[..], 3), (1, b"three", 5), (2, b"", 3)] {
        assert_eq!(query_data(request), 1);
        // Nothing, which ends the body, has no address.
        let bytes = if piece.is_empty() { null() } else { piece.as_ptr().cast() };
        // SAFETY: the bytes live for ever.
        assert_eq!(unsafe { WinHttpWriteData(request, bytes, piece.len() as u32, null_mut()) }, 1);
        assert_eq!(told(WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, number), piece.len() as u32);
        assert_eq!(told(WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE, number), echo);
        assert_eq!(read(request, echo), 1);
        assert_eq!(told(WINHTTP_CALLBACK_STATUS_READ_COMPLETE, number), echo);
    }
    close(request);
    client.close();
}

/// How an asynchronous GET fails: API, error and STREAM_ERROR_CODE.
/// `head`: gets a permit when the head is there.
fn failure(server: &Server, path: &str, head: &Arc<Semaphore>) -> (u32, u32, u32) {
    let client = client(true, server.port);
    let head = Arc::clone(head);
    let record = Record::with(move |request, seen| {
        match seen.status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => receive(request),
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                head.add_permits(1);
                read(request, 1000)
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE if seen.value > 0 => read(request, 1000),
            _ => 1,
        };
    });
    let request = open(&client, "GET", path, 0, Some(&record));
    assert_eq!(send(request), 1);
    let failed = record.wait(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
    let code = option(request, WINHTTP_OPTION_STREAM_ERROR_CODE);
    close(request);
    client.close();
    (failed.api as u32, failed.value, code)
}

#[test]
fn what_the_server_breaks() {
    let head = Arc::new(Semaphore::new(0));
    let heard = Arc::clone(&head);
    let server = Server::start(move |mut exchange| {
        let head = Arc::clone(&heard);
        async move {
            match exchange.path() {
                "/reset" => exchange.reset(Reason::INTERNAL_ERROR),
                "/calm" => exchange.reset(Reason::ENHANCE_YOUR_CALM),
                "/refused" => exchange.reset(Reason::REFUSED_STREAM),
                "/no-error" => exchange.reset(Reason::NO_ERROR),
                "/length" => {
                    exchange.answer_with(Response::builder().header("content-length", 9).body(()).unwrap(), "four")
                }
                "/fields" => {
                    let head = (0..300).fold(Response::builder(), |head, number| head.header(format!("x-{number}"), 1));
                    exchange.answer_with(head.body(()).unwrap(), "");
                }
                "/large" => {
                    let head = Response::builder().header("x-large", "x".repeat(70_000));
                    exchange.answer_with(head.body(()).unwrap(), "");
                }
                _ => {
                    let mut stream = exchange.reply.send_response(Response::new(()), false).unwrap();
                    stream.send_data("half".into(), false).unwrap();
                    // A reset overtakes what is not out yet.
                    head.acquire().await.unwrap().forget();
                    stream.send_reset(Reason::CANCEL);
                }
            }
        }
    });
    let rows = [
        ("/reset", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 2)),
        ("/calm", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 11)),
        ("/refused", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 7)),
        ("/no-error", (API_RECEIVE_RESPONSE, CONNECTION_ERROR, 0)),
        ("/fields", (API_RECEIVE_RESPONSE, 12181, 0)),
        ("/large", (API_RECEIVE_RESPONSE, 12182, 0)),
        ("/length", (API_READ_DATA, INVALID_RESPONSE, 0)),
        ("/half", (API_READ_DATA, CONNECTION_ERROR, 8)),
    ];
    for (path, expected) in rows {
        head.forget_permits(usize::MAX);
        assert_eq!(failure(&server, path, &head), expected, "{path}");
    }
    // A stream that was refused was asked for again; no other was.
    let count = |path: &str| server.requests().iter().filter(|asked| *asked == path).count();
    assert_eq!(["/refused", "/reset", "/calm", "/half"].map(count), [4, 1, 1, 1]);
    assert_eq!(server.connections(), 1, "a broken stream leaves its connection alone");
}

#[test]
fn what_is_tried_again() {
    let refused = Arc::new(Semaphore::new(1));
    let server = Server::start(move |mut exchange| {
        let refused = Arc::clone(&refused);
        async move {
            match exchange.path() {
                "/refused-once" if refused.try_acquire().map(|permit| permit.forget()).is_ok() => {
                    exchange.reset(Reason::REFUSED_STREAM);
                }
                _ => exchange.answer(exchange.connection.to_string()),
            }
        }
    });
    assert_eq!(get(&server, "/refused-once"), Ok(b"1".to_vec()));
    assert_eq!(server.requests(), ["/refused-once"; 2]);
    // The server answers and says GOAWAY: the next request gets a new connection.
    assert_eq!(get(&server, "/leave"), Ok(b"1".to_vec()));
    assert_eq!(get(&server, "/after"), Ok(b"2".to_vec()));
    assert_eq!(get(&server, "/again"), Ok(b"2".to_vec()));
    assert_eq!(server.connections(), 2);
}

#[test]
fn http_1_1_required() {
    let newer = Server::start(|mut exchange| async move { exchange.reset(Reason::HTTP_1_1_REQUIRED) });
    let client = client(false, newer.port);
    let request = open(&client, "GET", "/", 0, None);
    assert_eq!(set(request, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, 1), 0);
    assert_eq!(fetch(request), Err(CONNECTION_ERROR));
    assert_eq!(option(request, WINHTTP_OPTION_STREAM_ERROR_CODE), 13);
    close(request);
    client.close();
}

#[test]
fn a_hundred_at_once_and_some_are_cancelled() {
    const COUNT: usize = 100;
    let gate = Arc::new(Semaphore::new(0));
    let waiting = Arc::clone(&gate);
    let server = Server::start(move |mut exchange| {
        let gate = Arc::clone(&waiting);
        async move {
            if exchange.path() != "/first" {
                gate.acquire().await.unwrap().forget();
            }
            let body = exchange.path().repeat(20_000);
            let head = Response::new(());
            let Ok(mut stream) = exchange.reply.send_response(head, false) else { return };
            let _ = stream.send_data(body.into(), true);
        }
    });
    assert!(get(&server, "/first").is_ok());
    let client = client(true, server.port);
    let records: Vec<_> = (0..COUNT)
        .map(|_| {
            Record::with(|request, seen| {
                match seen.status {
                    WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => receive(request),
                    WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => query_data(request),
                    WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE if seen.value > 0 => read(request, seen.value),
                    WINHTTP_CALLBACK_STATUS_READ_COMPLETE => query_data(request),
                    _ => 1,
                };
            })
        })
        .collect();
    let requests: Vec<_> =
        (0..COUNT).map(|number| open(&client, "GET", &format!("/{number:03}"), 0, Some(&records[number]))).collect();
    for request in &requests {
        assert_eq!(send(*request), 1);
    }
    // All have been taken, the first of all among them; a third is cancelled before its reply, a third while it is read.
    server.wait_for_requests(1 + COUNT);
    // Which is which looks random and is the same in each run.
    let fate = |number: usize| (number * 7919 + 104_729) % 3;
    for number in (0..COUNT).filter(|number| fate(*number) == 0) {
        assert_eq!(close(requests[number]), 1);
    }
    gate.add_permits(COUNT);
    for number in (0..COUNT).filter(|number| fate(*number) == 1) {
        records[number].wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
        assert_eq!(close(requests[number]), 1);
    }
    for number in 0..COUNT {
        let record = &records[number];
        if fate(number) != 2 {
            record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
            continue;
        }
        let end = |seen: &[Seen]| {
            let is_end = |seen: &&Seen| seen.status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE && seen.value == 0;
            seen.iter().find(is_end).copied()
        };
        record.wait_for(end, "the end of a body");
        let seen = record.seen();
        let total = |status: u32| seen.iter().filter(|seen| seen.status == status).map(|seen| seen.value).sum::<u32>();
        assert_eq!(total(WINHTTP_CALLBACK_STATUS_READ_COMPLETE), 4 * 20_000, "{number}");
        assert!(!record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER));
        // Each counts its own bytes: 9, the pseudo fields, user-agent.
        let path = format!("/{number:03}");
        let sent = 9 + ":methodGET:schemehttps:path:authority".len() + path.len() + "user-agenttest".len();
        let sent = sent + format!("127.0.0.1:{}", server.port).len();
        assert_eq!(total(WINHTTP_CALLBACK_STATUS_REQUEST_SENT), sent as u32);
        assert_eq!(total(WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED), (9 + ":status200".len()) as u32);
        assert_eq!(close(requests[number]), 1);
    }
    assert_eq!(server.connections(), 1);
    client.close();
}

#[test]
fn a_slow_reader_stops_nobody() {
    let server = Server::start(|mut exchange| async move {
        let size = if exchange.path() == "/slow" { 8 << 20 } else { 1 << 20 };
        exchange.answer(Bytes::from(vec![b'x'; size]));
    });
    let client = client(false, server.port);
    let slow: Vec<_> = (0..10).map(|_| open(&client, "GET", "/slow", 0, None)).collect();
    for request in &slow {
        assert_eq!((send(*request), receive(*request)), (1, 1));
    }
    // None of them is read, and yet others get through.
    for _ in 0..3 {
        let quick = open(&client, "GET", "/quick", 0, None);
        assert_eq!(fetch(quick).map(|body| body.len()), Ok(1 << 20));
        close(quick);
    }
    assert_eq!(read_all(slow[0]).map(|body| body.len()), Ok(8 << 20));
    slow.into_iter().for_each(|request| assert_eq!(close(request), 1));
    assert_eq!(server.connections(), 1);
    client.close();
}

#[test]
fn more_requests_than_streams() {
    for (alone, expected) in [(0, 1), (1, 3)] {
        let gate = Arc::new(Semaphore::new(0));
        let waiting = Arc::clone(&gate);
        let mut builder = Builder::new();
        builder.max_concurrent_streams(1);
        let server = Server::with(builder, move |mut exchange: Exchange| {
            let gate = Arc::clone(&waiting);
            async move {
                if exchange.path() != "/first" {
                    gate.acquire().await.unwrap().forget();
                }
                exchange.answer("hello");
            }
        });
        assert_eq!(get(&server, "/first"), Ok(b"hello".to_vec()));
        let client = client(true, server.port);
        assert_eq!(set(client.session, WINHTTP_OPTION_DISABLE_STREAM_QUEUE, alone), 0);
        let records: Vec<_> = (0..3).map(|_| Record::new()).collect();
        let requests: Vec<_> = records.iter().map(|record| open(&client, "GET", "/", 0, Some(record))).collect();
        for request in &requests {
            assert_eq!(send(*request), 1);
        }
        if alone == 1 {
            // Each has a stream of its own: one that was refused has been sent, too.
            server.wait_for_requests(4);
        }
        gate.add_permits(3);
        for (request, record) in requests.into_iter().zip(records) {
            record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
            assert_eq!(receive(request), 1);
            record.wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
            close(request);
        }
        assert_eq!(server.connections(), expected);
        client.close();
    }
}

#[test]
fn requests_at_once_share_the_first_connection() {
    let server = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let client = client(true, server.port);
    let records: Vec<_> = (0..20).map(|_| Record::new()).collect();
    let requests: Vec<_> = records.iter().map(|record| open(&client, "GET", "/", 0, Some(record))).collect();
    for request in &requests {
        assert_eq!(send(*request), 1);
    }
    for (request, record) in requests.into_iter().zip(records) {
        record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
        close(request);
    }
    assert_eq!(server.connections(), 1);
    client.close();
}

/// The handle of a request may be used again, over the same connection.
#[test]
fn a_request_handle_is_used_again() {
    let server = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let client = client(false, server.port);
    let request: *mut c_void = open(&client, "GET", "/", 0, None);
    for _ in 0..3 {
        assert_eq!(fetch(request), Ok(b"hello".to_vec()));
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 3));
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

/// A body that waits for room hears that its connection is gone, and so does what follows.
#[test]
fn a_write_that_waits_hears_of_the_end() {
    let server = Server::start(|_| async {});
    let client = client(false, server.port);
    let request = open(&client, "POST", "/vanish", WINHTTP_FLAG_AUTOMATIC_CHUNKING, None);
    assert_eq!(send(request), 1, "{}", last_error());
    assert_eq!(write(request, &vec![b'x'; 1 << 20]), Err(CONNECTION_ERROR));
    assert_eq!((receive(request), last_error()), (0, CONNECTION_ERROR));
    close(request);
    client.close();
}

/// MAX_CONNS_PER_SERVER: a connection that carries nothing, or is dead, yields its place to a request that cannot use it;
/// while it carries something the request waits, as long as its own timeouts say (issue: 29 s with timeouts of 1.5 s).
#[test]
fn a_connection_without_streams_yields_its_place() {
    let server = Server::start(|mut exchange| async move {
        let _ = exchange.body().await;
        exchange.answer("hello");
    });
    let client = client(false, server.port);
    assert_eq!(set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 1), 0);
    // What is ignored of certificates is a matter of the connection.
    let other = || {
        let request = open(&client, "GET", "/other", 0, None);
        let ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;
        assert_eq!(set(request, WINHTTP_OPTION_SECURITY_FLAGS, ignored | SECURITY_FLAG_IGNORE_CERT_CN_INVALID), 0);
        request
    };
    for before in ["/idle", "/leave", "/abrupt"] {
        let request = open(&client, "GET", before, 0, None);
        // A server that leaves at once may answer no more.
        let _ = fetch(request);
        close(request);
        let request = other();
        assert_eq!(fetch(request), Ok(b"hello".to_vec()), "behind {before}");
        close(request);
    }
    // A stream whose body is not complete.
    let held = open(&client, "POST", "/held", 0, None);
    // SAFETY: no pointers.
    assert_eq!(unsafe { WinHttpSendRequest(held, null(), 0, null(), 0, 4, 0) }, 1, "{}", last_error());
    let request = other();
    let patience = |milliseconds| {
        // SAFETY: no pointers.
        let set = unsafe { WinHttpSetTimeouts(request, milliseconds, milliseconds, milliseconds, milliseconds) };
        assert_eq!(set, 1);
    };
    patience(300);
    assert_eq!(fetch(request), Err(TIMEOUT));
    close(held);
    patience(60_000);
    assert_eq!(fetch(request), Ok(b"hello".to_vec()), "the stream is over");
    close(request);
    client.close();
}

/// ENABLE_HTTP2_PLUS_CLIENT_CERT: beside a client certificate HTTP/2 is spoken only if that was asked for.
#[test]
fn beside_a_client_certificate() {
    let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate =
        portable_winhttp::api::ClientCertificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let newer = Server::start(|mut exchange| async move { exchange.answer("hello") });
    let older = Server::http1(&["http/1.1"]);
    // The newer one does not understand HTTP/1.1.
    for (enabled, server, used) in [(1, &newer, Some(1)), (0, &newer, None), (0, &older, Some(0)), (1, &older, Some(0))]
    {
        let client = client(false, server.port);
        assert_eq!(set(client.session, WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT, enabled), 0);
        let request = open(&client, "GET", "/", 0, None);
        let context = certificate.context();
        // SAFETY: a CERT_CONTEXT.
        let given = unsafe { WinHttpSetOption(request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, context.cast(), 40) };
        let got = fetch(request).ok().map(|_| option(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED));
        assert_eq!((given, got), (1, used), "{enabled}");
        close(request);
        client.close();
    }
}
