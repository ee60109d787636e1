//! The connection engine: which connection carries which request, for the network and for the script of the lab alike.
//!
//! It is plain data: no sockets, no tasks, no clock. [`rules`] says, as a table, where an attempt gets its connection from;
//! [`Engine`] holds what the table is asked about: `find` asks it, `life` is what happens to connections, `line` who waits.
//! Whoever carries requests tells the engine what happens (an attempt asks, a connection was made, an exchange is over, a
//! connection is gone) and does what comes back: an [`Answer`] at once, or [`Effect`]s for others.
#![forbid(unsafe_code)]

mod engine;
mod find;
mod group;
mod idle;
mod key;
mod life;
mod line;
mod places;
mod recent;
mod rules;

#[cfg(test)]
mod tests;

pub use engine::{Answer, AttemptId, ConnectionId, Demand, Effect, Engine};
pub use rules::{DRAIN, READ_AHEAD, drained_at_most, drains, tries_again};
