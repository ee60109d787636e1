//! Delivery: who runs the application's callbacks, in what order, on which thread; the clock and the waiting.
#![forbid(unsafe_code)]

pub mod event;
mod policy;
#[cfg(feature = "net")]
mod real;
mod turn;
mod workers;
mod world;

pub use policy::{Delivery, Policy};
pub(crate) use turn::{Item, Next, Outcome, Share, Turn};
pub use workers::Job;
pub(crate) use world::current;
pub use world::{World, set_delivery_policy};
