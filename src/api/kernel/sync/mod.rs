//! What the Win32 functions stand on: events, waits, threads and timers, in the time of the caller's world.
#![forbid(unsafe_code)]

pub mod clock;
pub mod event;
pub mod lock;
pub mod threads;
pub mod timers;
pub mod waitable;
