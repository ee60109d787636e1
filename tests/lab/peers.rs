//! What peers match, ask for, answer and expect.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Gate, Login, Matcher, Profile, RawConnection, Reply, Sim, any, get, post};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::fetch::{Fetch, complaint};
use crate::support::*;

/// Each matcher: what of a POST /a/b?x=1%202 with `data` it does not match.
#[test]
fn matchers() {
    let rows: [(Matcher, Option<&str>); 13] = [
        (any(), None),
        (post("/a/b"), None),
        (post("/a/b?x=1%202"), None),
        (post("/a/b?x=1"), Some("the path is not /a/b?x=1")),
        (get("/a/b"), Some("the verb is not GET")),
        (any().under("/a/"), None),
        (any().under("/c"), Some("the path is not under /c")),
        (any().query("x", "1 2"), None),
        (any().query("x", "3"), Some("the query has x=1 2, not 3")),
        (any().header("content-length", "4").has_header("host").no_header("cookie"), None),
        (any().header("Accept", "text/html"), Some("there is no Accept: text/html")),
        (any().body("data").body_contains("at"), None),
        (any().when("a long body", |request| request.content().len() > 9), Some("there is not a long body")),
    ];
    for (matcher, miss) in rows {
        let shown = matcher.to_string();
        let run = || {
            let sim = Sim::new();
            sim.peer("http://127.0.0.1").on(matcher).reply(Reply::ok()).expect(1);
            let fetch = Fetch::start("POST", "/a/b?x=1%202", "data");
            sim.block_until(|| fetch.done());
        };
        match miss {
            None => run(),
            Some(miss) => {
                let report = complaint(run);
                let expected =
                    format!("`{shown}` was expected once and never came; closest came POST /a/b?x=1%202, but {miss}");
                assert!(report.contains(&expected), "{shown}: {report}");
                assert!(report.contains(&format!("closest is `{shown}`, but {miss}")), "{shown}: {report}");
            }
        }
    }
}

#[test]
fn how_often_a_request_is_expected() {
    let run = |times: usize, expect: portable_winhttp::lab::Times| {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(get("/")).reply(Reply::ok()).named("the root").expect(expect);
        for _ in 0..times {
            let fetch = Fetch::start("GET", "/", "");
            sim.block_until(|| fetch.done());
        }
    };
    for (times, expect) in [(2, 2.into()), (2, (1..=2).into()), (3, (1..).into()), (0, (..=4).into())] {
        run(times, expect);
    }
    let rows = [
        (2, 0.into(), "`GET /` (the root) was expected never and came 2 times"),
        (1, (2..).into(), "`GET /` (the root) was expected at least 2 times and came once"),
        (3, (1..=2).into(), "`GET /` (the root) was expected 1 to 2 times and came 3 times"),
    ];
    for (times, expect, message) in rows {
        let report = complaint(|| run(times, expect));
        assert!(report.contains(message), "{report}");
    }
}

/// A peer with a password: the right one gets in, the wrong one and none do not.
#[test]
fn passwords() {
    let (plain, newer) = (Profile::newest(), Profile::newest().with_newer_digest());
    // SHA-256 is answered by no Windows: source e06.
    let logins = [
        (Login::basic("r", "user", "pass"), WINHTTP_AUTH_SCHEME_BASIC, &plain, 200),
        (Login::digest("r", "user", "pass"), WINHTTP_AUTH_SCHEME_DIGEST, &plain, 200),
        (Login::digest_sha256("r", "user", "pass"), WINHTTP_AUTH_SCHEME_DIGEST, &plain, 401),
        (Login::digest_sha256("r", "user", "pass"), WINHTTP_AUTH_SCHEME_DIGEST, &newer, 200),
    ];
    for (login, scheme, profile, right) in logins {
        for (password, status) in [(Some("pass"), right), (Some("wrong"), 401), (None, 401)] {
            let sim = Sim::builder().profile(profile.clone()).build();
            let api = sim.peer("http://127.0.0.1");
            api.on(get("/")).requires(login.clone()).reply(Reply::ok().body("in")).expect(usize::from(status == 200));
            let client = Client::new(false, 80);
            let request = client.request("GET", "/", &Record::new());
            if let Some(password) = password {
                let (user, password) = (wide("user"), wide(password));
                // SAFETY: strings end in NUL.
                let set = unsafe {
                    let target = WINHTTP_AUTH_TARGET_SERVER;
                    WinHttpSetCredentials(
                        request,
                        target,
                        scheme,
                        user.as_ptr(),
                        password.as_ptr(),
                        std::ptr::null_mut(),
                    )
                };
                assert_eq!(set, 1, "{}", last_error());
            }
            assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
            let (mut code, mut length) = (0u32, 4u32);
            // SAFETY: the buffer is a DWORD.
            let got = unsafe {
                let what = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
                let (name, index) = (std::ptr::null(), std::ptr::null_mut());
                WinHttpQueryHeaders(request, what, name, (&raw mut code).cast(), &raw mut length, index)
            };
            assert_eq!((got, code), (1, status), "{login:?} {password:?}");
            close(request);
            client.close();
        }
    }
}

/// A raw peer: what it reads, a half close, a gate, a slow trickle.
#[test]
fn the_byte_door() {
    let sim = Sim::new();
    let gate = sim.gate("second half");
    let waits = gate.clone();
    sim.peer("http://127.0.0.1").raw(move |raw| {
        raw.expect("POST /up HTTP/1.1\r\n");
        raw.read_until(b"\r\n\r\n").unwrap();
        assert_eq!(raw.read_exact(4).unwrap(), b"data");
        raw.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
        raw.wait(&waits);
        raw.trickle("56789", 2, Duration::from_secs(1));
        raw.shutdown_write();
        raw.closed_by_client();
    });
    let fetch = Fetch::start("POST", "/up", "data");
    sim.settle();
    assert_eq!((fetch.done(), gate.reached()), (false, 1));
    gate.open();
    sim.block_until(|| fetch.done());
    assert_eq!((fetch.result().as_deref(), sim.elapsed()), (Ok("0123456789"), Duration::from_secs(3)));

    let report = complaint(|| {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").raw(|raw| raw.expect("PUT "));
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
    });
    assert!(report.contains("the client was expected to send \"PUT \" and sent \"GET \""), "{report}");
}

/// A peer that still waits when its Sim is over: its thread ends, and keeps nothing of the Sim.
#[test]
fn raw_peers_end_with_their_sim() {
    type Wait = fn(&RawConnection, &Gate);
    let rows: [(&str, Wait); 2] =
        [("a day", |raw, _| raw.sleep(Duration::from_secs(86_400))), ("a gate", |raw, gate| raw.wait(gate))];
    for (what, wait) in rows {
        let (lives, ended) = channel::<()>();
        let sim = Sim::new();
        let gate = sim.gate("never opened");
        sim.peer("http://127.0.0.1").raw(move |raw| {
            let _lives = lives.clone();
            raw.read_until(b"\r\n\r\n").unwrap();
            raw.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            wait(&raw, &gate);
            unreachable!("there is no more");
        });
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result().as_deref(), Ok(""), "{what}");
        drop((fetch, sim));
        assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected), "{what}");
    }
}

/// Trailers, bodies that end with the connection, a reply before the body.
#[test]
fn shapes_of_replies() {
    let rows = [
        ("trailers", Reply::ok().body("abc").trailer("X", "1"), "abc"),
        ("until close", Reply::ok().body("abc").until_close(), "abc"),
        ("a wait", Reply::ok().body("abc").delay(Duration::from_secs(1)).interim(102), "abc"),
        ("empty chunks", Reply::ok().body("").chunks([1]), ""),
        ("nothing goes wrong", Reply::ok().body("abc").then(Fault::after_body(2).delay(Duration::from_secs(1))), "abc"),
    ];
    for (what, reply, body) in rows {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(reply);
        let fetch = Fetch::start("GET", "/", "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result().as_deref(), Ok(body), "{what}");
    }
}

/// A server is described in several places: the rules belong to one.
#[test]
fn one_origin_is_one_server() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(get("/a")).reply(Reply::ok().body("a"));
    sim.peer("http://127.0.0.1:80").on(get("/b")).reply(Reply::ok().body("b"));
    for (path, body) in [("/a", "a"), ("/b", "b")] {
        let fetch = Fetch::start("GET", path, "");
        sim.block_until(|| fetch.done());
        assert_eq!(fetch.result().as_deref(), Ok(body));
    }
    assert_eq!(sim.peer("http://127.0.0.1").received().len(), 2);
}

/// What a newer rule takes away from an older one is told where the older one was expected.
#[test]
fn a_rule_behind_a_newer_one() {
    let report = complaint(|| {
        let sim = Sim::new();
        let peer = sim.peer("http://127.0.0.1");
        peer.on(get("/a")).reply(Reply::ok()).expect(1);
        peer.on(any()).reply(Reply::ok()).named("all");
        let fetch = Fetch::start("GET", "/a", "");
        sim.block_until(|| fetch.done());
    });
    assert!(report.contains("never came; GET /a came, but the newer rule `any *` (all) answers it"), "{report}");
}
