//! What threads share. The models of `tests/loom` put loom's primitives in the place of these.
#![forbid(unsafe_code)]

pub use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, atomic};
pub use std::thread;
