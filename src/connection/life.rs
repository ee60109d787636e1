//! What happens to connections, from their making to their end.

use std::collections::HashSet;
use std::time::Duration;

use super::engine::{Answer, ConnectionId, Effect, Engine, State, Waiter};
use super::places::Server;
use super::rules::{self, Wait};

impl Engine {
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
        self.last += 1;
        let used = self.last;
        entry.state = State::Idle { since: now, used };
        let (group, server, handle, mark) = (entry.group, entry.server.clone(), entry.handle, entry.mark);
        self.leave_handle(handle, connection);
        if let Some(group) = self.groups.get(group) {
            group.idle.add(connection, mark, used);
        }
        self.serve(now, group, server);
        true
    }

    /// An answer that nobody wants any more: what it names carries nothing by it, and is the next one's.
    pub fn declined(&mut self, now: Duration, answer: Answer) {
        if let Answer::Reuse(connection) | Answer::Share(connection) = answer {
            let entry = self.connections.get_mut(&connection);
            entry.into_iter().for_each(|entry| entry.carried -= 1);
        }
        match answer {
            Answer::Reuse(connection) if !self.returned(now, connection) => {
                self.effects.push(Effect::Close(connection));
            }
            Answer::Share(connection) => self.stream_over(now, connection),
            Answer::Make(connection, _) => self.gone(now, connection),
            Answer::Reuse(_) | Answer::Wait | Answer::Refuse(_) => {}
        }
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
            // It may come only now.
            if let Some(follower) = self.followers.get_mut(&handle) {
                follower.overflowed = true;
            }
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

    /// A stream was given away of a connection whose server takes so many at once. If that is one too many it is given back,
    /// and the answer is `false`.
    #[cfg(any(feature = "net", test))]
    pub fn bears(&mut self, now: Duration, connection: ConnectionId, most: usize) -> bool {
        let state = self.connections.get(&connection).map(|entry| entry.state);
        let bears = !matches!(state, Some(State::Shared { streams, .. }) if streams > most);
        if !bears {
            self.room(now, connection, most);
            self.declined(now, Answer::Share(connection));
        }
        bears
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
    pub fn sweep(&mut self, now: Duration) -> Option<Duration> {
        let unused: Vec<_> =
            self.groups.iter().flat_map(|group| group.idle.iter().chain(&group.shared)).copied().collect();
        let mut next: Option<Duration> = None;
        for connection in unused {
            let Some(entry) = self.connections.get(&connection) else { continue };
            let since = match entry.state {
                State::Idle { since, .. } | State::Shared { streams: 0, since, .. } => since,
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

    /// Closes a connection that nobody uses.
    fn close(&mut self, now: Duration, connection: ConnectionId) {
        self.effects.push(Effect::Close(connection));
        self.gone(now, connection);
    }

    /// [`Engine::close`], while an answer is looked for.
    pub(super) fn drop_idle(&mut self, connection: ConnectionId) {
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
    pub(super) fn remove(&mut self, connection: ConnectionId) -> Option<(usize, Option<Server>)> {
        let entry = self.connections.remove(&connection)?;
        self.leave_handle(entry.handle, connection);
        if let Some(group) = self.groups.get(entry.group) {
            match entry.state {
                State::Idle { used, .. } => group.idle.remove(entry.mark, used),
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
pub fn unused(state: &State) -> bool {
    matches!(state, State::Idle { .. } | State::Shared { streams: 0, .. })
}
