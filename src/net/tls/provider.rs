//! Who does the cryptography.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::CryptoProvider;

/// The provider that the process has installed in rustls, else ring, if the feature `ring` is on. rustls itself would panic where a program has both and installed none; here the choice is made.
pub fn provider() -> Result<Arc<CryptoProvider>, Error> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(Arc::clone(installed));
    }
    #[cfg(feature = "ring")]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(feature = "ring"))]
    {
        static SAID: std::sync::Once = std::sync::Once::new();
        SAID.call_once(|| {
            eprintln!(
                "WinHTTP: no TLS: no provider of cryptography is installed in rustls. Build portable-winhttp with the \
                 feature `ring`, or call CryptoProvider::install_default; until then requests fail with 12175"
            );
        });
        Err(Error::General("no provider of cryptography is installed".into()))
    }
}
