//! The explorer: what it visits, what it says, and that it loses nothing.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portable_winhttp::lab::{Choices, Explore, Fault, Reply, Sim, Stage, any, explore, get, torture};

use windows_sys::Win32::Networking::WinHttp::*;

use crate::careful::Careful;
use crate::support::wide;

/// What a panic says.
pub fn said(body: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(body)).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    text.map(str::to_owned)
}

fn one_request(sim: &Sim) {
    sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123"));
    let client = Careful::start("a.test", "/", false);
    sim.block_until(|| client.closed());
    assert!(client.outcome().is_some());
}

/// Threads that do no more than come to an order: the order is the outcome.
fn in_some_order(names: &'static [&'static str], seen: Arc<Mutex<BTreeSet<String>>>) -> impl Fn(&Sim) {
    move |sim| {
        let order = Arc::new(Mutex::new(String::new()));
        for name in names {
            let (order, gate) = (Arc::clone(&order), sim.gate(name));
            gate.open();
            sim.actor(name, move || {
                order.lock().unwrap().push_str(name);
                gate.wait();
                order.lock().unwrap().push_str(name);
            });
        }
        sim.settle();
        seen.lock().unwrap().insert(order.lock().unwrap().clone());
    }
}

fn strings(visited: &[Choices]) -> BTreeSet<String> {
    visited.iter().map(Choices::long).collect()
}

#[test]
fn a_careful_client_survives_the_default() {
    let report = explore(one_request);
    assert!(report.schedules > 20, "{report}");
    for reached in ["READ_COMPLETE inside WinHttpReadData", "SENDREQUEST_COMPLETE on a worker"] {
        assert!(report.coverage.contains(reached), "{}", report.coverage_lines());
    }
    let all = Explore::new().exhaustive().deviations(1).faults(1).pace(true).run(one_request);
    assert!(all.complete && all.left == 0 && all.uncontrolled.is_none(), "{all}");
}

/// Every order of two threads with two steps each, and no schedule twice.
#[test]
fn all_orders_are_visited_once() {
    let seen = Arc::default();
    let body = in_some_order(&["a", "b"], Arc::clone(&seen));
    let report = Explore::new().exhaustive().keep_schedules().run(&body);
    assert!(report.complete);
    let expected = ["aabb", "abab", "abba", "baab", "baba", "bbaa"].map(str::to_owned);
    assert_eq!(*seen.lock().unwrap(), BTreeSet::from(expected));
    assert_eq!(strings(&report.visited).len() as u64, report.schedules);
}

/// With and without reduction: the same outcomes, from fewer schedules.
#[test]
fn reduction_loses_no_outcome() {
    let outcomes = |options: Explore| {
        let seen = Mutex::new(BTreeSet::new());
        let report = options.exhaustive().run(|sim| {
            let peers = ["http://a.test", "http://b.test"].map(|origin| sim.peer(origin));
            for peer in &peers {
                peer.on(any()).reply(Reply::ok());
            }
            sim.allow(portable_winhttp::lab::Stop::HandleLeaked);
            let waits: Vec<_> = (0..2).map(|_| Arc::new(AtomicUsize::new(0))).collect();
            let order = Arc::new(Mutex::new(Vec::new()));
            for (number, count) in waits.iter().enumerate() {
                let (gate, count, order) = (sim.gate("g"), Arc::clone(count), Arc::clone(&order));
                sim.fault(Fault::at(Stage::Head).nth(99).wait(&gate).maybe());
                sim.actor(["a", "b"][number], move || {
                    gate.open();
                    order.lock().unwrap().push(number);
                    count.fetch_add(1, Ordering::SeqCst);
                });
            }
            sim.block_until(|| waits.iter().all(|count| count.load(Ordering::SeqCst) == 1));
            seen.lock().unwrap().insert(order.lock().unwrap().clone());
        });
        (seen.into_inner().unwrap(), report)
    };
    let (reduced, few) = outcomes(Explore::new());
    let (whole, many) = outcomes(Explore::new().unreduced());
    assert_eq!(reduced, whole);
    assert!(few.complete && many.complete && few.schedules <= many.schedules, "{few}; {many}");
}

#[test]
fn shards_together_are_the_whole() {
    let body = || in_some_order(&["a", "b", "c"], Arc::default());
    let options = || Explore::new().exhaustive().deviations(3).random(20).keep_schedules();
    let whole = options().run(body());
    let parts: Vec<_> = (1..=8).map(|part| options().shard(part, 8).run(body())).collect();
    assert!(parts.iter().filter(|part| part.schedules > 0).count() > 4);
    let merged = parts.into_iter().reduce(portable_winhttp::lab::Exploration::merge).unwrap();
    assert_eq!(merged.schedules, whole.schedules);
    assert_eq!(strings(&merged.visited), strings(&whole.visited));
}

#[test]
fn a_stopped_exploration_goes_on() {
    let file = std::env::temp_dir().join(format!("explored-{}.json", std::process::id()));
    let options = || Explore::new().exhaustive().deviations(3).keep_schedules();
    let whole = options().run(in_some_order(&["a", "b", "c"], Arc::default()));
    let (mut visited, mut stops) = (Vec::new(), 0);
    for budget in (7..).step_by(7) {
        let part = options().budget(budget).resume(&file).run(in_some_order(&["a", "b", "c"], Arc::default()));
        visited.extend(part.visited);
        if part.complete {
            break;
        }
        stops += 1;
    }
    assert!(stops > 2 && !file.exists());
    assert_eq!(visited.len() as u64, whole.schedules);
    assert_eq!(strings(&visited), strings(&whole.visited));
}

/// Three certain choices: `b` comes between the halves of `a`, and `a` between those of `c`.
fn planted(sim: &Sim) {
    let order = Arc::default();
    in_some_order(&["a", "b", "c"], Arc::clone(&order))(sim);
    let order = order.lock().unwrap().first().cloned().unwrap_or_default();
    assert_ne!(order, "cabbac", "the planted bug");
}

#[test]
fn a_bug_of_three_choices_is_found() {
    // 1/(n k^(d-1)) with n = 4 threads, k = 12 steps, d = 3: once in 576 runs; after ten times as many it is found all but
    // surely (1 - e^-10).
    let by_priorities = said(|| drop(Explore::new().pct(3, 5760).faults(0).pace(false).run(planted)));
    let exhaustively = said(|| drop(Explore::new().exhaustive().run(planted)));
    for found in [by_priorities, exhaustively] {
        let found = found.expect("it is found");
        assert!(found.contains("the planted bug"), "{found}");
    }
}

/// The report: shrunk, with its place, its deviations and the command; the schedule plays again.
#[test]
fn what_a_failure_says() {
    let body = |sim: &Sim| {
        let order = Arc::default();
        in_some_order(&["a", "b"], Arc::clone(&order))(sim);
        assert!(!order.lock().unwrap().contains("abab"), "mixed");
    };
    let found = said(|| drop(Explore::new().random(200).faults(0).run(body))).expect("it is found");
    for part in [
        "deviation 1: next:",
        "mixed",
        "tests/lab/explore.rs:",
        "<> next:",
        "the schedule: +",
        "again: WINHTTP_REPLAY=",
    ] {
        let part = if part == "the schedule: +" { "the schedule: " } else { part };
        assert!(found.contains(part), "{part}: {found}");
    }
    let last = found.lines().last().unwrap();
    let token = last.split(['=', ' ']).nth(2).unwrap();
    let choices: Choices = token.parse().unwrap();
    assert!(choices.deviations() <= 3, "{choices}");
    let again = said(|| {
        let sim = Sim::builder().choices(choices).build();
        body(&sim);
    });
    assert!(again.unwrap().contains("mixed"));
}

/// A schedule of another program stops where it does not fit.
#[test]
fn a_replay_that_diverges_says_where() {
    let token: Choices = "next:a.begin:0/2 deliver:inside:0/2".parse().unwrap();
    let text = said(|| {
        let sim = Sim::builder().choices(token).build();
        in_some_order(&["a", "b"], Arc::default())(&sim);
    });
    let text = text.expect("it stops");
    assert!(text.contains("the replay diverges at choice 2"), "{text}");
    assert!(text.contains("the schedule has deliver:inside:0/2"), "{text}");
}

#[test]
fn a_body_that_is_not_repeatable_is_told() {
    let runs = AtomicUsize::new(0);
    let text = said(|| {
        drop(Explore::new().random(3).run(|sim| {
            if runs.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
                in_some_order(&["a", "b"], Arc::default())(sim);
            }
        }));
    });
    assert!(text.expect("it is told").starts_with("two runs of the same schedule differ"));
}

#[test]
fn what_is_never_true_is_told() {
    let text = said(|| drop(Explore::new().random(3).run(|sim| sim.sometimes("retried", false))));
    assert!(text.expect("it is told").ends_with(": retried"));
}

/// The cause is the first that a report says.
#[test]
fn injected_faults_come_first() {
    let text = said(|| {
        drop(torture(|sim| {
            sim.peer("http://a.test").on(any()).reply(Reply::ok());
            let client = Careful::start("a.test", "/", false);
            sim.block_until(|| client.closed());
            assert!(client.outcome().is_some_and(|outcome| outcome != Err(12029)), "not connected");
        }));
    });
    let text = text.expect("a fault is found");
    let second = text.lines().nth(1).unwrap_or_default();
    assert_eq!(second, "  fault injected: Connect#1 -> 12029", "{text}");
    assert!(text.contains("tests/lab/explore.rs:"), "{text}");
}

#[test]
fn names_that_say_nothing_are_refused() {
    type Row = (&'static str, fn(), &'static str);
    fn replies(reply: Reply) {
        Sim::new().peer("http://a.test").on(any()).reply(reply).expect(0);
    }
    let rows: [Row; 37] = [
        ("a function", || drop(Fault::in_call("WinHttpSendRequst")), "is WinHttpSendRequest meant?"),
        ("a short name", || drop(Fault::in_call("SendRequest")), "is WinHttpSendRequest meant?"),
        ("no function of WinHTTP", || drop(Fault::in_call("CreateFileW")), "only functions of WinHTTP"),
        ("no error", || drop(Fault::at(Stage::Send).fail(0u32)), "an error other than 0"),
        ("no error of a call", || drop(Fault::in_call("WinHttpOpen").fail(0u32)), "an error other than 0"),
        ("a bound one", || drop(Fault::in_call("WinHttpSendRequest").fail_bound(0u32)), "an error other than 0"),
        ("a certificate while a name is looked up", || drop(Fault::at(Stage::Resolve).secure(1)), "at Connect or Tls"),
        ("no status", || drop(Reply::status(99)), "three digits"),
        ("too long a status", || drop(Reply::status(1000)), "three digits"),
        ("a last status as an interim one", || drop(Reply::ok().interim(200)), "an interim reply"),
        ("a header with a blank", || drop(Reply::ok().header("X Y", "")), "no field of a head"),
        ("two headers in one", || drop(Reply::ok().header("X", "1\r\nY: 2")), "no control characters"),
        ("a trailer without a name", || drop(Reply::ok().trailer("", "1")), "no field of a head"),
        ("port 0", || drop(Sim::new().peer("http://api.test:0")), "no server has port 0"),
        ("no schedules", || drop(Explore::new().random(0)), "no schedule would be run"),
        ("no schedules of priorities", || drop(Explore::new().pct(2, 0)), "no schedule would be run"),
        ("an idle body", || drop(explore(|_| {})), "does nothing in its Sim"),
        ("a Sim of its own", || drop(explore(|_| drop(Sim::new()))), "use the Sim that the test gets"),
        ("an occurrence", || drop(Fault::in_call("WinHttpOpen").nth(0)), "count from 1"),
        ("a path", || drop(Sim::new().peer("https://api.test/v1")), "without path"),
        ("a query", || drop(Sim::new().peer("https://api.test?q")), "without path"),
        ("a function in small letters", || drop(Fault::in_call("winhttpopen")), "is WinHttpOpen meant?"),
        ("a handle", || drop(Fault::refuse().of("typo")), "no handle is called \"typo\""),
        ("a handle's number", || drop(Fault::refuse().of("R0")), "no handle is called \"R0\""),
        ("no rate", || drop(Fault::at(Stage::Read).slow(0)), "nothing comes"),
        ("no bytes at a time", || drop(Fault::at(Stage::Read).short(0)), "none"),
        ("no odd schedules", || drop(Explore::new().swarm(0)), "no schedule would be run"),
        ("no events", || drop(Explore::new().pct(0, 1)), "one event at least"),
        ("no runs", || drop(Explore::new().budget(0)), "no schedule would be run"),
        ("no time", || drop(Explore::new().budget(Duration::ZERO)), "no schedule would be run"),
        ("no requests at once", || _ = Sim::new().peer("http://a.test").streams(0), "answers none"),
        ("a path without its slash", || drop(get("items")), "is \"/items\" meant?"),
        ("the beginning of one", || drop(any().under("items")), "is \"/items\" meant?"),
        ("a header of no name", || drop(any().has_header("a b")), "no field of a head"),
        ("a body with 204", || replies(Reply::status(204).body("x")), "status 204 has no body"),
        ("an empty chunk", || replies(Reply::ok().body("x").chunks([0])), "the end of a body"),
        ("an interim status as the last", || replies(Reply::status(150)), "not that of a last reply"),
    ];
    for (what, act, says) in rows {
        let text = said(act).unwrap_or_default();
        assert!(text.contains(says), "{what}: {text}");
    }
    // A fault that never struck is told in the report of a test that fails.
    let text = said(|| {
        let sim = Sim::new();
        sim.fault(Fault::in_call("WinHttpOpen").nth(3).fail(8u32));
        sim.peer("http://a.test").on(any()).expect(1);
    });
    assert!(text.unwrap().contains("a fault never struck: WinHttpOpen#3 -> 8"));
}

/// A schedule that does not fit is not replaced by another in what is told.
#[test]
fn a_given_schedule_stays_what_it_was() {
    let token: Choices = "next:a.begin:0/2 deliver:worker:1/2".parse().unwrap();
    let replay = Explore::new().replay(token.clone());
    let text = said(|| drop(replay.run(in_some_order(&["a", "b"], Arc::default())))).expect("it stops");
    assert!(text.starts_with("the schedule that is replayed fails"), "{text}");
    assert!(text.contains("the replay diverges at choice 2"), "{text}");
    assert!(text.lines().last().unwrap().contains(&format!("WINHTTP_REPLAY={token} ")), "{text}");
}

/// A mistake in a call is told at the program's line.
#[test]
fn a_mistake_has_its_line() {
    let text = said(|| {
        let sim = Sim::new();
        sim.peer("http://127.0.0.1").on(any()).reply(Reply::never());
        let client = crate::support::Client::new(true, 80);
        let request = client.request("GET", "/", &crate::support::Record::new());
        assert_eq!(crate::support::send(request), 1);
        crate::support::send(request);
        crate::support::close(request);
        client.close();
    });
    let text = text.expect("it is told");
    let place = text.split("W04 error").nth(1).and_then(|rest| rest.lines().nth(1)).unwrap_or_default();
    assert!(place.starts_with("      at tests/") && place.contains("support/mod.rs:"), "{text}");
}

/// A context that is really freed: what happened is told, and nothing is touched that is gone.
#[test]
fn an_exploration_makes_no_callback_with_a_freed_context() {
    /// Its memory is the client's as long as this lives.
    struct Context(std::sync::atomic::AtomicBool);
    unsafe extern "system" fn told(_: *mut c_void, context: usize, _: u32, _: *mut c_void, _: u32) {
        // SAFETY: none, if the client has freed it.
        let context = unsafe { (context as *const Context).as_ref() };
        assert!(context.is_none_or(|context| context.0.load(Ordering::SeqCst)), "a context that is gone");
    }
    let text = said(|| {
        drop(explore(|sim| {
            sim.peer("http://127.0.0.1").on(any()).reply(Reply::ok());
            let context = Box::into_raw(Box::new(Context(true.into())));
            portable_winhttp::lab::allocated(context as usize);
            // SAFETY: texts end in NUL.
            unsafe {
                let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC);
                WinHttpSetStatusCallback(session, Some(told), u32::MAX, 0);
                let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), 80, 0);
                let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
                WinHttpSendRequest(request, null(), 0, null(), 0, 0, context as usize);
                for handle in [request, connection, session] {
                    WinHttpCloseHandle(handle);
                }
                // The mistake: HANDLE_CLOSING may not have come.
                (*context).0.store(false, Ordering::SeqCst);
                portable_winhttp::lab::freed(context as usize);
                drop(Box::from_raw(context));
            }
            sim.settle();
        }));
    });
    let text = text.expect("it is found");
    assert!(text.lines().nth(1).unwrap().contains("W01 error"), "{text}");
    assert!(!text.contains("a context that is gone"), "{text}");
}

/// Processes of their own visit the same schedules.
#[test]
fn isolated_processes_are_together_the_whole() {
    let options = || Explore::new().exhaustive().deviations(2).random(10).keep_schedules();
    let report = options().isolated().run(in_some_order(&["a", "b"], Arc::default()));
    let whole = options().run(in_some_order(&["a", "b"], Arc::default()));
    assert!(report.complete);
    assert_eq!((report.schedules, strings(&report.visited)), (whole.schedules, strings(&whole.visited)));
}

/// A schedule that ends its process is named, and can be made again.
fn dies_and_is_named(dies: fn(&Sim)) {
    fn body(dies: fn(&Sim)) -> impl Fn(&Sim) {
        move |sim: &Sim| {
            let order = Arc::default();
            in_some_order(&["a", "b"], Arc::clone(&order))(sim);
            if order.lock().unwrap().contains("abba") {
                dies(sim);
            }
        }
    }
    let found = said(|| drop(Explore::new().exhaustive().isolated().run(body(dies))));
    let found = found.expect("it is found");
    assert!(found.starts_with("a schedule ends its process: signal: 6"), "{found}");
    let last = found.lines().last().unwrap();
    let token: Choices = last.split(['=', ' ']).nth(2).unwrap().parse().unwrap();
    let again = said(|| drop(Explore::new().replay(token).run(body(|_| panic!("here it dies")))));
    assert!(again.expect("it happens again").contains("here it dies"));
}

#[test]
#[ignore = "the program of the test below"]
fn fails_here() {
    explore(|sim| {
        sim.peer("http://a.test").on(any()).reply(Reply::ok()).expect(1);
    });
}

/// A report is at the line of the test that asked for it.
#[test]
fn a_failure_is_told_where_the_user_is() {
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", "--nocapture", "explore::fails_here"]);
    let report = String::from_utf8(program.output().unwrap().stderr).unwrap();
    let place = report.lines().find(|line| line.contains("panicked at")).unwrap_or_default();
    assert!(place.contains("tests/lab/explore.rs:"), "{report}");
}

#[test]
fn a_process_that_dies_names_its_schedule() {
    dies_and_is_named(|_| std::process::abort());
}

/// Ends the process when its thread ends.
struct AtItsEnd;

impl Drop for AtItsEnd {
    fn drop(&mut self) {
        std::process::abort();
    }
}

thread_local! {
    static AT_ITS_END: AtItsEnd = const { AtItsEnd };
}

#[test]
fn a_process_that_dies_when_a_thread_ends_names_its_schedule() {
    dies_and_is_named(|sim| {
        sim.actor("dies", || AT_ITS_END.with(|_| ()));
        sim.settle();
    });
}
