//! ring and aws-lc-rs are compiled in, and the process has installed none: WinHTTP takes ring.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{NamedGroup, ServerConfig};

#[test]
fn nothing_panics_and_winhttp_has_ring() {
    let server = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    assert_eq!(winhttp_consumer_rustls::get(server), (Ok(204), Some(NamedGroup::X25519)));
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "that is the program's");
}
