//! A small server of HTTP/1.1 and HTTP/2 on the loopback interface, with TLS or without.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, TRAILER};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use portable_winhttp::lab::Issued;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What the server does at each path.
pub const PATHS: &str = "\
/             a short text
/echo         the head and the body of the request
/redirect     302, leads to /
/status/N     a reply with the status code N
/bytes/N      a body of N bytes
/chunked      a body in three chunks
/trailers     a short text and a trailer section
/slow?ms=N    a short text after N milliseconds
/drop         closes the connection without a reply
/ws           a web socket that echoes; ?after=N with close=STATUS&reason=TEXT, end or bad; delay=MS, fragment=N,
              pings=N, silent
";

/// A running server; dropping it ends it.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on 127.0.0.1 and serves on a thread of its own. With a certificate it speaks TLS, and by ALPN HTTP/2;
    /// without, HTTP/2 with those who begin with it.
    pub fn start(port: u16, certificate: Option<Issued>) -> io::Result<Server> {
        let tls = certificate.map(acceptor).transpose()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("loopback server".into()).spawn(move || {
            runtime.block_on(async {
                let serving = tokio::spawn(accept(listener, tls));
                let _ = stopped.await;
                serving.abort();
            });
        })?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn acceptor(certificate: Issued) -> io::Result<TlsAcceptor> {
    let chain = certificate.chain.into_iter().map(Into::into).collect();
    let key = PrivateKeyDer::try_from(certificate.key).map_err(io::Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let tls = tls.clone();
                // A connection ends with an error when its client goes away, or by /drop.
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => serve(tls.accept(stream).await.ok()?).await,
                        None => serve(stream).await,
                    }
                });
            }
            // Out of file descriptors, say: others may be given back meanwhile.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Option<()> {
    let server = auto::Builder::new(TokioExecutor::new());
    server.serve_connection_with_upgrades(TokioIo::new(stream), service_fn(reply)).await.ok()
}

/// The error makes hyper close the connection.
async fn reply(request: Request<Incoming>) -> Result<Response<Pieces>, io::Error> {
    let path = request.uri().path().to_owned();
    let number = |prefix: &str| path.strip_prefix(prefix).and_then(|number| number.parse::<u64>().ok());
    Ok(match path.as_str() {
        "/" => text(StatusCode::OK, "Hello from the other side of WinHTTP.\n"),
        "/echo" => echo(request).await,
        "/redirect" => {
            let mut response = text(StatusCode::FOUND, "Look at /.\n");
            response.headers_mut().insert(LOCATION, HeaderValue::from_static("/"));
            response
        }
        "/chunked" => Response::new(Pieces::chunked(["one, ", "two, ", "three\n"].map(Bytes::from))),
        "/trailers" => {
            let mut response = Response::new(Pieces::whole(Bytes::from_static(b"Look behind me.\n")));
            response.headers_mut().insert(TRAILER, HeaderValue::from_static("x-end"));
            response.body_mut().length = None;
            response.body_mut().trailers.insert("x-end", HeaderValue::from_static("reached"));
            response
        }
        "/slow" => {
            let query = request.uri().query().unwrap_or_default();
            let query: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
            match query.get("ms").map_or(Ok(1000), |ms| ms.parse()) {
                Ok(ms) => {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    text(StatusCode::OK, "At last.\n")
                }
                Err(_) => text(StatusCode::BAD_REQUEST, "ms is a number of milliseconds.\n"),
            }
        }
        "/ws" => match super::echo::upgrade(request) {
            Ok(response) => response.map(|()| Pieces::whole(Bytes::new())),
            Err(what) => {
                let mut response = Response::new(Pieces::whole(Bytes::from(what + "\n")));
                *response.status_mut() = StatusCode::BAD_REQUEST;
                response
            }
        },
        "/drop" => return Err(io::ErrorKind::ConnectionAborted.into()),
        _ => match (number("/bytes/"), number("/status/")) {
            (Some(count), _) => Response::new(Pieces::zeros(count)),
            // 1xx is not a final reply.
            (_, Some(code @ 200..=999)) => {
                let status = StatusCode::from_u16(code as u16).expect("three digits");
                text(status, if matches!(code, 204 | 304) { "" } else { "As you wish.\n" })
            }
            _ => text(StatusCode::NOT_FOUND, PATHS),
        },
    })
}

fn text(status: StatusCode, text: &'static str) -> Response<Pieces> {
    let mut response = Response::new(Pieces::whole(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// A longer body is not echoed.
const ECHO: usize = 64 << 20;

async fn echo(request: Request<Incoming>) -> Response<Pieces> {
    let (head, body) = request.into_parts();
    let mut echo = format!("{} {} {:?}\r\n", head.method, head.uri, head.version).into_bytes();
    for (name, value) in &head.headers {
        echo.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    echo.extend(b"\r\n");
    match Limited::new(body, ECHO).collect().await {
        Ok(body) => {
            echo.extend(body.to_bytes());
            Response::new(Pieces::whole(echo.into()))
        }
        Err(_) => text(StatusCode::PAYLOAD_TOO_LARGE, "The body is too long, or it broke off.\n"),
    }
}

/// The body of a reply: its pieces, and its length unless it is chunked.
struct Pieces {
    pieces: Box<dyn Iterator<Item = Bytes> + Send>,
    length: Option<u64>,
    trailers: HeaderMap,
}

impl Pieces {
    fn whole(bytes: Bytes) -> Pieces {
        let length = Some(bytes.len() as u64);
        Pieces { pieces: Box::new(std::iter::once(bytes)), length, trailers: HeaderMap::new() }
    }

    fn chunked(chunks: impl IntoIterator<Item = Bytes, IntoIter: Send + 'static>) -> Pieces {
        Pieces { pieces: Box::new(chunks.into_iter()), length: None, trailers: HeaderMap::new() }
    }

    fn zeros(count: u64) -> Pieces {
        static ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];
        let mut left = count;
        let pieces = std::iter::from_fn(move || {
            let piece = left.min(ZEROS.len() as u64);
            left -= piece;
            (piece > 0).then(|| Bytes::from_static(&ZEROS[..piece as usize]))
        });
        Pieces { pieces: Box::new(pieces), length: Some(count), trailers: HeaderMap::new() }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(match self.pieces.next() {
            Some(piece) => Some(Ok(Frame::data(piece))),
            None if self.trailers.is_empty() => None,
            None => Some(Ok(Frame::trailers(std::mem::take(&mut self.trailers)))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.length == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::Server;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn ask(server: &Server, request: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).unwrap();
        String::from_utf8(reply).unwrap().to_ascii_lowercase()
    }

    #[test]
    fn every_path_replies_as_it_says() {
        let server = Server::start(0, None).unwrap();
        let cases = [
            ("/", "http/1.1 200 ok\r\n", "\r\n\r\nhello from the other side of winhttp.\n"),
            ("/redirect", "http/1.1 302 found\r\n", "look at /.\n"),
            ("/status/404", "http/1.1 404 not found\r\n", "as you wish.\n"),
            ("/status/204", "http/1.1 204 no content\r\n", "\r\n\r\n"),
            ("/status/100", "http/1.1 404 not found\r\n", ""),
            ("/bytes/3", "http/1.1 200 ok\r\n", "\r\n\r\n\0\0\0"),
            ("/bytes/0", "http/1.1 200 ok\r\n", "\r\n\r\n"),
            ("/chunked", "http/1.1 200 ok\r\n", "5\r\none, \r\n5\r\ntwo, \r\n6\r\nthree\n\r\n0\r\n\r\n"),
            ("/slow?ms=0", "http/1.1 200 ok\r\n", "at last.\n"),
            ("/slow?ms=x", "http/1.1 400 bad request\r\n", ""),
            ("/drop", "", ""),
            ("/other", "http/1.1 404 not found\r\n", ""),
        ];
        for (path, begin, end) in cases {
            let reply = ask(&server, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
            assert!(reply.starts_with(begin) && reply.ends_with(end), "{path}: {reply:?}");
            assert_eq!(reply.is_empty(), path == "/drop", "{path}: {reply:?}");
        }
    }

    #[test]
    fn a_long_body_has_all_its_bytes() {
        let server = Server::start(0, None).unwrap();
        let reply = ask(&server, "GET /bytes/100000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-length: 100000"), "{head}");
        assert_eq!(body.len(), 100_000);
    }

    #[test]
    fn echo_sends_head_and_body_back() {
        let server = Server::start(0, None).unwrap();
        let request = "POST /echo?q HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody";
        let reply = ask(&server, request);
        assert!(reply.contains("\r\n\r\npost /echo?q http/1.1\r\nhost: a\r\nx: y\r\n"), "{reply}");
        assert!(reply.ends_with("\r\n\r\nbody"), "{reply}");
    }
}
