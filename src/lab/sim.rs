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
use super::explore::panics;
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

/// A simulated world. The thread that makes it is in it until the Sim is dropped.
///
/// Dropping it panics, and so fails the test, if an expected request did not come, a request matched no rule, a host had no
/// peer, a handle is still open, or the program misused WinHTTP at level error. The panic has a report. A run that hangs fails at
/// the hang.
pub struct Sim {
    world: Arc<SimWorld>,
    explored: bool,
    whole: Arc<World>,
    _entered: Entered,
    _registered: Registered,
}

/// Builds a [`Sim`] with other settings than the usual ones. From [`Sim::builder`].
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
    /// Sends requests as real bytes, over pipes in memory, through the same TLS, HTTP/1 and HTTP/2 as in the real world. That is
    /// slower; use it for tests in which the bytes matter. Peers answer by the same rules. `https` peers have certificates that only this
    /// Sim trusts, and speak HTTP/2 with requests that enable it. Faults strike as in a Sim without bytes.
    #[cfg(feature = "live")]
    pub fn bytes(mut self) -> Builder {
        self.bytes = true;
        self
    }

    /// Where callbacks run (inside the call or on a worker) unless a fault or the chooser says otherwise; `Policy::default` is
    /// what was measured on Windows.
    pub fn policy(mut self, policy: Policy) -> Builder {
        self.policy = policy;
        self
    }

    /// The version of Windows that the Sim behaves like. By default [`Profile::newest`].
    pub fn profile(mut self, profile: Profile) -> Builder {
        self.profile = profile;
        self
    }

    /// Decides every order, delivery and fault of this Sim. By default [`Usual`], unless the variable `WINHTTP_REPLAY` or
    /// `WINHTTP_SEED` is set.
    pub fn chooser(mut self, chooser: impl Chooser + 'static) -> Builder {
        self.chooser = Some(Box::new(chooser));
        self
    }

    /// Repeats an earlier run: takes the choices of [`Sim::choices`] again. If the run comes to other choices, it fails and says
    /// where.
    pub fn choices(mut self, choices: Choices) -> Builder {
        self.offers = choices.offers;
        self.chooser(Replay::new(choices))
    }

    pub(super) fn explored(mut self, offers: Offers, chooser: Box<dyn Chooser>) -> Builder {
        (self.offers, self.explored, self.chooser) = (offers, true, Some(chooser));
        self
    }

    /// Makes the Sim, and puts this thread into it. Unless [`Builder::chooser`] or [`Builder::choices`] was called, the variable
    /// `WINHTTP_REPLAY` makes it play that schedule, and `WINHTTP_SEED` makes it choose at random.
    ///
    /// # Panics
    /// If one of these variables has a malformed value, or in the body of an exploration, which gets its Sim.
    #[track_caller]
    pub fn build(self) -> Sim {
        let nested = !self.explored && panics::heard().is_some();
        assert!(
            !nested,
            "a Sim is made inside an explored test: nothing would be explored; use the Sim that the test gets"
        );
        if !self.explored && entered().is_some_and(|(world, _)| world.steps.is_some()) {
            let at = Location::caller();
            eprintln!(
                "{at}: a Sim is made on a thread that is in another one: what the thread does is in the newer one"
            );
        }
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
    /// A Sim at time 0, without peers, with the delivery that was measured on Windows.
    #[track_caller]
    pub fn new() -> Sim {
        Sim::builder().build()
    }

    /// Builds a Sim with other settings.
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

    /// Adds a scripted server at an origin like `https://api.test` or `http://127.0.0.1:8080`: its name resolves, it accepts
    /// connections, and its certificate is trusted. At an origin that has a server already, this is that server.
    ///
    /// # Panics
    /// If the text is not an http or https origin.
    #[track_caller]
    pub fn peer(&self, origin: &str) -> Peer {
        let place = super::peer::origin(origin);
        if let Some((peer, _)) = self.world.peer_of(&place) {
            return peer;
        }
        let peer = Peer::new(origin);
        self.world.add_peer(place, peer.clone());
        peer
    }

    /// Arms a fault for everything in this Sim. One that never strikes is named on standard error at the end.
    pub fn fault(&self, fault: Fault) {
        self.world.faults.arm(fault);
    }

    /// A new gate, closed. The name is for reports.
    pub fn gate(&self, name: &str) -> Gate {
        Gate::new(name, self.world.scheduler())
    }

    /// Runs the Sim until `done` returns true. `done` is called again each time code of the program has run. Time advances only when
    /// nothing else can happen.
    ///
    /// # Panics
    /// With a report and the trace when nothing can happen any more: a hang.
    #[track_caller]
    pub fn block_until(&self, mut done: impl FnMut() -> bool) {
        self.world.scheduler().wait_for_memory("what the test blocks for", &mut done);
    }

    /// Runs the Sim until a future is ready, and returns its output. Any thread may wake the future. If the future wakes itself
    /// while it is polled, the Sim runs between the polls; if nothing else can happen, time advances after about two hundred
    /// polls.
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

    /// Runs the Sim until nothing more can happen without time advancing.
    #[track_caller]
    pub fn settle(&self) {
        self.world.scheduler().wait("everything to settle", Limit::Settled, &mut || false);
    }

    /// Runs one event (a worker's callbacks, a thread, a network event). Returns `false` if nothing can happen without time
    /// advancing.
    #[track_caller]
    pub fn step(&self) -> bool {
        let before = self.world.scheduler().steps();
        self.world.scheduler().wait("one thing to happen", Limit::Happened(before + 1), &mut || false);
        self.world.scheduler().steps() > before
    }

    /// Runs the Sim for this much of its time, and everything that can happen at the end of it. This thread waits meanwhile.
    #[track_caller]
    pub fn advance(&self, time: Duration) {
        let until = self.elapsed() + time;
        self.world.scheduler().wait("the time to pass", Limit::Time(until), &mut || false);
        self.settle();
    }

    /// The proxy settings of this Sim; at first there are no proxies. A proxy is a peer like any other: an HTTP proxy answers the
    /// requests that come to it, including CONNECT. Through a tunnel that it granted, the server's own peer answers.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use portable_winhttp::lab::{Reply, Sim, any};
    /// let sim = Sim::new();
    /// sim.peer("http://proxy.test:3128").on(any().method("CONNECT")).reply(Reply::ok());
    /// // This function replaces every PAC script of the Sim.
    /// sim.proxies().set_script_override(Some(Arc::new(|_url, _host| "PROXY proxy.test:3128".to_owned())));
    /// ```
    pub fn proxies(&self) -> &Proxies {
        &self.whole.proxies
    }

    /// The Sim's time since it was made. It starts at 0.
    pub fn elapsed(&self) -> Duration {
        asked();
        self.world.scheduler().now()
    }

    /// Starts another thread inside this Sim. It begins when this thread next waits, or when the chooser says so.
    pub fn spawn(&self, body: impl FnOnce() + Send + 'static) {
        self.actor(UNNAMED, body);
    }

    /// [`Sim::spawn`] with a name for reports and schedules. A panic in it fails the Sim.
    pub fn actor(&self, name: &str, body: impl FnOnce() + Send + 'static) {
        self.world.spawn(name, Box::new(body));
    }

    /// Lets a thread that other code has started enter this Sim: see [`Entry::enter`].
    pub fn entry(&self) -> Entry {
        Entry::of(&self.world, &self.whole)
    }

    /// Turns the check for this mistake off in this Sim: see [`verify`](crate::verify).
    pub fn allow(&self, stop: Stop) {
        self.world.mistakes.verifier.allow(stop);
    }

    /// The mistakes found so far, of every level. One of level error fails the test when the Sim is dropped. The trace shows each
    /// where it was made.
    pub fn mistakes(&self) -> Vec<Mistake> {
        asked();
        self.world.mistakes.all()
    }

    /// From now on the out parameters of asynchronous calls are written as late as Windows may do: with the completion. If the
    /// variable is gone by then, that is [`Stop::OutParameter`] of level error.
    pub fn write_out_parameters_late(&self) {
        self.world.mistakes.verifier.write_late();
    }

    /// Requests to hosts without a peer no longer fail the test. They still fail: an unknown name with 12007; another port of a host
    /// that has a peer, or an address, with 12029.
    pub fn allow_unknown_hosts(&self) {
        self.world.allow_unknown_hosts();
    }

    /// The calls and notifications so far, with the times of this Sim.
    pub fn trace(&self) -> Trace {
        asked();
        self.world.recorder.finish()
    }

    /// The choices so far. Given to [`Builder::choices`], they make the same program do the same again.
    pub fn choices(&self) -> Choices {
        asked();
        self.world.choices()
    }

    /// Whether [`explore`](super::explore()) or [`torture`](super::torture) has injected a fault in this run. Faults of
    /// [`Sim::fault`] do not count. Assert success only where this is false.
    ///
    /// ```
    /// use portable_winhttp::lab::Sim;
    /// assert!(!Sim::new().faulted());
    /// ```
    pub fn faulted(&self) -> bool {
        asked();
        self.world.failed()
    }

    /// Asserts that `holds` is true in at least one run of an exploration; otherwise the exploration fails. Outside an exploration it
    /// does nothing.
    ///
    /// ```
    /// use portable_winhttp::lab::{Explore, Sim};
    /// let report = Explore::new().random(3).run(|sim| sim.sometimes("anything at all", true));
    /// assert!(report.sometimes["anything at all"]);
    /// ```
    pub fn sometimes(&self, what: &str, holds: bool) {
        self.world.sometimes(what, holds);
    }

    /// Allows threads outside the Sim to open real sessions while it lives. Otherwise WinHttpOpen fails there with
    /// ERROR_NOT_SUPPORTED (50), and the test fails. Nothing is refused, however, if another test of the same process has already
    /// opened a real session on its own thread. The variable `WINHTTP_LIVE=allow` allows it in all tests.
    pub fn allow_real_world(&self) {
        self.world.allow_real();
    }

    /// Why this run cannot be repeated exactly: a thread blocked in something outside the Sim's control, or entered from outside.
    /// `None` if it can be repeated.
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

/// Lets threads that other code has started enter a Sim, which makes the run uncontrolled. While an `Entry` exists, a Sim in which
/// nothing can happen waits up to ten seconds of real time for a thread to enter, before it reports a hang.
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

    /// Puts the calling thread into the Sim until the guard is dropped: sessions that it opens live in the Sim, and it runs
    /// only while no other thread of the Sim runs. The name is for reports. What it did before is not under the Sim's control, so the
    /// run counts as [uncontrolled](Sim::uncontrolled).
    pub fn enter(&self, name: &str) -> EntryGuard {
        self.0.scheduler().bind(name);
        let entered = enter(Arc::clone(&self.1), self.0.policy());
        EntryGuard { _entered: entered, world: Arc::clone(&self.0) }
    }
}

/// Keeps a thread inside a Sim; dropping it lets the thread leave. See [`Entry::enter`].
pub struct EntryGuard {
    _entered: Entered,
    world: Arc<SimWorld>,
}

impl Drop for EntryGuard {
    fn drop(&mut self) {
        self.world.scheduler().unbind();
    }
}

/// Waits, on any thread of a Sim, until `done` returns true; the Sim runs meanwhile. `what` names the wait in a hang report. On a
/// thread outside any Sim it returns `false` at once.
///
/// # Panics
/// On the Sim's own thread, with a report, when nothing can happen any more.
#[track_caller]
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

/// Tells the checker that the program has made a context, and will free it. If it never does, that is [`Stop::HandleLeaked`].
///
/// Call this and [`freed`] on any thread of a Sim. Elsewhere they do nothing unless `WINHTTP_VERIFY` is set.
pub fn allocated(context: usize) {
    tell(&CheckEvent::Allocated(context));
}

/// Tells the checker that the program has freed a context. A callback with it from now on, or freeing it again, is
/// [`Stop::ContextFreed`] or [`Stop::ContextFreedOnFailure`].
pub fn freed(context: usize) {
    tell(&CheckEvent::Freed(context));
}

impl Sim {
    /// What it knows, at its end, of a test that `panicked` or came to its end. Nothing happens in it any more.
    pub(super) fn conclude(&self, panicked: bool) -> Report {
        let complaints = self.world.complaints();
        self.world.end();
        let mut report = self.world.mistakes.report(complaints, &self.world.injected(), panicked);
        if panicked || report.fails {
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
