//! Fault x stage x who carries: by a script, over bytes with HTTP/1.1 and HTTP/2, over sockets.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Live, Peer, Reply, Sim, Stage, WebSocketScript, any};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

/// Who carries, and how the program asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arm {
    name: &'static str,
    bytes: bool,
    secure: bool,
    http2: bool,
}

const fn arm(name: &'static str, bytes: bool, secure: bool, http2: bool) -> Arm {
    Arm { name, bytes, secure, http2 }
}

const ARMS: [Arm; 6] = [
    arm("script", false, false, false),
    arm("script, TLS", false, true, false),
    arm("script, HTTP/2", false, true, true),
    arm("bytes", true, false, false),
    arm("bytes, TLS", true, true, false),
    arm("bytes, HTTP/2", true, true, true),
];

impl Arm {
    fn origin(self) -> &'static str {
        if self.secure { "https://api.test" } else { "http://api.test" }
    }

    fn sim(self) -> Sim {
        if self.bytes { Sim::builder().bytes().build() } else { Sim::new() }
    }
}

/// The times of a request that is given one: names, connection, sending, receiving, in seconds.
const TIMES: [i32; 4] = [1, 2, 3, 4];

/// Sends a head, then a body, receives and reads: the call that fails and its error, or what was read.
fn post(arm: Arm, times: [i32; 4]) -> Result<String, (&'static str, u32)> {
    // SAFETY: texts end in NUL, buffers have their lengths.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        let protocols = u32::from(arm.http2);
        WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const protocols).cast(), 4);
        let [names, connection, sending, receiving] = times.map(|seconds| seconds * 1000);
        assert_eq!(WinHttpSetTimeouts(session, names, connection, sending, receiving), 1);
        // How long a head may take is a time of its own.
        let head = times[3] as u32 * 1000;
        let option = WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT;
        assert_eq!(WinHttpSetOption(session, option, (&raw const head).cast(), 4), 1);
        let port = if arm.secure { 443 } else { 80 };
        let connection = WinHttpConnect(session, wide("api.test").as_ptr(), port, 0);
        let flags = if arm.secure { WINHTTP_FLAG_SECURE } else { 0 };
        let (verb, path) = (wide("POST"), wide("/"));
        let request = WinHttpOpenRequest(connection, verb.as_ptr(), path.as_ptr(), null(), null(), null(), flags);
        let outcome = steps(request);
        [request, connection, session].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
        outcome
    }
}

fn steps(request: *mut c_void) -> Result<String, (&'static str, u32)> {
    let must = |call, answer| if answer == 1 { Ok(()) } else { Err((call, last_error())) };
    // SAFETY: buffers have their lengths.
    unsafe {
        must("send", WinHttpSendRequest(request, null(), 0, null(), 0, 4, 0))?;
        must("write", WinHttpWriteData(request, b"data".as_ptr().cast(), 4, null_mut()))?;
        must("receive", WinHttpReceiveResponse(request, null_mut()))?;
        let (mut body, mut room, mut count) = (Vec::new(), [0u8; 100], 1);
        while count > 0 {
            must("read", WinHttpReadData(request, room.as_mut_ptr().cast(), 100, &mut count))?;
            body.extend(&room[..count as usize]);
        }
        Ok(String::from_utf8(body).unwrap())
    }
}

/// The call at which a failure of a stage is told.
fn told_by(stage: Stage) -> &'static str {
    match stage {
        Stage::Resolve | Stage::Connect | Stage::Tls | Stage::Send => "send",
        Stage::Write => "write",
        Stage::Head => "receive",
        _ => "read",
    }
}

const BODY: &str = "0123456789";

fn answers(peer: &Peer) {
    peer.on(any()).reply(Reply::ok().body(BODY).chunks([5, 5]));
}

/// Each fault at each stage, whoever carries.
#[test]
fn faults_strike_whoever_carries() {
    let mut wrong = Vec::new();
    for stage in Stage::ALL.iter().copied() {
        let at = || Fault::at(stage);
        let seconds = |time: i32| Duration::from_secs(time as u64);
        let patience = match stage {
            Stage::Resolve => TIMES[0],
            Stage::Connect | Stage::Tls => TIMES[1],
            Stage::Send | Stage::Write => TIMES[2],
            _ => TIMES[3],
        };
        let call = told_by(stage);
        let whole = || Ok(BODY.to_owned());
        let closed = match stage {
            Stage::Resolve => 12007,
            Stage::Connect => 12029,
            Stage::Head => 12152,
            _ => 12030,
        };
        let rows = [
            ("12030", at().reset(), Err((call, 12030)), seconds(0)),
            ("12175", at().fail(12175u32), Err((call, 12175)), seconds(0)),
            ("12044", at().fail(12044u32), Err((call, 12044)), seconds(0)),
            ("a close", at().close(), Err((call, closed)), seconds(0)),
            ("a stall", at().stall(), Err((call, 12002)), seconds(patience)),
            ("a delay", at().first(1).delay(Duration::from_millis(700)), whole(), Duration::from_millis(700)),
            ("not this time", at().nth(9).reset(), whole(), seconds(0)),
        ];
        for (what, fault, expected, time) in rows {
            for arm in ARMS.into_iter().filter(|arm| arm.secure || stage != Stage::Tls) {
                let sim = arm.sim();
                let peer = sim.peer(arm.origin());
                answers(&peer);
                peer.fault(fault.clone());
                // A stream that is closed is one that is reset.
                let expected = match &expected {
                    Err((call, 12152)) if arm.http2 => Err((*call, 12030)),
                    other => other.clone(),
                };
                let got = post(arm, TIMES);
                if (&got, sim.elapsed()) != (&expected, time) {
                    wrong.push(format!("{}: {what} at {stage:?}: {got:?} after {:?}", arm.name, sim.elapsed()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// source n187: a request that is closed while its connection is being made.
#[test]
fn closed_while_it_connects() {
    for arm in ARMS.into_iter().filter(|arm| !arm.secure) {
        let sim = arm.sim();
        let peer = sim.peer("http://127.0.0.1");
        answers(&peer);
        peer.fault(Fault::at(Stage::Connect).stall());
        let client = Client::new(true, 80);
        let record = Record::new();
        let request = client.request("GET", "/", &record);
        assert_eq!(send(request), 1);
        sim.block_until(|| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER));
        assert_eq!(close(request), 1);
        sim.block_until(|| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING));
        let ends: Vec<_> = record.seen().iter().rev().take(3).map(|seen| (seen.status, seen.api, seen.value)).collect();
        let [(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, ..), error, (connecting, ..)] = ends[..] else {
            panic!("{}: {ends:x?}", arm.name)
        };
        assert_eq!(error, (WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, API_SEND_REQUEST as usize, 12017), "{}", arm.name);
        assert_eq!(connecting, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER, "{}", arm.name);
        client.close();
    }
}

/// How a body comes: all of it, whatever is done to its pieces.
#[test]
fn pieces_whoever_carries() {
    let at = || Fault::at(Stage::Read);
    for (what, fault, time) in
        [("short", at().short(1), 0), ("slow", at().slow(10), 1000), ("any length", at().any_length(), 0)]
    {
        for arm in ARMS {
            let sim = arm.sim();
            let peer = sim.peer(arm.origin());
            answers(&peer);
            peer.fault(fault.clone());
            assert_eq!(post(arm, TIMES), Ok(BODY.to_owned()), "{}: {what}", arm.name);
            assert_eq!(sim.elapsed(), Duration::from_millis(time), "{}: {what}", arm.name);
        }
    }
}

/// Without timeouts what never goes on is a hang, and said to be one.
#[test]
fn a_stall_without_timeouts_is_a_hang() {
    for stage in [Stage::Connect, Stage::Tls, Stage::Send, Stage::Write, Stage::Head, Stage::Read, Stage::Close] {
        for arm in ARMS.into_iter().filter(|arm| arm.secure || stage != Stage::Tls) {
            let hang = catch_unwind(AssertUnwindSafe(|| {
                let sim = arm.sim();
                let peer = sim.peer(arm.origin());
                answers(&peer);
                peer.fault(Fault::at(stage).stall());
                let _ = post(arm, [0; 4]);
            }));
            let report = hang.err().and_then(|report| report.downcast::<String>().ok());
            let report = report.unwrap_or_else(|| panic!("{}: no hang at {stage:?}", arm.name));
            assert!(report.contains("HANG"), "{}, {stage:?}: {report}", arm.name);
        }
    }
}

/// Over sockets there is what a socket can bring; the rest is a complaint.
#[test]
fn faults_over_sockets() {
    let rows = [
        ("refused", Fault::refuse(), Err(("send", 12029)), None),
        ("a broken handshake", Fault::at(Stage::Tls).reset(), Err(("send", 12030)), None),
        ("no TLS", Fault::at(Stage::Tls).fail(12175u32), Err(("send", 12175)), None),
        ("a broken body", Fault::at(Stage::Read).nth(2).reset(), Err(("read", 12030)), None),
        ("pieces", Fault::at(Stage::Read).any_length(), Ok(BODY), None),
        ("another number", Fault::at(Stage::Head).fail(12044u32), Err(("receive", 12030)), Some("cannot bring 12044")),
        ("while sending", Fault::at(Stage::Send).reset(), Ok(BODY), Some("cannot strike over sockets: Send")),
        ("while writing", Fault::at(Stage::Write).stall(), Ok(BODY), Some("cannot strike over sockets: Write")),
    ];
    for (what, fault, expected, complaint) in rows {
        for arm in [ARMS[4], ARMS[5]] {
            let said = catch_unwind(AssertUnwindSafe(|| {
                let live = Live::new();
                let peer = live.peer("https://api.test");
                answers(&peer);
                peer.fault(fault.clone());
                assert_eq!(post(arm, [20; 4]), expected.map(str::to_owned), "{what}, {}", arm.name);
            }));
            let said = said.err().map(|said| *said.downcast::<String>().unwrap());
            match complaint {
                None => assert_eq!(said, None, "{what}"),
                Some(complaint) => {
                    assert!(said.as_ref().is_some_and(|said| said.contains(complaint)), "{what}: {said:?}")
                }
            }
        }
    }
}

/// A server that is played byte by byte: what cannot strike it is a complaint.
#[test]
fn faults_of_servers_that_are_played() {
    let at = Fault::at;
    let short = || at(Stage::Read).short(1);
    // The fault, what comes of it, and whether it is a complaint: by a script, over bytes.
    type Row = (&'static str, Fault, [Result<&'static str, (&'static str, u32)>; 2], [bool; 2]);
    let all = Ok(BODY);
    let rows: [Row; 12] = [
        ("a refusal", Fault::refuse(), [Err(("send", 12029)); 2], [false; 2]),
        ("a reset while sending", at(Stage::Send).reset(), [Err(("send", 12030)); 2], [false; 2]),
        ("a late head", at(Stage::Head).delay(Duration::from_secs(1)), [all; 2], [true; 2]),
        ("a reset of the head", at(Stage::Head).reset(), [all; 2], [true; 2]),
        ("short pieces", short(), [all; 2], [true; 2]),
        ("a broken piece", at(Stage::Read).reset(), [Err(("receive", 12030)); 2], [false; 2]),
        ("another number", at(Stage::Read).fail(12044u32), [Err(("receive", 12044)); 2], [false; 2]),
        ("an end", at(Stage::Read).close(), [Err(("receive", 12152)); 2], [false; 2]),
        ("silence", at(Stage::Read).stall(), [Err(("receive", 12002)); 2], [false; 2]),
        ("not this time", at(Stage::Read).nth(9).reset(), [all; 2], [false; 2]),
        ("in the body", Fault::after_body(3).stall(), [all; 2], [true; 2]),
        ("no end", at(Stage::Close).stall(), [all; 2], [true; 2]),
    ];
    for (what, fault, expected, complains) in rows {
        for (number, arm) in [ARMS[0], ARMS[3]].into_iter().enumerate() {
            let said = catch_unwind(AssertUnwindSafe(|| {
                let sim = arm.sim();
                let peer = sim.peer(arm.origin());
                peer.raw(|raw| {
                    if raw.read_until(b"data").is_some() {
                        raw.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()));
                    }
                });
                peer.fault(fault.clone());
                assert_eq!(post(arm, TIMES), expected[number].map(str::to_owned), "{what}, {}", arm.name);
            }));
            let said = said.err().map(|said| *said.downcast::<String>().unwrap()).unwrap_or_default();
            let complaint = said.contains("a fault that cannot strike a server that is played byte by byte");
            assert_eq!((complaint, said.is_empty()), (complains[number], !complains[number]), "{what}: {said}");
        }
    }
}

/// A fault of the Sim that comes to a played server and cannot strike it is a complaint.
#[test]
fn a_fault_of_the_sim_at_a_played_server() {
    for arm in [ARMS[0], ARMS[3]] {
        let said = catch_unwind(|| {
            let sim = arm.sim();
            sim.fault(Fault::at(Stage::Read).delay(Duration::from_secs(1)));
            sim.peer(arm.origin()).raw(|raw| {
                if raw.read_until(b"data").is_some() {
                    raw.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                }
            });
            assert_eq!(post(arm, TIMES), Ok(String::new()));
        });
        let said = *said.unwrap_err().downcast::<String>().unwrap();
        assert!(said.contains("cannot strike a server that is played byte by byte: Read -> Delay(1s)"), "{said}");
    }
}

/// A web socket that greets twice: what a program receives of that.
fn greeted() -> Vec<Result<String, u32>> {
    let client = Client::new(false, 80);
    let request = client.request("GET", "/", &Record::new());
    // SAFETY: buffers have their lengths, results live here.
    unsafe {
        assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
        assert_eq!((send(request), receive(request)), (1, 1));
        let socket = WinHttpWebSocketCompleteUpgrade(request, 0);
        assert!(!socket.is_null());
        let mut told = Vec::new();
        while told.len() < 2 && told.iter().all(Result::is_ok) {
            let (mut room, mut count, mut kind) = ([0u8; 100], 0, 0);
            told.push(match WinHttpWebSocketReceive(socket, room.as_mut_ptr().cast(), 100, &mut count, &mut kind) {
                0 => Ok(String::from_utf8_lossy(&room[..count as usize]).into_owned()),
                error => Err(error),
            });
        }
        [socket, request].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
        client.close();
        told
    }
}

fn greets() -> Reply {
    Reply::web_socket(WebSocketScript::new().text("one").text("two"))
}

/// Who has a fault.
#[derive(Clone, Copy, Debug)]
enum Of {
    Reply,
    Peer,
    Sim,
}

/// Faults of a web socket strike whoever carries it and whoever has them.
#[test]
fn faults_of_web_sockets() {
    let at = || Fault::at(Stage::Read);
    let rows = [
        ("a reset", at().reset(), Err(12030)),
        ("another number", at().fail(12044u32), Err(12044)),
        ("an end", at().close(), Err(12030)),
        // Nothing is waited for that has an end: the Sim says so.
        ("silence", at().stall(), Err(12004)),
        ("the second frame", at().nth(2).reset(), Ok(Err(12030))),
        ("not this time", at().nth(9).reset(), Ok(Ok("two"))),
    ];
    for (what, fault, expected) in rows {
        let expected = match expected {
            Err(error) => vec![Err(error)],
            Ok(second) => vec![Ok("one".to_owned()), second.map(str::to_owned)],
        };
        for (of, bytes) in [Of::Reply, Of::Peer, Of::Sim].into_iter().flat_map(|of| [(of, false), (of, true)]) {
            let hang = catch_unwind(AssertUnwindSafe(|| {
                let sim = if bytes { Sim::builder().bytes().build() } else { Sim::new() };
                let peer = sim.peer("http://127.0.0.1");
                let fault = fault.clone();
                let reply = match of {
                    Of::Reply => greets().then(fault),
                    Of::Peer => {
                        peer.fault(fault);
                        greets()
                    }
                    Of::Sim => {
                        sim.fault(fault);
                        greets()
                    }
                };
                peer.on(any()).reply(reply);
                assert_eq!(greeted(), expected, "{what} of {of:?}, bytes: {bytes}");
            }));
            let said = hang.err().map(|said| *said.downcast::<String>().unwrap()).unwrap_or_default();
            assert_eq!(said.contains("HANG: nothing can happen"), what == "silence", "{what} of {of:?}: {said}");
            assert!(said.is_empty() || what == "silence", "{what} of {of:?}, bytes: {bytes}: {said}");
        }
    }
}

/// Over sockets, too: what those cannot bring is a complaint.
#[test]
fn faults_of_web_sockets_over_sockets() {
    let at = || Fault::at(Stage::Read);
    let rows = [
        ("a reset", at().reset(), 12030, None),
        ("another number", at().fail(12044u32), 12030, Some("cannot bring 12044")),
        ("an end", at().close(), 12030, None),
    ];
    for (what, fault, error, complaint) in rows {
        let said = catch_unwind(AssertUnwindSafe(|| {
            let live = Live::new();
            live.peer("http://127.0.0.1").on(any()).reply(greets().then(fault));
            assert_eq!(greeted(), [Err(error)], "{what}");
        }));
        let said = said.err().map(|said| *said.downcast::<String>().unwrap()).unwrap_or_default();
        assert_eq!(said.is_empty(), complaint.is_none(), "{what}: {said}");
        assert!(said.contains(complaint.unwrap_or_default()), "{what}: {said}");
    }
}

/// What cannot strike is a complaint, whoever has the fault; what merely did not is none.
#[test]
fn complaints_about_faults() {
    #[derive(Clone, Copy, PartialEq)]
    enum Server {
        Socket,
        Played,
        Named,
        Address,
        /// One that cannot be struck, and one that can.
        Two,
    }
    use Server::*;
    let at = Fault::at;
    let end = || at(Stage::Close).stall();
    let (socket, played) =
        (Some("cannot strike a web socket: "), Some("cannot strike a server that is played byte by byte: "));
    let address = Some("cannot strike the look-up of an address over bytes");
    let name = || at(Stage::Resolve).first(1).delay(Duration::from_secs(1));
    // What is said by a script, and over bytes.
    let rows = [
        (Socket, end(), [socket; 2]),
        (Socket, Fault::after_body(3).reset(), [socket; 2]),
        (Socket, at(Stage::Read).delay(Duration::from_secs(1)), [played; 2]),
        (Socket, at(Stage::Read).any_length(), [played; 2]),
        (Socket, at(Stage::Read).nth(9).delay(Duration::from_secs(1)), [socket; 2]),
        (Socket, at(Stage::Read).nth(9).reset(), [None; 2]),
        (Socket, end().maybe(), [None; 2]),
        (Played, end(), [played; 2]),
        (Played, at(Stage::Head).stall(), [played; 2]),
        (Played, at(Stage::Read).short(1), [played; 2]),
        (Played, at(Stage::Read).nth(9).reset(), [None; 2]),
        (Address, name(), [None, address]),
        (Address, end().maybe(), [None; 2]),
        (Named, name(), [None; 2]),
        (Two, end(), [None; 2]),
        (Two, name(), [None; 2]),
    ];
    for (number, (server, fault, complaints)) in rows.into_iter().enumerate() {
        for (bytes, of) in [(false, Of::Peer), (false, Of::Sim), (true, Of::Peer), (true, Of::Sim)] {
            // Of two, the fault of one cannot strike, whatever the other does.
            if matches!((server, of), (Two, Of::Peer)) {
                continue;
            }
            let said = catch_unwind(AssertUnwindSafe(|| {
                let sim = if bytes { Sim::builder().bytes().build() } else { Sim::new() };
                let peer = sim.peer(if server == Named { ARMS[0].origin() } else { "http://127.0.0.1" });
                match of {
                    Of::Peer => drop(peer.fault(fault.clone())),
                    _ => sim.fault(fault.clone()),
                }
                match server {
                    Played => drop(peer.raw(|raw| {
                        if raw.read_until(b"\r\n\r\n").is_some() {
                            raw.write("HTTP/1.1 204 No\r\n\r\n");
                        }
                    })),
                    Socket | Two => drop(peer.on(any()).reply(greets())),
                    Named | Address => drop(peer.on(any()).reply(Reply::status(204))),
                }
                if server == Two {
                    sim.peer("http://other.test").on(any()).reply(Reply::ok());
                }
                match server {
                    Socket | Two => assert_eq!(greeted(), [Ok("one".to_owned()), Ok("two".to_owned())]),
                    Named => assert_eq!(post(if bytes { ARMS[3] } else { ARMS[0] }, [9; 4]), Ok(String::new())),
                    Played | Address => {
                        let client = Client::new(false, 80);
                        let request = client.request("GET", "/", &Record::new());
                        assert_eq!((send(request), receive(request)), (1, 1));
                        close(request);
                        client.close();
                    }
                }
            }));
            let said = said.err().map(|said| *said.downcast::<String>().unwrap()).unwrap_or_default();
            let complaint = complaints[usize::from(bytes)];
            assert_eq!(said.is_empty(), complaint.is_none(), "row {number}, {of:?}, bytes {bytes}: {said}");
            assert!(said.contains(complaint.unwrap_or_default()), "row {number}, {of:?}, bytes {bytes}: {said}");
        }
    }
}

/// The end of a body whose length was told is its last byte: what would strike behind it is a complaint.
#[test]
fn faults_behind_the_end() {
    let bodies = [("a length", Reply::ok().body(BODY)), ("none", Reply::status(204)), ("empty", Reply::ok())];
    let at = || Fault::at(Stage::Close);
    let faults = [at().reset(), at().fail(12044u32), at().close(), at().stall(), at().delay(Duration::from_secs(1))];
    for (what, reply) in bodies {
        for (number, fault) in faults.iter().enumerate() {
            for of_reply in [false, true] {
                for arm in ARMS {
                    let said = catch_unwind(AssertUnwindSafe(|| {
                        let sim = arm.sim();
                        let peer = sim.peer(arm.origin());
                        match of_reply {
                            true => drop(peer.on(any()).reply(reply.clone().then(fault.clone()))),
                            false => drop(peer.fault(fault.clone()).on(any()).reply(reply.clone())),
                        }
                        assert!(post(arm, TIMES).is_ok(), "{}: {what}", arm.name);
                        assert_eq!(sim.elapsed(), Duration::ZERO);
                    }));
                    let said = said.err().map(|said| *said.downcast::<String>().unwrap()).unwrap_or_default();
                    let complaint = "a fault that cannot strike a body whose length was told: Close -> ";
                    assert!(said.contains(complaint), "{}: {what}, fault {number}: {said}", arm.name);
                }
            }
        }
    }
}

/// Over HTTP/2 ReceiveResponse does not end an upload (source write.http2): a server that waits for the rest says nothing, and
/// the reply's time runs out, whoever carries.
#[test]
fn an_upload_that_is_too_short_over_http2() {
    let came = [ARMS[2], ARMS[5]].map(|arm| {
        let sim = arm.sim();
        sim.peer(arm.origin()).on(any()).reply(Reply::ok());
        let protocols = 1u32;
        // SAFETY: texts end in NUL, buffers have their lengths.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            WinHttpSetOption(session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, (&raw const protocols).cast(), 4);
            let connection = WinHttpConnect(session, wide("api.test").as_ptr(), 443, 0);
            let verb = wide("POST");
            let flags = WINHTTP_FLAG_SECURE;
            let request = WinHttpOpenRequest(connection, verb.as_ptr(), null(), null(), null(), null(), flags);
            let sent = WinHttpSendRequest(request, null(), 0, b"01234".as_ptr().cast(), 5, 10, 0);
            let came = (sent, receive(request), last_error());
            [request, connection, session].into_iter().for_each(|handle| assert_eq!(close(handle), 1));
            came
        }
    });
    assert_eq!(came, [(1, 0, 12002); 2]);
}

/// What could never strike is refused where it is written.
#[test]
fn faults_at_the_wrong_place() {
    let rows: [(&str, fn()); 9] = [
        ("of an answer", || drop(Fault::at(Stage::Head).answer(Reply::ok().then(Fault::at(Stage::Head).reset())))),
        ("slow", || drop(Fault::at(Stage::Head).slow(1))),
        ("short", || drop(Fault::at(Stage::Close).short(1))),
        ("any length", || drop(Fault::after_body(3).any_length())),
        ("an answer", || drop(Fault::at(Stage::Read).answer(Reply::ok()))),
        ("of a reply", || drop(Reply::ok().then(Fault::at(Stage::Send).reset()))),
        ("of a web socket", || drop(greets().then(Fault::at(Stage::Close).stall()))),
        ("in its body", || drop(greets().then(Fault::after_body(3).reset()))),
        ("in pieces", || drop(greets().then(Fault::at(Stage::Read).any_length()))),
    ];
    for (what, act) in rows {
        assert!(catch_unwind(act).is_err(), "{what}");
    }
}

/// How many requests a server takes at once over one connection of HTTP/2, whoever carries.
#[test]
fn streams_at_once() {
    for arm in [ARMS[2], ARMS[5]] {
        for (at_once, seconds) in [(1, 15), (2, 10), (3, 5)] {
            let sim = arm.sim();
            let peer = sim.peer(arm.origin());
            peer.streams(at_once).on(any()).reply(Reply::ok().body(BODY).delay(Duration::from_secs(5)));
            // The connection and its SETTINGS are there before three come at once.
            assert_eq!(post(arm, [60; 4]), Ok(BODY.to_owned()), "{}", arm.name);
            let results = Arc::new(Mutex::new(Vec::new()));
            for _ in 0..3 {
                let results = Arc::clone(&results);
                sim.spawn(move || {
                    let result = post(arm, [60; 4]);
                    results.lock().unwrap().push(result);
                });
            }
            sim.block_until(|| results.lock().unwrap().len() == 3);
            assert!(results.lock().unwrap().iter().all(|result| result.as_deref() == Ok(BODY)), "{}", arm.name);
            assert_eq!(sim.elapsed(), Duration::from_secs(5 + seconds), "{}, {at_once} at once", arm.name);
        }
    }
}
