//! The life of a process that uses the library: children, exits, limits, panics, the unloading. Each case is a process of
//! its own: this program again, with one of its ignored tests.
#![cfg(target_os = "linux")]

mod support;

use std::ffi::c_void;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::ptr::null;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// The program with this test alone, under an environment.
fn alone(test: &str, environment: &[(&str, &str)]) -> Output {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", "--nocapture", "--test-threads=1", test]);
    program.envs(environment.iter().copied());
    program.output().unwrap()
}

/// It ends well, and says so.
fn ends_well(test: &str) {
    let output = alone(test, &[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("as expected"), "{test}: {}\n{said}", output.status);
}

/// A request from its send to its body, on a handle that is synchronous.
fn get(client: &Client) -> Result<(), u32> {
    let request = client.request("GET", "/", &Record::new());
    let answer = if send(request) == 1 && receive(request) == 1 { Ok(()) } else { Err(last_error()) };
    close(request);
    answer
}

/// Runs `child` in a child of fork; answers its exit code, or `None` when it hung.
fn forked(child: impl FnOnce() -> i32) -> Option<i32> {
    // SAFETY: the child runs this function alone and leaves by _exit.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let code = child();
        // SAFETY: nothing of the parent is run.
        unsafe { libc::_exit(code) };
    }
    assert!(pid > 0);
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut status = 0;
        // SAFETY: a child of ours, and room for its status.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        let _ = tell.send(libc::WEXITSTATUS(status));
    });
    let code = told.recv_timeout(PATIENCE).ok();
    if code.is_none() {
        // SAFETY: a child of ours.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
    code
}

#[test]
#[ignore = "a program of its own"]
fn fork_after_use() {
    let port = serve_always(HELLO);
    let client = Client::new(false, port);
    get(&client).unwrap();
    // The locks of the library may be held by threads that the child has not: many forks, while others work.
    let busy: Vec<_> = (0..2)
        .map(|_| {
            thread::spawn(move || {
                let client = Client::new(false, port);
                (0..200).for_each(|_| get(&client).unwrap());
                client.close();
            })
        })
        .collect();
    let open = client.request("GET", "/", &Record::new());
    for _ in 0..20 {
        let code = forked(|| {
            let refused = |answer: bool| !answer && last_error() == ERROR_WINHTTP_INTERNAL_ERROR;
            // SAFETY: NULL where NULL may be.
            let opened = unsafe { WinHttpOpen(null(), 1, null(), null(), 0) };
            let calls = [send(open) == 1, receive(open) == 1, close(open) == 1, !opened.is_null()];
            i32::from(!calls.into_iter().all(refused))
        });
        assert_eq!(code, Some(0), "every call of the child fails at once");
    }
    busy.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(send(open), 1, "the parent goes on");
    println!("as expected");
}

#[test]
#[ignore = "a program of its own"]
fn fork_before_use() {
    let port = serve_always(HELLO);
    let code = forked(|| i32::from(get(&Client::new(false, port)).is_err()));
    assert_eq!(code, Some(0), "the child has a library of its own");
    println!("as expected");
}

#[test]
fn a_child_of_fork_never_hangs() {
    ends_well("fork_after_use");
    ends_well("fork_before_use");
}

#[test]
#[ignore = "a program of its own"]
fn exit_with_requests_pending() {
    let client = Client::new(true, serve_silence());
    let requests: Vec<_> = (0..50).map(|_| client.request("GET", "/", &Record::new())).collect();
    assert!(requests.iter().all(|request| send(*request) == 1));
    println!("as expected");
    std::process::exit(0);
}

#[test]
#[ignore = "a program of its own"]
fn exit_inside_a_callback() {
    let client = Client::new(true, serve_always(HELLO));
    let record = Record::with(|_, seen| {
        if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
            println!("as expected");
            std::process::exit(0);
        }
    });
    assert_eq!(send(client.request("GET", "/", &record)), 1);
    loop {
        thread::park();
    }
}

#[test]
fn the_process_may_end_at_any_moment() {
    ends_well("exit_with_requests_pending");
    ends_well("exit_inside_a_callback");
    for verify in ["WINHTTP_VERIFY", "WINHTTP_TRACE"] {
        let value = if verify == "WINHTTP_TRACE" { "text:/dev/null" } else { "all" };
        for test in ["exit_with_requests_pending", "exit_inside_a_callback"] {
            assert!(alone(test, &[(verify, value)]).status.success(), "{test} under {verify}");
        }
    }
}

#[test]
#[ignore = "a program of its own"]
fn panic_in_a_callback() {
    let client = Client::new(true, serve_always(HELLO));
    let record = Record::with(|_, seen| {
        assert!(seen.status != WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, "a mistake of the application");
    });
    let request = client.request("GET", "/", &record);
    println!("handle {:#x}", request as usize);
    send(request);
    loop {
        thread::park();
    }
}

/// A callback that may unwind: what C++ code is that throws.
unsafe extern "system-unwind" fn throws(
    _: *mut std::ffi::c_void,
    _: usize,
    status: u32,
    _: *mut std::ffi::c_void,
    _: u32,
) {
    assert!(status != WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, "thrown");
}

#[test]
#[ignore = "a program of its own"]
fn exception_in_a_callback() {
    let client = Client::new(true, serve_always(HELLO));
    let request = client.request("GET", "/", &Record::new());
    println!("handle {:#x}", request as usize);
    type Callback = unsafe extern "system" fn(*mut std::ffi::c_void, usize, u32, *mut std::ffi::c_void, u32);
    // SAFETY: the types differ in what may come back alone.
    unsafe {
        let callback = std::mem::transmute::<*const (), Callback>(throws as *const ());
        WinHttpSetStatusCallback(request, Some(callback), u32::MAX, 0);
    }
    send(request);
    loop {
        thread::park();
    }
}

#[test]
fn a_panic_in_a_callback_ends_the_process_and_says_where() {
    for test in ["panic_in_a_callback", "exception_in_a_callback"] {
        let output = alone(test, &[("RUST_BACKTRACE", "0")]);
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{test}: {}", output.status);
        let (said, report) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let handle = said.lines().find_map(|line| line.split("handle ").nth(1)).unwrap().trim();
        let expected = format!("of handle {handle}, told of status {WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:#x}");
        assert!(report.contains("status callback 0x") && report.contains(&expected), "{test}: {report}");
    }
}

/// Descriptors until there are none.
fn exhaust() -> Vec<fs::File> {
    std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect()
}

fn limit_descriptors(count: u64) {
    let limit = libc::rlimit { rlim_cur: count, rlim_max: count };
    // SAFETY: a limit.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}

/// A call that was refused is made again: it succeeds, and the refused ones have no ending.
fn tried_again(request: *mut c_void, record: &Record) {
    assert_eq!(send(request), 1, "it is tried again: {}", last_error());
    record.wait(WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE);
    close(request);
    record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    let errors = record.seen().iter().filter(|seen| seen.status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR).count();
    assert_eq!(errors, 0, "an operation that was refused has no ending");
}

#[test]
#[ignore = "a program of its own"]
fn first_use_without_descriptors() {
    let port = serve_always(HELLO);
    limit_descriptors(64);
    let record = Record::new();
    let client = Client::new(true, port);
    let request = client.request("GET", "/", &record);
    let mut all = exhaust();
    let open = |all: &[fs::File]| all.len();
    let before = open(&all);
    for _ in 0..50 {
        assert_eq!((send(request), last_error()), (0, 8), "ERROR_NOT_ENOUGH_MEMORY");
    }
    assert!(record.seen().iter().all(|seen| seen.status != WINHTTP_CALLBACK_STATUS_REQUEST_ERROR));
    all.clear();
    all = exhaust();
    // The server, which accepts again, may hold one.
    assert!(open(&all) + 1 >= before, "a refused call leaves no descriptor open");
    all.clear();
    tried_again(request, &record);
    println!("as expected");
}

#[test]
#[ignore = "a program of its own"]
fn descriptors_run_out_later() {
    let port = serve_always("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    limit_descriptors(64);
    let client = Client::new(false, port);
    // The network runs, and no socket is left that may give its descriptor back.
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    assert_eq!(get(&Client::new(false, nobody)), Err(ERROR_WINHTTP_CANNOT_CONNECT));
    let all = exhaust();
    assert_eq!(get(&client), Err(ERROR_WINHTTP_CANNOT_CONNECT));
    drop(all);
    get(&client).unwrap();
    println!("as expected");
}

/// Lets the process have so many bytes of addresses more than it has; without a number as many as before.
fn limit_addresses(more: Option<u64>) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split_whitespace().next().unwrap().parse().unwrap();
    // SAFETY: a limit, read and written; the size of a page.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_AS, &raw mut limit), 0);
        limit.rlim_cur = more.map_or(limit.rlim_max, |more| pages * libc::sysconf(libc::_SC_PAGESIZE) as u64 + more);
        assert_eq!(libc::setrlimit(libc::RLIMIT_AS, &raw const limit), 0);
    }
}

/// No thread can be started, for there is no room for its stack.
#[test]
#[ignore = "a program of its own"]
fn first_use_without_threads() {
    let port = serve_always(HELLO);
    let record = Record::new();
    let client = Client::new(true, port);
    let request = client.request("GET", "/", &record);
    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    limit_addresses(Some(64 * 1024));
    let refused = [(); 50].map(|()| (send(request), last_error()));
    limit_addresses(None);
    assert_eq!(refused, [(0, 8); 50], "ERROR_NOT_ENOUGH_MEMORY");
    // What polls the network has three, once.
    assert!(descriptors() <= before + 3, "{before}, then {}", descriptors());
    tried_again(request, &record);
    println!("as expected");
}

#[test]
fn a_process_recovers_from_its_limits() {
    ends_well("first_use_without_threads");
    ends_well("first_use_without_descriptors");
    ends_well("descriptors_run_out_later");
}

/// Closes its handle when its thread ends.
struct Closes(Mutex<Option<(usize, std::sync::mpsc::Sender<i32>)>>);

impl Drop for Closes {
    fn drop(&mut self) {
        if let Some((handle, tell)) = self.0.lock().unwrap().take() {
            let _ = tell.send(close(handle as *mut _));
        }
    }
}

thread_local!(static CLOSES: Closes = const { Closes(Mutex::new(None)) });

/// Handles are closed by destructors of a thread: of one that has used the library before its destructor was there, and of
/// one that has not.
#[test]
fn thread_local_destructors_close_handles() {
    for early in [false, true] {
        let record = Record::new();
        let client = Client::new(true, serve_always(HELLO));
        let request = client.request("GET", "/", &record) as usize;
        let (tell, told) = channel();
        thread::spawn(move || {
            if early {
                assert_eq!(send(request as *mut _), 1);
            }
            CLOSES.with(|closes| *closes.0.lock().unwrap() = Some((request, tell)));
            if !early {
                assert_eq!(send(request as *mut _), 1);
            }
        })
        .join()
        .unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(1), "closed, early {early}");
        record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
        client.close();
    }
}

/// Signals that interrupt system calls change nothing.
#[test]
fn signals_change_nothing() {
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: a handler that does nothing, without SA_RESTART.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
    }
    let port = serve_always(HELLO);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let storm = {
        let stop = Arc::clone(&stop);
        thread::spawn(move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                // SAFETY: a signal that has a handler, to this process.
                unsafe { libc::kill(libc::getpid(), libc::SIGUSR1) };
                thread::sleep(Duration::from_micros(200));
            }
        })
    };
    let client = Client::new(false, port);
    for _ in 0..200 {
        get(&client).unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    storm.join().unwrap();
    client.close();
}
