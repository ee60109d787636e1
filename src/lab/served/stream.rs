//! The server's end of a connection, with TLS or without.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::lab::Issued;
use crate::net::failure::Injected;
use crate::net::pipe::Pipe;
use crate::net::tls::provider;

/// Bytes in both directions, and a way to break them.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {
    /// Breaks the connection, so that the client meets with this failure; a socket can only be reset.
    fn reset(&self, with: Option<Injected>);
}

impl Io for Pipe {
    fn reset(&self, with: Option<Injected>) {
        Pipe::reset(self, with);
    }
}

impl Io for TcpStream {
    /// What is closed without lingering is told to the other side as broken.
    fn reset(&self, _with: Option<Injected>) {
        let _ = self.set_zero_linger();
    }
}

impl Io for Box<dyn Io> {
    fn reset(&self, with: Option<Injected>) {
        (**self).reset(with);
    }
}

impl<S: Io> Io for TlsStream<S> {
    fn reset(&self, with: Option<Injected>) {
        self.get_ref().0.reset(with);
    }
}

/// Speaks TLS with this certificate as a server; says whether HTTP/2 was agreed on. `None` if the client goes away.
pub async fn accept<S: Io + 'static>(io: S, certificate: &Issued, http2: bool) -> Option<(Box<dyn Io>, bool)> {
    let stream = TlsAcceptor::from(config(certificate, http2)?).accept(io).await.ok()?;
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Some((Box::new(stream), http2))
}

fn config(certificate: &Issued, http2: bool) -> Option<Arc<ServerConfig>> {
    let chain = certificate.chain.iter().cloned().map(Into::into).collect();
    let key = PrivateKeyDer::try_from(certificate.key.clone()).ok()?;
    let mut config = ServerConfig::builder_with_provider(provider().ok()?)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .ok()?;
    let protocols: &[&[u8]] = if http2 { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Some(Arc::new(config))
}
