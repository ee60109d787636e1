//! The functions of crypt32 that WinHTTP programs call: for the certificates that WinHTTP hands out, and to make client
//! certificates.
//!
//! A certificate context is counted, as on Windows. A pointer that is none, or no longer one, is never followed: it is
//! looked up among those that are alive, and E_INVALIDARG is the last error. Stores are in memory; the system store "MY"
//! belongs to the process and is empty until something is added.

mod chain;
mod context;
mod find;
mod identity;
mod name;
pub(crate) mod of_server;
mod pfx;
mod property;
mod store;

pub use chain::*;
pub use context::*;
pub use find::*;
pub(crate) use identity::client_identity;
pub use identity::{ClientCertificate, PortableWinHttpClientCertificateFromPem};
pub use name::*;
pub use pfx::*;
pub use property::*;
pub use store::*;
