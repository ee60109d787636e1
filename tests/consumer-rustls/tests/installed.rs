//! ring and aws-lc-rs are compiled in, and the process has installed aws-lc-rs: so WinHTTP takes that.

use rustls::crypto::aws_lc_rs;
use rustls::{NamedGroup, ServerConfig};

#[test]
fn winhttp_has_what_the_process_has_installed() {
    aws_lc_rs::default_provider().install_default().expect("nobody else has");
    let server = ServerConfig::builder().with_no_client_auth();
    assert_eq!(winhttp_consumer_rustls::get(server), (Ok(204), Some(NamedGroup::X25519MLKEM768)));
}
