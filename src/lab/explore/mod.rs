//! The explorer: a test's body under every order of callbacks that Windows may choose.

mod coverage;
mod drive;
pub mod footprint;
mod isolated;
mod late;
pub mod panics;
mod random;
mod report;
mod run;
mod shrink;
mod tree;

use std::path::PathBuf;
use std::time::Duration;

use super::choices::Choices;
use super::profile::Profile;
use super::sim::Sim;
use crate::delivery::Policy;
use run::Setup;

pub use random::Random;
pub use report::Exploration;

/// Runs `body` under many schedules: the usual order of events first, then each single deviation from it, then each thread begun
/// at each point, then each deviation from the run in which all of them begin last, then each fault alone, all of them however
/// long that takes; then orders and faults by chance, for two seconds at most. Small bodies are visited completely within that time.
///
/// A schedule holds only what Windows and servers may do: which thread, worker or packet comes next, whether a completion
/// comes inside the call, whether a call fails, when a server answers. `body` must hold in each of them: say what is true
/// however it ends ("the client is done, and has closed its handles"), and ask [`Sim::faulted`] before you ask for success.
/// What peers expect is asked only where no fault was injected; misuse, leaks and hangs fail any run.
///
/// The same test makes the same runs; `WINHTTP_SEED` makes others, `WINHTTP_REPLAY` makes one.
///
/// ```
/// # mod client { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/client/careful.rs")); }
/// # use client::Careful as Client;
/// use portable_winhttp::lab::{Reply, any, explore};
///
/// let report = explore(|sim| {
///     sim.peer("https://api.test").on(any()).reply(Reply::ok().body("hello"));
///     let client = Client::start("api.test", "/", true);
///     sim.actor("cancel", move || client.cancel());
///     sim.block_until(|| client.closed()); // HANDLE_CLOSING came, once, after everything else
///     assert!(sim.faulted() || client.outcome().is_some());
/// });
/// assert!(report.schedules > 50);
/// ```
///
/// # Panics
/// When a schedule fails: with the schedule that has the fewest deviations from the usual, what was injected, the complaint,
/// the trace with the deviating choices in it, and, as the last line, the command that makes that run again.
#[track_caller]
pub fn explore(body: impl Fn(&Sim)) -> Exploration {
    Explore::new().run(body)
}

/// How long an exploration goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Budget {
    /// So long.
    Time(Duration),
    /// So many schedules.
    Runs(usize),
}

impl From<Duration> for Budget {
    fn from(time: Duration) -> Budget {
        Budget::Time(time)
    }
}

impl From<usize> for Budget {
    fn from(runs: usize) -> Budget {
        Budget::Runs(runs)
    }
}

/// A way to go through the schedules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strategy {
    /// The usual run with each of its choices changed, one at a time: all but faults, or faults alone.
    Deviations {
        faults: bool,
    },
    /// Each thread that begins, at each point at which it could.
    Late,
    /// The run in which all threads begin as late as they can, with each of its choices changed, one at a time.
    BehindAll,
    Exhaustive,
    /// The complete tree as far as a part of the time reaches.
    IfSmall,
    Random(usize),
    Pct {
        depth: usize,
        runs: usize,
    },
    Swarm(usize),
}

/// An exploration that is not the default one of [`explore`].
///
/// Without a strategy it is the default portfolio; each strategy that is asked for is gone through in turn.
///
/// ```
/// use portable_winhttp::lab::Explore;
///
/// let report = Explore::new().exhaustive().preemptions(2).run(|sim| {
///     let gate = sim.gate("done");
///     let opens = gate.clone();
///     sim.actor("opens", move || opens.open());
///     sim.block_until(|| gate.is_open());
/// });
/// assert_eq!((report.left, report.complete), (0, true));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Explore {
    strategies: Vec<Strategy>,
    setup: Setup,
    faults: Option<u32>,
    pace: Option<bool>,
    preemptions: Option<usize>,
    deviations: Option<usize>,
    seed: Option<u64>,
    budget: Option<Budget>,
    unreduced: bool,
    keep: bool,
    resume: Option<PathBuf>,
    shard: Option<(usize, usize)>,
    replay: Option<Choices>,
    isolated: Option<usize>,
}

impl Explore {
    /// The default portfolio.
    pub fn new() -> Explore {
        Explore::default()
    }

    fn with(mut self, strategy: Strategy) -> Explore {
        self.strategies.push(strategy);
        self
    }

    /// Every schedule, without faults and with servers that answer at once unless [`faults`](Explore::faults) and
    /// [`pace`](Explore::pace) say otherwise. Unless they are bounded, others may go on between any two callbacks, and
    /// schedules that differ only in the order of independent steps are visited once.
    pub fn exhaustive(self) -> Explore {
        self.with(Strategy::Exhaustive)
    }

    /// So many schedules whose choices are all random.
    pub fn random(self, runs: usize) -> Explore {
        self.with(Strategy::Random(runs))
    }

    /// So many schedules by random priorities: a bug that needs `depth` events in a certain order, among `n` threads and
    /// requests and `k` steps, is found in each with a probability of at least 1/(n·k^(depth-1)) (PCT).
    pub fn pct(self, depth: usize, runs: usize) -> Explore {
        self.with(Strategy::Pct { depth: depth.max(1), runs })
    }

    /// So many schedules that are each odd in a few random ways: faults, deliveries, orders, slow servers (swarm testing).
    pub fn swarm(self, runs: usize) -> Explore {
        self.with(Strategy::Swarm(runs))
    }

    /// The usual schedule, then it with each of its choices changed, one at a time.
    pub fn each_deviation(self) -> Explore {
        self.with(Strategy::Deviations { faults: false })
    }

    /// The usual schedule with each thread that [`Sim::spawn`] or [`Sim::actor`] begins put off to each point at which it could
    /// begin, and once more at its first call: somebody cancels, at any moment.
    pub fn each_late_thread(self) -> Explore {
        self.with(Strategy::Late)
    }

    /// The usual schedule, then it with each point that can fail failing, one at a time: [`torture`](super::torture).
    pub fn each_fault(self) -> Explore {
        self.with(Strategy::Deviations { faults: true })
    }

    /// How many points that can fail may fail in one schedule: every call and every stage of a request. By default one, and
    /// none in [`exhaustive`](Explore::exhaustive).
    pub fn faults(mut self, at_most: u32) -> Explore {
        self.faults = Some(at_most);
        self
    }

    /// Whether servers may take their time with the head, the body, its pieces and its end. By default they may, but not in
    /// [`exhaustive`](Explore::exhaustive). In a Sim of bytes they never do.
    pub fn pace(mut self, may: bool) -> Explore {
        self.pace = Some(may);
        self
    }

    /// Of exhaustive schedules only those in which at most so many threads are interrupted that could have gone on (as in
    /// CHESS). Steps are then not reduced: a schedule within the bound could otherwise be left out for one beyond it. With 0 calls
    /// are whole: others go on where a thread waits or ends, and between two callbacks on a worker; those steps are reduced.
    pub fn preemptions(mut self, at_most: usize) -> Explore {
        self.preemptions = Some(at_most);
        self
    }

    /// Of exhaustive schedules only those with at most so many unusual choices, of whatever kind (as in delay bounding): most
    /// bugs need one or two. Steps are then not reduced, as with [`preemptions`](Explore::preemptions).
    ///
    /// ```
    /// use portable_winhttp::lab::Explore;
    /// let report = Explore::new().exhaustive().deviations(2).run(|sim| sim.settle());
    /// assert!(report.complete);
    /// ```
    pub fn deviations(mut self, at_most: usize) -> Explore {
        self.deviations = Some(at_most);
        self
    }

    /// Other threads may go on before each callback, also between two that one worker delivers in a row.
    pub fn every_notification(mut self) -> Explore {
        self.setup.offers.notifications = true;
        self
    }

    /// Where chance begins; 0 by default. The variable `WINHTTP_SEED` takes precedence.
    pub fn seed(mut self, seed: u64) -> Explore {
        self.seed = Some(seed);
        self
    }

    /// How long it may go on: a [`Duration`] or a number of schedules. By default two seconds for the portfolio, and as long
    /// as it takes for strategies that were asked for.
    pub fn budget(mut self, budget: impl Into<Budget>) -> Explore {
        self.budget = Some(budget.into());
        self
    }

    /// Callbacks of different handles share no memory of the program: their order does not matter.
    pub fn independent_handles(mut self) -> Explore {
        self.setup.apart = true;
        self
    }

    /// Independent steps are not reduced: to compare.
    pub fn unreduced(mut self) -> Explore {
        self.unreduced = true;
        self
    }

    /// Who delivers, and when, as long as no choice says otherwise.
    pub fn policy(mut self, policy: Policy) -> Explore {
        self.setup.policy = policy;
        self
    }

    /// Which version of Windows it is.
    pub fn profile(mut self, profile: Profile) -> Explore {
        self.setup.profile = profile;
        self
    }

    /// Keeps every schedule that was run in [`Exploration::visited`].
    pub fn keep_schedules(mut self) -> Explore {
        self.keep = true;
        self
    }

    /// Goes on where an exploration stopped that was given the same file; the file is written when the budget is used up, and
    /// from time to time, and removed when nothing is left.
    pub fn resume(mut self, file: impl Into<PathBuf>) -> Explore {
        self.resume = Some(file.into());
        self
    }

    /// Only a part of the schedules, from 1: `shard(1, 8)` to `shard(8, 8)` together visit exactly what one exploration does.
    /// The variable `WINHTTP_SHARD=1/8` says the same.
    ///
    /// # Panics
    /// If the part is none of `of`.
    #[track_caller]
    pub fn shard(mut self, part: usize, of: usize) -> Explore {
        assert!(1 <= part && part <= of, "there is no part {part} of {of}");
        self.shard = Some((part, of));
        self
    }

    /// Runs the schedules in processes of their own, as many at a time as there are processors: one that dies by a signal, an
    /// abort or a sanitizer's report fails the exploration, and names the schedule in which it did. Such a schedule is not
    /// shrunk.
    ///
    /// The processes are this test of this program again, so that what the test does before the exploration is done in each.
    /// What they print is shown only of one that dies. A test has one such exploration.
    ///
    /// ```
    /// use portable_winhttp::lab::Explore;
    /// let options = Explore::new().random(1000).isolated();
    /// ```
    pub fn isolated(mut self) -> Explore {
        self.isolated = Some(std::thread::available_parallelism().map_or(2, usize::from));
        self
    }

    /// Only this schedule, and no other. The variable `WINHTTP_REPLAY` takes precedence.
    pub fn replay(mut self, schedule: Choices) -> Explore {
        self.replay = Some(schedule);
        self
    }

    /// Explores `body`: see [`explore`].
    ///
    /// # Panics
    /// When a schedule fails, with a report of it; when `body` does something else with the same choices; when something
    /// that [`Sim::sometimes`] asks for was never true.
    #[track_caller]
    pub fn run(self, body: impl Fn(&Sim)) -> Exploration {
        // Not in a closure, which would not know who called.
        match self.check(body) {
            Ok(explored) => explored,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// [`run`](Explore::run) that does not panic.
    ///
    /// ```
    /// use portable_winhttp::lab::Explore;
    /// let failed = Explore::new().check(|_| panic!("not so"));
    /// assert!(failed.unwrap_err().contains("not so"));
    /// ```
    ///
    /// # Errors
    /// The report with which `run` would panic.
    #[track_caller]
    pub fn check(self, body: impl Fn(&Sim)) -> Result<Exploration, String> {
        drive::explore(&self, &body, std::panic::Location::caller())
    }
}
