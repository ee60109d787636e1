//! The options that decide about names, sockets and connections.

use std::time::Duration;

/// How names are looked up and sockets made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The name that is looked up instead of the host (RESOLUTION_HOSTNAME).
    pub resolve_as: Option<String>,
    /// How many addresses of a host are tried (CONNECT_RETRIES).
    pub addresses: u32,
    /// IPv6 first, for a short while (IPV6_FAST_FALLBACK).
    pub fast_fallback: bool,
    /// How often TCP asks whether an idle server is there (TCP_KEEPALIVE): after so long, then so often.
    pub keep_alive: Option<(Duration, Duration)>,
    /// Data go with the first packet where server and system allow it (TCP_FAST_OPEN).
    pub fast_open: bool,
    /// What is kept of answers to look-ups (RESOLVER_CACHE_CONFIG); nothing until it is set.
    pub cache: Option<NameCache>,
    /// How often a failed TLS handshake is tried again on a new connection (FAILED_CONNECTION_RETRIES).
    pub handshake_retries: u32,
}

impl Default for Network {
    fn default() -> Network {
        Network {
            resolve_as: None,
            addresses: 5,
            fast_fallback: false,
            keep_alive: None,
            fast_open: false,
            cache: None,
            handshake_retries: 0,
        }
    }
}

/// WINHTTP_RESOLVER_CACHE_CONFIG, as far as a system without the names' times to live can follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameCache {
    /// How many names are kept.
    pub entries: usize,
    /// How long.
    pub age: Duration,
    /// Whether more names than that are kept while they are young.
    pub soft: bool,
    /// Whether this request asks anew, whatever is kept.
    pub bypass: bool,
}

/// A GUID, byte for byte as in memory.
pub type ConnectionGroupId = [u8; 16];

/// Which connections may carry a request, and how many there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRules {
    /// Requests with equal numbers have one limit.
    pub owner: usize,
    /// How many connections to one server may be open (MAX_CONNS_PER_SERVER); `u32::MAX` is no limit.
    pub limit: u32,
    /// The same for servers that speak HTTP/1.0 (MAX_CONNS_PER_1_0_SERVER).
    pub limit_1_0: u32,
    /// How long its connection may lie idle in the pool afterwards, in milliseconds; 0 and `u32::MAX` are no limit.
    pub idle: u32,
    /// What its connection is marked with (CONNECTION_GUID).
    pub mark: Option<ConnectionGroupId>,
    /// Only connections with this mark, or with none unless the flag is set (MATCH_CONNECTION_GUID).
    pub wanted: Option<(ConnectionGroupId, bool)>,
    /// How many connections the first request to a server opens (BACKGROUND_CONNECTIONS).
    pub at_first: u32,
    /// Whether a request is repeated whose connection from the pool was dead (FAILED_CONNECTION_RETRIES).
    pub retry_stale: bool,
}

impl Default for PoolRules {
    fn default() -> PoolRules {
        PoolRules {
            owner: 0,
            limit: u32::MAX,
            limit_1_0: u32::MAX,
            idle: 60_000,
            mark: None,
            wanted: None,
            at_first: 1,
            retry_stale: false,
        }
    }
}
