//! What goes wrong in a Sim: the faults that are armed, and what the calls in progress were struck by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::chooser::Point;
use super::fault::{self, Armed, Fault, FaultKind, FaultTrigger};
use super::peer::Peer;
use super::points::Points;
use super::scheduler::Scheduler;
use crate::dispatch::Unspecified;
use crate::record::Operation;
use crate::win32::Win32Error;

#[derive(Default)]
struct State {
    armed: Vec<Armed>,
    /// What the calls in progress on each thread were struck by, innermost last.
    calls: HashMap<ThreadId, Vec<Vec<FaultKind>>>,
    /// The fault points, if they are counted.
    points: Option<Points>,
}

/// See the module.
pub struct Faults {
    scheduler: Arc<Scheduler>,
    state: Mutex<State>,
}

impl Faults {
    pub fn new(scheduler: &Arc<Scheduler>) -> Faults {
        Faults { scheduler: Arc::clone(scheduler), state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may(&self) -> impl FnMut(&str) -> bool + use<'_> {
        |what| self.scheduler.choose(Point::Fault(what))
    }

    pub fn arm(&self, fault: Fault) {
        self.lock().armed.push(Armed::new(fault));
    }

    /// Counts fault points from now on; the one with this number fails.
    pub fn count_points(&self, fails: Option<usize>) {
        self.lock().points = Some(Points::new(fails));
    }

    pub fn points<R>(&self, look: impl FnOnce(&Points) -> R) -> Option<R> {
        self.lock().points.as_ref().map(look)
    }

    /// What a request meets with: faults of its reply, of its peer, of the Sim.
    pub fn at(&self, when: &FaultTrigger, peer: Option<&Peer>, of_reply: &mut [Armed]) -> Option<FaultKind> {
        let mut may = self.may();
        let replys = fault::first(of_reply, when, "", &mut may);
        let peers = peer.and_then(|peer| peer.meets(when, &mut may));
        let mut state = self.lock();
        let point = state.points.as_mut().and_then(|points| points.stage(when));
        let sims = fault::first(&mut state.armed, when, "", &mut may);
        point.or(replys).or(peers).or(sims)
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
        let (handle, mut may) = (handle(), self.may());
        state.armed.iter_mut().filter_map(|armed| armed.strikes(when, &handle, &mut may)).collect()
    }

    /// A call begins on this thread: what strikes there.
    pub fn call(&self, function: &str, handle: impl FnOnce() -> String) -> Vec<FaultKind> {
        let mut struck = self.strikes(&FaultTrigger::Call(function.to_owned()), handle);
        let mut state = self.lock();
        struck.extend(state.points.as_mut().and_then(|points| points.call(function)));
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
        let point = self.lock().points.as_mut().and_then(|points| points.bound(operation));
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
