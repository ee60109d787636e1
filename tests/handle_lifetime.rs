//! Handles that one thread closes while another uses them, in the real world: HANDLE_CLOSING comes once and last, and
//! every call has an answer.
#![cfg(all(feature = "net", feature = "win32", not(windows)))]

use std::collections::HashMap;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use portable_winhttp::http::upgrade;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// What the callbacks of one test were told.
#[derive(Default)]
struct Log {
    /// The statuses of each handle, as bits.
    told: [Mutex<HashMap<usize, u32>>; 16],
    created: AtomicUsize,
    closed: AtomicUsize,
    wrong: Mutex<Vec<String>>,
}

/// By the context that a test gives its handles.
static LOGS: LazyLock<[Log; 2]> = LazyLock::new(Default::default);
const CLOSING: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

impl Log {
    fn told(&self, handle: usize) -> MutexGuard<'_, HashMap<usize, u32>> {
        self.told[(handle / 64) % 16].lock().unwrap()
    }

    /// Waits until one of these statuses was told of a handle.
    fn await_status(&self, handle: usize, statuses: u32) {
        let end = Instant::now() + PATIENCE;
        while self.told(handle).get(&handle).is_none_or(|told| told & statuses == 0) {
            assert!(Instant::now() < end, "none of {statuses:#x} comes for {handle:#x}");
            thread::yield_now();
        }
    }

    /// HANDLE_CLOSING came once for each handle that was told of, and for so many others.
    fn ends(&self, others: usize) {
        let end = Instant::now() + PATIENCE;
        let wanted = || self.created.load(Ordering::Relaxed) + others;
        while self.closed.load(Ordering::Relaxed) < wanted() && Instant::now() < end {
            thread::yield_now();
        }
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} mistakes, the first: {}", wrong.len(), wrong[0]);
        assert_eq!(self.closed.load(Ordering::Relaxed), wanted());
    }
}

unsafe extern "system" fn callback(handle: *mut c_void, context: usize, status: u32, _: *mut c_void, _: u32) {
    let (handle, log) = (handle as usize, &LOGS[context]);
    let mut told = log.told(handle);
    let statuses = told.entry(handle).or_default();
    if *statuses & CLOSING != 0 {
        let mistake = format!("{status:#x} for {handle:#x} after its HANDLE_CLOSING");
        log.wrong.lock().unwrap().push(mistake);
    }
    *statuses |= status;
    match status {
        WINHTTP_CALLBACK_STATUS_HANDLE_CREATED => log.created.fetch_add(1, Ordering::Relaxed),
        CLOSING => log.closed.fetch_add(1, Ordering::Relaxed),
        _ => 0,
    };
}

/// A session whose callbacks are those of this log.
fn session(log: usize, flags: u32) -> usize {
    // SAFETY: no strings; a callback that takes these contexts; the value has the size that is said.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags);
        WinHttpSetStatusCallback(session, Some(callback), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        WinHttpSetOption(session, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const log).cast(), size_of::<usize>() as u32);
        session as usize
    }
}

/// A handle, or 0 and the error, which must be one that a lost race has, or one of these.
fn made_or(handle: *mut c_void, others: &[u32]) -> usize {
    // SAFETY: nothing is passed.
    let error = unsafe { GetLastError() };
    let expected = [6, 12017].contains(&error) || others.contains(&error);
    assert!(!handle.is_null() || expected, "the loser of a race is told {error}");
    handle as usize
}

fn made(handle: *mut c_void) -> usize {
    made_or(handle, &[])
}

fn close(handle: usize) {
    // SAFETY: any value may be passed.
    let closed = unsafe { WinHttpCloseHandle(handle as _) };
    assert!(closed == 1 || made(null_mut()) == 0);
}

fn connect(session: usize, port: u16) -> usize {
    let host = wide("127.0.0.1");
    // SAFETY: a NUL-terminated string.
    made(unsafe { WinHttpConnect(session as _, host.as_ptr(), port, 0) })
}

fn open(connection: usize) -> usize {
    let (verb, path) = (wide("GET"), wide("/"));
    let none = null();
    // SAFETY: NUL-terminated strings.
    made(unsafe { WinHttpOpenRequest(connection as _, verb.as_ptr(), path.as_ptr(), none, none, null(), 0) })
}

/// One round: children are made from a parent that the other thread closes at that moment.
fn round(session: usize, race: impl Fn(usize) + Sync) {
    race(connect(session, 9));
}

/// `WINHTTP_STRESS_HANDLES` says how many handles; without it as many as fit into two seconds.
#[test]
fn a_handle_that_has_ended_never_comes_back() {
    let wanted: Option<usize> = std::env::var("WINHTTP_STRESS_HANDLES").ok().and_then(|count| count.parse().ok());
    let until = Instant::now() + Duration::from_secs(2);
    let made_handles = AtomicUsize::new(0);
    let goes_on = || {
        let made = made_handles.load(Ordering::Relaxed);
        wanted.map_or(Instant::now() < until && made < 100_000, |wanted| made < wanted)
    };
    let session = session(0, WINHTTP_FLAG_ASYNC);
    // Two pairs of threads: each pair races over the connections that its first thread makes.
    thread::scope(|scope| {
        for _ in 0..2 {
            let (give, take) = std::sync::mpsc::channel::<usize>();
            scope.spawn(move || take.into_iter().for_each(close));
            let (goes_on, made_handles) = (&goes_on, &made_handles);
            scope.spawn(move || {
                while goes_on() {
                    round(session, |connection| {
                        give.send(connection).unwrap();
                        for _ in 0..4 {
                            let request = open(connection);
                            made_handles.fetch_add(1 + usize::from(request == 0), Ordering::Relaxed);
                            if request != 0 {
                                close(request);
                            }
                        }
                    });
                }
            });
        }
    });
    close(session);
    // The session's HANDLE_CLOSING comes for no HANDLE_CREATED.
    LOGS[0].ends(1);
}

/// What is made from a handle that another thread closes at that moment.
#[derive(Clone, Copy)]
enum Child {
    Connection,
    Request,
    /// The resolver inside WinHttpGetProxyForUrl.
    Resolver,
    WebSocket,
}

/// Answers handshakes.
fn upgrade_all(listener: &TcpListener) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        thread::spawn(move || {
            let (mut head, mut piece) = (Vec::new(), [0; 1024]);
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                head.extend_from_slice(&piece[..count]);
                if head.ends_with(b"\r\n\r\n") {
                    let text = String::from_utf8_lossy(&head).into_owned();
                    head.clear();
                    let key =
                        text.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
                    let accept = upgrade::accept(key);
                    let reply = format!(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                         Sec-WebSocket-Accept: {accept}\r\n\r\n"
                    );
                    if stream.write_all(reply.as_bytes()).is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// A request whose 101 has come.
fn upgradable(connection: usize, asynchronous: bool) -> usize {
    let request = open(connection);
    let log = &LOGS[1];
    const ENDED: u32 = WINHTTP_CALLBACK_STATUS_REQUEST_ERROR | CLOSING;
    // SAFETY: nothing is passed but the handle.
    unsafe {
        assert_eq!(WinHttpSetOption(request as _, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
        assert_eq!(WinHttpSendRequest(request as _, null(), 0, null(), 0, 0, 1), 1, "{}", GetLastError());
        if asynchronous {
            log.await_status(request, WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE | ENDED);
        }
        assert_eq!(WinHttpReceiveResponse(request as _, null_mut()), 1, "{}", GetLastError());
        if asynchronous {
            log.await_status(request, WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE | ENDED);
        }
    }
    request
}

/// Makes children while `closes` closes their parent elsewhere; how many handles there were.
fn race(child: Child, asynchronous: bool, port: u16, closes: impl Fn(usize)) -> usize {
    let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
    let session = session(1, flags);
    let rest = match child {
        Child::Connection => {
            closes(session);
            (0..4).map(|_| connect(session, port)).filter(|made| *made != 0).collect()
        }
        Child::Request => {
            let connection = connect(session, port);
            closes(connection);
            let requests = (0..4).map(|_| open(connection)).filter(|made| *made != 0);
            requests.chain([session]).collect()
        }
        Child::Resolver => {
            closes(session);
            find_proxy(session);
            vec![]
        }
        Child::WebSocket => {
            let connection = connect(session, port);
            let request = upgradable(connection, asynchronous);
            closes(request);
            // SAFETY: nothing is passed but the handle.
            let socket = made(unsafe { WinHttpWebSocketCompleteUpgrade(request as _, 1) });
            [socket, connection, session].into_iter().filter(|made| *made != 0).collect()
        }
    };
    let count = rest.len() + 1;
    rest.into_iter().for_each(close);
    count
}

fn find_proxy(session: usize) {
    let (url, script) = (wide("http://a.test/"), wide("ftp://a.test/proxy.pac"));
    let mut options = WINHTTP_AUTOPROXY_OPTIONS {
        dwFlags: WINHTTP_AUTOPROXY_CONFIG_URL,
        dwAutoDetectFlags: 0,
        lpszAutoConfigUrl: script.as_ptr(),
        lpvReserved: null_mut(),
        dwReserved: 0,
        fAutoLogonIfChallenged: 0,
    };
    let mut info = WINHTTP_PROXY_INFO { dwAccessType: 0, lpszProxy: null_mut(), lpszProxyBypass: null_mut() };
    // SAFETY: NUL-terminated strings, and places for the answer.
    let found = unsafe { WinHttpGetProxyForUrl(session as _, url.as_ptr(), &raw mut options, &raw mut info) };
    assert_eq!(found, 0);
    // The URL of the script is none that is fetched: it never succeeds.
    made_or(null_mut(), &[12006, 12166, 12167, 12178, 12180]);
}

/// Four threads, two of which close what the two others make children from; `WINHTTP_STRESS_HANDLES` as above.
#[test]
fn children_of_a_closing_parent_end_once() {
    let wanted: Option<usize> = std::env::var("WINHTTP_STRESS_HANDLES").ok().and_then(|count| count.parse().ok());
    let until = Instant::now() + Duration::from_secs(2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || upgrade_all(&listener));
    let (handles, sessions) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for asynchronous in [false, true] {
            let (give, take) = std::sync::mpsc::channel::<usize>();
            scope.spawn(move || take.into_iter().for_each(close));
            let (handles, sessions) = (&handles, &sessions);
            scope.spawn(move || {
                let children = [Child::Connection, Child::Request, Child::Resolver, Child::WebSocket];
                for child in children.into_iter().cycle() {
                    let made = handles.load(Ordering::Relaxed);
                    if wanted.map_or(Instant::now() >= until, |wanted| made >= wanted) {
                        return;
                    }
                    let more = race(child, asynchronous, port, |parent| give.send(parent).unwrap());
                    handles.fetch_add(more, Ordering::Relaxed);
                    sessions.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    LOGS[1].ends(sessions.load(Ordering::Relaxed));
    println!("{} handles, {} sessions", handles.load(Ordering::Relaxed), sessions.load(Ordering::Relaxed));
}

/// Answers every head with a 200 without a body.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        thread::spawn(move || {
            let (mut head, mut piece) = (Vec::new(), [0; 1024]);
            while let Ok(count @ 1..) = stream.read(&mut piece) {
                head.extend_from_slice(&piece[..count]);
                if head.ends_with(b"\r\n\r\n") {
                    head.clear();
                    if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
                        return;
                    }
                }
            }
        });
    }
}

#[test]
fn two_threads_on_one_synchronous_handle_both_return() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(&listener));
    // SAFETY: no strings.
    let session = unsafe { WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0) } as usize;
    let connection = connect(session, port);
    let request = open(connection);
    let (done, ended) = std::sync::mpsc::channel();
    for _ in 0..2 {
        let done = done.clone();
        thread::spawn(move || {
            for _ in 0..300 {
                // SAFETY: nothing is passed but the handle.
                let sent = unsafe { WinHttpSendRequest(request as _, null(), 0, null(), 0, 0, 0) };
                // SAFETY: as above.
                let error = unsafe { GetLastError() };
                assert!(sent == 1 || error == 12019 || error == 12017, "{error}");
            }
            done.send(()).unwrap();
        });
    }
    for _ in 0..2 {
        ended.recv_timeout(Duration::from_secs(60)).expect("both return");
    }
    [request, connection, session].into_iter().for_each(close);
}

/// Every call of a request while another thread closes it: it succeeds, or finds the handle gone (6), its operation cancelled
/// (12017), or what a call before it has left (12019; 87 for bytes that nobody announced). Never 12004.
#[test]
fn a_call_that_loses_against_close_finds_the_handle_gone_or_cancelled() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(&listener));
    let began = Instant::now();
    let lost = AtomicUsize::new(0);
    // A slow machine takes longer to lose so often.
    let goes_on = || {
        let few = lost.load(Ordering::Relaxed) <= 100;
        began.elapsed() < Duration::from_secs(if few { 60 } else { 2 })
    };
    thread::scope(|scope| {
        for flags in [0, WINHTTP_FLAG_ASYNC] {
            let (give, take) = std::sync::mpsc::channel::<usize>();
            scope.spawn(move || take.into_iter().for_each(close));
            let (lost, goes_on) = (&lost, &goes_on);
            scope.spawn(move || {
                // SAFETY: no text is passed.
                let session = made(unsafe { WinHttpOpen(null(), 1, null(), null(), flags) });
                let connection = connect(session, port);
                while goes_on() {
                    let request = open(connection);
                    let late = lost.load(Ordering::Relaxed) % 5;
                    for number in 0..5 {
                        if number == late {
                            give.send(request).unwrap();
                        }
                        if !done(number, request) {
                            // SAFETY: nothing is passed.
                            let error = unsafe { GetLastError() };
                            assert!([6, 87, 12017, 12019].contains(&error), "call {number}, flags {flags:#x}: {error}");
                            lost.fetch_add(usize::from(matches!(error, 6 | 12017)), Ordering::Relaxed);
                        }
                    }
                }
                [connection, session].into_iter().for_each(close);
            });
        }
    });
    assert!(lost.load(Ordering::Relaxed) > 100);
}

/// A call of a request; whether it succeeds.
fn done(number: usize, request: usize) -> bool {
    let (request, buffer) = (request as *mut c_void, Box::leak(Box::new([0u8; 8])).as_mut_ptr());
    // SAFETY: the buffer has eight bytes, and lives for ever.
    unsafe {
        let done = match number {
            0 => WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0),
            1 => WinHttpReceiveResponse(request, null_mut()),
            2 => WinHttpQueryDataAvailable(request, null_mut()),
            3 => WinHttpReadData(request, buffer.cast(), 8, null_mut()),
            _ => WinHttpWriteData(request, buffer.cast(), 8, null_mut()),
        };
        done == 1
    }
}
