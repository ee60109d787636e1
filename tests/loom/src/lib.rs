//! What threads share, as it is in the library, over loom's primitives: the handle table, the references, the calls inside
//! callbacks, the delivery queue, the workers and the pool of connections. What they are about is here only as far as they
//! look at it.
#![allow(dead_code, unused_imports)]

pub mod sync;

pub mod delivery;
pub mod handle;
pub mod http;
pub mod net;
pub mod record;
pub mod transport;
pub mod win32;

#[path = "../../../src/connection/mod.rs"]
pub mod connection;

pub mod observe {
    pub fn waits(_what: &'static str) {}
}
