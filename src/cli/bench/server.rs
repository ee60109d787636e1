//! The server of all works: a thread that answers as cheaply as it can.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use portable_winhttp::lab::Issued;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// The answer to a small request.
pub const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";
/// Its body.
pub const BODY: &[u8] = b"Hello, world!";

const LAST_REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\nHello, world!";

/// Where it listens. It runs until the process ends.
#[derive(Clone, Copy)]
pub struct Server {
    pub address: SocketAddr,
    pub secure: bool,
}

/// Starts one.
pub fn start(certificate: Option<Issued>) -> Server {
    let tls = certificate.as_ref().map(|issued| TlsAcceptor::from(Arc::new(config(issued, &[]))));
    let address = listen(move |stream| {
        let tls = tls.clone();
        async move {
            match tls {
                None => answer(stream).await,
                Some(tls) => answer(tls.accept(stream).await?).await,
            }
        }
    });
    Server { address, secure: certificate.is_some() }
}

/// Serves connections on a thread with a runtime of its own.
pub fn listen<F>(serve: impl Fn(tokio::net::TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("the loopback interface");
    let address = listener.local_addr().expect("a bound socket has an address");
    std::thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream));
            }
        });
    });
    address
}

/// What rustls needs to be this server.
pub fn config(issued: &Issued, alpn: &[&str]) -> rustls::ServerConfig {
    let chain = issued.chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.clone()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.expect("ring speaks TLS").with_no_client_auth().with_single_cert(chain, key);
    let mut config = config.expect("the key fits the certificate");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// `/bytes/N` answers N bytes, `/close` ends its connection; bodies are swallowed.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let (mut head, mut part) = (Vec::new(), vec![0; 64 << 10]);
    let zeros = vec![0; 64 << 10];
    loop {
        let end = loop {
            if let Some(at) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            let count = stream.read(&mut part).await?;
            if count == 0 {
                return Ok(());
            }
            head.extend_from_slice(&part[..count]);
        };
        let text = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
        let mut body = length(&text).saturating_sub(head.len() - end);
        while body > 0 {
            let count = stream.read(&mut part).await?;
            if count == 0 {
                return Ok(());
            }
            body = body.saturating_sub(count);
        }
        head.clear();
        let path = text.split(' ').nth(1).unwrap_or_default();
        if path == "/close" {
            stream.write_all(LAST_REPLY).await?;
            return stream.shutdown().await;
        }
        let Some(mut left) = path.strip_prefix("/bytes/").and_then(|count| count.parse::<usize>().ok()) else {
            stream.write_all(REPLY).await?;
            stream.flush().await?;
            continue;
        };
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n").as_bytes()).await?;
        while left > 0 {
            let count = left.min(zeros.len());
            stream.write_all(&zeros[..count]).await?;
            left -= count;
        }
        // TLS keeps what the socket did not take.
        stream.flush().await?;
    }
}

fn length(head: &str) -> usize {
    let value = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}
