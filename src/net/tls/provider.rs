//! Who does the cryptography.

use std::sync::Arc;

use rustls::Error;
use rustls::crypto::CryptoProvider;

/// The provider that the process has installed in rustls, else ring, if the feature `ring` is on.
pub fn provider() -> Result<Arc<CryptoProvider>, Error> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(Arc::clone(installed));
    }
    #[cfg(feature = "ring")]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(feature = "ring"))]
    Err(Error::General("no provider of cryptography is installed".into()))
}
