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
