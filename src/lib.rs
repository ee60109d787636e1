//! WinHTTP without Windows: the functions, constants, structures, handles, callback order, threads and error records of
//! WinHTTP, on tokio, hyper and rustls.
//!
//! Code written against `windows_sys::Win32::Networking::WinHttp` links and runs unchanged on Linux and macOS once a
//! target names this crate: `use portable_winhttp as _;`. On Windows nothing is exported; the system's own winhttp is
//! used there.
//!
//! Where things are: [`api`] has the exported functions by Windows' names, [`machine`] says what WinHTTP does,
//! [`handle`] and [`delivery`] say who is told and on which thread, [`transport`] is what carries requests, [`http`]
//! has the rules of HTTP, [`record`] what was observed, [`verify`] which mistakes a program makes, [`win32`] the vocabulary.
#![deny(missing_docs, unsafe_code, unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks)]

pub mod api;
#[cfg(any(feature = "net", feature = "lab"))]
mod connection;
pub mod delivery;
pub mod guide;
pub mod handle;
pub mod http;
#[cfg(feature = "lab")]
pub mod lab;
#[cfg(feature = "lab")]
pub mod lab_api;
pub mod machine;
#[cfg(feature = "net")]
mod net;
pub mod observe;
pub mod pki;
pub mod real;
pub mod record;
pub mod transport;
#[cfg(any(feature = "lab", feature = "net"))]
pub mod verify;
pub mod win32;
#[cfg(all(feature = "windows", not(windows)))]
pub mod windows;
pub mod world;

#[cfg(all(feature = "windows", not(windows)))]
#[doc(hidden)]
pub use windows::{Win32, core};
