//! Peers over real bytes: in a Sim, through TLS and HTTP/2 in virtual time, and on loopback sockets.

#[path = "bytes/agree.rs"]
mod agree;
#[path = "bytes/faults.rs"]
mod faults;
mod support;
#[path = "bytes/tunnels.rs"]
mod tunnels;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use portable_winhttp::lab::{Fault, Live, Reply, Sim, Stage, any, get, post};
use portable_winhttp::win32::*;
use support::*;
use windows_sys::Win32::Networking::WinHttp as winhttp;

/// What a synchronous request came to.
#[derive(Debug, PartialEq, Eq)]
struct Got {
    /// Status and body, or the error.
    result: Result<(u32, String), u32>,
    /// HTTP_PROTOCOL_USED
    protocol: u32,
}

/// What of HTTP/2 is set.
#[derive(Clone, Copy)]
struct Fetching {
    http2: bool,
    required: bool,
}

/// A synchronous request on a session of its own; `http2`: whether it is enabled.
fn fetch(method: &str, url: (&str, u16, bool), path: &str, body: &[u8], http2: bool) -> Got {
    fetch_with(method, url, path, body, Fetching { http2, required: false })
}

fn fetch_with(method: &str, url: (&str, u16, bool), path: &str, body: &[u8], how: Fetching) -> Got {
    let (host, port, secure) = url;
    // SAFETY: texts end in NUL, buffers have their lengths.
    unsafe {
        let none = std::ptr::null();
        let session = winhttp::WinHttpOpen(none, winhttp::WINHTTP_ACCESS_TYPE_NO_PROXY, none, none, 0);
        let (protocols, required) = (u32::from(how.http2), u32::from(how.required));
        winhttp::WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const protocols).cast(), 4);
        winhttp::WinHttpSetOption(session, WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, (&raw const required).cast(), 4);
        let connection = winhttp::WinHttpConnect(session, wide(host).as_ptr(), port, 0);
        let flags = if secure { winhttp::WINHTTP_FLAG_SECURE } else { 0 };
        let (verb, path) = (wide(method), wide(path));
        let request =
            winhttp::WinHttpOpenRequest(connection, verb.as_ptr(), path.as_ptr(), none, none, std::ptr::null(), flags);
        let length = body.len() as u32;
        let result = match winhttp::WinHttpSendRequest(request, none, 0, body.as_ptr().cast(), length, length, 0) == 1
            && winhttp::WinHttpReceiveResponse(request, std::ptr::null_mut()) == 1
        {
            true => read_body(request).map(|body| (status(request), body)),
            false => Err(support::last_error()),
        };
        let (mut protocol, mut size) = (0, 4);
        winhttp::WinHttpQueryOption(request, WINHTTP_OPTION_HTTP_PROTOCOL_USED, (&raw mut protocol).cast(), &mut size);
        [request, connection, session].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
        Got { result, protocol }
    }
}

fn status(request: *mut std::ffi::c_void) -> u32 {
    let (mut status, mut size) = (0u32, 4);
    let level = winhttp::WINHTTP_QUERY_STATUS_CODE | winhttp::WINHTTP_QUERY_FLAG_NUMBER;
    // SAFETY: room for a DWORD.
    unsafe {
        winhttp::WinHttpQueryHeaders(
            request,
            level,
            std::ptr::null(),
            (&raw mut status).cast(),
            &mut size,
            std::ptr::null_mut(),
        )
    };
    status
}

fn read_body(request: *mut std::ffi::c_void) -> Result<String, u32> {
    let mut body = Vec::new();
    let mut room = [0u8; 1000];
    loop {
        let mut count = 0;
        // SAFETY: the buffer has that length.
        if unsafe { winhttp::WinHttpReadData(request, room.as_mut_ptr().cast(), 1000, &mut count) } == 0 {
            return Err(support::last_error());
        }
        if count == 0 {
            return Ok(String::from_utf8(body).unwrap());
        }
        body.extend(&room[..count as usize]);
    }
}

const SECURE: (&str, u16, bool) = ("api.test", 443, true);
const PLAIN: (&str, u16, bool) = ("api.test", 80, false);

/// What each way of carrying a request must come to: in a Sim over bytes and on sockets.
fn expectations(peer: &dyn Fn(&str) -> portable_winhttp::lab::Peer) {
    for origin in ["https://api.test", "http://api.test"] {
        let peer = peer(origin);
        peer.on(get("/items")).reply(Reply::ok().header("X-A", "b").body("hello")).expect(2..=3);
        peer.on(get("/chunks")).reply(Reply::ok().body("one two three").chunks([3, 4]).trailer("X-End", "1"));
        peer.on(get("/moved")).reply(Reply::redirect("/items"));
        peer.on(post("/echo").body("sent")).reply(Reply::status(201).body("got it"));
        peer.on(get("/cut")).reply(Reply::ok().body("0123456789").chunks([5, 5]).then(Fault::after_body(5).reset()));
    }
    let ok = |status: u32, body: &str, protocol: u32| Got { result: Ok((status, body.to_owned())), protocol };
    for (url, http2, protocol) in [(PLAIN, false, 0), (SECURE, false, 0), (SECURE, true, 1)] {
        assert_eq!(fetch("GET", url, "/items", b"", http2), ok(200, "hello", protocol));
        assert_eq!(fetch("GET", url, "/chunks", b"", http2), ok(200, "one two three", protocol));
        assert_eq!(fetch("POST", url, "/echo", b"sent", http2), ok(201, "got it", protocol));
        assert_eq!(fetch("GET", url, "/cut", b"", http2).result, Err(12030));
    }
    assert_eq!(fetch("GET", PLAIN, "/moved", b"", false), ok(200, "hello", 0));
}

#[test]
fn rules_over_bytes_in_a_sim() {
    let sim = Sim::builder().bytes().build();
    let began = Instant::now();
    expectations(&|origin| sim.peer(origin));
    assert_eq!(sim.elapsed(), Duration::ZERO);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn rules_by_a_script() {
    let sim = Sim::new();
    expectations(&|origin| sim.peer(origin));
    assert_eq!(sim.elapsed(), Duration::ZERO);
}

#[test]
fn rules_over_sockets() {
    let live = Live::new();
    expectations(&|origin| live.peer(origin));
}

#[test]
fn sockets_are_found_by_every_thread_and_gone_afterwards() {
    {
        let live = Live::new();
        let api = live.peer("https://api.test");
        let gate = live.gate("answer");
        api.on(any()).reply(Reply::ok().body("hello").wait(&gate)).expect(8);
        let threads: Vec<_> = (0..8)
            .map(|number| thread::spawn(move || fetch("GET", SECURE, "/", b"", number % 2 == 0).result))
            .collect();
        gate.open();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok((200, "hello".to_owned())));
        }
        assert_eq!(api.received().len(), 8);
    }
    // r7: connections of the pool that are found dead are replaced.
    assert_eq!(fetch("GET", SECURE, "/", b"", false).result, Err(12007), "the name is gone");
}

#[test]
fn a_live_peer_is_verified_at_the_end() {
    let ended = std::panic::catch_unwind(|| {
        let live = Live::new();
        live.peer("http://missed.test").on(get("/items")).reply(Reply::ok()).expect(1);
    });
    let report = *ended.unwrap_err().downcast::<String>().unwrap();
    assert!(report.contains("http://missed.test") && report.contains("/items"), "{report}");
}

#[test]
fn a_raw_peer_on_a_socket() {
    let live = Live::new();
    live.peer("https://raw.test").raw(|raw| {
        while raw.read_until(b"\r\n\r\n").is_some() {
            raw.write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw");
        }
    });
    for _ in 0..2 {
        assert_eq!(fetch("GET", ("raw.test", 443, true), "/", b"", false).result, Ok((200, "raw".to_owned())));
    }
}

#[test]
fn faults_on_the_way() {
    let certificate = |flags: u32| Fault::at(Stage::Tls).secure(flags);
    let rows: Vec<(&str, Fault, u32)> = vec![
        ("name", Fault::at(Stage::Resolve).fail(ERROR_WINHTTP_NAME_NOT_RESOLVED), 12007),
        ("refused", Fault::refuse(), 12029),
        ("authority", certificate(WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA), 12175),
        ("wrong name", certificate(WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID), 12175),
        ("expired", certificate(WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID), 12175),
        ("broken", Fault::at(Stage::Head).reset(), 12030),
        ("silent", Fault::at(Stage::Head).stall(), 12002),
    ];
    for (what, fault, expected) in rows {
        let sim = Sim::builder().bytes().build();
        let api = sim.peer("https://api.test");
        api.fault(fault);
        api.on(any()).reply(Reply::ok().body("hello"));
        for http2 in [false, true] {
            assert_eq!(fetch("GET", SECURE, "/", b"", http2).result, Err(expected), "{what}, HTTP/2: {http2}");
        }
    }
}

/// Bytes and keys are others each time; what a program is told is not.
#[test]
fn the_same_records_each_time() {
    let trace = || {
        let sim = Sim::builder().bytes().build();
        let api = sim.peer("https://api.test");
        api.on(any()).reply(Reply::ok().body("one two three").chunks([3, 4]).between(Duration::from_secs(1)));
        for http2 in [false, true, true] {
            assert!(fetch("GET", SECURE, "/", b"", http2).result.is_ok());
        }
        sim.trace().to_json_lines()
    };
    let first = trace();
    assert!(first.contains("HEADERS_AVAILABLE") || first.lines().count() > 50, "{first}");
    for _ in 0..20 {
        assert_eq!(trace(), first);
    }
}

/// Over HTTP/2 there is no upgrade: the server wants HTTP/1.1, and gets it. The 101 that nobody asked for is an interim
/// reply (source a12), behind which the connection ends (d01).
#[test]
fn http_1_1_required() {
    let sim = Sim::builder().bytes().build();
    let api = sim.peer("https://api.test");
    api.on(get("/up")).reply(Reply::upgrade("x", |raw| raw.close()));
    let Got { result, protocol } = fetch("GET", SECURE, "/up", b"", true);
    assert_eq!((result.map(|(status, _)| status), protocol), (Err(12152), 0));
    assert_eq!(api.received().len(), 2);
}

/// A Content-Length that the peer sets itself ends the body (source m3), whoever carries it.
#[test]
fn a_length_of_the_peers_own() {
    for (arm, make) in [("script", Sim::new as fn() -> Sim), ("bytes", || Sim::builder().bytes().build())] {
        let sim = make();
        let api = sim.peer("https://api.test");
        api.on(get("/longer")).reply(Reply::ok().header("Content-Length", "5").body("helloworld"));
        api.on(get("/as-long")).reply(Reply::ok().header("Content-Length", "5").body("hello"));
        api.on(get("/shorter")).reply(Reply::ok().header("Content-Length", "5").body("hell"));
        for http2 in [false, true] {
            for path in ["/as-long", "/longer"] {
                let got = fetch("GET", SECURE, path, b"", http2).result;
                assert_eq!(got, Ok((200, "hello".to_owned())), "{arm} {http2} {path}");
            }
        }
        assert_eq!(fetch("GET", SECURE, "/shorter", b"", true).result, Err(12152), "{arm}");
    }
}

#[test]
fn http2_required_of_who_has_none() {
    for (arm, make) in [("script", Sim::new as fn() -> Sim), ("bytes", || Sim::builder().bytes().build())] {
        let sim = make();
        sim.peer("https://raw.test").raw(|raw| drop(raw.read()));
        sim.peer("http://plain.test").on(any()).reply(Reply::ok());
        for url in [("raw.test", 443, true), ("plain.test", 80, false)] {
            let required = Fetching { http2: true, required: true };
            assert_eq!(fetch_with("GET", url, "/", b"", required).result, Err(12190), "{arm}, {url:?}");
        }
    }
}

/// A server that falls silent is noticed by PING, long before the request's own time is up.
#[test]
fn http2_keepalive_in_virtual_time() {
    let sim = Sim::builder().bytes().build();
    sim.peer("https://api.test").on(any()).reply(Reply::ok().body("late").delay(Duration::from_secs(25)));
    let began = Instant::now();
    let record = Record::with(|request, seen| {
        if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
            receive(request);
        }
    });
    let context = context(&record);
    // SAFETY: texts end in NUL; the context outlives the handles.
    unsafe {
        let (none, host) = (std::ptr::null(), wide("api.test"));
        let session = winhttp::WinHttpOpen(none, 1, none, none, winhttp::WINHTTP_FLAG_ASYNC);
        winhttp::WinHttpSetStatusCallback(session, Some(support::record), u32::MAX, 0);
        for (option, value) in [(WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, 1u32), (WINHTTP_OPTION_HTTP2_KEEPALIVE, 5000)] {
            assert_eq!(winhttp::WinHttpSetOption(session, option, (&raw const value).cast(), 4), 1);
        }
        let connection = winhttp::WinHttpConnect(session, host.as_ptr(), 443, 0);
        let request =
            winhttp::WinHttpOpenRequest(connection, none, none, none, none, none.cast(), winhttp::WINHTTP_FLAG_SECURE);
        assert_eq!(winhttp::WinHttpSendRequest(request, none, 0, none.cast(), 0, 0, context), 1);
        let seen = Arc::clone(&record);
        // The server answers each PING: the reply comes in its own time.
        sim.block_until(|| seen.statuses().contains(&WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE));
        assert_eq!(sim.elapsed(), Duration::from_secs(25));
        [request, connection, session].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
    }
    assert!(began.elapsed() < Duration::from_secs(10));
}
