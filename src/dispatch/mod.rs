//! Delivery: who runs the application's callbacks, in what order, on which thread; the clock and the waiting.
#![forbid(unsafe_code)]

#[cfg(feature = "win32")]
pub(crate) mod clock;
#[cfg(feature = "win32")]
pub(crate) mod event;
mod policy;
#[cfg(feature = "net")]
mod real;
mod turn;
#[cfg(feature = "net")]
mod workers;
mod world;

pub use policy::{Delivery, Policy};
pub(crate) use turn::{Item, Next, Outcome, Share, Turn};
pub(crate) use world::current;
pub use world::{Entered, Job, Observing, Returned, Steps, Waiting, World, enter, observe, set_delivery_policy};
pub(crate) use world::{entered, observed};
