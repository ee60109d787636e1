//! The same client with three bugs that real clients have shipped, and the careful one: the lab finds each from the test that
//! anybody would write.
//!
//! ```text
//! cargo run --example three_bugs
//! ```

use portable_winhttp::lab::Explore;

#[path = "../src/cli/explore/client.rs"]
#[allow(dead_code)] // the other bugs
mod client;

use client::{Bug, natural};

fn main() {
    for bug in [Bug::UseAfterClose, Bug::FreedOnFailure, Bug::SecondRead] {
        println!("== {}: {}\n", bug.name(), bug.about());
        let report = Explore::new().check(|sim| natural(sim, Some(bug), bug.needs_cancel()));
        let report = report.expect_err("the lab finds it");
        // Without the trace: the schedule, what went wrong, what had to be unusual for it, and how to run it again.
        let shown = report.lines().filter(|line| line.starts_with(['s', 'a']) || line.starts_with("  "));
        shown.filter(|line| !line.contains(" ms  thread")).for_each(|line| println!("{line}"));
        println!();
    }
    println!("== without a bug\n");
    for cancelled in [false, true] {
        let report = Explore::new().check(|sim| natural(sim, None, cancelled)).expect("no schedule fails");
        println!("{}: {report}", if cancelled { "cancelled by another thread" } else { "a request" });
    }
}
