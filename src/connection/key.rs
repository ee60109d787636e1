//! What must agree for a connection to be used again.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::http::proxy::Server;
use crate::transport::{Http2, Route, Tls, TransportRequest, Via};

/// Everything that tells connections apart. It is compared with a request field by field, so that finding a connection
/// copies nothing.
#[derive(Clone, Debug)]
pub struct Key {
    host: String,
    port: u16,
    tls: Option<Tls>,
    http2: Option<Http2>,
    pool: usize,
    route: KeyRoute,
    resolve_as: Option<String>,
}

/// The proxy that a connection goes to, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum KeyRoute {
    Direct,
    /// It gets requests for every server.
    Proxy(Via),
    Tunnel(Via),
    Socks(Server),
}

impl From<&Route> for KeyRoute {
    fn from(route: &Route) -> KeyRoute {
        match route {
            Route::Direct => KeyRoute::Direct,
            Route::Proxy(via) => KeyRoute::Proxy(via.clone()),
            Route::Tunnel(via, _) => KeyRoute::Tunnel(via.clone()),
            Route::Socks(server) => KeyRoute::Socks(server.clone()),
        }
    }
}

impl KeyRoute {
    fn fits(&self, route: &Route) -> bool {
        match (self, route) {
            (KeyRoute::Direct, Route::Direct) => true,
            (KeyRoute::Proxy(known), Route::Proxy(via)) | (KeyRoute::Tunnel(known), Route::Tunnel(via, _)) => {
                known == via
            }
            (KeyRoute::Socks(known), Route::Socks(server)) => known == server,
            _ => false,
        }
    }
}

/// Whether a request waits for a stream is no matter of the connection.
fn http2(request: &TransportRequest) -> Option<Http2> {
    request.http2.map(|rules| Http2 { queue: true, require_end: false, ..rules })
}

/// A proxy that gets requests itself serves every host.
fn serves_all(route: &Route) -> bool {
    matches!(route, Route::Proxy(_))
}

impl Key {
    /// That of a request.
    pub fn of(request: &TransportRequest) -> Key {
        let (host, port) = match serves_all(&request.route) {
            true => (String::new(), 0),
            false => (request.host.to_ascii_lowercase(), request.port),
        };
        Key {
            host,
            port,
            tls: request.tls.clone(),
            http2: http2(request),
            pool: request.pool,
            route: KeyRoute::from(&request.route),
            resolve_as: request.network.resolve_as.clone(),
        }
    }

    /// Whether it is that of a request.
    pub fn fits(&self, request: &TransportRequest) -> bool {
        let same_server =
            serves_all(&request.route) || self.port == request.port && self.host.eq_ignore_ascii_case(&request.host);
        same_server
            && self.pool == request.pool
            && self.http2 == http2(request)
            && self.route.fits(&request.route)
            && self.tls == request.tls
            && self.resolve_as == request.network.resolve_as
    }

    /// Whether its connections belong to a pool (DISABLE_GLOBAL_POOLING).
    pub fn is_of_pool(&self, pool: usize) -> bool {
        self.pool == pool
    }

    /// A number that is the same for all requests that it fits.
    pub fn hash(request: &TransportRequest) -> u64 {
        let mut hasher = FxHasher::default();
        if !serves_all(&request.route) {
            request.host.bytes().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
            request.port.hash(&mut hasher);
        }
        request.route.server().map(|proxy| (&proxy.host, proxy.port)).hash(&mut hasher);
        request.tls.as_ref().map(|tls| (tls.ignore, tls.protocols)).hash(&mut hasher);
        request.pool.hash(&mut hasher);
        hasher.finish()
    }
}
