//! What a script and bytes must agree on: how much is read ahead and drained, how many connections there may be, and what a
//! body is.

use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use portable_winhttp::lab::{Fault, Live, Peer, RawConnection, Reply, Sim, Stage, any, get, post};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

/// Makes peers.
type Peers<'a> = &'a dyn Fn(&str) -> Peer;

/// What a script, bytes and sockets come to.
fn everywhere<R: PartialEq + std::fmt::Debug>(what: &str, run: impl Fn(Peers) -> R) -> R {
    let came = both(what, |sim| run(&|origin| sim.peer(origin)));
    let live = Live::new();
    assert_eq!(run(&|origin| live.peer(origin)), came, "{what}: over sockets");
    came
}

/// What both come to.
#[track_caller]
pub fn both<R: PartialEq + std::fmt::Debug>(what: &str, run: impl Fn(&Sim) -> R) -> R {
    let script = run(&Sim::new());
    let bytes = run(&Sim::builder().bytes().build());
    assert_eq!(script, bytes, "{what}: by a script, over bytes");
    script
}

pub fn set(handle: *mut c_void, option: u32, value: u32) {
    // SAFETY: a DWORD.
    assert_eq!(unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) }, 1, "{option}");
}

/// Sends and receives: 0, or the error.
pub fn exchange(request: *mut c_void) -> u32 {
    if send(request) == 1 && receive(request) == 1 { 0 } else { last_error() }
}

/// The rest of the body, or the error.
pub fn rest(request: *mut c_void) -> Result<usize, u32> {
    let (mut all, mut room) = (0, vec![0u8; 100_000]);
    loop {
        let mut count = 0;
        // SAFETY: the buffer has this length.
        match unsafe { WinHttpReadData(request, room.as_mut_ptr().cast(), room.len() as u32, &mut count) } {
            0 => return Err(last_error()),
            _ if count == 0 => return Ok(all),
            _ => all += count as usize,
        }
    }
}

/// So many asynchronous requests begin, and are closed when all have their heads.
pub fn all_answered(sim: &Sim, count: usize, request: impl Fn(&Arc<Record>) -> *mut c_void) {
    let start = |_| {
        let record = Record::with(|handle, seen| {
            if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
                receive(handle);
            }
        });
        let request = request(&record);
        assert_eq!(send(request), 1);
        (record, request)
    };
    let started: Vec<_> = (0..count).map(start).collect();
    let has_head = |record: &Record| record.statuses().contains(&WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    sim.block_until(|| started.iter().all(|(record, _)| has_head(record)));
    started.into_iter().for_each(|(_, request)| _ = close(request));
}

/// A server that answers each request with so many bytes, played byte by byte or not.
fn answers_with(peer: &Peer, size: usize, raw: bool) {
    if !raw {
        peer.on(any()).reply(Reply::ok().body(vec![b'x'; size]));
        return;
    }
    peer.raw(move |raw| {
        while raw.read_until(b"\r\n\r\n").is_some() {
            raw.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n"));
            raw.write(vec![b'x'; size]);
        }
    });
}

/// The next attempt of a handle waits for the rest of its reply before, within MAX_RESPONSE_DRAIN_SIZE (w2); what the program
/// has not taken waits on the connection.
#[test]
fn what_is_drained() {
    let rows = [(1 << 20, 3_000_000, 12184), (u32::MAX, 3_000_000, 0), (100_000, 300_000, 12184), (100_000, 90_000, 0)];
    for raw in [false, true] {
        for (limit, size, expected) in rows {
            let name = format!("{size} bytes, {limit} of them drained, raw {raw}");
            let came = both(&name, |sim| {
                answers_with(&sim.peer("http://127.0.0.1"), size, raw);
                let client = Client::new(false, 80);
                set(client.session, WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE, limit);
                let request = client.request("GET", "/", &Record::new());
                let came = [exchange(request), exchange(request)];
                let read = if came[1] == 0 { rest(request) } else { Ok(0) };
                close(request);
                client.close();
                (came, read)
            });
            let read = if expected == 0 { size } else { 0 };
            assert_eq!(came, ([0, expected], Ok(read)), "{name}");
        }
    }
}

/// The bounds to the byte: what the program has not taken counts, in whatever pieces it comes. As much as may be read ahead is
/// always drained (our choice).
#[test]
fn what_is_drained_to_the_byte() {
    const AHEAD: usize = 64 * 1024;
    let bounds = [(100_000, 100_000), (70_000, 70_000), (0, AHEAD)];
    for (limit, most) in bounds {
        for (size, taken) in [(most - 1, 0), (most, 0), (most + 1, 0), (most + 10, 10), (most + 11, 10)] {
            for pieces in [vec![], vec![7; 50], vec![AHEAD - 1, 1, 1]] {
                let mut left = size;
                let mut part = |piece: usize| {
                    let piece = piece.min(left);
                    left -= piece;
                    piece
                };
                let pieces: Vec<usize> = pieces.into_iter().map(&mut part).filter(|piece| *piece > 0).collect();
                // In one piece, in chunks, and with time between them.
                for between in [0, 1] {
                    let name =
                        format!("{size} bytes by {pieces:?}, {between} ms between, {taken} taken, {limit} drained");
                    let came = both(&name, |sim| {
                        let between = Duration::from_millis(between);
                        let reply = Reply::ok().body(vec![b'x'; size]).chunks(pieces.clone()).between(between);
                        sim.peer("http://127.0.0.1").on(any()).reply(reply);
                        let client = Client::new(false, 80);
                        set(client.session, WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE, limit);
                        let request = client.request("GET", "/", &Record::new());
                        let first = exchange(request);
                        let (mut room, mut count, mut read) = ([0u8; 10], 0, 0);
                        while read < taken {
                            let (to, length) = (room.as_mut_ptr().cast(), (taken - read) as u32);
                            // SAFETY: the buffer is at least as long.
                            assert_eq!(unsafe { WinHttpReadData(request, to, length, &mut count) }, 1);
                            read += count as usize;
                        }
                        let came = (first, exchange(request));
                        close(request);
                        client.close();
                        came
                    });
                    let expected = if size - taken <= most { 0 } else { 12184 };
                    assert_eq!(came, (0, expected), "{name}");
                }
            }
        }
    }
}

/// A body that waits on the connection, because only so much is read ahead, comes whole when it is read.
#[test]
fn what_waits_on_the_connection() {
    const AHEAD: usize = 64 * 1024;
    for size in [AHEAD - 1, AHEAD, AHEAD + 1, 3 * AHEAD] {
        for raw in [false, true] {
            let came = both(&format!("{size}, raw {raw}"), |sim| {
                answers_with(&sim.peer("http://127.0.0.1"), size, raw);
                let client = Client::new(false, 80);
                let request = client.request("GET", "/", &Record::new());
                assert_eq!(exchange(request), 0);
                sim.advance(Duration::from_secs(1));
                let came = rest(request);
                close(request);
                client.close();
                came
            });
            assert_eq!(came, Ok(size));
        }
    }
}

/// MAX_CONNS_PER_1_0_SERVER, once the server has told its version.
#[test]
fn an_old_server_has_a_limit_of_its_own() {
    let elapsed = both("three requests", |sim| {
        sim.peer("http://127.0.0.1").raw(|raw| {
            if raw.read_until(b"\r\n\r\n").is_some() {
                raw.sleep(Duration::from_secs(5));
                raw.write("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let client = Client::new(true, 80);
        set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER, 1);
        let answered = |count| all_answered(sim, count, |record| client.request("GET", "/", record));
        answered(1);
        answered(3);
        client.close();
        sim.elapsed()
    });
    assert_eq!(elapsed, Duration::from_secs(20));
}

/// The chunked bodies that every reader takes, and those that none does: a06, a07, a08, a14. The strictness in trailers and the
/// bounds are our choice.
#[test]
fn chunked_bodies() {
    const ENDS: &str = "0\r\n\r\n";
    let one = |behind: &str| format!("1\r\na\r\n{behind}");
    let trailer = |text: &str| one(&format!("0\r\n{text}\r\n\r\n"));
    let extensions = |count| format!("{}{ENDS}", format!("1;{}\r\na\r\n", "x".repeat(1000)).repeat(count));
    let extension = |length| format!("1;{}\r\na\r\n{ENDS}", "x".repeat(length));
    let zeros = |count| format!("{}1\r\na\r\n{ENDS}", "0".repeat(count));
    let sized = |size: &str| format!("{size}\r\na\r\n{ENDS}");
    let trailers = |count| one(&format!("0\r\n{}\r\n", "A: b\r\n".repeat(count)));
    let rows = [
        (extensions(10), Ok(10)),
        (extensions(40), Err(12152)),
        (extension(16_000), Ok(1)),
        (extension(17_000), Err(12152)),
        ("1;x=\n\r\na\r\n0\r\n\r\n".into(), Err(12152)),
        (zeros(16_000), Ok(1)),
        (zeros(17_000), Err(12152)),
        (sized("1 \t"), Ok(1)),
        (sized(""), Err(12152)),
        (sized(" 1"), Err(12152)),
        (sized("+1"), Err(12152)),
        (sized("-1"), Err(12152)),
        (sized("0x1"), Err(12152)),
        (sized("1 1"), Err(12152)),
        (sized("10000000000000001"), Err(12152)),
        ("ffffffffffffffff\r\na".into(), Err(12030)),
        ("1\na\r\n0\r\n\r\n".into(), Err(12152)),
        ("1\r\na\n0\r\n\r\n".into(), Err(12152)),
        ("1\r\na0\r\n\r\n".into(), Err(12152)),
        (one("x\r\n"), Err(12152)),
        (one("0\r\n\n"), Err(12152)),
        (one("0\r\n"), Err(12030)),
        (one(""), Err(12030)),
        (trailers(100), Ok(1)),
        (trailers(101), Err(12152)),
        (trailer("A: \u{e9}\tb"), Ok(1)),
        (trailer("A:"), Ok(1)),
        (trailer(&format!("A: {}", "x".repeat(16_000))), Ok(1)),
        (trailer(&format!("A: {}", "x".repeat(17_000))), Err(12152)),
        (trailer("A b: c"), Err(12152)),
        (trailer("A : c"), Err(12152)),
        (trailer(": c"), Err(12152)),
        (trailer("no colon"), Err(12152)),
        (trailer("A: b\r\n c"), Err(12152)),
        (trailer("A: b\rc"), Err(12152)),
        (trailer("A: \u{1}"), Err(12152)),
        (trailer("A: \0"), Err(12152)),
        (trailer("A: \u{7f}"), Err(12152)),
        (one("0\r\nA: b\n\n"), Err(12152)),
        (one("0\r\nA: b\r\n"), Err(12030)),
    ];
    for (body, expected) in rows {
        for piece in [usize::MAX, 1] {
            if piece < body.len() / 100 {
                continue;
            }
            let shown = format!("{} by {piece}", body[..body.len().min(40)].escape_debug());
            let came = everywhere(&shown, |peers| {
                let body = body.clone();
                peers("http://127.0.0.1").raw(move |raw| {
                    if raw.read_until(b"\r\n\r\n").is_some() {
                        raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                        body.as_bytes().chunks(piece).for_each(|piece| raw.write(piece));
                    }
                });
                let client = Client::new(false, 80);
                let request = client.request("GET", "/", &Record::new());
                let came = if exchange(request) == 0 { rest(request) } else { Err(last_error()) };
                close(request);
                client.close();
                came
            });
            assert_eq!(came, expected, "{shown}");
        }
    }
}

/// Whatever byte of a chunked body is another, or one more: it means the same to every reader.
#[test]
fn chunked_bodies_with_one_wrong_byte() {
    const BODY: &[u8] = b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n";
    let outcomes = |sim: &Sim, bodies: &[Vec<u8>]| {
        let (served, next) = (bodies.to_vec(), AtomicUsize::new(0));
        sim.peer("http://127.0.0.1").raw(move |raw| {
            if raw.read_until(b"\r\n\r\n").is_some() {
                raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
                raw.write(&served[next.fetch_add(1, Ordering::Relaxed)]);
            }
        });
        let client = Client::new(false, 80);
        let outcome = |_: &Vec<u8>| {
            let request = client.request("GET", "/", &Record::new());
            let came = if exchange(request) == 0 { rest(request) } else { Err(last_error()) };
            close(request);
            came
        };
        let outcomes: Vec<_> = bodies.iter().map(outcome).collect();
        client.close();
        outcomes
    };
    let mut bodies = Vec::new();
    for at in 0..BODY.len() {
        for byte in [0, 1, b'\t', b'\n', b'\r', b' ', b'0', b'9', b':', b';', b'f', b'g', 0x7F, 0xE9] {
            bodies.push([&BODY[..at], &[byte], &BODY[at + 1..]].concat());
            bodies.push([&BODY[..at], &[byte], &BODY[at..]].concat());
        }
    }
    let by_script = outcomes(&Sim::new(), &bodies);
    let over_bytes = outcomes(&Sim::builder().bytes().build(), &bodies);
    for (body, (script, bytes)) in bodies.iter().zip(by_script.iter().zip(&over_bytes)) {
        assert_eq!(script, bytes, "{}: by a script, over bytes", body.escape_ascii());
    }
    for expected in [Ok(3), Err(12152), Err(12030)] {
        assert!(by_script.contains(&expected), "{expected:?}");
    }
}

/// Behind a trailer section, which hyper does not see, the connection carries another request.
#[test]
fn a_connection_behind_trailers() {
    let came = everywhere("two requests", |peers| {
        peers("http://127.0.0.1").raw(|raw| {
            while raw.read_until(b"\r\n\r\n").is_some() {
                raw.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b");
                raw.write("\r\nC: d\r\n\r\n");
            }
        });
        let client = Client::new(false, 80);
        let came = [(); 2].map(|()| {
            let record = Record::new();
            let request = client.request("GET", "/", &record);
            let came = (exchange(request), rest(request));
            close(request);
            (came, record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER))
        });
        client.close();
        came
    });
    assert_eq!(came, [((0, Ok(2)), true), ((0, Ok(2)), false)]);
}

/// A reply that comes before its request is the reply, without timeouts, too.
#[test]
fn a_reply_before_the_request() {
    let came = both("at once", |sim| {
        sim.peer("http://127.0.0.1").raw(|raw: RawConnection| {
            raw.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            while raw.read().is_some() {}
        });
        let client = Client::new(false, 80);
        // SAFETY: no pointers.
        assert_eq!(unsafe { WinHttpSetTimeouts(client.session, 0, 0, 0, 0) }, 1);
        set(client.session, WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT, u32::MAX);
        let request = client.request("GET", "/", &Record::new());
        let came = (exchange(request), rest(request));
        close(request);
        client.close();
        came
    });
    assert_eq!(came, (0, Ok(2)));
}

/// A server waits for the rest of the body that the head has announced.
#[test]
fn an_upload_that_is_not_finished() {
    let came = both("5 of 10 bytes", |sim| {
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
        let client = Client::new(false, 80);
        let request = client.request("POST", "/", &Record::new());
        // SAFETY: the buffer has this length.
        let sent = unsafe { WinHttpSendRequest(request, null(), 0, b"01234".as_ptr().cast(), 5, 10, 0) };
        let came = (sent, receive(request), last_error());
        close(request);
        client.close();
        came
    });
    assert_eq!(came, (1, 0, 12002));
}

/// Who frames a body so that nobody can tell where it ends is answered; HTTP/2 ends it itself.
#[test]
fn an_upload_that_nobody_can_measure() {
    for (what, header, body) in [
        ("identity", "Transfer-Encoding: identity", "body"),
        ("two codings", "Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
    ] {
        let came = both(what, |sim| {
            sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().early());
            let client = Client::new(false, 80);
            let request = client.request("POST", "/", &Record::new());
            let (header, size) = (wide(header), body.len() as u32);
            // SAFETY: the text ends in NUL, the buffer has this length.
            let sent = unsafe { WinHttpSendRequest(request, header.as_ptr(), u32::MAX, null(), 0, size, 0) };
            // SAFETY: the same.
            let wrote = unsafe { WinHttpWriteData(request, body.as_ptr().cast(), size, &mut 0) };
            let came = (sent, wrote, receive(request));
            close(request);
            client.close();
            came
        });
        assert_eq!(came.2, 1, "{what}: {came:?}");
    }
}

/// A server that leaves before it has read anything makes no sense (d01), however late the request is.
#[test]
fn a_server_that_leaves_at_once() {
    let came = both("the request is late", |sim| {
        let peer = sim.peer("http://127.0.0.1");
        peer.raw(|raw| raw.close());
        peer.fault(Fault::at(Stage::Send).delay(Duration::from_secs(1)));
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        let came = exchange(request);
        close(request);
        client.close();
        came
    });
    assert_eq!(came, 12152);
}

/// A connection whose request did not go out whole carries nothing more (RFC 9112, 9.3): an early reply, and the request of
/// another session.
#[test]
fn a_connection_in_mid_body() {
    let came = both("an early 401 after 5 of 10 bytes", |sim| {
        let peer = sim.peer("http://127.0.0.1");
        peer.on(post("/")).reply(Reply::status(401).early());
        peer.on(get("/")).reply(Reply::ok());
        let clients = [Client::new(false, 80), Client::new(false, 80)];
        let upload = clients[0].request("POST", "/", &Record::new());
        // SAFETY: the buffer has this length.
        let sent = unsafe { WinHttpSendRequest(upload, null(), 0, b"01234".as_ptr().cast(), 5, 10, 0) };
        let answered = (sent, receive(upload));
        close(upload);
        let record = Record::new();
        let other = clients[1].request("GET", "/", &record);
        let came =
            (answered, exchange(other), record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER));
        close(other);
        clients.iter().for_each(Client::close);
        (came, peer.received().last().map(|request| request.target.clone()))
    });
    assert_eq!(came, (((1, 1), 0, true), Some("/".to_owned())));
}

/// REQUEST_STATS: the first request of a connection, and how many there were before.
#[test]
fn requests_of_a_connection() {
    let came = both("two requests", |sim| {
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
        let client = Client::new(false, 80);
        let came = [(); 2].map(|()| {
            let request = client.request("GET", "/", &Record::new());
            assert_eq!((exchange(request), rest(request)), (0, Ok(0)));
            // SAFETY: zeros are a value of the structure, whose size is told.
            let (flags, index) = unsafe {
                let mut stats: WINHTTP_REQUEST_STATS = std::mem::zeroed();
                stats.cStats = WinHttpRequestStatLast as u32;
                let mut length = size_of::<WINHTTP_REQUEST_STATS>() as u32;
                let option = WINHTTP_OPTION_REQUEST_STATS;
                assert_eq!(WinHttpQueryOption(request, option, (&raw mut stats).cast(), &mut length), 1);
                (stats.ullFlags, stats.ulIndex)
            };
            close(request);
            (flags, index)
        });
        client.close();
        came
    });
    assert_eq!(came, [(u64::from(WINHTTP_REQUEST_STAT_FLAG_FIRST_REQUEST), 0), (0, 1)]);
}

/// What a server says before it is spoken to: on a new connection the reply, however late the request is; on one that was
/// idle it means that the connection is dead (source reply.before-request).
#[test]
fn a_server_that_speaks_first() {
    let came = both("the request is late", |sim| {
        let peer = sim.peer("http://127.0.0.1");
        peer.raw(|raw| {
            raw.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            while raw.read().is_some() {}
        });
        peer.fault(Fault::at(Stage::Send).delay(Duration::from_secs(1)));
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        let came = (exchange(request), rest(request));
        close(request);
        client.close();
        came
    });
    assert_eq!(came, (0, Ok(2)));
    // When the server speaks again, behind which body, and how many requests it meets with on the first connection.
    let rows = [
        ("a second later", 1, 0, 2, false),
        ("at once", 0, 0, 2, false),
        ("with a body at the bound of a piece", 0, 16 * 1024 - 41, 0, true),
        ("while the next request is kept back", 0, 0, 0, false),
    ];
    for (number, (what, after, body, between, together)) in rows.into_iter().enumerate() {
        let came = both(what, |sim| {
            let peer = sim.peer("http://127.0.0.1");
            let late = number == 3;
            peer.raw(move |raw| {
                while raw.read_until(b"\r\n\r\n").is_some() {
                    let reply = format!("HTTP/1.1 200 OK\r\nContent-Length: {body}\r\n\r\n{}", "x".repeat(body));
                    let more = "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n";
                    if together {
                        raw.write(reply + more);
                        continue;
                    }
                    raw.write(reply);
                    raw.sleep(Duration::from_secs(after));
                    if late {
                        raw.sleep(Duration::from_millis(500));
                    }
                    raw.write(more);
                }
            });
            if late {
                peer.fault(Fault::at(Stage::Send).nth(2).delay(Duration::from_secs(1)));
            }
            let client = Client::new(false, 80);
            let came = [(); 2].map(|()| {
                let record = Record::new();
                let request = client.request("GET", "/", &record);
                let came = (exchange(request), rest(request));
                close(request);
                let connected = record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER);
                sim.advance(Duration::from_secs(between));
                (came, connected)
            });
            client.close();
            came
        });
        assert_eq!(came, [((0, Ok(body)), true); 2], "{what}");
    }
}

/// What a connection still says when the request has gone over to another is not heard.
#[test]
fn a_connection_that_was_left_is_not_heard() {
    for (what, last) in [("another reply", Some("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")), ("its end", None)] {
        let came = both(what, |sim| {
            let first = std::sync::atomic::AtomicBool::new(true);
            sim.peer("http://127.0.0.1").raw(move |raw| {
                let first = first.swap(false, std::sync::atomic::Ordering::Relaxed);
                while raw.read_until(b"\r\n\r\n").is_some() {
                    if first {
                        raw.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                        raw.write("x");
                        raw.sleep(Duration::from_millis(50));
                        last.iter().for_each(|last| raw.write(last));
                        return;
                    }
                    raw.sleep(Duration::from_millis(300));
                    raw.write("HTTP/1.1 204 No\r\n\r\n");
                }
            });
            let (client, record) = (Client::new(false, 80), Record::new());
            let request = client.request("GET", "/", &record);
            let came = [(); 2].map(|()| (exchange(request), status_code(request)));
            close(request);
            client.close();
            (came, record.statuses())
        });
        assert_eq!(came.0, [(0, 200), (0, 204)], "{what}");
    }
}

/// A server that closes in the body gives its place back, whether or not the handle is closed.
#[test]
fn a_close_in_the_body_gives_the_place_back() {
    let came = both("one connection at a time", |sim| {
        let peer = sim.peer("http://127.0.0.1");
        peer.on(any()).reply(Reply::ok().body("0123456789"));
        peer.fault(Fault::at(Stage::Read).nth(1).close());
        let client = Client::new(false, 80);
        set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 1);
        let requests = [(); 3].map(|()| client.request("GET", "/", &Record::new()));
        let came = requests.map(|request| (exchange(request), rest(request)));
        requests.into_iter().for_each(|request| _ = close(request));
        client.close();
        (came, sim.elapsed())
    });
    assert_eq!(came, ([(0, Ok(0)), (0, Ok(10)), (0, Ok(10))], Duration::ZERO));
}

/// An early reply to a request that goes out whole all the same leaves the connection to the next.
#[test]
fn an_early_reply_keeps_its_connection() {
    let came = both("two uploads", |sim| {
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::status(401).early());
        let client = Client::new(false, 80);
        let came = [(); 2].map(|()| {
            let record = Record::new();
            let request = client.request("POST", "/", &record);
            // SAFETY: the buffer has this length.
            let sent = unsafe { WinHttpSendRequest(request, null(), 0, b"0123456789".as_ptr().cast(), 10, 10, 0) };
            let came = (sent, receive(request), rest(request));
            close(request);
            sim.settle();
            (came, record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER))
        });
        client.close();
        came
    });
    assert_eq!(came, [((1, 1, Ok(0)), true), ((1, 1, Ok(0)), false)]);
}
