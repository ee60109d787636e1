//! What lies under the machine: something that carries one request to a server and tells what happens on the way.
//!
//! The real transport is `net`; the lab has one made of a script. The machine cannot tell them apart: both take a
//! [`TransportRequest`], answer with [`Event`]s and obey the methods of an [`Attempt`].
#![forbid(unsafe_code)]

mod chain;
mod info;
mod network;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use crate::http::proxy::Server;
use crate::http::{Headers, RequestHead, ResponseHead};
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_NAME_NOT_RESOLVED,
    ERROR_WINHTTP_SECURE_FAILURE, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
    WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR, Win32Error,
};
pub use chain::{ChainAnswer, ChainAsked, ChainQuestion, ChainRevocation, ChainRoots};
pub use info::ConnectionInfo;
pub use network::{ConnectionGroupId, NameCache, Network, PoolRules};

/// A piece shorter than this holds more memory than it needs: it is a part of the buffer that it was read into.
const SMALL: usize = 1024;

/// Bytes that will wait beside others: what they hold is bounded by how many they are.
pub fn to_keep(bytes: Bytes) -> Bytes {
    if bytes.len() < SMALL { Bytes::copy_from_slice(&bytes) } else { bytes }
}

/// One request as it goes to a server: everything that the transport needs to know, decided.
#[derive(Clone, Debug)]
pub struct TransportRequest {
    /// Host name or address literal, without brackets.
    pub host: ByteString,
    /// TCP port.
    pub port: u16,
    /// How it is reached.
    pub route: Route,
    /// The rules of TLS, if it is spoken.
    pub tls: Option<Tls>,
    /// Whether HTTP/2 may be spoken, and how.
    pub http2: Option<Http2>,
    /// The head, complete.
    pub head: RequestHead,
    /// The body bytes that follow the head at once.
    pub body: Bytes,
    /// Whether more body bytes come by [`Attempt::write`] until [`Attempt::finish`].
    pub more: bool,
    /// Whether HTTP/1 makes a chunk of each piece of the body (WINHTTP_FLAG_AUTOMATIC_CHUNKING); an empty one is the last.
    pub chunked: bool,
    /// Whether the connection becomes a stream of bytes when the reply is a 101.
    pub upgrade: bool,
    /// Whether the connection may come from the pool and go back there.
    pub keep_alive: bool,
    /// Connections are shared by the requests that have the same number.
    pub pool: usize,
    /// The handle that it belongs to: its next request waits for what is drained of this one's reply. 0 is none.
    pub handle: usize,
    /// How the name is looked up and the socket made.
    pub network: Network,
    /// Which connections may carry it.
    pub pool_rules: PoolRules,
    /// How long a connection may take that nobody waits for (BACKGROUND_CONNECTIONS).
    pub ahead_within: Duration,
    /// Longest reply head in bytes (MAX_RESPONSE_HEADER_SIZE).
    pub head_limit: usize,
    /// How many interim replies may come before the reply (MAX_HTTP_STATUS_CONTINUE).
    pub interim_limit: u32,
    /// How many bytes of an unwanted body are read so that the connection can be kept (MAX_RESPONSE_DRAIN_SIZE).
    pub drain_limit: usize,
}

/// What TLS with a server must obey. Connections and TLS sessions are shared only under equal rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tls {
    /// The certificate errors that are ignored: SECURITY_FLAG_IGNORE_* bits.
    pub ignore: u32,
    /// The versions that may be spoken: WINHTTP_FLAG_SECURE_PROTOCOL_* bits.
    pub protocols: u32,
    /// What a server gets that asks for a certificate.
    pub client: ClientCertificate,
    /// Whether it is asked if certificates were revoked.
    pub revocation: Revocation,
}

/// ENABLE_SSL_REVOCATION and IGNORE_CERT_REVOCATION_OFFLINE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// It is not asked.
    #[default]
    Unchecked,
    /// It is asked; without an answer the certificate is refused.
    Checked,
    /// It is asked; without an answer the certificate is taken.
    CheckedIfThere,
}

/// The answer to a server that asks for a certificate (CLIENT_CERT_CONTEXT).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClientCertificate {
    /// Nothing was said: the request fails with ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED.
    #[default]
    Absent,
    /// WINHTTP_NO_CLIENT_CERT_CONTEXT: none is given.
    None,
    /// This one.
    Given(Arc<Identity>),
}

impl ClientCertificate {
    /// Whether it is a certificate without a private key, which is of no use.
    pub fn lacks_key(&self) -> bool {
        matches!(self, ClientCertificate::Given(identity) if identity.key.is_empty())
    }
}

/// A certificate with its private key.
#[derive(PartialEq, Eq, Hash)]
pub struct Identity {
    /// DER, the certificate itself first, then those of its issuers that are known.
    pub chain: Vec<Vec<u8>>,
    /// DER: PKCS#8, PKCS#1 or SEC1. Empty if there is none.
    pub key: Vec<u8>,
}

/// The key is nobody's business.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// What TLS with a server came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secured {
    /// The certificates that the server sent, DER, its own first.
    pub presented: Vec<Vec<u8>>,
    /// From the server's certificate to a trusted root, or as far as the way was found.
    pub path: Vec<Vec<u8>>,
    /// WINHTTP_CALLBACK_STATUS_FLAG_* bits: all that is wrong, whether or not it is ignored.
    pub faults: u32,
    /// When that was found: seconds since 1970.
    pub judged_at: u64,
    /// The version: a WINHTTP_FLAG_SECURE_PROTOCOL_* bit; 0 if the handshake did not come to its end.
    pub protocol: u32,
    /// The cipher suite, by its number in the registry of TLS; 0 as above.
    pub suite: u16,
    /// The group of the key exchange, by its number there.
    pub group: u16,
}

/// HTTP/2 with a server. Connections are shared only under equal rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Http2 {
    /// Whether nothing else will do (HTTP_PROTOCOL_REQUIRED).
    pub required: bool,
    /// Whether a request waits while the server takes no more streams; else it gets a connection of its own
    /// (DISABLE_STREAM_QUEUE).
    pub queue: bool,
    /// How long the server may be silent before it is sent a PING (HTTP2_KEEPALIVE).
    pub keepalive: Option<Duration>,
    /// How many bytes of a body the server may send ahead (ulStreamWindow).
    pub window: u32,
    /// The server is told of room when there is so much (ulStreamWindowUpdateDelta).
    pub window_update: u32,
    /// Whether a body must end with END_STREAM: a reset without an error is none (REQUIRE_STREAM_END).
    pub require_end: bool,
}

impl Default for Http2 {
    fn default() -> Http2 {
        let window = 256 * 1024;
        Http2 { required: false, queue: true, keepalive: None, window, window_update: window / 2, require_end: false }
    }
}

/// How the server of a request is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// Straight.
    #[default]
    Direct,
    /// The proxy gets the request; the target of its head is in absolute form.
    Proxy(Via),
    /// The proxy opens a tunnel, asked with this CONNECT.
    Tunnel(Via, RequestHead),
    /// The SOCKS proxy opens a connection.
    Socks(Server),
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Via {
    /// The proxy.
    pub server: Server,
    /// The rules of TLS, if it is spoken with the proxy.
    pub tls: Option<Tls>,
    /// Whose tunnel it is: a tunnel that one user was granted is not for another.
    pub user: Option<String>,
}

impl Route {
    /// The proxy, if there is one.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Route::Direct => None,
            Route::Proxy(via) | Route::Tunnel(via, _) => Some(&via.server),
            Route::Socks(server) => Some(server),
        }
    }
}

#[cfg(test)]
impl TransportRequest {
    /// A GET of `/`, with the default of every option.
    pub fn to(host: &str, port: u16) -> TransportRequest {
        let (method, target) = ("GET".into(), "/".into());
        let version = crate::http::Version { major: 1, minor: 1 };
        TransportRequest {
            host: host.into(),
            port,
            route: Route::Direct,
            tls: None,
            http2: None,
            head: RequestHead { method, target, version, headers: Headers::default() },
            body: Bytes::new(),
            more: false,
            chunked: false,
            upgrade: false,
            keep_alive: true,
            pool: 0,
            handle: 0,
            network: Network::default(),
            pool_rules: PoolRules::default(),
            ahead_within: Duration::from_secs(120),
            head_limit: 65536,
            interim_limit: 10,
            drain_limit: 65536,
        }
    }
}

#[cfg(test)]
impl Tls {
    /// TLS 1.2 and nothing else.
    pub fn plain() -> Tls {
        Tls { ignore: 0, protocols: 0x800, client: ClientCertificate::None, revocation: Revocation::Unchecked }
    }
}

impl TransportRequest {
    /// Host and port of whom the connection is made to: the server, or the proxy on the way.
    pub fn first_hop(&self) -> (&str, u16) {
        self.route.server().map_or((&*self.host, self.port), |proxy| (&*proxy.host, proxy.port))
    }

    /// A piece of the body as it goes over HTTP/1.
    pub fn framed(&self, piece: Bytes) -> Bytes {
        if self.chunked { chunk(&piece) } else { piece }
    }

    /// The first piece of the body as it goes over HTTP/1.
    pub fn first(&self) -> Bytes {
        if self.body.is_empty() { Bytes::new() } else { self.framed(self.body.clone()) }
    }

    /// How long that is.
    pub fn first_length(&self) -> u64 {
        let body = self.body.len();
        let digits = body.checked_ilog(16).filter(|_| self.chunked);
        body as u64 + digits.map_or(0, |digits| u64::from(digits) + 1 + 4)
    }
}

fn chunk(bytes: &[u8]) -> Bytes {
    let mut chunk = BytesMut::with_capacity(bytes.len() + 20);
    chunk.put_slice(format!("{:X}\r\n", bytes.len()).as_bytes());
    chunk.put_slice(bytes);
    chunk.put_slice(b"\r\n");
    chunk.freeze()
}

/// The two ends of the connection that carries a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Our end.
    pub local: SocketAddr,
    /// The server's, or the proxy's, end.
    pub remote: SocketAddr,
}

/// What happened to a [`TransportRequest`], in the order in which it happened.
#[derive(Debug)]
pub enum Event {
    /// The host name is looked up.
    Resolving,
    /// It has this address.
    Resolved(String),
    /// A TCP connection to this address is attempted.
    Connecting(String),
    /// It stands.
    Connected(String),
    /// TLS was spoken with the server, perhaps in vain; before [`Event::Ready`] or [`Event::Failed`].
    Secured(Arc<Secured>),
    /// The server wants a certificate, of one of these issuers (DER names); [`Event::Failed`] follows.
    CertificateWanted(Vec<Vec<u8>>),
    /// A connection is waited for that another request is making, or a stream on one.
    Waiting,
    /// A connection to the proxy is there; CONNECT goes out after [`Attempt::proceed`].
    TunnelReady(Peer),
    /// CONNECT is out: so many bytes.
    TunnelSent(u64),
    /// The proxy answered CONNECT. After 2xx the tunnel stands; any other answer waits for [`Attempt::tunnel`].
    TunnelReply {
        /// The head of the answer.
        head: ResponseHead,
        /// Bytes received so far.
        received: u64,
    },
    /// A connection is there; the head goes out after [`Attempt::proceed`].
    Ready {
        /// Its ends.
        peer: Peer,
        /// Whether HTTP/2 is spoken on it.
        http2: bool,
    },
    /// Head and first body bytes are out: so many.
    Sent(u64),
    /// The bytes of the oldest unanswered [`Attempt::write`] are out.
    Wrote,
    /// A connection from the pool died before a byte of the reply came; the request starts again on a new one.
    Restarted,
    /// An interim reply (1xx).
    Interim(u16),
    /// Bytes of the head came, but not all.
    Progress,
    /// The head is complete. Always after [`Event::Sent`].
    Head {
        /// The head.
        head: ResponseHead,
        /// Bytes of head and body received so far.
        received: u64,
    },
    /// Body bytes, or the body's end, or both at once. After [`Attempt::upgrade`]: what the peer sends.
    Body {
        /// Bytes without chunk framing, never parts of two chunks; may be empty.
        bytes: Bytes,
        /// The trailer section, mostly empty, when the body is complete.
        end: Option<Headers>,
    },
    /// It failed; nothing follows.
    Failed(Failure),
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Windows' number for it.
    pub error: Win32Error,
    /// WINHTTP_CALLBACK_STATUS_FLAG_* bits for SECURE_FAILURE, or 0.
    pub secure: u32,
    /// The error code of an HTTP/2 RST_STREAM, or 0 (STREAM_ERROR_CODE).
    pub stream: u32,
    /// The Winsock error behind it (EXTENDED_ERROR), or 0.
    pub winsock: u32,
}

impl From<Win32Error> for Failure {
    /// With the Winsock error that is behind it in any case.
    fn from(error: Win32Error) -> Failure {
        let winsock = match error {
            ERROR_WINHTTP_CANNOT_CONNECT => 10061,
            ERROR_WINHTTP_NAME_NOT_RESOLVED => 11001,
            _ => 0,
        };
        Failure { error, secure: 0, stream: 0, winsock }
    }
}

impl Failure {
    /// Whether a TLS handshake ended with no word on the certificate: another attempt may work.
    pub fn handshake_broke(&self) -> bool {
        let unsafe_flags = self.secure & !WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR;
        unsafe_flags == 0 && matches!(self.error, ERROR_WINHTTP_CONNECTION_ERROR | ERROR_WINHTTP_SECURE_FAILURE)
    }
}

/// Who listens to the events of an attempt. Called from the transport's threads, one at a time.
pub trait Sink: Send + Sync {
    /// Things happened together, in this order: no call of the application comes between them.
    fn events(&self, events: &mut dyn Iterator<Item = Event>);
    /// Something happened.
    fn event(&self, event: Event) {
        self.events(&mut std::iter::once(event));
    }
    /// The time given to [`Attempt::wake_at`] has come.
    fn tick(&self);
    /// A remark for who reads a trace.
    fn note(&self, _text: &str) {}
    /// The handle that listens; 0 if it is gone, or none.
    fn handle(&self) -> usize {
        0
    }
}

/// An attempt that runs. No method blocks, and none but [`Attempt::go`] calls the sink.
pub trait Attempt: Send + Sync {
    /// Begins, once. The caller holds no lock: a transport may do on this thread what needs no waiting, and tell its sink.
    fn go(self: Arc<Self>);
    /// The head may go out: SENDING_REQUEST was delivered.
    fn proceed(&self);
    /// The proxy refused the tunnel: ask again with this CONNECT, on the same connection if that can carry another; or take
    /// the answer for that of the server.
    fn tunnel(&self, again: Option<RequestHead>);
    /// More body bytes; answered by [`Event::Wrote`].
    fn write(&self, bytes: Bytes);
    /// The body is complete.
    fn finish(&self);
    /// So many body bytes are no longer waiting at the machine: the transport may read ahead again.
    fn taken(&self, bytes: usize);
    /// The address that is being connected to takes too long: the next one is tried; without one it fails with
    /// ERROR_WINHTTP_TIMEOUT.
    fn next_address(&self);
    /// Marks its connection (CONNECTION_GUID).
    fn mark(&self, _mark: ConnectionGroupId) {}
    /// Its connection carries nothing after it (EXPIRE_CONNECTION).
    fn expire(&self) {}
    /// Its connection, if there is one and the transport knows anything of it.
    fn connection_info(&self) -> Option<ConnectionInfo> {
        None
    }
    /// After the head of a 101 that was asked for by [`TransportRequest::upgrade`]: the connection is a stream of bytes from now
    /// on, and `sink` hears of it. Until then nothing is read behind the head. At most `read_ahead` bytes wait for
    /// [`Attempt::taken`].
    fn upgrade(&self, sink: Arc<dyn Sink>, read_ahead: usize);
    /// Ask for a [`Sink::tick`] at this time of the world's clock; `None` asks for none. `idle`: nobody waits for
    /// it, so a world whose time moves for those who wait need not move for this.
    fn wake_at(&self, time: Option<Duration>, idle: bool);
    /// Nobody wants it any more: no event follows. The connection is kept if the reply can be drained.
    /// What was written to an upgraded one still goes out.
    fn release(&self);
}

/// Carries requests.
pub trait Transport: Send + Sync {
    /// Prepares a request; nothing happens before [`Attempt::go`].
    fn start(&self, request: Box<TransportRequest>, sink: Arc<dyn Sink>) -> Arc<dyn Attempt>;
    /// How many connections to a server have each mark; only those with this one if it is given.
    fn marked(
        &self,
        _host: &str,
        _port: u16,
        _secure: bool,
        _mark: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        Vec::new()
    }
    /// Judges a certificate. Where nobody does TLS nobody is trusted.
    fn judge(&self, question: ChainQuestion, asked: ChainAsked) {
        let path = question.presented.into_iter().take(1).collect();
        asked(ChainAnswer { path, faults: WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, ..ChainAnswer::default() });
    }
    /// Whom the world trusts at this moment, DER. Where nobody does TLS it is nobody.
    fn roots(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }
    /// Connections of this pool are not used again: they close (DISABLE_GLOBAL_POOLING, when the session ends).
    fn end_pool(&self, _pool: usize) {}
    /// How many requests are under way, those that are only drained included.
    fn running(&self) -> usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a peer that sends byte by byte each piece has a buffer to itself.
    #[test]
    fn what_waits_holds_little_more_than_itself() {
        for length in [1, SMALL - 1] {
            let mut buffer = BytesMut::zeroed(8 * SMALL);
            let kept = to_keep(buffer.split_to(length).freeze());
            assert_eq!(kept.try_into_mut().map(|own| own.capacity()), Ok(length));
        }
    }
}
