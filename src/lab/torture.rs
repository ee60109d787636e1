//! One run for each point at which something can fail.

use super::explore::Explore;
use super::sim::Sim;

/// Runs `body` once clean, then once for each fault point that the clean run passed, with that point failing: every call
/// that may fail (WinHttpSendRequest also after its context is bound), every stage of every request, every read and
/// write. Answers the points.
///
/// `body` must hold in every run: say what is true however it ends ("the client is done, and has closed its handles"), not
/// that it succeeds. What peers expect is asked of the clean run only; misuse, leaks and hangs fail any run.
///
/// It is the part of [`explore`](super::explore()) that varies faults alone.
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
/// When a run fails; the report begins with what was injected: `fault injected: Read#2 -> 12030`. Its last line is the
/// command that makes this run again.
#[track_caller]
pub fn torture(body: impl Fn(&Sim)) -> Vec<String> {
    Explore::new().each_fault().run(body).faults
}
