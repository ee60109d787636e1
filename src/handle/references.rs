//! The count of what holds a handle open.

use crate::sync::atomic::{AtomicUsize, Ordering};

/// A count that never rises again once it is 0.
#[derive(Debug)]
pub struct References(AtomicUsize);

impl Default for References {
    /// The open handle itself.
    fn default() -> References {
        References(AtomicUsize::new(1))
    }
}

impl References {
    /// One more, if it is not too late.
    pub fn acquire(&self) -> bool {
        let more = |count: usize| (count > 0).then_some(count + 1);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    /// One less: whether it was the last.
    pub fn release(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether there is more than one.
    pub fn shared(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}
