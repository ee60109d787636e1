//! The callbacks that run on a thread: who waits inside one is told of.

use std::cell::RefCell;
use std::sync::Arc;

use super::{CheckEvent, Observers};
use crate::record::Notification;

thread_local! {
    /// The callbacks that run on this thread and are observed, innermost last.
    static CALLBACKS: RefCell<Vec<(Arc<Observers>, usize)>> = const { RefCell::new(Vec::new()) };
}

/// A callback that runs, from its notification to its return.
pub struct RunningCallback(());

impl RunningCallback {
    /// The callback of a handle is about to be called; `None` if nobody observes.
    pub fn begin(
        observers: &Arc<Observers>,
        handle: usize,
        context: usize,
        notification: &Notification,
    ) -> Option<RunningCallback> {
        if observers.is_empty() {
            return None;
        }
        observers.notified(handle, context, notification);
        CALLBACKS.with_borrow_mut(|running| running.push((Arc::clone(observers), handle)));
        Some(RunningCallback(()))
    }
}

impl Drop for RunningCallback {
    fn drop(&mut self) {
        if let Some((observers, handle)) = CALLBACKS.with_borrow_mut(Vec::pop) {
            observers.delivered(handle);
        }
    }
}

/// This thread is about to wait: told to those who observe the callback that it is in.
pub fn waits(what: &'static str) {
    let running = CALLBACKS.with_borrow(|running| running.last().cloned());
    if let Some((observers, handle)) = running {
        observers.check(handle, &CheckEvent::Waits(what));
    }
}
