//! Certificates of version 1, which have no extensions: Windows takes them, of servers and of clients (source w4).

use std::sync::Arc;

use portable_winhttp::api::ClientCertificate;
use rcgen::{KeyPair, SigningKey};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme, SupportedProtocolVersion,
};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::certificates::*;
use crate::client::Get;
use crate::server::{Server, ShowsOne};

/// A value of DER: its tag, what is in it, and what stands behind it.
fn value(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (start, length) = match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let end = 2 + usize::from(long & 0x7F);
            (end, der[2..end].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    };
    (der[0], &der[start..start + length], &der[start + length..])
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let inside = parts.concat();
    let [high, low] = u16::try_from(inside.len()).unwrap().to_be_bytes();
    let length: &[u8] = match inside.len() {
        0..0x80 => &[low],
        0x80..0x100 => &[0x81, low],
        _ => &[0x82, high, low],
    };
    [&[0x30], length, &inside].concat()
}

/// The same certificate without its extensions and its version, signed again.
fn of_version_1(leaf: &Leaf, issuer: &Authority) -> CertificateDer<'static> {
    let (_, certificate, _) = value(&leaf.chain[0]);
    let (_, mut tbs, behind) = value(certificate);
    let mut kept = Vec::new();
    while !tbs.is_empty() {
        let (tag, _, rest) = value(tbs);
        if !matches!(tag, 0xA0 | 0xA3) {
            kept.extend_from_slice(&tbs[..tbs.len() - rest.len()]);
        }
        tbs = rest;
    }
    let tbs = sequence(&[&kept]);
    let algorithm = &behind[..behind.len() - value(behind).2.len()];
    let signature = issuer.key().sign(&tbs).unwrap();
    let signature = [&[3, u8::try_from(signature.len() + 1).unwrap(), 0], &*signature].concat();
    sequence(&[&tbs, algorithm, &signature]).into()
}

fn leaf(name: &str, issuer: &Authority) -> Leaf {
    let leaf = Leaf::signed(common_name(name), issuer);
    Leaf { chain: vec![of_version_1(&leaf, issuer)], key: KeyPair::from_pem(&leaf.key.serialize_pem()).unwrap() }
}

/// Asks for a certificate, and takes any: what signs is not looked at.
#[derive(Debug)]
struct Any;

impl ClientCertVerifier for Any {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify_tls13_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// rustls reads no certificate of version 1, so it is shown without being looked at.
fn shown(leaf: &Leaf, version: &'static SupportedProtocolVersion, asks: bool) -> Server {
    let key = PrivateKeyDer::try_from(leaf.key.serialize_der()).unwrap();
    let key = default_provider().key_provider.load_private_key(key).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    let builder = if asks { builder.with_client_cert_verifier(Arc::new(Any)) } else { builder.with_no_client_auth() };
    Server::new(Arc::new(builder.with_cert_resolver(Arc::new(ShowsOne::new(leaf.chain.clone(), key)))))
}

#[test]
fn a_server_is_judged_as_any() {
    const CA: u32 = WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA;
    const NAME: u32 = WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID;
    let rows: [(&str, &Authority, u32, u32); 6] = [
        ("127.0.0.1", &TRUSTED, 0, 0),
        ("127.0.0.1", &UNKNOWN, 0, CA),
        ("127.0.0.1", &UNKNOWN, SECURITY_FLAG_IGNORE_UNKNOWN_CA, 0),
        ("example.org", &TRUSTED, 0, NAME),
        ("example.org", &TRUSTED, SECURITY_FLAG_IGNORE_CERT_CN_INVALID, 0),
        ("example.org", &UNKNOWN, SECURITY_FLAG_IGNORE_UNKNOWN_CA, NAME),
    ];
    for version in [&TLS12, &TLS13] {
        for (name, issuer, ignored, told) in rows {
            let server = shown(&leaf(name, issuer), version, false);
            let outcome = Get::new(server.port).option(WINHTTP_OPTION_SECURITY_FLAGS, ignored).run();
            assert_eq!(outcome.failure.unwrap_or_default(), told, "{version:?} {name} {ignored:#x} {outcome:?}");
            assert_eq!(outcome.error.map(|(_, error)| error), (told != 0).then_some(12175), "{name} {ignored:#x}");
        }
    }
}

#[test]
fn a_client_shows_it() {
    for version in [&TLS12, &TLS13] {
        let server = shown(&certificate(&[]), version, true);
        let leaf = leaf("a client", &TRUSTED);
        let pem = leaf.pem();
        let certificate = ClientCertificate::from_pem(pem.as_bytes(), pem.as_bytes()).unwrap();
        let get = Get::new(server.port).option(WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_KEEP_ALIVE);
        assert_eq!(crate::client_certificates::set(get.request, certificate.context().cast()), 0);
        assert_eq!(get.run().error, None, "{version:?}");
        let visit = server.visit();
        assert!(visit.identified && visit.bytes > 0, "{version:?} {visit:?}");
        // Another key than its own.
        let key = KeyPair::generate().unwrap().serialize_pem();
        let certificate = ClientCertificate::from_pem(pem.as_bytes(), key.as_bytes()).unwrap();
        let get = Get::new(server.port);
        assert_eq!(crate::client_certificates::set(get.request, certificate.context().cast()), 0);
        assert_eq!(get.run().error.map(|(_, error)| error), Some(12186), "{version:?}");
    }
}
