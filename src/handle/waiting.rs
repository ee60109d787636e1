//! Synchronous calls inside callbacks. Each of two threads may be in a callback of one request and call on that of the
//! other: both would wait for the other's callback to return. Whoever would close such a circle is refused (our choice:
//! Windows leaves a synchronous request to one thread).

use std::sync::Arc;

use super::Handle;
use crate::sync::Mutex;
use crate::sync::thread::{self, ThreadId};
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_STATE, Win32Error, in_callback};

/// Threads in a callback that call on a synchronous handle; of one thread, the last call is the one that it waits in.
pub struct NestedCalls(pub Mutex<Vec<(ThreadId, Arc<Handle>)>>);

/// A synchronous call of this thread, made inside a callback.
pub struct Waiting<'a> {
    calls: &'a NestedCalls,
    thread: ThreadId,
}

impl NestedCalls {
    /// A synchronous call on `handle` begins; `None` if no callback would wait for it. A circle is closed by a call on a
    /// handle whose callback runs elsewhere, so that it is enough to look once.
    pub fn begin(&self, handle: &Arc<Handle>) -> Result<Option<Waiting<'_>>, Win32Error> {
        if !in_callback() {
            return Ok(None);
        }
        let thread = thread::current().id();
        let mut waiting = self.0.lock();
        if closes_a_circle(&waiting, handle, thread) {
            return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        }
        waiting.push((thread, Arc::clone(handle)));
        Ok(Some(Waiting { calls: self, thread }))
    }
}

/// Whether whoever holds the queue of `handle` waits, over as many handles as there are, for thread `me`.
fn closes_a_circle(waiting: &[(ThreadId, Arc<Handle>)], handle: &Arc<Handle>, me: ThreadId) -> bool {
    let mut next = handle;
    if next.queue.held_by() == Some(me) {
        return false;
    }
    // A call that is about to return still stands here: no more steps than there are calls.
    for _ in waiting {
        let holder = next.queue.held_by();
        let Some((_, waits_for)) = waiting.iter().rev().find(|(thread, _)| Some(*thread) == holder) else {
            return false;
        };
        next = waits_for;
        if next.queue.held_by() == Some(me) {
            return true;
        }
    }
    false
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.calls.0.lock();
        let last = waiting.iter().rposition(|(thread, _)| *thread == self.thread);
        let call = last.map(|at| waiting.remove(at));
        drop(waiting);
        // Maybe the last reference to the handle.
        drop(call);
    }
}
