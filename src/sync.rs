//! What threads share: the locks of `parking_lot`, which a panic does not poison. The models of `tests/loom` put loom's
//! primitives in their place.
#![forbid(unsafe_code)]

pub use std::sync::atomic;
pub use std::thread;

pub use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};
