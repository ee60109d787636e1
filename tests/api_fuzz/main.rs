//! A fuzzer of all functions: several threads, and the callbacks, call what they like on valid, stale, foreign and NULL
//! handles of any type, and close at any moment, against a hostile peer. Held against the rules: each operation that was
//! accepted has one ending, HANDLE_CLOSING is the last notification of a handle and comes once, callbacks of a handle are
//! serial, no lent buffer is written to after HANDLE_CLOSING, and at the end nothing is left.
//!
//! `API_FUZZ_CALLS` says how many calls (20,000), `API_FUZZ_SEED` which.

mod calls;
#[path = "../../src/cli/hostile.rs"]
mod hostile;
mod ledger;
#[path = "../support/mod.rs"]
mod support;

use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use hostile::Random;
use ledger::Ledger;
use portable_winhttp::api::Sleep;
use portable_winhttp::lab::{Fault, Received, Reply, Sim, Stage, Stop, WebSocketScript, any};
use portable_winhttp::real::{Census, census};
use support::close;

const THREADS: u64 = 8;
/// Calls of a run in a Sim.
const SIM_CALLS: u64 = 2_000;
/// A thread pauses for a millisecond before one in so many calls, so that the network has its turn.
const PAUSES: u64 = 16;
/// After so many calls stock is taken.
const ROUND: u64 = 100_000;
/// How long a peer of the lab waits at most.
const GIVES_UP: Duration = Duration::from_secs(2);
/// How long it is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(60);
/// Threads and descriptors that the library keeps, beside what it was given at the start.
const KEPT: usize = 64;

/// The handles of the process are counted: one run at a time.
static ONE: Mutex<()> = Mutex::new(());

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// So many calls of one thread, and the close of handles that are due.
fn calls(ledger: &Ledger, thread: u64, from: u64, count: u64) {
    let mut random = Random::new(ledger.seed.wrapping_mul(1_000_003) ^ (from + thread));
    for _ in 0..count {
        if random.below(PAUSES) == 0 {
            Sleep(1);
        }
        if ledger.is_empty() {
            calls::make(ledger, &mut random, None, "WinHttpOpen");
        }
        calls::call(ledger, &mut random, None);
        if let Some(due) = ledger.due() {
            ledger.closes(due);
            close(due as *mut c_void);
        }
    }
}

/// Closes what is open.
fn close_all(ledger: &Ledger) {
    while let Some(value) = ledger.last_open() {
        ledger.closes(value);
        close(value as *mut c_void);
    }
    for registration in std::mem::take(&mut *ledger.registrations.lock().unwrap()) {
        // SAFETY: any value may be passed.
        unsafe { portable_winhttp::api::WinHttpUnregisterProxyChangeNotification(registration as *const c_void) };
    }
}

/// Waits, in real time, for what must come soon.
fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{what}: {:?}", census());
        thread::sleep(Duration::from_millis(2));
    }
}

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Threads, descriptors, and KiB of memory.
fn resources() -> (usize, usize, u64) {
    let memory = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = memory.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    (entries("/proc/self/task"), entries("/proc/self/fd"), pages * 4)
}

fn broken(ledger: &Ledger) {
    let faults = ledger.take_stock();
    assert!(faults.is_empty(), "seed {}: {} rules were broken:\n{}", ledger.seed, faults.len(), faults.join("\n"));
}

#[test]
fn calls_of_any_kind_keep_the_rules() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (count, seed) = (number("API_FUZZ_CALLS", 20_000), number("API_FUZZ_SEED", 1));
    let ledger = Arc::new(Ledger::new(seed, "127.0.0.1", hostile::serve(seed).unwrap()));
    let (start, began) = (resources(), Instant::now());
    let made = || ledger.counts.calls.load(Ordering::Relaxed);
    while made() < count {
        let from = made();
        let each = ROUND.min(count - from).div_ceil(THREADS);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let ledger = Arc::clone(&ledger);
                thread::spawn(move || calls(&ledger, thread, from, each))
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        wait("handles are left", || {
            // Callbacks open some meanwhile.
            close_all(&ledger);
            census() == Census { handles: 0, requests: 0 }
        });
        wait("a handle without HANDLE_CLOSING", || ledger.all_closed());
        broken(&ledger);
        let (counts, now) = (&ledger.counts, resources());
        println!(
            "{} calls, {} handles, {} requests, {} web sockets, {} callbacks in {:.1?}; {} threads, {} descriptors, {} KiB",
            made(),
            counts.handles.load(Ordering::Relaxed),
            counts.requests.load(Ordering::Relaxed),
            counts.sockets.load(Ordering::Relaxed),
            counts.callbacks.load(Ordering::Relaxed),
            began.elapsed(),
            now.0,
            now.1,
            now.2
        );
    }
    for ((name, ..), called) in calls::CALLS.iter().zip(&ledger.called) {
        assert!(called.load(Ordering::Relaxed) > 0 || count < 20_000, "{name} was never called");
    }
    // The peer gives up after two seconds; then its threads and both ends of its connections go.
    wait("threads or descriptors are left", || {
        let now = resources();
        now.0 < start.0 + KEPT && now.1 < start.1 + KEPT
    });
    println!("at the start {start:?}, at the end {:?}: threads, descriptors, KiB", resources());
}

/// A peer of the lab that answers in many ways, and leaves nobody waiting for ever: of its rules, the newest that matches
/// answers.
fn play(sim: &Sim) {
    let peer = sim.peer("http://peer.test:80");
    let socket = || WebSocketScript::new().text("hello").ping("p").binary(b"more").sleep(GIVES_UP).close(1001, "away");
    let broken = WebSocketScript::new().text("x").raw(*b"\x81\x03\xff\xff\xff");
    peer.on(any()).reply(Reply::ok().body("else"));
    peer.on(any().has_header("sec-websocket-key")).reply(Reply::web_socket(socket()));
    let nth = AtomicUsize::new(0);
    let odd = move |_: &Received| nth.fetch_add(1, Ordering::Relaxed) % 4 == 3;
    peer.on(any().has_header("sec-websocket-key").when("one in four", odd)).reply(Reply::web_socket(broken));
    for (number, reply) in [
        Reply::ok().body("0123456789").chunks([3, 7]),
        Reply::status(401).header("WWW-Authenticate", "Basic realm=\"r\""),
        Reply::ok().body("until the end").until_close(),
        Reply::redirect("/next"),
        Reply::ok().delay(Duration::from_millis(100)).body("late"),
        Reply::ok().delay(GIVES_UP).then(Fault::at(Stage::Head).close()),
        Reply::ok().body("breaks").then(Fault::at(Stage::Read).reset()),
        Reply::ok().interim(103).body("hints"),
    ]
    .into_iter()
    .enumerate()
    {
        let nth = Arc::new(AtomicUsize::new(0));
        let chosen = move |received: &Received| {
            received.header("sec-websocket-key").is_none() && nth.fetch_add(1, Ordering::Relaxed) % 8 == number
        };
        peer.on(any().when("its turn", chosen)).reply(reply);
    }
}

/// A run in a Sim: its trace, and how many web sockets were opened.
fn simulated(seed: u64, count: u64) -> (String, u64) {
    let sim = Sim::builder().chooser(portable_winhttp::lab::Random::new(seed)).build();
    Stop::ALL.iter().for_each(|stop| sim.allow(*stop));
    sim.allow_unknown_hosts();
    play(&sim);
    let ledger = Arc::new(Ledger::new(seed, "peer.test", 80));
    let running = Arc::new(AtomicUsize::new(THREADS as usize));
    for thread in 0..THREADS {
        let (ledger, running) = (Arc::clone(&ledger), Arc::clone(&running));
        sim.spawn(move || {
            calls(&ledger, thread, 0, count / THREADS);
            running.fetch_sub(1, Ordering::SeqCst);
        });
    }
    sim.block_until(|| running.load(Ordering::SeqCst) == 0);
    loop {
        close_all(&ledger);
        // Callbacks open some meanwhile.
        sim.block_until(|| ledger.all_closed() || ledger.last_open().is_some());
        sim.settle();
        if ledger.last_open().is_none() {
            break;
        }
    }
    broken(&ledger);
    assert_eq!(sim.uncontrolled(), None, "the run can be repeated");
    let counts = &ledger.counts;
    println!(
        "seed {seed}: {} calls, {} handles, {} requests, {} web sockets, {} callbacks",
        counts.calls.load(Ordering::Relaxed),
        counts.handles.load(Ordering::Relaxed),
        counts.requests.load(Ordering::Relaxed),
        counts.sockets.load(Ordering::Relaxed),
        counts.callbacks.load(Ordering::Relaxed)
    );
    (sim.trace().to_table(), counts.sockets.load(Ordering::Relaxed))
}

/// `API_FUZZ_SIMS` says how many seeds (2), of which the first is run twice.
#[test]
fn a_run_in_a_sim_follows_from_its_seed() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (seed, sims) = (number("API_FUZZ_SEED", 1), number("API_FUZZ_SIMS", 2));
    let (first, mut sockets) = simulated(seed, SIM_CALLS);
    let (again, _) = simulated(seed, SIM_CALLS);
    let differs = first.lines().zip(again.lines()).position(|(one, other)| one != other);
    assert_eq!(differs.map(|line| (first.lines().nth(line), again.lines().nth(line))), None, "line {differs:?}");
    sockets += (1..sims).map(|more| simulated(seed + more, SIM_CALLS).1).sum::<u64>();
    // A single run may open none.
    assert!(sockets > 0 || sims < 2, "no web socket was opened");
    assert_eq!(census().handles, 0);
}

#[test]
fn every_function_is_called() {
    let called = |name: &str| calls::CALLS.iter().any(|(of, ..)| *of == name);
    for function in portable_winhttp::api::surface::functions() {
        let of_winhttp = !function.note.starts_with("Of the connection manager");
        assert_eq!(called(function.name), of_winhttp, "{}", function.name);
    }
}
