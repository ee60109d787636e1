//! HTTP/2, by ALPN over loopback, against servers that do what a test says.

mod client;
mod failures;
mod replies;
mod server;
mod streams;
#[path = "../support/mod.rs"]
mod support;
mod uploads;
mod versions;

const MISMATCH: u32 = 12190;
const CONNECTION_ERROR: u32 = 12030;
const INVALID_RESPONSE: u32 = 12152;
const TIMEOUT: u32 = 12002;
