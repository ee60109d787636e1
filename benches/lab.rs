//! What waiting costs in a Sim: timeouts and pauses of virtual time, in wall time.
//!
//! ```text
//! cargo bench --bench lab
//! ```
//!
//! Each scenario is a whole Sim, with sessions, a server and threads; the result is the median of the rounds. Then what
//! exploring costs: schedules of an asynchronous client.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::time::{Duration, Instant};

use portable_winhttp::lab::{Explore, Reply, Sim, any};
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::Sleep;

#[path = "../examples/client/careful.rs"]
mod careful;

#[allow(dead_code)] // what only the command line asks for
#[path = "../src/cli/explore/client.rs"]
mod buggy;

use buggy::{Bug, natural};
use careful::Careful;

const ROUNDS: usize = 51;
/// The ends of operations and of handles.
const ENDS: u32 = WINHTTP_CALLBACK_FLAG_SENDREQUEST_COMPLETE
    | WINHTTP_CALLBACK_FLAG_HEADERS_AVAILABLE
    | WINHTTP_CALLBACK_FLAG_READ_COMPLETE
    | WINHTTP_CALLBACK_FLAG_REQUEST_ERROR
    | WINHTTP_CALLBACK_STATUS_HANDLE_CREATED
    | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
/// What a row may take.
const AT_MOST: Duration = Duration::from_secs(20);

type Scenario = fn(&Sim);

fn main() {
    let scenarios: [(&str, Duration, Scenario); 3] = [
        ("a receive timeout", Duration::from_secs(30), receive_timeout),
        ("a retry after an hour", Duration::from_secs(3600), retry),
        ("a web socket that nobody closes", Duration::from_secs(10), web_socket_close),
    ];
    println!("{:<34} {:>12} {:>12} {:>12}", "", "in the Sim", "median", "worst");
    for (name, expected, scenario) in scenarios {
        let mut walls: Vec<Duration> = (0..ROUNDS).map(|_| wall(expected, scenario)).collect();
        walls.sort_unstable();
        let (median, worst) = (walls[ROUNDS / 2], walls[ROUNDS - 1]);
        println!("{name:<34} {:>10} s {median:>12.2?} {worst:>12.2?}", expected.as_secs());
    }
    explorations();
    growth();
    bugs();
}

/// A title, the exploration and its body.
type Row = (&'static str, Explore, fn(&Sim));

/// What it takes to visit whole classes of schedules. Processor time says more than wall time on a machine that has other
/// things to do: each step of a schedule is handed from thread to thread.
fn explorations() {
    let tree = || Explore::new().exhaustive().budget(AT_MOST);
    let whole = || tree().preemptions(0);
    let rows: [Row; 14] = [
        ("each deviation", Explore::new().each_deviation(), one_request),
        ("each fault", Explore::new().each_fault(), one_request),
        ("cancelled at each point", Explore::new().each_late_thread(), cancelled),
        ("all pairs of deviations", Explore::new().exhaustive().deviations(2), cancelled),
        ("10,000 random schedules", Explore::new().random(10_000).budget(AT_MOST), cancelled),
        ("one request, complete", tree(), one_request),
        ("the same, cancelled anywhere", tree(), quiet::<1>),
        ("calls whole", whole(), one_request),
        ("the same, cancelled anywhere", whole(), quiet::<1>),
        ("the same, told everything", whole(), cancelled),
        ("the same, a fault at each stage", whole().faults(1), quiet::<1>),
        ("two, both cancelled", whole(), quiet::<2>),
        ("the same, handles independent", whole().independent_handles(), quiet::<2>),
        ("the same, of two servers", whole().independent_handles(), apart),
    ];
    println!("\n{:<34} {:>10} {:>10} {:>11} {:>11} {:>11}", "", "schedules", "left", "wall", "cpu", "cpu each");
    for (name, options, body) in rows {
        let before = cpu();
        let report = options.run(body);
        let (spent, count) = (cpu() - before, report.schedules.max(1) as u32);
        let (left, took) = (report.left, report.took);
        println!("{name:<34} {count:>10} {left:>10} {took:>11.2?} {spent:>11.2?} {:>11.2?}", spent / count);
    }
}

/// The cost of a schedule by the number of requests.
fn growth() {
    const RUNS: u32 = 100;
    println!("\n{:<34} {:>12} {:>12}", "random schedules of", "wall each", "cpu each");
    for count in [1, 2, 4, 8, 16] {
        let before = cpu();
        let report = Explore::new().random(RUNS as usize).run(|sim| several(sim, count));
        let spent = cpu() - before;
        println!("{:<34} {:>12.2?} {:>12.2?}", format!("{count} requests"), report.took / RUNS, spent / RUNS);
    }
}

/// What the default portfolio takes to find the bugs of real clients, shrinking included.
fn bugs() {
    println!("\n{:<26} {:>10} {:>10}  schedule", "bug", "wall", "cpu");
    for bug in Bug::ALL.iter().copied() {
        let (began, before) = (Instant::now(), cpu());
        let found = Explore::new().check(|sim| natural(sim, Some(bug), bug.needs_cancel()));
        let (took, spent) = (began.elapsed(), cpu() - before);
        let told = found.map_or_else(|report| report, |report| format!("not found: {report}"));
        let lines = told.lines().enumerate();
        let shown =
            lines.filter(|(number, line)| *number == 0 || line.starts_with("  deviation ")).map(|(_, line)| line);
        println!("{:<26} {took:>10.2?} {spent:>10.2?}  {}", bug.name(), shown.collect::<Vec<_>>().join(";"));
    }
    for cancelled in [false, true] {
        let report = Explore::new().run(|sim| natural(sim, None, cancelled));
        println!("{:<26} {:>10.2?} {:>10}  {report}", format!("none, cancelled: {cancelled}"), report.took, "");
    }
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    // SAFETY: zeros are a value of the structure, which the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn one_request(sim: &Sim) {
    sim.peer("http://api.test").on(any()).reply(Reply::ok().body("0123456789"));
    let client = Careful::start("api.test", "/", false);
    sim.block_until(|| client.closed());
    assert!(sim.faulted() || client.outcome().is_some_and(|outcome| outcome.is_ok()));
}

fn cancelled(sim: &Sim) {
    sim.peer("http://api.test").on(any()).reply(Reply::ok().body("0123456789"));
    let client = Careful::start("api.test", "/", false);
    sim.actor("cancel", move || client.cancel());
    sim.block_until(|| client.closed());
}

/// Requests of which only the ends of operations are told, each cancelled by a thread of its own.
fn quiet<const COUNT: usize>(sim: &Sim) {
    sim.peer("http://api.test").on(any()).reply(Reply::ok());
    let clients: [_; COUNT] = std::array::from_fn(|_| {
        let client = Careful::told("api.test", "/", false, ENDS);
        sim.actor("cancel", move || client.cancel());
        client
    });
    sim.block_until(|| clients.iter().all(|client| client.closed()));
}

/// The same with a server each; nobody looks before all is over, so that the requests share nothing.
fn apart(sim: &Sim) {
    const HOSTS: [&str; 2] = ["a.test", "b.test"];
    let clients = HOSTS.map(|host| {
        sim.peer(&format!("http://{host}")).on(any()).reply(Reply::ok());
        let client = Careful::told(host, "/", false, ENDS);
        sim.actor("cancel", move || client.cancel());
        client
    });
    sim.settle();
    assert!(clients.iter().all(|client| client.closed()));
}

fn several(sim: &Sim, count: usize) {
    sim.peer("http://api.test").on(any()).reply(Reply::ok().body("0123456789"));
    let clients: Vec<_> = (0..count).map(|_| Careful::start("api.test", "/", false)).collect();
    sim.block_until(|| clients.iter().all(|client| client.closed()));
}

fn wall(expected: Duration, scenario: Scenario) -> Duration {
    let began = Instant::now();
    let sim = Sim::new();
    scenario(&sim);
    assert_eq!(sim.elapsed(), expected, "the time in the Sim");
    drop(sim);
    began.elapsed()
}

/// The server never answers.
fn receive_timeout(sim: &Sim) {
    sim.peer("http://api.test").on(any()).reply(Reply::never());
    assert_eq!(fetch(), Err(ERROR_WINHTTP_TIMEOUT));
}

/// The server is busy; the program sleeps for an hour and asks again.
fn retry(sim: &Sim) {
    let busy = Reply::status(503);
    sim.peer("http://api.test").on(any()).reply(busy).reply(Reply::ok());
    while fetch() != Ok(200) {
        // SAFETY: no pointers.
        unsafe { Sleep(3_600_000) };
    }
}

/// The server accepts a web socket and then says nothing, not even that it has read the close frame.
fn web_socket_close(sim: &Sim) {
    sim.peer("http://api.test").raw(|raw| {
        let head = String::from_utf8(raw.read_until(b"\r\n\r\n").expect("a head")).expect("text");
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let accept = accept(key);
        raw.write(format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        ));
        raw.closed_by_client();
    });
    with_request(|request| {
        // SAFETY: no pointers but handles, and a reason that is empty.
        unsafe {
            assert_eq!(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0), 1);
            assert_eq!(WinHttpReceiveResponse(request, null_mut()), 1);
            let socket = WinHttpWebSocketCompleteUpgrade(request, 0);
            assert!(!socket.is_null());
            assert_ne!(WinHttpWebSocketClose(socket, 1000, null(), 0), 0);
            WinHttpCloseHandle(socket);
        }
    });
}

/// RFC 6455, 4.2.2.
fn accept(key: &str) -> String {
    use base64::Engine;
    use sha1::Digest;
    let hash = sha1::Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    base64::prelude::BASE64_STANDARD.encode(hash)
}

/// The status of a GET, or the error.
fn fetch() -> Result<u32, u32> {
    with_request(|request| {
        // SAFETY: no pointers but handles and a DWORD.
        unsafe {
            if WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) == 0
                || WinHttpReceiveResponse(request, null_mut()) == 0
            {
                return Err(windows_sys::Win32::Foundation::GetLastError());
            }
            let (mut status, mut length) = (0u32, 4u32);
            let what = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
            WinHttpQueryHeaders(request, what, null(), (&raw mut status).cast(), &raw mut length, null_mut());
            Ok(status)
        }
    })
}

/// A synchronous session, connection and request, closed afterwards.
fn with_request<R>(run: impl FnOnce(*mut c_void) -> R) -> R {
    let host: Vec<u16> = "api.test".encode_utf16().chain([0]).collect();
    // SAFETY: the name ends in NUL.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        let connection = WinHttpConnect(session, host.as_ptr(), 80, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
        let answer = run(request);
        for handle in [request, connection, session] {
            WinHttpCloseHandle(handle);
        }
        answer
    }
}
