//! The threads that run callbacks: ours, never an executor's.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::Job;

/// How many workers run before it matters whether they are blocked, unless WORKER_THREAD_COUNT says otherwise.
const READY: usize = 4;
/// How long a job waits for a worker before one more is started: callbacks may block (design.md, Real).
const PATIENCE: Duration = Duration::from_millis(2);
/// How long an idle worker stays.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct State {
    jobs: VecDeque<Arc<dyn Job>>,
    workers: usize,
    idle: usize,
    watched: bool,
    /// WORKER_THREAD_COUNT, once it was set.
    ready: Option<usize>,
    /// Counts jobs that were begun: the watcher sees by it whether anything moves.
    begun: u64,
}

/// A pool that grows when its workers block.
#[derive(Default)]
pub struct Workers {
    state: Mutex<State>,
    arrived: Condvar,
}

impl Workers {
    /// Runs the job on a worker. Jobs begin in the order in which they come.
    pub fn run(self: &Arc<Self>, job: Arc<dyn Job>) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.idle > 0 {
            self.arrived.notify_one();
        }
        if state.idle >= state.jobs.len() {
            return;
        }
        if state.workers < state.ready.unwrap_or(READY) {
            self.hire(&mut state);
        } else if !state.watched {
            state.watched = true;
            drop(state);
            self.start("watcher", |workers| workers.watch());
        }
    }

    /// Sets how many workers run unless they block, 0 for the usual number. Only once, and before the first job.
    pub fn limit(&self, count: usize) -> bool {
        let mut state = self.lock();
        let early = state.ready.is_none() && state.workers == 0 && state.begun == 0;
        if early {
            state.ready = Some(if count == 0 { READY } else { count });
        }
        early
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hire(self: &Arc<Self>, state: &mut State) {
        state.workers += 1;
        if !self.start("worker", |workers| workers.work()) {
            state.workers -= 1;
        }
    }

    fn start(self: &Arc<Self>, what: &str, body: impl FnOnce(&Arc<Self>) + Send + 'static) -> bool {
        let workers = Arc::clone(self);
        thread::Builder::new().name(format!("winhttp {what}")).spawn(move || body(&workers)).is_ok()
    }

    fn work(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                state.begun += 1;
                drop(state);
                job.run();
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let (woken, waited) = self.arrived.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.workers -= 1;
                return;
            }
        }
    }

    /// While jobs wait: starts a worker whenever none was begun for a while. Leaves when nothing waits.
    fn watch(self: &Arc<Self>) {
        let mut seen = u64::MAX;
        let mut state = self.lock();
        while !state.jobs.is_empty() {
            if state.begun == seen {
                self.hire(&mut state);
            }
            seen = state.begun;
            drop(state);
            thread::sleep(PATIENCE);
            state = self.lock();
        }
        state.watched = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Job for Nothing {
        fn run(self: Arc<Self>) {}
    }

    #[test]
    fn the_number_is_set_once_and_early() {
        let workers = Arc::new(Workers::default());
        assert!(workers.limit(1));
        assert!(!workers.limit(2), "once");
        let late = Arc::new(Workers::default());
        late.run(Arc::new(Nothing));
        assert!(!late.limit(1), "early");
    }
}
