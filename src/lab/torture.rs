//! One run for each point at which something can fail.

use super::explore::Explore;
use super::sim::Sim;

/// Runs `body` once without faults, then once for each point of that run at which something can fail, with that point failing.
/// Such points are every call that may fail (WinHttpSendRequest also after its context is bound), every stage of every request,
/// every read and every write. Returns the points, such as `ReadData#2 -> 12030`.
///
/// `body` must hold in every run. Assert what is true however it ends ("the client is done, and has closed its handles"), not
/// that it succeeds. The expectations of peers are checked only in the run without faults; misuse, leaks and hangs fail any run.
///
/// This is the part of [`explore`](super::explore()) that varies only faults.
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
/// If a run fails. The report begins with the fault that was injected: `fault injected: Read#2 -> 12030`. Its last line is the
/// command that repeats this run.
#[track_caller]
pub fn torture(body: impl Fn(&Sim)) -> Vec<String> {
    Explore::new().each_fault().run(body).faults
}
