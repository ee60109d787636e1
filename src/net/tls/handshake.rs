//! What rustls' hooks learn during one handshake.
//!
//! The hooks belong to a configuration, which many handshakes share, and are not told which one calls. They are called
//! while the future of the handshake is polled; what they learn is kept for as long as it is.

use std::cell::RefCell;
use std::future::Future;

use rustls::pki_types::CertificateDer;

use crate::pki::Verdict;

/// See the module.
#[derive(Debug, Default)]
pub struct HandshakeFindings {
    /// The certificates of the server, and what was found about them; absent if an earlier session is resumed.
    pub verdict: Option<(Vec<Vec<u8>>, Verdict)>,
    /// The server asks for a certificate, of one of these issuers (DER names).
    pub wanted: Option<Vec<Vec<u8>>>,
}

tokio::task_local! {
    static FINDINGS: RefCell<HandshakeFindings>;
}

/// Runs a handshake.
pub async fn scope<T>(handshake: impl Future<Output = T>) -> T {
    FINDINGS.scope(RefCell::default(), handshake).await
}

/// What was learnt so far, taken out.
pub fn take() -> HandshakeFindings {
    FINDINGS.try_with(|findings| std::mem::take(&mut *findings.borrow_mut())).unwrap_or_default()
}

/// Whether the server was judged and asked for a certificate.
pub fn asked_and_judged() -> bool {
    let both = |findings: &RefCell<HandshakeFindings>| {
        findings.borrow().wanted.is_some() && findings.borrow().verdict.is_some()
    };
    FINDINGS.try_with(both).unwrap_or(false)
}

/// The server was judged.
pub fn verdict(presented: &[CertificateDer<'_>], verdict: Verdict) {
    let presented = presented.iter().map(|certificate| certificate.to_vec()).collect();
    let _ = FINDINGS.try_with(|findings| findings.borrow_mut().verdict = Some((presented, verdict)));
}

/// The server asked for a certificate.
pub fn wanted(issuers: &[&[u8]]) {
    let issuers = issuers.iter().map(|issuer| issuer.to_vec()).collect();
    let _ = FINDINGS.try_with(|findings| findings.borrow_mut().wanted = Some(issuers));
}
