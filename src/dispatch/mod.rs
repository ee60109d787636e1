//! Delivery: who runs the application's callbacks, in what order, on which thread; the clock and the waiting.
#![forbid(unsafe_code)]

// Most of it serves the Win32 functions.
mod check_event;
#[cfg_attr(not(feature = "win32"), allow(dead_code))]
pub(crate) mod clock;
#[cfg(feature = "win32")]
pub(crate) mod event;
#[cfg(feature = "win32")]
pub(crate) mod lock;
mod policy;
mod proxies;
mod queue;
#[cfg(feature = "net")]
mod real;
mod registration;
#[cfg(feature = "win32")]
pub(crate) mod threads;
#[cfg(feature = "win32")]
pub(crate) mod timers;
#[cfg(feature = "net")]
mod tracing;
mod traffic;
#[cfg(feature = "net")]
mod verifying;
mod worker_task;
#[cfg(feature = "net")]
mod workers;
mod world;

pub use check_event::CheckEvent;
pub(crate) use check_event::{RunningCallback, tell, waits};
pub use policy::{Delivery, Policy};
pub use proxies::{Proxies, ScriptOverride};
pub(crate) use queue::{DeliveryQueue, DrainBudget, Item, Next, Outcome, Ticket};
pub(crate) use registration::Registration;
pub(crate) use worker_task::{detect, run_task};
pub(crate) use world::entered;
pub(crate) use world::observed;
pub use world::{
    Entered, Job, Observing, Requested, Returned, Steps, TrafficEvent, Unspecified, Waiting, Watch, World, enter,
    observe, opens_openly, orphans, register, set_delivery_policy, with_proxies,
};
pub(crate) use world::{current, opening};
