//! A callback for changed proxy settings, and the runs of it.

use std::sync::Arc;
use std::thread::{self, ThreadId};

use crate::delivery::{Job, Steps};
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::win32::{ProxyChangeCallback, WINHTTP_PROXY_NOTIFY_CHANGE};

#[derive(Default)]
struct State {
    ended: bool,
    /// The threads that run it.
    running: Vec<ThreadId>,
}

/// See the module.
#[derive(Default)]
pub struct Registration {
    callback: Option<ProxyChangeCallback>,
    state: Mutex<State>,
    returned: Condvar,
}

impl Registration {
    /// One of this callback.
    pub fn new(callback: ProxyChangeCallback) -> Registration {
        Registration { callback: Some(callback), ..Registration::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// No run begins any more; waits for those that did, but for those that this thread is in.
    pub fn end(&self, steps: Option<&dyn Steps>) {
        let me = thread::current().id();
        let mut state = self.lock();
        state.ended = true;
        let others = |state: &State| state.running.iter().any(|thread| *thread != me);
        if let Some(steps) = steps {
            let mut done = !others(&state);
            drop(state);
            if !done {
                steps.wait("the end of a proxy change callback", None, &mut || {
                    done = !others(&self.lock());
                    done
                });
            }
            return;
        }
        while others(&state) {
            self.returned.wait(&mut state);
        }
    }
}

impl Job for Registration {
    fn run(self: Arc<Registration>) {
        let Some(callback) = self.callback else { return };
        let me = thread::current().id();
        {
            let mut state = self.lock();
            if state.ended {
                return;
            }
            state.running.push(me);
        }
        callback.call(WINHTTP_PROXY_NOTIFY_CHANGE.into());
        let mut state = self.lock();
        if let Some(place) = state.running.iter().rposition(|thread| *thread == me) {
            state.running.remove(place);
        }
        drop(state);
        self.returned.notify_all();
    }
}
