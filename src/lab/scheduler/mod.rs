//! Real threads, one at a time, and virtual time: whoever has the scheduler token runs, whoever gives it up lets the next
//! thing happen.

mod drive;
mod state;
mod watched;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use self::state::{BUSY, Doing, State, Thread, Work};
use super::choices::{Choices, Offers};
use super::chooser::{Chooser, Point, Recorded};
use super::environment;
use super::explore::footprint::{Footprint, Lineage, Thing};
use super::watch;
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::world::Unspecified;

pub use state::{About, Limit, Plan};
pub use watched::Watched;

/// The thread that made the Sim.
const MAIN: usize = 0;
/// What a thread of WinHTTP's is called, and one of the program's that has no name.
pub const WORKER: &str = "a worker";
pub const UNNAMED: &str = "a thread";
/// How long a Sim that ends waits for a thread that is in something else.
const MOMENT: Duration = Duration::from_secs(1);
/// Who has the token while a thread that does not wait lets things happen.
const NOBODY: usize = usize::MAX;

thread_local! {
    /// The Sims that this thread takes part in, and its number there.
    static MEMBER: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
    /// Whether this thread has asked a Sim for something since it began to look for what it waits for.
    static ASKED: Cell<bool> = const { Cell::new(false) };
    /// Whether a callback ran on this thread since others could last go on before it.
    static TOLD: Cell<bool> = const { Cell::new(false) };
    /// Whether the program's code may have run on this thread since it was last told what that touches.
    static RAN: Cell<bool> = const { Cell::new(true) };
}

/// Whether this thread has run a callback since others could last go on before it.
pub fn has_told() -> bool {
    TOLD.get()
}

/// This thread asks a Sim for something that no code of the program changes.
pub fn asked() {
    ASKED.set(true);
}

pub type Body = Box<dyn FnOnce() + Send>;

/// See the module.
pub struct Scheduler {
    /// Of all Sims of the process.
    number: usize,
    state: Mutex<State>,
    /// Nanoseconds of the Sim's time, for who must not lock.
    time: AtomicU64,
    /// Told when something happened that who has no token may wait for.
    stirred: Condvar,
    /// Run on each new thread first.
    enter: Box<dyn Fn() + Send + Sync>,
    /// What has happened, for a report.
    trace: Box<dyn Fn() -> String + Send + Sync>,
    /// Puts a note into the trace.
    note: Box<dyn Fn(&str) + Send + Sync>,
    /// Whether unusual choices are noted.
    notes: AtomicBool,
    /// What its schedules offer.
    offers: Offers,
    /// The test that made the Sim, if one did.
    test: Option<String>,
    /// Where it was made.
    at: &'static Location<'static>,
}

impl Scheduler {
    pub fn new(
        chooser: Box<dyn Chooser>,
        offers: Offers,
        enter: Box<dyn Fn() + Send + Sync>,
        trace: Box<dyn Fn() -> String + Send + Sync>,
        note: Box<dyn Fn(&str) + Send + Sync>,
        at: &'static Location<'static>,
    ) -> Arc<Scheduler> {
        let main = Thread::new("main", watch::this_thread(), Doing::Running, false);
        let state = State {
            now: Duration::ZERO,
            owner: Some(MAIN),
            threads: vec![main],
            jobs: VecDeque::new(),
            posted: 0,
            sequences: HashMap::new(),
            apart: false,
            agenda: BTreeMap::new(),
            under_way: None,
            planned: 0,
            happened: 0,
            outside: false,
            steps: 0,
            moves: 0,
            busy: 0,
            busiest: 0,
            busy_at_most: BUSY,
            chooser: Recorded::new(chooser),
            entries: 0,
            uncontrolled: None,
            failure: None,
            raised: None,
            over: false,
        };
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let scheduler = Scheduler {
            number,
            state: Mutex::new(state),
            time: AtomicU64::new(0),
            stirred: Condvar::new(),
            enter,
            trace,
            note,
            notes: AtomicBool::new(false),
            offers,
            test: environment::test(),
            at,
        };
        let scheduler = Arc::new(scheduler);
        scheduler.join(MAIN);
        watch::watch(&scheduler);
        scheduler
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
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
        Duration::from_nanos(self.time.load(Ordering::SeqCst))
    }

    /// Whether no thread has come to it yet, with a call or to wait.
    pub fn is_untouched(&self) -> bool {
        self.lock().moves == 0
    }

    pub fn choices(&self) -> Choices {
        self.lock().chooser.taken().clone()
    }

    /// For each choice, who would usually have gone on and was passed over.
    pub fn passed_over(&self) -> Vec<Option<Arc<str>>> {
        self.lock().chooser.passed_over().to_vec()
    }

    /// Whether a thread was interrupted that could go on.
    pub fn is_interrupted(&self) -> bool {
        self.lock().threads.iter().any(|thread| matches!(thread.doing, Doing::Ready))
    }

    /// A choice that is no question of what happens next.
    pub fn choose(&self, point: Point<'_>) -> bool {
        self.choose_of(point, 2) == 1
    }

    pub fn choose_of(&self, point: Point<'_>, options: usize) -> usize {
        self.decide(&mut self.lock(), point, options)
    }

    /// The chooser's choice.
    fn decide(&self, state: &mut State, point: Point<'_>, options: usize) -> usize {
        let taken = state.choose(point, options);
        if taken > 0 && self.notes.load(Ordering::Relaxed) {
            (self.note)(&format!("<> {}:{} ({taken}/{options})", point.kind().name(), point.label(taken)));
        }
        taken
    }

    /// Unusual choices are noted in the trace from now on.
    pub fn note_choices(&self) {
        self.notes.store(true, Ordering::Relaxed);
    }

    /// The choices, if nobody is just making one.
    fn try_choices(&self) -> Option<Choices> {
        Some(self.state.try_lock()?.chooser.taken().clone())
    }

    /// Where its Sim was made.
    pub fn made_at(&self) -> &'static Location<'static> {
        self.at
    }

    /// The schedule as far as it came and the command that plays it again, from any thread, if nobody is just making a choice.
    pub fn again(&self) -> Option<String> {
        let choices = Choices::offering(self.offers, self.try_choices()?.to_vec());
        let command = environment::again_in(&choices, self.test.as_deref());
        match choices.unusual() {
            true => Some(format!("the schedule: {}\n{command}", choices.trimmed().long())),
            false => Some(command),
        }
    }

    pub fn open(&self, open: Unspecified, usual: bool) -> bool {
        usual != self.choose(Point::Open(open, usual))
    }

    /// What made the run one that cannot be repeated exactly.
    pub fn uncontrolled(&self) -> Option<String> {
        self.lock().uncontrolled.clone()
    }

    /// Plans something; never earlier than now. Things of one `sequence` happen in the order of their times and plans.
    pub fn at(&self, time: Duration, sequence: usize, act: impl FnOnce() + Send + 'static) {
        self.plan(time, Plan::new(sequence, Box::new(act)));
    }

    /// Plans something; never earlier than now.
    pub fn plan(&self, time: Duration, plan: Plan) {
        self.lock().plan(time, plan);
    }

    /// Something for a worker to do: the body of a thread, or the callbacks of a handle.
    pub fn post(&self, name: &str, delivers: Option<u32>, body: Body) {
        let mut state = self.lock();
        state.posted += 1;
        let starter = || self.number().and_then(|number| state.threads[number].about);
        let about = delivers.or_else(starter);
        let work = Work { number: state.posted, name: name.into(), delivers: delivers.is_some(), about, body };
        state.jobs.push_back(work);
    }

    /// A sequence belongs to a handle.
    pub fn name_sequence(&self, sequence: usize, handle: &str, lineage: Lineage) {
        self.lock().sequences.insert(sequence, (handle.into(), lineage));
    }

    /// The most calls and returns that were made while no time passed.
    pub fn busiest(&self) -> u64 {
        self.lock().busiest
    }

    /// More calls and returns than these without the time moving are a program that runs in circles.
    pub fn limit_calls(&self, at_most: u64) {
        self.lock().busy_at_most = at_most;
    }

    /// Each handle has memory of its own.
    pub fn set_apart(&self) {
        self.lock().apart = true;
    }

    /// The step under way touches something.
    pub fn touch(&self, touch: impl FnOnce(&mut Footprint)) {
        touch(self.lock().chooser.touched());
    }

    /// The machine of a handle has taken a step; `silent`: nobody is told, and nothing is carried out.
    pub fn steps_machine(&self, lineage: &Lineage, silent: bool) {
        let mut state = self.lock();
        let silent = silent && state.under_way.is_some();
        let touched = state.chooser.touched();
        if silent { touched.goes_on(lineage) } else { touched.handle(lineage, true) }
    }

    /// The step under way has an effect beyond its own handle: for who closes that, it makes a difference.
    pub fn counts(&self) {
        let mut state = self.lock();
        if let Some(lineage) = state.under_way.clone() {
            state.chooser.touched().handle(&lineage, true);
        }
    }

    /// A callback of a handle runs; `progress`: it tells of no operation's end, and of nothing that is made or closed.
    pub fn calls_back(&self, lineage: &Lineage, progress: bool) {
        TOLD.set(true);
        RAN.set(true);
        let mut state = self.lock();
        let apart = state.apart;
        let touched = state.chooser.touched();
        touched.told(lineage);
        if !progress {
            touched.closes(lineage);
        }
        match lineage.first().filter(|_| apart) {
            Some(own) => touched.changes(Thing::Memory(*own)),
            None => touched.program(),
        }
    }

    /// Something happened that a waiting thread may have waited for.
    pub fn happened(&self) {
        let mut state = self.lock();
        state.happened += 1;
        if state.owner.is_none() {
            self.wake(&state);
        }
    }

    /// A thread of no Sim did something that threads of any may wait for. When that is, nobody governs: it is looked at where
    /// nothing else can happen, so that no choice depends on it.
    pub fn happened_outside(&self) {
        let mut state = self.lock();
        state.outside = true;
        if state.owner.is_none() {
            state.happened += 1;
            self.wake(&state);
        }
    }

    fn wake(&self, state: &State) {
        state.wake_all();
        self.stirred.notify_all();
    }

    /// The thread that made the Sim fails with this when it waits next.
    pub fn fail(&self, failure: String) {
        let mut state = self.lock();
        state.failure.get_or_insert(failure);
        state.happened += 1;
        self.wake(&state);
    }

    /// Gives a thread that is in something else a moment to come back: it may be about to fail.
    pub fn gather(&self) {
        let away = |state: &mut State| {
            let away = |thread: &Thread| matches!(thread.doing, Doing::Foreign) && !thread.outside;
            state.failure.is_none() && state.threads.iter().skip(MAIN + 1).any(away)
        };
        self.stirred.wait_while_for(&mut self.lock(), away, MOMENT);
    }

    /// Nobody gets anything to do any more.
    pub fn end(&self) {
        let mut state = self.lock();
        // What the body did last.
        state.runs(MAIN, About::Anything);
        state.over = true;
        state.jobs.clear();
        state.agenda.clear();
        state.chooser.end();
        self.wake(&state);
        drop(state);
        MEMBER.with_borrow_mut(|members| members.retain(|(sim, _)| *sim != self.number));
    }

    /// Waits, in a Sim that is over, for the ends of threads that have nothing to do: what they do at their end belongs to it.
    pub fn join_idle(&self) {
        let mut state = self.lock();
        let idle = state.threads.iter_mut().filter(|thread| matches!(thread.doing, Doing::Idle));
        let ends: Vec<_> = idle.filter_map(|thread| thread.ends.take()).collect();
        drop(state);
        // A panic of the program's was told when it happened.
        ends.into_iter().for_each(|thread| drop(thread.join()));
    }

    /// This thread is about to run code of the Sim: it gets the token, if it does not have it. A thread that nobody
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
        state.threads.push(Thread::new(&name, system, Doing::Outside, true));
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
    pub fn open_entry(&self) {
        self.lock().entries += 1;
    }

    /// A way in is gone: who waits looks whether anybody can still come.
    pub fn close_entry(&self) {
        let mut state = self.lock();
        state.entries -= 1;
        state.happened += 1;
        if state.owner.is_none() {
            self.wake(&state);
        }
    }

    /// Takes this thread in as one of the Sim's own until [`Scheduler::unbind`].
    pub fn bind(self: &Arc<Self>, name: &str) {
        let number = self.acquire();
        let mut state = self.lock();
        state.runs(number, About::Anything);
        state.threads[number].outside = false;
        state.threads[number].name = name.into();
    }

    pub fn unbind(self: &Arc<Self>) {
        let Some(number) = self.number() else { return };
        self.lock().threads[number].outside = true;
        self.leave_if_outside();
    }

    /// What the Sim must fail with, if nobody has said it yet.
    pub fn failure(&self) -> Option<String> {
        self.lock().failure.take()
    }

    /// The failure was raised inside a call, which it cannot leave: it stands again. `false` if none was.
    pub fn not_heard(&self) -> bool {
        let mut state = self.lock();
        let raised = state.raised.take();
        let stands = raised.is_some();
        state.failure = raised.or_else(|| state.failure.take());
        stands
    }

    pub fn steps(&self) -> u64 {
        self.lock().steps
    }
}
