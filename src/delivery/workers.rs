//! The threads that run callbacks: ours, never an executor's.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Job;

/// How many workers run before it matters whether they are blocked, unless WORKER_THREAD_COUNT says otherwise.
const READY: usize = 4;
/// How long a job waits for a worker before one more is started: callbacks may block.
const PATIENCE: Duration = Duration::from_millis(2);
/// How long it is waited after a thread could not be started.
const RETRY: Duration = Duration::from_millis(20);
/// How long an idle worker stays.
const IDLE: Duration = Duration::from_secs(10);

/// Starts a thread: its name, and what it does.
type Start = fn(&str, Box<dyn FnOnce() + Send>) -> bool;

fn start(name: &str, body: Box<dyn FnOnce() + Send>) -> bool {
    thread::Builder::new().name(name.to_owned()).spawn(body).is_ok()
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Arc<dyn Job>>,
    workers: usize,
    idle: usize,
    /// A thread looks whether jobs wait for too long; it stays.
    watched: bool,
    /// WORKER_THREAD_COUNT, once it was set.
    ready: Option<usize>,
    /// Counts jobs that were begun: the watcher sees by it whether anything moves.
    begun: u64,
}

/// A pool that grows when its workers block. Once it has a worker and a watcher these stay: whatever the system refuses
/// later, jobs are run, and the pool grows again when it can.
pub struct Workers {
    state: Mutex<State>,
    /// For workers: a job came.
    arrived: Condvar,
    /// For the watcher: jobs wait.
    waiting: Condvar,
    /// Whether there are a worker and a watcher.
    staffed: AtomicBool,
    start: Start,
}

impl Default for Workers {
    fn default() -> Workers {
        Workers::starting(start)
    }
}

impl Workers {
    fn starting(start: Start) -> Workers {
        Workers {
            state: Mutex::default(),
            arrived: Condvar::new(),
            waiting: Condvar::new(),
            staffed: AtomicBool::new(false),
            start,
        }
    }

    /// Whether jobs will be run: there are threads for them, or they could be started.
    pub fn ready(self: &Arc<Self>) -> bool {
        self.staffed.load(Ordering::Acquire) || self.staff(&mut self.lock())
    }

    fn staff(self: &Arc<Self>, state: &mut State) -> bool {
        state.watched = state.watched || self.start("watcher", |workers| workers.watch());
        let staffed = state.watched && (state.workers > 0 || self.hire(state));
        if staffed {
            self.staffed.store(true, Ordering::Release);
        }
        staffed
    }

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
        let hired = state.workers < state.ready.unwrap_or(READY) && self.hire(&mut state);
        if !self.staffed.load(Ordering::Acquire) {
            self.staff(&mut state);
        }
        if !hired {
            self.waiting.notify_one();
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hire(self: &Arc<Self>, state: &mut State) -> bool {
        let hired = self.start("worker", |workers| workers.work());
        state.workers += usize::from(hired);
        hired
    }

    fn start(self: &Arc<Self>, what: &str, body: impl FnOnce(&Arc<Self>) + Send + 'static) -> bool {
        let workers = Arc::clone(self);
        (self.start)(&format!("winhttp {what}"), Box::new(move || body(&workers)))
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
            if waited.timed_out() && state.jobs.is_empty() && state.workers > 1 {
                state.workers -= 1;
                return;
            }
        }
    }

    /// While jobs wait: starts a worker whenever none was begun for a while.
    fn watch(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            while state.jobs.is_empty() {
                state = self.waiting.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let seen = state.begun;
            drop(state);
            thread::sleep(PATIENCE);
            state = self.lock();
            if state.begun == seen && !state.jobs.is_empty() && !self.hire(&mut state) {
                drop(state);
                thread::sleep(RETRY);
                state = self.lock();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::AtomicIsize;
    use std::sync::mpsc::{Sender, channel};

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

    /// Blocks until as many of them run as are to.
    struct Meets(Arc<Barrier>, Sender<()>);

    impl Job for Meets {
        fn run(self: Arc<Self>) {
            self.0.wait();
            self.1.send(()).unwrap();
        }
    }

    /// Threads that can be started in this test; each number is of one case.
    static LEFT: [AtomicIsize; 3] = [AtomicIsize::new(0), AtomicIsize::new(1), AtomicIsize::new(4)];

    fn limited<const CASE: usize>(name: &str, body: Box<dyn FnOnce() + Send>) -> bool {
        LEFT[CASE].fetch_sub(1, Ordering::Relaxed) > 0 && start(name, body)
    }

    /// Thread starts fail for a while: what came meanwhile is run when they succeed again, and nothing before is lost.
    #[test]
    fn a_failed_start_is_tried_again() {
        const JOBS: usize = 30;
        let cases: [Start; 3] = [limited::<0>, limited::<1>, limited::<2>];
        for (case, start) in cases.into_iter().enumerate() {
            let workers = Arc::new(Workers::starting(start));
            // A watcher and a worker are the least.
            assert_eq!(workers.ready(), case == 2, "{case}");
            let barrier = Arc::new(Barrier::new(JOBS));
            let (tell, told) = channel();
            for _ in 0..JOBS {
                workers.run(Arc::new(Meets(Arc::clone(&barrier), tell.clone())));
            }
            LEFT[case].store(isize::MAX, Ordering::Relaxed);
            // Without a watcher the next call does it.
            assert!(workers.ready(), "{case}");
            for _ in 0..JOBS {
                told.recv().unwrap();
            }
        }
    }

    #[test]
    fn a_pool_without_threads_takes_nothing() {
        let workers = Arc::new(Workers::starting(|_, _| false));
        assert!(!workers.ready() && !workers.ready());
        assert!(workers.limit(3), "nothing was changed");
    }
}
