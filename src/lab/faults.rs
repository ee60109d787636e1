//! What goes wrong in a Sim: the faults that are armed, and what the calls in progress were struck by.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::choices::Offers;
use super::chooser::{Pace, Point};
use super::explore::footprint::Thing;
use super::fault::{self, Armed, Fault, FaultKind, FaultTrigger, Stage};
use super::peer::Peer;
use super::points::Points;
use super::scheduler::Scheduler;
use crate::record::Operation;
use crate::sync::{Mutex, MutexGuard};
use crate::win32::Win32Error;
use crate::world::Unspecified;

#[derive(Default)]
struct State {
    armed: Vec<Armed>,
    /// What the calls in progress on each thread were struck by, innermost last.
    calls: HashMap<ThreadId, Vec<Vec<FaultKind>>>,
    /// The fault points, if some may fail.
    points: Option<Points>,
    /// How the servers of the attempts take their time, by their sequences, and how many pieces are still to come late.
    paces: HashMap<usize, (Pace, u32)>,
}

/// How late what is late comes: later than everything that needs no time.
const LATE: Duration = Duration::from_millis(10);
/// How many pieces of a body come late, one byte each.
const PIECES: u32 = 3;
/// So many bytes in a second are one in the time in which a slow body brings a piece.
const BYTE_BY_BYTE: u64 = 10;

/// See the module.
pub struct Faults {
    scheduler: Arc<Scheduler>,
    /// Whether servers may take their time.
    pace: bool,
    state: Mutex<State>,
}

impl Faults {
    pub fn new(scheduler: &Arc<Scheduler>, offers: Offers) -> Faults {
        let points = (offers.faults > 0).then(|| Points::new(offers.faults));
        let state = State { points, ..State::default() };
        Faults { scheduler: Arc::clone(scheduler), pace: offers.pace, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Whether a fault that may strike does: one that does takes others their chance.
    fn may(&self) -> impl FnMut(&str) -> bool + use<'_> {
        |what| {
            let strikes = self.scheduler.choose(Point::Fault(what));
            self.scheduler.touch(|footprint| match strikes {
                true => footprint.changes(Thing::Faults),
                false => footprint.sees(Thing::Faults),
            });
            strikes
        }
    }

    pub fn arm(&self, fault: Fault) {
        self.lock().armed.push(Armed::new(fault));
    }

    /// What has struck, in words.
    pub fn struck_ones(&self) -> Vec<String> {
        let state = self.lock();
        let points = state.points.iter().flat_map(|points| points.struck()).map(ToString::to_string);
        let armed = state.armed.iter().filter(|armed| armed.struck()).map(|armed| armed.fault.to_string());
        points.chain(armed).collect()
    }

    /// Whether a call of this function was refused.
    pub fn has_refused(&self, function: &str) -> bool {
        let state = self.lock();
        let mut points = state.points.iter().flat_map(|points| points.struck());
        let mut armed = state.armed.iter().filter(|armed| armed.struck());
        points.any(|point| point.is_call(function)) || armed.any(|armed| armed.fault.refuses(function))
    }

    /// The faults of the Sim that have never struck.
    pub fn idle(&self) -> Vec<Fault> {
        let state = self.lock();
        let idle = state.armed.iter().filter(|armed| !armed.struck() && !armed.fault.may);
        idle.map(|armed| armed.fault.clone()).collect()
    }

    pub fn points<R>(&self, look: impl FnOnce(&Points) -> R) -> Option<R> {
        self.lock().points.as_ref().map(look)
    }

    /// What strikes a request: faults of its reply, of its peer, of the Sim; else its server may take its time.
    pub fn at(
        &self,
        when: &FaultTrigger,
        peer: Option<&Peer>,
        of_reply: &mut [Armed],
        sequence: Option<usize>,
    ) -> Option<FaultKind> {
        let mut may = self.may();
        let replys = fault::first(of_reply, when, "", &mut may);
        let peers = peer.and_then(|peer| peer.meets(when, &mut may));
        let mut state = self.lock();
        if state.armed.iter().any(|armed| armed.fault.when.is_of_network()) {
            // They count what happens to all.
            self.scheduler.touch(|footprint| footprint.changes(Thing::Faults));
            self.scheduler.counts();
        }
        if let Some(peer) = peer.filter(|peer| peer.is_faulty()) {
            self.scheduler.touch(|footprint| footprint.changes(Thing::server(peer.origin())));
            self.scheduler.counts();
        }
        if state.points.is_some() {
            self.scheduler.counts();
        }
        let point = state.points.as_mut().and_then(|points| points.stage(when, &mut may));
        let sims = fault::first(&mut state.armed, when, "", &mut may);
        drop(state);
        point.or(replys).or(peers).or(sims).or_else(|| self.pace(when, sequence?))
    }

    /// What would strike there, if anything could: the faults that are armed.
    pub fn in_vain(&self, when: &FaultTrigger, peer: Option<&Peer>, of_reply: &mut [Armed]) -> Option<FaultKind> {
        let mut may = self.may();
        let replys = fault::first(of_reply, when, "", &mut may);
        let peers = peer.and_then(|peer| peer.meets(when, &mut may));
        replys.or(peers).or_else(|| fault::first(&mut self.lock().armed, when, "", &mut may))
    }

    /// What the server of the attempt with this sequence does to time.
    fn pace(&self, when: &FaultTrigger, sequence: usize) -> Option<FaultKind> {
        let FaultTrigger::Stage(stage) = when else { return None };
        if !self.pace {
            return None;
        }
        let mut state = self.lock();
        if *stage == Stage::Head {
            let pace = Pace::ALL[self.scheduler.choose_of(Point::Pace, Pace::ALL.len())];
            state.paces.insert(sequence, (pace, if pace == Pace::Pieces { PIECES } else { 1 }));
        }
        let (pace, left) = state.paces.get_mut(&sequence)?;
        let late = match (*pace, stage) {
            (Pace::LateHead, Stage::Head) | (Pace::LateBody, Stage::Read) | (Pace::LateEnd, Stage::Close) => {
                FaultKind::Delay(LATE)
            }
            (Pace::Pieces, Stage::Read) => FaultKind::Slow(BYTE_BY_BYTE),
            _ => return None,
        };
        *left = left.checked_sub(1)?;
        Some(late)
    }

    /// How many of so many bytes come at a time.
    pub fn length(&self, bytes: usize) -> usize {
        match self.scheduler.choose_of(Point::Length(bytes), 3) {
            0 => bytes,
            1 => 1,
            _ => bytes.div_ceil(2),
        }
    }

    /// Everything that strikes at a call or a callback; `handle` names its handle, if anybody asks.
    pub fn strikes(&self, when: &FaultTrigger, handle: impl FnOnce() -> String) -> Vec<FaultKind> {
        let mut state = self.lock();
        if state.armed.is_empty() {
            return Vec::new();
        }
        if state.armed.iter().any(|armed| !armed.fault.when.is_of_network()) {
            self.scheduler.touch(|footprint| footprint.changes(Thing::Faults));
        }
        let (handle, mut may) = (handle(), self.may());
        state.armed.iter_mut().filter_map(|armed| armed.strikes(when, &handle, &mut may)).collect()
    }

    /// A call begins on this thread: what strikes there.
    pub fn call(&self, function: &str, handle: impl FnOnce() -> String) -> Vec<FaultKind> {
        let mut struck = self.strikes(&FaultTrigger::Call(function.to_owned()), handle);
        let mut state = self.lock();
        let mut may = self.may();
        struck.extend(state.points.as_mut().and_then(|points| points.call(function, &mut may)));
        state.calls.entry(thread::current().id()).or_default().push(struck.clone());
        struck
    }

    /// The innermost call of this thread is about to return: what struck it.
    pub fn end_call(&self) -> Vec<FaultKind> {
        self.lock().calls.get_mut(&thread::current().id()).and_then(Vec::pop).unwrap_or_default()
    }

    /// Whether a call is in progress on this thread.
    pub fn in_call(&self) -> bool {
        self.lock().calls.get(&thread::current().id()).is_some_and(|calls| !calls.is_empty())
    }

    /// Looks for something among what the innermost call of this thread was struck by.
    fn struck<R>(&self, look: impl Fn(&FaultKind) -> Option<R>) -> Option<R> {
        self.lock().calls.get(&thread::current().id())?.last()?.iter().find_map(look)
    }

    /// The error with which an operation ends whose context is bound.
    pub fn injected_error(&self, operation: Operation) -> Option<Win32Error> {
        let mut may = self.may();
        let point = self.lock().points.as_mut().and_then(|points| points.bound(operation, &mut may));
        point.or_else(|| self.struck(|what| if let FaultKind::RefuseBound(error) = what { Some(*error) } else { None }))
    }

    /// What is forced on the call where Windows leaves it open.
    pub fn forced(&self, open: Unspecified) -> Option<bool> {
        self.struck(|what| match (open, what) {
            (Unspecified::Inside(_) | Unspecified::ClosingInside, FaultKind::InCall(inside)) => Some(*inside),
            (Unspecified::WriteSideFirst, FaultKind::WriteSideFirst)
            | (Unspecified::CallbackRemoved, FaultKind::Accept) => Some(true),
            _ => None,
        })
    }
}
