//! Real threads, one at a time: whoever has the baton runs.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The thread that made the Sim.
const PUMP: usize = 0;

thread_local! {
    /// The number of this thread among the Sim's workers.
    static WORKER: Cell<usize> = const { Cell::new(PUMP) };
}

pub type Body = Box<dyn FnOnce() + Send>;

/// What a worker does when it does not have the baton.
enum Worker {
    Idle,
    /// Was given this and has not begun.
    Given(Body),
    Busy,
    /// Waits for something, until a time; it looked at this count of what has happened.
    Waiting {
        what: String,
        until: Option<Duration>,
        seen: u64,
    },
}

struct State {
    owner: usize,
    workers: Vec<Worker>,
    /// Counts what has happened.
    happened: u64,
    over: bool,
}

/// See the module.
pub struct Baton {
    state: Mutex<State>,
    passed: Condvar,
}

impl Default for Baton {
    fn default() -> Baton {
        let state = State { owner: PUMP, workers: vec![Worker::Busy], happened: 0, over: false };
        Baton { state: Mutex::new(state), passed: Condvar::new() }
    }
}

/// Whether this thread makes the Sim go on when it waits.
pub fn is_pump() -> bool {
    WORKER.get() == PUMP
}

impl Baton {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something happened that a waiting thread may have waited for.
    pub fn happened(&self) {
        self.lock().happened += 1;
    }

    /// Runs `body` on a worker until it ends or waits. `enter` is run first on each new thread.
    pub fn run(self: &Arc<Self>, body: Body, enter: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        state.happened += 1;
        let idle = state.workers.iter().position(|worker| matches!(worker, Worker::Idle));
        let number = idle.unwrap_or_else(|| {
            state.workers.push(Worker::Idle);
            let (number, baton) = (state.workers.len() - 1, Arc::clone(self));
            thread::spawn(move || {
                WORKER.set(number);
                enter();
                baton.work(number);
            });
            number
        });
        state.workers[number] = Worker::Given(body);
        self.pass(state, number);
    }

    /// The waiting threads that have not looked since something happened.
    pub fn curious(&self, now: Duration) -> Vec<usize> {
        let state = self.lock();
        let curious = |worker: &Worker| match worker {
            Worker::Waiting { until, seen, .. } => *seen < state.happened || until.is_some_and(|until| until <= now),
            _ => false,
        };
        (1..state.workers.len()).filter(|number| curious(&state.workers[*number])).collect()
    }

    /// Lets a waiting thread look.
    pub fn resume(&self, number: usize) {
        let state = self.lock();
        self.pass(state, number);
    }

    /// The earliest time at which a waiting thread gives up.
    pub fn next_end(&self) -> Option<Duration> {
        let state = self.lock();
        let end = |worker: &Worker| if let Worker::Waiting { until, .. } = worker { *until } else { None };
        state.workers.iter().filter_map(end).min()
    }

    /// What the workers wait for.
    pub fn waiting(&self) -> Vec<String> {
        let state = self.lock();
        let what = |worker: &Worker| if let Worker::Waiting { what, .. } = worker { Some(what.clone()) } else { None };
        state.workers.iter().filter_map(what).collect()
    }

    /// A worker waits: the baton goes back until there is something to look at.
    pub fn wait(&self, what: &str, until: Option<Duration>, again: bool) {
        let me = WORKER.get();
        let mut state = self.lock();
        // It got this far by what it found when it looked last.
        state.happened += u64::from(!again);
        let seen = state.happened;
        state.workers[me] = Worker::Waiting { what: what.to_owned(), until, seen };
        state.owner = PUMP;
        self.passed.notify_all();
        let mut state =
            self.passed.wait_while(state, |state| state.owner != me).unwrap_or_else(PoisonError::into_inner);
        state.workers[me] = Worker::Busy;
    }

    /// No worker gets anything to do any more.
    pub fn end(&self) {
        self.lock().over = true;
        self.passed.notify_all();
    }

    fn pass(&self, mut state: MutexGuard<'_, State>, to: usize) {
        state.owner = to;
        self.passed.notify_all();
        drop(self.passed.wait_while(state, |state| state.owner != PUMP).unwrap_or_else(PoisonError::into_inner));
    }

    fn work(&self, me: usize) {
        loop {
            let state = self.lock();
            let waits = |state: &mut State| state.owner != me && !state.over;
            let mut state = self.passed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
            if state.over {
                return;
            }
            if let Worker::Given(body) = std::mem::replace(&mut state.workers[me], Worker::Busy) {
                drop(state);
                body();
                state = self.lock();
            }
            state.workers[me] = Worker::Idle;
            state.happened += 1;
            state.owner = PUMP;
            self.passed.notify_all();
        }
    }
}
