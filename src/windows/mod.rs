//! The `windows` crate's way in: the part of `windows` 0.62 that WinHTTP programs need, under the same paths.
//!
//! `windows` itself compiles on Windows only. A package that uses it takes this crate under its name elsewhere:
//!
//! ```toml
//! [target.'cfg(windows)'.dependencies]
//! windows = { version = "0.62", features = ["Win32_Networking_WinHttp", "Win32_Foundation"] }
//!
//! [target.'cfg(not(windows))'.dependencies]
//! windows = { package = "portable-winhttp", version = "0.1", features = ["windows"] }
//! ```
//!
//! and its code stays as it is. Both lines have one name, so Cargo wants one source for them: to use a checkout of this
//! crate, leave them and add `[patch.crates-io]` with `portable-winhttp = { path = "…" }`, as `tests/consumer-windows`
//! does.
//!
//! ```
//! # use portable_winhttp as windows;
//! use windows::Win32::Networking::WinHttp::*;
//! use windows::core::{Error, PCWSTR, w};
//!
//! // SAFETY: literals end with NUL, and the handle is closed once.
//! unsafe {
//!     let session = WinHttpOpen(w!("agent/1.0"), WINHTTP_ACCESS_TYPE_NO_PROXY, PCWSTR::null(), PCWSTR::null(), 0);
//!     assert!(!session.is_null(), "{}", Error::from_thread());
//!     WinHttpCloseHandle(session)?;
//! }
//! # Ok::<(), Error>(())
//! ```
//!
//! Its tests find the lab (feature `lab`) under the same name, as `windows::lab`; the [guide](crate::guide::_17_windows_crate) has
//! a whole package.
//!
//! A dependency that asks for `windows` itself is given this crate by the package `tests/windows-patch` of the repository,
//! which has the name, the version and the features of `windows` 0.62, on the command line, so that builds for Windows
//! stay as they are:
//!
//! ```text
//! cargo test --config 'patch.crates-io.windows.path = "portable-winhttp/tests/windows-patch"'
//! ```
//!
//! It speaks TLS by ring. Where the program's own rustls has aws-lc-rs, a copy of the package with `aws-lc-rs` in place of
//! `ring` keeps rustls from having two providers ([guide](crate::guide::_01_linking#two-providers-of-cryptography)).
//!
//! # What is there
//!
//! `Win32::Networking::WinHttp` without the COM interface `IWinHttpRequest`; of `Win32::Foundation`,
//! `Win32::Networking::WinSock`, `Win32::Security::Cryptography` and `Win32::System` the functions that this crate
//! exports, with the types and constants around them; `core` with errors, texts, `GUID`, `Param` and the macros `w!`,
//! `s!`, `h!`, `link!`. All but `core` and a few methods is generated from the metadata that `windows` is generated from
//! (`tests/windows-bindings`), so signatures, names and numbers are its. What is not there does not compile.
//!
//! # What differs
//!
//! * [`HRESULT::message`](core::HRESULT::message) has texts of our own. Errors of WinHTTP have none on either side:
//!   Windows keeps them in winhttp.dll, where `windows` does not look.
//! * [`Error::new`](core::Error::new) keeps its text in the value; no COM object passes through the thread.
#![allow(unsafe_code, non_snake_case)]

#[allow(
    missing_docs,
    dead_code,
    non_camel_case_types,
    non_upper_case_globals,
    clashing_extern_declarations,
    unsafe_op_in_unsafe_fn,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    rustdoc::all
)]
#[rustfmt::skip]
mod bindings;
pub mod core;
mod errors;
mod sockets;

#[doc(hidden)]
pub use bindings::Windows::Win32;
