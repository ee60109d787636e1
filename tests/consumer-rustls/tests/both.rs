//! ring and aws-lc-rs are compiled in, and the process has installed none: WinHTTP takes ring, and code that names no provider
//! panics, before a request and behind it.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{NamedGroup, ServerConfig};

#[test]
fn winhttp_has_ring_and_who_names_none_panics() {
    assert!(std::panic::catch_unwind(ServerConfig::builder).is_err());
    let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    assert_eq!(winhttp_consumer_rustls::get(server), (Ok(204), Some(NamedGroup::X25519)));
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "that is the program's");
    assert!(std::panic::catch_unwind(ServerConfig::builder).is_err());
}
