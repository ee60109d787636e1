//! TLS by rustls: the platform's roots, and the errors that SECURITY_FLAGS ignores.

mod provider;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use provider::provider;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::transport::Tls;
use crate::win32::{
    SECURITY_FLAG_IGNORE_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID,
    SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_UNKNOWN_CA, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2,
    WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3,
};

/// Speaks TLS on a connected stream with the server of this name.
pub async fn handshake(stream: Stream, host: &str, rules: &Tls) -> io::Result<Stream> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(config(rules).map_err(io::Error::other)?);
    Ok(Stream::Tls(Box::new(connector.connect(name, stream).await?)))
}

/// One configuration for each set of rules, so that sessions are resumed only under the same.
fn config(rules: &Tls) -> Result<Arc<ClientConfig>, Error> {
    type Configs = HashMap<Tls, Arc<ClientConfig>>;
    static CONFIGS: LazyLock<Mutex<Configs>> = LazyLock::new(Mutex::default);
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(config) = configs.get(rules) {
        return Ok(Arc::clone(config));
    }
    let config = Arc::new(configure(rules)?);
    configs.insert(rules.clone(), Arc::clone(&config));
    Ok(config)
}

fn configure(rules: &Tls) -> Result<ClientConfig, Error> {
    let provider = provider()?;
    let verifier = Verifier { roots: Arc::clone(&ROOTS), provider: Arc::clone(&provider), ignore: rules.ignore };
    let known = [(WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3, &TLS13), (WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2, &TLS12)];
    let allowed: Vec<_> =
        known.iter().filter(|(bit, _)| rules.protocols & bit != 0).map(|(_, version)| *version).collect();
    let versions = ClientConfig::builder_with_provider(provider).with_protocol_versions(&allowed)?;
    let verified = versions.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = verified.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The platform's roots, or those of SSL_CERT_FILE and SSL_CERT_DIR. Without any, no server is trusted.
static ROOTS: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
});

#[derive(Debug)]
struct Verifier {
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
    ignore: u32,
}

impl Verifier {
    fn ignores(&self, error: &Error) -> bool {
        let Error::InvalidCertificate(error) = error else { return false };
        let flag = match error {
            CertificateError::UnknownIssuer => SECURITY_FLAG_IGNORE_UNKNOWN_CA,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => SECURITY_FLAG_IGNORE_CERT_DATE_INVALID,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                SECURITY_FLAG_IGNORE_CERT_CN_INVALID
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE
            }
            _ => 0,
        };
        self.ignore & flag != 0
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let chain =
            verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms);
        // The name is looked at even when the chain is ignored.
        for verdict in [chain, verify_server_name(&certificate, server_name)] {
            if let Err(error) = verdict {
                if !self.ignores(&error) {
                    return Err(error);
                }
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
