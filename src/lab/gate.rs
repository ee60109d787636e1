//! Gates: something waits there until a test lets it go on.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use crate::sync::{Condvar, Mutex};

use super::explore::footprint::Footprint;
use super::scheduler::{Body, Limit, Scheduler, asked};
use super::world::{wait_as_peer, wait_on};

#[derive(Default)]
struct Shared {
    open: AtomicBool,
    reached: AtomicUsize,
    /// What the network does when the gate opens, with the sequence that it belongs to.
    held: Mutex<Vec<(usize, Body)>>,
    /// Told to threads of the real world.
    opened: Condvar,
}

/// A gate: it stops a thread, a call, a callback or the network at one point until the test opens it. Clones are the same gate.
/// From [`Sim::gate`](super::Sim::gate) or `Live::gate`.
///
/// Threads stop at it with [`wait`](Gate::wait); calls, callbacks and the network stop at it by a [`Fault`](super::Fault). In a Sim
/// nothing depends on real time.
///
/// ```
/// use portable_winhttp::lab::Sim;
///
/// let sim = Sim::new();
/// let gate = sim.gate("half way");
/// let there = gate.clone();
/// sim.spawn(move || there.wait());
/// sim.settle();
/// assert_eq!((gate.reached(), gate.is_open()), (1, false));
/// gate.open();
/// sim.settle();
/// ```
#[derive(Clone)]
pub struct Gate {
    name: Arc<str>,
    scheduler: Weak<Scheduler>,
    /// Whether it is of the real world.
    live: bool,
    shared: Arc<Shared>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gate `{}`", self.name)
    }
}

impl Gate {
    pub(super) fn new(name: &str, scheduler: &Arc<Scheduler>) -> Gate {
        Gate { name: name.into(), scheduler: Arc::downgrade(scheduler), live: false, shared: Arc::default() }
    }

    /// A gate of the real world.
    #[cfg(feature = "live")]
    pub(super) fn live(name: &str) -> Gate {
        Gate { name: name.into(), scheduler: Weak::new(), live: true, shared: Arc::default() }
    }

    /// Opens the gate for good: everything that waits there continues.
    pub fn open(&self) {
        let mut held = self.shared.held.lock();
        self.shared.open.store(true, Ordering::SeqCst);
        let held = std::mem::take(&mut *held);
        self.shared.opened.notify_all();
        let Some(scheduler) = self.scheduler.upgrade() else {
            return held.into_iter().filter(|_| self.live).for_each(|(_, act)| act());
        };
        for (sequence, act) in held {
            scheduler.at(scheduler.now(), sequence, act);
        }
        // What waits there may be anybody's.
        scheduler.touch(Footprint::all);
        scheduler.happened();
    }

    /// Whether the gate is open.
    pub fn is_open(&self) -> bool {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How often something has reached the gate, open or not.
    pub fn reached(&self) -> usize {
        asked();
        self.shared.reached.load(Ordering::SeqCst)
    }

    /// Waits on this thread, in the Sim's time, until the gate is open.
    pub fn wait(&self) {
        self.wait_by(wait_on);
    }

    /// [`Gate::wait`] on the thread of a peer that a test plays.
    pub(super) fn wait_as_peer(&self) {
        self.wait_by(|scheduler, what, done| wait_as_peer(scheduler, what, Limit::None, done));
    }

    fn wait_by(&self, wait: impl FnOnce(&Arc<Scheduler>, &str, &mut dyn FnMut() -> bool)) {
        self.shared.reached.fetch_add(1, Ordering::SeqCst);
        if let Some(scheduler) = self.scheduler.upgrade() {
            wait(&scheduler, &format!("the gate `{}`", self.name), &mut || self.is_open());
            return;
        }
        if self.live {
            self.shared.opened.wait_while(&mut self.shared.held.lock(), |_| !self.is_open());
        }
    }

    /// The network goes on when it is open.
    pub(super) fn then(&self, sequence: usize, act: Body) {
        self.shared.reached.fetch_add(1, Ordering::SeqCst);
        if let Some(scheduler) = self.scheduler.upgrade() {
            scheduler.touch(Footprint::all);
        }
        let mut held = self.shared.held.lock();
        if !self.is_open() {
            return held.push((sequence, act));
        }
        drop(held);
        match self.scheduler.upgrade() {
            Some(scheduler) => scheduler.at(scheduler.now(), sequence, act),
            None if self.live => act(),
            None => {}
        }
    }
}
