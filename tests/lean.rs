//! What a small request over a connection from the pool costs: allocations beyond hyper's own; and that one thread runs
//! all of its callbacks. In a debug build also how often it takes a lock.
//!
//! The bound is what the code costs, so that it does not creep up. Times are measured in `cargo bench --bench ratio`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::net::{Ipv4Addr, SocketAddr};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use portable_winhttp as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use windows_sys::Win32::Networking::WinHttp::*;

/// Allocations of a request beyond those of hyper alone, at most: one more than there are, for workers that start meanwhile.
const ALLOCATIONS: usize = 9;
/// Bytes of an open request that nothing was done with, at most.
const IDLE_HANDLE: usize = 2048;
/// Requests whose callbacks came on more than one thread, at most: a worker that the system lets wait is taken for one that
/// a callback blocks.
const HOPPED: usize = REQUESTS / 4;
const REQUESTS: usize = 200;
/// Locks of ours that a request takes, at most: a tenth more than there are, since a reply may wake twice.
#[cfg(debug_assertions)]
const LOCKS: usize = 106;
const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";

/// Counts what every thread allocates, those of the server apart.
struct Counting;

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
/// Bytes that are in use; those of the server, too, which does nothing while it is looked at.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static APART: UnsafeCell<bool> = const { UnsafeCell::new(false) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the cell is this thread's, and nothing else holds a reference.
        let apart = APART.try_with(|apart| unsafe { *apart.get() }).unwrap_or(true);
        ALLOCATED.fetch_add(usize::from(!apart), Ordering::Relaxed);
        USED.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn serve() -> SocketAddr {
    let (told, address) = channel();
    thread::spawn(move || {
        // SAFETY: as in `alloc`.
        APART.with(|apart| unsafe { *apart.get() = true });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            told.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut head, mut part) = (Vec::new(), [0; 4096]);
                    while let Ok(count @ 1..) = stream.read(&mut part).await {
                        head.extend_from_slice(&part[..count]);
                        if head.ends_with(b"\r\n\r\n") {
                            head.clear();
                            stream.write_all(REPLY).await.unwrap();
                        }
                    }
                });
            }
        });
    });
    address.recv().unwrap()
}

struct Lane {
    connection: *mut c_void,
    left: AtomicUsize,
    done: Sender<()>,
    buffer: UnsafeCell<[u8; 64]>,
    threads: Mutex<Threads>,
}

/// Which threads ran the callbacks of the request that runs, and how many requests had more than one.
#[derive(Default)]
struct Threads {
    seen: Vec<ThreadId>,
    hopped: usize,
}

unsafe fn start(lane: *const Lane) {
    // SAFETY: the lane lives until `done` was told.
    unsafe {
        if (*lane).left.load(Ordering::Relaxed) == 0 {
            (*lane).done.send(()).unwrap();
            return;
        }
        (*lane).left.fetch_sub(1, Ordering::Relaxed);
        let request = WinHttpOpenRequest((*lane).connection, null(), null(), null(), null(), null(), 0);
        assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, lane.expose_provenance()), 0);
    }
}

unsafe extern "system" fn on_status(request: *mut c_void, context: usize, status: u32, _: *mut c_void, _: u32) {
    let lane = std::ptr::with_exposed_provenance::<Lane>(context);
    if lane.is_null() {
        return;
    }
    // SAFETY: a context other than 0 is a lane that lives.
    unsafe {
        let mut threads = (*lane).threads.lock().unwrap_or_else(PoisonError::into_inner);
        let me = thread::current().id();
        if !threads.seen.contains(&me) {
            threads.seen.push(me);
        }
        if status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING {
            threads.hopped += usize::from(threads.seen.len() > 1);
            threads.seen.clear();
        }
        drop(threads);
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                assert_ne!(WinHttpReceiveResponse(request, null_mut()), 0);
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                assert_ne!(WinHttpReadData(request, (*lane).buffer.get().cast(), 64, null_mut()), 0);
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
                WinHttpCloseHandle(request);
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => std::process::abort(),
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => start(lane),
            _ => {}
        }
    }
}

/// Allocations of so many requests, and how many of them had callbacks on more than one thread.
fn winhttp(server: SocketAddr) -> (usize, usize) {
    let host: Vec<u16> = server.ip().to_string().encode_utf16().chain([0]).collect();
    let (done, finished) = channel();
    // SAFETY: the lane outlives its requests, whose last HANDLE_CLOSING tells `done`.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        WinHttpSetStatusCallback(session, Some(on_status), 0x097E_0000 | 0xC00, 0);
        let connection = WinHttpConnect(session, host.as_ptr(), server.port(), 0);
        let lane = Box::leak(Box::new(Lane {
            connection,
            left: AtomicUsize::new(REQUESTS),
            done,
            buffer: UnsafeCell::new([0; 64]),
            threads: Mutex::default(),
        }));
        // The first round makes threads, the connection and whatever is kept.
        start(lane);
        finished.recv().unwrap();
        *lane.threads.lock().unwrap() = Threads::default();
        lane.left.store(REQUESTS, Ordering::Relaxed);
        let before = ALLOCATED.load(Ordering::Relaxed);
        #[cfg(debug_assertions)]
        let locks = portable_winhttp::locks_taken();
        start(lane);
        finished.recv().unwrap();
        #[cfg(debug_assertions)]
        {
            let locks = (portable_winhttp::locks_taken() - locks) / REQUESTS;
            println!("{locks} locks a request");
            assert!(locks <= LOCKS, "{locks} locks");
        }
        let allocated = ALLOCATED.load(Ordering::Relaxed) - before;
        let hopped = lane.threads.lock().unwrap().hopped;
        WinHttpCloseHandle(connection);
        WinHttpCloseHandle(session);
        (allocated, hopped)
    }
}

fn hyper_alone(server: SocketAddr) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let task = runtime.spawn(async move {
        let stream = TcpStream::connect(server).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut before = 0;
        for round in 0..2 * REQUESTS {
            if round == REQUESTS {
                before = ALLOCATED.load(Ordering::Relaxed);
            }
            sender.ready().await.unwrap();
            let request = Request::get("/").header("Host", "127.0.0.1").body(Empty::<Bytes>::new()).unwrap();
            sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
        }
        ALLOCATED.load(Ordering::Relaxed) - before
    });
    runtime.block_on(task).unwrap()
}

/// Bytes of an open request handle that nothing was done with.
fn idle_handle() -> usize {
    const OPEN: usize = 1000;
    // SAFETY: no pointer leads anywhere.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        let host: Vec<u16> = "host.test".encode_utf16().chain([0]).collect();
        let connection = WinHttpConnect(session, host.as_ptr(), 80, 0);
        let mut requests = Vec::with_capacity(OPEN);
        let before = USED.load(Ordering::Relaxed);
        requests.extend((0..OPEN).map(|_| WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0)));
        let used = USED.load(Ordering::Relaxed) - before;
        requests.into_iter().chain([connection, session]).for_each(|handle| assert_ne!(WinHttpCloseHandle(handle), 0));
        used / OPEN
    }
}

/// How many threads the process has.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Before anything else was done.
#[cfg(target_os = "linux")]
fn a_session_starts_no_thread() {
    let before = threads();
    // SAFETY: no pointer leads anywhere.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        assert_ne!(WinHttpCloseHandle(session), 0);
    }
    assert_eq!(threads(), before);
}

/// One test: nothing else may allocate meanwhile, or start threads.
#[test]
fn a_small_request_costs_little_more_than_hyper_alone() {
    #[cfg(target_os = "linux")]
    a_session_starts_no_thread();
    let bytes = idle_handle();
    assert!(bytes <= IDLE_HANDLE, "{bytes} bytes a request handle");
    let server = serve();
    let (ours, hopped) = winhttp(server);
    let theirs = hyper_alone(server);
    let more = ours.saturating_sub(theirs).div_ceil(REQUESTS);
    println!(
        "{} allocations a request, hyper alone {}; {hopped} of {REQUESTS} hopped; {bytes} bytes an idle request",
        ours / REQUESTS,
        theirs / REQUESTS
    );
    assert!(more <= ALLOCATIONS, "{more} allocations beyond hyper's own");
    assert!(hopped <= HOPPED, "{hopped} requests had callbacks on more than one thread");
}
