//! aws-lc-rs is all that is compiled in: the program asks rustls for no provider, and both have the same.
#![cfg(not(feature = "both"))]

use rustls::{NamedGroup, ServerConfig};

#[test]
fn the_program_and_winhttp_share_the_provider() {
    let server = ServerConfig::builder().with_no_client_auth();
    assert_eq!(winhttp_consumer_rustls::get(server), (Ok(204), Some(NamedGroup::X25519MLKEM768)));
}
