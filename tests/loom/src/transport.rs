//! A request, as far as connections know it.

use bytestring::ByteString;

use crate::http::proxy::Server;

#[path = "../../../src/transport/network.rs"]
mod network;

pub use network::{ConnectionGroupId, Network, PoolRules};

#[derive(Clone, Debug, Default)]
pub struct TransportRequest {
    pub host: ByteString,
    pub port: u16,
    pub route: Route,
    pub tls: Option<Tls>,
    pub http2: Option<Http2>,
    pub keep_alive: bool,
    pub pool: usize,
    pub handle: usize,
    pub network: Network,
    pub pool_rules: PoolRules,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tls {
    pub ignore: u32,
    pub protocols: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Http2 {
    pub queue: bool,
    pub require_end: bool,
    pub window: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    #[default]
    Direct,
    Proxy(Via),
    Tunnel(Via, String),
    Socks(Server),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    pub server: Server,
}

impl Route {
    pub fn server(&self) -> Option<&Server> {
        match self {
            Route::Direct => None,
            Route::Proxy(via) | Route::Tunnel(via, _) => Some(&via.server),
            Route::Socks(server) => Some(server),
        }
    }
}
