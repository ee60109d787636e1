//! WinHTTP without Windows: the functions, constants, structures, handles, callback order, threads and error records of
//! WinHTTP, on tokio, hyper and rustls.
//!
//! Code written against `windows_sys::Win32::Networking::WinHttp` links and runs unchanged on Linux and macOS once a
//! target names this crate: `use portable_winhttp as _;`. On Windows nothing is exported; the system's own winhttp is
//! used there.
//!
//! **Start with the [`guide`]**: how a program gets WinHTTP here, how to survive its model, how to test clients.
//!
//! | | |
//! |---|---|
//! | [`api`] | the exported functions, by Windows' names, and [`api::surface`]: which there are, and every option |
//! | [`lab`] | the test double: simulated worlds with scripted peers and virtual time (feature `lab`) |
//! | [`verify`] | which mistakes a program makes: in a Sim always, elsewhere with `WINHTTP_VERIFY` |
//! | [`record`] | what was observed: notifications, traces, diagrams |
//! | [`real`] | what a process may set of its real world: delivery policy, proxies |
//! | [`win32`] | the vocabulary: constants, structures, errors, UTF-16 |
//! | `windows` | the paths and signatures of the `windows` crate (feature `windows`, elsewhere than on Windows) |
//!
//! Every other module is how it works: private, or reachable for tests of this crate and hidden here. They change at any time.
//! `ARCHITECTURE.md` in the repository says what they are.
#![deny(missing_docs, unsafe_code, unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod api;
#[cfg(any(feature = "net", feature = "lab"))]
mod connection;
#[doc(hidden)]
pub mod delivery;
pub mod guide;
#[doc(hidden)]
pub mod handle;
#[doc(hidden)]
pub mod http;
#[cfg(feature = "lab")]
pub mod lab;
#[cfg(feature = "lab")]
#[doc(hidden)]
pub mod lab_api;
#[doc(hidden)]
pub mod machine;
#[cfg(feature = "net")]
mod net;
#[doc(hidden)]
pub mod observe;
#[doc(hidden)]
pub mod pki;
pub mod real;
pub mod record;
mod sync;
#[doc(hidden)]
pub mod transport;
#[cfg(any(feature = "lab", feature = "net"))]
pub mod verify;
pub mod win32;
#[cfg(all(feature = "windows", not(windows)))]
pub mod windows;
#[doc(hidden)]
pub mod world;

#[cfg(debug_assertions)]
#[doc(hidden)]
pub use sync::locks_taken;
#[cfg(all(feature = "windows", not(windows)))]
#[doc(hidden)]
pub use windows::{Win32, core};
