//! What no correct program does, and no correct server: each answers with Windows' error, and nothing panics or hangs.

mod support;

use std::ffi::c_void;
use std::io::Write;
use std::ptr::{null, null_mut};

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// Calls a function with a handle and otherwise good arguments; answers its error, 0 if it succeeded.
type Probe = fn(*mut c_void) -> u32;

/// The error of a function that answers FALSE or NULL.
fn failed(answer: bool) -> u32 {
    if answer { 0 } else { last_error() }
}

const S: u32 = 1;
const C: u32 = 2;
const R: u32 = 4;
const ALL: u32 = S | C | R;

/// Every function that takes a handle, and the types of handle that it takes.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, u32, Probe)] = &[
    // SAFETY, for all: arguments beside the handle are what the pages ask for.
    ("WinHttpConnect", S, |h| unsafe { failed(!WinHttpConnect(h, wide("h").as_ptr(), 80, 0).is_null()) }),
    ("WinHttpOpenRequest", C, |h| unsafe { failed(!WinHttpOpenRequest(h, null(), null(), null(), null(), null(), 0).is_null()) }),
    ("WinHttpAddRequestHeaders", R, |h| unsafe { failed(WinHttpAddRequestHeaders(h, wide("a: b").as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) != 0) }),
    ("WinHttpSendRequest", R, |h| failed(send(h) != 0)),
    ("WinHttpReceiveResponse", R, |h| failed(receive(h) != 0)),
    ("WinHttpQueryDataAvailable", R, |h| failed(query_data(h) != 0)),
    ("WinHttpReadData", R, |h| failed(read(h, 1) != 0)),
    ("WinHttpReadDataEx", R, |h| unsafe { WinHttpReadDataEx(h, [0u8; 1].as_mut_ptr().cast(), 1, null_mut(), 0, 0, null()) }),
    ("WinHttpWriteData", R, |h| unsafe { failed(WinHttpWriteData(h, b"x".as_ptr().cast(), 1, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", R, |h| unsafe { let mut n = 0; failed(WinHttpQueryHeaders(h, WINHTTP_QUERY_DATE, null(), null_mut(), &mut n, null_mut()) != 0) }),
    ("WinHttpSetCredentials", R, |h| unsafe { failed(WinHttpSetCredentials(h, 0, 1, wide("u").as_ptr(), wide("p").as_ptr(), null_mut()) != 0) }),
    ("WinHttpQueryAuthSchemes", R, |h| unsafe { let (mut a, mut b, mut c) = (0, 0, 0); failed(WinHttpQueryAuthSchemes(h, &mut a, &mut b, &mut c) != 0) }),
    ("WinHttpAddRequestHeadersEx", R, |h| unsafe { WinHttpAddRequestHeadersEx(h, 0, 0, 0, 0, null()) }),
    ("WinHttpQueryHeadersEx", R, |h| unsafe { WinHttpQueryHeadersEx(h, 0, 0, 0, null_mut(), null(), null_mut(), null_mut(), null_mut(), null_mut()) }),
    ("WinHttpWebSocketCompleteUpgrade", R, |h| unsafe { failed(!WinHttpWebSocketCompleteUpgrade(h, 0).is_null()) }),
    ("WinHttpWebSocketSend", 0, |h| unsafe { WinHttpWebSocketSend(h, 0, null(), 0) }),
    ("WinHttpWebSocketReceive", 0, |h| unsafe { WinHttpWebSocketReceive(h, null_mut(), 0, null_mut(), null_mut()) }),
    ("WinHttpWebSocketShutdown", 0, |h| unsafe { WinHttpWebSocketShutdown(h, 1000, null(), 0) }),
    ("WinHttpWebSocketClose", 0, |h| unsafe { WinHttpWebSocketClose(h, 1000, null(), 0) }),
    ("WinHttpWebSocketQueryCloseStatus", 0, |h| unsafe { WinHttpWebSocketQueryCloseStatus(h, null_mut(), null_mut(), 0, null_mut()) }),
    ("WinHttpCreateProxyResolver", S, |h| unsafe { WinHttpCreateProxyResolver(h, &mut null_mut()) }),
    ("WinHttpGetProxyForUrlEx", 0, |h| unsafe { WinHttpGetProxyForUrlEx(h, null(), null(), 0) }),
    ("WinHttpGetProxyForUrlEx2", 0, |h| unsafe { WinHttpGetProxyForUrlEx2(h, null(), null(), 0, null(), 0) }),
    ("WinHttpGetProxyResult", 0, |h| unsafe { WinHttpGetProxyResult(h, null_mut()) }),
    ("WinHttpGetProxyResultEx", 0, |h| unsafe { WinHttpGetProxyResultEx(h, null_mut()) }),
    ("WinHttpGetProxySettingsEx", 0, |h| unsafe { WinHttpGetProxySettingsEx(h, 0, null(), 0) }),
    ("WinHttpGetProxySettingsResultEx", 0, |h| unsafe { WinHttpGetProxySettingsResultEx(h, null_mut()) }),
    ("WinHttpGetProxySettingsVersion", S, |h| unsafe { WinHttpGetProxySettingsVersion(h, &mut 0) }),
    ("WinHttpGetProxyForUrl", S, |h| unsafe { failed(WinHttpGetProxyForUrl(h, null(), null_mut(), null_mut()) != 0) }),
    ("WinHttpResetAutoProxy", S, |h| unsafe { WinHttpResetAutoProxy(h, 0) }),
    ("WinHttpReadProxySettings", S, |h| unsafe { WinHttpReadProxySettings(h, null(), 0, 0, null_mut(), null_mut(), null_mut()) }),
    ("WinHttpWriteProxySettings", S, |h| unsafe { WinHttpWriteProxySettings(h, 0, null()) }),
    ("WinHttpQueryConnectionGroup", ALL, |h| unsafe { WinHttpQueryConnectionGroup(h, null(), 0, null_mut()) }),
    ("WinHttpSetStatusCallback", ALL, |h| unsafe { failed(WinHttpSetStatusCallback(h, None, 0, 0).is_none_or(|callback| callback as usize != usize::MAX)) }),
    ("WinHttpSetOption", ALL, |h| unsafe { failed(WinHttpSetOption(h, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const CONTEXT).cast(), 8) != 0) }),
    ("WinHttpQueryOption", ALL, |h| unsafe { let (mut v, mut n) = (0u32, 4u32); failed(WinHttpQueryOption(h, WINHTTP_OPTION_HANDLE_TYPE, (&raw mut v).cast(), &mut n) != 0) }),
    ("WinHttpSetTimeouts", S | R, |h| unsafe { failed(WinHttpSetTimeouts(h, 0, 0, 0, 0) != 0) }),
];

static CONTEXT: usize = 0;

/// Functions that take no handle.
const WITHOUT_HANDLE: &[&str] = &[
    "WinHttpCheckPlatform",
    "WinHttpCloseHandle",
    "WinHttpCrackUrl",
    "WinHttpCreateUrl",
    "WinHttpDetectAutoProxyConfigUrl",
    "WinHttpFreeProxyResult",
    "WinHttpFreeProxyResultEx",
    "WinHttpFreeProxySettings",
    "WinHttpFreeProxySettingsEx",
    "WinHttpFreeQueryConnectionGroupResult",
    "WinHttpGetDefaultProxyConfiguration",
    "WinHttpGetIEProxyConfigForCurrentUser",
    "WinHttpOpen",
    "WinHttpRegisterProxyChangeNotification",
    "WinHttpSetDefaultProxyConfiguration",
    "WinHttpSetProxySettingsPerUser",
    "WinHttpTimeFromSystemTime",
    "WinHttpTimeToSystemTime",
    "WinHttpUnregisterProxyChangeNotification",
];

#[test]
fn every_function_of_windows_sys_is_here() {
    assert_eq!(FUNCTIONS.len() + WITHOUT_HANDLE.len(), 56);
}

#[test]
fn handles_that_are_none() {
    let client = Client::new(true, 80);
    let stale = client.request("GET", "/", &Record::new());
    assert_eq!(close(stale), 1);
    let local = 0u64;
    let foreign = (&raw const local).cast_mut().cast();
    let bad = [
        ("NULL", null_mut()),
        ("stale", stale),
        ("foreign", foreign),
        ("-1", usize::MAX as *mut c_void),
        ("near", (client.session as usize + 1) as *mut c_void),
    ];
    for (function, _, probe) in FUNCTIONS {
        for (what, handle) in bad {
            assert_eq!(probe(handle), 6, "{function} with a handle that is {what}");
        }
    }
    for (what, handle) in bad {
        assert_eq!((close(handle), last_error()), (0, 6), "WinHttpCloseHandle with a handle that is {what}");
    }
    client.close();
}

#[test]
fn handles_of_the_wrong_type() {
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &Record::new());
    for (function, takes, probe) in FUNCTIONS {
        for (kind, handle) in [(S, client.session), (C, client.connection), (R, request)] {
            if takes & kind == 0 {
                assert_eq!(probe(handle), 12018, "{function} with type {kind}");
            }
        }
    }
    assert_eq!(close(request), 1);
    client.close();
}

#[test]
fn arguments_that_are_none() {
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &Record::new());
    let mut length = 0u32;
    // SAFETY: what these get is what they refuse.
    unsafe {
        let rows = [
            ("Connect NULL", failed(!WinHttpConnect(client.session, null(), 80, 0).is_null()), 87),
            ("headers NULL", failed(WinHttpAddRequestHeaders(request, null(), 4, 0) != 0), 87),
            ("headers of length 0", failed(WinHttpAddRequestHeaders(request, wide("a:b").as_ptr(), 0, 0) != 0), 87),
            ("optional NULL", failed(WinHttpSendRequest(request, null(), 0, null(), 4, 4, 0) != 0), 87),
            ("buffer NULL", failed(WinHttpReadData(request, null_mut(), 4, null_mut()) != 0), 87),
            ("write NULL", failed(WinHttpWriteData(request, null(), 4, null_mut()) != 0), 87),
            (
                "length NULL",
                failed(WinHttpQueryHeaders(request, 19, null(), null_mut(), null_mut(), null_mut()) != 0),
                87,
            ),
            ("option length NULL", failed(WinHttpQueryOption(request, 45, null_mut(), null_mut()) != 0), 87),
            ("option NULL", failed(WinHttpSetOption(request, 45, null(), 8) != 0), 87),
            ("option too short", failed(WinHttpSetOption(request, 6, b"ab".as_ptr().cast(), 2) != 0), 122),
            ("option without buffer", failed(WinHttpQueryOption(request, 45, null_mut(), &mut length) != 0), 122),
            (
                "auth schemes NULL",
                failed(WinHttpQueryAuthSchemes(request, null_mut(), &mut length, &mut length) != 0),
                87,
            ),
            (
                "first scheme NULL",
                failed(WinHttpQueryAuthSchemes(request, &mut length, null_mut(), &mut length) != 0),
                87,
            ),
            (
                "auth target NULL",
                failed(WinHttpQueryAuthSchemes(request, &mut length, &mut length, null_mut()) != 0),
                87,
            ),
            ("timeout below -1", failed(WinHttpSetTimeouts(client.connection, 0, 0, 0, -2) != 0), 87),
            ("access type", failed(!WinHttpOpen(null(), 77, null(), null(), 0).is_null()), 87),
            ("named proxy without name", failed(!WinHttpOpen(null(), 3, null(), null(), 0).is_null()), 87),
            ("ReadDataEx flags", WinHttpReadDataEx(request, null_mut(), 0, null_mut(), 2, 0, null()), 87),
        ];
        for (what, error, expected) in rows {
            assert_eq!(error, expected, "{what}");
        }
    }
    assert_eq!(length, 8);
    assert_eq!(close(request), 1);
    client.close();
}

#[test]
fn hosts_verbs_and_agents_that_would_smuggle() {
    let client = Client::new(true, 80);
    let connect = |host: &str| {
        // SAFETY: ends in NUL.
        let connection = unsafe { WinHttpConnect(client.session, wide(host).as_ptr(), 80, 0) };
        (failed(!connection.is_null()), connection)
    };
    for host in [
        "",
        "a b",
        "a\r\nb",
        "a/b",
        "a@b",
        "a?b",
        "h\u{f6}st",
        "[",
        "[]",
        "1:2",
        "[::1",
        "a:80",
        "::1",
        "[a]",
        "[127.0.0.1]",
        "[127.0.0.1%1]",
        "[%1]",
        "fe80::1%1",
        "[fe80::1%]",
        "[fe80::1%4294967296]",
        "[fe80::1%1%1]",
        "[fe80::1%+1]",
        "[fe80::1%1 ]",
        "[fe80::1%1\r\na:b]",
        "[fe80::1%1]:80",
        "[fe80::1%no-such-interface]",
    ] {
        assert_eq!(connect(host).0, 12005, "{host:?}");
    }
    for host in ["localhost", "127.0.0.1", "[::1]", "[fe80::1%18]", "a_b", "xn--hst-sna"] {
        let (error, connection) = connect(host);
        assert_eq!((error, close(connection)), (0, 1), "{host:?}");
    }
    // SAFETY: strings end in NUL.
    unsafe {
        for verb in ["G T", "GET\r\nA: b", "GET / HTTP/1.1"] {
            let request = WinHttpOpenRequest(client.connection, wide(verb).as_ptr(), null(), null(), null(), null(), 0);
            assert_eq!(failed(!request.is_null()), 87, "{verb:?}");
        }
        assert_eq!(failed(!WinHttpOpen(wide("a\r\nb: c").as_ptr(), 1, null(), null(), 0).is_null()), 87);
    }
    client.close();
}

/// A megabyte of header text goes out as it is; a megabyte without a colon is refused.
#[test]
fn long_header_text() {
    let (sender, received) = std::sync::mpsc::channel();
    let port = serve(move |mut stream| {
        if let Some(head) = read_head(&mut stream) {
            sender.send(head.len()).unwrap();
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
        }
    });
    let client = Client::new(false, port);
    let request = client.request("GET", "/", &Record::new());
    let add = |text: &str| {
        // SAFETY: ends in NUL.
        failed(
            unsafe { WinHttpAddRequestHeaders(request, wide(text).as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) } != 0,
        )
    };
    assert_eq!(add(&"x".repeat(1 << 20)), 87);
    assert_eq!(add(&format!("x: {}", "y".repeat(1 << 20))), 87);
    for _ in 0..16 {
        assert_eq!(add(&format!("x: {}", "y".repeat(65_535))), 0);
    }
    assert_eq!((send(request), receive(request)), (1, 1));
    assert!(received.recv_timeout(PATIENCE).unwrap() > 1 << 20);
    assert_eq!(close(request), 1);
    client.close();
}

/// What a hostile server sends, and the error that ReceiveResponse or ReadData gives; 0: none, and so many bytes.
#[test]
fn replies_that_are_none() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(5000));
    let long = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(70_000));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(50);
    let endless = format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(1 << 20));
    let rows: &[(&str, &str, u32, usize)] = &[
        ("nothing", "", 12152, 0),
        ("garbage", "hello, world\r\n\r\n", 12152, 0),
        ("binary", "\x16\x03\x01\x02\0\x01\0\x01\u{fffd}\x03\x03\r\n\r\n", 12152, 0),
        ("a status that is no number", "HTTP/1.1 abc\r\n\r\n", 12152, 0),
        ("half a status line", "HTTP/1.1 2", 12152, 0),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le", 12152, 0),
        ("a head without end", &endless, 12182, 0),
        ("a head that is too long", &long, 12182, 0),
        ("many fields", &many, 0, 0),
        ("spaces in a status line behind an interim reply", "HTTP/1.1  100  C\r\n\r\nHTTP/1.1  204  No\r\n\r\n", 0, 0),
        ("interim replies without end", &interim, 12152, 0),
        ("a name that is no token", "HTTP/1.1 200 OK\r\na b c: d\r\n\r\n", 12152, 0),
        ("lengths that contradict", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 12152, 0),
        ("a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab", 12152, 0),
        ("a body that ends early", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 0, 3),
        ("no length", "HTTP/1.1 200 OK\r\n\r\nabc", 0, 3),
        ("a chunk that ends early", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", 12030, 0),
        ("a chunk size that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 12152, 0),
        (
            "a chunk size that overflows",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nabc",
            12152,
            0,
        ),
        ("a length beyond everything", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab", 12152, 0),
        ("a length that is almost", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nab", 12152, 0),
        ("a NUL in a value", "HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n", 12152, 0),
        ("a switch that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\nabc", 12152, 0),
        ("a trailer that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nabc\r\n\r\n", 12152, 0),
        (
            "a length and a coding that is unknown",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\nContent-Length: 1\r\n\r\nabc",
            0,
            3,
        ),
        ("more than the length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef", 0, 2),
        ("an unasked reply behind", "HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 0, 0),
    ];
    for (what, reply, error, bytes) in rows {
        let reply = reply.to_string();
        let port = serve(move |mut stream| {
            if read_head(&mut stream).is_some() {
                let _ = stream.write_all(reply.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                // The client closes, or has had enough: no reset may overtake the reply.
                let _ = std::io::copy(&mut stream, &mut std::io::sink());
            }
        });
        let client = Client::new(false, port);
        let request = client.request("GET", "/", &Record::new());
        let (mut buffer, mut total) = ([0u8; 64], 0);
        let mut result = failed(send(request) != 0 && receive(request) != 0);
        while result == 0 {
            let mut count = 0;
            // SAFETY: the buffer has so many bytes.
            let read = unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 64, &mut count) };
            result = failed(read != 0);
            total += count as usize;
            if count == 0 {
                break;
            }
        }
        if *error == 0 {
            assert_eq!((result, total), (0, *bytes), "{what}");
        } else {
            assert_eq!(result, *error, "{what}");
        }
        assert_eq!(close(request), 1);
        client.close();
    }
}

/// The second request goes out on another connection, and does not get what the server put behind its first reply.
#[test]
fn bytes_behind_a_reply_are_no_reply() {
    let surplus = "HTTP/1.1 203 Other\r\nContent-Length: 0\r\n\r\n";
    let port = serve_always(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok{surplus}"));
    let client = Client::new(false, port);
    for number in 1..=5 {
        let request = client.request("GET", "/", &Record::new());
        assert_eq!((send(request), receive(request), read(request, 10)), (1, 1, 1), "request {number}");
        let (mut status, mut size) = (0u32, 4);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        // SAFETY: room for a DWORD.
        let queried =
            unsafe { WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut size, null_mut()) };
        assert_eq!((queried, status), (1, 200), "request {number}");
        close(request);
    }
    client.close();
}
