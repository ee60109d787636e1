//! A new connection: name, address, TCP, TLS, HTTP.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::http2::Multiplexed;
use super::mailbox::Mailbox;
use super::registry::PoolEntry;
use super::runtime::{Boxed, Connected, Runtime};
use super::stream::Stream;
use super::upload::Upload;
use super::wire::{Wire, WireState};
use super::{Net, failure, names, tls};
use crate::connection::ConnectionId;
use crate::sync::Mutex;
use crate::transport::{ClientCertificate, Event, Failure, Peer, Route, Secured, Sink, Tls, TransportRequest, Via};
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH};

/// The half of a connection that must be polled for anything to move.
pub type Driver = http1::Connection<TokioIo<Wire>, Upload>;

/// A connection that can carry a request. Nobody polls it while it is idle; whoever takes it from the pool looks first.
#[derive(Debug)]
pub struct Connection {
    pub sender: http1::SendRequest<Upload>,
    pub driver: Driver,
    pub state: Arc<Mutex<WireState>>,
    pub peer: Peer,
    pub secured: Option<Arc<Secured>>,
    pub entry: Arc<PoolEntry>,
}

/// A new connection, by what the server speaks.
pub enum New {
    Http1(Box<Connection>),
    Http2(Arc<Multiplexed>),
}

/// A connection to the first hop.
pub struct Dialed {
    pub stream: Stream,
    pub peer: Peer,
    pub entry: Arc<PoolEntry>,
}

/// Connects to the server, or to the proxy on the way, and tells each step.
pub async fn dial(
    net: &Net,
    request: &TransportRequest,
    id: ConnectionId,
    sink: &dyn Sink,
    mailbox: Option<&Mailbox>,
) -> Result<Dialed, Failure> {
    let (runtime, network) = (&*net.runtime, &request.network);
    sink.event(Event::Resolving);
    let (host, port) = request.first_hop();
    let name = network.resolve_as.as_deref().filter(|_| request.route == Route::Direct).unwrap_or(host);
    let addresses = net.names.resolve(runtime, name, port, network.cache).await?;
    let attempts = names::attempts(&addresses, network);
    sink.event(Event::Resolved(attempts.first().map_or(addresses[0], |(address, _)| *address).ip().to_string()));
    let mut last = None;
    for (address, limit) in attempts {
        sink.event(Event::Connecting(address.ip().to_string()));
        let attempt = runtime.connect(address, network);
        match bounded(runtime, attempt, limit, mailbox).await {
            Ok(Connected { stream, peer, inquiry }) => {
                sink.event(Event::Connected(address.ip().to_string()));
                let entry = Arc::new(PoolEntry::new(id, inquiry, runtime.now()));
                return Ok(Dialed { stream, peer, entry });
            }
            Err(error) => last = Some(error),
        }
    }
    Err(failure::of_connect(last.as_ref()))
}

/// An attempt that ends when its time is up, or when the machine wants the next address.
async fn bounded<T>(
    runtime: &dyn Runtime,
    mut attempt: Boxed<'_, io::Result<T>>,
    limit: Option<Duration>,
    mailbox: Option<&Mailbox>,
) -> io::Result<T> {
    let mut timer = limit.map(|limit| {
        let mut timer = runtime.timer();
        timer.set(runtime.now() + limit);
        timer
    });
    poll_fn(|cx| {
        // What was given up stays so, if it succeeds after all: no time runs for it.
        let given_up = mailbox.is_some_and(|mailbox| std::mem::take(&mut mailbox.look(cx).next_address));
        if given_up {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if let Poll::Ready(done) = attempt.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        let over = timer.as_mut().is_some_and(|timer| timer.poll(cx).is_ready());
        if over { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    })
    .await
}

/// TLS with the proxy, if it is spoken; its failures have numbers of their own. The client's certificate is for the
/// server.
pub async fn secure_proxy(net: &Net, stream: Stream, via: &Via, sink: &dyn Sink) -> Result<Stream, Failure> {
    let Some(rules) = &via.tls else { return Ok(stream) };
    let rules = Tls { client: ClientCertificate::None, ..rules.clone() };
    let handshake = net.handshake(stream, (&via.server.host, via.server.port), &rules, tls::offered(None), sink).await;
    handshake.stream.map_err(failure::of_proxy)
}

/// What the server speaks on a connection that leads to it: TLS, and HTTP on that.
pub async fn speak(
    net: &Arc<Net>,
    dialed: Dialed,
    request: &TransportRequest,
    sink: &dyn Sink,
) -> Result<New, Failure> {
    let Dialed { mut stream, peer, entry } = dialed;
    let mut secured = None;
    if let Some(rules) = &request.tls {
        let offered = tls::offered(request.http2.as_ref());
        let mut handshake = net.handshake(stream, (&request.host, request.port), rules, offered, sink).await;
        tls::check_revocation(net, &mut handshake, rules, &request.network).await;
        if let Some(issuers) = handshake.wanted {
            sink.event(Event::CertificateWanted(issuers));
        }
        if let (Err(_), Some(secured)) = (&handshake.stream, &handshake.secured) {
            sink.event(Event::Secured(Arc::clone(secured)));
        }
        secured = handshake.secured;
        stream = handshake.stream?;
        match &request.http2 {
            Some(rules) if stream.chosen() == Some(tls::HTTP2) => {
                return Multiplexed::begin(net, stream, peer, secured, entry, rules).await.map(New::Http2);
            }
            Some(rules) if rules.required => return Err(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH.into()),
            _ => {}
        }
    }
    speak_http1(Dialed { stream, peer, entry }, secured).await.map(Box::new).map(New::Http1)
}

/// HTTP/1 on a stream.
pub async fn speak_http1(dialed: Dialed, secured: Option<Arc<Secured>>) -> Result<Connection, Failure> {
    let Dialed { stream, peer, entry } = dialed;
    let (wire, state) = Wire::new(stream);
    let (sender, driver) =
        http1::Builder::new().handshake(TokioIo::new(wire)).await.map_err(|_| ERROR_WINHTTP_CONNECTION_ERROR)?;
    Ok(Connection { sender, driver, state, peer, secured, entry })
}

impl Connection {
    /// Whether an idle connection can carry a request (source r7): not if it has ended, or if something came that nobody
    /// asked for. Nobody is woken for it: whoever uses the connection polls it again.
    pub fn alive(&mut self) -> bool {
        self.state.lock().looks = true;
        let closed = Pin::new(&mut self.driver).poll(&mut Context::from_waker(Waker::noop())).is_ready();
        !closed && self.sender.is_ready() && !self.state.lock().has_early()
    }

    /// It becomes idle.
    pub fn rest(&self) {
        self.state.lock().rest();
    }

    /// The stream under it, if it gave all its bytes away.
    pub fn into_stream(self) -> Option<Stream> {
        let parts = self.driver.into_parts();
        let (stream, rest) = parts.io.into_inner().into_parts();
        (parts.read_buf.is_empty() && rest.is_empty()).then_some(stream)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use tokio::net::{TcpListener, TcpStream};

    use super::super::runtime::{Boxed, Timer};
    use super::*;
    use crate::http::{Headers, Version};
    use crate::machine::{Machine, Origin, Output, Request, RequestTemplate, SendCall, Settings};
    use crate::transport::Network;
    use crate::win32::ERROR_WINHTTP_CANNOT_CONNECT;

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

        fn connect<'a>(&'a self, address: SocketAddr, _network: &'a Network) -> Boxed<'a, io::Result<Connected>> {
            Box::pin(async move {
                if address.ip() != self.reached {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let stream = TcpStream::connect(self.listener).await?;
                let peer = Peer { local: self.listener, remote: address };
                Ok(Connected { stream: Stream::Tcp(stream.into()), peer, inquiry: None })
            })
        }
    }

    /// Notes events in short.
    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Sink for Notes {
        fn events(&self, events: &mut dyn Iterator<Item = Event>) {
            self.0.lock().extend(events.map(|event| format!("{event:?}")));
        }

        fn tick(&self) {}
    }

    /// What a request with this CONNECT_RETRIES orders.
    fn request(retries: u32) -> TransportRequest {
        let template = RequestTemplate {
            method: "GET".into(),
            target: "/".into(),
            version: Version { major: 1, minor: 1 },
            headers: Headers::default(),
            agent: None,
            accept: Vec::new(),
            referrer: None,
            refresh: false,
            automatic_chunking: false,
        };
        let origin = Origin { secure: false, host: "host.test".into(), port: 80 };
        let network = Network { addresses: retries, ..Network::default() };
        let settings = Settings { network, ..Settings::default() };
        let mut request = Request::new(origin, template, settings);
        let call = SendCall {
            headers: Vec::new(),
            optional: bytes::Bytes::new(),
            optional_address: 0,
            total: 0,
            key: [0; 16],
            hold: false,
        };
        request.send(Duration::ZERO, call).unwrap();
        let request = request.outputs().find_map(|output| match output {
            Output::Start(_, request) => Some(*request),
            _ => None,
        });
        request.unwrap()
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
                dial(
                    &Net::on(Box::new(listener), Default::default(), false),
                    &request(retries),
                    ConnectionId::default(),
                    &notes,
                    None,
                )
                .await
            });
            let mut expected = vec!["Resolving".to_owned(), format!("Resolved({v4:?})")];
            expected.extend(tried.iter().map(|address| format!("Connecting({address:?})")));
            expected.extend(connected.then(|| format!("Connected({:?})", reached.to_string())));
            assert_eq!(*notes.0.lock(), expected);
            let error = outcome.err().map(|failure| failure.error);
            assert_eq!(error, (!connected).then_some(ERROR_WINHTTP_CANNOT_CONNECT));
        }
    }

    /// An address that was given up is not used, though it answers before that is looked at: no time runs for it.
    #[test]
    fn an_address_that_was_given_up_stays_so() {
        let mailbox = Mailbox::default();
        let listener = TwoAddresses { reached: V4, listener: SocketAddr::new(V4, 1) };
        let tokio = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (given_up, expected) in [(false, None), (true, Some(io::ErrorKind::TimedOut)), (false, None)] {
            mailbox.tell(|commands| commands.next_address = given_up);
            let answers = Box::pin(std::future::ready(Ok(())));
            let outcome = tokio.block_on(bounded(&listener, answers, None, Some(&mailbox)));
            assert_eq!(outcome.err().map(|error| error.kind()), expected);
        }
    }

    /// r7: what the server has done to an idle connection is known before the runtime has heard of it, which is not asked
    /// here.
    #[test]
    fn an_idle_connection_is_looked_at() {
        use std::io::Write;
        use std::net::{Shutdown, TcpStream as Socket};
        type Act = fn(&mut Socket);
        let rows: [(&str, Act, bool); 4] = [
            ("idle", |_| {}, true),
            ("closed", |socket| socket.shutdown(Shutdown::Write).unwrap(), false),
            ("an answer to nothing", |socket| socket.write_all(b"HTTP/1.1 408 Late\r\n\r\n").unwrap(), false),
            ("broken", |socket| socket2::SockRef::from(&*socket).set_linger(Some(Duration::ZERO)).unwrap(), false),
        ];
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for (what, act, alive) in rows {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            tokio.block_on(async {
                let stream = TcpStream::connect(address).await.unwrap();
                let (mut socket, _) = listener.accept().unwrap();
                let inquiry = crate::win32::socket::inquiry(&stream);
                let entry = Arc::new(PoolEntry::new(ConnectionId::default(), inquiry, Duration::ZERO));
                let peer = Peer { local: address, remote: address };
                let dialed = Dialed { stream: Stream::Tcp(stream.into()), peer, entry };
                let mut connection = speak_http1(dialed, None).await.unwrap();
                assert!(connection.alive() && !connection.entry.ended(), "{what}");
                act(&mut socket);
                let kept = (what != "broken").then_some(socket);
                if cfg!(target_os = "linux") {
                    assert_eq!(connection.entry.ended(), ["closed", "broken"].contains(&what), "{what}");
                }
                assert_eq!(connection.alive(), alive, "{what}");
                drop(kept);
            });
        }
    }
}
