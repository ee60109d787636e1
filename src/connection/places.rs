//! How many connections a server may have (MAX_CONNS_PER_SERVER, MAX_CONNS_PER_1_0_SERVER), and who waits for one.

use std::collections::{HashMap, VecDeque};

use super::engine::{AttemptId, ConnectionId};
use super::recent::Recent;
use super::rules;
use crate::transport::TransportRequest;

/// A server, for the requests that share a limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    owner: usize,
    host: String,
    port: u16,
}

/// The connections that count for a server.
#[derive(Debug, Default)]
pub struct Places {
    pub connections: Vec<ConnectionId>,
    pub waiting: VecDeque<AttemptId>,
}

/// The limits of all servers.
#[derive(Debug, Default)]
pub struct Limits {
    servers: HashMap<Server, Places>,
    /// Servers that answered with HTTP/1.0.
    pub(super) old: Recent<(String, u16)>,
}

impl Limits {
    /// The server of a request and how many connections it may have; `None`: as many as there are.
    pub fn of(&self, request: &TransportRequest) -> Option<(Server, u32)> {
        let pool = &request.pool_rules;
        if pool.limit == u32::MAX && pool.limit_1_0 == u32::MAX {
            return None;
        }
        let host = request.host.to_ascii_lowercase();
        let place = (host, request.port);
        let limit = rules::limit(pool, self.old.contains(&place))?;
        let (host, port) = place;
        Some((Server { owner: pool.owner, host, port }, limit))
    }

    /// A server answered with HTTP/1.0, or a later version.
    pub fn learn(&mut self, request: &TransportRequest, old: bool) {
        if request.pool_rules.limit_1_0 == u32::MAX {
            return;
        }
        let server = (request.host.to_ascii_lowercase(), request.port);
        if old {
            self.old.insert(server);
        } else {
            self.old.remove(&server);
        }
    }

    pub fn get(&mut self, server: &Server) -> &mut Places {
        self.servers.entry(server.clone()).or_default()
    }

    /// How many connections count for a server.
    pub fn used(&self, server: &Server) -> usize {
        self.servers.get(server).map_or(0, |places| places.connections.len())
    }

    /// A connection does not count any more.
    pub fn leave(&mut self, server: &Server, connection: ConnectionId) {
        let Some(places) = self.servers.get_mut(server) else { return };
        places.connections.retain(|known| *known != connection);
        self.tidy(server);
    }

    /// Forgets a server that nothing is known of.
    pub fn tidy(&mut self, server: &Server) {
        if self.servers.get(server).is_some_and(|places| places.connections.is_empty() && places.waiting.is_empty()) {
            self.servers.remove(server);
        }
    }
}
