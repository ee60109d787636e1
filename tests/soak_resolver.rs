//! The flow of .NET's handler, over and over: a resolver for each request, many at once, each closed at a random point.
//! Every question that was taken ends once, every resolver gets one HANDLE_CLOSING as its last record, and nothing stays.

mod support;

use std::ffi::c_void;
use std::io::Write;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_winhttp::real::with_proxies;
use portable_winhttp::real::{Census, census};
use support::*;
use windows_sys::Win32::Foundation::ERROR_IO_PENDING;
use windows_sys::Win32::Networking::WinHttp::*;

const ROUNDS: usize = 6;
const RESOLVERS: usize = 400;
const THREADS: usize = 4;

/// xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One resolver.
#[derive(Default)]
struct Asked {
    /// Closes it when it has ended; else whoever made it does.
    closes: bool,
    ended: AtomicUsize,
    cancelled: AtomicUsize,
    closings: AtomicUsize,
    after_closing: AtomicUsize,
    results: AtomicUsize,
    changed: Arc<(Mutex<usize>, Condvar)>,
}

/// # Safety
/// The context is an [`Asked`] that is freed after HANDLE_CLOSING of all.
unsafe extern "system" fn told(resolver: *mut c_void, context: usize, status: u32, information: *mut c_void, _: u32) {
    if context == 0 {
        return;
    }
    // SAFETY: the round frees its contexts when all have closed.
    let asked = unsafe { &*(context as *const Asked) };
    if asked.closings.load(Ordering::SeqCst) > 0 {
        asked.after_closing.fetch_add(1, Ordering::SeqCst);
    }
    match status {
        WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
            asked.closings.fetch_add(1, Ordering::SeqCst);
            *asked.changed.0.lock().unwrap() += 1;
            asked.changed.1.notify_all();
            return;
        }
        WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE => {
            // SAFETY: a place for the result, which is freed behind. Another thread may have closed the handle.
            unsafe {
                let mut result: WINHTTP_PROXY_RESULT = std::mem::zeroed();
                if WinHttpGetProxyResult(resolver, &mut result) == 0 {
                    assert_eq!(result.cEntries, 2);
                    asked.results.fetch_add(1, Ordering::SeqCst);
                    WinHttpFreeProxyResult(&mut result);
                }
            }
        }
        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
            // SAFETY: that is what REQUEST_ERROR brings.
            let result = unsafe { &*information.cast::<WINHTTP_ASYNC_RESULT>() };
            assert_eq!(result.dwResult, API_GET_PROXY_FOR_URL as usize);
            if result.dwError == ERROR_WINHTTP_OPERATION_CANCELLED {
                asked.cancelled.fetch_add(1, Ordering::SeqCst);
            } else {
                assert_eq!(result.dwError, ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT);
            }
        }
        other => panic!("status {other:#x}"),
    }
    asked.ended.fetch_add(1, Ordering::SeqCst);
    if asked.closes {
        close(resolver);
    }
}

fn round(session: usize, script: &str, seed: u64) -> usize {
    let changed = Arc::new((Mutex::new(0), Condvar::new()));
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (all, changed) = (&all, &changed);
            scope.spawn(move || {
                let session = session as *mut c_void;
                let mut random = Random(seed + 7919 * number as u64);
                for _ in 0..RESOLVERS / THREADS {
                    let closes = random.below(3) == 0;
                    let asked = Arc::new(Asked { closes, changed: Arc::clone(changed), ..Asked::default() });
                    let (url, script) = (wide("http://www.test/"), wide(script));
                    let options = WINHTTP_AUTOPROXY_OPTIONS {
                        dwFlags: WINHTTP_AUTOPROXY_CONFIG_URL,
                        dwAutoDetectFlags: 0,
                        lpszAutoConfigUrl: script.as_ptr(),
                        lpvReserved: null_mut(),
                        dwReserved: 0,
                        fAutoLogonIfChallenged: 0,
                    };
                    let mut resolver = null_mut();
                    let context = Arc::as_ptr(&asked) as usize;
                    // SAFETY: the strings end in NUL; the context lives until the round is over.
                    unsafe {
                        assert_eq!(WinHttpCreateProxyResolver(session, &mut resolver), 0);
                        let mask = WINHTTP_CALLBACK_FLAG_REQUEST_ERROR
                            | WINHTTP_CALLBACK_FLAG_GETPROXYFORURL_COMPLETE
                            | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
                        WinHttpSetStatusCallback(resolver, Some(told), mask, 0);
                        let begun = WinHttpGetProxyForUrlEx(resolver, url.as_ptr(), &options, context);
                        assert_eq!(begun, ERROR_IO_PENDING);
                    }
                    if !closes {
                        for _ in 0..random.below(200) {
                            thread::yield_now();
                        }
                        assert_eq!(close(resolver), 1);
                    }
                    all.lock().unwrap().push(asked);
                }
            });
        }
    });
    let closed = changed.0.lock().unwrap();
    let (closed, _) = changed.1.wait_timeout_while(closed, PATIENCE, |closed| *closed < RESOLVERS).unwrap();
    assert_eq!(*closed, RESOLVERS, "resolvers that never got HANDLE_CLOSING");
    drop(closed);
    let all = all.into_inner().unwrap();
    for asked in &all {
        let count = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
        let counts = (count(&asked.ended), count(&asked.closings), count(&asked.after_closing));
        assert_eq!(counts, (1, 1, 0), "endings, closings, records behind them");
    }
    all.iter().map(|asked| asked.cancelled.load(Ordering::SeqCst)).sum()
}

fn settle(handles: usize) {
    let deadline = Instant::now() + PATIENCE;
    while census() != (Census { handles, requests: 0 }) {
        assert!(Instant::now() < deadline, "left behind: {:?}", census());
        thread::yield_now();
    }
}

#[test]
fn resolvers_closed_at_random_points() {
    let port = serve(|mut stream| {
        while read_head(&mut stream).is_some() {
            if stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    });
    // SAFETY: NUL-terminated strings.
    let session = unsafe {
        let none = std::ptr::null();
        WinHttpOpen(none, WINHTTP_ACCESS_TYPE_NO_PROXY, none, none, WINHTTP_FLAG_ASYNC)
    };
    let script = format!("http://127.0.0.1:{port}/proxy.pac");
    let mut cancelled = 0;
    for number in 0..ROUNDS {
        // Now a function answers, now a server must be asked.
        let answers = number % 2 == 0;
        with_proxies(|proxies| {
            proxies
                .set_script_override(answers.then(|| Arc::new(|_: &str, _: &str| "PROXY p:1; DIRECT".to_owned()) as _));
        });
        cancelled += round(session as usize, &script, 0x9E37_79B9 + number as u64);
        settle(1);
    }
    assert!(cancelled > 0 && cancelled < ROUNDS * RESOLVERS, "{cancelled} were cancelled: both must happen");
    assert_eq!(close(session), 1);
    settle(0);
}
