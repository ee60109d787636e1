//! The explorer: runs a test's body under many of the orders that Windows may choose.

mod coverage;
mod drive;
pub mod footprint;
mod isolated;
mod late;
pub mod panics;
mod races;
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

/// Runs `body` under many schedules. By default it runs, in turn:
///
/// 1. the usual order of events;
/// 2. each single deviation from it;
/// 3. each thread started at each later point, then each single deviation from the run in which all threads start last;
/// 4. each fault alone;
/// 5. the whole tree if it is small;
/// 6. then random schedules until two seconds are over.
///
/// Parts 1 to 4 always run to their end, however long that takes.
///
/// A schedule contains only what Windows and servers may do: which thread, worker or packet comes next, whether a completion
/// comes inside the call, whether a call fails, when a server answers. `body` must hold in each schedule. Assert what is true however
/// it ends ("the client is done, and has closed its handles"), and assert success only if [`Sim::faulted`] is false. The
/// expectations of peers are checked only in runs without an injected fault; misuse, leaks and hangs fail any run.
///
/// The same test makes the same runs. `WINHTTP_SEED` makes other random ones, `WINHTTP_REPLAY` runs a single one.
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
/// If a schedule fails. The report has the smallest schedule that still fails, the faults that were injected, the complaint, the
/// trace with the deviating choices in it, and, as the last line, the command that repeats that run.
#[track_caller]
pub fn explore(body: impl Fn(&Sim)) -> Exploration {
    Explore::new().run(body)
}

/// The limit of an exploration, for [`Explore::budget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Budget {
    /// This much real time.
    Time(Duration),
    /// This many schedules.
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

/// An exploration with settings; [`explore`] is one without.
///
/// The methods [`exhaustive`](Explore::exhaustive), [`random`](Explore::random), [`pct`](Explore::pct), [`swarm`](Explore::swarm),
/// [`each_deviation`](Explore::each_deviation), [`each_late_thread`](Explore::each_late_thread) and
/// [`each_fault`](Explore::each_fault) select strategies, which run one after the other. Without any of them the default portfolio of
/// [`explore`] runs.
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
    /// An exploration with the default portfolio.
    pub fn new() -> Explore {
        Explore::default()
    }

    fn with(mut self, strategy: Strategy) -> Explore {
        self.strategies.push(strategy);
        self
    }

    /// Every schedule, without faults and with servers that answer at once, unless [`faults`](Explore::faults) and
    /// [`pace`](Explore::pace) say otherwise. Without bounds, other threads may run between any two callbacks, and
    /// schedules that differ only in the order of independent steps are visited once. For bounds see
    /// [`preemptions`](Explore::preemptions) and [`deviations`](Explore::deviations).
    pub fn exhaustive(self) -> Explore {
        self.with(Strategy::Exhaustive)
    }

    /// This many schedules in which every choice is random.
    ///
    /// # Panics
    /// If there are to be none.
    #[track_caller]
    pub fn random(self, runs: usize) -> Explore {
        assert!(runs > 0, "no schedule would be run");
        self.with(Strategy::Random(runs))
    }

    /// This many schedules by random priorities (PCT). A bug that needs `depth` events in a certain order, among `n` threads and
    /// requests and `k` steps, is found in each schedule with a probability of at least 1/(n·k^(depth-1)).
    ///
    /// # Panics
    /// If there are to be no schedules, or no events.
    #[track_caller]
    pub fn pct(self, depth: usize, runs: usize) -> Explore {
        assert!(runs > 0, "no schedule would be run");
        assert!(depth > 0, "a bug needs one event at least");
        self.with(Strategy::Pct { depth, runs })
    }

    /// This many schedules that are each unusual in a few random ways: faults, deliveries, orders, slow servers (swarm testing).
    ///
    /// # Panics
    /// If there are to be none.
    #[track_caller]
    pub fn swarm(self, runs: usize) -> Explore {
        assert!(runs > 0, "no schedule would be run");
        self.with(Strategy::Swarm(runs))
    }

    /// The usual schedule, then the same with each of its choices changed, one at a time; without faults.
    pub fn each_deviation(self) -> Explore {
        self.with(Strategy::Deviations { faults: false })
    }

    /// The usual schedule, with each thread of [`Sim::spawn`] or [`Sim::actor`] started at each point at which it could start, and
    /// each time once more interrupted at its first call. So a thread that cancels does so at every moment.
    pub fn each_late_thread(self) -> Explore {
        self.with(Strategy::Late)
    }

    /// The usual schedule, then the same with each point that can fail failing, one at a time: see [`torture`](super::torture).
    pub fn each_fault(self) -> Explore {
        self.with(Strategy::Deviations { faults: true })
    }

    /// The largest number of injected faults in one schedule; any call and any stage of a request can fail. By default 1, and 0 in
    /// [`exhaustive`](Explore::exhaustive).
    pub fn faults(mut self, at_most: u32) -> Explore {
        self.faults = Some(at_most);
        self
    }

    /// Whether servers may be slow with the head, the body, its pieces and its end (see [`Pace`](super::Pace)). By default true, in
    /// [`exhaustive`](Explore::exhaustive) false. In a Sim over bytes servers are never slow.
    pub fn pace(mut self, may: bool) -> Explore {
        self.pace = Some(may);
        self
    }

    /// Bounds [`exhaustive`](Explore::exhaustive): only schedules with at most this many preemptions, which interrupt a thread
    /// that could have continued (as in CHESS). Independent steps are then not skipped, because a schedule within the bound could be left
    /// out for one beyond it. With 0, a callback runs without interruption, and so does a thread until it waits or ends; independent
    /// steps are then skipped.
    pub fn preemptions(mut self, at_most: usize) -> Explore {
        self.preemptions = Some(at_most);
        self
    }

    /// Bounds [`exhaustive`](Explore::exhaustive): only schedules with at most this many unusual choices of any kind (as in delay
    /// bounding). Most bugs need one or two. Independent steps are then not skipped, as with [`preemptions`](Explore::preemptions).
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

    /// Lets other threads run before each callback, also between two callbacks that one worker delivers in a row.
    pub fn every_notification(mut self) -> Explore {
        self.setup.offers.notifications = true;
        self
    }

    /// Seed of the random choices, 0 by default; `WINHTTP_SEED` takes precedence.
    pub fn seed(mut self, seed: u64) -> Explore {
        self.seed = Some(seed);
        self
    }

    /// The limit: a [`Duration`] of real time, or a number of schedules. By default two seconds for the portfolio, and no limit for
    /// selected strategies.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn budget(mut self, budget: impl Into<Budget>) -> Explore {
        let budget = budget.into();
        assert!(!matches!(budget, Budget::Runs(0) | Budget::Time(Duration::ZERO)), "no schedule would be run");
        self.budget = Some(budget);
        self
    }

    /// States that callbacks of different handles share no memory of the program. Then their order does not matter, and fewer
    /// schedules need to be visited. What a thread does belongs to the handle of its last call; before its first, to that of
    /// the last call of the thread that started it. So start the thread that cancels a request right after the request.
    pub fn independent_handles(mut self) -> Explore {
        self.setup.apart = true;
        self
    }

    /// Visits also schedules that differ only in the order of independent steps: to compare.
    pub fn unreduced(mut self) -> Explore {
        self.unreduced = true;
        self
    }

    /// The delivery policy of each run, where no choice says otherwise: see [`Builder::policy`](super::Builder::policy).
    pub fn policy(mut self, policy: Policy) -> Explore {
        self.setup.policy = policy;
        self
    }

    /// The version of Windows of each run: see [`Builder::profile`](super::Builder::profile).
    pub fn profile(mut self, profile: Profile) -> Explore {
        self.setup.profile = profile;
        self
    }

    /// Keeps every schedule that was run in [`Exploration::visited`].
    pub fn keep_schedules(mut self) -> Explore {
        self.keep = true;
        self
    }

    /// Continues where an earlier exploration with the same file stopped. The file is written from time to time and when the budget
    /// is used up, and removed when nothing is left.
    pub fn resume(mut self, file: impl Into<PathBuf>) -> Explore {
        self.resume = Some(file.into());
        self
    }

    /// Runs one part of the schedules, counted from 1: `shard(1, 8)` to `shard(8, 8)` together visit exactly what one exploration
    /// does. The variable `WINHTTP_SHARD=1/8` does the same.
    ///
    /// # Panics
    /// If `part` is not between 1 and `of`.
    #[track_caller]
    pub fn shard(mut self, part: usize, of: usize) -> Explore {
        assert!(1 <= part && part <= of, "there is no part {part} of {of}");
        self.shard = Some((part, of));
        self
    }

    /// Runs the schedules in child processes, as many at a time as there are processors. If one dies by a signal, an abort or a
    /// sanitizer's report, the exploration fails, and names the schedule in which it died. Such a schedule is not shrunk.
    ///
    /// A child is the same test of the same program, so each child also does what the test does before the exploration. The output
    /// of a child is shown only if it dies. A test may have only one such exploration.
    ///
    /// ```
    /// use portable_winhttp::lab::Explore;
    /// let options = Explore::new().random(1000).isolated();
    /// ```
    pub fn isolated(mut self) -> Explore {
        self.isolated = Some(std::thread::available_parallelism().map_or(2, usize::from));
        self
    }

    /// Runs only this schedule. The variable `WINHTTP_REPLAY` takes precedence.
    pub fn replay(mut self, schedule: Choices) -> Explore {
        self.replay = Some(schedule);
        self
    }

    /// Explores `body`: see [`explore`].
    ///
    /// # Panics
    /// If a schedule fails, with a report of it; if `body` does something else with the same choices; if an assertion of
    /// [`Sim::sometimes`] was never true.
    #[track_caller]
    pub fn run(self, body: impl Fn(&Sim)) -> Exploration {
        // Not in a closure, which would not know who called.
        match self.check(body) {
            Ok(explored) => explored,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// As [`run`](Explore::run), but returns the report instead of panicking.
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
