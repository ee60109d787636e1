//! The door of the lab.

use std::sync::Arc;
use std::time::Duration;

use super::peer::Peer;
use super::verify::Stop;
use super::world::SimWorld;
use crate::dispatch::{Entered, Observing, Policy, Steps, Waiting, World, enter, observe};
use crate::record::Trace;

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

    /// This mistake does not fail the test.
    pub fn allow(&self, stop: Stop) {
        self.world.allow(stop);
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
        steps.step(what, None, std::mem::replace(&mut again, true));
    }
    true
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.world.end();
        let complaints = self.world.complaints();
        if !complaints.is_empty() && !std::thread::panicking() {
            panic!("the Sim ends with complaints:\n  {}\n{}", complaints.join("\n  "), self.trace().to_table());
        }
    }
}
