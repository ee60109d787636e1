//! The threads of the real world: ours, never an executor's. In the manner of a completion port, one of them waits for
//! what happens outside (the leader), and what became ready is run by those that wait for work, the leader among them.
//!
//! Nothing of the application runs while the leader polls. Whatever blocks a worker, another takes over: the queue of what
//! is to be run, and the polling.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use async_task::Runnable;

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Condvar, Mutex, MutexGuard, OnceLock, thread, thread_local};

use super::{Job, run_job};

/// How many workers run at most before it matters whether they are blocked, unless WORKER_THREAD_COUNT says otherwise;
/// no more than there are processors.
const READY: usize = 4;
/// How many jobs must wait before another worker is called to share them.
const SHARED: usize = 4;
/// How much is run at most before somebody polls: what never comes to rest must not keep timers and sockets waiting.
const UNPOLLED: u32 = 64;
/// How long nothing moves before one more worker is called or started: callbacks may block.
const PATIENCE: Duration = Duration::from_millis(2);
/// How often the watcher finds all at rest before it rests, too.
const LINGER: u32 = 5;
/// How long it is waited after a thread could not be started.
const RETRY: Duration = Duration::from_millis(20);
/// How long an idle worker stays.
const IDLE: Duration = Duration::from_secs(10);

/// Starts a thread: its name, and what it does.
type Start = fn(&str, Box<dyn FnOnce() + Send>) -> bool;

fn start(name: &str, body: Box<dyn FnOnce() + Send>) -> bool {
    thread::Builder::new().name(name.to_owned()).spawn(body).is_ok()
}

/// Where what happens outside comes from: sockets, timers.
pub trait Poller: Send + Sync {
    /// Waits, and wakes the tasks that something happened to, until `over` says that it is; which is asked at first, and
    /// whenever the waker that it got was woken.
    fn poll(&self, over: &mut dyn FnMut(&Waker) -> bool);
    /// Takes the next step of a task.
    fn step(&self, task: Runnable);
}

/// What a worker does.
enum Work {
    Job(Arc<dyn Job>),
    Task(Runnable),
}

/// Who polls.
#[derive(Default)]
enum Leader {
    #[default]
    Nobody,
    /// A worker, until this is woken.
    Asleep(Waker),
    /// A worker that is about to come back.
    Awake,
}

impl Leader {
    /// Calls it back, if it sleeps: by waking the answer.
    fn call(&mut self) -> Option<Waker> {
        match std::mem::replace(self, Leader::Awake) {
            Leader::Asleep(waker) => Some(waker),
            other => {
                *self = other;
                None
            }
        }
    }
}

/// What the thread is to a pool.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It runs a job, and comes back for what is there then.
    Working,
    Polling,
}

thread_local! {
    /// The pool (its address) whose worker this thread is.
    static ROLE: Cell<Option<(usize, Role)>> = const { Cell::new(None) };
}

#[derive(Default)]
struct State {
    queue: VecDeque<Work>,
    workers: usize,
    /// Workers that wait and were not called.
    idle: usize,
    /// Calls that no idle worker has heard yet.
    calls: usize,
    leader: Leader,
    /// There is a watcher; it stays.
    watched: bool,
    /// The watcher looks at what moves.
    watching: bool,
    /// WORKER_THREAD_COUNT, once it was set.
    ready: Option<usize>,
    /// Counts what was begun and how often was polled: the watcher sees by it whether anything moves.
    moves: u64,
    /// Whether there was a job.
    begun: bool,
    /// How much was run since anybody polled.
    unpolled: u32,
}

/// A pool that grows when its workers block. Once it has a worker and a watcher these stay: whatever the system refuses
/// later, jobs are run, and the pool grows again when it can.
pub struct Workers {
    state: Mutex<State>,
    /// For idle workers: they were called.
    called: Condvar,
    /// For the watcher: something moves.
    waiting: Condvar,
    /// Whether there are a worker and a watcher.
    staffed: AtomicBool,
    poller: OnceLock<Arc<dyn Poller>>,
    start: Start,
    /// How many workers share what is to be done while none of them blocks.
    processors: usize,
}

impl Default for Workers {
    fn default() -> Workers {
        Workers::starting(start)
    }
}

impl Workers {
    /// None yet; threads are started by this, which says whether it could.
    pub fn starting(start: Start) -> Workers {
        Workers {
            state: Mutex::default(),
            called: Condvar::new(),
            waiting: Condvar::new(),
            staffed: AtomicBool::new(false),
            poller: OnceLock::new(),
            start,
            processors: thread::available_parallelism().map_or(1, usize::from),
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

    /// One of the workers polls this from now on, when it has nothing else to do. Only the first counts.
    pub fn poll(self: &Arc<Self>, poller: Arc<dyn Poller>) {
        if self.poller.set(poller).is_ok() {
            self.call(&mut self.lock());
        }
    }

    /// Runs the job on a worker. Jobs begin in the order in which they come.
    pub fn run(self: &Arc<Self>, job: Arc<dyn Job>) {
        self.push(Work::Job(job));
    }

    /// Takes the next step of a task on a worker, in the order of jobs.
    pub fn resume(self: &Arc<Self>, task: Runnable) {
        self.push(Work::Task(task));
    }

    fn push(self: &Arc<Self>, work: Work) {
        let mut state = self.lock();
        state.queue.push_back(work);
        let wakes = match self.role() {
            Some(Role::Polling) => state.leader.call(),
            // It comes back for it, and the watcher sees whether it does.
            Some(Role::Working) if state.queue.len() < SHARED => {
                self.attend(&mut state);
                None
            }
            Some(Role::Working) => {
                self.share(&mut state);
                None
            }
            None => {
                let wakes = state.leader.call();
                if wakes.is_none() {
                    self.share(&mut state);
                }
                wakes
            }
        };
        drop(state);
        if let Some(waker) = wakes {
            waker.wake();
        }
    }

    fn role(&self) -> Option<Role> {
        let (pool, role) = ROLE.with(Cell::get)?;
        (pool == std::ptr::from_ref(self).addr()).then_some(role)
    }

    fn play(&self, role: Role) {
        ROLE.with(|mine| mine.set(Some((std::ptr::from_ref(self).addr(), role))));
    }

    /// One more worker comes for the queue, if there may be one.
    fn share(self: &Arc<Self>, state: &mut State) {
        let most = state.ready.unwrap_or(READY.min(self.processors));
        let active = state.workers - state.idle;
        if active >= most || !(self.call(state) || self.hire(state)) {
            self.attend(state);
        }
        if !self.staffed.load(Ordering::Acquire) {
            self.staff(state);
        }
    }

    /// Calls an idle worker, if there is one.
    fn call(&self, state: &mut State) -> bool {
        let idle = state.idle > 0;
        if idle {
            state.idle -= 1;
            state.calls += 1;
            self.called.notify_one();
        }
        idle
    }

    /// Sets how many workers run unless they block, 0 for the usual number. Only once, and before the first job.
    pub fn limit(&self, count: usize) -> bool {
        let mut state = self.lock();
        let early = state.ready.is_none() && state.workers == 0 && !state.begun;
        if early {
            state.ready = Some(if count == 0 { READY.min(self.processors) } else { count });
        }
        early
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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
        self.play(Role::Working);
        let mut state = self.lock();
        loop {
            if state.unpolled >= UNPOLLED
                && let (Some(poller), Leader::Nobody) = (self.poller.get(), &state.leader)
            {
                state = self.lead(state, &**poller);
            }
            if let Some(work) = state.queue.pop_front() {
                state.begun = true;
                state.moves += 1;
                state.unpolled += 1;
                if state.queue.len() >= SHARED {
                    self.share(&mut state);
                }
                self.attend(&mut state);
                drop(state);
                self.perform(work);
                state = self.lock();
                continue;
            }
            match self.poller.get() {
                Some(poller) if matches!(state.leader, Leader::Nobody) => state = self.lead(state, &**poller),
                _ => match self.rest(state) {
                    Some(called) => state = called,
                    None => return,
                },
            }
        }
    }

    fn perform(&self, work: Work) {
        match (work, self.poller.get()) {
            (Work::Job(job), _) => run_job(job),
            (Work::Task(task), Some(poller)) => poller.step(task),
            // Tasks are the poller's.
            (Work::Task(_), None) => {}
        }
    }

    /// Polls until there is something to run; if there is already, once.
    fn lead<'a>(&'a self, mut state: MutexGuard<'a, State>, poller: &dyn Poller) -> MutexGuard<'a, State> {
        let mut once = !state.queue.is_empty();
        state.leader = Leader::Awake;
        state.moves += 1;
        drop(state);
        self.play(Role::Polling);
        poller.poll(&mut |waker| {
            if std::mem::take(&mut once) {
                waker.wake_by_ref();
                return false;
            }
            let mut state = self.lock();
            let over = !state.queue.is_empty();
            state.leader = if over { Leader::Awake } else { Leader::Asleep(waker.clone()) };
            over
        });
        self.play(Role::Working);
        let mut state = self.lock();
        state.leader = Leader::Nobody;
        state.unpolled = 0;
        state
    }

    /// Waits until it is called; `None` when it is not needed any more.
    fn rest<'a>(&'a self, mut state: MutexGuard<'a, State>) -> Option<MutexGuard<'a, State>> {
        state.idle += 1;
        loop {
            let waited = self.called.wait_for(&mut state, IDLE);
            if state.calls > 0 {
                state.calls -= 1;
                return Some(state);
            }
            if waited.timed_out() && state.workers > 1 {
                state.idle -= 1;
                state.workers -= 1;
                return None;
            }
        }
    }

    /// The watcher looks from now on, until all rest.
    fn attend(&self, state: &mut State) {
        if !std::mem::replace(&mut state.watching, true) {
            self.waiting.notify_one();
        }
    }

    /// While something moves or waits: helps whenever nothing moved for a while.
    fn watch(self: &Arc<Self>) {
        let mut state = self.lock();
        loop {
            while !state.watching {
                self.waiting.wait(&mut state);
            }
            let mut rests = 0;
            while rests < LINGER {
                let seen = state.moves;
                drop(state);
                thread::sleep(PATIENCE);
                state = self.lock();
                let (still, stuck) = (state.moves == seen, self.stuck(&state));
                rests = if still && !stuck { rests + 1 } else { 0 };
                if still && stuck && !self.help(&mut state) {
                    drop(state);
                    thread::sleep(RETRY);
                    state = self.lock();
                }
            }
            state.watching = false;
        }
    }

    /// Whoever is free takes over: who polls, an idle worker, a new one. `false` if there is nobody.
    fn help(self: &Arc<Self>, state: &mut State) -> bool {
        if let Some(waker) = state.leader.call() {
            waker.wake();
            return true;
        }
        self.call(state) || self.hire(state)
    }

    /// Whether something waits for a worker: the queue, or what nobody polls.
    fn stuck(&self, state: &State) -> bool {
        let unpolled = self.poller.get().is_some() && matches!(state.leader, Leader::Nobody);
        !state.queue.is_empty() || unpolled
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

    struct Panics;

    impl Job for Panics {
        fn run(self: Arc<Self>) {
            // Without the hook: a test that passes says nothing.
            std::panic::resume_unwind(Box::new("a job panics"));
        }
    }

    /// A watcher and one worker, for ever.
    static TWO: AtomicIsize = AtomicIsize::new(2);

    /// Jobs that panic take nothing of the pool: the only worker that there can be runs what comes behind them.
    #[test]
    fn a_worker_outlives_its_jobs() {
        let workers =
            Arc::new(Workers::starting(|name, body| TWO.fetch_sub(1, Ordering::Relaxed) > 0 && start(name, body)));
        assert!(workers.ready());
        let (tell, told) = channel();
        for _ in 0..3 {
            workers.run(Arc::new(Panics));
            workers.run(Arc::new(Meets(Arc::new(Barrier::new(1)), tell.clone())));
            told.recv_timeout(Duration::from_secs(60)).unwrap();
        }
    }

    /// Sockets and timers of nobody. Tells when it was polled to the end.
    struct Quiet(Sender<()>);

    impl Poller for Quiet {
        fn poll(&self, over: &mut dyn FnMut(&Waker) -> bool) {
            while !over(Waker::noop()) {
                thread::yield_now();
            }
            let _ = self.0.send(());
        }

        fn step(&self, task: Runnable) {
            task.run();
        }
    }

    /// A task that is never at rest, on the only worker: there is polling all the same.
    #[test]
    fn polling_goes_on_beside_what_never_rests() {
        let workers = Arc::new(Workers::default());
        assert!(workers.limit(1));
        let resumes = Arc::clone(&workers);
        let forever = std::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            std::task::Poll::<()>::Pending
        });
        let (runnable, task) = async_task::spawn(forever, move |runnable| resumes.resume(runnable));
        let (tell, told) = channel();
        workers.poll(Arc::new(Quiet(tell)));
        runnable.schedule();
        for _ in 0..10 {
            told.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        drop(task);
    }

    #[test]
    fn a_pool_without_threads_takes_nothing() {
        let workers = Arc::new(Workers::starting(|_, _| false));
        assert!(!workers.ready() && !workers.ready());
        assert!(workers.limit(3), "nothing was changed");
    }
}
