//! What is known of an open connection, for those who ask the request that it carries.

use std::time::Duration;

use crate::connection::ConnectionId;
use crate::transport::ConnectionInfo;
use crate::win32::TcpInfo;

/// TCPSTATE of a connection that carries both ways.
const ESTABLISHED: u32 = 4;

/// Asks the system about a socket, as long as it is open.
pub type Inquiry = Box<dyn Fn() -> Option<TcpInfo> + Send + Sync>;

/// A connection while it is open.
pub struct PoolEntry {
    id: ConnectionId,
    since: Duration,
    inquiry: Option<Inquiry>,
}

impl std::fmt::Debug for PoolEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PoolEntry").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PoolEntry {
    /// A connection that stands since a time.
    pub fn new(id: ConnectionId, inquiry: Option<Inquiry>, since: Duration) -> PoolEntry {
        PoolEntry { id, since, inquiry }
    }

    /// Which connection it is.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Whether the system knows that it has ended, though nobody has read that: the server has closed it, or it broke.
    pub fn ended(&self) -> bool {
        self.inquiry.as_ref().is_some_and(|ask| ask().is_none_or(|known| known.state != ESTABLISHED))
    }

    /// What is known of it; it carried so many requests before this one.
    pub fn info(&self, earlier: u32, now: Duration) -> ConnectionInfo {
        let connection_time = now.saturating_sub(self.since).as_millis() as u64;
        let tcp = self.inquiry.as_ref().and_then(|ask| ask());
        ConnectionInfo { earlier, tcp: tcp.map(|tcp| TcpInfo { connection_time, ..tcp }) }
    }
}
