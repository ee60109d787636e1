//! The connections of a world, which outlive sessions (source pool.key): idle ones of HTTP/1, and those of HTTP/2,
//! which every request may share.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Net;
use super::connect::Connection;
use super::http2::{Multiplexed, Slot};
use crate::http::proxy::Server;
use crate::transport::{ConnectionGroupId, Http2, Route, Tls, TransportRequest, Via};

/// How often idle ones are looked for, while there are any.
const SWEEP: Duration = Duration::from_secs(5);

/// What must agree for a connection to be used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    host: String,
    port: u16,
    tls: Option<Tls>,
    http2: Option<Http2>,
    pool: usize,
    through: Option<Through>,
    resolve_as: Option<String>,
}

/// The proxy that a connection goes to, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Through {
    /// It gets requests for every server.
    Proxy(Via),
    Tunnel(Via),
    Socks(Server),
}

impl From<&TransportRequest> for Key {
    fn from(request: &TransportRequest) -> Key {
        // Whether a request waits for a stream is no matter of the connection.
        let http2 = request.http2.map(|rules| Http2 { queue: true, ..rules });
        let (tls, pool) = (request.tls.clone(), request.pool);
        let (host, port) = (request.host.to_ascii_lowercase(), request.port);
        let (host, port, through) = match &request.route {
            Route::Direct => (host, port, None),
            Route::Proxy(via) => (String::new(), 0, Some(Through::Proxy(via.clone()))),
            Route::Tunnel(via, _) => (host, port, Some(Through::Tunnel(via.clone()))),
            Route::Socks(server) => (host, port, Some(Through::Socks(server.clone()))),
        };
        Key { host, port, tls, http2, pool, through, resolve_as: request.network.resolve_as.clone() }
    }
}

#[derive(Default)]
struct Connections {
    /// With the time since when they are idle.
    idle: HashMap<Key, Vec<(Duration, Box<Connection>)>>,
    shared: HashMap<Key, Vec<Arc<Multiplexed>>>,
    making: HashMap<Key, Arc<Making>>,
    swept: bool,
    /// Those that a request with BACKGROUND_CONNECTIONS went to.
    known: HashSet<Key>,
}

/// See the module.
#[derive(Default)]
pub struct Pool(Mutex<Connections>);

/// What the pool has for a request.
pub enum Lookup {
    /// A connection that was idle; whoever takes it looks whether it is still open.
    Idle(Box<Connection>),
    /// A stream.
    Stream(Slot),
    /// A connection whose server takes no more streams at once.
    Full(Arc<Multiplexed>),
    /// Another request is making a connection that this one can share.
    Making(Arc<Making>),
    /// Nothing: a connection must be made. Others that could share it wait until the answer is dropped.
    Nothing(Box<Maker>),
}

/// A connection that is being made, and may turn out to be one that can be shared.
#[derive(Debug, Default)]
pub struct Making {
    over: AtomicBool,
    alone: AtomicBool,
    told: Notify,
}

impl Making {
    /// Waits until it is over. `false`: there is nothing to share, everybody makes a connection of its own.
    pub async fn wait(&self) -> bool {
        let told = self.told.notified();
        if !self.over.load(Ordering::Acquire) {
            told.await;
        }
        !self.alone.load(Ordering::Acquire)
    }
}

/// Whoever makes a connection.
pub struct Maker {
    net: Arc<Net>,
    key: Key,
    making: Option<Arc<Making>>,
}

impl Maker {
    /// The server speaks HTTP/2: whoever waits can share the connection.
    pub fn share(self, connection: Arc<Multiplexed>) {
        self.net.pool.lock().shared.entry(self.key.clone()).or_default().push(connection);
        self.net.start_sweeper();
    }

    /// There is nothing to share.
    pub fn keep_alone(self) {
        if let Some(making) = &self.making {
            making.alone.store(true, Ordering::Release);
        }
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        if let Some(making) = &self.making {
            self.net.pool.lock().making.remove(&self.key);
            making.over.store(true, Ordering::Release);
            making.told.notify_waiters();
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a connection with this mark may carry a request (MATCH_CONNECTION_GUID).
pub fn suits(mark: Option<ConnectionGroupId>, request: &TransportRequest) -> bool {
    match (request.pool_rules.wanted, mark) {
        (None, _) => true,
        (Some((_, strict)), None) => !strict,
        (Some((wanted, _)), Some(mark)) => wanted == mark,
    }
}

impl Pool {
    /// Closes idle connections to a server, the oldest first, until no more than so many are left.
    pub fn trim(&self, request: &TransportRequest, left: usize) {
        let host = request.host.to_ascii_lowercase();
        let of_server = |key: &Key| key.host == host && key.port == request.port;
        let mut connections = self.lock();
        let mut ages: Vec<Duration> = Vec::new();
        for (key, idle) in &connections.idle {
            if of_server(key) {
                ages.extend(idle.iter().map(|(since, _)| *since));
            }
        }
        ages.sort_unstable();
        let Some(last_out) = ages.len().checked_sub(left + 1).map(|place| ages[place]) else { return };
        for (key, idle) in &mut connections.idle {
            if of_server(key) {
                idle.retain(|(since, _)| *since > last_out);
            }
        }
    }

    /// Whether this is the first that is heard of a server.
    pub fn first_time(&self, key: &Key) -> bool {
        self.lock().known.insert(key.clone())
    }
}

impl Net {
    /// A stream of a connection that a request can share, if there is one now.
    pub fn find_stream(self: &Arc<Net>, key: &Key, request: &TransportRequest) -> Option<Slot> {
        let connections = self.pool.lock();
        let shared = connections.shared.get(key).into_iter().flatten();
        shared.filter(|connection| connection.takes(request)).find_map(|connection| connection.try_take(self))
    }

    /// What there is for a request. `together`: it would share a connection that is being made.
    pub fn find(self: &Arc<Net>, key: &Key, request: &TransportRequest, together: bool) -> Lookup {
        let now = self.runtime.now();
        let mut connections = self.pool.lock();
        let mut full = None;
        for connection in
            connections.shared.get(key).into_iter().flatten().filter(|connection| connection.takes(request))
        {
            match connection.try_take(self) {
                Some(slot) => return Lookup::Stream(slot),
                None => full = Some(Arc::clone(connection)),
            }
        }
        if let Some(full) = full {
            return Lookup::Full(full);
        }
        if let Some(idle) = connections.idle.get_mut(key) {
            idle.retain(|(since, connection)| connection.entry.stays(*since, now));
            let mark = |connection: &Connection| connection.entry.mark();
            // Of those that suit, one with the mark that is wanted, else the one that was used last.
            let marked = idle.iter().rposition(|(_, one)| mark(one).is_some() && suits(mark(one), request));
            let marked = marked.filter(|_| request.pool_rules.wanted.is_some());
            let place = marked.or_else(|| idle.iter().rposition(|(_, one)| suits(mark(one), request)));
            if let Some(place) = place {
                return Lookup::Idle(idle.remove(place).1);
            }
        }
        let making = match connections.making.get(key).filter(|_| together) {
            Some(making) => return Lookup::Making(Arc::clone(making)),
            None if together => Some(Arc::clone(connections.making.entry(key.clone()).or_default())),
            None => None,
        };
        Lookup::Nothing(Box::new(Maker { net: Arc::clone(self), key: key.clone(), making }))
    }

    /// Lets a new connection be made, whatever there is.
    pub fn make(self: &Arc<Net>, key: &Key) -> Maker {
        Maker { net: Arc::clone(self), key: key.clone(), making: None }
    }

    /// Keeps a connection for the next request.
    pub fn keep(self: &Arc<Net>, key: Key, connection: Box<Connection>) {
        let now = self.runtime.now();
        self.pool.lock().idle.entry(key).or_default().push((now, connection));
        self.start_sweeper();
    }

    fn start_sweeper(self: &Arc<Net>) {
        if !std::mem::replace(&mut self.pool.lock().swept, true) {
            self.runtime.spawn(Box::pin(sweep(Arc::clone(self))));
        }
    }
}

/// Closes what was idle for too long; ends when nothing is left.
async fn sweep(net: Arc<Net>) {
    let mut timer = net.runtime.timer();
    loop {
        timer.set_idle(net.runtime.now() + SWEEP);
        poll_fn(|cx| timer.poll(cx)).await;
        let now = net.runtime.now();
        let mut connections = net.pool.lock();
        let Connections { idle, shared, swept, .. } = &mut *connections;
        idle.retain(|_, connections| {
            connections.retain(|(since, connection)| connection.entry.stays(*since, now));
            !connections.is_empty()
        });
        shared.retain(|_, connections| {
            let used = |connection: &Multiplexed| {
                connection.idle_since().is_none_or(|since| connection.entry.stays(since, now))
            };
            connections.retain(|connection| connection.open() && used(connection));
            !connections.is_empty()
        });
        if idle.is_empty() && shared.is_empty() {
            *swept = false;
            return;
        }
    }
}
