//! Threads of a Sim, and threads that are not its own.

use std::future::poll_fn;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use portable_winhttp::lab::{Explore, Reply, Sim, any};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::Win32::System::Threading::*;

use crate::careful::Careful;
use crate::fetch::{Fetch, complaint};
use crate::support::*;

const SENT: u32 = WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE;

/// The test blocks in a channel of the standard library until a callback sends: the Sim goes on without it.
#[test]
fn a_test_may_block_in_something_else() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello").delay(Duration::from_secs(20)));
    let (tell, told) = channel();
    let tell = Mutex::new(tell);
    let record = Record::with(move |_, seen| {
        if seen.status == SENT {
            tell.lock().unwrap().send(()).unwrap();
        }
    });
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    told.recv().unwrap();
    assert_eq!(sim.elapsed(), Duration::from_secs(20));
    close(request);
    client.close();
    assert_eq!(sim.uncontrolled().as_deref(), Some("the thread `main` blocks in something that is not the Sim's"));
}

/// A callback that waits for a lock of the program does not stop the world.
#[test]
fn a_callback_may_block_in_something_else() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let (theirs, passed) = (Arc::clone(&lock), Arc::new(AtomicBool::new(false)));
    let passes = Arc::clone(&passed);
    let record = Record::with(move |_, seen| {
        if seen.status == SENT {
            drop(theirs.lock().unwrap());
            passes.store(true, Ordering::SeqCst);
        }
    });
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    sim.advance(Duration::from_secs(1));
    assert!(!passed.load(Ordering::SeqCst));
    drop(held);
    sim.block_until(|| passed.load(Ordering::SeqCst));
    close(request);
    client.close();
    assert!(sim.uncontrolled().is_some());
}

#[test]
fn a_run_without_strangers_is_controlled() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
    let fetch = Fetch::start("GET", "/", "");
    sim.block_until(|| fetch.done());
    assert_eq!(sim.uncontrolled(), None);
}

#[test]
fn futures_are_waited_for() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().delay(Duration::from_secs(3)));
    let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
    let (wakes, sent) = (Arc::clone(&waker), Arc::new(AtomicBool::new(false)));
    let sends = Arc::clone(&sent);
    let record = Record::with(move |_, seen| {
        if seen.status == SENT {
            sends.store(true, Ordering::SeqCst);
            wakes.lock().unwrap().take().unwrap().wake();
        }
    });
    let client = Client::new(true, 80);
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    let answer = sim.block_on(poll_fn(|context| {
        if sent.load(Ordering::SeqCst) {
            return Poll::Ready(7);
        }
        *waker.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    }));
    assert_eq!((answer, sim.elapsed()), (7, Duration::from_secs(3)));
    close(request);
    client.close();
}

/// A thread from outside comes in by an entry, and opens a session of the Sim.
#[test]
fn threads_from_outside_come_in() {
    let sim = Sim::new();
    sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok().body("hello").delay(Duration::from_secs(2)));
    let entry = sim.entry();
    let done = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&done);
    let thread = std::thread::spawn(move || {
        let _inside = entry.enter("another");
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        assert_eq!((send(request), receive(request)), (1, 1));
        close(request);
        client.close();
        ends.store(true, Ordering::SeqCst);
    });
    sim.block_until(|| done.load(Ordering::SeqCst));
    thread.join().unwrap();
    assert_eq!(sim.elapsed(), Duration::from_secs(2));
}

/// An event that a thread of no world signals is seen.
#[test]
fn events_come_from_outside() {
    let sim = Sim::new();
    let entry = sim.entry();
    // SAFETY: no pointers.
    let event = unsafe { CreateEventW(std::ptr::null(), 0, 0, std::ptr::null()) } as usize;
    let thread = std::thread::spawn(move || {
        // SAFETY: any value may be passed.
        unsafe { SetEvent(event as HANDLE) };
        entry
    });
    // SAFETY: any value may be passed.
    assert_eq!(unsafe { WaitForSingleObject(event as HANDLE, INFINITE) }, 0);
    drop(thread.join().unwrap());
    drop(sim);
}

/// A function of Windows that would wait for ever comes back, and the Sim says so.
#[test]
fn a_hang_inside_a_function_comes_back() {
    // SAFETY: no pointers, and a lock that lives.
    let rows: [(&str, fn()); 3] = unsafe {
        [
            ("the end of a Sleep", || Sleep(INFINITE)),
            ("an event", || {
                let event = CreateEventW(std::ptr::null(), 0, 0, std::ptr::null());
                WaitForSingleObject(event, INFINITE);
            }),
            ("an SRW lock", || {
                let mut lock = SRWLOCK { Ptr: std::ptr::null_mut() };
                AcquireSRWLockExclusive(&raw mut lock);
                AcquireSRWLockExclusive(&raw mut lock);
            }),
        ]
    };
    for (what, wait) in rows {
        let report = complaint(|| {
            let _sim = Sim::new();
            wait();
        });
        let expected = format!("HANG: nothing can happen any more; `main` waits for {what}");
        assert!(report.contains(&expected), "{what}: {report}");
    }
}

#[test]
fn a_hang_names_who_waits_for_what() {
    let report = complaint(|| {
        let sim = Sim::new();
        let gate = sim.gate("never opened");
        sim.actor("the waiter", move || gate.wait());
        sim.block_until(|| false);
    });
    let expected = "HANG: nothing can happen any more; `main` waits for what the test blocks for; `the waiter` waits \
                    for the gate `never opened`";
    assert!(report.starts_with(expected), "{report}");
}

#[test]
fn a_panic_of_an_actor_fails_the_sim() {
    let report = complaint(|| {
        let sim = Sim::new();
        sim.actor("the clumsy", || panic!("oh"));
        sim.block_until(|| false);
    });
    assert!(report.starts_with("the thread `the clumsy` panicked: oh"), "{report}");
    let report = complaint(|| {
        let sim = Sim::new();
        sim.actor("the clumsy", || panic!("oh"));
        sim.settle();
    });
    assert!(report.contains("the thread `the clumsy` panicked: oh"), "{report}");
}

/// Handles of a Sim that is gone are none.
#[test]
fn handles_do_not_outlive_their_sim() {
    let sim = Sim::new();
    sim.allow(portable_winhttp::lab::Stop::HandleLeaked);
    let client = Client::new(true, 80);
    drop(sim);
    assert_eq!((close(client.connection), last_error()), (0, 6));
    assert_eq!((close(client.session), last_error()), (0, 6));
}

/// A session that a thread of no Sim opens lives in the real world; a Sim that fails says so.
#[cfg(feature = "net")]
#[test]
fn strays_are_named() {
    let report = complaint(|| {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok()).expect(1);
        let stray = std::thread::Builder::new().name("stray".into()).spawn(|| Client::new(true, 80).close());
        stray.unwrap().join().unwrap();
    });
    let strays = report.lines().find(|line| line.contains("in the real world")).unwrap_or(&report);
    assert!(strays.contains("on threads of no Sim") && strays.contains("stray"), "{report}");
}

#[cfg(feature = "net")]
#[test]
#[ignore = "the program of the tests below"]
fn open_in_the_real_world() {
    // SAFETY: no pointers that are read.
    let session = unsafe { WinHttpOpen(std::ptr::null(), 1, std::ptr::null(), std::ptr::null(), 0) };
    println!("session: {}, {}", !session.is_null(), last_error());
    close(session);
}

/// That program, with a variable in its environment: what it prints.
#[cfg(feature = "net")]
fn program(variable: &str, value: &str) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", "--nocapture", "threads::open_in_the_real_world"]);
    program.env(variable, value);
    String::from_utf8(program.output().unwrap().stdout).unwrap()
}

/// WINHTTP_TRACE=svg:path: a picture of any program.
#[cfg(feature = "net")]
#[test]
fn a_picture_of_any_program() {
    let path = std::env::temp_dir().join(format!("portable-winhttp-{}.svg", std::process::id()));
    program("WINHTTP_TRACE", &format!("svg:{}", path.display()));
    let svg = std::fs::read_to_string(&path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("WinHttpOpen") && svg.contains("WinHttpCloseHandle"), "{svg}");
    std::fs::remove_file(path).unwrap();
}

/// WINHTTP_LIVE=deny: without a Sim there is no session.
#[cfg(feature = "net")]
#[test]
fn the_real_world_can_be_denied() {
    let live = program("WINHTTP_LIVE", "");
    assert!(live.contains("session: true, 0"), "{live}");
    let denied = program("WINHTTP_LIVE", "deny");
    assert!(denied.contains("session: false, 50"), "{denied}");
    let misspelled = program("WINHTTP_LIVE", "dney");
    assert!(misspelled.contains("session: false, 50"), "{misspelled}");
}

#[test]
#[ignore = "the program of the test below"]
fn block_for_ever() {
    let _sim = Sim::new();
    let (_tell, told) = channel::<()>();
    told.recv().unwrap();
}

/// A test that blocks for ever in something else ends its process, with a report that its harness does not keep.
#[test]
fn nothing_hangs() {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", "threads::block_for_ever"]);
    let output = program.env("WINHTTP_PATIENCE", "0").output().unwrap();
    let report = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(101), "{report}");
    let expected = "HANG: nothing can happen any more; `main` waits for something that is not the Sim's";
    assert!(report.contains(expected), "{report}");
    assert!(report.contains("again: cargo test --test lab threads::block_for_ever -- --exact"), "{report}");
}

/// A future that wakes itself is polled again and again; the world goes on meanwhile.
#[test]
fn a_future_that_wakes_itself_starves_nobody() {
    let polled = |sim: &Sim, client: &'static Careful| {
        sim.block_on(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            if client.closed() { Poll::Ready(client.outcome()) } else { Poll::Pending }
        }))
    };
    let rows = [
        (Reply::ok().body("0123"), Ok(b"0123".to_vec()), Duration::ZERO),
        (Reply::ok().body("0123").delay(Duration::from_secs(5)), Ok(b"0123".to_vec()), Duration::from_secs(5)),
        (Reply::never(), Err(12002), Duration::from_secs(30)),
    ];
    for (reply, outcome, elapsed) in rows {
        let sim = Sim::new();
        sim.peer("http://a.test").on(any()).reply(reply);
        let client = Careful::start("a.test", "/", false);
        assert_eq!((polled(&sim, client), sim.elapsed()), (Some(outcome), elapsed));
    }
    // And in every schedule with one unusual choice.
    let report = Explore::new().exhaustive().deviations(1).run(|sim| {
        sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123"));
        let client = Careful::start("a.test", "/", false);
        assert!(polled(sim, client).is_some());
    });
    assert!(report.complete && report.schedules > 10, "{report}");
}

#[test]
fn a_future_that_wakes_itself_for_nothing_hangs() {
    let report = complaint(|| {
        let sim = Sim::new();
        sim.block_on(poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
    });
    assert!(report.contains("HANG") && report.contains("a future that wakes itself"), "{report}");
}
