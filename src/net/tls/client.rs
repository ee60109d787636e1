//! The certificate of the client.

use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, SignatureScheme};

use super::heard;
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
            Err(error) => Err(error),
        }
    }
}

impl ResolvesClientCert for Client {
    fn resolve(&self, root_hint_subjects: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        heard::wanted(root_hint_subjects);
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}
