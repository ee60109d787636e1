//! One run of a body: under a chooser, with everything known of it at its end.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::coverage;
use super::isolated;
use super::panics::{self, Heard};
use crate::delivery::Policy;
use crate::lab::choices::{Choices, Offers};
use crate::lab::chooser::Chooser;
use crate::lab::mistakes::Report;
use crate::lab::points::Passed;
use crate::lab::profile::Profile;
use crate::lab::sim::Sim;
use crate::record::Trace;
use crate::verify::Stop;

/// What each run of an exploration has in common.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    pub offers: Offers,
    pub policy: Policy,
    pub profile: Profile,
    /// Whether callbacks of different handles have nothing in common.
    pub apart: bool,
    /// How many calls without the time moving are too many, where the usual run has told that.
    pub calls: Option<u64>,
}

/// What became of a run.
pub struct Run {
    pub choices: Choices,
    /// Who was passed over at each of them, if somebody was.
    pub passed: Vec<Option<Arc<str>>>,
    /// The most calls and returns that were made while no time passed.
    pub busiest: u64,
    /// Whether the body asked its Sim for nothing.
    pub idle: bool,
    pub failure: Option<Failure>,
    pub uncontrolled: Option<String>,
    pub sometimes: BTreeMap<String, bool>,
    pub reached: BTreeSet<String>,
    /// The points at which something could fail.
    pub points: Vec<String>,
    /// As far as its last mistake.
    pub trace: Trace,
}

impl Run {
    /// Whether it passed without anything that a Sim knows of.
    pub fn did_nothing(&self) -> bool {
        self.idle && self.failure.is_none() && self.trace.events.is_empty() && self.sometimes.is_empty()
    }
}

/// Why a run fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What panicked, with its place; or nothing.
    pub said: Option<String>,
    pub report: Report,
}

/// Whether a callback came with a context that was freed: it is not called, and what the client does without it says nothing.
pub fn is_freed_context(line: &str) -> bool {
    line.contains("comes with a context that was freed")
        && [Stop::ContextFreed, Stop::ContextFreedOnFailure].iter().any(|stop| line.starts_with(stop.id()))
}

impl Failure {
    /// What is the same when the same goes wrong in another schedule.
    pub fn kind(&self) -> String {
        let stop = |line: &str| {
            let (id, level) = line.split_once(' ')?;
            (id.len() == 3 && id.starts_with('W') && level.starts_with("error")).then(|| id.to_owned())
        };
        let text = match &self.said {
            _ if self.report.lines.iter().any(|line| is_freed_context(line)) => "freed context".to_owned(),
            Some(said) if !said.starts_with("HANG") => said.rsplit(" at ").next().unwrap_or_default().to_owned(),
            Some(_) => "HANG".to_owned(),
            None => {
                let lines = self.report.lines.iter().filter(|line| !line.starts_with("fault injected"));
                let first = lines.clone().find_map(|line| stop(line));
                first.or_else(|| lines.clone().next().map(|line| line.chars().take(24).collect())).unwrap_or_default()
            }
        };
        text.lines().next().unwrap_or_default().to_owned()
    }
}

/// Runs `body` once.
pub fn run(body: &dyn Fn(&Sim), setup: &Setup, chooser: Box<dyn Chooser>, notes: bool) -> Run {
    let former = panics::heard();
    let heard = Heard::begin();
    let builder = Sim::builder().policy(setup.policy).profile(setup.profile.clone());
    let chooser = isolated::noted(chooser, setup.offers);
    let sim = builder.explored(setup.offers, chooser).build();
    let scheduler = sim.world().scheduler();
    heard.watch(scheduler);
    if setup.apart {
        scheduler.set_apart();
    }
    if let Some(calls) = setup.calls {
        scheduler.limit_calls(calls);
    }
    if notes {
        scheduler.note_choices();
    }
    let idle = Cell::new(false);
    let whole = || {
        body(&sim);
        idle.set(scheduler.is_untouched() && sim.world().has_no_peers());
        sim.let_finish();
    };
    let panicked = catch_unwind(AssertUnwindSafe(whole)).is_err();
    let uncontrolled = sim.uncontrolled();
    let mut report = sim.conclude(panicked);
    let fails = panicked || report.fails;
    if isolated::is_child() || notes {
        // A process that dies at the end of a thread does so in the thread's own run.
        scheduler.join_idle();
    }
    let choices = sim.choices();
    let trace = if fails { report.trace.clone() } else { std::mem::take(&mut report.trace) };
    let run = Run {
        idle: idle.get(),
        failure: None,
        uncontrolled,
        sometimes: sim.world().taken_sometimes(),
        reached: coverage::of(&trace),
        points: sim
            .world()
            .faults
            .points(|points| points.passed().iter().map(Passed::to_string).collect())
            .unwrap_or_default(),
        trace,
        passed: scheduler.passed_over(),
        busiest: scheduler.busiest(),
        choices,
    };
    drop(sim);
    panics::hear(former);
    let said = panicked.then(|| heard.said().pop().unwrap_or_else(|| "the body panicked".to_owned()));
    let failure = fails.then(|| Failure { said, report });
    Run { failure, ..run }
}
