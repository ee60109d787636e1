//! Proxies in a Sim: peers like all others. An HTTP proxy answers what comes to it, CONNECT included.

use super::world::Origin;
use crate::transport::{Route, TransportRequest};

/// Who answers a request.
pub fn origin(request: &TransportRequest) -> Origin {
    match &request.route {
        Route::Proxy(_) => reached(request),
        _ => (request.tls.is_some(), request.host.to_ascii_lowercase(), request.port),
    }
}

/// Whom the connection of a request is made to.
pub fn reached(request: &TransportRequest) -> Origin {
    let secure = match &request.route {
        Route::Direct => request.tls.is_some(),
        Route::Proxy(via) | Route::Tunnel(via, _) => via.tls.is_some(),
        Route::Socks(_) => false,
    };
    let (host, port) = request.first_hop();
    (secure, host.to_ascii_lowercase(), port)
}
