//! The connections that one kind of request may use.

use std::collections::{HashSet, VecDeque};

use rustc_hash::FxHashMap;

use super::engine::{AttemptId, ConnectionId};
use super::find::looked;
use super::idle::Idle;
use super::key::Key;
use crate::transport::TransportRequest;

/// A group of connections with one key.
#[derive(Debug)]
pub struct Group {
    hash: u64,
    pub key: Key,
    /// Attempts, connections and waiters that refer to it.
    pub users: usize,
    /// Idle connections of HTTP/1.
    pub idle: Idle,
    /// Connections of HTTP/2 that take streams.
    pub shared: Vec<ConnectionId>,
    /// The connection that is being made and may turn out to be HTTP/2.
    pub making: Option<ConnectionId>,
    /// Who waits for any of these.
    pub waiting: VecDeque<AttemptId>,
}

/// All groups. Finding that of a request copies nothing.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Option<Group>>,
    free: Vec<usize>,
    by_hash: FxHashMap<u64, Vec<usize>>,
}

impl Groups {
    /// That of a request; it stays until [`Groups::release`] was called as often as this.
    pub fn of(&mut self, request: &TransportRequest) -> usize {
        let hash = Key::hash(request);
        let numbers = self.by_hash.entry(hash).or_default();
        let fits = |number: &&usize| {
            looked();
            self.groups[**number].as_ref().is_some_and(|group| group.key.fits(request))
        };
        let number = match numbers.iter().find(fits) {
            Some(number) => *number,
            None => {
                let group = Group {
                    hash,
                    key: Key::of(request),
                    users: 0,
                    idle: Idle::default(),
                    shared: Vec::new(),
                    making: None,
                    waiting: VecDeque::new(),
                };
                let number = self.free.pop().unwrap_or(self.groups.len());
                if number == self.groups.len() {
                    self.groups.push(Some(group));
                } else {
                    self.groups[number] = Some(group);
                }
                numbers.push(number);
                number
            }
        };
        self.hold(number);
        number
    }

    /// One more refers to a group.
    pub fn hold(&mut self, number: usize) {
        if let Some(group) = self.get(number) {
            group.users += 1;
        }
    }

    /// One less does.
    pub fn release(&mut self, number: usize) {
        let Some(group) = self.get(number) else { return };
        group.users -= 1;
        if group.users > 0 {
            return;
        }
        let hash = group.hash;
        self.groups[number] = None;
        self.free.push(number);
        if let Some(numbers) = self.by_hash.get_mut(&hash) {
            numbers.retain(|known| *known != number);
            if numbers.is_empty() {
                self.by_hash.remove(&hash);
            }
        }
    }

    pub fn get(&mut self, number: usize) -> Option<&mut Group> {
        self.groups.get_mut(number)?.as_mut()
    }

    /// The numbers of those of a pool.
    pub fn of_pool(&self, pool: usize) -> HashSet<usize> {
        let of_pool = |group: &Option<Group>| group.as_ref().is_some_and(|group| group.key.is_of_pool(pool));
        (0..self.groups.len()).filter(|number| of_pool(&self.groups[*number])).collect()
    }

    /// All of them, oldest number first.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().flatten()
    }
}
