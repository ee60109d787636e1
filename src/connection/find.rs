//! How an attempt finds its connection: what it meets, what the table says to that, and what is done.

use std::time::Duration;

use super::engine::{Answer, ConnectionId, Demand, Effect, Engine, Entry, State};
use super::life::unused;
use super::places::Server;
use super::rules::{self, Available, Decision, Wait, decide, suits};

impl Engine {
    /// What the table says to an attempt, done. `first`: it is the first in the line of its server.
    pub(super) fn consider(&mut self, now: Duration, demand: &Demand, first: bool) -> Result<Answer, Wait> {
        let room = demand.limit.as_ref().is_none_or(|(server, limit)| {
            let places = self.limits.get(server);
            places.connections.len() < *limit as usize && (first || places.waiting.is_empty())
        });
        let draining = self.by_handle.get(&demand.handle).filter(|_| demand.handle != 0);
        let draining = draining.and_then(|connection| self.connections.get(connection));
        let draining = draining.is_some_and(|entry| entry.group == demand.group);
        let idle = if demand.may.take { self.idle_for(now, demand, room) } else { None };
        let shared = self.shared_for(now, demand, room);
        let limit = demand.limit.as_ref().filter(|_| !room);
        let useless = limit.and_then(|(server, _)| self.useless(server));
        let available = Available {
            draining,
            stream: shared.is_some_and(|(_, free)| free),
            full: shared.is_some_and(|(_, free)| !free),
            idle: idle.is_some(),
            making: self.groups.get(demand.group).is_some_and(|group| group.making.is_some()),
            room,
            useless: useless.is_some() && (first || !self.line(demand)),
        };
        match (decide(available, demand.may), shared, idle) {
            (Decision::Share, Some((connection, _)), _) => {
                self.take(connection, demand);
                Ok(Answer::Share(connection))
            }
            (Decision::Reuse, _, Some(connection)) => {
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

    /// The idle connection for an attempt, none that was idle for too long. Without `room` for another, it is one of those that
    /// count for the attempt's server.
    fn idle_for(&mut self, now: Duration, demand: &Demand, room: bool) -> Option<ConnectionId> {
        loop {
            let found = if room { self.idle_of_group(demand) } else { self.idle_of_server(demand) }?;
            let entry = self.connections.get(&found)?;
            let State::Idle { since, .. } = entry.state else { return None };
            if rules::until(entry.idle, since).is_none_or(|end| end > now) {
                return Some(found);
            }
            self.drop_idle(found);
        }
    }

    /// Of those that suit, one with the mark that is wanted, else the one that was used last.
    fn idle_of_group(&mut self, demand: &Demand) -> Option<ConnectionId> {
        let idle = &self.groups.get(demand.group)?.idle;
        match demand.rules.wanted {
            None => idle.last(),
            Some((mark, true)) => idle.last_marked(mark),
            Some((mark, false)) => idle.last_marked(mark).or_else(|| idle.last_unmarked()),
        }
    }

    /// The same of the connections of a server, which are no more than its limit.
    fn idle_of_server(&mut self, demand: &Demand) -> Option<ConnectionId> {
        let (server, _) = demand.limit.as_ref()?;
        let places = self.limits.get(server);
        let suited = places.connections.iter().filter_map(|connection| {
            looked();
            let entry = self.connections.get(connection)?;
            let State::Idle { used, .. } = entry.state else { return None };
            let wanted = demand.rules.wanted.is_some() && entry.mark.is_some();
            let suits = entry.group == demand.group && suits(entry.mark, &demand.rules);
            suits.then_some((wanted, used, *connection))
        });
        let found = suited.max().map(|(.., connection)| connection);
        self.limits.tidy(server);
        found
    }

    /// A connection of HTTP/2 for an attempt, none that was idle for too long, and whether it has a free stream.
    fn shared_for(&mut self, now: Duration, demand: &Demand, room: bool) -> Option<(ConnectionId, bool)> {
        loop {
            let (found, free) = self.shared_of_group(demand, room)?;
            let entry = self.connections.get(&found)?;
            match entry.state {
                State::Shared { streams: 0, since, .. }
                    if rules::until(entry.idle, since).is_some_and(|end| end <= now) =>
                {
                    self.drop_idle(found);
                }
                _ => return Some((found, free)),
            }
        }
    }

    /// The first with a free stream of those that suit, else one of them.
    fn shared_of_group(&mut self, demand: &Demand, room: bool) -> Option<(ConnectionId, bool)> {
        let group = self.groups.get(demand.group)?;
        let mut full = None;
        for connection in &group.shared {
            looked();
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
        let of_none = |connection: &&ConnectionId| {
            looked();
            self.connections.get(connection).is_some_and(|entry| unused(&entry.state))
        };
        let found = places.connections.iter().find(of_none).copied();
        self.limits.tidy(server);
        found
    }

    /// An attempt has a connection.
    fn take(&mut self, connection: ConnectionId, demand: &Demand) {
        self.count_for(connection, demand);
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        if let (State::Idle { used, .. }, Some(group)) = (entry.state, self.groups.get(entry.group)) {
            group.idle.remove(entry.mark, used);
        }
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
    pub(super) fn make(&mut self, demand: &Demand) -> ConnectionId {
        self.last += 1;
        let connection = ConnectionId(self.last);
        self.groups.hold(demand.group);
        let required = demand.rules.wanted.filter(|(_, required)| *required).map(|(mark, _)| mark);
        let (host, port, secure) = &demand.origin;
        let entry = Entry {
            group: demand.group,
            server: None,
            state: State::Making,
            handle: demand.handle,
            mark: demand.rules.mark.or(required),
            expired: false,
            idle: demand.rules.idle,
            carried: 1,
            origin: (host.to_ascii_lowercase(), *port, *secure),
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
}

#[cfg(test)]
thread_local! {
    /// How many connections, and groups of them, were looked at.
    pub static LOOKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Something is looked at, to find a connection.
pub fn looked() {
    #[cfg(test)]
    LOOKED.with(|looked| looked.set(looked.get() + 1));
}

/// Whether a connection counts for an attempt's limit already.
fn counts_for(entry: &Entry, demand: &Demand) -> bool {
    demand.limit.as_ref().is_none_or(|(server, _)| entry.server.as_ref() == Some(server))
}
