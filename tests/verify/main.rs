//! The misuse checker: for each stop a client that makes the mistake, and one that does not.

#[path = "../support/mod.rs"]
mod support;

mod callbacks;
#[path = "../support/one.rs"]
mod client;
mod contexts;
mod environment;
mod errors;
mod handles;
mod operations;
mod shapes;
#[path = "../support/socket.rs"]
mod socket;
mod stops;
mod web_sockets;
