//! Certificates and what TLS says about them: pure rules, no sockets and no cryptography of its own.
//!
//! [`Verdict`] is what WinHTTP tells in SECURE_FAILURE: each fault of a server's certificate is looked for on its own, so
//! that several are told together (source tls.faults).
#![forbid(unsafe_code)]

mod binding;
mod certificate;
mod extensions;
mod name;
mod path;
mod revocation;
mod suites;
mod verdict;

pub use binding::end_point;
pub use certificate::{Algorithm, Certificate, Extension, PublicKey};
pub use name::{Attribute, attributes, lines, of_host};
pub use path::{Roots, Signature, Signatures};
pub use revocation::{Revocation, next_update, revocation};
pub use suites::{Suite, group_strength, security_info};
pub use verdict::{Verdict, judge, refused};
