//! How much a task may read in one step. A peer that sends faster than it is read would keep a task at it for ever: no
//! timer would ring, and nobody could cancel. tokio's own budget is for the tasks of its own executor.

use std::cell::Cell;
use std::task::{Context, Poll};

/// Reads of a step, as many as tokio allows.
const READS: u32 = 128;

thread_local! {
    /// Reads that are left in the step on this thread. `None` outside of a step.
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// A step of a task. Steps lie inside each other: a callback of one may begin another task.
pub struct Budget {
    outer: Option<u32>,
}

impl Budget {
    /// The step begins on this thread; it ends with the value.
    pub fn of_step() -> Budget {
        Budget { outer: LEFT.replace(Some(READS)) }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        LEFT.set(self.outer);
    }
}

/// Pending if the step has read enough: the task goes on after the others.
pub fn poll_read(cx: &Context<'_>) -> Poll<()> {
    match LEFT.get() {
        Some(0) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Some(left) => {
            LEFT.set(Some(left - 1));
            Poll::Ready(())
        }
        None => Poll::Ready(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_step_reads_so_much_and_goes_on_later() {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(Arc::clone(&wakes));
        let cx = Context::from_waker(&waker);
        let reads = || (0..2 * READS).take_while(|_| poll_read(&cx).is_ready()).count() as u32;
        assert_eq!(reads(), 2 * READS, "outside of a step");
        let step = Budget::of_step();
        assert!(poll_read(&cx).is_ready());
        let inner = Budget::of_step();
        assert_eq!(reads(), READS, "a step inside");
        drop(inner);
        assert_eq!((reads(), wakes.0.load(Ordering::Relaxed)), (READS - 1, 2));
        drop(step);
        assert!(poll_read(&cx).is_ready());
    }
}
