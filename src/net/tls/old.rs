//! Certificates older than version 3 (source w4): webpki reads none, so the signatures of a handshake are verified
//! here with the key that [`Certificate`] finds.

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::{CertificateError, DigitallySignedStruct, Error};

use crate::pki::Certificate;

/// The certificate, if it is such a one.
pub fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<Certificate<'a>> {
    Certificate::parse(der).ok().filter(Certificate::is_old)
}

/// Verifies a signature of TLS 1.2.
pub fn verify_tls12(
    message: &[u8],
    certificate: &Certificate<'_>,
    signed: &DigitallySignedStruct,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let of_scheme = supported.mapping.iter().filter(|(scheme, _)| *scheme == signed.scheme);
    let mut fitting = of_scheme
        .flat_map(|(_, algorithms)| *algorithms)
        .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == certificate.key.algorithm.contents);
    let good =
        fitting.any(|algorithm| algorithm.verify_signature(certificate.key.bits, message, signed.signature()).is_ok());
    if good { Ok(HandshakeSignatureValid::assertion()) } else { Err(CertificateError::BadSignature.into()) }
}

/// Verifies a signature of TLS 1.3.
pub fn verify_tls13(
    message: &[u8],
    certificate: &Certificate<'_>,
    signed: &DigitallySignedStruct,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let key = SubjectPublicKeyInfoDer::from(certificate.key.der);
    verify_tls13_signature_with_raw_key(message, &key, signed, supported)
}

#[cfg(test)]
pub mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use rustls::pki_types::{PrivateKeyDer, ServerName, UnixTime};
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use rustls::time_provider::TimeProvider;
    use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

    use super::*;
    use crate::net::tls::provider::provider;
    use crate::net::tls::trust::Trust;
    use crate::net::tls::verifier::Verifier;

    /// An authority of version 3, a certificate of version 1 for `localhost` by it, and its key. Valid until 2126.
    const AUTHORITY: &str = "MIIBoDCCAUegAwIBAgIUeFNIqsuRyrFPSqltU5ayj+xgKtwwCgYIKoZIzj0EAwIwHTEbMBkGA1UEAwwSQXV0aG9yaXR5IG9mIHRl \
     c3RzMCAXDTI2MTEyOTIxMjUwMVoYDzIxMjYxMTA1MjEyNTAxWjAdMRswGQYDVQQDDBJBdXRob3JpdHkgb2YgdGVzdHMwWTATBgcq \
     hkjOPQIBBggqhkjOPQMBBwNCAARROTDOiKc8i3WC5cs9GGkM0/mYtZlwLa8G7dIeSHeLpnPpF+dEY4IPeDiGzqOwdHAqsdCKynTn \
     ME74+yA9/hsto2MwYTAdBgNVHQ4EFgQUk0As0jphXhsigOZ9+ZQcExXsvqQwHwYDVR0jBBgwFoAUk0As0jphXhsigOZ9+ZQcExXs \
     vqQwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAgQwCgYIKoZIzj0EAwIDRwAwRAIgScZhOJg8BE/DccPPgI1eUUk8TllJ \
     QgAz8rtxK0mVXZMCIBM8nJEsWCn8LdCcW0xvZlqjS2WmlA21rRMqabnFdwUC";
    pub const OLD: &str = "MIIBGjCBwQIBBzAKBggqhkjOPQQDAjAdMRswGQYDVQQDDBJBdXRob3JpdHkgb2YgdGVzdHMwIBcNMjYxMTI5MjEyNTAxWhgPMjEy \
     NjExMDUyMTI1MDFaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNb7urhmP6AslFL6Yqk3 \
     +E64SC6F/z8cHXuPhJ0j/6QhNuuSqHnXoP48XlDlJDIfqCyycywWUt2zBRpbpgIbaFEwCgYIKoZIzj0EAwIDSAAwRQIhANhla9z8 \
     uxzs27+uZKpKYVNTIybdqy9TlOz0lKd8YvH9AiBMXuR3HyV4+XUugHJbh3lWD6rnyKm84mSdm9gq+zUJGw==";
    pub const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgu9+N6IsNFqtDw3y/HFkT3EH8iCQjpLapwoBbFyEBlxKhRANCAATW \
     +7q4Zj+gLJRS+mKpN/hOuEguhf8/HB17j4SdI/+kITbrkqh516D+PF5Q5SQyH6gssnMsFlLdswUaW6YCG2hR";

    pub fn decoded(text: &str) -> Vec<u8> {
        BASE64_STANDARD.decode(text.replace(char::is_whitespace, "")).unwrap()
    }

    #[derive(Debug)]
    struct Shows(Arc<CertifiedKey>);

    impl ResolvesServerCert for Shows {
        fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    /// 2030.
    #[derive(Debug)]
    struct Then;

    impl TimeProvider for Then {
        fn current_time(&self) -> Option<UnixTime> {
            Some(UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000)))
        }
    }

    fn handshake(version: &'static rustls::SupportedProtocolVersion, trusted: bool, host: &str) -> Result<(), Error> {
        let provider = provider().unwrap();
        let key = PrivateKeyDer::try_from(decoded(KEY)).unwrap();
        let key = provider.key_provider.load_private_key(key).unwrap();
        let shown = Shows(Arc::new(CertifiedKey::new(vec![decoded(OLD).into()], key)));
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        let mut trust = Trust::default();
        if trusted {
            trust.extend([decoded(AUTHORITY).into()]);
        }
        let verifier = Verifier { trust: Arc::new(trust), provider: Arc::clone(&provider), ignore: 0 };
        let client = ClientConfig::builder_with_details(provider, Arc::new(Then))
            .with_protocol_versions(&[version])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name)?;
        let mut server = ServerConnection::new(Arc::new(server))?;
        let mut bytes = Vec::new();
        while client.is_handshaking() || server.is_handshaking() {
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut std::mem::take(&mut bytes).as_slice()).unwrap();
            server.process_new_packets()?;
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut std::mem::take(&mut bytes).as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_server_shows_a_certificate_of_version_1() {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            assert_eq!(handshake(version, true, "localhost"), Ok(()), "{version:?}");
            let untrusted = handshake(version, false, "localhost");
            assert_eq!(untrusted, Err(CertificateError::UnknownIssuer.into()), "{version:?}");
            let other = handshake(version, true, "other.test");
            assert_eq!(other, Err(CertificateError::NotValidForName.into()), "{version:?}");
        }
    }
}
