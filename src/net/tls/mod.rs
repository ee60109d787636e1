//! TLS by rustls; the verdict on the server is ours (sources tls.faults, TL1).
//!
//! Each request is judged by its own SECURITY_FLAGS: what one ignored is not ignored by the next, although a page says that
//! a certificate once taken stays taken for the session (TL3). Connections and TLS sessions are shared only under equal
//! rules, and the certificates of a resumed session are judged again.
//!
//! What is not checked: stapled OCSP answers, which nobody here can read, certificate transparency, and whether a
//! certificate was revoked unless the request says so. Stricter than Windows: an authority's certificate that is shown as
//! a server's is invalid unless it is itself trusted. A server that asks for a client certificate only after the handshake
//! gets none, whatever is set: rustls neither renegotiates (TLS 1.2) nor authenticates later (TLS 1.3). Such a request fails
//! with ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED (source w5), and fails again when it is sent again.

mod chain;
mod client;
mod handshake;
mod old;
mod provider;
mod revocation;
mod trust;
mod verifier;

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stream::Stream;
use super::{Net, failure};
use crate::http::zone::without_zone;
use crate::pki::Verdict;
use crate::sync::Mutex;
use crate::transport::{ClientCertificate, Failure, Http2, Network, Revocation, Secured, Sink, Tls};
use crate::win32::{
    ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED, ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY,
    ERROR_WINHTTP_SECURE_FAILURE, WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3,
};
#[cfg(feature = "lab")]
pub use chain::judge_by;
pub use chain::{judge, roots};
use client::Client;
use handshake::HandshakeFindings;
pub use provider::provider;
use trust::Trust;
use verifier::{Algorithms, Verifier};

/// How many sets of rules are kept ready, with their sessions.
const READY: usize = 64;

/// A list of protocols for ALPN.
pub type Protocols = &'static [&'static [u8]];
/// ALPN's name of HTTP/2.
pub const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What a server is offered: without HTTP/2 nothing, so that one which has HTTP/2 alone is spoken to, too (source alpn.none).
pub fn offered(http2: Option<&Http2>) -> Protocols {
    match http2 {
        None => &[],
        Some(Http2 { required: true, .. }) => &[HTTP2],
        Some(_) => &[HTTP2, HTTP1],
    }
}

/// TLS of a world: whom it trusts, and the sessions that it may resume.
#[derive(Default)]
pub struct Security {
    trust: OnceLock<Arc<Trust>>,
    ready: Mutex<HashMap<(Tls, Protocols), Arc<Ready>>>,
    lists: revocation::Lists,
}

/// One set of rules and protocols. Sessions are resumed only under the same.
struct Ready {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

/// How a handshake ended. What was learnt is there even if it failed.
pub struct Handshake {
    pub stream: Result<Stream, Failure>,
    /// The server's certificates, and what was agreed on.
    pub secured: Option<Arc<Secured>>,
    /// The issuers of whom the server wants a certificate (DER names), if it was asked for in vain.
    pub wanted: Option<Vec<Vec<u8>>>,
}

impl From<Failure> for Handshake {
    fn from(failure: Failure) -> Handshake {
        Handshake { stream: Err(failure), secured: None, wanted: None }
    }
}

/// Looks whether the certificates of a good handshake were revoked, if the rules want it; then it was none.
pub async fn check_revocation(net: &Net, handshake: &mut Handshake, rules: &Tls, network: &Network) {
    let (Ok(_), Some(secured)) = (&handshake.stream, &mut handshake.secured) else { return };
    let Ok(provider) = provider() else { return };
    if rules.revocation == Revocation::Unchecked {
        return;
    }
    let signatures = Algorithms(provider.signature_verification_algorithms);
    let faults = net.security.lists.faults(net, network, secured, &signatures, rules.revocation).await;
    if faults != 0 {
        Arc::make_mut(secured).faults |= faults;
        handshake.stream = Err(Failure { secure: faults, ..ERROR_WINHTTP_SECURE_FAILURE.into() });
    }
}

impl Security {
    /// Trusts this authority (DER) and no other.
    #[cfg(feature = "live")]
    pub fn trusting(authority: Vec<u8>) -> Security {
        let mut trust = Trust::default();
        trust.extend([authority.into()]);
        Security { trust: OnceLock::from(Arc::new(trust)), ..Security::default() }
    }

    /// Speaks TLS on a connected stream with the server of this name, or address without brackets. No byte of a request
    /// can go out before its certificate is judged. The sink hears why there can be no TLS at all.
    pub async fn handshake(
        &self,
        stream: Stream,
        host: &str,
        rules: &Tls,
        offered: Protocols,
        sink: &dyn Sink,
    ) -> Handshake {
        let host = without_zone(host);
        let ready = match self.ready(rules, offered, sink) {
            Ok(ready) => ready,
            Err(failure) => return failure.into(),
        };
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            let secure = WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID;
            return Failure { secure, ..ERROR_WINHTTP_SECURE_FAILURE.into() }.into();
        };
        let connecting = TlsConnector::from(Arc::clone(&ready.config)).connect(name, stream);
        handshake::scope(async {
            let mut connecting = pin!(connecting);
            // The application must say first what the server gets, if that is the one that it should be.
            let in_vain = || rules.client == ClientCertificate::Absent && handshake::asked_and_judged();
            let connected = poll_fn(|cx| match connecting.as_mut().poll(cx) {
                Poll::Ready(connected) => Poll::Ready(Some(connected)),
                Poll::Pending if in_vain() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await;
            let asked = in_vain();
            let HandshakeFindings { mut verdict, wanted } = handshake::take();
            let mut agreed = Secured::default();
            if let Some(Ok(stream)) = &connected {
                agreed = negotiated(stream);
                if verdict.is_none() {
                    verdict = Some(ready.judge_again(stream, host));
                }
            }
            let refused = verdict.as_ref().map_or(0, |(_, verdict)| ready.verifier.refused(verdict));
            let secured = verdict.map(|(presented, Verdict { faults, path, at, .. })| {
                Arc::new(Secured { presented, path, faults, judged_at: at, ..agreed })
            });
            let stream = match connected {
                _ if refused != 0 => Err(Failure { secure: refused, ..ERROR_WINHTTP_SECURE_FAILURE.into() }),
                Some(Ok(stream)) if !asked => Ok(Stream::Tls(Box::new(stream))),
                Some(Err(error)) if !asked => Err(failure::of_handshake(&error)),
                _ => Err(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED.into()),
            };
            Handshake { stream, secured, wanted: wanted.filter(|_| asked) }
        })
        .await
    }

    /// The certificates of whom it trusts, DER.
    #[cfg(feature = "live")]
    pub fn trusted(&self) -> Vec<Vec<u8>> {
        self.trust().roots.iter().map(<[u8]>::to_vec).collect()
    }

    /// Whom the world trusts.
    fn trust(&self) -> Arc<Trust> {
        Arc::clone(self.trust.get_or_init(|| Arc::new(Trust::of_system())))
    }

    fn ready(&self, rules: &Tls, offered: Protocols, sink: &dyn Sink) -> Result<Arc<Ready>, Failure> {
        let key = (rules.clone(), offered);
        let mut ready = self.ready.lock();
        if let Some(ready) = ready.get(&key) {
            return Ok(Arc::clone(ready));
        }
        if ready.len() == READY {
            ready.clear();
        }
        let trust = self.trust();
        let provider = provider().map_err(|missing| missing.tell(sink))?;
        let made = Arc::new(Ready::new(provider, trust, rules, offered)?);
        ready.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

impl Ready {
    fn new(
        provider: Arc<CryptoProvider>,
        trust: Arc<Trust>,
        rules: &Tls,
        offered: Protocols,
    ) -> Result<Ready, Failure> {
        let client = match &rules.client {
            ClientCertificate::Absent | ClientCertificate::None => Client::without(),
            ClientCertificate::Given(identity) => {
                Client::with(identity, &provider).map_err(|_| ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY)?
            }
        };
        let known = [(WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, &TLS13), (WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2, &TLS12)];
        let allowed = known.iter().filter(|(bit, _)| rules.protocols & bit != 0);
        let allowed: Vec<_> = allowed.map(|(_, version)| *version).collect();
        let verifier = Arc::new(Verifier { trust, provider: Arc::clone(&provider), ignore: rules.ignore });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&allowed)
            .map_err(|error| failure::of_tls(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
            .with_client_cert_resolver(Arc::new(client));
        config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Ready { config: Arc::new(config), verifier })
    }

    /// A resumed session brings the certificates of the first: they may have expired since.
    fn judge_again(&self, stream: &TlsStream<Stream>, host: &str) -> (Vec<Vec<u8>>, Verdict) {
        let presented = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let verdict = self.verifier.judge(presented, host, UnixTime::now());
        (presented.iter().map(|certificate| certificate.to_vec()).collect(), verdict)
    }
}

fn negotiated(stream: &TlsStream<Stream>) -> Secured {
    let session = stream.get_ref().1;
    Secured {
        protocol: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3,
            Some(ProtocolVersion::TLSv1_2) => WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
            _ => 0,
        },
        suite: session.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into()),
        group: session.negotiated_key_exchange_group().map_or(0, |group| group.name().into()),
        ..Secured::default()
    }
}
