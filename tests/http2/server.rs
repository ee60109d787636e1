//! HTTP/2 servers that do what a test says, frame by frame if it must be: `h2` over TLS on loopback.

use std::future::{Future, poll_fn};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::task::{Poll, ready};

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response};
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::support::PATIENCE;

/// How much of a body comes before its reader makes room (RFC 9113 6.9.2).
const WINDOW: usize = 65_535;

/// Where all servers of these tests run.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// TLS with a certificate that nobody trusts, and these protocols.
fn acceptor(protocols: &[&str]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// One request at a server.
pub struct Exchange {
    pub request: Request<RecvStream>,
    pub reply: SendResponse<Bytes>,
    /// The number of its connection, from 1.
    pub connection: usize,
}

impl Exchange {
    pub fn path(&self) -> &str {
        self.request.uri().path()
    }

    /// A whole reply.
    pub fn answer(&mut self, body: impl Into<Bytes>) {
        self.answer_with(Response::new(()), body);
    }

    pub fn answer_with(&mut self, head: Response<()>, body: impl Into<Bytes>) {
        // Whoever asked may have gone away meanwhile.
        let Ok(mut stream) = self.reply.send_response(head, false) else { return };
        let _ = stream.send_data(body.into(), true);
    }

    pub fn reset(&mut self, reason: Reason) {
        self.reply.send_reset(reason);
    }

    /// The whole body of the request.
    pub async fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        while let Some(Ok(bytes)) = self.request.body_mut().data().await {
            let _ = self.request.body_mut().flow_control().release_capacity(bytes.len());
            body.extend(bytes);
        }
        body
    }
}

/// The paths of the requests that were taken.
#[derive(Default)]
struct Taken {
    paths: Mutex<Vec<String>>,
    changed: Condvar,
}

impl Taken {
    fn push(&self, path: &str) {
        self.paths.lock().unwrap().push(path.to_owned());
        self.changed.notify_all();
    }
}

/// A server and what it has seen.
pub struct Server {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Taken>,
}

impl Server {
    /// Each request is answered by `handler`, on a task of its own.
    pub fn start<F>(handler: impl Fn(Exchange) -> F + Clone + Send + Sync + 'static) -> Server
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Server::with(Builder::new(), handler)
    }

    pub fn with<F>(builder: Builder, handler: impl Fn(Exchange) -> F + Clone + Send + Sync + 'static) -> Server
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (server, listener) = Server::bind();
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let acceptor = acceptor(&["h2"]);
        RUNTIME.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let number = connections.fetch_add(1, Ordering::SeqCst) + 1;
                let (acceptor, builder, handler) = (acceptor.clone(), builder.clone(), handler.clone());
                let requests = Arc::clone(&requests);
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
                    while let Some(Ok((request, reply))) = connection.accept().await {
                        requests.push(request.uri().path());
                        if request.uri().path() == "/leave" {
                            connection.graceful_shutdown();
                        }
                        if request.uri().path() == "/abrupt" {
                            connection.abrupt_shutdown(Reason::NO_ERROR);
                        }
                        if request.uri().path() == "/vanish" {
                            // The window is full, and nobody opens it: then the connection is gone.
                            let (mut body, mut came) = (request.into_body(), 0);
                            return poll_fn(|cx| {
                                let _ = connection.poll_accept(cx);
                                while came < WINDOW {
                                    match ready!(body.poll_data(cx)) {
                                        Some(Ok(bytes)) => came += bytes.len(),
                                        _ => break,
                                    }
                                }
                                Poll::Ready(())
                            })
                            .await;
                        }
                        tokio::spawn(handler(Exchange { request, reply, connection: number }));
                    }
                });
            }
        });
        server
    }

    /// A server of HTTP/1.1 over TLS that answers hello, and says by ALPN what it is told to.
    pub fn http1(protocols: &[&str]) -> Server {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (server, listener) = Server::bind();
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let acceptor = acceptor(protocols);
        RUNTIME.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, requests) = (acceptor.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut head = Vec::new();
                    while let Ok(byte) = stream.read_u8().await {
                        head.push(byte);
                        if head.ends_with(b"\r\n\r\n") {
                            let line = String::from_utf8_lossy(&head);
                            requests.push(line.split(' ').nth(1).unwrap_or(""));
                            head.clear();
                            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
                        }
                    }
                });
            }
        });
        server
    }

    fn bind() -> (Server, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        (Server { port, connections: Arc::default(), requests: Arc::default() }, listener)
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The paths that were asked for.
    pub fn requests(&self) -> Vec<String> {
        self.requests.paths.lock().unwrap().clone()
    }

    /// Waits until so many requests were taken. One that the client has written is not one yet, and of those that are
    /// cancelled before, `h2` bears 20: then it leaves the connection.
    pub fn wait_for_requests(&self, count: usize) {
        let paths = self.requests.paths.lock().unwrap();
        let waited = self.requests.changed.wait_timeout_while(paths, PATIENCE, |paths| paths.len() < count);
        assert!(!waited.unwrap().1.timed_out(), "{count} requests did not come");
    }
}

/// Trailers.
pub fn trailers(fields: &[(&'static str, &str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}
