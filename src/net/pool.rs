//! Idle connections: one pool for the process, which outlives sessions (design.md fact 7).

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Net;
use super::connect::Connection;
use crate::transport::{Order, Tls};

/// How long a connection stays idle.
const IDLE: Duration = Duration::from_secs(30);
/// How often idle ones are looked for, while there are any.
const SWEEP: Duration = Duration::from_secs(5);

/// What must agree for a connection to be used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    host: String,
    port: u16,
    tls: Option<Tls>,
    pool: usize,
}

impl From<&Order> for Key {
    fn from(order: &Order) -> Key {
        let (host, tls) = (order.host.to_ascii_lowercase(), order.tls.clone());
        Key { host, port: order.port, tls, pool: order.pool }
    }
}

#[derive(Default)]
struct Idle {
    /// With the time since when they are idle.
    connections: HashMap<Key, Vec<(Duration, Connection)>>,
    swept: bool,
}

/// See the module.
#[derive(Default)]
pub struct Pool(Mutex<Idle>);

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that was used last, if it is still good.
    pub fn take(&self, key: &Key, now: Duration) -> Option<Connection> {
        let (since, connection) = self.lock().connections.get_mut(key)?.pop()?;
        (now < since + IDLE).then_some(connection)
    }
}

impl Net {
    /// Keeps a connection for the next request.
    pub fn keep(self: &Arc<Net>, key: Key, connection: Connection) {
        let mut idle = self.pool.lock();
        idle.connections.entry(key).or_default().push((self.runtime.now(), connection));
        if !std::mem::replace(&mut idle.swept, true) {
            drop(idle);
            self.runtime.spawn(Box::pin(sweep(Arc::clone(self))));
        }
    }
}

/// Closes what was idle for too long; ends when nothing is left.
async fn sweep(net: Arc<Net>) {
    let mut timer = net.runtime.timer();
    loop {
        timer.set(net.runtime.now() + SWEEP);
        poll_fn(|cx| timer.poll(cx)).await;
        let now = net.runtime.now();
        let mut idle = net.pool.lock();
        idle.connections.retain(|_, connections| {
            connections.retain(|(since, _)| now < *since + IDLE);
            !connections.is_empty()
        });
        if idle.connections.is_empty() {
            idle.swept = false;
            return;
        }
    }
}
