//! A thread that begins late, at each point of the run in turn: a user who cancels at any moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::lab::chooser::{Actor, Candidate, Chooser, Point};
use crate::sync::Mutex;

/// What was seen of the thread that is put off.
#[derive(Default)]
pub struct Seen {
    /// At how many points it could have begun.
    pub points: AtomicUsize,
    /// Threads that could begin, in the order in which they were seen.
    threads: Mutex<Vec<Actor>>,
}

impl Seen {
    /// How many threads began.
    pub fn threads(&self) -> usize {
        self.threads.lock().len()
    }
}

/// The usual, except that one thread begins late.
pub struct Late {
    seen: Arc<Seen>,
    /// Which of the threads that begin.
    which: usize,
    /// At how many points it is put off.
    put_off: usize,
    /// Whether it is put off once more when it makes its first call.
    interrupted: bool,
    /// Its name, when it has begun.
    name: Option<Arc<str>>,
}

impl Late {
    pub fn new(which: usize, put_off: usize, interrupted: bool, seen: &Arc<Seen>) -> Late {
        Late { seen: Arc::clone(seen), which, put_off, interrupted, name: None }
    }

    /// Whether it is the thread, which has not begun.
    fn begins(&self, candidate: &Candidate) -> bool {
        if candidate.step != "begin" {
            return false;
        }
        let mut threads = self.seen.threads.lock();
        if !threads.contains(&candidate.actor) {
            threads.push(candidate.actor);
        }
        threads.iter().position(|known| *known == candidate.actor) == Some(self.which)
    }

    fn goes_on(&self, candidate: &Candidate) -> bool {
        self.interrupted && self.name.as_ref() == Some(&candidate.name) && matches!(candidate.actor, Actor::Thread(_))
    }
}

/// The usual, except that every thread begins as late as it can.
pub struct Latest;

impl Chooser for Latest {
    fn choose(&mut self, point: Point<'_>, _: usize) -> usize {
        let Point::Next(candidates, _) = point else { return 0 };
        candidates.iter().position(|candidate| candidate.step != "begin").unwrap_or(0)
    }
}

impl Chooser for Late {
    fn choose(&mut self, point: Point<'_>, _: usize) -> usize {
        let Point::Next(candidates, _) = point else { return 0 };
        let begins = (0..candidates.len()).rev().find(|at| self.begins(&candidates[*at]));
        if let Some(at) = begins {
            if self.seen.points.fetch_add(1, Ordering::SeqCst) >= self.put_off {
                self.name = Some(Arc::clone(&candidates[at].name));
                return at;
            }
        }
        let first = |candidate: &Candidate| !self.begins(candidate) && !self.goes_on(candidate);
        candidates.iter().position(first).unwrap_or(0)
    }

    fn forced(&mut self, only: &Candidate) {
        if self.begins(only) {
            self.name = Some(Arc::clone(&only.name));
        }
    }
}
