//! How many connections to one server may be used at once (MAX_CONNS_PER_SERVER): who comes late waits its turn.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::transport::TransportRequest;

/// A server, for the requests that share a limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    owner: usize,
    host: String,
    port: u16,
}

#[derive(Default)]
struct Use {
    used: u32,
    queue: VecDeque<Arc<Ticket>>,
}

#[derive(Default)]
struct State {
    servers: HashMap<Server, Use>,
    /// Servers that answered with HTTP/1.0.
    old: HashSet<(String, u16)>,
}

/// See the module.
#[derive(Default)]
pub struct Limits(Mutex<State>);

/// One that waits: its turn may come before it looks.
#[derive(Default)]
struct Ticket(Mutex<(bool, Option<Waker>)>);

impl Ticket {
    fn lock(&self) -> MutexGuard<'_, (bool, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use a connection to a server.
pub struct Permit {
    limits: Arc<Limits>,
    server: Server,
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limits.leave(&self.server);
    }
}

/// A place in the queue. Whoever gives up, even after its turn has come, lets the next one go.
struct Waiting<'a> {
    limits: &'a Arc<Limits>,
    server: Server,
    ticket: Arc<Ticket>,
    taken: bool,
}

impl Waiting<'_> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Permit> {
        let mut ticket = self.ticket.lock();
        if !ticket.0 {
            ticket.1 = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.taken = true;
        Poll::Ready(Permit { limits: Arc::clone(self.limits), server: self.server.clone() })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let mut state = self.limits.lock();
        if let Some(server) = state.servers.get_mut(&self.server) {
            server.queue.retain(|ticket| !Arc::ptr_eq(ticket, &self.ticket));
        }
        drop(state);
        if self.ticket.lock().0 {
            self.limits.leave(&self.server);
        }
    }
}

impl Limits {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections a request's server may have; `None`: as many as there are.
    pub fn of(&self, request: &TransportRequest) -> Option<u32> {
        let pool_rules = &request.pool_rules;
        if pool_rules.limit == u32::MAX && pool_rules.limit_1_0 == u32::MAX {
            return None;
        }
        let old = self.lock().old.contains(&(request.host.to_ascii_lowercase(), request.port));
        let limit = if old { pool_rules.limit_1_0 } else { pool_rules.limit };
        match limit {
            u32::MAX => None,
            0 => Some(2),
            limit => Some(limit),
        }
    }

    /// The server answered with HTTP/1.0, or a later version.
    pub fn learn(&self, request: &TransportRequest, old: bool) {
        if request.pool_rules.limit_1_0 == u32::MAX {
            return;
        }
        let server = (request.host.to_ascii_lowercase(), request.port);
        let mut state = self.lock();
        if old {
            state.old.insert(server);
        } else {
            state.old.remove(&server);
        }
    }

    /// Waits for the right to use one of so many connections.
    pub async fn enter(self: &Arc<Limits>, request: &TransportRequest, limit: u32) -> Permit {
        let server =
            Server { owner: request.pool_rules.owner, host: request.host.to_ascii_lowercase(), port: request.port };
        let ticket = {
            let mut state = self.lock();
            let used = state.servers.entry(server.clone()).or_default();
            if used.used < limit && used.queue.is_empty() {
                used.used += 1;
                return Permit { limits: Arc::clone(self), server };
            }
            let ticket = Arc::new(Ticket::default());
            used.queue.push_back(Arc::clone(&ticket));
            ticket
        };
        let mut waiting = Waiting { limits: self, server, ticket, taken: false };
        poll_fn(|cx| waiting.poll(cx)).await
    }

    /// How many connections of the limit are used.
    pub fn used(&self, request: &TransportRequest) -> u32 {
        let server =
            Server { owner: request.pool_rules.owner, host: request.host.to_ascii_lowercase(), port: request.port };
        self.lock().servers.get(&server).map_or(0, |server| server.used)
    }

    /// A right is given back: to the next one, if somebody waits.
    fn leave(&self, server: &Server) {
        let mut state = self.lock();
        let Some(used) = state.servers.get_mut(server) else { return };
        if let Some(next) = used.queue.pop_front() {
            drop(state);
            let mut ticket = next.lock();
            ticket.0 = true;
            let waker = ticket.1.take();
            drop(ticket);
            if let Some(waker) = waker {
                waker.wake();
            }
            return;
        }
        used.used -= 1;
        if used.used == 0 {
            state.servers.remove(server);
        }
    }
}
