//! The verdict on a server, inside rustls' handshake.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};

use super::trust::Trust;
use super::{handshake, old};
use crate::pki::{self, Algorithm, Certificate, PublicKey, Signature, Signatures, Usages, Verdict};
use crate::win32::{
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID,
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
    WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT,
};

/// What the server is told of a fault.
const TOLD: [(u32, CertificateError); 4] = [
    (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, CertificateError::UnknownIssuer),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, CertificateError::Expired),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, CertificateError::InvalidPurpose),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, CertificateError::NotValidForName),
];

/// Judges by one set of rules.
#[derive(Debug)]
pub struct Verifier {
    pub trust: Arc<Trust>,
    pub provider: Arc<CryptoProvider>,
    /// SECURITY_FLAG_IGNORE_* bits.
    pub ignore: u32,
}

impl Verifier {
    /// All that is wrong with these certificates of a server.
    pub fn judge(&self, presented: &[CertificateDer<'_>], host: &str, now: UnixTime) -> Verdict {
        let ders: Vec<&[u8]> = presented.iter().map(AsRef::as_ref).collect();
        let algorithms = Algorithms(self.provider.signature_verification_algorithms);
        let mut verdict = pki::judge(&ders, host, &self.trust.roots, &algorithms, now.as_secs());
        if !self.sound(&verdict, presented) {
            verdict.faults |= WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT;
        }
        verdict
    }

    /// All that is wrong with a certificate that is wanted for these usages, whoever it is for.
    pub fn judge_path(&self, presented: &[CertificateDer<'_>], usages: &Usages, now: u64) -> Verdict {
        let ders: Vec<&[u8]> = presented.iter().map(AsRef::as_ref).collect();
        let algorithms = Algorithms(self.provider.signature_verification_algorithms);
        let mut verdict = pki::judge_path(&ders, usages, &self.trust.roots, &algorithms, now);
        let authority = ders.first().and_then(|der| Certificate::parse(der).ok()).is_some_and(|it| it.may_issue(0));
        // webpki knows servers and clients, no authorities.
        let sound = if authority { !verdict.constrained } else { self.sound(&verdict, presented) };
        if !sound {
            verdict.faults |= WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT;
        }
        verdict
    }

    /// Whether webpki finds the way to a root, too, which checks more: name constraints, unknown extensions and the
    /// form. Dates and usage are not its matter here.
    fn sound(&self, verdict: &Verdict, presented: &[CertificateDer<'_>]) -> bool {
        let [leaf, others @ ..] = presented else { return false };
        let untrusted = WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA | WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT;
        if verdict.faults & untrusted != 0 || verdict.path.len() == 1 {
            // There is no way, or the server's certificate is itself trusted.
            return true;
        }
        if verdict.path.iter().any(|der| Certificate::parse(der).is_ok_and(|certificate| certificate.is_old())) {
            // webpki cannot be asked, as below.
            return !verdict.constrained;
        }
        let Some(moment) = verdict.moment else {
            // No time at which it was valid as a whole: what cannot be asked must not matter.
            return !verdict.constrained;
        };
        let moment = UnixTime::since_unix_epoch(std::time::Duration::from_secs(moment));
        let algorithms = self.provider.signature_verification_algorithms.all;
        EndEntityCert::try_from(leaf).is_ok_and(|leaf| {
            leaf.verify_for_usage(algorithms, &self.trust.anchors, others, moment, AnyUsage, None, None).is_ok()
        })
    }

    /// The faults that the rules do not ignore.
    pub fn refused(&self, verdict: &Verdict) -> u32 {
        pki::refused(verdict.faults, self.ignore)
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
        let presented: Vec<_> = [end_entity].into_iter().chain(intermediates).cloned().collect();
        let verdict = self.judge(&presented, &server_name.to_str(), now);
        let refused = self.refused(&verdict);
        handshake::verdict(&presented, verdict);
        if refused == 0 {
            return Ok(ServerCertVerified::assertion());
        }
        let told = TOLD.into_iter().find(|(fault, _)| refused & fault != 0).map(|(_, error)| error);
        Err(told.unwrap_or(CertificateError::ApplicationVerificationFailure).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let supported = &self.provider.signature_verification_algorithms;
        match old::parse(cert) {
            Some(old) => old::verify_tls12(message, &old, dss, supported),
            None => verify_tls12_signature(message, cert, dss, supported),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let supported = &self.provider.signature_verification_algorithms;
        match old::parse(cert) {
            Some(old) => old::verify_tls13(message, &old, dss, supported),
            None => verify_tls13_signature(message, cert, dss, supported),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Usage is judged elsewhere.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _iter: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// The signatures that the provider of cryptography verifies.
pub struct Algorithms(pub WebPkiSupportedAlgorithms);

impl Signatures for Algorithms {
    fn verify(&self, algorithm: &Algorithm<'_>, signed: &[u8], signature: &[u8], key: &PublicKey<'_>) -> Signature {
        let fitting = self.0.all.iter().filter(|known| {
            known.signature_alg_id().as_ref() == algorithm.contents
                && known.public_key_alg_id().as_ref() == key.algorithm.contents
        });
        fitting.fold(Signature::Unknown, |found, known| match known.verify_signature(key.bits, signed, signature) {
            Ok(()) => Signature::Good,
            Err(_) if found == Signature::Good => found,
            Err(_) => Signature::Bad,
        })
    }
}
