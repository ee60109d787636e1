//! A new connection: name, address, TCP, TLS, HTTP.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::Net;
use super::http2::Multiplexed;
use super::runtime::Runtime;
use super::stream::Stream;
use super::tls;
use super::upload::Upload;
use super::wire::{Tally, Wire};
use crate::transport::{Event, Failure, Order, Peer, Secured, Sink};
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH,
    ERROR_WINHTTP_NAME_NOT_RESOLVED,
};

/// The half of a connection that must be polled for anything to move.
pub type Driver = http1::Connection<TokioIo<Wire<Stream>>, Upload>;

/// A connection that can carry a request. Nobody polls it while it is idle; whoever takes it from the pool looks first.
#[derive(Debug)]
pub struct Connection {
    pub sender: http1::SendRequest<Upload>,
    pub driver: Driver,
    pub tally: Arc<Mutex<Tally>>,
    pub peer: Peer,
    pub secured: Option<Arc<Secured>>,
}

/// A new connection, by what the server speaks.
pub enum New {
    Http1(Connection),
    Http2(Arc<Multiplexed>),
}

/// Connects, and tells each step.
pub async fn connect(net: &Arc<Net>, order: &Order, sink: &dyn Sink) -> Result<New, Failure> {
    // Without TLS nobody says what the server speaks, and HTTP/1.1 is spoken.
    if order.tls.is_none() && order.http2.is_some_and(|rules| rules.required) {
        return Err(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH.into());
    }
    sink.event(Event::Resolving);
    let addresses = resolve(&*net.runtime, order).await?;
    sink.event(Event::Resolved(addresses[0].ip().to_string()));
    let mut connected = None;
    for address in addresses.iter().take(order.addresses) {
        sink.event(Event::Connecting(address.ip().to_string()));
        if let Ok(stream) = net.runtime.connect(*address).await {
            connected = Some(stream);
            break;
        }
    }
    let (mut stream, peer) = connected.ok_or(ERROR_WINHTTP_CANNOT_CONNECT)?;
    sink.event(Event::Connected(peer.remote.ip().to_string()));
    let mut secured = None;
    if let Some(rules) = &order.tls {
        let handshake = net.security.handshake(stream, &order.host, rules, tls::offered(order.http2.as_ref())).await;
        if let Some(issuers) = handshake.wanted {
            sink.event(Event::CertificateWanted(issuers));
        }
        if let (Err(_), Some(secured)) = (&handshake.stream, &handshake.secured) {
            sink.event(Event::Secured(Arc::clone(secured)));
        }
        secured = handshake.secured;
        stream = handshake.stream?;
        match &order.http2 {
            Some(rules) if stream.chosen() == Some(tls::HTTP2) => {
                return Multiplexed::begin(net, stream, peer, secured, rules).await.map(New::Http2);
            }
            Some(rules) if rules.required => return Err(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH.into()),
            _ => {}
        }
    }
    let (wire, tally) = Wire::new(stream);
    let (sender, driver) =
        http1::Builder::new().handshake(TokioIo::new(wire)).await.map_err(|_| ERROR_WINHTTP_CONNECTION_ERROR)?;
    Ok(New::Http1(Connection { sender, driver, tally, peer, secured }))
}

/// The addresses of the host, IPv4 first; never empty.
async fn resolve(runtime: &dyn Runtime, order: &Order) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = order.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, order.port)]);
    }
    let found = runtime.resolve(&order.host, order.port).await;
    let mut addresses = found.map_err(|_| ERROR_WINHTTP_NAME_NOT_RESOLVED)?;
    addresses.sort_by_key(SocketAddr::is_ipv6);
    if addresses.is_empty() {
        return Err(ERROR_WINHTTP_NAME_NOT_RESOLVED.into());
    }
    Ok(addresses)
}
