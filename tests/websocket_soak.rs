//! 1,000 web sockets open at once, each closed at a random point of whatever is going on: one ending for each operation
//! that was taken, HANDLE_CLOSING last and once.

mod support;

use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_winhttp::http::upgrade;
use portable_winhttp::real::census;
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// As many as the process may have files for, each with both ends.
fn sockets() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let files = files.map_or(256, |files| files.parse().unwrap_or(1 << 20));
    (files / 2 - 100).min(1000)
}

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

/// Answers the handshake, then does what the path asks for.
fn server(mut stream: TcpStream) {
    let Some(head) = read_head(&mut stream) else { return };
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let accept = upgrade::accept(key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let mut said = answer.into_bytes();
    let close = [0x88, 2, 3, 0xE8];
    let behaviour = head.split('/').nth(1).and_then(|path| path.bytes().next()).unwrap_or_default();
    match behaviour {
        b'1' => said.extend([0x81, 2, b'h', b'i'].repeat(5)),
        b'2' => said.extend(close),
        b'3' => {
            said.extend([&[0x82, 127, 0, 0, 0, 0, 0, 3, 0, 0][..], &[7; 0x30000], &[0x89, 1, b'p'].repeat(50)].concat())
        }
        b'4' => said.extend([0xC1, 0]),
        _ => {}
    }
    if stream.write_all(&said).is_err() || behaviour == b'5' {
        return;
    }
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink), Ok(1..)) {
        // The first that comes is taken for a close frame, and answered.
        if behaviour == b'6' && stream.write_all(&close).is_err() {
            return;
        }
    }
}

/// One web socket, and what it was told.
#[derive(Default)]
struct Socket {
    number: usize,
    request: AtomicUsize,
    handle: AtomicUsize,
    /// Calls that were taken and endings that came, by operation.
    started: [AtomicUsize; 4],
    ended: [AtomicUsize; 4],
    closings: AtomicUsize,
    after_closing: AtomicUsize,
    /// At which notification its callback closes it; 0: never.
    close_at: AtomicUsize,
    notifications: AtomicUsize,
    buffer: Mutex<Vec<u8>>,
}

/// What all have to reach.
static REACHED: Mutex<(usize, usize)> = Mutex::new((0, 0));
static CHANGED: Condvar = Condvar::new();

fn reached(open: usize, closed: usize) {
    let mut reached = REACHED.lock().unwrap();
    reached.0 += open;
    reached.1 += closed;
    CHANGED.notify_all();
}

fn await_all(count: usize, which: fn(&(usize, usize)) -> usize, what: &str) {
    let reached = REACHED.lock().unwrap();
    let (reached, _) = CHANGED.wait_timeout_while(reached, PATIENCE, |reached| which(reached) < count).unwrap();
    assert_eq!(which(&reached), count, "{what}");
}

impl Socket {
    fn close(&self) {
        let handle = self.handle.swap(0, Ordering::SeqCst);
        if handle != 0 {
            close(std::ptr::without_provenance_mut(handle));
        }
    }

    /// Makes a call of `operation`; it ends only if it was taken.
    fn call(&self, operation: usize, call: impl FnOnce(*const c_void) -> u32) {
        let handle = self.handle.load(Ordering::SeqCst);
        self.started[operation].fetch_add(1, Ordering::SeqCst);
        if call(std::ptr::without_provenance(handle)) != 0 {
            self.started[operation].fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn act(&self, choice: u64) {
        match choice {
            0 => self.call(0, |handle| {
                // SAFETY: five bytes are there.
                unsafe {
                    WinHttpWebSocketSend(
                        handle,
                        WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE,
                        c"hello".as_ptr().cast(),
                        5,
                    )
                }
            }),
            1 => {
                // More than counts as out at once.
                static LARGE: [u8; 300_000] = [7; 300_000];
                self.call(0, |handle| {
                    let (data, length) = (LARGE.as_ptr().cast(), LARGE.len() as u32);
                    // SAFETY: the data are there for ever.
                    unsafe { WinHttpWebSocketSend(handle, WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, data, length) }
                });
            }
            2 | 3 => {
                let buffer = self.buffer.lock().unwrap().as_mut_ptr();
                self.call(1, |handle| {
                    // SAFETY: the buffer lives as long as the context, and only one Receive is taken at a time.
                    unsafe { WinHttpWebSocketReceive(handle, buffer.cast(), 1024, null_mut(), null_mut()) }
                });
            }
            // SAFETY: NULL is no reason.
            4 => self.call(2, |handle| unsafe { WinHttpWebSocketClose(handle, 1000, null(), 0) }),
            // SAFETY: as above.
            _ => self.call(3, |handle| unsafe { WinHttpWebSocketShutdown(handle, 1000, null(), 0) }),
        }
    }

    /// The callback of the web socket.
    fn notified(&self, status: u32, information: *const c_void, length: u32) {
        if self.closings.load(Ordering::SeqCst) > 0 {
            self.after_closing.fetch_add(1, Ordering::SeqCst);
        }
        let operation = match status {
            WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE => 0,
            WINHTTP_CALLBACK_STATUS_READ_COMPLETE => 1,
            WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE => 2,
            WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE => 3,
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                assert_eq!(length as usize, size_of::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>());
                // SAFETY: the structure is there, by its length.
                let result = unsafe { information.cast::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>().read_unaligned() };
                assert_eq!(result.AsyncResult.dwResult, 0);
                result.Operation as usize
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
                self.closings.fetch_add(1, Ordering::SeqCst);
                return reached(0, 1);
            }
            _ => return,
        };
        self.ended[operation].fetch_add(1, Ordering::SeqCst);
        if self.notifications.fetch_add(1, Ordering::SeqCst) + 1 == self.close_at.load(Ordering::SeqCst) {
            self.close();
        }
    }
}

unsafe extern "system" fn callback(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    length: u32,
) {
    if context == 0 {
        return;
    }
    // SAFETY: every context is a leaked Socket.
    let socket = unsafe { &*std::ptr::with_exposed_provenance::<Socket>(context) };
    if handle.addr() != socket.request.load(Ordering::SeqCst) {
        return socket.notified(status, information, length);
    }
    match status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
            receive(handle);
        }
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
            // SAFETY: no pointers but the handle.
            let upgraded = unsafe { WinHttpWebSocketCompleteUpgrade(handle, context) };
            assert!(!upgraded.is_null(), "socket {}", socket.number);
            socket.handle.store(upgraded.addr(), Ordering::SeqCst);
            close(handle);
            reached(1, 0);
        }
        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => panic!("socket {} has no web socket", socket.number),
        _ => {}
    }
}

#[test]
fn every_operation_ends_once_and_closing_is_last() {
    let count = sockets();
    let port = serve(server);
    let client = Client::new(true, port);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let sockets: Vec<&'static Socket> = (0..count)
        .map(|number| {
            let socket = Socket { number, buffer: Mutex::new(vec![0; 1024]), ..Socket::default() };
            socket.close_at.store(random.below(12) as usize, Ordering::SeqCst);
            &*Box::leak(Box::new(socket))
        })
        .collect();
    for socket in &sockets {
        let request = client.request("GET", &format!("/{}", random.below(7)), &Record::new());
        socket.request.store(request.addr(), Ordering::SeqCst);
        // SAFETY: the callback takes what WinHTTP gives it; the option has no value; there are no headers and no body.
        let sent = unsafe {
            WinHttpSetStatusCallback(request, Some(callback), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
            WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0);
            let context = std::ptr::from_ref::<Socket>(socket).expose_provenance();
            WinHttpSendRequest(request, null(), 0, null(), 0, 0, context)
        };
        assert_eq!(sent, 1);
    }
    await_all(count, |reached| reached.0, "all are open at once");

    let shares: Vec<_> = sockets.chunks(count.div_ceil(4)).map(<[_]>::to_vec).collect();
    let threads: Vec<_> = shares
        .into_iter()
        .enumerate()
        .map(|(number, share)| {
            thread::spawn(move || {
                let mut random = Random(0xD1B5_4A32_D192_ED03 + number as u64);
                for socket in &share {
                    for _ in 0..random.below(6) {
                        socket.act(random.below(6));
                    }
                    if random.below(2) == 0 {
                        socket.close();
                    }
                }
                for _ in 0..share.len() {
                    let socket = share[random.below(share.len() as u64) as usize];
                    socket.act(random.below(6));
                    if random.below(3) == 0 {
                        socket.close();
                    }
                }
                share.iter().for_each(|socket| socket.close());
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    await_all(count, |reached| reached.1, "all are closed");
    client.close();
    for socket in &sockets {
        let of = |counts: &[AtomicUsize; 4]| counts.each_ref().map(|count| count.load(Ordering::SeqCst));
        let number = socket.number;
        assert_eq!(of(&socket.started), of(&socket.ended), "socket {number}: what began and what ended");
        assert_eq!(socket.closings.load(Ordering::SeqCst), 1, "socket {number}");
        assert_eq!(socket.after_closing.load(Ordering::SeqCst), 0, "socket {number}");
    }
    let patience = Instant::now() + PATIENCE;
    while census().handles > 0 || census().requests > 0 {
        assert!(Instant::now() < patience, "{:?} stays behind", census());
        thread::yield_now();
    }
}
