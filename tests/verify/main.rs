//! The misuse checker: for each stop a client that makes the mistake, and one that does not.

#[path = "../support/mod.rs"]
mod support;

mod client;
mod environment;
mod shapes;
mod stops;
