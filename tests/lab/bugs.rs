//! The bugs of real clients, found from their natural test by the default call; the client without them passes.

use std::time::{Duration, Instant};

use portable_winhttp::lab::{Explore, Sim, explore};

use crate::buggy::{Bug, natural};
use crate::explore::said;

/// What the report of a bug says.
fn says(bug: Bug) -> &'static str {
    match bug {
        Bug::UseAfterClose | Bug::ClosedInSending => "W08 error",
        Bug::FreedOnFailure => "W13 error",
        Bug::FreedAfterClose => "W01 error",
        Bug::CancelledIsImpossible | Bug::CancelUnderLock | Bug::CancelAlwaysWins => "thought impossible",
        Bug::ErrorIsSuccess | Bug::NotSentAgain => "HANG",
        Bug::SecondRead => "W04",
    }
}

/// How many deviations the smallest schedule has.
fn needs(bug: Bug) -> usize {
    match bug {
        Bug::CancelledIsImpossible | Bug::CancelUnderLock => 0,
        Bug::CancelAlwaysWins => 2,
        _ => 1,
    }
}

/// As which schedule the guide says that a bug is found.
fn in_the_guide(bug: Bug) -> &'static str {
    let guide = include_str!("../../src/guide/13_exploring.md");
    let row = guide.lines().find(|line| line.starts_with(&format!("| `{}`", bug.name())));
    row.and_then(|row| row.split('|').nth(2)).map_or("", str::trim)
}

#[test]
fn each_bug_is_found_by_the_default_call() {
    let mut table = String::from("bug | cancelled | found as | ms | its schedule\n");
    let mut missed = Vec::new();
    // A test in which somebody always cancels finds those, too, that nobody needs to cancel for.
    let each = Bug::ALL.iter().flat_map(|bug| [bug.needs_cancel(), true].map(|cancelled| (*bug, cancelled)));
    // Whoever waits for ever is not found where somebody ends the wait.
    let each = each.filter(|row| *row != (Bug::NotSentAgain, true)).collect::<std::collections::BTreeSet<_>>();
    for (bug, cancelled) in each {
        let began = Instant::now();
        // The default strategies; a loaded machine may need longer than their two seconds.
        let patient = Explore::new().budget(Duration::from_secs(60));
        let found = said(|| drop(patient.run(|sim| natural(sim, Some(bug), cancelled))));
        let took = began.elapsed().as_millis();
        let Some(found) = found else {
            missed.push(format!("{bug:?}, cancelled {cancelled}: not found"));
            continue;
        };
        let head = found.lines().next().unwrap_or_default();
        let deviations: Vec<&str> = found.lines().filter(|line| line.starts_with("  deviation ")).collect();
        table += &format!("{bug:?} | {cancelled} | {head} | {took} |{}\n", deviations.join(";"));
        if cancelled == bug.needs_cancel() && !head.starts_with(&format!("schedule {} fails", in_the_guide(bug))) {
            missed.push(format!("{bug:?}: the guide says schedule {}: {head}", in_the_guide(bug)));
        }
        let most = needs(bug) + usize::from(cancelled && !bug.needs_cancel());
        if !found.contains(says(bug)) || deviations.len() > most {
            missed
                .push(format!("{bug:?}, cancelled {cancelled}: {} and {most} deviations expected: {found}", says(bug)));
        }
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
