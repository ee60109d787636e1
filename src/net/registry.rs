//! The open connections: what marks them, and what is known of them.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::transport::{ConnectionGroupId, ConnectionInfo, TcpInfo, TransportRequest};

/// Asks the system about a socket, as long as it is open.
pub type Inquiry = Box<dyn Fn() -> Option<TcpInfo> + Send + Sync>;

/// A connection while it is open.
pub struct PoolEntry {
    host: String,
    port: u16,
    secure: bool,
    mark: Mutex<Option<ConnectionGroupId>>,
    expired: AtomicBool,
    requests: AtomicU32,
    /// How long it may lie idle, in milliseconds.
    idle: AtomicU32,
    since: Duration,
    inquiry: Option<Inquiry>,
}

impl std::fmt::Debug for PoolEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolEntry").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PoolEntry {
    /// Its mark.
    pub fn mark(&self) -> Option<ConnectionGroupId> {
        *lock(&self.mark)
    }

    /// Marks it.
    pub fn set_mark(&self, mark: ConnectionGroupId) {
        *lock(&self.mark) = Some(mark);
    }

    /// It carries nothing more.
    pub fn expire(&self) {
        self.expired.store(true, Ordering::SeqCst);
    }

    /// Whether it carries nothing more.
    pub fn expired(&self) -> bool {
        self.expired.load(Ordering::SeqCst)
    }

    /// Whether it may lie idle still, and be used again.
    pub fn stays(&self, since: Duration, now: Duration) -> bool {
        let idle = self.idle.load(Ordering::Relaxed);
        let young = matches!(idle, 0 | u32::MAX) || now < since + Duration::from_millis(idle.into());
        young && !self.expired()
    }

    /// It carries one more request: how many there were before.
    pub fn carry(&self, request: &TransportRequest) -> u32 {
        self.idle.store(request.pool_rules.idle, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::SeqCst)
    }

    /// What is known of it.
    pub fn carrier(&self, earlier: u32, now: Duration) -> ConnectionInfo {
        let connection_time = now.saturating_sub(self.since).as_millis() as u64;
        let tcp = self.inquiry.as_ref().and_then(|ask| ask());
        ConnectionInfo { earlier, tcp: tcp.map(|tcp| TcpInfo { connection_time, ..tcp }) }
    }
}

/// All of them, as long as they are open.
#[derive(Default)]
pub struct Registry(Mutex<Vec<Weak<PoolEntry>>>);

impl Registry {
    /// Another one, to the server of a request.
    pub fn add(&self, request: &TransportRequest, inquiry: Option<Inquiry>, since: Duration) -> Arc<PoolEntry> {
        let entry = Arc::new(PoolEntry {
            host: request.host.to_ascii_lowercase(),
            port: request.port,
            secure: request.tls.is_some(),
            mark: Mutex::new(None),
            expired: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            idle: AtomicU32::new(request.pool_rules.idle),
            since,
            inquiry,
        });
        let mut all = lock(&self.0);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&entry));
        entry
    }

    /// How many connections to a server have each mark, in the order in which the marks appeared.
    pub fn marked(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        only: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        let mut groups: Vec<(ConnectionGroupId, u32)> = Vec::new();
        let all: Vec<_> = lock(&self.0).iter().filter_map(Weak::upgrade).collect();
        for one in all {
            let here = one.host.eq_ignore_ascii_case(host) && one.port == port && one.secure == secure;
            let Some(mark) = one.mark().filter(|mark| here && only.is_none_or(|only| only == *mark)) else { continue };
            match groups.iter_mut().find(|(known, _)| *known == mark) {
                Some((_, count)) => *count += 1,
                None => groups.push((mark, 1)),
            }
        }
        groups
    }
}
