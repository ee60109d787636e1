//! Requests and web sockets that are open all at once, at a peer that is silent: what each takes, and that all goes.
//! The peer is a process of its own, so that its descriptors and memory are not counted.

use std::ffi::c_void;
use std::io::{self, BufRead, BufReader, Error, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use portable_winhttp::api::*;
use portable_winhttp::win32::*;

use super::figures::Figures;
use super::{Client, PATIENCE, bind, settle};
use crate::cli::End;
use crate::cli::hostile;

/// How many connect at once: the peer's queue of connections is short.
const CONNECTING: usize = 64;
/// Nothing times out.
const TIMEOUT: i32 = 600_000;
const BUFFER: usize = 64;

/// The contexts of requests and web sockets.
const REQUEST: usize = 1;
const SOCKET: usize = 2;

static SENT: AtomicUsize = AtomicUsize::new(0);
static CANCELLED: AtomicUsize = AtomicUsize::new(0);
static FAILED: AtomicUsize = AtomicUsize::new(0);
static CLOSED: AtomicUsize = AtomicUsize::new(0);
/// The web sockets, and the buffers that are lent to them until the end.
static SOCKETS: Mutex<Vec<(usize, Box<[u8; BUFFER]>)>> = Mutex::new(Vec::new());

/// Opens so many of both, and closes them.
pub fn run(requests: usize, sockets: usize) -> io::Result<End> {
    raise_limit();
    let (mut peer, port) = start_peer()?;
    let start = Figures::take();
    println!("start: {start}");
    let client = Client::new(port, TIMEOUT);
    // SAFETY: the callback takes the contexts of this module.
    unsafe { WinHttpSetStatusCallback(client.connection, Some(on_status), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0) };
    let mut open = Vec::new();
    for number in 1..=requests {
        open.push(send(&client, false) as usize);
        wait("a request is sent", || SENT.load(Ordering::SeqCst) + CONNECTING > number)?;
    }
    wait("all requests are sent", || SENT.load(Ordering::SeqCst) == requests)?;
    let with_requests = Figures::take();
    tell(requests, "requests", &start, &with_requests);
    for number in 1..=sockets {
        send(&client, true);
        wait("a web socket opens", || sockets_open() + CONNECTING > number)?;
    }
    wait("all web sockets are open", || sockets_open() == sockets)?;
    tell(sockets, "web sockets", &with_requests, &Figures::take());
    open.extend(lock().iter().map(|(socket, _)| *socket));
    for handle in open {
        // SAFETY: any value may be passed.
        unsafe { WinHttpCloseHandle(handle as *mut c_void) };
    }
    wait("all are closed", || CLOSED.load(Ordering::SeqCst) == requests + 2 * sockets)?;
    client.close();
    lock().clear();
    let (_, back) = settle(&start);
    give_back();
    println!("end: {}", Figures::take());
    let (cancelled, failed) = (CANCELLED.load(Ordering::SeqCst), FAILED.load(Ordering::SeqCst));
    println!("cancelled {cancelled}, failed {failed}, everything back at the start {back}");
    drop(peer.stdin.take());
    peer.wait()?;
    Ok(if back && failed == 0 && cancelled == requests + sockets { End::Well } else { End::Badly })
}

fn lock() -> MutexGuard<'static, Vec<(usize, Box<[u8; BUFFER]>)>> {
    SOCKETS.lock()
}

fn sockets_open() -> usize {
    lock().len()
}

fn tell(count: usize, what: &str, before: &Figures, now: &Figures) {
    let each = now.memory.saturating_sub(before.memory) as f64 / count.max(1) as f64;
    println!("{count} {what} open: {now}; {each:.1} KiB for each");
}

fn wait(what: &str, mut done: impl FnMut() -> bool) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if Instant::now() > deadline || FAILED.load(Ordering::SeqCst) > 0 {
            return Err(Error::other(format!("it did not come so far that {what}: {}", Figures::take())));
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn send(client: &Client, upgrade: bool) -> *mut c_void {
    let request = client.request(0);
    bind(request, REQUEST);
    // SAFETY: the option takes no value; contexts are numbers.
    unsafe {
        if upgrade {
            WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0);
        }
        if WinHttpSendRequest(request, null(), 0, null(), 0, 0, REQUEST) == 0 {
            FAILED.fetch_add(1, Ordering::SeqCst);
        }
    }
    request
}

/// # Safety
/// Payloads are what their statuses say.
unsafe extern "system" fn on_status(
    handle: *mut c_void,
    context: usize,
    status: u32,
    information: *mut c_void,
    _: u32,
) {
    if context == 0 {
        return;
    }
    // SAFETY: payloads are what their statuses say; buffers are lent until all have closed.
    unsafe {
        match status {
            WINHTTP_CALLBACK_STATUS_REQUEST_SENT => drop(SENT.fetch_add(1, Ordering::SeqCst)),
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => drop(WinHttpReceiveResponse(handle, null_mut())),
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => upgrade(handle),
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                let cancelled = (*information.cast::<WINHTTP_ASYNC_RESULT>()).dwError == 12017;
                (if cancelled { &CANCELLED } else { &FAILED }).fetch_add(1, Ordering::SeqCst);
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => drop(CLOSED.fetch_add(1, Ordering::SeqCst)),
            _ => {}
        }
    }
}

fn upgrade(request: *mut c_void) {
    // SAFETY: the buffer is lent until all have closed; contexts are numbers.
    unsafe {
        let socket = WinHttpWebSocketCompleteUpgrade(request, SOCKET);
        let mut buffer = Box::new([0; BUFFER]);
        let lent = buffer.as_mut_ptr().cast();
        if WinHttpWebSocketReceive(socket, lent, BUFFER as u32, null_mut(), null_mut()) != 0 {
            FAILED.fetch_add(1, Ordering::SeqCst);
        }
        lock().push((socket as usize, buffer));
        WinHttpCloseHandle(request);
    }
}

/// The allocator gives freed memory back to the system, so that the figure shows what is held.
fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: no pointers.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// As many descriptors as the system allows.
fn raise_limit() {
    #[cfg(unix)]
    raise();
}

#[cfg(unix)]
fn raise() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: room for the limit, and a limit that is allowed.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

/// This program again, as the peer, and its port.
fn start_peer() -> io::Result<(Child, u16)> {
    let mut program = Command::new(std::env::current_exe()?);
    program.args(["soak", "--hold"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut peer = program.spawn()?;
    let mut line = String::new();
    if let Some(output) = peer.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    let port = line.trim().parse().map_err(Error::other)?;
    Ok((peer, port))
}

/// Accepts, opens web sockets, and says nothing else until its input ends.
pub fn peer() -> End {
    raise_limit();
    let serve = || -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        println!("{}", listener.local_addr()?.port());
        io::stdout().flush()?;
        let (pass_on, passed_on) = channel::<TcpStream>();
        thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in passed_on {
                let head = hostile::head(&mut stream, &mut Vec::new()).ok().flatten().unwrap_or_default();
                if let Some(key) = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) {
                    let _ = hostile::agree(&mut stream, key);
                }
                held.push(stream);
            }
        });
        thread::spawn(move || listener.incoming().flatten().try_for_each(|stream| pass_on.send(stream)));
        io::stdin().read_to_end(&mut Vec::new()).map(drop)
    };
    if serve().is_ok() { End::Well } else { End::Badly }
}
