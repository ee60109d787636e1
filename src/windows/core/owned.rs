//! Owned: a handle that is freed when it goes out of scope.

use std::ops::{Deref, DerefMut};

/// How a handle is freed.
pub trait Free {
    /// Frees it.
    ///
    /// # Safety
    /// The handle is the caller's, and nobody uses it afterwards.
    unsafe fn free(&mut self);
}

/// A handle that is freed when it goes out of scope.
#[repr(transparent)]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Owned<T: Free>(T);

impl<T: Free> Owned<T> {
    /// Takes a handle over.
    ///
    /// # Safety
    /// The handle is the caller's, and nobody else frees it.
    pub unsafe fn new(handle: T) -> Owned<T> {
        Owned(handle)
    }
}

impl<T: Free> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the promise of `new`.
        unsafe { self.0.free() };
    }
}

impl<T: Free> Deref for Owned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Free> DerefMut for Owned<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
