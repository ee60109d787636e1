//! Servers that ask for a client certificate when the handshake is over (source w5). No library of Rust does that: the message
//! is put by hand into the stream of a rustls server.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring::default_provider;
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, ConnectionTrafficSecrets, ContentType, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedCipherSuite,
};

use crate::certificates::{Clients, certificate};
use crate::client::Get;

/// Renegotiation, please: no body.
const HELLO_REQUEST: &[u8] = &[0, 0, 0, 0];
/// Context 7, and the one signature scheme that it takes.
const CERTIFICATE_REQUEST: &[u8] = &[13, 0, 0, 12, 1, 7, 0, 8, 0, 13, 0, 4, 0, 2, 8, 4];
/// A fatal handshake_failure.
const HANDSHAKE_FAILURE: &[u8] = &[2, 40];

/// What is said when the request is there.
type Says = &'static [(ContentType, &'static [u8])];

/// Its keys are of ChaCha20-Poly1305, whose nonces are the simplest.
fn config(version: &'static rustls::SupportedProtocolVersion) -> ServerConfig {
    let mut config = certificate(&[]).config(&[version], Clients::Unasked);
    let mut provider = default_provider();
    provider.cipher_suites.retain(|suite| {
        matches!(
            suite.suite(),
            CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        )
    });
    let resolver = Arc::clone(&config.cert_resolver);
    config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.enable_secret_extraction = true;
    config
}

/// What the server writes with, and how many records it has written.
fn writer(connection: ServerConnection) -> (Box<dyn MessageEncrypter>, u64) {
    let suite = connection.negotiated_cipher_suite().unwrap();
    let (sequence, secrets) = connection.dangerous_extract_secrets().unwrap().tx;
    let ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } = secrets else { panic!("another cipher") };
    let encrypter = match suite {
        SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
        SupportedCipherSuite::Tls12(suite) => suite.aead_alg.encrypter(key, iv.as_ref(), &[]),
    };
    (encrypter, sequence)
}

fn serve(mut stream: TcpStream, config: Arc<ServerConfig>, says: Says) {
    let mut connection = ServerConnection::new(config).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if connection.complete_io(&mut stream).is_err() {
            return;
        }
        let _ = connection.reader().read_to_end(&mut head);
    }
    let (mut encrypter, first) = writer(connection);
    for (sequence, (typ, payload)) in (first..).zip(says) {
        let message = OutboundPlainMessage {
            typ: *typ,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(payload),
        };
        stream.write_all(&encrypter.encrypt(message, sequence).unwrap().encode()).unwrap();
    }
    // It leaves when the client does.
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_certificate_is_asked_for_later() {
    const REFUSED: Says = &[(ContentType::Handshake, HELLO_REQUEST), (ContentType::Alert, HANDSHAKE_FAILURE)];
    const ASKED: Says = &[(ContentType::Handshake, CERTIFICATE_REQUEST)];
    for (version, says) in [(&TLS12, REFUSED), (&TLS13, ASKED)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config(version));
        let server = thread::spawn(move || serve(listener.accept().unwrap().0, config, says));
        let outcome = Get::new(port).run();
        assert_eq!(outcome.error.map(|(_, error)| error), Some(12044), "{version:?} {outcome:?}");
        server.join().unwrap();
    }
}
