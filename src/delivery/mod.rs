//! Delivery: who runs the application's callbacks, in what order, and on which thread.
#![forbid(unsafe_code)]

mod policy;
mod queue;
#[cfg(feature = "net")]
mod workers;

#[cfg(feature = "net")]
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

pub use policy::{Delivery, Policy};
pub(crate) use queue::{DeliveryQueue, DrainBudget, Item, Next, Outcome, Ticket};
#[cfg(feature = "net")]
pub(crate) use workers::{Poller, Workers};

/// Something that a worker does.
pub trait Job: Send + Sync {
    /// Does it.
    fn run(self: Arc<Self>);
    /// The handle whose callbacks it delivers; 0 if it is for something else.
    fn handle(&self) -> usize {
        0
    }
}

/// Does a job. If it panics, the job is over, and the thread is not. The panic was reported where it began.
#[cfg(feature = "net")]
fn run_job(job: Arc<dyn Job>) {
    let _ = catch_unwind(AssertUnwindSafe(|| job.run()));
}

/// A world that only moves when threads wait in it.
pub trait Steps: Send + Sync {
    /// Lets the world go on until `done`, which it asks whenever something has happened, or until a time: whether it was
    /// done. Where nothing can happen any more this panics with a report of `what` is waited for: a hang.
    fn wait(&self, what: &str, until: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool;
    /// A thread of no world did something that threads of this one may wait for.
    fn happened(&self);
    /// Whether threads of no world may open sessions in the real one while it lives.
    fn lets_out(&self) -> bool;
}
