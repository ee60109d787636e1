//! What threads share: the locks of `parking_lot`, which a panic does not poison. The models of `tests/loom` put loom's
//! primitives in their place. A debug build counts how often a lock is taken, for `tests/lean.rs`.
#![forbid(unsafe_code)]

#[cfg(feature = "net")]
pub use std::sync::OnceLock;
pub use std::sync::atomic;
pub use std::thread;
#[cfg(feature = "net")]
pub use std::thread_local;

pub use parking_lot::{Condvar, MutexGuard};
#[cfg(not(debug_assertions))]
pub use parking_lot::{Mutex, RwLock};

#[cfg(debug_assertions)]
pub use counted::{Mutex, RwLock};

/// How often a lock was taken, in a debug build.
#[cfg(debug_assertions)]
#[doc(hidden)]
pub fn locks_taken() -> usize {
    counted::TAKEN.load(atomic::Ordering::Relaxed)
}

#[cfg(debug_assertions)]
mod counted {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    pub static TAKEN: AtomicUsize = AtomicUsize::new(0);

    fn taken() {
        TAKEN.fetch_add(1, Ordering::Relaxed);
    }

    #[derive(Debug, Default)]
    pub struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Mutex<T> {
            Mutex(parking_lot::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            taken();
            self.0.lock()
        }

        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            taken();
            self.0.try_lock()
        }

        pub fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }

    #[derive(Debug, Default)]
    pub struct RwLock<T>(parking_lot::RwLock<T>);

    impl<T> RwLock<T> {
        pub const fn new(value: T) -> RwLock<T> {
            RwLock(parking_lot::RwLock::new(value))
        }

        pub fn read(&self) -> RwLockReadGuard<'_, T> {
            taken();
            self.0.read()
        }

        pub fn write(&self) -> RwLockWriteGuard<'_, T> {
            taken();
            self.0.write()
        }
    }
}
