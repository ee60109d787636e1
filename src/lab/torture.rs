//! One run for each point at which something can fail.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::points::{Passed, Points};
use super::sim::Sim;

/// Runs `body` once clean, then once for each fault point that the clean run passed, with that point failing: every call
/// that may fail (WinHttpSendRequest also after its context is bound), every stage of every request, every read and
/// write. Answers the points.
///
/// `body` must hold in every run: say what is true however it ends ("the client is done, and has closed its handles"), not
/// that it succeeds. What peers expect is asked of the clean run only; misuse, leaks and hangs fail any run.
///
/// With `WINHTTP_FAULT=9` only the clean run and that of point 9 are made.
///
/// ```
/// use portable_winhttp::lab::{Reply, any, torture};
///
/// let points = torture(|sim| {
///     sim.peer("https://api.test").on(any()).reply(Reply::ok().body("hello"));
///     // ... start the client, wait for its end ...
/// });
/// assert_eq!(points, Vec::<String>::new());
/// ```
///
/// # Panics
/// When a run fails; which one is printed before: `fault 9/14: Read#2 -> 12030`.
pub fn torture(body: impl Fn(&Sim)) -> Vec<String> {
    let clean = run(&body, None).unwrap_or_else(|panic| {
        eprintln!("torture: the clean run fails");
        resume_unwind(panic)
    });
    let only = std::env::var("WINHTTP_FAULT").ok().and_then(|number| number.parse::<usize>().ok());
    for (number, point) in clean.iter().enumerate() {
        if only.is_some_and(|only| only != number + 1) {
            continue;
        }
        if let Err(panic) = run(&body, Some(number)) {
            eprintln!("fault {}/{}: {point}; again with WINHTTP_FAULT={}", number + 1, clean.len(), number + 1);
            resume_unwind(panic);
        }
    }
    clean.iter().map(Passed::to_string).collect()
}

fn run(body: &impl Fn(&Sim), fails: Option<usize>) -> std::thread::Result<Vec<Passed>> {
    catch_unwind(AssertUnwindSafe(|| {
        let sim = Sim::new();
        sim.world().faults.count_points(fails);
        body(&sim);
        sim.world().faults.points(|points: &Points| points.passed().to_vec()).unwrap_or_default()
    }))
}
