//! Real threads, one at a time, and virtual time: whoever has the baton runs, whoever gives it up lets the next thing
//! happen.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::chooser::{Candidate, Choices, Chooser, Point, Recorded};
use super::watch;
use crate::dispatch::Open;

/// The thread that made the Sim.
const MAIN: usize = 0;
/// How many milliseconds of real time a thread may be on its way back before the time moves on without it.
const PATIENT: u32 = 1000;
/// Who has the baton while a thread that does not wait lets things happen.
const NOBODY: usize = usize::MAX;

thread_local! {
    /// The Sims that this thread takes part in, and its number there.
    static MEMBER: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
}

pub type Body = Box<dyn FnOnce() + Send>;

/// What a thread does.
enum Doing {
    /// A worker without work.
    Idle,
    /// A worker that was given this and has not begun.
    Given(Body),
    /// It runs, if it has the baton.
    Running,
    /// It could go on.
    Ready,
    /// It waits for something, and looked last when so much had happened.
    Waiting { what: String, limit: Limit, seen: u64 },
    /// It blocks in something that is not ours, or runs without the baton after that.
    Foreign,
    /// A thread that is not the Sim's, between its calls.
    Outside,
}

/// How long a thread waits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// As long as it takes.
    None,
    /// Until this time.
    Time(Duration),
    /// Until nothing can happen without the time moving.
    Settled,
    /// Until so many things have happened, or none can.
    Happened(u64),
}

struct Thread {
    name: String,
    /// What the system calls it, where that is known.
    system: Option<u64>,
    doing: Doing,
    /// Whether it is not the Sim's: it has the baton only during its calls.
    outside: bool,
}

impl Thread {
    /// Whether it blocked in something else and is awake now.
    fn comes_back(&self) -> bool {
        matches!(self.doing, Doing::Foreign) && self.system.is_some_and(|thread| watch::asleep(thread).is_none())
    }
}

/// Something that is planned.
struct Plan {
    /// What it belongs to: things of one order keep their order.
    order: usize,
    /// The time does not move for it alone.
    idle: bool,
    act: Body,
}

struct State {
    now: Duration,
    /// Who has the baton.
    owner: Option<usize>,
    threads: Vec<Thread>,
    /// What workers are to do: a name for the thread, and the work.
    jobs: VecDeque<(String, Body)>,
    agenda: BTreeMap<(Duration, u64), Plan>,
    planned: u64,
    /// Counts what a waiting thread may have waited for.
    happened: u64,
    /// Counts candidates that were chosen.
    steps: u64,
    /// Counts how often the baton was passed or a thread said that it runs.
    moves: u64,
    chooser: Recorded,
    /// Ways in for threads that have not come yet.
    doors: usize,
    uncontrolled: Option<String>,
    /// What the thread that made the Sim must fail with.
    failure: Option<String>,
    over: bool,
}

/// See the module.
pub struct Scheduler {
    /// Of all Sims of the process.
    number: usize,
    state: Mutex<State>,
    passed: Condvar,
    /// Run on each new thread first.
    enter: Box<dyn Fn() + Send + Sync>,
    /// What has happened, for a report.
    trace: Box<dyn Fn() -> String + Send + Sync>,
}

impl Scheduler {
    pub fn new(
        chooser: Box<dyn Chooser>,
        enter: Box<dyn Fn() + Send + Sync>,
        trace: Box<dyn Fn() -> String + Send + Sync>,
    ) -> Arc<Scheduler> {
        let main =
            Thread { name: "main".to_owned(), system: watch::this_thread(), doing: Doing::Running, outside: false };
        let state = State {
            now: Duration::ZERO,
            owner: Some(MAIN),
            threads: vec![main],
            jobs: VecDeque::new(),
            agenda: BTreeMap::new(),
            planned: 0,
            happened: 0,
            steps: 0,
            moves: 0,
            chooser: Recorded::new(chooser),
            doors: 0,
            uncontrolled: None,
            failure: None,
            over: false,
        };
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let scheduler = Arc::new(Scheduler { number, state: Mutex::new(state), passed: Condvar::new(), enter, trace });
        scheduler.join(MAIN);
        watch::watch(&scheduler);
        scheduler
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn join(&self, number: usize) {
        MEMBER.with_borrow_mut(|members| members.push((self.number, number)));
    }

    /// The number of this thread, if it takes part.
    fn number(&self) -> Option<usize> {
        let member = |(sim, number): &(usize, usize)| (*sim == self.number).then_some(*number);
        MEMBER.with_borrow(|members| members.iter().find_map(member))
    }

    pub fn now(&self) -> Duration {
        self.lock().now
    }

    pub fn choices(&self) -> Choices {
        self.lock().chooser.taken()
    }

    /// A choice that is no question of what happens next.
    pub fn choose(&self, point: Point<'_>) -> bool {
        self.lock().chooser.choose(point, 2) == 1
    }

    pub fn open(&self, open: Open, usual: bool) -> bool {
        usual != self.choose(Point::Open(open))
    }

    /// What made the run one that cannot be repeated exactly.
    pub fn uncontrolled(&self) -> Option<String> {
        self.lock().uncontrolled.clone()
    }

    /// Plans something; never earlier than now. Things of one `order` happen in the order of their times and plans.
    pub fn at(&self, time: Duration, order: usize, act: impl FnOnce() + Send + 'static) {
        self.plan(time, order, false, Box::new(act));
    }

    /// [`Scheduler::at`]; if it is `idle`, the time does not move for it alone.
    pub fn plan(&self, time: Duration, order: usize, idle: bool, act: Body) {
        let mut state = self.lock();
        state.planned += 1;
        let key = (time.max(state.now), state.planned);
        state.agenda.insert(key, Plan { order, idle, act });
    }

    /// Something for a worker to do.
    pub fn post(&self, name: &str, body: Body) {
        self.lock().jobs.push_back((name.to_owned(), body));
    }

    /// Something happened that a waiting thread may have waited for.
    pub fn happened(&self) {
        let mut state = self.lock();
        state.happened += 1;
        if state.owner.is_none() {
            self.passed.notify_all();
        }
    }

    /// The thread that made the Sim fails with this when it waits next.
    pub fn fail(&self, failure: String) {
        let mut state = self.lock();
        state.failure.get_or_insert(failure);
        state.happened += 1;
    }

    /// Nobody gets anything to do any more.
    pub fn end(&self) {
        let mut state = self.lock();
        state.over = true;
        state.jobs.clear();
        state.agenda.clear();
        drop(state);
        self.passed.notify_all();
        MEMBER.with_borrow_mut(|members| members.retain(|(sim, _)| *sim != self.number));
    }

    /// This thread is about to run code of the Sim: it gets the baton, if it does not have it. A thread that nobody
    /// knows is taken in.
    pub fn acquire(self: &Arc<Self>) -> usize {
        let number = self.number().unwrap_or_else(|| self.take_in());
        let mut state = self.lock();
        state.moves += 1;
        if state.owner != Some(number) && !state.over {
            state.threads[number].doing = Doing::Ready;
            if state.owner.is_none() {
                state.pass(number);
            }
            drop(self.sleep(state, number));
        }
        number
    }

    fn take_in(&self) -> usize {
        let name = thread::current().name().unwrap_or("a thread").to_owned();
        let mut state = self.lock();
        state.uncontrolled(&format!("the thread `{name}` does not belong to the Sim"));
        let system = watch::this_thread();
        state.threads.push(Thread { name, system, doing: Doing::Outside, outside: true });
        let number = state.threads.len() - 1;
        drop(state);
        self.join(number);
        number
    }

    /// This thread has no call under way any more: if it is not the Sim's, the others go on.
    pub fn leave_if_outside(self: &Arc<Self>) {
        let Some(number) = self.number() else { return };
        let mut state = self.lock();
        if state.owner == Some(number) && state.threads[number].outside && !state.over {
            state.happened += 1;
            state.threads[number].doing = Doing::Outside;
            drop(self.go_on(state, None));
        }
    }

    /// A way in was opened.
    pub fn open_door(&self) {
        self.lock().doors += 1;
    }

    /// A way in is gone: who waits looks whether anybody can still come.
    pub fn close_door(&self) {
        let mut state = self.lock();
        state.doors -= 1;
        state.happened += 1;
        if state.owner.is_none() {
            self.passed.notify_all();
        }
    }

    /// Takes this thread in as one of the Sim's own until [`Scheduler::unbind`].
    pub fn bind(self: &Arc<Self>, name: &str) {
        let number = self.acquire();
        let mut state = self.lock();
        state.threads[number].outside = false;
        name.clone_into(&mut state.threads[number].name);
    }

    pub fn unbind(self: &Arc<Self>) {
        let Some(number) = self.number() else { return };
        self.lock().threads[number].outside = true;
        self.leave_if_outside();
    }

    /// Another thread, or the network, may come before this one goes on.
    pub fn preempt(self: &Arc<Self>) {
        let me = self.acquire();
        let mut state = self.lock();
        loop {
            if state.over {
                return;
            }
            let mut candidates = vec![Candidate::Proceed(me)];
            state.candidates(&mut candidates);
            let curious = (0..state.threads.len()).filter(|number| state.is_curious(*number)).map(Candidate::Resume);
            candidates.extend(curious);
            if candidates.len() == 1 {
                return;
            }
            let choice = state.chooser.choose(Point::Next(&candidates), candidates.len());
            if choice == 0 {
                return;
            }
            state.threads[me].doing = Doing::Ready;
            state = self.take(state, candidates[choice], Some(me));
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
    pub fn wait(self: &Arc<Self>, what: &str, limit: Limit, done: &mut dyn FnMut() -> bool) -> bool {
        let me = self.acquire();
        let mut first = true;
        while !done() {
            let mut state = self.lock();
            if state.reached(limit) {
                return false;
            }
            // It got this far by what it found when it looked last.
            state.happened += u64::from(std::mem::take(&mut first));
            let seen = state.happened;
            state.threads[me].doing = Doing::Waiting { what: what.to_owned(), limit, seen };
            let mut state = self.go_on(state, Some(me));
            if state.over {
                drop(state);
                // Whoever waits in a world that is gone waits for ever: its code has nothing to run in.
                loop {
                    thread::park();
                }
            }
            if let Some(failure) = state.failure.take_if(|_| me == MAIN) {
                drop(state);
                panic!("{failure}{}", (self.trace)());
            }
            if matches!(limit, Limit::Settled | Limit::Happened(_)) {
                return false;
            }
        }
        true
    }

    /// What the Sim must fail with, if nobody has said it yet.
    pub fn failure(&self) -> Option<String> {
        self.lock().failure.take()
    }

    pub fn steps(&self) -> u64 {
        self.lock().steps
    }

    /// Sleeps until this thread has the baton.
    fn sleep<'a>(&'a self, state: MutexGuard<'a, State>, me: usize) -> MutexGuard<'a, State> {
        let waits = |state: &mut State| state.owner != Some(me) && !state.over;
        let mut state = self.passed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.moves += 1;
        if !matches!(state.threads[me].doing, Doing::Given(_)) {
            state.threads[me].doing = Doing::Running;
        }
        state
    }

    /// Lets things happen until `me` has something to look at or may go on; without `me`, until somebody else has the
    /// baton or nothing can happen now. Whoever calls has the baton.
    fn go_on<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>, me: Option<usize>) -> MutexGuard<'a, State> {
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
                let choice = state.chooser.choose(Point::Next(&candidates), candidates.len());
                state = self.take(state, candidates[choice], me);
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
            if let Some(settled) = state.who(|limit| matches!(limit, Limit::Settled | Limit::Happened(_))) {
                return self.hand(state, settled, me);
            }
            // The time does not move while a thread is on its way back from something else.
            if state.threads.iter().any(Thread::comes_back) {
                let moves = state.moves;
                let woken = self.passed.wait_timeout(state, Duration::from_millis(1));
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
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
            self.passed.notify_all();
            let Some(me) = me else { return state };
            let seen = state.happened;
            let waits = |state: &mut State| {
                let nothing = state.owner != Some(me) && !state.over;
                nothing && (state.owner.is_some() || state.happened == seen)
            };
            state = self.passed.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
            if state.owner == Some(me) {
                state.threads[me].doing = Doing::Running;
                return state;
            }
        }
    }

    /// Gives the baton to a thread that may look or go on.
    fn hand<'a>(&'a self, mut state: MutexGuard<'a, State>, to: usize, me: Option<usize>) -> MutexGuard<'a, State> {
        if me == Some(to) {
            state.threads[to].doing = Doing::Running;
            state.owner = Some(to);
            return state;
        }
        state.pass(to);
        self.passed.notify_all();
        match me {
            Some(me) => self.sleep(state, me),
            None => state,
        }
    }

    /// Lets what was chosen happen. What needs a thread gets the baton; the network happens on this one.
    fn take<'a>(
        self: &'a Arc<Self>,
        mut state: MutexGuard<'a, State>,
        candidate: Candidate,
        me: Option<usize>,
    ) -> MutexGuard<'a, State> {
        state.steps += 1;
        match candidate {
            Candidate::Proceed(thread) | Candidate::Resume(thread) => {
                if me == Some(thread) {
                    state.threads[thread].doing = Doing::Running;
                } else {
                    state.pass(thread);
                }
            }
            Candidate::Begin(number) => {
                if let Some((name, body)) = state.jobs.remove(number) {
                    let idle = state.threads.iter().position(|thread| matches!(thread.doing, Doing::Idle));
                    let number = idle.unwrap_or_else(|| self.hire(&mut state));
                    state.threads[number].name = name;
                    state.threads[number].doing = Doing::Given(body);
                    state.pass(number);
                }
            }
            Candidate::Happen(order) => {
                let due = |((time, _), plan): &(&(Duration, u64), &Plan)| plan.order == order && *time <= state.now;
                let key = state.agenda.iter().find(due).map(|(key, _)| *key);
                if let Some(plan) = key.and_then(|key| state.agenda.remove(&key)) {
                    drop(state);
                    (plan.act)();
                    state = self.lock();
                    state.happened += 1;
                    state.moves += 1;
                }
            }
        }
        self.passed.notify_all();
        state
    }

    fn hire(self: &Arc<Self>, state: &mut State) -> usize {
        let number = state.threads.len();
        state.threads.push(Thread { name: String::new(), system: None, doing: Doing::Idle, outside: false });
        let scheduler = Arc::clone(self);
        thread::spawn(move || {
            scheduler.join(number);
            (scheduler.enter)();
            scheduler.work(number);
        });
        number
    }

    fn work(self: &Arc<Self>, me: usize) {
        self.lock().threads[me].system = watch::this_thread();
        loop {
            let mut state = self.sleep(self.lock(), me);
            if state.over {
                return;
            }
            if let Doing::Given(body) = std::mem::replace(&mut state.threads[me].doing, Doing::Running) {
                let name = state.threads[me].name.clone();
                drop(state);
                if let Err(panic) = catch_unwind(AssertUnwindSafe(body)) {
                    let text = panic.downcast_ref::<String>().cloned();
                    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    self.fail(format!("the thread `{name}` panicked: {}", text.unwrap_or_default()));
                }
                self.acquire();
                state = self.lock();
            }
            if state.over {
                return;
            }
            state.threads[me].doing = Doing::Idle;
            state.happened += 1;
            drop(self.go_on(state, None));
        }
    }

    // ---- the watch ----

    /// Who has the baton, as the system calls it, and a number that changes with every sign of life.
    pub fn watched(&self) -> Watched {
        let state = self.lock();
        let system = state.owner.and_then(|owner| state.threads.get(owner)?.system);
        let waits = state.may_be_helped();
        Watched { owner: state.owner, system, moves: state.moves, waits, over: state.over }
    }

    /// The thread that has the baton blocks in something that is not ours: the others go on without it.
    pub fn pass_over(self: &Arc<Self>, seen: &Watched) {
        let mut state = self.lock();
        let known = |owner: &usize| *owner != NOBODY && state.moves == seen.moves && !state.over;
        let Some(owner) = state.owner.filter(known) else { return };
        let name = state.threads[owner].name.clone();
        state.uncontrolled(&format!("the thread `{name}` blocks in something that is not the Sim's"));
        state.threads[owner].doing = Doing::Foreign;
        state.moves += 1;
        state.happened += 1;
        drop(self.go_on(state, None));
    }

    /// Nothing moves, and a thread that blocks in something else does not come back. The thread that made the Sim gets
    /// the report; or the caller does, if it is that one that blocks.
    pub fn abandoned(self: &Arc<Self>) -> Option<String> {
        let mut state = self.lock();
        let report = state.hang();
        if !matches!(state.threads[MAIN].doing, Doing::Waiting { .. }) {
            return Some(report);
        }
        state.failure = Some(report);
        drop(self.hand(state, MAIN, None));
        None
    }
}

/// See [`Scheduler::watched`].
#[derive(Clone, PartialEq, Eq)]
pub struct Watched {
    pub owner: Option<usize>,
    pub system: Option<u64>,
    pub moves: u64,
    /// Whether a thread that is not governed may still bring something.
    pub waits: bool,
    pub over: bool,
}

impl State {
    fn pass(&mut self, to: usize) {
        self.owner = Some(to);
        self.moves += 1;
        if !matches!(self.threads[to].doing, Doing::Given(_)) {
            self.threads[to].doing = Doing::Running;
        }
    }

    /// Whether a thread that is not governed may bring something.
    fn may_be_helped(&self) -> bool {
        let foreign = |thread: &Thread| matches!(thread.doing, Doing::Foreign | Doing::Outside);
        self.doors > 0 || self.threads.iter().any(foreign)
    }

    fn uncontrolled(&mut self, why: &str) {
        self.uncontrolled.get_or_insert_with(|| why.to_owned());
    }

    fn reached(&self, limit: Limit) -> bool {
        match limit {
            Limit::Time(time) => time <= self.now,
            Limit::Happened(steps) => steps <= self.steps,
            Limit::None | Limit::Settled => false,
        }
    }

    /// Whether the thread waits and has not looked since something happened, or its limit is reached.
    fn is_curious(&self, number: usize) -> bool {
        match &self.threads[number].doing {
            Doing::Waiting { limit: Limit::Settled, .. } => self.failure.is_some(),
            Doing::Waiting { limit: limit @ Limit::Happened(_), .. } => self.reached(*limit),
            Doing::Waiting { limit, seen, .. } => *seen < self.happened || self.reached(*limit),
            _ => false,
        }
    }

    fn curious(&self) -> Option<usize> {
        (0..self.threads.len()).find(|number| self.is_curious(*number))
    }

    fn who(&self, limited: impl Fn(Limit) -> bool) -> Option<usize> {
        self.threads.iter().position(|thread| match &thread.doing {
            Doing::Waiting { limit, .. } => limited(*limit),
            _ => false,
        })
    }

    /// What can happen now: work first, then threads, then the network.
    fn candidates(&self, candidates: &mut Vec<Candidate>) {
        candidates.extend((0..self.jobs.len()).map(Candidate::Begin));
        let ready = self.threads.iter().enumerate().filter(|(_, thread)| matches!(thread.doing, Doing::Ready));
        candidates.extend(ready.map(|(number, _)| Candidate::Resume(number)));
        let network = candidates.len();
        for plan in self.agenda.range(..=(self.now, u64::MAX)).map(|(_, plan)| plan) {
            let candidate = Candidate::Happen(plan.order);
            if !candidates[network..].contains(&candidate) {
                candidates.push(candidate);
            }
        }
    }

    /// Moves the time to the next thing that happens; `false` if nothing ever will.
    fn advance(&mut self) -> bool {
        let end = self.threads.iter().filter_map(|thread| match &thread.doing {
            Doing::Waiting { limit: Limit::Time(time), .. } => Some(*time),
            _ => None,
        });
        let end = end.min();
        let awaited = end.is_some() || self.agenda.values().any(|plan| !plan.idle);
        let planned = self.agenda.first_key_value().map(|((time, _), _)| *time).filter(|_| awaited);
        let Some(next) = planned.into_iter().chain(end).min() else { return false };
        self.now = self.now.max(next);
        true
    }

    fn hang(&self) -> String {
        let waits = self.threads.iter().filter_map(|thread| match &thread.doing {
            Doing::Waiting { what, .. } => Some(format!("`{}` waits for {what}", thread.name)),
            Doing::Foreign => Some(format!("`{}` waits for something that is not the Sim's", thread.name)),
            _ => None,
        });
        format!("HANG: nothing can happen any more; {}", waits.collect::<Vec<_>>().join("; "))
    }
}
