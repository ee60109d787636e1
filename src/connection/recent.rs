//! What was learned last, within a bound: servers are as many as whoever names them wants.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// How much is remembered (our choice).
pub const REMEMBERED: usize = 1024;

/// See the module.
#[derive(Debug)]
pub struct Recent<T> {
    known: HashSet<T>,
    /// The oldest at the front.
    order: VecDeque<T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Recent<T> {
        Recent { known: HashSet::new(), order: VecDeque::new() }
    }
}

impl<T: Clone + Eq + Hash> Recent<T> {
    pub fn contains(&self, what: &T) -> bool {
        self.known.contains(what)
    }

    /// Learns something, and forgets the oldest where that is too much. Says whether it was new.
    pub fn insert(&mut self, what: T) -> bool {
        let new = self.known.insert(what.clone());
        if new {
            self.order.push_back(what);
        }
        if self.order.len() > REMEMBERED {
            self.order.pop_front().map(|oldest| self.known.remove(&oldest));
        }
        new
    }

    pub fn remove(&mut self, what: &T) {
        if self.known.remove(what) {
            self.order.retain(|known| known != what);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.known.len().max(self.order.len())
    }
}
