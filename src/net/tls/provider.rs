//! Who does the cryptography.

use std::sync::{Arc, Once};

use rustls::crypto::CryptoProvider;

use crate::net::failure;
use crate::transport::{Failure, Sink};

/// Nobody does.
#[derive(Debug, thiserror::Error)]
#[error(
    "no TLS: no provider of cryptography is compiled in or installed in rustls. Build portable-winhttp with the feature \
     `ring` or `aws-lc-rs`, or call CryptoProvider::install_default; until then requests fail with \
     ERROR_WINHTTP_SECURE_FAILURE (12175)"
)]
pub struct NoProvider;

impl NoProvider {
    /// Says so, once on stderr and in the trace of each request that fails for it.
    pub fn tell(&self, sink: &dyn Sink) -> Failure {
        static SAID: Once = Once::new();
        sink.note(&self.to_string());
        SAID.call_once(|| eprintln!("WinHTTP: {self}"));
        failure::of_tls(&rustls::Error::General(self.to_string()))
    }
}

/// The provider that the process has installed in rustls, else the one that is compiled in: ring, if both are. rustls itself
/// would panic where a program has both and installed none.
pub fn provider() -> Result<Arc<CryptoProvider>, NoProvider> {
    CryptoProvider::get_default().cloned().or_else(compiled_in).ok_or(NoProvider)
}

#[cfg(feature = "ring")]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(all(feature = "aws-lc-rs", not(feature = "ring")))]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
fn compiled_in() -> Option<Arc<CryptoProvider>> {
    None
}
