//! How the scheduler token goes from thread to thread: whoever gives it up lets the next thing happen.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::state::{About, Doing, Limit, Plan, State, Thread};
use super::{ASKED, MAIN, NOBODY, RAN, Scheduler, TOLD, UNNAMED, WORKER};
use crate::lab::chooser::{Actor, Point};
use crate::lab::raw::words;
use crate::lab::watch;
use crate::sync::MutexGuard;

/// How many milliseconds of real time a thread may be on its way back before the time moves on without it.
const PATIENT: u32 = 1000;

/// What a thread that waits looks at.
#[derive(Clone, Copy)]
enum Reads {
    /// The program's memory.
    Memory,
    /// Something of the Sim, too.
    Sim,
    /// The same, for a peer that a test plays.
    Peer,
}

/// What a thread ends with whose Sim is over.
struct Gone;

/// Looks for what is waited for.
fn looks(done: &mut dyn FnMut() -> bool) -> bool {
    ASKED.set(false);
    done()
}

impl Scheduler {
    /// A call of the program begins: others may go on before it. What the call itself does is known where it is about a handle.
    pub fn enters(self: &Arc<Self>, about: About, offers: bool) {
        self.preempt(about, offers);
        RAN.set(!matches!(about, About::Handle(_)));
    }

    /// A call of the program returns: others may go on before the program does.
    pub fn leaves(self: &Arc<Self>, about: About, offers: bool) {
        self.preempt(about, offers);
        RAN.set(true);
        // What the program does behind a call belongs to that call's handle, whatever it calls next.
        let me = self.acquire();
        self.lock().runs(me, about);
    }

    /// Another thread, or the network, may come before this one goes on, if that is `offered`. The program's code on it, if any
    /// ran, was about this.
    pub fn preempt(self: &Arc<Self>, before: About, offered: bool) {
        let me = self.acquire();
        let mut state = self.lock();
        if RAN.get() {
            state.runs(me, before);
        }
        state.count_call();
        if state.is_livelock() && !state.over {
            let name = Arc::clone(&state.threads[me].name);
            let report =
                format!("HANG: `{name}` goes on for ever, and no time passes; is a failure taken for success?");
            state.failure.get_or_insert(report);
            state.happened += 1;
            if me != MAIN {
                state.threads[me].doing = Doing::Ready;
                drop(self.hand(state, MAIN, Some(me)));
            }
            return;
        }
        if !offered {
            return;
        }
        TOLD.set(false);
        loop {
            if state.over {
                return;
            }
            let mut candidates = vec![state.thread(me)];
            state.candidates(&mut candidates);
            let curious = (0..state.threads.len()).filter(|number| state.is_curious(*number));
            candidates.extend(curious.map(|number| state.thread(number)));
            if candidates.len() == 1 {
                return;
            }
            let choice = self.decide(&mut state, Point::Next(&candidates, true), candidates.len());
            if choice == 0 {
                return;
            }
            state.threads[me].doing = Doing::Ready;
            state = self.take(state, candidates[choice].actor, Some(me));
            if state.owner == Some(me) {
                state.threads[me].doing = Doing::Running;
            } else {
                drop(self.sleep(state, me));
                return;
            }
        }
    }

    /// Waits until `done`, which is asked whenever something has happened: whether it was, before the limit. The thread
    /// that made the Sim panics with a report when nothing can happen any more.
    #[track_caller]
    pub fn wait(self: &Arc<Self>, what: &str, limit: Limit, done: &mut dyn FnMut() -> bool) -> bool {
        self.wait_for(what, limit, Reads::Sim, done)
    }

    /// [`Scheduler::wait`] of a peer that a test plays: its thread ends with the Sim.
    #[track_caller]
    pub fn wait_as_peer(self: &Arc<Self>, what: &str, limit: Limit, done: &mut dyn FnMut() -> bool) -> bool {
        self.wait_for(what, limit, Reads::Peer, done)
    }

    /// [`Scheduler::wait`] for something in the program's memory: where no code of the program ran, nobody looks again,
    /// unless the last look [asked](super::asked) the Sim for something.
    #[track_caller]
    pub fn wait_for_memory(self: &Arc<Self>, what: &str, done: &mut dyn FnMut() -> bool) {
        self.wait_for(what, Limit::None, Reads::Memory, done);
    }

    #[track_caller]
    fn wait_for(self: &Arc<Self>, what: &str, limit: Limit, reads: Reads, done: &mut dyn FnMut() -> bool) -> bool {
        let me = self.acquire();
        let mut first = true;
        // What the program does before it waits for a limit, or for something of the Sim.
        self.lock().runs(me, About::Same);
        while !looks(done) {
            let mut state = self.lock();
            if state.reached(limit) {
                state.runs(me, About::Anything);
                return false;
            }
            // It got this far by what it found when it looked last.
            state.happened += u64::from(std::mem::take(&mut first));
            let seen = state.happened;
            let asks = ASKED.get() || !matches!(reads, Reads::Memory);
            if ASKED.get() {
                // What it looks at may be anybody's.
                state.chooser.touched().all();
            }
            state.threads[me].doing = Doing::Waiting { what: what.to_owned(), limit, seen, asks };
            let mut state = self.go_on(state, Some(me));
            if state.over {
                drop(state);
                if matches!(reads, Reads::Peer) && !thread::panicking() {
                    // No panic hook: nobody is to be told.
                    resume_unwind(Box::new(Gone));
                }
                // Whoever waits in a world that is gone waits for ever: its code has nothing to run in.
                loop {
                    thread::park();
                }
            }
            if let Some(failure) = state.failure.take_if(|_| me == MAIN) {
                state.raised = Some(failure.clone());
                drop(state);
                panic!("{failure}{}", (self.trace)());
            }
            if matches!(limit, Limit::Settled | Limit::Happened(_)) {
                break;
            }
        }
        self.lock().runs(me, About::Anything);
        RAN.set(true);
        !matches!(limit, Limit::Settled | Limit::Happened(_))
    }

    /// Sleeps until this thread has the token.
    pub(super) fn sleep<'a>(&'a self, mut state: MutexGuard<'a, State>, me: usize) -> MutexGuard<'a, State> {
        let waits = |state: &mut State| state.owner != Some(me) && !state.over;
        let passed = Arc::clone(&state.threads[me].passed);
        passed.wait_while(&mut state, waits);
        state.moves += 1;
        if !matches!(state.threads[me].doing, Doing::Given { .. }) {
            state.threads[me].doing = Doing::Running;
        }
        state
    }

    /// Lets things happen until `me` has something to look at or may go on; without `me`, until somebody else has the
    /// token or nothing can happen now. Whoever calls has the token.
    pub(super) fn go_on<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        me: Option<usize>,
    ) -> MutexGuard<'a, State> {
        let holder = me.unwrap_or(NOBODY);
        let mut quiet = 0;
        loop {
            if state.over {
                return state;
            }
            state.owner = Some(holder);
            // Who only looks, looks first: that is no choice.
            if let Some(curious) = state.curious() {
                return self.hand(state, curious, me);
            }
            let mut candidates = Vec::new();
            state.candidates(&mut candidates);
            if !candidates.is_empty() {
                let choice = self.decide(&mut state, Point::Next(&candidates, false), candidates.len());
                state = self.take(state, candidates[choice].actor, me);
                if state.owner != Some(holder) {
                    match me {
                        Some(me) => return self.sleep(state, me),
                        None => return state,
                    }
                }
                if me.is_some_and(|me| matches!(state.threads[me].doing, Doing::Running)) {
                    return state;
                }
                continue;
            }
            if std::mem::take(&mut state.outside) {
                state.happened += 1;
                continue;
            }
            if let Some(settled) = state.who(|limit| matches!(limit, Limit::Settled | Limit::Happened(_))) {
                state.chooser.rested();
                return self.hand(state, settled, me);
            }
            // The time does not move while a thread is on its way back from something else.
            if state.threads.iter().any(Thread::comes_back) {
                let moves = state.moves;
                self.stirred.wait_for(&mut state, Duration::from_millis(1));
                if state.moves != moves {
                    quiet = 0;
                }
                quiet += 1;
                if quiet < PATIENT {
                    continue;
                }
            }
            quiet = 0;
            if state.advance() {
                state.chooser.rested();
                self.time.store(state.now.as_nanos() as u64, Ordering::SeqCst);
                continue;
            }
            if !state.may_be_helped() {
                let report = state.hang();
                state.failure = Some(report);
                state.happened += 1;
                return self.hand(state, MAIN, me);
            }
            // A thread that we do not govern may bring something.
            state.owner = None;
            self.wake(&state);
            let Some(me) = me else { return state };
            let seen = state.happened;
            let waits = |state: &mut State| {
                let nothing = state.owner != Some(me) && !state.over;
                nothing && (state.owner.is_some() || state.happened == seen)
            };
            let passed = Arc::clone(&state.threads[me].passed);
            passed.wait_while(&mut state, waits);
            if state.owner == Some(me) {
                state.threads[me].doing = Doing::Running;
                return state;
            }
        }
    }

    /// Gives the token to a thread that may look or go on.
    pub(super) fn hand<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        to: usize,
        me: Option<usize>,
    ) -> MutexGuard<'a, State> {
        if me == Some(to) {
            state.threads[to].doing = Doing::Running;
            state.owner = Some(to);
            return state;
        }
        state.pass(to);
        match me {
            Some(me) => self.sleep(state, me),
            None => state,
        }
    }

    /// Lets what was chosen happen. What needs a thread gets the token; the network happens on this one.
    fn take<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        actor: Actor,
        me: Option<usize>,
    ) -> MutexGuard<'a, State> {
        state.steps += 1;
        if state.counted() {
            state.chooser.touched().all();
        }
        match actor {
            Actor::Thread(thread) => {
                if matches!(state.threads[thread].doing, Doing::Waiting { .. }) {
                    // What it looks at is not known.
                    state.chooser.touched().all();
                }
                if me == Some(thread) {
                    state.threads[thread].doing = Doing::Running;
                } else {
                    state.pass(thread);
                }
            }
            Actor::Work(number) => {
                let place = state.jobs.iter().position(|work| work.number == number);
                if let Some(work) = place.and_then(|place| state.jobs.remove(place)) {
                    // A thread of the program has one of the system's for itself.
                    let own = !work.delivers && &*work.name != WORKER;
                    let idle = |thread: &Thread| !thread.own && matches!(thread.doing, Doing::Idle);
                    let idle = state.threads.iter().position(idle).filter(|_| !own);
                    let number = idle.unwrap_or_else(|| self.hire(&mut state, own.then(|| work.name.to_string())));
                    let thread = &mut state.threads[number];
                    thread.about = work.about;
                    thread.name = if work.delivers { WORKER.into() } else { work.name };
                    thread.doing = Doing::Given { body: work.body, delivers: work.delivers };
                    state.pass(number);
                }
            }
            Actor::Network(sequence) => {
                let due =
                    |((time, _), plan): &(&(Duration, u64), &Plan)| plan.sequence == sequence && *time <= state.now;
                let key = state.agenda.iter().find(due).map(|(key, _)| *key);
                if let Some(plan) = key.and_then(|key| state.agenda.remove(&key)) {
                    state.carries(sequence, plan.on_the_way);
                    drop(state);
                    (plan.act)();
                    state = self.lock();
                    state.carried();
                }
            }
        }
        self.stirred.notify_all();
        state
    }

    fn hire(self: &Arc<Self>, state: &mut State, named: Option<String>) -> usize {
        let number = state.threads.len();
        state.threads.push(Thread { own: named.is_some(), ..Thread::new("", None, Doing::Idle, false) });
        let scheduler = Arc::clone(self);
        let body = move || {
            scheduler.join(number);
            (scheduler.enter)();
            scheduler.work(number);
        };
        // A name for the system has no NUL.
        let name = named.filter(|name| name != UNNAMED && !name.contains('\0'));
        let builder = name.into_iter().fold(thread::Builder::new(), thread::Builder::name);
        match builder.spawn(body) {
            Ok(thread) => state.threads[number].ends = Some(thread),
            Err(error) => panic!("the system has no more threads: {error}"),
        }
        number
    }

    fn work(self: &Arc<Self>, me: usize) {
        self.lock().threads[me].system = watch::this_thread();
        loop {
            let mut state = self.sleep(self.lock(), me);
            if state.over {
                return;
            }
            if let Doing::Given { body, delivers } = std::mem::replace(&mut state.threads[me].doing, Doing::Running) {
                let name = Arc::clone(&state.threads[me].name);
                // What delivers runs the program's code in callbacks only.
                RAN.set(!delivers);
                if !delivers {
                    // Before its first call it is about what its starter's last call was about.
                    state.runs(me, About::Same);
                }
                drop(state);
                TOLD.set(false);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(body))
                    && !panic.is::<Gone>()
                {
                    self.fail(format!("the thread `{name}` panicked: {}", words(&*panic)));
                }
                self.acquire();
                state = self.lock();
                if RAN.get() {
                    state.runs(me, About::Same);
                }
            }
            if state.over {
                return;
            }
            state.threads[me].doing = Doing::Idle;
            state.threads[me].about = None;
            state.happened += 1;
            drop(self.go_on(state, None));
        }
    }
}
