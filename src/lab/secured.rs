//! TLS with scripted peers: no handshake takes place, but what it would come to is told.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::fault::{FaultKind, FaultTrigger, Stage};
use super::peer::Peer;
use super::script::ScriptAttempt;
use super::scripted::certificate;
use super::world::{Origin, SimWorld};
use crate::pki::{Certificate, refused};
use crate::transport::{ChainAnswer, ChainQuestion, ChainRoots, ClientCertificate, Event, Secured};
use crate::win32::{
    ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED, ERROR_WINHTTP_SECURE_FAILURE, WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID,
    WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3,
};

/// TLS_AES_256_GCM_SHA384 and X25519.
const SUITE: u16 = 0x1302;
const GROUP: u16 = 0x001D;

impl ScriptAttempt {
    /// TLS with this server, or with the proxy. A fault of the server's certificate is refused unless the request ignores
    /// it (SECURITY_FLAGS); a certificate is wanted of requests for which CLIENT_CERT_CONTEXT was not set.
    pub fn secure(self: &Arc<Self>, server: &Origin, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let peer = self.world.peer_of(server).map(|(peer, _)| peer);
        let what = self.meets_of(&FaultTrigger::Stage(Stage::Tls), peer.as_ref());
        let (Some(peer), Some(rules), true) = (peer, &self.request.tls, *server == self.origin()) else {
            return self.obey(what, Stage::Tls, then);
        };
        match what {
            Some(FaultKind::Fail(ERROR_WINHTTP_SECURE_FAILURE, faults)) if faults != 0 => {
                self.tell_secured(&peer, faults);
                match refused(faults, rules.ignore) {
                    0 => then(self),
                    refused => self.fail(ERROR_WINHTTP_SECURE_FAILURE, refused),
                }
            }
            Some(FaultKind::Fail(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED, _)) => {
                self.tell_secured(&peer, 0);
                if rules.client != ClientCertificate::Absent {
                    return then(self);
                }
                self.tell(Event::CertificateWanted(peer.issuer(&self.origin().1).into_iter().collect()));
                self.fail(ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED, 0);
            }
            what => self.obey(what, Stage::Tls, move |attempt| {
                attempt.tell_secured(&peer, 0);
                then(attempt);
            }),
        }
    }

    /// Tells what TLS came to, if it is spoken. `faults`: WINHTTP_CALLBACK_STATUS_FLAG_* bits.
    pub fn tell_secured(self: &Arc<Self>, peer: &Peer, faults: u32) {
        if self.request.tls.is_none() || faults & WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR != 0 {
            return;
        }
        let date = self.world.date().duration_since(UNIX_EPOCH).unwrap_or_default();
        let presented = peer.certificates(&self.origin().1);
        self.world.showed(&presented, faults);
        self.tell(Event::Secured(Arc::new(Secured {
            path: presented.clone(),
            presented,
            faults,
            judged_at: date.as_secs(),
            protocol: WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3,
            suite: SUITE,
            group: GROUP,
        })));
    }
}

impl SimWorld {
    /// What a scripted server showed is judged alike whenever it is asked for; nobody else is trusted.
    pub fn judge(&self, question: ChainQuestion) -> ChainAnswer {
        let shown = question.presented.first().and_then(|first| self.shown(first));
        let (path, faults) = match (shown, &question.roots) {
            (Some(shown), ChainRoots::World) => shown,
            (Some(shown), ChainRoots::Among(roots)) if shown.0.last().is_some_and(|last| roots.contains(last)) => shown,
            (_, ChainRoots::Only(roots)) => judged(question.clone(), roots.clone()),
            _ => judged(question, Vec::new()),
        };
        ChainAnswer { path, faults: faults & !WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, ..ChainAnswer::default() }
    }

    /// Whom the world trusts, DER: who issued the certificates of its servers, but of one that was shown as nobody's.
    pub fn roots(&self) -> Vec<Vec<u8>> {
        let shown = self.peers_with_tls().into_iter().map(|(host, peer)| peer.certificates(&host));
        let known = |shown: &Vec<Vec<u8>>| {
            let faults = shown.first().and_then(|first| self.shown(first)).map_or(0, |(_, faults)| faults);
            faults & WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA == 0
        };
        shown.filter(known).filter_map(|mut shown| shown.pop()).collect()
    }
}

/// The path and the faults of a certificate, where these are trusted.
#[cfg(feature = "net")]
fn judged(question: ChainQuestion, roots: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, u32) {
    crate::net::judge_by(&question, roots)
}

/// Without cryptography, of a certificate that is itself trusted.
#[cfg(not(feature = "net"))]
fn judged(question: ChainQuestion, roots: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, u32) {
    let path: Vec<_> = question.presented.into_iter().take(1).collect();
    let trusted = path.iter().all(|der| roots.contains(der));
    (path, if trusted { 0 } else { WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA })
}

impl Peer {
    /// DER, its own first, which is for this host if the peer was given none.
    fn certificates(&self, host: &str) -> Vec<Vec<u8>> {
        self.shown().unwrap_or_else(|| vec![certificate(host)])
    }

    /// The DER name of who issued its certificate.
    fn issuer(&self, host: &str) -> Option<Vec<u8>> {
        let certificates = self.certificates(host);
        Some(Certificate::parse(certificates.first()?).ok()?.issuer.to_vec())
    }
}
