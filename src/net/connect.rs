//! A new connection: name, address, TCP, TLS, HTTP.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::Net;
use super::failure;
use super::http2::Multiplexed;
use super::runtime::Runtime;
use super::stream::Stream;
use super::tls;
use super::upload::Upload;
use super::wire::{Tally, Wire};
use crate::transport::{ClientCertificate, Event, Failure, Order, Peer, Secured, Sink, Tls, Via};
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
    Http1(Box<Connection>),
    Http2(Arc<Multiplexed>),
}

/// Connects to the server, or to the proxy on the way, and tells each step.
pub async fn dial(runtime: &dyn Runtime, order: &Order, sink: &dyn Sink) -> Result<(Stream, Peer), Failure> {
    sink.event(Event::Resolving);
    let (host, port) = order.first_hop();
    let addresses = resolve(runtime, host, port).await?;
    sink.event(Event::Resolved(addresses[0].ip().to_string()));
    for address in addresses.iter().take(order.addresses) {
        sink.event(Event::Connecting(address.ip().to_string()));
        if let Ok((stream, peer)) = runtime.connect(*address).await {
            sink.event(Event::Connected(peer.remote.ip().to_string()));
            return Ok((stream, peer));
        }
    }
    Err(ERROR_WINHTTP_CANNOT_CONNECT.into())
}

/// TLS with the proxy, if it is spoken; its failures have numbers of their own. The client's certificate is for the
/// server.
pub async fn secure_proxy(net: &Net, stream: Stream, via: &Via) -> Result<Stream, Failure> {
    let Some(rules) = &via.tls else { return Ok(stream) };
    let rules = Tls { client: ClientCertificate::None, ..rules.clone() };
    let handshake = net.security.handshake(stream, &via.server.host, &rules, tls::offered(None)).await;
    handshake.stream.map_err(failure::of_proxy)
}

/// What the server speaks on a connection that leads to it: TLS, and HTTP on that.
pub async fn speak(
    net: &Arc<Net>,
    mut stream: Stream,
    peer: Peer,
    order: &Order,
    sink: &dyn Sink,
) -> Result<New, Failure> {
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
    speak_http1(stream, peer, secured).await.map(Box::new).map(New::Http1)
}

/// HTTP/1 on a stream.
pub async fn speak_http1(stream: Stream, peer: Peer, secured: Option<Arc<Secured>>) -> Result<Connection, Failure> {
    let (wire, tally) = Wire::new(stream);
    let (sender, driver) =
        http1::Builder::new().handshake(TokioIo::new(wire)).await.map_err(|_| ERROR_WINHTTP_CONNECTION_ERROR)?;
    Ok(Connection { sender, driver, tally, peer, secured })
}

impl Connection {
    /// The stream under it, if it gave all its bytes away.
    pub fn into_stream(self) -> Option<Stream> {
        let parts = self.driver.into_parts();
        let (stream, rest) = parts.io.into_inner().into_parts();
        (parts.read_buf.is_empty() && rest.is_empty()).then_some(stream)
    }
}

/// The addresses of the host, IPv4 first; never empty.
async fn resolve(runtime: &dyn Runtime, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = runtime.resolve(host, port).await;
    let mut addresses = found.map_err(|_| ERROR_WINHTTP_NAME_NOT_RESOLVED)?;
    addresses.sort_by_key(SocketAddr::is_ipv6);
    if addresses.is_empty() {
        return Err(ERROR_WINHTTP_NAME_NOT_RESOLVED.into());
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::net::{TcpListener, TcpStream};

    use super::super::runtime::{Boxed, Timer};
    use super::*;
    use crate::http::{Headers, Version};
    use crate::machine::{Compose, Machine, Output, Request, SendCall, Settings, Site};

    /// A network where every name has two addresses, and this one alone is reached.
    struct TwoAddresses {
        reached: IpAddr,
        listener: SocketAddr,
    }

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, 1));

    impl Runtime for TwoAddresses {
        fn now(&self) -> Duration {
            Duration::ZERO
        }

        fn timer(&self) -> Box<dyn Timer> {
            unreachable!("no step waits")
        }

        fn run(&self, _task: Boxed<'static, ()>) -> bool {
            false
        }

        fn spawn(&self, _task: Boxed<'static, ()>) {}

        fn resolve<'a>(&'a self, _name: &'a str, port: u16) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
            Box::pin(async move { Ok(vec![SocketAddr::new(V6, port), SocketAddr::new(V4, port)]) })
        }

        fn connect(&self, address: SocketAddr) -> Boxed<'_, io::Result<(Stream, Peer)>> {
            Box::pin(async move {
                if address.ip() != self.reached {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let stream = TcpStream::connect(self.listener).await?;
                Ok((Stream::Tcp(stream), Peer { local: self.listener, remote: address }))
            })
        }
    }

    /// Notes events in short.
    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Sink for Notes {
        fn events(&self, events: &mut dyn Iterator<Item = Event>) {
            self.0.lock().unwrap().extend(events.map(|event| format!("{event:?}")));
        }

        fn tick(&self) {}
    }

    /// What a request with this CONNECT_RETRIES orders.
    fn order(retries: u32) -> Order {
        let compose = Compose {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            version: Version { major: 1, minor: 1 },
            headers: Headers::default(),
            agent: None,
            accept: Vec::new(),
            referrer: None,
            refresh: false,
            automatic_chunking: false,
        };
        let site = Site { secure: false, host: "host.test".to_owned(), port: 80 };
        let mut request = Request::new(site, compose, Settings { connect_retries: retries, ..Settings::default() });
        let call = SendCall { headers: Vec::new(), optional: bytes::Bytes::new(), total: 0, key: [0; 16], hold: false };
        request.send(Duration::ZERO, call).unwrap();
        let order = request.outputs().find_map(|output| match output {
            Output::Start(_, order) => Some(*order),
            _ => None,
        });
        order.unwrap()
    }

    /// IPv4 comes first; the next address is tried when one refuses, as many as CONNECT_RETRIES says.
    #[test]
    fn the_next_address_is_tried() {
        let (v4, v6) = (V4.to_string(), V6.to_string());
        let rows = [
            (V4, 5, vec![&v4], true),
            (V6, 5, vec![&v4, &v6], true),
            (V6, 1, vec![&v4], false),
            (IpAddr::V4(Ipv4Addr::LOCALHOST), 5, vec![&v4, &v6], false),
        ];
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (reached, retries, tried, connected) in rows {
            let notes = Notes::default();
            let outcome = tokio.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                let listener = TwoAddresses { reached, listener: listener.local_addr().unwrap() };
                dial(&*Net::on(Box::new(listener)).runtime, &order(retries), &notes).await
            });
            let mut expected = vec!["Resolving".to_owned(), format!("Resolved({v4:?})")];
            expected.extend(tried.iter().map(|address| format!("Connecting({address:?})")));
            expected.extend(connected.then(|| format!("Connected({:?})", reached.to_string())));
            assert_eq!(*notes.0.lock().unwrap(), expected);
            let error = outcome.err().map(|failure| failure.error);
            assert_eq!(error, (!connected).then_some(ERROR_WINHTTP_CANNOT_CONNECT));
        }
    }
}
