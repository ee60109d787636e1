//! The complete tree of real requests: that leaving out orders of independent steps loses nothing, and what it takes.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::panic::catch_unwind;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use portable_winhttp::delivery::Policy;
use portable_winhttp::lab::{Choices, Exploration, Explore, Fault, Reply, Sim, Stage, any};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::careful::Careful;
use crate::explore::said;

/// What the callbacks of several requests were told, in their order.
type Log = Mutex<Vec<String>>;

/// A request that waits for its head, and is closed then.
struct Short {
    name: &'static str,
    log: &'static Log,
    handle: Mutex<Option<usize>>,
    /// Whether it is closed when its head has come.
    closes: bool,
    closed: Mutex<bool>,
}

impl Short {
    /// Sends it; the session and the connection belong to the log's other requests, too.
    fn start(
        name: &'static str,
        connection: *mut c_void,
        log: &'static Log,
        (held, mask): (bool, u32),
    ) -> &'static Short {
        let (handle, closed, closes) = (Mutex::new(None), Mutex::new(false), !held || name == "a");
        let short = Box::leak(Box::new(Short { name, log, handle, closes, closed }));
        // SAFETY: an open handle, no strings; the context lives for ever.
        unsafe {
            let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
            WinHttpSetStatusCallback(request, Some(notified), mask, 0);
            *short.handle.lock().unwrap() = Some(request as usize);
            WinHttpSendRequest(request, null(), 0, null(), 0, 0, std::ptr::from_ref(short) as usize);
            if held {
                WinHttpReceiveResponse(request, null_mut());
            }
        }
        short
    }

    /// Makes a call about it, so that the thread which begins next is about it, too.
    fn ask(&self) {
        let (mut timeout, mut length) = (0u32, 4u32);
        let handle = self.handle.lock().unwrap().unwrap_or_default() as *mut c_void;
        // SAFETY: the option is a number of four bytes.
        unsafe {
            let timeout = (&raw mut timeout).cast();
            WinHttpQueryOption(handle, WINHTTP_OPTION_RECEIVE_TIMEOUT, timeout, &raw mut length);
        }
    }

    fn close(&self) {
        let handle = self.handle.lock().unwrap().take();
        if let Some(handle) = handle {
            // SAFETY: nobody else closes it.
            unsafe { WinHttpCloseHandle(handle as *mut c_void) };
        }
    }

    fn tell(&self, what: &str) {
        self.log.lock().unwrap().push(format!("{}:{what}", self.name));
    }
}

unsafe extern "system" fn notified(request: *mut c_void, context: usize, status: u32, info: *mut c_void, _: u32) {
    // SAFETY: contexts are leaked requests; the payload of REQUEST_ERROR is an asynchronous result.
    unsafe {
        let Some(short) = (context as *const Short).as_ref() else { return };
        match status {
            WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => {
                short.tell("sent");
                if short.handle.lock().unwrap().is_some() {
                    WinHttpReceiveResponse(request, null_mut());
                }
            }
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                short.tell("head");
                if short.closes {
                    short.close();
                }
            }
            WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => {
                short.tell(&format!("error {}", (*info.cast::<WINHTTP_ASYNC_RESULT>()).dwError));
                short.close();
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => {
                short.tell("closed");
                *short.closed.lock().unwrap() = true;
            }
            _ => {}
        }
    }
}

/// Requests of one session, each to a server of its own; one more thread closes each of the last `cancelled`. Where they are
/// `held`, what is varied begins when the first waits for its head, and the other has it.
fn short_requests(sim: &Sim, hosts: &[&str], held: bool, cancelled: usize) -> Vec<String> {
    shorts(sim, hosts, held, cancelled, false)
}

/// The same, where the test waits until nothing happens any more if it `settles`, else until all are closed.
fn shorts(sim: &Sim, hosts: &[&str], held: bool, cancelled: usize, settles: bool) -> Vec<String> {
    let log: &'static Log = Box::leak(Box::default());
    let gate = sim.gate("heads");
    for number in 1..=if held { hosts.len() } else { 0 } {
        sim.fault(Fault::in_call("WinHttpSendRequest").nth(number).settle_before_return());
    }
    for host in hosts {
        let peer = sim.peer(&format!("http://{host}"));
        peer.on(any()).reply(Reply::ok());
        if held && *host == "a.test" {
            peer.fault(Fault::at(Stage::Head).wait(&gate));
        }
    }
    let wide = |host: &str| host.encode_utf16().chain([0]).collect::<Vec<u16>>();
    // SAFETY: names end in NUL.
    let (handles, shorts) = unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
        let connect = |host: &&str| WinHttpConnect(session, wide(host).as_ptr(), 80, 0);
        let connections: Vec<_> = hosts.iter().map(connect).collect();
        let sent = if held { 0 } else { WINHTTP_CALLBACK_FLAG_SENDREQUEST_COMPLETE };
        let mask = sent
            | WINHTTP_CALLBACK_FLAG_HEADERS_AVAILABLE
            | WINHTTP_CALLBACK_FLAG_REQUEST_ERROR
            | WINHTTP_CALLBACK_STATUS_HANDLE_CREATED
            | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
        let mut shorts = Vec::new();
        for (name, connection) in ["a", "b"].into_iter().zip(connections.iter().copied()) {
            shorts.push(Short::start(name, connection, log, (held, mask)));
        }
        (connections.into_iter().chain([session]).collect::<Vec<_>>(), shorts)
    };
    for short in &shorts[hosts.len() - cancelled..] {
        let short = *short;
        if settles {
            short.ask();
        }
        sim.actor("cancel", move || short.close());
    }
    gate.open();
    let all_closed = || shorts.iter().all(|short| *short.closed.lock().unwrap());
    if settles {
        sim.settle();
        assert!(all_closed());
    }
    sim.block_until(all_closed);
    for handle in handles {
        // SAFETY: open handles.
        unsafe { WinHttpCloseHandle(handle) };
    }
    log.lock().unwrap().clone()
}

/// What came of every schedule, as `outcome` tells it.
fn outcomes<O: Ord>(options: Explore, outcome: impl Fn(&Sim) -> O) -> (BTreeSet<O>, Exploration) {
    let seen = Mutex::new(BTreeSet::new());
    let report = options.exhaustive().run(|sim| {
        let outcome = outcome(sim);
        seen.lock().unwrap().insert(outcome);
    });
    assert!(report.complete && report.uncontrolled.is_none(), "{report}");
    (seen.into_inner().unwrap(), report)
}

fn unheld() -> Explore {
    Explore::new().policy(Policy { hold_send: false, ..Policy::default() })
}

/// Requests to these servers, of which the last few are cancelled; whether calls are whole.
type Case = (&'static str, &'static [&'static str], usize, bool);

/// With and without reduction: the same orders of all that callbacks were told, from fewer schedules; and where handles share no
/// memory, the same for each of them.
#[test]
fn reduction_loses_no_order() {
    let cases: [Case; 4] = [
        ("one request, cancelled", &["a.test"], 1, false),
        ("two requests, one cancelled", &["a.test", "b.test"], 1, true),
        ("two requests, both cancelled", &["a.test", "b.test"], 2, true),
        ("of one server", &["a.test", "a.test"], 2, true),
    ];
    for (name, hosts, cancelled, whole) in cases {
        let options = || if whole { unheld().preemptions(0) } else { unheld() };
        let all = |sim: &Sim| short_requests(sim, hosts, true, cancelled);
        let (reduced, few) = outcomes(options(), all);
        println!("{name}: {few}");
        let (unreduced, many) = outcomes(options().unreduced(), all);
        println!("{name}: {} orders, {few}; unreduced {many}", unreduced.len());
        assert_eq!(reduced, unreduced);
        assert!(reduced.len() > 1 && few.schedules < many.schedules, "{few}; {many}");

        let each = |log: &Vec<String>| {
            ["a:", "b:"].map(|name| log.iter().filter(|line| line.starts_with(name)).cloned().collect::<Vec<_>>())
        };
        let settles = |sim: &Sim| shorts(sim, hosts, true, cancelled, true);
        let (apart, fewer) = outcomes(options().independent_handles(), |sim| each(&settles(sim)));
        println!("{name}, apart: {} outcomes, {fewer}", apart.len());
        assert_eq!(apart, unreduced.iter().map(each).collect());
        assert!(fewer.schedules <= few.schedules, "{fewer}; {few}");
    }
}

/// What a callback finds of what the program stores when the call that brings the callback about has returned.
struct Stored {
    sends: ThreadId,
    stored: AtomicBool,
    /// Whether the callback came on another thread, and whether it was stored by then.
    found: Mutex<Option<(bool, bool)>>,
    closed: AtomicBool,
}

unsafe extern "system" fn finds(request: *mut c_void, context: usize, status: u32, _: *mut c_void, _: u32) {
    // SAFETY: the context is leaked; the handle is closed once.
    unsafe {
        let Some(stored) = (context as *const Stored).as_ref() else { return };
        match status {
            WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
                let elsewhere = std::thread::current().id() != stored.sends;
                *stored.found.lock().unwrap() = Some((elsewhere, stored.stored.load(Ordering::SeqCst)));
                WinHttpCloseHandle(request);
            }
            WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING => stored.closed.store(true, Ordering::SeqCst),
            _ => {}
        }
    }
}

/// What the program does behind a call is about that call's handle, though the next call is about another.
#[test]
fn what_follows_a_call_belongs_to_its_handle() {
    let body = |sim: &Sim| {
        sim.peer("http://a.test").on(any()).reply(Reply::ok());
        // The head is there when it is asked for.
        sim.fault(Fault::in_call("WinHttpSendRequest").settle_before_return());
        let sends = std::thread::current().id();
        let (stored, found, closed) = (AtomicBool::new(false), Mutex::default(), AtomicBool::new(false));
        let stored: &'static Stored = Box::leak(Box::new(Stored { sends, stored, found, closed }));
        let host: Vec<u16> = "a.test\0".encode_utf16().collect();
        let (mut timeout, mut length) = (0u32, 4u32);
        // SAFETY: open handles; the name ends in NUL; the context lives for ever; the option is a number of four bytes.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
            let connection = WinHttpConnect(session, host.as_ptr(), 80, 0);
            let [one, other] =
                [(); 2].map(|()| WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0));
            let mask = WINHTTP_CALLBACK_FLAG_HEADERS_AVAILABLE | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;
            WinHttpSetStatusCallback(one, Some(finds), mask, 0);
            WinHttpSendRequest(one, null(), 0, null(), 0, 0, std::ptr::from_ref(stored) as usize);
            WinHttpReceiveResponse(one, null_mut());
            stored.stored.store(true, Ordering::SeqCst);
            let timeout = (&raw mut timeout).cast();
            WinHttpQueryOption(other, WINHTTP_OPTION_RECEIVE_TIMEOUT, timeout, &raw mut length);
            sim.block_until(|| stored.closed.load(Ordering::SeqCst));
            for handle in [other, connection, session] {
                WinHttpCloseHandle(handle);
            }
        }
        *stored.found.lock().unwrap()
    };
    let (apart, few) = outcomes(unheld().independent_handles(), body);
    let (unreduced, many) = outcomes(unheld().unreduced(), body);
    assert_eq!(apart, unreduced, "{few}; {many}");
    assert!([false, true].iter().all(|stored| apart.contains(&Some((true, *stored)))), "{apart:?}");
}

fn strings(visited: &[Choices]) -> BTreeSet<String> {
    visited.iter().map(Choices::long).collect()
}

/// Eight shards are together one run, and so are the parts of one that is stopped again and again.
#[test]
fn shards_and_stops_of_real_requests() {
    let body = |sim: &Sim| drop(short_requests(sim, &["a.test"], true, 1));
    let options = || unheld().exhaustive().random(40).faults(0).keep_schedules();
    let whole = options().run(body);
    let parts: Vec<_> = (1..=8).map(|part| options().shard(part, 8).run(body)).collect();
    assert!(parts.iter().filter(|part| part.schedules > 0).count() > 4);
    let merged = parts.into_iter().reduce(Exploration::merge).unwrap();
    assert_eq!((merged.schedules, strings(&merged.visited)), (whole.schedules, strings(&whole.visited)));

    let file = std::env::temp_dir().join(format!("explored-requests-{}.json", std::process::id()));
    let (mut visited, mut stops) = (Vec::new(), 0);
    let piece = whole.schedules as usize / 5 + 1;
    for budget in (piece..).step_by(piece) {
        let part = options().budget(budget).resume(&file).run(body);
        visited.extend(part.visited);
        if part.complete {
            break;
        }
        stops += 1;
    }
    assert!(stops >= 4 && !file.exists());
    assert_eq!((visited.len() as u64, strings(&visited)), (whole.schedules, strings(&whole.visited)));
}

/// Three certain orders, in two requests: `b` is sent first, `a` gets its head before `b`, and is closed only after `b` has its.
fn planted(sim: &Sim) {
    let log = short_requests(sim, &["a.test", "b.test"], false, 0);
    let at = |what: &str| log.iter().position(|line| line == what).unwrap_or(usize::MAX);
    let found = at("b:sent") < at("a:sent") && at("a:head") < at("b:head") && at("b:head") < at("a:closed");
    assert!(!found, "the planted bug");
}

/// Threads that wait for the same go on in any order.
#[test]
fn who_waits_goes_on_in_any_order() {
    let body = |sim: &Sim| {
        let log: Arc<Mutex<String>> = Arc::default();
        let gate = sim.gate("open");
        let (own, waits, opens) = (Arc::clone(&log), gate.clone(), gate.clone());
        sim.actor("waits", move || {
            waits.wait();
            own.lock().unwrap().push('w');
        });
        sim.actor("opens", move || {
            opens.open();
            // SAFETY: no arguments.
            unsafe { WinHttpCheckPlatform() };
        });
        sim.block_until(|| gate.is_open());
        log.lock().unwrap().push('m');
        sim.block_until(|| log.lock().unwrap().len() == 2);
        let log = log.lock().unwrap();
        log.clone()
    };
    let (reduced, few) = outcomes(Explore::new(), body);
    let (unreduced, many) = outcomes(Explore::new().unreduced(), body);
    assert_eq!(reduced, unreduced, "{few}; {many}");
    assert!(reduced.len() > 1, "{reduced:?}");
}

/// Of what two requests tell in three callbacks each, every order is visited.
#[test]
fn each_order_of_two_requests_is_visited() {
    let (orders, report) =
        outcomes(unheld().preemptions(0), |sim| short_requests(sim, &["a.test", "b.test"], false, 0));
    println!("{report}");
    // Six places, of which three are the first request's.
    assert_eq!((orders.len(), report.complete), (20, true), "{report}: {orders:#?}");
}

#[test]
fn a_bug_of_three_choices_in_two_requests_is_found() {
    // Threads and requests, and steps, of the usual run; 1/(n k^(d-1)) is the chance of each run, and after ten times as many it
    // is found all but surely (1 - e^-10).
    let usual = unheld()
        .each_deviation()
        .budget(1)
        .keep_schedules()
        .run(|sim| drop(short_requests(sim, &["a.test", "b.test"], false, 0)));
    let steps = usual.visited[0].iter().filter(|choice| format!("{choice}").starts_with('n')).count();
    let runs = 10 * 5 * steps * steps;
    let by_priorities = said(|| drop(unheld().pct(3, runs).faults(0).pace(false).run(planted)));
    let exhaustively = said(|| drop(unheld().exhaustive().preemptions(0).run(planted)));
    for found in [by_priorities, exhaustively] {
        let found = found.expect("it is found");
        println!("of at most {runs}: {}", found.lines().next().unwrap_or_default());
        assert!(found.contains("the planted bug"), "{found}");
        let last = found.lines().last().unwrap_or_default();
        let token: Choices = last.split(['=', ' ']).nth(2).unwrap_or_default().parse().unwrap();
        let again = said(|| drop(unheld().replay(token).run(planted)));
        let again = again.expect("it happens again");
        let schedule = again.lines().find(|line| line.starts_with("the schedule: ")).unwrap_or_default();
        assert!(again.contains("the planted bug") && schedule.contains("next:R"), "{again}");
    }
}

/// A thread that now and then blocks in something that is no Sim's spoils one run, and not what is behind it.
#[test]
fn a_disturbance_is_no_divergence() {
    let explored = |disturbs: bool| {
        let runs = AtomicUsize::new(0);
        Explore::new().exhaustive().deviations(1).keep_schedules().run(|sim| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123"));
            let client = Careful::start("a.test", "/", false);
            while disturbs && matches!(run, 1 | 7 | 8) && sim.uncontrolled().is_none() {
                std::thread::sleep(Duration::from_millis(300));
            }
            sim.block_until(|| client.closed());
        })
    };
    let (calm, disturbed) = (explored(false), explored(true));
    assert_eq!(strings(&calm.visited), strings(&disturbed.visited));
    assert!(disturbed.complete && disturbed.uncontrolled.is_none(), "{disturbed}");
}

/// What threads of no Sim do to kernel objects meanwhile, in other tests for example, is no choice of this one.
#[test]
fn what_others_do_is_no_choice() {
    use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent};
    let over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&over);
    let other = std::thread::spawn(move || {
        // SAFETY: an event without a name.
        let event = unsafe { CreateEventW(null(), 0, 0, null()) };
        while !ends.load(Ordering::SeqCst) {
            // SAFETY: an open handle.
            unsafe { SetEvent(event) };
        }
    });
    let explored = catch_unwind(|| {
        let report = Explore::new().exhaustive().deviations(2).run(|sim| {
            sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123"));
            let client = Careful::start("a.test", "/", false);
            sim.actor("cancel", move || client.cancel());
            sim.block_until(|| client.closed());
        });
        (report.complete, report.uncontrolled)
    });
    over.store(true, Ordering::SeqCst);
    other.join().unwrap();
    assert_eq!(explored.unwrap(), (true, None));
}

/// The ends of operations and of handles.
const ENDS: u32 = WINHTTP_CALLBACK_FLAG_SENDREQUEST_COMPLETE
    | WINHTTP_CALLBACK_FLAG_HEADERS_AVAILABLE
    | WINHTTP_CALLBACK_FLAG_READ_COMPLETE
    | WINHTTP_CALLBACK_FLAG_REQUEST_ERROR
    | WINHTTP_CALLBACK_STATUS_HANDLE_CREATED
    | WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING;

/// Requests, each cancelled by a thread of its own: how each of them ended.
fn cancelled<const COUNT: usize>(sim: &Sim) -> [Option<Result<Vec<u8>, u32>>; COUNT] {
    sim.peer("http://a.test").on(any()).reply(Reply::ok());
    let clients: [_; COUNT] = std::array::from_fn(|_| Careful::told("a.test", "/", false, ENDS));
    for client in clients {
        sim.actor("cancel", move || client.cancel());
    }
    sim.block_until(|| clients.iter().all(|client| client.closed()));
    clients.map(Careful::outcome)
}

/// How large the trees are whose steps are whole calls and callbacks: what reduces them is not to be lost.
#[test]
fn the_size_of_complete_trees() {
    let rows: [(&str, u32, u64); 2] = [("cancelled anywhere", 0, 75), ("and one fault", 1, 260)];
    for (name, faults, at_most) in rows {
        let tree = Explore::new().exhaustive().preemptions(0).faults(faults);
        let report = tree.run(|sim| {
            let [outcome] = cancelled(sim);
            sim.sometimes("the reply comes", outcome.as_ref().is_some_and(|outcome| outcome.is_ok()));
            sim.sometimes("the cancel comes first", outcome == Some(Err(12017)));
        });
        println!("{name}: {report}");
        assert!(report.complete && report.schedules <= at_most, "{name}: {report}");
    }
}

/// Two requests, each to a server of its own, each cancelled by a thread: complete, and for each of them what one alone comes to.
#[test]
fn two_cancelled_requests_that_share_nothing() {
    let ends = ENDS & !(WINHTTP_CALLBACK_FLAG_SENDREQUEST_COMPLETE | WINHTTP_CALLBACK_FLAG_READ_COMPLETE);
    let ended = |sim: &Sim, hosts: &[&'static str]| {
        let clients: Vec<_> = hosts
            .iter()
            .map(|host| {
                sim.peer(&format!("http://{host}")).on(any()).reply(Reply::ok());
                let client = Careful::told(host, "/", false, ends);
                sim.actor("cancel", move || client.cancel());
                client
            })
            .collect();
        sim.settle();
        assert!(clients.iter().all(|client| client.closed()));
        clients.into_iter().map(|client| client.outcome()).collect::<Vec<_>>()
    };
    let options = || Explore::new().preemptions(0).faults(0).independent_handles();
    let (one, few) = outcomes(options(), |sim| ended(sim, &["a.test"]).remove(0));
    let (two, many) = outcomes(options(), |sim| ended(sim, &["a.test", "b.test"]));
    println!("one: {few}; two: {many}");
    let pairs = one.iter().flat_map(|a| one.iter().map(move |b| vec![a.clone(), b.clone()]));
    assert_eq!(two, pairs.collect());
    assert_eq!(many.schedules, few.schedules * few.schedules, "{few}; {many}");
    assert!(many.pruned < 3 * many.schedules, "{many}");
}
