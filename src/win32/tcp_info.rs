//! What the system knows of a socket.

/// What a system knows of a TCP connection: the part of Windows' TCP_INFO that others have, too. Times in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// TCPSTATE: 4 is established.
    pub state: u32,
    /// Maximum segment size.
    pub mss: u32,
    /// Since when it stands, in milliseconds.
    pub connection_time: u64,
    /// Round-trip time.
    pub rtt: u32,
    /// The least round-trip time.
    pub min_rtt: u32,
    /// Bytes on their way.
    pub in_flight: u32,
    /// Congestion window.
    pub congestion_window: u32,
    /// The server's window.
    pub send_window: u32,
    /// Our window.
    pub receive_window: u32,
    /// Bytes sent and acknowledged.
    pub bytes_out: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes received twice or out of order.
    pub bytes_reordered: u32,
    /// Bytes sent again.
    pub bytes_retransmitted: u32,
    /// Segments sent again before they were due.
    pub fast_retransmissions: u32,
    /// Timeouts.
    pub timeouts: u32,
}
