//! `portable-winhttp soak`: requests, web sockets and resolvers through hostile peers, over HTTP/1.1 and HTTP/2, cancelled
//! at random. Each must end once, and nothing may be left.
#![allow(unsafe_code)]

mod driven;
mod figures;
mod held;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use portable_winhttp::api::*;
use portable_winhttp::win32::*;

use super::End;
use super::arguments::Soak;
use super::hostile::{self, Random};
use super::hostile_http2;
use driven::{Counts, Driven, DrivenKind, LATE, on_status};
use figures::Figures;

/// How many are open at once.
const IN_FLIGHT: usize = 200;
/// How often figures are printed.
const TOLD: u64 = 100_000;
/// How long it is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Threads and descriptors that the library may keep for what comes next.
const KEPT: usize = 64;

/// Runs it.
pub fn run(arguments: &Soak) -> End {
    if arguments.hold {
        return held::peer();
    }
    let done = match (arguments.open, arguments.sockets) {
        (0, 0) => soak(arguments.requests, arguments.seed),
        (open, sockets) => held::run(open, sockets),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error}");
        End::Badly
    })
}

fn text(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A session whose handles tell [`on_status`], and a connection to a port of this machine.
struct Client {
    session: *mut c_void,
    connection: *mut c_void,
}

impl Client {
    fn new(port: u16, timeout: i32) -> Client {
        // SAFETY: text ends in NUL; the callback takes any context.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
            WinHttpSetTimeouts(session, timeout, timeout, timeout, timeout);
            WinHttpSetStatusCallback(session, Some(on_status), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
            let connection = WinHttpConnect(session, text("127.0.0.1").as_ptr(), port, 0);
            Client { session, connection }
        }
    }

    fn request(&self, flags: u32) -> *mut c_void {
        // SAFETY: text ends in NUL.
        unsafe { WinHttpOpenRequest(self.connection, null(), text("/").as_ptr(), null(), null(), null(), flags) }
    }

    fn close(&self) {
        // SAFETY: any value may be passed.
        unsafe {
            WinHttpCloseHandle(self.connection);
            WinHttpCloseHandle(self.session);
        }
    }
}

/// The context of a handle is set.
fn bind(handle: *mut c_void, context: usize) {
    // SAFETY: the value has its length.
    unsafe { WinHttpSetOption(handle, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8) };
}

/// A DWORD option is set.
fn set(handle: *mut c_void, option: u32, value: u32) {
    // SAFETY: the value has its length.
    unsafe { WinHttpSetOption(handle, option, (&raw const value).cast(), 4) };
}

fn soak(requests: u64, seed: u64) -> std::io::Result<End> {
    let (plain, secure) = (hostile::serve(seed)?, hostile_http2::serve(seed)?);
    let counts = Arc::new(Counts::default());
    let (start, began) = (Figures::take(), Instant::now());
    println!("start: {start}");
    let (first, second) = (Client::new(plain, 1000), Client::new(secure, 1000));
    set(second.session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_PROTOCOL_FLAG_HTTP2);
    let script = text(&format!("http://127.0.0.1:{plain}/proxy.pac"));
    let mut random = Random::new(seed);
    let mut hung = false;
    for number in 1..=requests {
        hung = hung || !counts.wait(IN_FLIGHT, PATIENCE);
        if hung {
            break;
        }
        let close_at = random.below(24) as u32;
        match random.below(50) {
            0 => resolve(&first, &counts, close_at, &script),
            1..=9 => send(second.request(WINHTTP_FLAG_SECURE), &counts, close_at, false),
            other => send(first.request(0), &counts, close_at, other < 20),
        }
        if number % TOLD == 0 {
            println!("{number}: {:.1?}, {counts}; {}", began.elapsed(), Figures::take());
        }
    }
    hung = !counts.wait(1, PATIENCE) || hung;
    [first, second].iter().for_each(Client::close);
    let (left, back) = settle(&start);
    println!("end: {:.1?}, {counts}; {left}", began.elapsed());
    let wrong = counts.wrong.load(Ordering::Relaxed) + LATE.load(Ordering::Relaxed);
    println!("wrong {wrong}, hung {hung}, everything back at the start {back}");
    Ok(if wrong == 0 && !hung && back { End::Well } else { End::Badly })
}

/// One request is sent; it goes on in its callbacks.
fn send(request: *mut c_void, counts: &Arc<Counts>, close_at: u32, upgrade: bool) {
    let (driven, context) = Driven::new(counts, DrivenKind::Request, close_at);
    counts.started.fetch_add(1, Ordering::Relaxed);
    bind(request, context);
    set(request, WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_ALL_CERT_ERRORS);
    // SAFETY: the option takes no value; contexts are numbers.
    unsafe {
        if upgrade {
            WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0);
        }
        if !driven.begin(|_| WinHttpSendRequest(request, null(), 0, null(), 0, 0, context) != 0) || close_at == 0 {
            driven.close(request);
        }
    }
}

/// One resolver asks for the proxies of a URL.
fn resolve(client: &Client, counts: &Arc<Counts>, close_at: u32, script: &[u16]) {
    let (driven, context) = Driven::new(counts, DrivenKind::Resolver, close_at);
    counts.resolvers.fetch_add(1, Ordering::Relaxed);
    let mut resolver = null_mut();
    // SAFETY: text ends in NUL, the structure lives during the call; contexts are numbers.
    unsafe {
        if WinHttpCreateProxyResolver(client.session, &mut resolver) != 0 {
            return driven.never_opened(context);
        }
        bind(resolver, context);
        let mut options: WINHTTP_AUTOPROXY_OPTIONS = std::mem::zeroed();
        options.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
        options.lpszAutoConfigUrl = script.as_ptr();
        let url = text("http://host.test/");
        let asked = driven.begin(|_| {
            let code = WinHttpGetProxyForUrlEx(resolver, url.as_ptr(), &options, context);
            code == ERROR_IO_PENDING.0
        });
        if !asked || close_at == 0 {
            driven.close(resolver);
        }
    }
}

/// Waits until everything is back at the start: what is left, and whether it is.
fn settle(start: &Figures) -> (Figures, bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = Figures::take();
        let back = (left.handles, left.orders) == (0, 0)
            && left.threads <= start.threads + KEPT
            && left.descriptors <= start.descriptors + KEPT;
        if back || Instant::now() > deadline {
            return (left, back);
        }
        thread::sleep(Duration::from_millis(20));
    }
}
