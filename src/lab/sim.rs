//! The door of the lab.

use std::sync::Arc;
use std::time::Duration;

use super::peer::Peer;
use super::world::SimWorld;
use crate::dispatch::{Detail, Entered, Observing, Policy, Steps, Waiting, World, enter, observe, tell, waits};
use crate::record::Trace;
use crate::verify::{Mistake, Stop};

/// A world of its own for the thread that makes it, until it is dropped.
///
/// Dropping it fails the test (panics) with a report of what was expected and did not come, of requests that no rule was
/// for, of hosts that nobody plays, and of hangs.
pub struct Sim {
    world: Arc<SimWorld>,
    _entered: Entered,
    _observing: Observing,
}

impl Default for Sim {
    fn default() -> Sim {
        Sim::new()
    }
}

impl Sim {
    /// A world at time 0 without peers, which delivers as Windows does.
    pub fn new() -> Sim {
        Sim::with(Policy::default())
    }

    /// A world with another delivery policy.
    pub fn with(policy: Policy) -> Sim {
        let world = SimWorld::new(policy);
        let entered = enter(Arc::clone(&world) as Arc<dyn World>, policy);
        Sim { world, _entered: entered, _observing: observe() }
    }

    /// A server at an origin like `https://api.test` or `http://127.0.0.1:8080`.
    ///
    /// # Panics
    /// If that is no http or https origin.
    pub fn peer(&self, origin: &str) -> Peer {
        let url = url::Url::parse(origin).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let place = url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?)));
        let (Some(url), Some((host, port))) = (&url, place) else {
            panic!("a peer needs an origin like https://api.test, not {origin:?}");
        };
        let peer = Peer::new(origin);
        let host = host.trim_matches(['[', ']']).to_owned();
        self.world.add_peer((url.scheme() == "https", host, port), peer.clone());
        peer
    }

    /// Lets the world go on until `done` says so. Time moves only when nothing else can happen.
    ///
    /// # Panics
    /// With a report and the trace when nothing can happen any more: a hang.
    pub fn block_until(&self, done: impl Fn() -> bool) {
        let mut again = false;
        while !done() {
            self.world.step("what the test blocks for", None, std::mem::replace(&mut again, true));
        }
    }

    /// Lets everything happen that happens without the time moving.
    pub fn settle(&self) {
        while self.world.step_now() {}
    }

    /// Lets one thing happen without the time moving; `false` if there is none.
    pub fn step(&self) -> bool {
        self.world.step_now()
    }

    /// Lets everything happen that happens in the next `time`, its end included.
    pub fn advance(&self, time: Duration) {
        let until = self.world.now() + time;
        while self.world.step("the time to pass", Some(until), true) {}
        self.settle();
    }

    /// The time that has passed in this world.
    pub fn elapsed(&self) -> Duration {
        self.world.now()
    }

    /// Runs code on another thread of this world. It begins when the world goes on.
    pub fn spawn(&self, body: impl FnOnce() + Send + 'static) {
        let world = Arc::downgrade(&self.world);
        self.world.after(Duration::ZERO, move || {
            if let Some(world) = world.upgrade() {
                world.run_on_worker(Box::new(body));
            }
        });
    }

    /// This mistake is not looked for.
    pub fn allow(&self, stop: Stop) {
        self.world.watcher.verifier.allow(stop);
    }

    /// The mistakes so far, of every level.
    pub fn mistakes(&self) -> Vec<Mistake> {
        self.world.watcher.mistakes()
    }

    /// From now on the out parameters of asynchronous calls are written with their completion, as late as Windows may: a
    /// variable that is gone by then is [`Stop::OutParameter`] of level error.
    pub fn write_out_parameters_late(&self) {
        self.world.watcher.verifier.write_late();
    }

    /// A host that nobody plays is not found, and that does not fail the test.
    pub fn allow_unknown_hosts(&self) {
        self.world.allow_unknown_hosts();
    }

    /// The calls and records so far, with the times of this world.
    pub fn trace(&self) -> Trace {
        self.world.recorder.finish()
    }
}

/// Waits on any thread of a Sim until `done` says so: the world goes on meanwhile. `false` at once on a thread that belongs
/// to none.
///
/// # Panics
/// On the Sim's own thread, with a report, when nothing can happen any more.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> bool {
    let Some((world, _)) = crate::dispatch::current() else { return false };
    let Waiting::Step(steps) = world.waiting() else { return false };
    let mut again = false;
    while !done() {
        if !again {
            waits("in wait_until");
        }
        steps.step(what, None, std::mem::replace(&mut again, true));
    }
    true
}

/// Tells the checker that the program has made a context, one that it will free: [`Stop::HandleLeaked`] if it never does.
///
/// Like [`freed`] it may be called anywhere, on any thread of a Sim; elsewhere it does nothing unless `WINHTTP_VERIFY` is set.
pub fn allocated(context: usize) {
    tell(&Detail::Allocated(context));
}

/// Tells the checker that the program has freed a context: no callback may come with it any more
/// ([`Stop::ContextFreed`], [`Stop::ContextFreedOnFailure`]), and nobody may free it again.
pub fn freed(context: usize) {
    tell(&Detail::Freed(context));
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.world.end();
        let report = self.world.watcher.report(&self.world.recorder, self.world.complaints());
        if let Some(report) = report.filter(|_| !std::thread::panicking()) {
            panic!("{report}");
        }
    }
}
