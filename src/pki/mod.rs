//! Certificates and what TLS says about them: pure rules, no sockets and no cryptography of its own.
//!
//! [`Verdict`] is what WinHTTP tells in SECURE_FAILURE: each fault of a server's certificate is looked for on its own, so
//! that several are told together (source tls.faults).
#![forbid(unsafe_code)]

mod binding;
mod certificate;
mod chain;
mod extensions;
mod name;
mod path;
mod policy;
mod revocation;
mod suites;
mod usage;
mod verdict;

pub use binding::end_point;
pub use certificate::{Algorithm, Certificate, Extension, PublicKey};
pub use chain::{ChainStatus, JudgedPath};
pub use name::{Attribute, attributes, lines, of_host};
pub use path::{Roots, Signature, Signatures};
pub use policy::{Ignored, Refusal, chain_refusal, name_refusal};
pub use revocation::{ListPoint, Revocation, RevocationList};
pub use suites::{Suite, group_strength, security_info};
pub use usage::Usages;
pub use verdict::{Verdict, judge, judge_path, refused};
