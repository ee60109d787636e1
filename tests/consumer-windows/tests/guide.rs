//! The client and the tests of the guide's chapter on the `windows` crate.
#![cfg(not(windows))]

include!("../../../examples/client/windows_crate.rs");
