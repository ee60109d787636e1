//! What is known of a connection.

use crate::win32::TcpInfo;

/// What is known of the connection that carries a request, or carried it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// How many requests it carried before this one.
    pub earlier: u32,
    /// What the system knows of its socket (CONNECTION_STATS_V0, CONNECTION_STATS_V1), if it can be asked.
    pub tcp: Option<TcpInfo>,
}
