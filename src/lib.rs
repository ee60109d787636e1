//! Microsoft's WinHTTP API for Linux and macOS: its functions, constants and structures, with the handles, the order of
//! callbacks, the threads and the error codes of Windows, over tokio, hyper and rustls.
//!
//! Code written against `windows_sys::Win32::Networking::WinHttp` links and runs unchanged on Linux and macOS if the
//! target names this crate: `use portable_winhttp as _;`. On Windows this crate exports nothing; the system's own WinHTTP is
//! used there.
//!
//! **Start with the [`guide`]**: how to link with this crate, how to write clients that cope with WinHTTP's model, how to test them.
//!
//! | | |
//! |---|---|
//! | [`api`] | the exported functions, by Windows' names, and [`api::surface`]: which there are, and every option |
//! | [`lab`] | tests: simulated worlds with scripted servers and virtual time (feature `lab`) |
//! | [`verify`] | the checker of mistakes in the use of WinHTTP: in a Sim always on, elsewhere with `WINHTTP_VERIFY` |
//! | [`record`] | what was observed: notifications, traces, diagrams |
//! | [`real`] | settings of the real world: delivery policy, proxies |
//! | [`win32`] | constants, structures, errors, UTF-16 |
//! | `windows` | the paths and signatures of the `windows` crate (feature `windows`, not on Windows) |
//!
//! `(source h09)` and the like name a row of `fixtures/SOURCES.md` in the repository: what is known of Windows, and from where.
//!
//! All other modules are internal: private, or hidden and public only for tests of this crate. They may change at any time.
//! `ARCHITECTURE.md` in the repository describes them.
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
// Each part reads some of them.
#[cfg_attr(not(all(feature = "lab", feature = "net")), allow(dead_code))]
mod variables;
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
