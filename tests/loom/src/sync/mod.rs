//! In the place of the library's `sync`: loom's locks in the shape of `parking_lot`'s.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

pub use loom::sync::atomic;

pub use self::once::OnceLock;
pub use crate::thread_local;
pub use process::{exit, thread};

mod once;
mod process;

/// loom's, of which each thread has its own.
#[macro_export]
macro_rules! thread_local {
    ($(#[$what:meta])* static $name:ident: $type:ty = const { $value:expr };) => {
        loom::thread_local! {
            $(#[$what])*
            static $name: $type = $value;
        }
    };
}

#[derive(Debug, Default)]
pub struct Mutex<T>(loom::sync::Mutex<T>);

/// Empty only while its thread waits for a condition.
pub struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Mutex<T> {
        Mutex(loom::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap()))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

#[derive(Debug, Default)]
pub struct Condvar(Arc<loom::sync::Condvar>);

pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub fn new() -> Condvar {
        Condvar::default()
    }

    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        process::sleep_on(&self.0, &mut guard.0, |held| self.0.wait(held).unwrap());
    }

    /// Whoever waits is woken before its time is up.
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _timeout: Duration) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult(false)
    }

    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    pub fn notify_all(&self) {
        self.0.notify_all();
    }
}

#[derive(Debug, Default)]
pub struct RwLock<T>(loom::sync::RwLock<T>);

impl<T> RwLock<T> {
    pub fn new(value: T) -> RwLock<T> {
        RwLock(loom::sync::RwLock::new(value))
    }

    pub fn read(&self) -> loom::sync::RwLockReadGuard<'_, T> {
        self.0.read().unwrap()
    }

    pub fn write(&self) -> loom::sync::RwLockWriteGuard<'_, T> {
        self.0.write().unwrap()
    }
}
