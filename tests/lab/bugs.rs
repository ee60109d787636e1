//! The bugs of real clients, found from their natural test by the default call; the client without them passes.

use std::time::{Duration, Instant};

use portable_winhttp::lab::{Explore, Reply, Sim, any, explore};

use crate::buggy::{Bug, Buggy};
use crate::explore::said;

/// What anybody would write: a request, what is true however it ends, and perhaps somebody who cancels it.
fn natural(sim: &Sim, bug: Option<Bug>, cancelled: bool) {
    sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123456789"));
    let client = Buggy::start("a.test", "/", false, bug);
    if cancelled {
        sim.actor("cancel", move || client.cancel());
    }
    sim.block_until(|| client.closed());
    assert!(client.is_well());
}

/// Bug, whether its natural test is one of cancelling, and what its report says.
const ROWS: &[(Bug, bool, &str)] = &[
    (Bug::UseAfterClose, true, "W08 error"),
    (Bug::FreedOnFailure, false, "W01 error"),
    (Bug::CancelledIsImpossible, true, "client.is_well()"),
    (Bug::ErrorIsSuccess, false, "HANG"),
    (Bug::SecondRead, false, "W04"),
    (Bug::CancelUnderLock, true, "client.is_well()"),
    (Bug::CancelAlwaysWins, true, "client.is_well()"),
    (Bug::FreedAfterClose, true, "W01 error"),
    (Bug::ClosedInSending, true, "W08 error"),
    (Bug::NotSentAgain, false, "HANG"),
];

#[test]
fn each_bug_is_found_by_the_default_call() {
    assert_eq!(ROWS.len(), Bug::ALL.len());
    let mut table = String::from("bug | found as schedule | ms | shrunk to\n");
    let mut missed = Vec::new();
    for (bug, cancelled, says) in ROWS {
        let began = Instant::now();
        // The default strategies; a loaded machine may need longer than their two seconds.
        let patient = Explore::new().budget(Duration::from_secs(60));
        let found = said(|| drop(patient.run(|sim| natural(sim, Some(*bug), *cancelled))));
        let took = began.elapsed().as_millis();
        let Some(found) = found else {
            missed.push(format!("{bug:?}: not found"));
            continue;
        };
        if !found.contains(says) {
            missed.push(format!("{bug:?}: {says} is not in {found}"));
        }
        let head = found.lines().next().unwrap_or_default();
        table += &format!("{bug:?} | {head} | {took}\n");
    }
    println!("{table}");
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

/// Without a bug: the default, and every schedule with one unusual choice and one fault, or two unusual choices.
#[test]
fn the_client_without_a_bug_passes() {
    for cancelled in [false, true] {
        let twin = |sim: &Sim| natural(sim, None, cancelled);
        println!("cancelled: {cancelled}; default: {}", explore(twin));
        let single = Explore::new().exhaustive().deviations(1).faults(1).pace(true).run(twin);
        println!("one deviation, faults and slow servers among them: {single}");
        let anywhere = Explore::new().each_late_thread().run(twin);
        println!("cancelled at every point: {anywhere}");
        assert!(single.complete && anywhere.complete);
    }
}
