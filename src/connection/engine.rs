//! What is known of connections and of who waits for them, and what follows when something happens to one.

use std::time::Duration;

use bytestring::ByteString;
use rustc_hash::FxHashMap;

use super::group::Groups;
use super::idle::Used;
use super::key::Key;
use super::places::{Limits, Server};
use super::recent::Recent;
use super::rules::{May, OVERFLOW, Wait};
use crate::transport::{ConnectionGroupId, Http2, PoolRules, Route, TransportRequest};
use crate::win32::Win32Error;

/// An attempt to carry a request.
pub type AttemptId = u64;

/// A connection, from the moment when somebody begins to make it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(super) u64);

/// How many connections the first request to a server opens at most (BACKGROUND_CONNECTIONS; our choice).
const MOST_AT_FIRST: u32 = 16;

/// What an attempt wants: computed once from its request.
#[derive(Clone, Debug)]
pub struct Demand {
    pub(super) group: usize,
    pub(super) handle: usize,
    pub(super) may: May,
    pub(super) rules: PoolRules,
    pub(super) limit: Option<(Server, u32)>,
    /// How many connections it opens beside its own.
    pub(super) ahead: u32,
    /// Host, port and TLS.
    pub(super) origin: (ByteString, u16, bool),
}

impl Demand {
    /// It makes a connection of its own, whatever there is.
    pub fn refuse_all(&mut self) {
        self.may.take = false;
    }
}

/// Where an attempt gets its connection from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one, idle until now. Whoever finds it dead says so and asks again: nothing was written.
    Reuse(ConnectionId),
    /// A stream of this one.
    Share(ConnectionId),
    /// The attempt makes it, and so many more that nobody waits for.
    Make(ConnectionId, u32),
    /// Nowhere yet: an [`Effect::Answered`] will say.
    Wait,
    /// Nowhere.
    Refuse(Win32Error),
}

/// Something that must be done for others than who called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An attempt that waited has its answer.
    Answered(AttemptId, Answer),
    /// The connection is closed.
    Close(ConnectionId),
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody makes it.
    Making,
    /// It carries an exchange, or drains one.
    Busy,
    Idle {
        since: Duration,
        used: Used,
    },
    /// HTTP/2: it has so many streams, of so many that the server takes.
    Shared {
        streams: usize,
        room: usize,
        since: Duration,
    },
}

/// A connection.
#[derive(Debug)]
pub struct Entry {
    pub(super) group: usize,
    /// For whom it counts.
    pub(super) server: Option<Server>,
    pub(super) state: State,
    /// The handle that used it last.
    pub(super) handle: usize,
    pub(super) mark: Option<ConnectionGroupId>,
    /// It carries nothing more (EXPIRE_CONNECTION, GOAWAY, the end of its session).
    pub(super) expired: bool,
    /// How long it may lie idle, in milliseconds.
    pub(super) idle: u32,
    /// How many requests it was given to, and not in vain: nobody else counts them.
    pub(super) carried: u32,
    /// Host, port and TLS, for those who ask for marks.
    pub(super) origin: (String, u16, bool),
}

/// An attempt that waits.
#[derive(Debug)]
pub struct Waiter {
    pub(super) demand: Demand,
    pub(super) wait: Wait,
}

/// The next attempt of a handle, until it asks.
#[derive(Debug)]
pub struct Follower {
    number: u64,
    /// What it would have waited for has turned out to be too long.
    pub(super) overflowed: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Engine {
    pub(super) groups: Groups,
    pub(super) limits: Limits,
    pub(super) connections: FxHashMap<ConnectionId, Entry>,
    /// The connection of HTTP/1 that each handle uses.
    pub(super) by_handle: FxHashMap<usize, ConnectionId>,
    pub(super) waiters: FxHashMap<AttemptId, Waiter>,
    /// By handle.
    pub(super) followers: FxHashMap<usize, Follower>,
    /// Servers that a request with BACKGROUND_CONNECTIONS went to.
    pub(super) known: Recent<u64>,
    pub(super) last: u64,
    pub(super) effects: Vec<Effect>,
}

impl Engine {
    /// What has to be done for others, oldest first. Called after every other method.
    pub fn effects(&mut self) -> std::vec::Drain<'_, Effect> {
        self.effects.drain(..)
    }

    /// What a request wants; [`Engine::leave`] ends that.
    pub fn demand(&mut self, request: &TransportRequest) -> Demand {
        let rules = &request.pool_rules;
        let shares = request.http2.is_some() && request.tls.is_some();
        let queue = request.http2.is_none_or(|Http2 { queue, .. }| queue);
        let ahead = rules.at_first.min(MOST_AT_FIRST).saturating_sub(1);
        let first = ahead > 0 && !shares && request.keep_alive && request.route == Route::Direct;
        let ahead = if first && self.known.insert(Key::hash(request)) { ahead } else { 0 };
        Demand {
            group: self.groups.of(request),
            handle: request.handle,
            may: May { take: true, share: shares, queue },
            rules: rules.clone(),
            limit: self.limits.of(request),
            ahead,
            origin: (request.host.clone(), request.port, request.tls.is_some()),
        }
    }

    /// The attempt is over.
    pub fn leave(&mut self, demand: &Demand) {
        self.groups.release(demand.group);
    }

    /// A server answered with HTTP/1.0, or a later version.
    pub fn learn(&mut self, request: &TransportRequest, old: bool) {
        self.limits.learn(request, old);
    }

    /// Another attempt of a handle is there, and will ask; said before the one before it ends. The number is for
    /// [`Engine::follows_not`]; `None`: there is nothing that it could wait for.
    pub fn follows(&mut self, handle: usize) -> Option<u64> {
        if !self.by_handle.contains_key(&handle) {
            return None;
        }
        self.last += 1;
        self.followers.insert(handle, Follower { number: self.last, overflowed: false });
        Some(self.last)
    }

    /// That attempt will not ask.
    pub fn follows_not(&mut self, handle: usize, number: u64) {
        if self.followers.get(&handle).is_some_and(|follower| follower.number == number) {
            self.followers.remove(&handle);
        }
    }

    /// An attempt asks for a connection.
    pub fn ask(&mut self, now: Duration, attempt: AttemptId, demand: &Demand) -> Answer {
        if self.followers.remove(&demand.handle).is_some_and(|follower| follower.overflowed) {
            return Answer::Refuse(OVERFLOW);
        }
        match self.consider(now, demand, false) {
            Ok(Answer::Make(connection, _)) => Answer::Make(connection, demand.ahead),
            Ok(answer) => answer,
            Err(wait) => {
                self.line_up(attempt, demand, wait);
                self.waiters.insert(attempt, Waiter { demand: demand.clone(), wait });
                Answer::Wait
            }
        }
    }

    /// An attempt that waits does not want anything any more.
    pub fn forget(&mut self, now: Duration, attempt: AttemptId) {
        let Some(waiter) = self.waiters.remove(&attempt) else { return };
        if let Some(group) = self.groups.get(waiter.demand.group) {
            group.waiting.retain(|known| *known != attempt);
        }
        if let Some((server, _)) = &waiter.demand.limit {
            self.limits.get(server).waiting.retain(|known| *known != attempt);
            self.limits.tidy(server);
        }
        self.serve(now, waiter.demand.group, waiter.demand.limit.map(|(server, _)| server));
    }

    /// A connection that nobody waits for may be made, beside those of [`Answer::Make`].
    pub fn make_ahead(&mut self, demand: &Demand) -> Option<ConnectionId> {
        let limit = demand.limit.as_ref();
        if limit.is_some_and(|(server, limit)| self.limits.used(server) >= *limit as usize) {
            return None;
        }
        let connection = self.make(demand);
        let entry = self.connections.get_mut(&connection)?;
        entry.carried = 0;
        Some(connection)
    }

    /// Marks a connection (CONNECTION_GUID).
    pub fn mark(&mut self, connection: ConnectionId, mark: ConnectionGroupId) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let before = entry.mark.replace(mark);
        if let (State::Idle { used, .. }, Some(group)) = (entry.state, self.groups.get(entry.group)) {
            group.idle.remove(before, used);
            group.idle.add(connection, Some(mark), used);
        }
    }

    /// How many requests a connection carried before the one that it was given to.
    pub fn earlier(&self, connection: ConnectionId) -> u32 {
        self.connections.get(&connection).map_or(0, |entry| entry.carried.saturating_sub(1))
    }

    /// How many connections to a server have each mark, in the order in which the connections were made.
    pub fn marked(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        only: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        let here = |entry: &Entry| {
            entry.state != State::Making
                && entry.origin.0.eq_ignore_ascii_case(host)
                && (entry.origin.1, entry.origin.2) == (port, secure)
        };
        let mut connections: Vec<_> = self.connections.iter().filter(|(_, entry)| here(entry)).collect();
        connections.sort_unstable_by_key(|(id, _)| **id);
        let mut groups: Vec<(ConnectionGroupId, u32)> = Vec::new();
        for mark in connections.into_iter().filter_map(|(_, entry)| entry.mark) {
            match groups.iter_mut().find(|(known, _)| *known == mark) {
                _ if only.is_some_and(|only| only != mark) => {}
                Some((_, count)) => *count += 1,
                None => groups.push((mark, 1)),
            }
        }
        groups
    }

    /// How many connections there are, and how many attempts wait.
    #[cfg(any(feature = "net", test))]
    pub fn counts(&self) -> (usize, usize) {
        (self.connections.len(), self.waiters.len())
    }
}
