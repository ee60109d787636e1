//! Delivery: who runs the application's callbacks, in what order, on which thread; the clock and the waiting.
#![forbid(unsafe_code)]

// Most of it serves the Win32 functions.
#[cfg_attr(not(feature = "win32"), allow(dead_code))]
pub(crate) mod clock;
mod detail;
mod errands;
#[cfg(feature = "win32")]
pub(crate) mod event;
mod policy;
mod proxies;
#[cfg(feature = "net")]
mod real;
#[cfg(feature = "net")]
mod tracing;
mod traffic;
mod turn;
#[cfg(feature = "net")]
mod verifying;
#[cfg(feature = "net")]
mod workers;
mod world;

pub use detail::Detail;
pub(crate) use detail::{Running, tell, waits};
pub(crate) use errands::{detect, perform};
pub use policy::{Delivery, Policy};
pub use proxies::{Proxies, StandIn};
pub(crate) use turn::{Item, Next, Outcome, Share, Turn};
pub(crate) use world::entered;
pub(crate) use world::observed;
pub use world::{
    Asked, Carried, Entered, Job, Observing, Open, Returned, Steps, Waiting, Watch, World, enter, observe, register,
    set_delivery_policy, strays, with_proxies,
};
pub(crate) use world::{current, opening};
