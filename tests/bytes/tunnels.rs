//! Tunnels through a proxy: what a script and bytes must agree on.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Stage, any};
use windows_sys::Win32::Networking::WinHttp::*;

use super::agree::{all_answered, both, exchange, rest, set};
use crate::support::*;

/// A session that goes to www.test through the proxy.
fn through_proxy(asynchronous: bool) -> Client {
    let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
    // SAFETY: texts end in NUL, the callback takes any context of ours.
    unsafe {
        let session =
            WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, wide("proxy.test:3128").as_ptr(), null(), flags);
        WinHttpSetStatusCallback(session, Some(record), u32::MAX, 0);
        Client { session, connection: WinHttpConnect(session, wide("www.test").as_ptr(), 443, 0) }
    }
}

/// A request over TLS, with a user and a password for the proxy, whose notifications go to a record.
fn tunneled(client: &Client, verb: &str, record: &Arc<Record>) -> *mut c_void {
    let context = context(record);
    // SAFETY: texts end in NUL, lengths are those of the values.
    unsafe {
        let verb = wide(verb);
        let request =
            WinHttpOpenRequest(client.connection, verb.as_ptr(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE);
        assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8), 1);
        let (option, whole) = (WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, 1u32);
        assert_eq!(WinHttpSetOption(request, option, (&raw const whole).cast(), 4), 1);
        for option in [WINHTTP_OPTION_PROXY_USERNAME, WINHTTP_OPTION_PROXY_PASSWORD] {
            assert_eq!(WinHttpSetOption(request, option, wide("u").as_ptr().cast(), 1), 1);
        }
        request
    }
}

/// A proxy that refuses CONNECT is asked again over the same connection only if that can carry another request.
#[test]
fn a_refused_tunnel() {
    for (what, closes, size, connects) in
        [("it stays", false, 2, 1), ("Connection: close", true, 2, 2), ("too long a body", false, 3_000_000, 2)]
    {
        let came = both(what, |sim| {
            let proxy = sim.peer("http://proxy.test:3128");
            let refusal = Reply::status(407).header("Proxy-Authenticate", "Basic realm=\"r\"").body(vec![b'x'; size]);
            let refusal = if closes { refusal.header("Connection", "close") } else { refusal };
            proxy.on(any().method("CONNECT")).reply(refusal).reply(Reply::ok());
            sim.peer("https://www.test").on(any()).reply(Reply::status(204));
            let (client, record) = (through_proxy(false), Record::new());
            let request = tunneled(&client, "GET", &record);
            let came = exchange(request);
            close(request);
            client.close();
            (came, connects_of(&record), proxy.received().len())
        });
        assert_eq!(came, (0, connects, 2), "{what}");
    }
}

/// How often it connected.
fn connects_of(record: &Record) -> usize {
    record.statuses().iter().filter(|status| **status == WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER).count()
}

/// How a refused CONNECT ends: what the proxy is, and what the request comes to.
#[test]
fn a_refusal_that_is_the_reply() {
    let refusal = |size: usize| Reply::status(502).body(vec![b'x'; size]);
    let rows: [(&str, &str, Reply, Result<usize, u32>); 5] = [
        ("a page", "GET", refusal(100), Ok(100)),
        ("a long page", "GET", refusal(300_000), Ok(300_000)),
        ("a page that HEAD would not have", "HEAD", refusal(100), Ok(100)),
        ("a page in chunks", "GET", refusal(100).chunks([10, 20]), Ok(100)),
        ("a page behind an interim reply", "GET", refusal(100).interim(102).delay(Duration::from_secs(1)), Ok(100)),
    ];
    for (what, verb, reply, expected) in rows {
        let size = expected.unwrap_or_default();
        let came = both(what, |sim| {
            sim.peer("http://proxy.test:3128").on(any()).reply(reply.clone());
            sim.peer("https://www.test").on(any()).reply(Reply::status(204));
            let record = Record::new();
            let client = through_proxy(false);
            let request = tunneled(&client, verb, &record);
            let came = (exchange(request), rest(request));
            close(request);
            client.close();
            // How much comes with a long head is the network's.
            let counted = |status| status != WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED || size < 1000;
            let seen = record.seen().into_iter();
            let seen: Vec<_> = seen.map(|seen| (seen.status, seen.value * u32::from(counted(seen.status)))).collect();
            (came, seen, sim.elapsed())
        });
        assert_eq!(came.0, (0, expected), "{what}");
    }
}

/// What is written behind a refusal goes nowhere, however long the page is that is not read yet.
#[test]
fn an_upload_behind_a_refusal() {
    for size in [100, 70_000, 300_000] {
        let came = both("a page that is read later", |sim| {
            sim.peer("http://proxy.test:3128").on(any()).reply(Reply::status(502).body(vec![b'x'; size]));
            sim.peer("https://www.test").on(any()).reply(Reply::status(204));
            let client = through_proxy(false);
            let request = tunneled(&client, "POST", &Record::new());
            // SAFETY: the buffer has this length.
            let sent = unsafe {
                let sent = WinHttpSendRequest(request, null(), 0, null(), 0, 4, 0);
                [sent, WinHttpWriteData(request, b"data".as_ptr().cast(), 4, null_mut()), receive(request)]
            };
            let came = (sent, rest(request));
            close(request);
            client.close();
            (came, sim.elapsed())
        });
        assert_eq!(came, (([1; 3], Ok(size)), Duration::ZERO), "{size} bytes");
    }
}

/// A refusal gives its place back when it is over: the next request goes on (MAX_CONNS_PER_SERVER).
#[test]
fn a_refusal_gives_its_place_back() {
    for raw in [false, true] {
        let came = both("one connection at a time", |sim| {
            let proxy = sim.peer("http://proxy.test:3128");
            if raw {
                proxy.raw(|raw| {
                    while raw.read_until(b"\r\n\r\n").is_some() {
                        raw.write("HTTP/1.0 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nxxxx");
                    }
                });
            } else {
                proxy.on(any()).reply(Reply::status(502).body("xxxx"));
            }
            sim.peer("https://www.test").on(any()).reply(Reply::status(204));
            let client = through_proxy(false);
            for option in [WINHTTP_OPTION_MAX_CONNS_PER_SERVER, WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER] {
                set(client.session, option, 1);
            }
            let requests = [(); 3].map(|()| tunneled(&client, "GET", &Record::new()));
            let came = requests.map(|request| (exchange(request), rest(request)));
            requests.into_iter().for_each(|request| _ = close(request));
            client.close();
            came
        });
        assert_eq!(came, [(0, Ok(4)); 3], "raw {raw}");
    }
}

/// The version of a proxy that refuses a tunnel says nothing of the server (MAX_CONNS_PER_1_0_SERVER).
#[test]
fn an_old_proxy_is_no_old_server() {
    let came = both("a refusal of HTTP/1.0", |sim| {
        sim.peer("http://proxy.test:3128").raw(|raw| {
            if raw.read_until(b"\r\n\r\n").is_some() {
                raw.write("HTTP/1.0 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
            }
        });
        sim.peer("http://other.test:3128").on(any()).reply(Reply::ok());
        sim.peer("https://www.test").on(any()).reply(Reply::ok().delay(Duration::from_secs(5)));
        let client = through_proxy(true);
        set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER, 1);
        for count in [1, 3] {
            all_answered(sim, count, |record| tunneled(&client, "GET", record));
            let mut other = wide("other.test:3128");
            let info = WINHTTP_PROXY_INFO {
                dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
                lpszProxy: other.as_mut_ptr(),
                lpszProxyBypass: null_mut(),
            };
            let size = size_of::<WINHTTP_PROXY_INFO>() as u32;
            // SAFETY: the text ends in NUL, the size is that of the structure.
            unsafe { WinHttpSetOption(client.session, WINHTTP_OPTION_PROXY, (&raw const info).cast(), size) };
        }
        client.close();
        sim.elapsed()
    });
    assert_eq!(came, Duration::from_secs(5));
}

/// A raw proxy that speaks before it is asked: its refusal is the answer, and what follows a grant is no TLS.
#[test]
fn a_proxy_that_speaks_first() {
    for (what, says, expected) in [
        ("a refusal", "HTTP/1.1 407 Who\r\nContent-Length: 2\r\n\r\nno", (0, Ok(2))),
        ("more than a grant", "HTTP/1.1 200 OK\r\n\r\nhello", (12152, Err(12019))),
    ] {
        let came = both(what, |sim| {
            sim.peer("http://proxy.test:3128").raw(move |raw| {
                raw.write(says);
                while raw.read().is_some() {}
            });
            sim.peer("https://www.test").on(any()).reply(Reply::status(204));
            let client = through_proxy(false);
            let request = tunneled(&client, "GET", &Record::new());
            let came = (exchange(request), rest(request));
            close(request);
            client.close();
            (came, sim.elapsed())
        });
        assert_eq!(came, (expected, Duration::ZERO), "{what}");
    }
}

/// Whatever happens to the answer of CONNECT happens in both: stages, gates, interim replies and faults of the reply.
#[test]
fn what_happens_to_the_answer_of_connect() {
    let at = Fault::at;
    let second = Duration::from_secs(1);
    let login = || Reply::proxy_challenge("Basic realm=\"r\"");
    type Row = (&'static str, Option<Fault>, Reply, u32);
    let rows: [Row; 14] = [
        ("a reset", Some(at(Stage::Head).reset()), Reply::ok(), 12030),
        ("a close", Some(at(Stage::Head).close()), Reply::ok(), 12152),
        ("a stall", Some(at(Stage::Head).stall()), Reply::ok(), 12002),
        ("a delay", Some(at(Stage::Head).first(1).delay(second)), Reply::ok(), 204),
        ("an answer", Some(at(Stage::Head).answer(Reply::status(502))), Reply::ok(), 502),
        ("an interim reply", None, Reply::ok().interim(103), 204),
        ("a switch", None, Reply::status(101).header("Upgrade", "x"), 12002),
        ("its own delay", None, Reply::ok().delay(second), 204),
        ("its own reset", None, Reply::ok().then(at(Stage::Head).reset()), 12030),
        ("a refusal that breaks, asked again", None, login().body("xxxx").then(at(Stage::Read).reset()), 204),
        ("a refusal that ends early, asked again", None, login().body("xxxx").then(at(Stage::Read).close()), 204),
        ("a late refusal, asked again", None, login().body("xxxx").then(at(Stage::Read).delay(second)), 204),
        ("a refusal that breaks", None, Reply::status(502).body("xxxx").then(at(Stage::Read).reset()), 502),
        ("a refusal in pieces", None, Reply::status(502).body("xxxx").then(at(Stage::Read).short(1)), 502),
    ];
    for (what, fault, reply, expected) in rows {
        let came = both(what, |sim| {
            let proxy = sim.peer("http://proxy.test:3128");
            fault.iter().for_each(|fault| _ = proxy.fault(fault.clone()));
            proxy.on(any().method("CONNECT")).reply(reply.clone()).reply(Reply::ok());
            sim.peer("https://www.test").on(any()).reply(Reply::status(204));
            let client = through_proxy(false);
            let record = Record::new();
            let request = tunneled(&client, "GET", &record);
            let came = match exchange(request) {
                0 => status_code(request),
                error => error,
            };
            let body = if came < 1000 { rest(request) } else { Ok(0) };
            close(request);
            client.close();
            (came, body, connects_of(&record), proxy.received().len(), sim.elapsed())
        });
        assert_eq!(came.0, expected, "{what}: {came:?}");
    }
}
