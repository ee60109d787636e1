//! What a scheduler knows: its threads, its jobs, its agenda.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::Body;
use crate::lab::chooser::{Candidate, Recorded};
use crate::lab::watch;

/// What a thread does.
pub(super) enum Doing {
    /// A worker without work.
    Idle,
    /// A worker that was given this and has not begun.
    Given(Body),
    /// It runs, if it has the token.
    Running,
    /// It could go on.
    Ready,
    /// It waits for something, and looked last when so much had happened.
    Waiting { what: String, limit: Limit, seen: u64 },
    /// It blocks in something that is not ours, or runs without the token after that.
    Foreign,
    /// A thread that is not the Sim's, between its calls.
    Outside,
}

/// How long a thread waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// As long as it takes.
    None,
    /// Until this time.
    Time(Duration),
    /// Until nothing can happen without the time moving.
    Settled,
    /// Until so many things have happened, or none can.
    Happened(u64),
}

pub(super) struct Thread {
    pub name: String,
    /// What the system calls it, where that is known.
    pub system: Option<u64>,
    pub doing: Doing,
    /// Whether it is not the Sim's: it has the token only during its calls.
    pub outside: bool,
}

impl Thread {
    /// Whether it blocked in something else and is awake now.
    pub fn comes_back(&self) -> bool {
        matches!(self.doing, Doing::Foreign) && self.system.is_some_and(|thread| watch::asleep(thread).is_none())
    }
}

/// Something that is planned.
pub(super) struct Plan {
    /// What it belongs to: things of one order keep their order.
    pub order: usize,
    /// The time does not move for it alone.
    pub idle: bool,
    pub act: Body,
}

pub(super) struct State {
    pub now: Duration,
    /// Who has the token.
    pub owner: Option<usize>,
    pub threads: Vec<Thread>,
    /// What workers are to do: a name for the thread, and the work.
    pub jobs: VecDeque<(String, Body)>,
    pub agenda: BTreeMap<(Duration, u64), Plan>,
    pub planned: u64,
    /// Counts what a waiting thread may have waited for.
    pub happened: u64,
    /// Counts candidates that were chosen.
    pub steps: u64,
    /// Counts how often the token was passed or a thread said that it runs.
    pub moves: u64,
    pub chooser: Recorded,
    /// Ways in for threads that have not come yet.
    pub entries: usize,
    pub uncontrolled: Option<String>,
    /// What the thread that made the Sim must fail with.
    pub failure: Option<String>,
    /// What it has failed with.
    pub raised: Option<String>,
    pub over: bool,
}

impl State {
    pub fn pass(&mut self, to: usize) {
        self.owner = Some(to);
        self.moves += 1;
        if !matches!(self.threads[to].doing, Doing::Given(_)) {
            self.threads[to].doing = Doing::Running;
        }
    }

    /// Whether a thread that is not governed may bring something.
    pub fn may_be_helped(&self) -> bool {
        let foreign = |thread: &Thread| matches!(thread.doing, Doing::Foreign | Doing::Outside);
        self.entries > 0 || self.threads.iter().any(foreign)
    }

    pub fn uncontrolled(&mut self, why: &str) {
        self.uncontrolled.get_or_insert_with(|| why.to_owned());
    }

    pub fn reached(&self, limit: Limit) -> bool {
        match limit {
            Limit::Time(time) => time <= self.now,
            Limit::Happened(steps) => steps <= self.steps,
            Limit::None | Limit::Settled => false,
        }
    }

    /// Whether the thread waits and has not looked since something happened, or its limit is reached.
    pub fn is_curious(&self, number: usize) -> bool {
        match &self.threads[number].doing {
            Doing::Waiting { limit: Limit::Settled, .. } => self.failure.is_some(),
            Doing::Waiting { limit: limit @ Limit::Happened(_), .. } => self.reached(*limit),
            Doing::Waiting { limit, seen, .. } => *seen < self.happened || self.reached(*limit),
            _ => false,
        }
    }

    pub fn curious(&self) -> Option<usize> {
        (0..self.threads.len()).find(|number| self.is_curious(*number))
    }

    pub fn who(&self, limited: impl Fn(Limit) -> bool) -> Option<usize> {
        self.threads.iter().position(|thread| match &thread.doing {
            Doing::Waiting { limit, .. } => limited(*limit),
            _ => false,
        })
    }

    /// What can happen now: work first, then threads, then the network.
    pub fn candidates(&self, candidates: &mut Vec<Candidate>) {
        candidates.extend((0..self.jobs.len()).map(Candidate::Begin));
        let ready = self.threads.iter().enumerate().filter(|(_, thread)| matches!(thread.doing, Doing::Ready));
        candidates.extend(ready.map(|(number, _)| Candidate::Resume(number)));
        let network = candidates.len();
        for plan in self.agenda.range(..=(self.now, u64::MAX)).map(|(_, plan)| plan) {
            let candidate = Candidate::Happen(plan.order);
            if !candidates[network..].contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }

    /// Moves the time to the next thing that happens; `false` if nothing ever will.
    pub fn advance(&mut self) -> bool {
        let end = self.threads.iter().filter_map(|thread| match &thread.doing {
            Doing::Waiting { limit: Limit::Time(time), .. } => Some(*time),
            _ => None,
        });
        let end = end.min();
        let awaited = end.is_some() || self.agenda.values().any(|plan| !plan.idle);
        let planned = self.agenda.first_key_value().map(|((time, _), _)| *time).filter(|_| awaited);
        let Some(next) = planned.into_iter().chain(end).min() else { return false };
        self.now = self.now.max(next);
        true
    }

    pub fn hang(&self) -> String {
        let waits = self.threads.iter().filter_map(|thread| match &thread.doing {
            Doing::Waiting { what, .. } => Some(format!("`{}` waits for {what}", thread.name)),
            Doing::Foreign => Some(format!("`{}` waits for something that is not the Sim's", thread.name)),
            _ => None,
        });
        format!("HANG: nothing can happen any more; {}", waits.collect::<Vec<_>>().join("; "))
    }
}
