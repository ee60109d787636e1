//! What is known of connections and of who waits for them, and what follows when something happens to one.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::group::Groups;
use super::key::Key;
use super::places::{Limits, Server};
use super::rules::{self, Decision, May, Seen, Wait, decide, suits};
use crate::transport::{ConnectionGroupId, Http2, PoolRules, Route, TransportRequest};
use crate::win32::Win32Error;

/// An attempt to carry a request.
pub type AttemptId = u64;

/// A connection, from the moment when somebody begins to make it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// How many connections the first request to a server opens at most (BACKGROUND_CONNECTIONS; our choice).
const MOST_AT_FIRST: u32 = 16;

/// What an attempt wants: computed once from its request.
#[derive(Clone, Debug)]
pub struct Demand {
    group: usize,
    handle: usize,
    may: May,
    rules: PoolRules,
    limit: Option<(Server, u32)>,
    /// How many connections it opens beside its own.
    ahead: u32,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Somebody makes it.
    Making,
    /// It carries an exchange, or drains one.
    Busy,
    Idle {
        since: Duration,
    },
    /// HTTP/2: it has so many streams, of so many that the server takes.
    Shared {
        streams: usize,
        room: usize,
        since: Duration,
    },
}

#[derive(Debug)]
struct Entry {
    group: usize,
    /// For whom it counts.
    server: Option<Server>,
    state: State,
    /// The handle that used it last.
    handle: usize,
    mark: Option<ConnectionGroupId>,
    /// It carries nothing more (EXPIRE_CONNECTION, GOAWAY, the end of its session).
    expired: bool,
    /// How long it may lie idle, in milliseconds.
    idle: u32,
    /// How many requests it has carried.
    carried: u32,
    /// Host, port and TLS, for those who ask for marks.
    site: (String, u16, bool),
}

#[derive(Debug)]
struct Waiter {
    demand: Demand,
    wait: Wait,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Engine {
    groups: Groups,
    limits: Limits,
    connections: HashMap<ConnectionId, Entry>,
    /// The connection of HTTP/1 that each handle uses.
    by_handle: HashMap<usize, ConnectionId>,
    waiters: HashMap<AttemptId, Waiter>,
    /// Servers that a request with BACKGROUND_CONNECTIONS went to.
    known: HashSet<u64>,
    last: u64,
    effects: Vec<Effect>,
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
        }
    }

    /// The attempt is over.
    pub fn leave(&mut self, demand: &Demand) {
        self.groups.release(demand.group);
    }

    /// A server answered with HTTP/1.0, or a later version.
    #[cfg(any(feature = "net", test))]
    pub fn learn(&mut self, request: &TransportRequest, old: bool) {
        self.limits.learn(request, old);
    }

    /// An attempt asks for a connection.
    pub fn ask(&mut self, now: Duration, attempt: AttemptId, request: &TransportRequest, demand: &Demand) -> Answer {
        match self.consider(now, demand, false) {
            Ok(Answer::Make(connection, _)) => {
                if let Some(entry) = self.connections.get_mut(&connection) {
                    entry.site = (request.host.to_ascii_lowercase(), request.port, request.tls.is_some());
                }
                Answer::Make(connection, demand.ahead)
            }
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
    pub fn make_ahead(&mut self, request: &TransportRequest, demand: &Demand) -> Option<ConnectionId> {
        let limit = demand.limit.as_ref();
        if limit.is_some_and(|(server, limit)| self.limits.used(server) >= *limit as usize) {
            return None;
        }
        let connection = self.make(demand);
        self.connections.get_mut(&connection)?.site =
            (request.host.to_ascii_lowercase(), request.port, request.tls.is_some());
        Some(connection)
    }

    // ---- what happens to connections ----

    /// A connection speaks HTTP/1: it is its maker's alone.
    pub fn made(&mut self, now: Duration, connection: ConnectionId) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        entry.state = State::Busy;
        let (group, server) = (entry.group, entry.server.clone());
        self.by_handle.insert(entry.handle, connection);
        self.found_alone(group, connection);
        self.serve(now, group, server);
    }

    /// A connection speaks HTTP/2: its maker has the first stream. `shared`: others may have more.
    pub fn made_shared(&mut self, now: Duration, connection: ConnectionId, room: usize, shared: bool) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        entry.state = State::Shared { streams: 1, room: room.max(1), since: now };
        entry.expired |= !shared;
        let (group, server, open) = (entry.group, entry.server.clone(), !entry.expired);
        if let Some(group) = self.groups.get(group) {
            group.making = group.making.filter(|making| *making != connection);
            if open {
                group.shared.push(connection);
            }
        }
        self.serve(now, group, server);
    }

    /// A connection could not be made: others that waited for it make their own.
    pub fn failed(&mut self, now: Duration, connection: ConnectionId) {
        if let Some(entry) = self.connections.get(&connection) {
            let group = entry.group;
            self.found_alone(group, connection);
        }
        self.gone(now, connection);
    }

    /// Others cannot share what turned out to be no HTTP/2.
    fn found_alone(&mut self, group: usize, connection: ConnectionId) {
        let Some(group) = self.groups.get(group).filter(|group| group.making == Some(connection)) else { return };
        group.making = None;
        for attempt in &group.waiting {
            if let Some(waiter) = self.waiters.get_mut(attempt) {
                waiter.demand.may.share = false;
            }
        }
    }

    /// An exchange is over and its connection can carry another. `false`: it is not kept, and is closed.
    pub fn returned(&mut self, now: Duration, connection: ConnectionId) -> bool {
        let Some(entry) = self.connections.get_mut(&connection) else { return false };
        if entry.expired {
            self.gone(now, connection);
            return false;
        }
        entry.state = State::Idle { since: now };
        let (group, server, handle) = (entry.group, entry.server.clone(), entry.handle);
        self.leave_handle(handle, connection);
        if let Some(group) = self.groups.get(group) {
            group.idle.push(connection);
        }
        self.serve(now, group, server);
        true
    }

    /// A connection carries no HTTP any more: its handle does not wait for it.
    pub fn switched(&mut self, now: Duration, connection: ConnectionId) {
        if let Some(entry) = self.connections.get(&connection) {
            let (group, server, handle) = (entry.group, entry.server.clone(), entry.handle);
            self.leave_handle(handle, connection);
            self.serve(now, group, server);
        }
    }

    /// A connection is closed.
    pub fn gone(&mut self, now: Duration, connection: ConnectionId) {
        let Some((group, server)) = self.remove(connection) else { return };
        self.serve(now, group, server);
        self.groups.release(group);
    }

    /// What was to be drained is too long: the connection is closed, and the handle's next attempt fails (w2).
    pub fn overflowed(&mut self, now: Duration, connection: ConnectionId) {
        if let Some(entry) = self.connections.get(&connection) {
            let (group, handle) = (entry.group, entry.handle);
            let waiting = self.groups.get(group).map(|group| group.waiting.clone()).unwrap_or_default();
            for attempt in waiting {
                let of_handle = |waiter: &Waiter| waiter.wait == Wait::Drain && waiter.demand.handle == handle;
                if self.waiters.get(&attempt).is_some_and(of_handle) {
                    self.waiters.remove(&attempt);
                    self.effects.push(Effect::Answered(attempt, Answer::Refuse(rules::OVERFLOW)));
                }
            }
        }
        self.gone(now, connection);
    }

    /// A stream is over.
    pub fn stream_over(&mut self, now: Duration, connection: ConnectionId) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let State::Shared { streams, since, .. } = &mut entry.state else { return };
        *streams -= 1;
        *since = now;
        let (group, server, dead) = (entry.group, entry.server.clone(), *streams == 0 && entry.expired);
        if dead {
            self.close(now, connection);
        } else {
            self.serve(now, group, server);
        }
    }

    /// The server takes so many streams at once.
    #[cfg(any(feature = "net", test))]
    pub fn room(&mut self, now: Duration, connection: ConnectionId, streams: usize) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let (group, server) = (entry.group, entry.server.clone());
        if let State::Shared { room, .. } = &mut entry.state {
            *room = streams.max(1);
            self.serve(now, group, server);
        }
    }

    /// A connection carries nothing more; what it carries goes on.
    pub fn expire(&mut self, now: Duration, connection: ConnectionId) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        entry.expired = true;
        let (group, server, unused) = (entry.group, entry.server.clone(), unused(&entry.state));
        if let Some(group) = self.groups.get(group) {
            group.shared.retain(|known| *known != connection);
        }
        if unused {
            self.close(now, connection);
        } else {
            self.serve(now, group, server);
        }
    }

    /// Closes what has been idle for too long; says when the next will have been.
    #[cfg(any(feature = "net", test))]
    pub fn sweep(&mut self, now: Duration) -> Option<Duration> {
        let unused: Vec<_> =
            self.groups.iter().flat_map(|group| group.idle.iter().chain(&group.shared)).copied().collect();
        let mut next: Option<Duration> = None;
        for connection in unused {
            let Some(entry) = self.connections.get(&connection) else { continue };
            let since = match entry.state {
                State::Idle { since } | State::Shared { streams: 0, since, .. } => since,
                _ => continue,
            };
            match rules::until(entry.idle, since) {
                Some(end) if end <= now => self.close(now, connection),
                Some(end) => next = Some(next.map_or(end, |next| next.min(end))),
                None => {}
            }
        }
        next
    }

    /// A pool of its own ends: its connections end with it (DISABLE_GLOBAL_POOLING).
    pub fn end_pool(&mut self, now: Duration, pool: usize) {
        let of_pool: HashSet<usize> = self.groups.of_pool(pool);
        let mut connections: Vec<_> =
            self.connections.iter().filter(|(_, entry)| of_pool.contains(&entry.group)).map(|(id, _)| *id).collect();
        connections.sort_unstable();
        connections.into_iter().for_each(|connection| self.expire(now, connection));
    }

    // ---- what is asked about connections ----

    /// Marks a connection (CONNECTION_GUID).
    pub fn mark(&mut self, connection: ConnectionId, mark: ConnectionGroupId) {
        if let Some(entry) = self.connections.get_mut(&connection) {
            entry.mark = Some(mark);
        }
    }

    /// How many requests a connection has carried.
    #[cfg(any(feature = "net", test))]
    pub fn carried(&self, connection: ConnectionId) -> u32 {
        self.connections.get(&connection).map_or(0, |entry| entry.carried)
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
                && entry.site.0.eq_ignore_ascii_case(host)
                && (entry.site.1, entry.site.2) == (port, secure)
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

    // ---- how answers are found ----

    /// What the table says to an attempt, done. `first`: it is the first in the line of its server.
    fn consider(&mut self, now: Duration, demand: &Demand, first: bool) -> Result<Answer, Wait> {
        let room = demand.limit.as_ref().is_none_or(|(server, limit)| {
            let places = self.limits.get(server);
            places.connections.len() < *limit as usize && (first || places.waiting.is_empty())
        });
        let draining = self.by_handle.get(&demand.handle).filter(|_| demand.handle != 0);
        let draining = draining.and_then(|connection| self.connections.get(connection));
        let draining = draining.is_some_and(|entry| entry.group == demand.group);
        let idle = if demand.may.take { self.idle_for(now, demand, room) } else { None };
        let shared = self.shared_for(demand, room);
        let useless = demand.limit.as_ref().and_then(|(server, _)| self.useless(server));
        let seen = Seen {
            draining,
            stream: shared.is_some_and(|(_, free)| free),
            full: shared.is_some_and(|(_, free)| !free),
            idle: idle.is_some(),
            making: self.groups.get(demand.group).is_some_and(|group| group.making.is_some()),
            room,
            useless: useless.is_some() && (first || !self.line(demand)),
        };
        match (decide(seen, demand.may), shared, idle) {
            (Decision::Share, Some((connection, _)), _) => {
                self.take(connection, demand);
                Ok(Answer::Share(connection))
            }
            (Decision::Reuse, _, Some(connection)) => {
                if let Some(group) = self.groups.get(demand.group) {
                    // Mostly the last.
                    if let Some(place) = group.idle.iter().rposition(|known| *known == connection) {
                        group.idle.remove(place);
                    }
                }
                self.take(connection, demand);
                Ok(Answer::Reuse(connection))
            }
            (Decision::Displace, ..) => {
                if let Some((group, _)) = useless.and_then(|connection| self.remove(connection)) {
                    self.effects.extend(useless.map(Effect::Close));
                    self.groups.release(group);
                }
                Ok(Answer::Make(self.make(demand), 0))
            }
            (Decision::Wait(wait), ..) => Err(wait),
            _ => Ok(Answer::Make(self.make(demand), 0)),
        }
    }

    /// Whether others wait for a place at the same server.
    fn line(&mut self, demand: &Demand) -> bool {
        demand.limit.as_ref().is_some_and(|(server, _)| !self.limits.get(server).waiting.is_empty())
    }

    /// The idle connection for an attempt: of those that suit, one with the mark that is wanted, else the one that was used
    /// last.
    fn idle_for(&mut self, now: Duration, demand: &Demand, room: bool) -> Option<ConnectionId> {
        while let Some(last) = self.groups.get(demand.group)?.idle.last().copied() {
            let entry = self.connections.get(&last)?;
            let State::Idle { since } = entry.state else { return None };
            if rules::until(entry.idle, since).is_none_or(|end| end > now) {
                break;
            }
            self.drop_idle(last);
        }
        let group = self.groups.get(demand.group)?;
        let (connections, rules) = (&self.connections, &demand.rules);
        let mark = |connection: &ConnectionId| connections.get(connection).and_then(|entry| entry.mark);
        let counts = |connection: &ConnectionId| {
            room || connections.get(connection).is_some_and(|entry| counts_for(entry, demand))
        };
        let suited = |connection: &&ConnectionId| suits(mark(connection), rules) && counts(connection);
        let marked = || group.idle.iter().rev().find(|one| mark(one).is_some() && suited(one));
        let wanted = rules.wanted.and_then(|_| marked());
        wanted.or_else(|| group.idle.iter().rev().find(suited)).copied()
    }

    /// A connection of HTTP/2 for an attempt, and whether it has a free stream.
    fn shared_for(&mut self, demand: &Demand, room: bool) -> Option<(ConnectionId, bool)> {
        let group = self.groups.get(demand.group)?;
        let mut full = None;
        for connection in &group.shared {
            let Some(entry) = self.connections.get(connection) else { continue };
            if !suits(entry.mark, &demand.rules) || !(room || counts_for(entry, demand)) {
                continue;
            }
            match entry.state {
                State::Shared { streams, room, .. } if streams < room => return Some((*connection, true)),
                _ => full = Some((*connection, false)),
            }
        }
        full
    }

    /// A connection to a server that carries nothing.
    fn useless(&mut self, server: &Server) -> Option<ConnectionId> {
        let places = self.limits.get(server);
        let of_none =
            |connection: &&ConnectionId| self.connections.get(connection).is_some_and(|entry| unused(&entry.state));
        let found = places.connections.iter().find(of_none).copied();
        self.limits.tidy(server);
        found
    }

    /// An attempt has a connection.
    fn take(&mut self, connection: ConnectionId, demand: &Demand) {
        self.count_for(connection, demand);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        match &mut entry.state {
            State::Shared { streams, .. } => *streams += 1,
            state => {
                *state = State::Busy;
                self.by_handle.insert(demand.handle, connection);
            }
        }
        entry.handle = demand.handle;
        entry.idle = demand.rules.idle;
        entry.carried += 1;
        entry.mark = demand.rules.mark.or(entry.mark);
    }

    /// An attempt will make a connection.
    fn make(&mut self, demand: &Demand) -> ConnectionId {
        self.last += 1;
        let connection = ConnectionId(self.last);
        self.groups.hold(demand.group);
        let required = demand.rules.wanted.filter(|(_, required)| *required).map(|(mark, _)| mark);
        let entry = Entry {
            group: demand.group,
            server: None,
            state: State::Making,
            handle: demand.handle,
            mark: demand.rules.mark.or(required),
            expired: false,
            idle: demand.rules.idle,
            carried: 1,
            site: Default::default(),
        };
        self.connections.insert(connection, entry);
        self.count_for(connection, demand);
        if let Some(group) = self.groups.get(demand.group).filter(|_| demand.may.share && demand.may.take) {
            group.making.get_or_insert(connection);
        }
        connection
    }

    /// A connection counts among those of an attempt's server.
    fn count_for(&mut self, connection: ConnectionId, demand: &Demand) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let server = demand.limit.as_ref().map(|(server, _)| server);
        if server.is_none() || entry.server.as_ref() == server {
            return;
        }
        if let Some(before) = std::mem::replace(&mut entry.server, server.cloned()) {
            self.limits.leave(&before, connection);
        }
        if let Some(server) = server {
            self.limits.get(server).connections.push(connection);
        }
    }

    /// Who waits may have what it waits for.
    fn serve(&mut self, now: Duration, group: usize, server: Option<Server>) {
        let waiting: Vec<_> = self.groups.get(group).map(|group| group.waiting.drain(..).collect()).unwrap_or_default();
        let mut stuck = false;
        for attempt in waiting {
            let Some(waiter) = self.waiters.get(&attempt) else { continue };
            // One that waits for a stream cannot have what the one before it could not.
            if stuck && waiter.wait == Wait::Stream {
                if let Some(group) = self.groups.get(group) {
                    group.waiting.push_back(attempt);
                }
                continue;
            }
            stuck |= !self.retry(now, attempt, false);
        }
        let Some(server) = server else { return };
        while let Some(attempt) = self.limits.get(&server).waiting.pop_front() {
            if self.waiters.contains_key(&attempt) && !self.retry(now, attempt, true) {
                break;
            }
        }
        self.limits.tidy(&server);
    }

    /// Answers one that waits, if it can be: else it is back in its line.
    fn retry(&mut self, now: Duration, attempt: AttemptId, first: bool) -> bool {
        let Some(waiter) = self.waiters.remove(&attempt) else { return true };
        match self.consider(now, &waiter.demand, first) {
            Ok(answer) => {
                self.effects.push(Effect::Answered(attempt, answer));
                true
            }
            Err(wait) => {
                if first && wait == Wait::Place {
                    if let Some((server, _)) = &waiter.demand.limit {
                        self.limits.get(server).waiting.push_front(attempt);
                    }
                } else {
                    self.line_up(attempt, &waiter.demand, wait);
                }
                self.waiters.insert(attempt, Waiter { wait, ..waiter });
                false
            }
        }
    }

    fn line_up(&mut self, attempt: AttemptId, demand: &Demand, wait: Wait) {
        match (&demand.limit, wait) {
            (Some((server, _)), Wait::Place) => self.limits.get(server).waiting.push_back(attempt),
            _ => {
                if let Some(group) = self.groups.get(demand.group) {
                    group.waiting.push_back(attempt);
                }
            }
        }
    }

    /// Closes a connection that nobody uses.
    fn close(&mut self, now: Duration, connection: ConnectionId) {
        self.effects.push(Effect::Close(connection));
        self.gone(now, connection);
    }

    /// [`Engine::close`], while an answer is looked for.
    fn drop_idle(&mut self, connection: ConnectionId) {
        self.effects.push(Effect::Close(connection));
        if let Some((group, _)) = self.remove(connection) {
            self.groups.release(group);
        }
    }

    fn leave_handle(&mut self, handle: usize, connection: ConnectionId) {
        if self.by_handle.get(&handle) == Some(&connection) {
            self.by_handle.remove(&handle);
        }
    }

    /// Forgets a connection; its group is still held.
    fn remove(&mut self, connection: ConnectionId) -> Option<(usize, Option<Server>)> {
        let entry = self.connections.remove(&connection)?;
        self.leave_handle(entry.handle, connection);
        if let Some(group) = self.groups.get(entry.group) {
            match entry.state {
                State::Idle { .. } => group.idle.retain(|known| *known != connection),
                State::Shared { .. } => group.shared.retain(|known| *known != connection),
                State::Making => group.making = group.making.filter(|making| *making != connection),
                State::Busy => {}
            }
        }
        if let Some(server) = &entry.server {
            self.limits.leave(server, connection);
        }
        Some((entry.group, entry.server))
    }
}

/// Whether a connection carries nothing.
fn unused(state: &State) -> bool {
    matches!(state, State::Idle { .. } | State::Shared { streams: 0, .. })
}

/// Whether a connection counts for an attempt's limit already.
fn counts_for(entry: &Entry, demand: &Demand) -> bool {
    demand.limit.as_ref().is_none_or(|(server, _)| entry.server.as_ref() == Some(server))
}
