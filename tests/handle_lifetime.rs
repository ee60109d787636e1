//! Handles that one thread closes while another uses them, in the real world: HANDLE_CLOSING comes once and last, and
//! every call has an answer.
#![cfg(all(feature = "net", feature = "win32", not(windows)))]

use std::collections::HashMap;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_winhttp as _;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// What the callbacks of this file were told: handles and whether each had its HANDLE_CLOSING.
static TOLD: LazyLock<[Mutex<HashMap<usize, bool>>; 16]> = LazyLock::new(Default::default);
static CREATED: AtomicUsize = AtomicUsize::new(0);
static CLOSED: AtomicUsize = AtomicUsize::new(0);
static WRONG: Mutex<Vec<String>> = Mutex::new(Vec::new());

unsafe extern "system" fn callback(handle: *mut c_void, _: usize, status: u32, information: *mut c_void, _: u32) {
    let handle = handle as usize;
    let mut told = TOLD[(handle / 64) % 16].lock().unwrap();
    let closed = told.entry(handle).or_default();
    if *closed {
        WRONG.lock().unwrap().push(format!("{status:#x} for {handle:#x} after its HANDLE_CLOSING"));
    }
    match status {
        WINHTTP_CALLBACK_STATUS_HANDLE_CREATED if !information.is_null() => {
            CREATED.fetch_add(1, Ordering::Relaxed);
        }
        WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
            *closed = true;
            CLOSED.fetch_add(1, Ordering::Relaxed);
        }
        _ => {}
    }
}

/// A handle, or 0 and the error, which must be one that a lost race has.
fn made(handle: *mut c_void) -> usize {
    // SAFETY: nothing is passed.
    let error = unsafe { GetLastError() };
    assert!(!handle.is_null() || error == 6 || error == 12017, "the loser of a race is told {error}");
    handle as usize
}

fn close(handle: usize) {
    // SAFETY: any value may be passed.
    let closed = unsafe { WinHttpCloseHandle(handle as _) };
    assert!(closed == 1 || made(null_mut()) == 0);
}

/// One round: children are made from a parent that the other thread closes at that moment.
fn round(session: usize, race: impl Fn(usize) + Sync) {
    let host = wide("127.0.0.1");
    // SAFETY: NUL-terminated strings.
    let connection = made(unsafe { WinHttpConnect(session as _, host.as_ptr(), 9, 0) });
    race(connection);
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
    // SAFETY: no strings; a callback that takes any context.
    let session = unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        WinHttpSetStatusCallback(session, Some(callback), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        session as usize
    };
    // Two pairs of threads: each pair races over the connections that its first thread makes.
    thread::scope(|scope| {
        for _ in 0..2 {
            let (give, take) = std::sync::mpsc::channel::<usize>();
            scope.spawn(move || take.into_iter().for_each(close));
            let (goes_on, made_handles) = (&goes_on, &made_handles);
            scope.spawn(move || {
                let (verb, path) = (wide("GET"), wide("/"));
                while goes_on() {
                    round(session, |connection| {
                        give.send(connection).unwrap();
                        for _ in 0..4 {
                            // SAFETY: NUL-terminated strings; the handle may be closed by now.
                            let request = unsafe {
                                let none = null();
                                WinHttpOpenRequest(connection as _, verb.as_ptr(), path.as_ptr(), none, none, null(), 0)
                            };
                            let request = made(request);
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
    let end = Instant::now() + Duration::from_secs(20);
    // The session's HANDLE_CLOSING comes for no HANDLE_CREATED.
    while CLOSED.load(Ordering::Relaxed) < CREATED.load(Ordering::Relaxed) + 1 && Instant::now() < end {
        thread::yield_now();
    }
    let wrong = WRONG.lock().unwrap();
    assert!(wrong.is_empty(), "{} mistakes, the first: {}", wrong.len(), wrong[0]);
    assert_eq!(CLOSED.load(Ordering::Relaxed), CREATED.load(Ordering::Relaxed) + 1);
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
    let (host, verb, path) = (wide("127.0.0.1"), wide("GET"), wide("/"));
    // SAFETY: NUL-terminated strings.
    let (session, connection, request) = unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        let connection = WinHttpConnect(session, host.as_ptr(), port, 0);
        let none = null();
        let request = WinHttpOpenRequest(connection, verb.as_ptr(), path.as_ptr(), none, none, null(), 0);
        (session as usize, connection as usize, request as usize)
    };
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
