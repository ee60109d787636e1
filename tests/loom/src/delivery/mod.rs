//! The delivery queue.

use std::time::Duration;

/// Worlds that only move when threads wait in them are not modelled.
pub trait Steps: Send + Sync {
    fn wait(&self, what: &str, until: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool;
}

#[path = "../../../../src/delivery/queue.rs"]
pub mod queue;
