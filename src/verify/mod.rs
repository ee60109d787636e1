//! Mistakes in the use of WinHTTP: each has a number that stays, and a page that says why it is one on Windows and how to
//! fix it: see [`Stop`].
//!
//! A Sim of the lab always looks for them; one of level [`Error`](Level::Error) fails its test, with the trace up to it. In
//! the real world any program that is linked with this crate is watched when the environment says so:
//!
//! | `WINHTTP_VERIFY` | |
//! |---|---|
//! | `on` | every stop |
//! | `W01,W06` | these |
//! | `off` | none, also in a Sim |
//!
//! What is found is written to stderr, each mistake once, with the last that happened before it. What nothing but a hang
//! shows ([`Stop::ContextNeverBound`]) only a Sim can find.
//!
//! ```
//! # #[cfg(all(feature = "lab", feature = "net"))] {
//! use portable_winhttp::api::{WinHttpCloseHandle, WinHttpOpen};
//! use portable_winhttp::lab::{Sim, Stop};
//! use portable_winhttp::verify::Level;
//!
//! let sim = Sim::new();
//! sim.allow(Stop::HandleLeaked);
//! let session = unsafe { WinHttpOpen(std::ptr::null(), 1, std::ptr::null(), std::ptr::null(), 0) };
//! assert!(!session.is_null() && sim.mistakes().is_empty());
//!
//! assert_eq!((Stop::HandleLeaked.id(), Stop::HandleLeaked.level()), ("W11", Level::Error));
//! assert_eq!(Stop::HandleLeaked.fix(), "Close every handle, children first; free the context in HANDLE_CLOSING.");
//! # }
//! ```
//!
//! While buffers are watched a pattern stands in those that are read into; what was read comes in at the last moment that
//! Windows has for it, with READ_COMPLETE.
#![forbid(unsafe_code)]

mod checker;
#[cfg(feature = "net")]
pub(crate) mod environment;
mod known;
mod stop;
mod threads;
mod verifier;

pub use stop::{Level, Mistake, Stop};
pub(crate) use verifier::{Verifier, from_environment};
