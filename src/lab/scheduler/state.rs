//! What a scheduler knows: its threads, its jobs, its agenda.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Body;
use crate::lab::chooser::{Actor, Candidate, Point, Recorded};
use crate::lab::explore::footprint::{Lineage, Thing};
use crate::lab::watch;
use crate::sync::Condvar;

/// What a thread does.
pub(super) enum Doing {
    /// A worker without work.
    Idle,
    /// A worker that was given this and has not begun.
    Given { body: Body, delivers: bool },
    /// It runs, if it has the token.
    Running,
    /// It could go on.
    Ready,
    /// It waits for something, and looked last when so much had happened; `asks`: it looked at the Sim, too, not only at the
    /// program's memory.
    Waiting { what: String, limit: Limit, seen: u64, asks: bool },
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
    pub name: Arc<str>,
    /// The handle whose callbacks it delivers, or that the program's code on it is about: that of its last call, before its
    /// first that of whoever started it.
    pub about: Option<u32>,
    /// Told when it gets the token.
    pub passed: Arc<Condvar>,
    /// What the system calls it, where that is known.
    pub system: Option<u64>,
    pub doing: Doing,
    /// To wait for its end.
    pub ends: Option<JoinHandle<()>>,
    /// Whether it is not the Sim's: it has the token only during its calls.
    pub outside: bool,
    /// Whether it runs one thread of the program and nothing else.
    pub own: bool,
}

impl Thread {
    pub fn new(name: &str, system: Option<u64>, doing: Doing, outside: bool) -> Thread {
        Thread {
            name: name.into(),
            about: None,
            passed: Arc::default(),
            system,
            doing,
            ends: None,
            outside,
            own: false,
        }
    }

    /// Whether it blocked in something else and is awake now.
    pub fn comes_back(&self) -> bool {
        matches!(self.doing, Doing::Foreign) && self.system.is_some_and(|thread| watch::asleep(thread).is_none())
    }
}

/// What a worker is to do.
pub(super) struct Work {
    pub number: u64,
    /// Of the thread that it makes, or of the handle whose callbacks it delivers.
    pub name: Arc<str>,
    /// Whether it delivers callbacks, and nothing else.
    pub delivers: bool,
    /// The handle whose callbacks it delivers, or after whose call it was given out.
    pub about: Option<u32>,
    pub body: Body,
}

/// Whose memory the program's code touches, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Anything.
    Anything,
    /// What belongs to this handle.
    Handle(u32),
    /// What belongs to the handle of the thread's last call; anything, where there was none.
    Same,
}

/// Something that is planned.
pub struct Plan {
    /// The sequence that it belongs to: things of one keep their order.
    pub sequence: usize,
    /// The time does not move for it alone.
    pub idle: bool,
    /// It is a step on the way to a server, of which nobody is told.
    pub on_the_way: bool,
    /// Set when nobody wants it any more: it never happens then.
    pub over: Option<Arc<AtomicBool>>,
    pub act: Body,
}

impl Plan {
    /// Something that is wanted in any case, and for which the time moves.
    pub fn new(sequence: usize, act: Body) -> Plan {
        Plan { sequence, idle: false, on_the_way: false, over: None, act }
    }

    fn is_wanted(&self) -> bool {
        self.over.as_ref().is_none_or(|over| !over.load(Ordering::SeqCst))
    }
}

/// So many calls and returns without the time moving are a program that runs in circles, where nothing better is known.
pub(super) const BUSY: u64 = 20_000;

pub(super) struct State {
    pub now: Duration,
    /// Who has the token.
    pub owner: Option<usize>,
    pub threads: Vec<Thread>,
    pub jobs: VecDeque<Work>,
    /// Counts what workers were given to do.
    pub posted: u64,
    /// The handles that sequences belong to, by name, and with those that they were made from.
    pub sequences: HashMap<usize, (Arc<str>, Lineage)>,
    /// Whether each handle has memory of its own.
    pub apart: bool,
    pub agenda: BTreeMap<(Duration, u64), Plan>,
    /// Whose step on the way to a server happens now.
    pub under_way: Option<Lineage>,
    pub planned: u64,
    /// Counts what a waiting thread may have waited for.
    pub happened: u64,
    /// Something was done outside, and nobody has looked since.
    pub outside: bool,
    /// Counts candidates that were chosen.
    pub steps: u64,
    /// Counts how often the token was passed or a thread said that it runs.
    pub moves: u64,
    /// Counts calls and returns since the time moved last.
    pub busy: u64,
    /// The most of them.
    pub busiest: u64,
    /// How many of them are too many.
    pub busy_at_most: u64,
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
        self.threads[to].passed.notify_all();
        if !matches!(self.threads[to].doing, Doing::Given { .. }) {
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
    pub fn candidates(&mut self, candidates: &mut Vec<Candidate>) {
        self.agenda.retain(|_, plan| plan.is_wanted());
        candidates.extend(self.jobs.iter().map(|work| {
            let step = if work.delivers { "deliver" } else { "begin" };
            Candidate { actor: Actor::Work(work.number), name: Arc::clone(&work.name), step }
        }));
        let ready = self.threads.iter().enumerate().filter(|(_, thread)| matches!(thread.doing, Doing::Ready));
        candidates.extend(ready.map(|(number, _)| self.thread(number)));
        let network = candidates.len();
        for plan in self.agenda.range(..=(self.now, u64::MAX)).map(|(_, plan)| plan) {
            let actor = Actor::Network(plan.sequence);
            if !candidates[network..].iter().any(|candidate| candidate.actor == actor) {
                let name =
                    self.sequences.get(&plan.sequence).map_or_else(|| "network".into(), |(name, _)| Arc::clone(name));
                candidates.push(Candidate { actor, name, step: "network" });
            }
        }
    }

    /// A thread goes on.
    pub fn thread(&self, number: usize) -> Candidate {
        Candidate { actor: Actor::Thread(number), name: Arc::clone(&self.threads[number].name), step: "" }
    }

    /// A call begins, or returns.
    pub fn count_call(&mut self) {
        self.busy += 1;
        self.busiest = self.busiest.max(self.busy);
    }

    /// The chooser's choice. A run that cannot go on as its chooser wants fails.
    pub fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        let taken = self.chooser.choose(point, options);
        if let Some(why) = self.chooser.stopped() {
            self.failure.get_or_insert(why);
            self.happened += 1;
        }
        taken
    }

    /// The program's code runs on a thread.
    pub fn runs(&mut self, number: usize, about: About) {
        let thread = &mut self.threads[number];
        let touched = self.chooser.touched();
        match about {
            _ if !self.apart => touched.program(),
            About::Anything => touched.program(),
            About::Handle(handle) => {
                touched.changes(Thing::Memory(handle));
                thread.about = Some(handle);
            }
            About::Same => match thread.about {
                Some(handle) => touched.changes(Thing::Memory(handle)),
                None => touched.program(),
            },
        }
    }

    /// Plans something; never earlier than now.
    pub fn plan(&mut self, time: Duration, plan: Plan) {
        self.planned += 1;
        self.agenda.insert((time.max(self.now), self.planned), plan);
    }

    /// A step of a sequence of the network. One of nobody's may be anybody's, and somebody may wait for it.
    pub fn carries(&mut self, sequence: usize, on_the_way: bool) {
        match self.sequences.get(&sequence) {
            Some((_, lineage)) if on_the_way => {
                self.chooser.touched().goes_on(lineage);
                self.under_way = Some(Arc::clone(lineage));
            }
            Some((_, lineage)) => self.chooser.touched().handle(lineage, true),
            None => {
                self.chooser.touched().all();
                self.happened += 1;
            }
        }
    }

    /// The network has done something. The program's memory is as it was: only those look again who look at more.
    pub fn carried(&mut self) {
        self.under_way = None;
        let asks = |thread: &Thread| matches!(thread.doing, Doing::Waiting { asks: true, .. });
        self.happened += u64::from(self.threads.iter().any(asks));
        self.moves += 1;
    }

    /// Whether a thread counts the steps: none of them may change places.
    pub fn counted(&self) -> bool {
        let counts = |thread: &Thread| matches!(thread.doing, Doing::Waiting { limit: Limit::Happened(_), .. });
        self.threads.iter().any(counts)
    }

    /// Wakes whoever sleeps.
    pub fn wake_all(&self) {
        for thread in &self.threads {
            thread.passed.notify_all();
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
        self.busy = 0;
        true
    }

    /// More calls than any program makes while no time passes.
    pub fn is_livelock(&self) -> bool {
        self.busy > self.busy_at_most
    }

    pub fn hang(&self) -> String {
        let waits = self.threads.iter().filter_map(|thread| match &thread.doing {
            Doing::Waiting { what, .. } => Some(format!("`{}` waits for {what}", thread.name)),
            Doing::Foreign => Some(format!("`{}` waits for something that is not the Sim's", thread.name)),
            Doing::Outside => Some(format!("`{}` is a thread outside, between its calls", thread.name)),
            _ => None,
        });
        let waits = waits.collect::<Vec<_>>().join("; ");
        let strange = |thread: &Thread| matches!(thread.doing, Doing::Foreign | Doing::Outside);
        let hint = match self.threads.iter().any(strange) {
            true => {
                "\n  a thread that the Sim did not make takes part in it by Sim::entry; what waits in std, tokio or another \
                 runtime, timers among them, does not see the Sim's time: wait with Sim::block_on, Sim::block_until or \
                 lab::wait_until, and take the time from Sim::elapsed"
            }
            false => "",
        };
        format!("HANG: nothing can happen any more; {waits}{hint}")
    }
}
