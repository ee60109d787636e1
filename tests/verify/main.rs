//! The misuse checker: for each stop a client that makes the mistake, and one that does not.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/one.rs"]
mod client;
mod environment;
mod shapes;
#[path = "../support/socket.rs"]
mod socket;
mod stops;
mod web_sockets;
