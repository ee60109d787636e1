//! Goes through the strategies, run by run.

use std::io::{IsTerminal, Write};
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::isolated;
use super::late::{Late, Latest, Seen};
use super::random::{Deviating, Pct, Random, Shape, Swarm};
use super::report::{self, Exploration, Source};
use super::run::{Run, Setup, run};
use super::shrink::{deviations, shrink};
use super::tree::{Tree, Walk, Walking};
use super::{Budget, Explore, Strategy};
use crate::lab::choices::ChoiceKind;
use crate::lab::chooser::{Chooser, Replay, Usual};
use crate::lab::environment;
use crate::lab::sim::Sim;
use crate::sync::Mutex;

/// How long the default portfolio takes.
const PORTFOLIO: Duration = Duration::from_secs(2);
/// The part of that in which a small tree may be visited completely.
const SMALL: Duration = Duration::from_millis(600);
/// More random schedules than fit into the budget.
const MANY: usize = usize::MAX / 2;
/// How many of them are made where the complete tree was visited before.
const FEW: usize = 200;
/// So many calls and returns without the time moving are a program that runs in circles, or so many times what the usual run
/// made.
const CALLS: u64 = 2_000;
const TIMES: u64 = 20;
/// How often a schedule is tried that was disturbed.
const TRIES: u32 = 3;
/// How deep the bugs are that priorities look for.
const DEPTH: usize = 3;
/// Of a hundred choices of other kinds, so many are unusual in every other run by priorities.
const OTHERS: usize = 25;
/// How often the file is written from which an exploration goes on, and progress is told.
const EVERY: Duration = Duration::from_secs(2);
const TOLD: Duration = Duration::from_millis(200);

/// Where an exploration is, for a file.
#[derive(Default, Serialize, Deserialize)]
struct Place {
    strategy: usize,
    /// Runs of that strategy.
    index: usize,
    tree: Option<Tree>,
    schedules: u64,
}

struct Driving<'a> {
    options: &'a Explore,
    body: &'a dyn Fn(&Sim),
    exploration: Exploration,
    place: Place,
    shape: Shape,
    seed: u64,
    shard: Option<(usize, usize)>,
    began: Instant,
    budget: Option<Budget>,
    saved: Instant,
    told: Instant,
    /// No run of this body can be repeated: threads of its own come and go.
    ungoverned: bool,
    /// Schedules of a tree that were disturbed however often they were tried: what lies behind them was not visited.
    lost: u64,
}

/// Explores: what was, or the report of what fails.
pub fn explore(options: &Explore, body: &dyn Fn(&Sim), at: &Location<'_>) -> Result<Exploration, String> {
    if let Some(choices) = environment::replay().or_else(|| options.replay.clone()) {
        return replay(options, body, choices);
    }
    match (options.isolated, isolated::role()) {
        (None, _) => here(options, body),
        (Some(processes), None) => {
            let shard = environment::shard().or(options.shard);
            never(isolated::explore(processes, at, shard)?, shard)
        }
        (Some(_), Some(role)) if role.is_about(at) => {
            let options = role.options(options);
            role.end(&here(&options, body))
        }
        (Some(_), Some(_)) => Ok(Exploration::default()),
    }
}

/// What was, unless something was never true that was to be true at least once.
fn never(exploration: Exploration, shard: Option<(usize, usize)>) -> Result<Exploration, String> {
    let never = exploration.sometimes.iter().filter(|(_, held)| !**held).map(|(what, _)| what.as_str());
    let never: Vec<&str> = never.collect();
    // A part of the schedules says nothing of the whole.
    if never.is_empty() || shard.is_some() {
        return Ok(exploration);
    }
    Err(format!("never true in {exploration}: {}", never.join(", ")))
}

/// Explores in this process.
fn here(options: &Explore, body: &dyn Fn(&Sim)) -> Result<Exploration, String> {
    let portfolio = options.strategies.is_empty();
    let mut driving = Driving {
        options,
        body,
        exploration: Exploration::default(),
        place: load(options.resume.as_deref()),
        shape: Shape::default(),
        seed: environment::seed().or(options.seed).unwrap_or(0),
        shard: environment::shard().or(options.shard),
        began: Instant::now(),
        budget: options.budget.or(portfolio.then_some(Budget::Time(PORTFOLIO))),
        saved: Instant::now(),
        told: Instant::now(),
        ungoverned: false,
        lost: 0,
    };
    driving.exploration.schedules = driving.place.schedules;
    driving.all()?;
    driving.finish()
}

fn replay(
    options: &Explore,
    body: &dyn Fn(&Sim),
    choices: crate::lab::choices::Choices,
) -> Result<Exploration, String> {
    let setup = Setup { offers: choices.offers, ..options.setup.clone() };
    let again = run(body, &setup, Box::new(Replay::new(choices.clone())), true);
    if again.failure.is_some() {
        return Err(report::failing(&again, &Source::Given(choices)));
    }
    let mut exploration = Exploration::default();
    exploration.take(&again, options.keep);
    Ok(exploration)
}

fn load(file: Option<&Path>) -> Place {
    let Some(text) = file.and_then(|file| std::fs::read_to_string(file).ok()) else { return Place::default() };
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("the file of an exploration cannot be read: {error}"))
}

impl Driving<'_> {
    /// The choices that are offered in a strategy.
    fn setup(&self, strategy: Strategy) -> Setup {
        let mut setup = self.options.setup.clone();
        setup.calls = (self.shape.busiest > 0).then(|| CALLS.max(TIMES * self.shape.busiest));
        let complete = matches!(strategy, Strategy::Exhaustive | Strategy::IfSmall);
        setup.offers.faults = self.options.faults.unwrap_or(u32::from(!complete));
        setup.offers.pace = self.options.pace.unwrap_or(!complete);
        // A step is at most one callback: else two steps in another order would not be the same.
        setup.offers.between = complete && self.is_reduced();
        setup.offers.whole = complete && self.options.preemptions == Some(0);
        if strategy == (Strategy::Deviations { faults: true }) {
            setup.offers.faults = setup.offers.faults.max(1);
            setup.offers.pace = self.options.pace.unwrap_or(false);
        }
        setup
    }

    fn strategies(&self) -> Vec<Strategy> {
        if !self.options.strategies.is_empty() {
            return self.options.strategies.clone();
        }
        vec![
            Strategy::Deviations { faults: false },
            Strategy::Late,
            Strategy::BehindAll,
            Strategy::Deviations { faults: true },
            Strategy::IfSmall,
            // By turns, until the budget is used up.
            Strategy::Swarm(MANY),
        ]
    }

    fn all(&mut self) -> Result<(), String> {
        let strategies = self.strategies();
        self.look_twice(self.setup(strategies[0]))?;
        self.exploration.complete = true;
        while let Some(strategy) = strategies.get(self.place.strategy).copied() {
            let done = match strategy {
                Strategy::Deviations { .. } | Strategy::BehindAll => self.deviate(strategy)?,
                Strategy::Late => self.put_off(strategy)?,
                Strategy::Exhaustive => self.walk(strategy, None)?,
                Strategy::IfSmall => {
                    self.walk(strategy, Some(Instant::now() + SMALL))?;
                    true
                }
                Strategy::Random(runs) | Strategy::Swarm(runs) | Strategy::Pct { runs, .. } => {
                    self.by_chance(strategy, runs)?
                }
            };
            if !done {
                self.exploration.complete = false;
                break;
            }
            self.place = Place { strategy: self.place.strategy + 1, ..Place::default() };
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Exploration, String> {
        self.tell(true);
        self.exploration.left += self.lost;
        self.exploration.complete &= self.lost == 0;
        if let Some(file) = &self.options.resume {
            match self.exploration.complete {
                true => drop(std::fs::remove_file(file)),
                false => self.save(),
            }
        }
        self.exploration.took = self.began.elapsed();
        never(self.exploration, self.shard)
    }

    /// The usual run twice: what differs is no matter of schedules.
    fn look_twice(&mut self, setup: Setup) -> Result<(), String> {
        let first = self.undisturbed(&setup, || Box::new(Usual));
        let second = self.undisturbed(&setup, || Box::new(Usual));
        if first.did_nothing() && second.did_nothing() {
            return Err(
                "the body does nothing in its Sim: no call of WinHTTP, no thread, no wait; is the client used on the \
                        thread of the test, or on one that Sim::spawn or Sim::entry takes in?"
                    .to_owned(),
            );
        }
        self.shape.steps = first.choices.iter().filter(|choice| choice.kind == ChoiceKind::Next).count();
        self.shape.faults = first.choices.iter().filter(|choice| choice.kind == ChoiceKind::Fault).count();
        self.shape.busiest = first.busiest;
        self.exploration.faults.clone_from(&first.points);
        self.exploration.uncontrolled = first.uncontrolled.clone().or(second.uncontrolled.clone());
        if self.exploration.uncontrolled.is_some() {
            self.ungoverned = true;
            return Ok(());
        }
        let mut pairs = first.choices.iter().zip(second.choices.iter()).enumerate();
        let differs = pairs
            .find(|(_, (one, other))| one != other)
            .map(|(at, (one, other))| format!("at choice {}: {one:#} in the first, {other:#} in the second", at + 1));
        let longer = (first.choices.len() != second.choices.len()).then(|| "one of them made more choices".to_owned());
        let callbacks = [&first, &second].map(|run| run.trace.callbacks());
        let mut lines = callbacks[0].lines().zip(callbacks[1].lines());
        let told = lines.find(|(one, other)| one != other).map(|(one, other)| format!("first `{one}`, then `{other}`"));
        match differs.or(longer).or(told) {
            Some(what) => Err(format!(
                "two runs of the same schedule differ, {what}; something decides that no Sim governs: a clock, a random \
                 number, an address, a thread of its own (its time is Sim::elapsed, its threads are Sim::spawn's)"
            )),
            None => Ok(()),
        }
    }

    /// Whether the budget, or this strategy's time, is used up.
    fn is_over(&mut self, until: Option<Instant>) -> bool {
        self.tell(false);
        if self.options.resume.is_some() && self.saved.elapsed() > EVERY {
            self.saved = Instant::now();
            self.save();
        }
        let systematic = matches!(
            self.strategies().get(self.place.strategy),
            Some(Strategy::Deviations { .. } | Strategy::Late | Strategy::BehindAll)
        );
        let over = match self.budget {
            // The first part of the portfolio is small; a busy machine must not cut it short.
            Some(Budget::Time(_)) if self.options.budget.is_none() && systematic => false,
            Some(Budget::Time(time)) => self.began.elapsed() >= time,
            Some(Budget::Runs(runs)) => self.exploration.schedules >= runs as u64,
            None => false,
        };
        over || until.is_some_and(|until| Instant::now() >= until)
    }

    fn save(&mut self) {
        let Some(file) = &self.options.resume else { return };
        self.place.schedules = self.exploration.schedules;
        let written = serde_json::to_string(&self.place).map_err(std::io::Error::other);
        if let Err(error) = written.and_then(|text| std::fs::write(file, text)) {
            eprintln!("{}: {error}", file.display());
        }
    }

    /// Progress, on a terminal.
    fn tell(&mut self, end: bool) {
        let mut stderr = std::io::stderr();
        if !stderr.is_terminal() || self.began.elapsed() < TOLD || (!end && self.told.elapsed() < TOLD) {
            return;
        }
        self.told = Instant::now();
        let took = self.began.elapsed();
        let rate = self.exploration.schedules as f64 / took.as_secs_f64();
        let left = match self.budget {
            Some(Budget::Time(time)) => format!(", {:.1} s left", time.saturating_sub(took).as_secs_f32()),
            Some(Budget::Runs(runs)) => format!(" of {runs}"),
            None => String::new(),
        };
        let frontier = self.place.tree.as_ref().map_or_else(String::new, |tree| format!(", frontier {}", tree.left()));
        let line = format!("{} schedules, {rate:.0}/s{frontier}{left}", self.exploration.schedules);
        let _ = write!(stderr, "\r{line:<70}{}", if end { "\r\n" } else { "" });
    }

    fn is_mine(&self, index: usize) -> bool {
        self.shard.is_none_or(|(part, of)| index % of == part - 1)
    }

    /// One run that counts; one that fails ends the exploration.
    fn count(&mut self, setup: &Setup, run: Run) -> Result<(), String> {
        self.exploration.take(&run, self.options.keep);
        if run.failure.is_none() {
            return Ok(());
        }
        let before = deviations(&run).len();
        let (shrunk, runs) = shrink(self.body, setup, run);
        let noted = super::run::run(self.body, setup, Box::new(Replay::new(shrunk.choices.clone())), true);
        let last = if noted.failure.is_some() { &noted } else { &shrunk };
        let source = Source::Found { as_the: self.exploration.schedules, deviations: before, runs };
        Err(report::failing(last, &source))
    }

    fn deviate(&mut self, strategy: Strategy) -> Result<bool, String> {
        let setup = self.setup(strategy);
        let faults = strategy == Strategy::Deviations { faults: true };
        let late = strategy == Strategy::BehindAll;
        let base = match late {
            true => self.undisturbed(&setup, || Box::new(Latest)),
            false => run(self.body, &setup, Box::new(Usual), false),
        };
        if late && !base.choices.unusual() {
            // No thread begins.
            return Ok(true);
        }
        let mut all: Vec<Option<(usize, usize, ChoiceKind)>> = vec![None];
        for (at, choice) in base.choices.iter().enumerate() {
            if late || (choice.kind == ChoiceKind::Fault) == faults {
                all.extend((1..choice.options as usize).map(|option| Some((at, option, choice.kind))));
            }
        }
        let second = faults && self.place.strategy > 0;
        while self.place.index < all.len() {
            let deviation = all[self.place.index];
            let index = self.place.index;
            if self.is_mine(index) && !(second && deviation.is_none()) {
                if self.is_over(None) {
                    return Ok(false);
                }
                let deviations = deviation.map(|(at, option, kind)| (at, kind, option, String::new()));
                let chooser = Deviating::new(deviations.into_iter().collect());
                let chooser = if late { chooser.late() } else { chooser };
                let made = self.undisturbed(&setup, || Box::new(chooser.clone()));
                self.count(&setup, made)?;
            }
            self.place.index += 1;
        }
        Ok(true)
    }

    fn put_off(&mut self, strategy: Strategy) -> Result<bool, String> {
        let setup = self.setup(strategy);
        // As late as can be: at how many points each of them could have begun.
        let mut all = Vec::new();
        for which in 0.. {
            let mut seen = Arc::new(Seen::default());
            self.undisturbed(&setup, || {
                seen = Arc::new(Seen::default());
                Box::new(Late::new(which, usize::MAX, false, &seen))
            });
            if which >= seen.threads() {
                break;
            }
            let points = 0..=seen.points.load(Ordering::SeqCst);
            all.extend(points.flat_map(|point| [false, true].map(|interrupted| (which, point, interrupted))));
        }
        while let Some((which, point, interrupted)) = all.get(self.place.index).copied() {
            if self.is_mine(self.place.index) {
                if self.is_over(None) {
                    return Ok(false);
                }
                let chooser = || Box::new(Late::new(which, point, interrupted, &Arc::default())) as Box<dyn Chooser>;
                let made = self.undisturbed(&setup, chooser);
                self.count(&setup, made)?;
            }
            self.place.index += 1;
        }
        Ok(true)
    }

    /// Whether no schedule is left out for its length: where no thread is interrupted at all, steps are larger, and all of their
    /// orders are visited.
    fn is_reduced(&self) -> bool {
        self.options.preemptions.unwrap_or(0) == 0 && self.options.deviations.is_none()
    }

    fn walk(&mut self, strategy: Strategy, until: Option<Instant>) -> Result<bool, String> {
        let setup = self.setup(strategy);
        let Explore { preemptions, deviations, .. } = *self.options;
        let walk = Walk {
            reduced: self.is_reduced() && !self.options.unreduced,
            preemptions: preemptions.filter(|_| !setup.offers.whole),
            deviations,
            shard: self.shard,
        };
        let tree = Arc::new(Mutex::new(self.place.tree.take().unwrap_or_else(|| Tree::new(walk))));
        loop {
            if self.is_over(until) {
                let tree = std::mem::take(&mut *tree.lock());
                self.exploration.left += tree.left();
                self.exploration.pruned += tree.pruned;
                self.exploration.complete = false;
                self.place.tree = Some(tree);
                return Ok(false);
            }
            let length = tree.lock().length();
            let made = self.undisturbed(&setup, || {
                let mut begun = tree.lock();
                begun.forget(length);
                begun.begin();
                Box::new(Walking(Arc::clone(&tree)))
            });
            if made.uncontrolled.is_some() && !self.ungoverned {
                // It says nothing of what lies behind its choices.
                tree.lock().forget(length);
                self.lost += 1;
            }
            let governed = made.uncontrolled.is_none() && !self.ungoverned;
            if let Some(diverged) = tree.lock().diverged().filter(|_| governed) {
                return Err(diverged);
            }
            if tree.lock().counts() || made.failure.is_some() {
                self.count(&setup, made)?;
            }
            let more = tree.lock().advance();
            if self.options.resume.is_some() && self.saved.elapsed() > EVERY {
                self.place.tree = Some(std::mem::take(&mut *tree.lock()));
                self.save();
                *tree.lock() = self.place.tree.take().unwrap_or_default();
                self.saved = Instant::now();
            }
            if !more {
                self.exploration.pruned += tree.lock().pruned;
                return Ok(true);
            }
        }
    }

    /// A run. On a busy machine a thread may be taken for one that blocks in something else: such a run is made again.
    fn undisturbed(&self, setup: &Setup, mut chooser: impl FnMut() -> Box<dyn Chooser>) -> Run {
        let mut tries = 0;
        loop {
            let made = run(self.body, setup, chooser(), false);
            tries += 1;
            // Where no run is governed, none is made better by another.
            if made.uncontrolled.is_none() || tries == TRIES || self.ungoverned {
                return made;
            }
        }
    }

    fn by_chance(&mut self, strategy: Strategy, runs: usize) -> Result<bool, String> {
        let setup = self.setup(strategy);
        while self.place.index < runs {
            let index = self.place.index;
            if runs == MANY && self.exploration.complete && index >= FEW {
                break;
            }
            if self.is_mine(index) {
                if self.is_over(None) {
                    return Ok(runs == MANY);
                }
                let seed = self.seed.wrapping_add(index as u64);
                let shape = self.shape;
                let made = self.undisturbed(&setup, || match strategy {
                    Strategy::Random(_) => Box::new(Random::new(seed)),
                    Strategy::Pct { depth, .. } => Box::new(Pct::new(seed, depth, shape, 0)),
                    // By turns in the portfolio: odd ones, and priorities with and without other choices.
                    _ if runs == MANY && index % 2 == 1 => {
                        Box::new(Pct::new(seed, DEPTH, shape, OTHERS * (index / 2 % 2)))
                    }
                    _ => Box::new(Swarm::new(seed, shape)),
                });
                self.count(&setup, made)?;
            }
            self.place.index += 1;
        }
        Ok(true)
    }
}
