//! Peers over bytes: a connection to a peer, answered by its rules, in a Sim over a pipe or on a real socket.
//!
//! HTTP/1 is written here, byte for byte as the reply says, for no server writes interim replies, the order and the case of
//! headers or half a body; HTTP/2 is framed by `h2`.

mod bridge;
mod http1;
mod http2;
mod io;
mod play;

use std::sync::Arc;
use std::time::Duration;

use super::fault::{Armed, What, When};
use super::gate::Gate;
use super::peer::{Handler, Peer};
use crate::net::runtime::Boxed;

pub use bridge::bridge;
pub use io::{Io, accept};

/// Where peers are served: whose time it is, what goes wrong, and who plays raw connections.
pub trait Place: Send + Sync {
    /// Lets time pass.
    fn sleep(&self, time: Duration) -> Boxed<'static, ()>;
    /// Waits until a gate is open.
    fn gate(&self, gate: &Gate) -> Boxed<'static, ()>;
    /// Runs a task.
    fn spawn(&self, task: Boxed<'static, ()>);
    /// What a stage meets with.
    fn meets(&self, when: &When, peer: &Peer, of_reply: &mut [Armed]) -> Option<What>;
    /// Has a connection played byte by byte; `early` was read already.
    fn play(&self, handler: Handler, io: Box<dyn Io>, early: Vec<u8>);
}

/// Serves one connection until it ends.
pub async fn serve(place: Arc<dyn Place>, peer: Peer, io: Box<dyn Io>, http2: bool) {
    match peer.handler() {
        Some(handler) => place.play(handler, io, Vec::new()),
        None if http2 => http2::serve(place, peer, io).await,
        None => http1::serve(place, peer, io).await,
    }
}
