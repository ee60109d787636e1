//! The channel binding of RFC 5929: `tls-server-end-point`.

use der::asn1::ObjectIdentifier;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::Certificate;

/// The signatures whose hash is SHA-384 or SHA-512; of all others the binding uses SHA-256.
const LONGER: [(ObjectIdentifier, bool); 4] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"), false),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"), false),
    (ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"), true),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"), true),
];

/// `tls-server-end-point:` and the hash of the server's certificate.
pub fn end_point(certificate: &Certificate<'_>) -> Vec<u8> {
    let longer = LONGER.iter().find(|(id, _)| *id == certificate.algorithm.id).map(|(_, longest)| *longest);
    let hash = match longer {
        None => Sha256::digest(certificate.der).to_vec(),
        Some(false) => Sha384::digest(certificate.der).to_vec(),
        Some(true) => Sha512::digest(certificate.der).to_vec(),
    };
    [b"tls-server-end-point:".as_slice(), &hash].concat()
}
