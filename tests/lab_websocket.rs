//! Web sockets in the lab: peers that are scripted, and a clock that only tests move.

mod support;

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Sim, Stage, WebSocketScript, get};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

const TEXT: i32 = WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE;

/// A synchronous web socket of a program; its handles are closed with it.
struct Socket {
    client: Client,
    request: *mut c_void,
    socket: *mut c_void,
}

impl Socket {
    fn open() -> Socket {
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        // SAFETY: the option has no value; no pointers but the handles.
        let socket = unsafe {
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!(send(request), 1);
            assert_eq!(receive(request), 1);
            WinHttpWebSocketCompleteUpgrade(request, 0)
        };
        assert!(!socket.is_null());
        Socket { client, request, socket }
    }

    fn send(&self, kind: i32, data: &[u8]) -> u32 {
        // SAFETY: the data have their length.
        unsafe { WinHttpWebSocketSend(self.socket, kind, data.as_ptr().cast(), data.len() as u32) }
    }

    /// What comes next: its type and its bytes as text, or the error.
    fn receive(&self) -> Result<(i32, String), u32> {
        let (mut buffer, mut count, mut kind) = ([0u8; 100], 0, -1);
        // SAFETY: the buffer has its length, the results live here.
        let error =
            unsafe { WinHttpWebSocketReceive(self.socket, buffer.as_mut_ptr().cast(), 100, &mut count, &mut kind) };
        if error != 0 {
            return Err(error);
        }
        Ok((kind, String::from_utf8_lossy(&buffer[..count as usize]).into_owned()))
    }

    fn text(&self) -> String {
        let (kind, text) = self.receive().expect("a message comes");
        assert_eq!(kind, TEXT);
        text
    }

    fn close(&self, status: u16) -> u32 {
        // SAFETY: NULL is no reason.
        unsafe { WinHttpWebSocketClose(self.socket, status, null(), 0) }
    }

    fn close_status(&self) -> Result<u16, u32> {
        let (mut status, mut length) = (0, 0);
        // SAFETY: the results live here; NULL asks for no reason.
        let error = unsafe { WinHttpWebSocketQueryCloseStatus(self.socket, &mut status, null_mut(), 0, &mut length) };
        if error == 0 { Ok(status) } else { Err(error) }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        close(self.socket);
        close(self.request);
        self.client.close();
    }
}

fn sim(script: WebSocketScript) -> Sim {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(get("/")).reply(Reply::web_socket(script));
    sim
}

#[test]
fn a_conversation() {
    let script = WebSocketScript::new()
        .text("welcome")
        .expect_text("hello")
        .expect_binary([1, 2, 3])
        .ping("there?")
        .fragments(true, [&b"a"[..], b"b"])
        .close(1000, "bye");
    let sim = sim(script);
    let socket = Socket::open();
    assert_eq!(socket.text(), "welcome");
    assert_eq!(socket.send(TEXT, b"hello"), 0);
    assert_eq!(socket.send(WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE, &[1, 2]), 0);
    assert_eq!(socket.send(WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &[3]), 0);
    assert_eq!(socket.receive(), Ok((WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE, "a".to_owned())));
    assert_eq!(socket.text(), "b");
    assert_eq!(socket.receive(), Ok((WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE, String::new())));
    assert_eq!(socket.close_status(), Ok(1000));
    assert_eq!(socket.close(1000), 0);
    assert_eq!(sim.elapsed(), Duration::ZERO);
}

/// Behind a 101 is no body: before the upgrade and after it, by a script and over bytes (source WS10).
#[test]
fn a_request_that_was_upgraded_has_no_body() {
    for bytes in [false, true] {
        let sim = if bytes { Sim::builder().bytes().build() } else { Sim::new() };
        let script = WebSocketScript::new().text("hello");
        sim.peer("http://127.0.0.1").on(get("/")).reply(Reply::web_socket(script));
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        let (mut available, mut count, mut buffer) = (1, 1, [0u8; 8]);
        // SAFETY: the option has no value; results and buffer live here.
        unsafe {
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!((send(request), receive(request)), (1, 1));
            assert_eq!((WinHttpQueryDataAvailable(request, &mut available), available), (1, 0), "bytes: {bytes}");
            let socket = WinHttpWebSocketCompleteUpgrade(request, 0);
            assert!(!socket.is_null());
            assert_eq!((WinHttpQueryDataAvailable(request, &mut available), available), (1, 0), "bytes: {bytes}");
            assert_eq!((WinHttpReadData(request, buffer.as_mut_ptr().cast(), 8, &mut count), count), (1, 0));
            close(socket);
        }
        close(request);
        client.close();
    }
}

/// What Close gives when the peer closes well, badly or never, and how much time passed.
#[test]
fn how_peers_close() {
    let (zero, second) = (Duration::ZERO, Duration::from_secs(1));
    let new = WebSocketScript::new;
    let rows = [
        ("answers", new(), 0, Ok(4000), zero),
        ("closes by itself", new().close(1001, ""), 0, Ok(1001), zero),
        ("says more before", new().expect_close(4000).text("more").sleep(second).text("still"), 0, Ok(4000), second),
        ("answers late", new().expect_close(4000).sleep(9 * second), 0, Ok(4000), 9 * second),
        ("answers too late", new().expect_close(4000).sleep(11 * second), 12002, Err(4317), 10 * second),
        ("never answers", new().never_closes(), 12002, Err(4317), 10 * second),
        ("ends instead", new().expect_close(4000).end(), 12030, Err(4317), zero),
        ("breaks instead", new().expect_close(4000).reset(), 12030, Err(4317), zero),
        ("says what is no frame", new().expect_close(4000).raw([0xFF; 10]), 12152, Err(4317), zero),
    ];
    for (what, script, code, status, elapsed) in rows {
        let sim = sim(script);
        let socket = Socket::open();
        assert_eq!(socket.close(4000), code, "{what}");
        assert_eq!((socket.close_status(), sim.elapsed()), (status, elapsed), "{what}");
    }
}

#[test]
fn pings_go_out_while_time_passes() {
    let sim = Sim::new();
    let answers = Reply::upgrade("websocket", |raw| {
        // Four pings of nothing, masked, then one text message.
        for _ in 0..4 {
            let ping = raw.read_exact(6).unwrap();
            assert_eq!(ping[..2], [0x89, 0x80]);
        }
        raw.write([&[0x81, 5][..], b"alive"].concat());
        while raw.read().is_some() {}
    });
    sim.peer("http://127.0.0.1").on(get("/")).reply(answers);
    let socket = Socket::open();
    sim.advance(Duration::from_secs(59));
    let interval = 15_000u32;
    // SAFETY: a DWORD.
    let set = unsafe {
        let option = WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL;
        WinHttpSetOption(socket.socket, option, (&raw const interval).cast(), 4)
    };
    assert_eq!(set, 1);
    // At 30 s; then at 74, 89 and 104 s.
    sim.advance(Duration::from_secs(45));
    assert_eq!(socket.text(), "alive");
    assert_eq!(sim.elapsed(), Duration::from_secs(104));
}

/// Pings alone keep no test waiting: a Receive that nothing can end is a hang.
#[test]
fn a_hang_is_reported() {
    let hung = AssertUnwindSafe(|| {
        let sim = sim(WebSocketScript::new());
        let socket = Socket::open();
        // The report cannot leave a function of Windows: it comes when the Sim ends.
        assert_eq!(socket.receive(), Err(12004));
        // Timers of the request that are over ran out on the way.
        assert!(sim.elapsed() < Duration::from_secs(100));
    });
    let report = catch_unwind(hung).expect_err("the Sim fails");
    let report = report.downcast_ref::<String>().expect("a report");
    assert!(report.contains("HANG") && report.contains("WebSocketReceive"), "{report}");
}

#[test]
fn a_script_says_what_it_missed() {
    let rows = [
        (
            "another message",
            WebSocketScript::new().expect_text("hello"),
            "expected text \"hello\", and got text \"other\"",
        ),
        (
            "none",
            WebSocketScript::new().expect_text("other").expect_text("more"),
            "expected text \"more\", and the client left",
        ),
    ];
    for (what, script, missed) in rows {
        let played = AssertUnwindSafe(|| {
            let sim = sim(script);
            let socket = Socket::open();
            socket.send(TEXT, b"other");
            drop(socket);
            sim.settle();
        });
        let report = catch_unwind(played).expect_err(what);
        let report = report.downcast_ref::<String>().expect("a report");
        assert!(report.contains(missed), "{what}: {report}");
    }
}

/// A send that the network does not take ends when it does, and the close frame goes behind it.
#[test]
fn a_congested_send() {
    let sim = sim(WebSocketScript::new().expect_binary(vec![7; 300_000]).echo());
    sim.fault(Fault::at(Stage::Write).delay(Duration::from_secs(3)));
    let socket = Socket::open();
    assert_eq!(socket.send(WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, &vec![7; 300_000]), 0);
    assert_eq!(sim.elapsed(), Duration::from_secs(3));
    assert_eq!(socket.close(1000), 0);
}
