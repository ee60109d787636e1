//! Requests per second through WinHTTP's asynchronous functions and through hyper alone, against the same server.
//!
//! ```text
//! cargo bench --bench ratio
//! ```
//!
//! Rounds of both take turns; the result is the median of the rounds.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::net::{Ipv4Addr, SocketAddr};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use windows_sys::Win32::Networking::WinHttp::*;

#[cfg(not(windows))]
use portable_winhttp as _;

const ROUNDS: usize = 7;

/// Requests in flight, and requests in a round.
const LOADS: [(&str, usize, usize); 2] = [("one at a time", 1, 4_000), ("64 in flight", 64, 20_000)];

fn main() {
    let server = serve();
    let hyper = Runtime::new().expect("a runtime");
    let winhttp = WinHttp::new(server);
    println!("{:<14} {:>13} {:>13} {:>7}", "requests/s", "WinHTTP", "hyper", "ratio");
    for (name, flight, count) in LOADS {
        let mut rounds: Vec<[f64; 3]> = Vec::new();
        // The first round fills pools and caches and does not count.
        for _ in 0..=ROUNDS {
            let ours = rate(count, || winhttp.run(flight, count));
            let theirs = rate(count, || hyper.block_on(run_hyper(server, flight, count)));
            rounds.push([ours, theirs, ours / theirs]);
        }
        rounds.remove(0);
        let [ours, theirs, ratio] = [0, 1, 2].map(|column| median(rounds.iter().map(|round| round[column]).collect()));
        println!("{name:<14} {ours:>13.0} {theirs:>13.0} {ratio:>7.2}");
    }
}

fn rate(count: usize, run: impl FnOnce()) -> f64 {
    let start = Instant::now();
    run();
    count as f64 / start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";
const BODY: &[u8] = b"Hello, world!";

/// Answers every head with [`REPLY`], on a thread of its own.
fn serve() -> SocketAddr {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("the loopback interface");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
    });
    address
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut head, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut part).await?;
        if count == 0 {
            return Ok(());
        }
        head.extend_from_slice(&part[..count]);
        // Requests have no body and wait for the reply before them.
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            stream.write_all(REPLY).await?;
        }
    }
}

/// `flight` connections, each asking again as soon as it has its reply.
async fn run_hyper(server: SocketAddr, flight: usize, count: usize) {
    let tickets = Arc::new(AtomicUsize::new(count));
    let mut tasks = Vec::new();
    for _ in 0..flight {
        let tickets = tickets.clone();
        tasks.push(tokio::spawn(async move {
            let stream = TcpStream::connect(server).await.expect("the server listens");
            stream.set_nodelay(true).expect("a TCP socket");
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("a connection");
            tokio::spawn(connection);
            while take(&tickets) {
                sender.ready().await.expect("the connection is kept");
                let request = Request::get("/").header("Host", "127.0.0.1").body(Empty::<Bytes>::new());
                let reply = sender.send_request(request.expect("a request")).await.expect("a reply");
                let body = reply.into_body().collect().await.expect("a body").to_bytes();
                assert_eq!(body, BODY);
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
}

fn take(tickets: &AtomicUsize) -> bool {
    tickets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// A session and a connection handle; requests are driven by the status callback alone.
struct WinHttp {
    session: *mut c_void,
    connection: *mut c_void,
}

/// One request in flight, and those that follow it.
struct Lane {
    connection: *mut c_void,
    tickets: Arc<AtomicUsize>,
    /// Told when no ticket is left.
    done: Sender<()>,
    /// Belongs to WinHTTP from WinHttpReadData to READ_COMPLETE.
    buffer: UnsafeCell<[u8; 64]>,
}

impl WinHttp {
    fn new(server: SocketAddr) -> WinHttp {
        let host: Vec<u16> = server.ip().to_string().encode_utf16().chain([0]).collect();
        // SAFETY: the host ends with NUL; the callback is sound for the contexts of `run`, and ignores context 0.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
            assert!(!session.is_null(), "WinHttpOpen");
            let mask = COMPLETIONS | HANDLES;
            WinHttpSetStatusCallback(session, Some(on_status), mask, 0);
            let connection = WinHttpConnect(session, host.as_ptr(), server.port(), 0);
            assert!(!connection.is_null(), "WinHttpConnect");
            WinHttp { session, connection }
        }
    }

    fn run(&self, flight: usize, count: usize) {
        let tickets = Arc::new(AtomicUsize::new(count));
        let (done, finished) = channel();
        for _ in 0..flight {
            let (connection, tickets, done) = (self.connection, tickets.clone(), done.clone());
            start(Box::new(Lane { connection, tickets, done, buffer: UnsafeCell::new([0; 64]) }));
        }
        drop(done);
        assert_eq!(finished.iter().count(), flight);
    }
}

impl Drop for WinHttp {
    fn drop(&mut self) {
        // SAFETY: both are open and have no requests.
        unsafe {
            WinHttpCloseHandle(self.connection);
            WinHttpCloseHandle(self.session);
        }
    }
}

/// WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS and WINHTTP_CALLBACK_FLAG_HANDLES, which windows-sys does not have.
const COMPLETIONS: u32 = 0x097E_0000;
const HANDLES: u32 = WINHTTP_CALLBACK_STATUS_HANDLE_CREATED | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

/// Sends the lane's next request, if there is a ticket for it.
fn start(lane: Box<Lane>) {
    if !take(&lane.tickets) {
        let _ = lane.done.send(());
        return;
    }
    // SAFETY: the connection is open; HANDLE_CLOSING of the request takes the lane back.
    unsafe {
        let request = WinHttpOpenRequest(lane.connection, null(), null(), null(), null(), null(), 0);
        assert!(!request.is_null(), "WinHttpOpenRequest");
        let context = Box::into_raw(lane).expose_provenance();
        assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, context), 0, "WinHttpSendRequest");
    }
}

unsafe extern "system" fn on_status(
    request: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    let lane = std::ptr::with_exposed_provenance_mut::<Lane>(context);
    // SAFETY: a context other than 0 is the lane that `start` gave up, which lives until HANDLE_CLOSING; the
    // information has the shape that belongs to the status.
    unsafe {
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                assert_ne!(WinHttpReceiveResponse(request, null_mut()), 0, "WinHttpReceiveResponse");
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                let buffer = (*lane).buffer.get();
                assert_ne!(WinHttpReadData(request, buffer.cast(), 64, null_mut()), 0, "WinHttpReadData");
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                assert_eq!(std::slice::from_raw_parts(information.cast::<u8>(), length as usize), BODY);
                WinHttpCloseHandle(request);
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                let WINHTTP_ASYNC_RESULT { dwResult, dwError } = information.cast::<WINHTTP_ASYNC_RESULT>().read();
                panic!("REQUEST_ERROR {{{dwResult}, {dwError}}}");
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING if !lane.is_null() => start(Box::from_raw(lane)),
            _ => {}
        }
    }
}
