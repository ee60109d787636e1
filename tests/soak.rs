//! 1,000 requests with 200 in flight, each cancelled at a random point, over and over: every handle gets exactly one
//! HANDLE_CLOSING as its last record, every pending call exactly one ending, and nothing stays behind.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::io::Write;
use std::sync::atomic::{AtomicIsize, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_winhttp::real::{Census, census};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

const ROUNDS: usize = 10;
const REQUESTS: usize = 1000;
const IN_FLIGHT: usize = 200;
/// Bytes by which the least that is in use later may be above the most of the first half.
const SLACK: isize = 256 << 10;

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

/// Counts requests that are not closed.
#[derive(Default)]
struct Gate {
    open: Mutex<usize>,
    changed: Condvar,
}

impl Gate {
    fn enter(&self) {
        let mut open = self.open.lock().unwrap();
        while *open >= IN_FLIGHT {
            open = self.changed.wait(open).unwrap();
        }
        *open += 1;
    }

    fn leave(&self) {
        let mut open = self.open.lock().unwrap();
        *open -= 1;
        // Before the lock is released: who sees that all have left drops this.
        self.changed.notify_all();
    }

    fn wait_empty(&self) {
        let open = self.open.lock().unwrap();
        let (open, _) = self.changed.wait_timeout_while(open, PATIENCE, |open| *open > 0).unwrap();
        assert_eq!(*open, 0, "requests that never got HANDLE_CLOSING");
    }
}

/// One request: drives itself from its callbacks, and closes its handle at a chosen notification.
struct Driven {
    /// The notification at which the handle is closed; 0: by the thread that sent it, at once.
    close_at: u32,
    notifications: AtomicU32,
    /// Calls that were taken, and endings that came: statuses beside what must balance.
    started: AtomicUsize,
    ended: AtomicUsize,
    closings: AtomicUsize,
    after_closing: AtomicUsize,
    buffer: Mutex<Vec<u8>>,
    gate: Arc<Gate>,
}

impl Driven {
    fn call(&self, call: impl FnOnce() -> i32) {
        self.started.fetch_add(1, Ordering::SeqCst);
        if call() == 0 {
            // FALSE: the call was not taken, and has no ending.
            self.started.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn notified(&self, request: *mut c_void, status: u32, value: u32) {
        if self.closings.load(Ordering::SeqCst) > 0 {
            self.after_closing.fetch_add(1, Ordering::SeqCst);
        }
        match status {
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
                self.closings.fetch_add(1, Ordering::SeqCst);
                self.gate.leave();
                return;
            }
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE
            | WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE
            | WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE
            | WINHTTP_CALLBACK_STATUS_READ_COMPLETE
            | WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                self.ended.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
        if self.notifications.fetch_add(1, Ordering::SeqCst) + 1 == self.close_at {
            close(request);
            return;
        }
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => self.call(|| receive(request)),
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => self.call(|| query_data(request)),
            WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE if value > 0 => {
                let pointer = self.buffer.lock().unwrap().as_mut_ptr();
                // SAFETY: the buffer lives as long as the context, and has 512 bytes.
                self.call(|| unsafe { WinHttpReadData(request, pointer.cast(), 512, std::ptr::null_mut()) });
            }
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => self.call(|| query_data(request)),
            WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE | WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                close(request);
            }
            _ => {}
        }
    }
}

/// # Safety
/// The context is a [`Driven`] that is freed after HANDLE_CLOSING of all.
unsafe extern "system" fn notified(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    if context == 0 || status == WINHTTP_CALLBACK_STATUS_HANDLE_CREATED {
        return;
    }
    // SAFETY: the round frees its contexts when all have closed; DATA_AVAILABLE brings a DWORD.
    unsafe {
        let value = if status == WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE { *information.cast::<u32>() } else { length };
        (*(context as *const Driven)).notified(handle, status, value);
    }
}

fn round(client: &Client, random: &mut Random) {
    let gate = Arc::new(Gate::default());
    let mut contexts = Vec::new();
    for _ in 0..REQUESTS {
        gate.enter();
        let driven = Arc::new(Driven {
            close_at: random.below(16) as u32,
            notifications: AtomicU32::new(0),
            started: AtomicUsize::new(1),
            ended: AtomicUsize::new(0),
            closings: AtomicUsize::new(0),
            after_closing: AtomicUsize::new(0),
            buffer: Mutex::new(vec![0; 512]),
            gate: Arc::clone(&gate),
        });
        let context = Arc::as_ptr(&driven) as usize;
        let path = wide(if random.below(2) == 0 { "/length" } else { "/chunked" });
        let null = std::ptr::null();
        // SAFETY: strings end in NUL; the context lives until the round is over.
        unsafe {
            let request = WinHttpOpenRequest(client.connection, null, path.as_ptr(), null, null, null.cast(), 0);
            assert!(!request.is_null());
            assert_eq!(WinHttpSendRequest(request, null, 0, null.cast(), 0, 0, context), 1);
            if driven.close_at == 0 && close(request) == 0 {
                // The callbacks were faster, and have closed it.
                assert_eq!(last_error(), 6);
            }
        }
        contexts.push(driven);
    }
    gate.wait_empty();
    for driven in contexts {
        let (started, ended) = (driven.started.load(Ordering::SeqCst), driven.ended.load(Ordering::SeqCst));
        let what = format!("close at {}", driven.close_at);
        assert_eq!(driven.closings.load(Ordering::SeqCst), 1, "{what}: HANDLE_CLOSING");
        assert_eq!(driven.after_closing.load(Ordering::SeqCst), 0, "{what}: records after HANDLE_CLOSING");
        assert_eq!(started, ended, "{what}: calls and endings");
    }
}

/// Waits until nothing but `handles` is alive.
fn settle(handles: usize) {
    let deadline = Instant::now() + PATIENCE;
    while census() != (Census { handles, requests: 0 }) {
        assert!(Instant::now() < deadline, "left behind: {:?}", census());
        thread::yield_now();
    }
}

/// Counts the bytes in use. What is resident tells of the allocator, and under a sanitizer mostly of that.
struct Counting;

static USED: AtomicIsize = AtomicIsize::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        USED.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn cancelled_at_random_points() {
    let port = serve(|mut stream| {
        let _ = stream.set_nodelay(true);
        while let Some(head) = read_head(&mut stream) {
            let whole: &[&[u8]] = if head.contains("/chunked") {
                &[
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"5\r\nhello\r\n",
                    b"6\r\n world\r\n",
                    b"0\r\n\r\n",
                ]
            } else {
                &[b"HTTP/1.1 200 OK\r\nContent-Length: 1200\r\n\r\n", &[b'x'; 1200]]
            };
            if whole.iter().any(|part| stream.write_all(part).is_err()) {
                return;
            }
        }
    });
    let client = Client::new(true, port);
    // SAFETY: the callback takes the contexts of this test.
    unsafe { WinHttpSetStatusCallback(client.connection, Some(notified), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) };
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut memory = Vec::new();
    for _ in 0..ROUNDS {
        round(&client, &mut random);
        settle(2);
        memory.push(USED.load(Ordering::Relaxed));
    }
    client.close();
    settle(0);
    println!("bytes in use after each round: {memory:?}");
    // The first round fills caches; after it what is in use differs by what happens to be on its way.
    let (early, late) = (memory[1..ROUNDS / 2].iter().max(), memory[ROUNDS / 2..].iter().min());
    assert!(late < early.map(|most| most + SLACK).as_ref(), "memory grows: {memory:?}");
}
