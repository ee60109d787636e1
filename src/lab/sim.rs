//! The way into the lab.

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::choices::{Choices, Offers};
use super::chooser::{Chooser, Replay, Usual};
use super::environment;
use super::explore::Random;
use super::fault::Fault;
use super::gate::Gate;
use super::mistakes::Report;
use super::peer::Peer;
use super::profile::Profile;
use super::scheduler::{About, Limit, Scheduler, UNNAMED, asked};
use super::world::{Made, SimWorld};
use crate::delivery::Policy;
use crate::observe::{CheckEvent, waits};
use crate::real::tell;
use crate::record::Trace;
use crate::verify::{Mistake, Stop};
use crate::world::{Entered, Proxies, Registered, World, enter, entered, register};

/// A world of its own for the thread that makes it, until it is dropped.
///
/// Dropping it fails the test (panics) with a report of what was expected and did not come, of requests that no rule was
/// for, of hosts that nobody plays, of misuse and of hangs.
pub struct Sim {
    world: Arc<SimWorld>,
    explored: bool,
    whole: Arc<World>,
    _entered: Entered,
    _registered: Registered,
}

/// What a Sim is made of.
pub struct Builder {
    policy: Policy,
    profile: Profile,
    chooser: Option<Box<dyn Chooser>>,
    offers: Offers,
    /// Whether it belongs to an explorer, which tells what became of it.
    explored: bool,
    bytes: bool,
}

impl Builder {
    /// Requests go as bytes, over pipes in memory, through the same TLS, HTTP/1 and HTTP/2 as in the real world: slower, and
    /// for what is about bytes. Peers answer over them by the same rules; `https` ones have certificates that only this Sim
    /// trusts, and speak HTTP/2 with whoever enables it. Faults strike as in a Sim without bytes.
    #[cfg(feature = "live")]
    pub fn bytes(mut self) -> Builder {
        self.bytes = true;
        self
    }

    /// Who delivers, and when.
    pub fn policy(mut self, policy: Policy) -> Builder {
        self.policy = policy;
        self
    }

    /// Which version of Windows it is.
    pub fn profile(mut self, profile: Profile) -> Builder {
        self.profile = profile;
        self
    }

    /// Who makes the choices.
    pub fn chooser(mut self, chooser: impl Chooser + 'static) -> Builder {
        self.chooser = Some(Box::new(chooser));
        self
    }

    /// The choices of a run before: it happens again. A run that comes to other choices fails, and says where.
    pub fn choices(mut self, choices: Choices) -> Builder {
        self.offers = choices.offers;
        self.chooser(Replay::new(choices))
    }

    pub(super) fn explored(mut self, offers: Offers, chooser: Box<dyn Chooser>) -> Builder {
        (self.offers, self.explored, self.chooser) = (offers, true, Some(chooser));
        self
    }

    /// The Sim. With the variable `WINHTTP_REPLAY` it makes the choices of that schedule, with `WINHTTP_SEED` random ones,
    /// unless others were asked for here.
    ///
    /// # Panics
    /// If one of these variables does not say what it should.
    #[track_caller]
    pub fn build(self) -> Sim {
        let mut offers = self.offers;
        let chooser = self.chooser.unwrap_or_else(|| match (environment::replay(), environment::seed()) {
            (Some(choices), _) => {
                offers = choices.offers;
                Box::new(Replay::new(choices))
            }
            (None, Some(seed)) => Box::new(Random::new(seed)),
            (None, None) => Box::new(Usual),
        });
        let made = Made { chooser, offers, at: Location::caller() };
        let (world, whole) = SimWorld::new(self.policy, self.profile, made, self.bytes);
        let registered = register(Arc::downgrade(&whole));
        let entered = enter(Arc::clone(&whole), self.policy);
        Sim { _entered: entered, _registered: registered, world, whole, explored: self.explored }
    }
}

impl Default for Sim {
    #[track_caller]
    fn default() -> Sim {
        Sim::new()
    }
}

impl Sim {
    /// A world at time 0 without peers, which delivers as Windows does.
    #[track_caller]
    pub fn new() -> Sim {
        Sim::builder().build()
    }

    /// A world with another delivery policy.
    #[track_caller]
    pub fn with(policy: Policy) -> Sim {
        Sim::builder().policy(policy).build()
    }

    /// A world that is not the usual.
    pub fn builder() -> Builder {
        Builder {
            policy: Policy::default(),
            profile: Profile::default(),
            chooser: None,
            offers: Offers::default(),
            explored: false,
            bytes: false,
        }
    }

    /// A server at an origin like `https://api.test` or `http://127.0.0.1:8080`.
    ///
    /// # Panics
    /// If that is no http or https origin.
    #[track_caller]
    pub fn peer(&self, origin: &str) -> Peer {
        let peer = Peer::new(origin);
        self.world.add_peer(super::peer::origin(origin), peer.clone());
        peer
    }

    /// Something goes wrong, or otherwise than usual.
    pub fn fault(&self, fault: Fault) {
        self.world.faults.arm(fault);
    }

    /// A gate, closed.
    pub fn gate(&self, name: &str) -> Gate {
        Gate::new(name, self.world.scheduler())
    }

    /// Lets the world go on until `done` says so. Time moves only when nothing else can happen.
    ///
    /// # Panics
    /// With a report and the trace when nothing can happen any more: a hang.
    #[track_caller]
    pub fn block_until(&self, mut done: impl FnMut() -> bool) {
        self.world.scheduler().wait_for_memory("what the test blocks for", &mut done);
    }

    /// Lets the world go on until a future is ready, and answers what it gives. The future may be woken by any thread. One that
    /// wakes itself while it is polled is polled again, and the world goes on between the polls; when nothing else can happen,
    /// the time moves after some hundred of them.
    ///
    /// ```
    /// use std::task::Poll;
    /// use portable_winhttp::lab::Sim;
    ///
    /// let sim = Sim::new();
    /// let gate = sim.gate("done");
    /// let opens = gate.clone();
    /// sim.spawn(move || opens.open());
    /// sim.block_on(std::future::poll_fn(|cx| {
    ///     cx.waker().wake_by_ref(); // "ask me again"
    ///     if gate.is_open() { Poll::Ready(()) } else { Poll::Pending }
    /// }));
    /// ```
    ///
    /// # Panics
    /// As [`Sim::block_until`].
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let woken = Arc::new(Woken { woken: AtomicBool::new(true), scheduler: Arc::clone(self.world.scheduler()) });
        let waker = Waker::from(Arc::clone(&woken));
        let mut restless = Restless::default();
        loop {
            self.world.scheduler().wait("a future", Limit::None, &mut || woken.woken.swap(false, Ordering::SeqCst));
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            match woken.woken.load(Ordering::SeqCst) {
                true => restless.give_way(self.world.scheduler()),
                false => restless = Restless::default(),
            }
        }
    }

    /// Lets everything happen that happens without the time moving.
    #[track_caller]
    pub fn settle(&self) {
        self.world.scheduler().wait("everything to settle", Limit::Settled, &mut || false);
    }

    /// Lets one thing happen without the time moving; `false` if there is none.
    #[track_caller]
    pub fn step(&self) -> bool {
        let before = self.world.scheduler().steps();
        self.world.scheduler().wait("one thing to happen", Limit::Happened(before + 1), &mut || false);
        self.world.scheduler().steps() > before
    }

    /// Lets everything happen that happens in the next `time`, its end included.
    #[track_caller]
    pub fn advance(&self, time: Duration) {
        let until = self.elapsed() + time;
        self.world.scheduler().wait("the time to pass", Limit::Time(until), &mut || false);
        self.settle();
    }

    /// What this world knows about proxies: none, until it is told. Proxies are peers like all others; an HTTP proxy answers
    /// what comes to it, CONNECT included, and behind a tunnel that it granted is the server's own peer.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use portable_winhttp::lab::{Reply, Sim, any};
    /// let sim = Sim::new();
    /// sim.peer("http://proxy.test:3128").on(any().method("CONNECT")).reply(Reply::ok());
    /// // Every PAC script of this world answers so.
    /// sim.proxies().set_script_override(Some(Arc::new(|_url, _host| "PROXY proxy.test:3128".to_owned())));
    /// ```
    pub fn proxies(&self) -> &Proxies {
        &self.whole.proxies
    }

    /// The time that has passed in this world.
    pub fn elapsed(&self) -> Duration {
        asked();
        self.world.scheduler().now()
    }

    /// Runs code on another thread of this world. It begins when the world goes on.
    pub fn spawn(&self, body: impl FnOnce() + Send + 'static) {
        self.actor(UNNAMED, body);
    }

    /// [`Sim::spawn`] with a name for reports. A panic there fails the Sim.
    pub fn actor(&self, name: &str, body: impl FnOnce() + Send + 'static) {
        self.world.spawn(name, Box::new(body));
    }

    /// A way in for threads that the Sim did not make: see [`Entry::enter`].
    pub fn entry(&self) -> Entry {
        Entry::of(&self.world, &self.whole)
    }

    /// This mistake is not looked for: see [`verify`](crate::verify).
    pub fn allow(&self, stop: Stop) {
        self.world.mistakes.verifier.allow(stop);
    }

    /// The mistakes so far, of every level. One of level error fails the test when the Sim is dropped; all stand in the
    /// trace, where they were made.
    pub fn mistakes(&self) -> Vec<Mistake> {
        asked();
        self.world.mistakes.all()
    }

    /// From now on the out parameters of asynchronous calls are written with their completion, as late as Windows may: a
    /// variable that is gone by then is [`Stop::OutParameter`] of level error.
    pub fn write_out_parameters_late(&self) {
        self.world.mistakes.verifier.write_late();
    }

    /// A host that nobody plays is not found (12007), a port of a host at which nobody plays refuses (12029), as does an
    /// address; and none of that fails the test.
    pub fn allow_unknown_hosts(&self) {
        self.world.allow_unknown_hosts();
    }

    /// The calls and records so far, with the times of this world.
    pub fn trace(&self) -> Trace {
        asked();
        self.world.recorder.finish()
    }

    /// The choices so far: the same choices, given to [`Builder::choices`], make the same program do the same.
    pub fn choices(&self) -> Choices {
        asked();
        self.world.choices()
    }

    /// Whether a fault that is nobody's wish has struck: one that [`explore`](super::explore) or [`torture`](super::torture)
    /// lets strike. Success can be asked for where none has.
    ///
    /// ```
    /// use portable_winhttp::lab::Sim;
    /// assert!(!Sim::new().faulted());
    /// ```
    pub fn faulted(&self) -> bool {
        asked();
        self.world.failed()
    }

    /// Says that something is to be true in some run of an exploration; that it never was fails the exploration. In a Sim
    /// that nobody explores it does nothing.
    ///
    /// ```
    /// use portable_winhttp::lab::{Explore, Sim};
    /// let report = Explore::new().random(3).run(|sim| sim.sometimes("anything at all", true));
    /// assert!(report.sometimes["anything at all"]);
    /// ```
    pub fn sometimes(&self, what: &str, holds: bool) {
        self.world.sometimes(what, holds);
    }

    /// Threads that do not take part in the Sim may open sessions in the real world. Otherwise WinHttpOpen fails there with
    /// ERROR_NOT_SUPPORTED, and the test fails; but where tests of the same process use the real world, none of this is
    /// refused. The variable `WINHTTP_LIVE=allow` allows it in all tests.
    pub fn allow_real_world(&self) {
        self.world.allow_real();
    }

    /// Why this run cannot be repeated exactly, if it cannot: a thread blocked in something that is not the Sim's, or came
    /// from outside.
    pub fn uncontrolled(&self) -> Option<String> {
        self.world.scheduler().uncontrolled()
    }

    /// Threads that were interrupted go on: what they have begun is part of the run. Threads that have not begun stay so.
    pub(super) fn let_finish(&self) {
        if self.world.scheduler().is_interrupted() {
            self.settle();
        }
    }

    pub(super) fn world(&self) -> &Arc<SimWorld> {
        &self.world
    }
}

/// A future that was woken while it was polled, most likely by itself: others must come between two polls all the same.
#[derive(Default)]
struct Restless {
    /// Polls in a row during which nothing else happened.
    polls: u32,
}

impl Restless {
    /// After so many polls one other thing happens, if any can.
    const FIRST: u32 = 2;
    /// After so many polls during which nothing else could happen the time moves.
    const PATIENT: u32 = 200;

    #[track_caller]
    fn give_way(&mut self, scheduler: &Arc<Scheduler>) {
        let before = scheduler.steps();
        scheduler.preempt(About::Same, true);
        self.polls += 1;
        if self.polls > Restless::PATIENT {
            let seen = scheduler.steps();
            let moved = || scheduler.steps() > seen;
            scheduler.wait("something other than a future that wakes itself", Limit::None, &mut { moved });
        } else if self.polls >= Restless::FIRST && scheduler.steps() == before {
            scheduler.wait("one thing to happen", Limit::Happened(before + 1), &mut || false);
        }
        if scheduler.steps() > before {
            self.polls = Restless::FIRST;
        }
    }
}

struct Woken {
    woken: AtomicBool,
    scheduler: Arc<Scheduler>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.scheduler.happened();
    }
}

/// Lets other threads into a Sim. While there is one, a world that cannot move waits, for up to ten seconds, for
/// somebody to come in.
///
/// ```
/// use portable_winhttp::lab::{Sim, wait_until};
///
/// let sim = Sim::new();
/// let gate = sim.gate("done");
/// let (entry, opens) = (sim.entry(), gate.clone());
/// let thread = std::thread::spawn(move || {
///     let _inside = entry.enter("mine");
///     opens.open();
/// });
/// sim.block_until(|| gate.is_open());
/// thread.join().unwrap();
/// ```
pub struct Entry(Arc<SimWorld>, Arc<World>);

impl Clone for Entry {
    fn clone(&self) -> Entry {
        Entry::of(&self.0, &self.1)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.scheduler().close_entry();
    }
}

impl Entry {
    fn of(world: &Arc<SimWorld>, whole: &Arc<World>) -> Entry {
        world.scheduler().open_entry();
        Entry(Arc::clone(world), Arc::clone(whole))
    }

    /// Takes the calling thread in until the answer is dropped: sessions that it opens live in the Sim, and it runs when
    /// no other thread of the Sim does. What it did before it came in was not governed, so that the run counts as
    /// uncontrolled.
    pub fn enter(&self, name: &str) -> EntryGuard {
        self.0.scheduler().bind(name);
        let entered = enter(Arc::clone(&self.1), self.0.policy());
        EntryGuard { _entered: entered, world: Arc::clone(&self.0) }
    }
}

/// A thread is inside a Sim while it has this. See [`Entry::enter`].
pub struct EntryGuard {
    _entered: Entered,
    world: Arc<SimWorld>,
}

impl Drop for EntryGuard {
    fn drop(&mut self) {
        self.world.scheduler().unbind();
    }
}

/// Waits on any thread of a Sim until `done` says so: the world goes on meanwhile. `false` at once on a thread that belongs
/// to none.
///
/// # Panics
/// On the Sim's own thread, with a report, when nothing can happen any more.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> bool {
    let Some((world, _)) = entered() else { return false };
    let Some(steps) = world.steps() else { return false };
    if done() {
        return true;
    }
    waits("in wait_until");
    steps.wait(what, None, &mut done);
    true
}

/// Tells the checker that the program has made a context, one that it will free: [`Stop::HandleLeaked`] if it never does.
///
/// Like [`freed`] it may be called anywhere, on any thread of a Sim; elsewhere it does nothing unless `WINHTTP_VERIFY` is set.
pub fn allocated(context: usize) {
    tell(&CheckEvent::Allocated(context));
}

/// Tells the checker that the program has freed a context: no callback may come with it any more
/// ([`Stop::ContextFreed`], [`Stop::ContextFreedOnFailure`]), and nobody may free it again.
pub fn freed(context: usize) {
    tell(&CheckEvent::Freed(context));
}

impl Sim {
    /// What it knows, at its end. Nothing happens in it any more. Whether it fails or not, remarks are made if it is `told`.
    pub(super) fn conclude(&self, told: bool) -> Report {
        let complaints = self.world.complaints();
        self.world.end();
        let mut report = self.world.mistakes.report(complaints, &self.world.injected());
        if told || report.fails {
            report.lines.extend(self.world.remarks());
        }
        report
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if self.explored {
            return self.world.end();
        }
        let finished = std::thread::panicking() || catch_unwind(AssertUnwindSafe(|| self.let_finish())).is_ok();
        if !finished {
            // It is told with everything else.
            self.world.scheduler().not_heard();
        }
        let choices = self.choices();
        let report = self.conclude(std::thread::panicking());
        let again = if choices.unusual() { format!("\n{}", environment::again(&choices)) } else { String::new() };
        if std::thread::panicking() {
            eprintln!("what the Sim knew when the test failed:\n  {report}{again}");
        } else if report.fails {
            panic!("the Sim ends with complaints:\n  {report}{again}");
        } else {
            self.world.idle().iter().for_each(|idle| eprintln!("{idle} (the Sim of {})", self.world.made_at()));
        }
    }
}
