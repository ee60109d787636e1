//! Whom we trust: the roots of the operating system, and those that are added.

use std::path::Path;
use std::sync::LazyLock;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::pki::Roots;

/// A PEM file of certificates that are trusted beside the others.
const ADDED: &str = "PORTABLE_WINHTTP_CA_FILE";

/// Trusted certificates, for us and for webpki.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub roots: Roots,
    pub anchors: Vec<TrustAnchor<'static>>,
}

impl Trust {
    /// The platform's roots, or those of SSL_CERT_FILE and SSL_CERT_DIR, and those of PORTABLE_WINHTTP_CA_FILE. Read
    /// once; without any, no server is trusted.
    pub fn of_system() -> Trust {
        static SYSTEM: LazyLock<Trust> = LazyLock::new(|| {
            let mut trust = Trust::default();
            trust.extend(rustls_native_certs::load_native_certs().certs);
            if let Some(path) = crate::variables::value(ADDED) {
                trust.extend(added(Path::new(&path)));
            }
            trust
        });
        SYSTEM.clone()
    }

    /// Trusts these certificates. What is none is left out.
    pub fn extend(&mut self, certificates: impl IntoIterator<Item = CertificateDer<'static>>) {
        for certificate in certificates {
            let Ok(anchor) = webpki::anchor_from_trusted_cert(&certificate) else { continue };
            if self.roots.add(&certificate) {
                self.anchors.push(anchor.to_owned());
            }
        }
    }
}

fn added(path: &Path) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => return certificates,
        Ok(_) => eprintln!("{ADDED}: {} holds no certificate", path.display()),
        Err(error) => eprintln!("{ADDED}: {} cannot be read: {error}", path.display()),
    }
    Vec::new()
}
