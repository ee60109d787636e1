//! The functions of crypt32 that WinHTTP programs call: for the certificates that WinHTTP hands out, and to make client
//! certificates.
//!
//! A certificate context is counted, as on Windows. A pointer that is none, or no longer one, is never followed: it is
//! looked up among those that are alive, and E_INVALIDARG is the last error. Stores are in memory; the system store "MY"
//! belongs to the process and is empty until something is added, "ROOT" has those whom the world trusts. A chain is judged by whom the world of its thread trusts, by the
//! rules of servers' certificates.

mod build;
mod chain;
mod context;
mod engine;
mod find;
mod find_chain;
mod identity;
mod name;
pub(crate) mod of_server;
mod open;
mod pfx;
mod policy;
mod property;
mod store;

pub use build::*;
pub use chain::*;
pub use context::*;
pub use engine::*;
pub use find::*;
pub use find_chain::*;
pub(crate) use identity::client_identity;
pub use identity::{ClientCertificate, PortableWinHttpClientCertificateFromPem};
pub use name::*;
pub use open::*;
pub use pfx::*;
pub use policy::*;
pub use property::*;
pub use store::*;
