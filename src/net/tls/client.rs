//! The certificate of the client.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, SignatureScheme};

use super::handshake;
use crate::pki::Certificate;
use crate::transport::Identity;

/// What a server gets that asks for a certificate: this one, or none.
#[derive(Debug)]
pub struct Client(Option<Arc<CertifiedKey>>);

impl Client {
    /// No certificate.
    pub fn without() -> Client {
        Client(None)
    }

    /// A certificate and its key.
    pub fn with(identity: &Identity, provider: &CryptoProvider) -> Result<Client, Error> {
        let key = PrivateKeyDer::try_from(identity.key.clone()).map_err(|text| Error::General(text.into()))?;
        let chain = identity.chain.iter().cloned().map(CertificateDer::from).collect();
        let certified = CertifiedKey::new(chain, provider.key_provider.load_private_key(key)?);
        // A key that cannot tell its public half is believed.
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
                Ok(Client(Some(Arc::new(certified))))
            }
            // It is read by webpki, which knows version 3 only (source w4).
            Err(Error::InvalidCertificate(_)) if is_old_and_fits(&certified) => Ok(Client(Some(Arc::new(certified)))),
            Err(error) => Err(error),
        }
    }
}

/// Whether a certificate older than version 3 is that of the key, as far as the key can tell.
fn is_old_and_fits(certified: &CertifiedKey) -> bool {
    let certificate = certified.cert.first().and_then(|der| Certificate::parse(der).ok());
    let fits = |certificate: &Certificate<'_>| {
        certified.key.public_key().is_none_or(|key| key.as_ref() == certificate.key.der)
    };
    certificate.filter(Certificate::is_old).is_some_and(|certificate| fits(&certificate))
}

impl ResolvesClientCert for Client {
    fn resolve(&self, root_hint_subjects: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        handshake::wanted(root_hint_subjects);
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}
