//! The peer: hyper alone, as its documentation says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::Request;
use hyper::body::{Body, Frame};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use portable_winhttp::lab::Authority;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use super::callbacks::take;
use super::server::{BODY, Server};

/// How a server is reached.
#[derive(Clone)]
pub struct Connector {
    address: SocketAddr,
    tls: Option<TlsConnector>,
}

/// A configuration that trusts this authority.
pub fn tls(authority: &Authority, alpn: &[&str]) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(authority.der())).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.expect("ring speaks TLS").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// The name in the certificate.
pub fn name(address: SocketAddr) -> ServerName<'static> {
    ServerName::IpAddress(address.ip().into())
}

impl Connector {
    pub fn new(server: &Server, authority: &Authority) -> Connector {
        Connector { address: server.address, tls: server.secure.then(|| tls(authority, &[])) }
    }

    async fn connect<B>(&self) -> SendRequest<B>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::error::Error + Send + Sync,
    {
        let stream = TcpStream::connect(self.address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        match &self.tls {
            None => spawn(TokioIo::new(stream)).await,
            Some(tls) => spawn(TokioIo::new(tls.connect(name(self.address), stream).await.expect("a handshake"))).await,
        }
    }
}

async fn spawn<B>(stream: impl hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static) -> SendRequest<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let (sender, connection) = http1::handshake(stream).await.expect("a connection");
    tokio::spawn(connection);
    sender
}

fn request<B>(method: &str, path: &str, body: B) -> Request<B> {
    Request::builder().method(method).uri(path).header("Host", "127.0.0.1").body(body).expect("a request")
}

async fn small(sender: &mut SendRequest<Full<Bytes>>, method: &str, path: &str, body: Bytes) {
    sender.ready().await.expect("the connection is kept");
    let reply = sender.send_request(request(method, path, Full::new(body))).await.expect("a reply");
    assert_eq!(reply.into_body().collect().await.expect("a body").to_bytes(), BODY);
}

/// Connections that are kept from one run to the next.
pub struct Requests {
    connector: Connector,
    kept: Vec<SendRequest<Full<Bytes>>>,
}

impl Requests {
    pub fn new(connector: Connector) -> Requests {
        Requests { connector, kept: Vec::new() }
    }

    /// So many requests over `flight` connections, each asking again as soon as it has its reply.
    pub async fn run(&mut self, flight: usize, count: usize, body: &Bytes) {
        let tickets = Arc::new(AtomicUsize::new(count));
        let method = if body.is_empty() { "GET" } else { "POST" };
        let mut tasks = Vec::new();
        for _ in 0..flight {
            let (tickets, connector, body) = (Arc::clone(&tickets), self.connector.clone(), body.clone());
            let kept = self.kept.pop();
            tasks.push(tokio::spawn(async move {
                let mut sender = match kept {
                    Some(sender) => sender,
                    None => connector.connect().await,
                };
                while take(&tickets) {
                    small(&mut sender, method, "/", body.clone()).await;
                }
                sender
            }));
        }
        for task in tasks {
            self.kept.push(task.await.expect("no panic"));
        }
    }
}

/// A connection for each request.
pub async fn connections(address: SocketAddr, count: usize) {
    let connector = Connector { address, tls: None };
    let task = tokio::spawn(async move {
        for _ in 0..count {
            small(&mut connector.connect().await, "GET", "/close", Bytes::new()).await;
        }
    });
    task.await.expect("no panic");
}

/// Reads a long reply.
pub async fn download(connector: &Connector, path: &str) {
    let (connector, path) = (connector.clone(), path.to_owned());
    let task = tokio::spawn(async move {
        let mut sender = connector.connect().await;
        let reply = sender.send_request(request("GET", &path, Full::new(Bytes::new()))).await.expect("a reply");
        let mut body = reply.into_body();
        while let Some(frame) = body.frame().await {
            frame.expect("the whole body");
        }
    });
    task.await.expect("no panic");
}

/// Sends a long body in pieces of 64 KiB.
pub async fn upload(connector: &Connector, length: usize) {
    let connector = connector.clone();
    let task = tokio::spawn(async move {
        let piece = Bytes::from(vec![0; 64 << 10]);
        let pieces = (0..length.div_ceil(piece.len())).map(move |index| {
            let left = (length - index * piece.len()).min(piece.len());
            Ok::<_, std::convert::Infallible>(Frame::data(piece.slice(..left)))
        });
        let mut sender = connector.connect().await;
        let mut request = request("PUT", "/", StreamBody::new(Iter(pieces)));
        request.headers_mut().insert("Content-Length", length.into());
        let reply = sender.send_request(request).await.expect("a reply");
        assert_eq!(reply.into_body().collect().await.expect("a body").to_bytes(), BODY);
    });
    task.await.expect("no panic");
}

/// An iterator as the stream that `StreamBody` wants.
struct Iter<I>(I);

impl<I: Iterator + Unpin> futures_core::Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<I::Item>> {
        std::task::Poll::Ready(self.0.next())
    }
}

/// One connection, driven by a thread that blocks on each request.
pub struct Driven {
    sender: SendRequest<Full<Bytes>>,
}

impl Driven {
    pub fn new(runtime: &Runtime, address: SocketAddr) -> Driven {
        Driven { sender: runtime.block_on(Connector { address, tls: None }.connect()) }
    }

    pub fn run(&mut self, runtime: &Runtime, count: usize) {
        for _ in 0..count {
            runtime.block_on(small(&mut self.sender, "GET", "/", Bytes::new()));
        }
    }
}
