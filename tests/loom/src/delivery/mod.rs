//! The delivery queue and the workers.

use std::sync::Arc;
use std::time::Duration;

/// Worlds that only move when threads wait in them are not modelled.
pub trait Steps: Send + Sync {
    fn wait(&self, what: &str, until: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool;
}

pub trait Job: Send + Sync {
    fn run(self: Arc<Self>);
}

/// A panic here is what a model finds: nobody catches it.
fn run_job(job: Arc<dyn Job>) {
    job.run();
}

#[path = "../../../../src/delivery/queue.rs"]
pub mod queue;
#[path = "../../../../src/delivery/workers.rs"]
pub mod workers;
