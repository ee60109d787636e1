//! The world of a Sim: its peers, its faults, its scheduler, and what they come to at its end.

mod choices;
mod parts;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, SystemTime};

use parts::{ScriptTransport, SimClock, SimEntropy};

use super::choices::{Choices, Offers};
use super::chooser::Chooser;
use super::explore::footprint::{Footprint, Lineage, Thing};
use super::explore::panics;
use super::faults::Faults;
use super::mistakes::Mistakes;
use super::peer::Peer;
use super::points::Points;
use super::profile::Profile;
use super::replay;
use super::scheduler::{About, Limit, Plan, Scheduler};
use super::script::ScriptPool;
use crate::delivery::{Policy, Steps};
use crate::handle::Handle;
use crate::http::proxy::pac::Limits;
use crate::observe::{Observer, Observers};
use crate::real::{allows, opens_openly, orphans};
use crate::record::Recorder;
use crate::sync::{Mutex, MutexGuard};
use crate::transport::{Peer as Ends, Transport};
use crate::world::{Proxies, World, enter};

/// Whether TLS is spoken, the host, the port.
pub type Origin = (bool, String, u16);

/// Every Sim begins on 1 January 2026, 00:00 UTC.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// How often a PAC script may be looked at: time stands still while it runs.
const LOOKS: u32 = 1_000;

#[derive(Default)]
struct State {
    peers: Vec<(Origin, Peer)>,
    sequences: usize,
    complaints: Vec<String>,
    unknown_hosts: bool,
    /// The calls that were recorded, by handle.
    calls: Option<BTreeMap<String, Vec<String>>>,
    /// What scripted servers showed, DER, and its faults, by their own certificates.
    shown: HashMap<Vec<u8>, (Vec<Vec<u8>>, u32)>,
    /// Handles that are open.
    open: BTreeSet<usize>,
    /// The numbers of handles, and of those that they were made from.
    numbers: HashMap<usize, u32>,
    lineages: HashMap<usize, Lineage>,
}

impl State {
    fn number(&mut self, handle: usize) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(handle).or_insert(next)
    }
}

/// Who chooses in a Sim, what it offers to choose beyond the usual, and where it was made.
pub struct Made {
    pub chooser: Box<dyn Chooser>,
    pub offers: Offers,
    pub at: &'static Location<'static>,
}

/// See the module.
pub struct SimWorld {
    /// What the engine gets of it.
    whole: OnceLock<Weak<World>>,
    state: Mutex<State>,
    pub faults: Faults,
    /// The connections of a Sim without bytes.
    pub pool: ScriptPool,
    offers: Offers,
    /// Whether it is a run of an exploration.
    explored: bool,
    /// Where it was made.
    at: &'static Location<'static>,
    /// Whether threads that do not take part may open sessions in the real world.
    lets_out: AtomicBool,
    /// What was to be true in some run, and whether it was.
    sometimes: Mutex<BTreeMap<String, bool>>,
    scheduler: Arc<Scheduler>,
    policy: Policy,
    profile: Profile,
    /// The network of a Sim that speaks bytes.
    #[cfg(feature = "live")]
    pipes: Option<super::pipes::Pipes>,
    /// Sessions in the real world that are not this Sim's matter.
    orphaned: usize,
    pub recorder: Arc<Recorder>,
    pub mistakes: Mistakes,
}

/// Waits on this thread in the time of a Sim.
pub fn wait_on(scheduler: &Arc<Scheduler>, what: &str, done: &mut dyn FnMut() -> bool) {
    scheduler.wait(what, Limit::None, done);
    scheduler.preempt(About::Same, true);
}

/// The same on the thread of a peer that a test plays.
pub fn wait_as_peer(scheduler: &Arc<Scheduler>, what: &str, limit: Limit, done: &mut dyn FnMut() -> bool) {
    scheduler.wait_as_peer(what, limit, done);
    scheduler.preempt(About::Same, true);
}

impl SimWorld {
    /// A Sim's world, and what the engine gets of it.
    pub fn new(policy: Policy, profile: Profile, made: Made, bytes: bool) -> (Arc<SimWorld>, Arc<World>) {
        let sim = SimWorld::make(policy, profile, made, bytes);
        let proxies = Proxies::default();
        proxies.set_limits(Limits { looks: Some(LOOKS), ..Limits::default() });
        let list: Vec<Arc<dyn Observer>> =
            vec![sim.clone(), sim.recorder.clone(), Arc::clone(&sim.mistakes.verifier) as Arc<dyn Observer>];
        let world = Arc::new(World {
            clock: Arc::new(SimClock(Arc::clone(&sim.scheduler))),
            entropy: Arc::new(SimEntropy::default()),
            names: sim.clone(),
            spawner: sim.clone(),
            steps: Some(sim.clone()),
            choices: sim.clone(),
            transport: sim.transport(),
            proxies,
            observers: Arc::new(Observers::new(list)),
        });
        let _ = sim.whole.set(Arc::downgrade(&world));
        (sim, world)
    }

    fn transport(self: &Arc<Self>) -> Arc<dyn Transport> {
        #[cfg(feature = "live")]
        if let Some(pipes) = &self.pipes {
            return Arc::new(pipes.clone());
        }
        Arc::new(ScriptTransport(Arc::clone(self)))
    }

    /// What the engine gets of it, as long as anything there is.
    pub fn whole(&self) -> Option<Arc<World>> {
        self.whole.get()?.upgrade()
    }

    fn make(policy: Policy, profile: Profile, made: Made, bytes: bool) -> Arc<SimWorld> {
        let Made { chooser, offers, at } = made;
        #[cfg(not(feature = "live"))]
        let _ = bytes;
        Arc::new_cyclic(|me: &Weak<SimWorld>| {
            let (entering, tracing, noting) = (me.clone(), me.clone(), me.clone());
            let heard = panics::heard();
            let explored = heard.is_some();
            let enters = move || {
                panics::hear(heard.clone());
                if let Some(sim) = entering.upgrade() {
                    // The thread belongs to the Sim until it ends.
                    std::mem::forget(sim.whole().map(|world| enter(world, sim.policy)));
                }
            };
            let trace = move || {
                let shown = |world: Arc<SimWorld>| {
                    let reasons = world.mistakes.hung(world.faults.has_refused("WinHttpSetStatusCallback"));
                    format!("{reasons}\n{}", world.recorder.finish().to_table())
                };
                tracing.upgrade().map_or_else(String::new, shown)
            };
            let note = move |text: &str| {
                if let Some(world) = noting.upgrade() {
                    world.recorder.note(text);
                }
            };
            let scheduler = Scheduler::new(chooser, offers, Box::new(enters), Box::new(trace), Box::new(note), at);
            let clock = SimClock(Arc::clone(&scheduler));
            let repeated = Arc::downgrade(&scheduler);
            let (recorded, checked) = (clock.clone(), clock.clone());
            let recorder = Arc::new(Recorder::new(Box::new(move || recorded.time())));
            SimWorld {
                whole: OnceLock::new(),
                state: Mutex::default(),
                faults: Faults::new(&scheduler, offers),
                pool: ScriptPool::default(),
                offers,
                explored,
                at,
                lets_out: AtomicBool::new(allows()),
                sometimes: Mutex::default(),
                scheduler,
                policy,
                profile,
                #[cfg(feature = "live")]
                pipes: bytes.then(|| super::pipes::Pipes::new(me.clone())),
                orphaned: orphans(0).len(),
                mistakes: Mistakes::new(
                    Arc::clone(&recorder),
                    Box::new(move || checked.time()),
                    Box::new(move || repeated.upgrade()?.again()),
                ),
                recorder,
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The number of a sequence: what belongs to one, such as a request, happens in the order in which it was planned.
    pub fn next_sequence(&self) -> usize {
        let mut state = self.lock();
        state.sequences += 1;
        state.sequences
    }

    /// The virtual time.
    pub fn time(&self) -> Duration {
        self.scheduler.now()
    }

    /// A scripted server has shown these certificates (DER), with these faults.
    pub fn showed(&self, presented: &[Vec<u8>], faults: u32) {
        let Some(first) = presented.first() else { return };
        self.lock().shown.insert(first.clone(), (presented.to_vec(), faults));
    }

    /// What the server with this certificate showed, and its faults.
    pub fn shown(&self, first: &[u8]) -> Option<(Vec<Vec<u8>>, u32)> {
        self.lock().shown.get(first).cloned()
    }

    /// The calendar's time in it.
    pub fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + EPOCH + self.time()
    }

    /// Plans something; never earlier than now.
    pub fn at(&self, time: Duration, sequence: usize, act: impl FnOnce() + Send + 'static) {
        self.scheduler.at(time, sequence, act);
    }

    pub fn plan(&self, time: Duration, plan: Plan) {
        self.scheduler.plan(time, plan);
    }

    pub fn after(&self, delay: Duration, sequence: usize, act: impl FnOnce() + Send + 'static) {
        self.at(self.scheduler.now() + delay, sequence, act);
    }

    /// Runs code on a thread of the Sim.
    pub fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        self.scheduler.post(name, None, body);
    }

    // ---- peers ----

    pub fn add_peer(&self, origin: Origin, peer: Peer) {
        self.lock().peers.push((origin, peer));
    }

    pub fn has_no_peers(&self) -> bool {
        self.lock().peers.is_empty()
    }

    /// The peer at an origin, and the ends of a connection to it.
    pub fn peer_of(&self, origin: &Origin) -> Option<(Peer, Ends)> {
        let state = self.lock();
        let number = state.peers.iter().position(|(known, _)| known == origin)?;
        // A name gets an address that is reserved for documentation; an address is itself.
        let named = || Ipv4Addr::new(192, 0, 2, 1 + (number % 250) as u8).into();
        let remote = SocketAddr::new(origin.1.parse().unwrap_or_else(|_| named()), origin.2);
        let local = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 254), 49152));
        Some((state.peers[number].1.clone(), Ends { local, remote }))
    }

    /// The peers that speak TLS, with their hosts.
    pub fn peers_with_tls(&self) -> Vec<(String, Peer)> {
        let state = self.lock();
        let secure = state.peers.iter().filter(|((secure, ..), _)| *secure);
        secure.map(|((_, host, _), peer)| (host.clone(), peer.clone())).collect()
    }

    /// The peer whose host and port these are, with TLS or without, and its address.
    #[cfg(feature = "live")]
    pub fn peer_named(&self, host: &str, port: u16) -> Option<(Peer, Ends, Origin)> {
        self.find_peer(|origin, _| origin.1.eq_ignore_ascii_case(host) && origin.2 == port)
    }

    /// The peer at an address.
    #[cfg(feature = "live")]
    pub fn peer_at(&self, address: SocketAddr) -> Option<(Peer, Ends, Origin)> {
        self.find_peer(|_, ends| ends.remote == address)
    }

    #[cfg(feature = "live")]
    fn find_peer(&self, is: impl Fn(&Origin, &Ends) -> bool) -> Option<(Peer, Ends, Origin)> {
        let origins: Vec<Origin> = self.lock().peers.iter().map(|(origin, _)| origin.clone()).collect();
        origins.into_iter().find_map(|origin| {
            let (peer, ends) = self.peer_of(&origin)?;
            is(&origin, &ends).then_some((peer, ends, origin))
        })
    }

    pub fn unknown_host(&self, (secure, host, port): &Origin) {
        self.scheduler.counts();
        let mut state = self.lock();
        if state.unknown_hosts {
            return;
        }
        let known: Vec<_> = state.peers.iter().map(|((secure, host, port), _)| shown(*secure, host, *port)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let asked = shown(*secure, host, *port);
        state.complaints.push(format!("there is no peer {asked}; the peers are: {known}"));
    }

    /// Something was not as the test wanted it.
    pub fn complain(&self, complaint: String) {
        self.scheduler.counts();
        self.lock().complaints.push(complaint);
    }

    pub fn allow_unknown_hosts(&self) {
        self.lock().unknown_hosts = true;
    }

    /// These calls must have been made when the Sim ends.
    pub fn expect_calls(&self, calls: BTreeMap<String, Vec<String>>) {
        self.lock().calls = Some(calls);
    }

    /// The step under way calls a function on a handle. Others that only look at it may change places with this one.
    fn touch_handle(&self, function: &str, handle: usize) {
        if handle != 0 {
            if function == "WinHttpCloseHandle" && self.lineage(handle).len() > 2 {
                return self.touch_closed(handle);
            }
            let looks =
                function.starts_with("WinHttpQuery") || matches!(function, "WinHttpConnect" | "WinHttpOpenRequest");
            let request = self.lineage(handle).len() > 2;
            self.touch(handle, request || !looks);
        }
    }

    /// The step under way closes a request.
    fn touch_closed(&self, handle: usize) {
        let lineage = self.lineage(handle);
        self.scheduler.touch(|footprint| {
            footprint.closes(&lineage);
            footprint.told(&lineage);
        });
    }

    /// The machine of a handle has taken a step.
    fn stepped(&self, handle: usize, silent: bool) {
        let lineage = self.lineage(handle);
        match Handle::find(handle).is_ok() {
            true => self.scheduler.steps_machine(&lineage, silent),
            false => self.scheduler.touch(|footprint| footprint.closes(&lineage)),
        }
    }

    /// The step under way looks at a handle, or changes it.
    fn touch(&self, handle: usize, changes: bool) {
        let lineage = self.lineage(handle);
        let open = Handle::find(handle).is_ok();
        self.scheduler.touch(|footprint| {
            if open {
                footprint.handle(&lineage, changes)
            } else {
                footprint.closes(&lineage)
            }
            if changes {
                footprint.told(&lineage);
            }
        });
    }

    /// The step under way changes what a server, or the connections to it, know.
    pub fn touch_peer(&self, origin: &Origin) {
        self.scheduler.touch(|footprint| footprint.changes(Thing::server((&origin.1, origin.2))));
    }

    /// A request comes to a server: somebody may wait for that.
    pub fn asks(&self, origin: &Origin, peer: &Peer) {
        self.touch_peer(origin);
        if peer.runs_code() {
            self.scheduler.touch(Footprint::program);
        }
        self.scheduler.happened();
    }

    /// Whose memory the program's code touches around a call.
    fn about(&self, function: &str, handle: usize) -> About {
        match (function.starts_with("WinHttp"), handle) {
            (true, 0) => About::Same,
            (true, handle) => About::Handle(self.number(handle)),
            (false, _) => About::Anything,
        }
    }

    /// A number for a handle; in schedules that begin alike it is the same.
    fn number(&self, handle: usize) -> u32 {
        self.lineage(handle)[0]
    }

    /// The number of a handle, and those of the handles that it was made from.
    fn lineage(&self, handle: usize) -> Lineage {
        let known = self.lock().lineages.get(&handle).cloned();
        known.unwrap_or_else(|| self.made(handle))
    }

    /// A handle was made, or is seen first.
    fn made(&self, handle: usize) -> Lineage {
        let mut values = vec![handle];
        let mut at = Handle::find(handle).ok();
        while let Some(parent) = at.as_ref().and_then(|handle| handle.parent()).cloned() {
            values.push(parent.value());
            at = Some(parent);
        }
        let mut state = self.lock();
        // From the root, so that parents have smaller numbers.
        let mut lineage: Vec<u32> = values.iter().rev().map(|value| state.number(*value)).collect();
        lineage.reverse();
        let lineage = Lineage::from(lineage);
        state.lineages.insert(handle, Arc::clone(&lineage));
        lineage
    }

    fn name(&self, handle: usize) -> String {
        self.recorder.names(|names| names.handle(handle))
    }

    // ---- the end ----

    /// Whether a fault was chosen to strike.
    pub fn failed(&self) -> bool {
        self.faults.points(Points::failed).unwrap_or(false)
    }

    /// What did not go as expected.
    pub fn complaints(&self) -> Vec<String> {
        self.scheduler.gather();
        let mut complaints: Vec<String> = self.scheduler.failure().into_iter().collect();
        let expected = self.lock().calls.take();
        let made = expected.map(|calls| (calls, replay::calls(&self.recorder.finish())));
        complaints.extend(made.and_then(|(recorded, made)| replay::difference(&recorded, &made)));
        if !self.failed() {
            let state = self.lock();
            complaints.extend(state.complaints.iter().cloned());
            complaints.extend(state.peers.iter().flat_map(|(_, peer)| peer.complaints()));
            drop(state);
            complaints.extend(self.cannot());
        }
        if !self.lets_out() && !opens_openly() {
            complaints.extend(self.outside());
        }
        complaints
    }

    /// The faults of the Sim that no peer can be struck by.
    fn cannot(&self) -> Vec<String> {
        let peers: Vec<Peer> = self.lock().peers.iter().map(|(_, peer)| peer.clone()).collect();
        let cannot = self.faults.idle().into_iter().filter_map(|fault| {
            let what =
                peers.iter().map(|peer| peer.cannot_be_struck_by(&fault)).reduce(|one, other| one.and(other))??;
            Some(format!("a fault that cannot strike {what}: {fault}"))
        });
        cannot.collect()
    }

    /// What has never struck, in words.
    pub fn idle(&self) -> Vec<String> {
        let peers: Vec<Peer> = self.lock().peers.iter().map(|(_, peer)| peer.clone()).collect();
        let of_peers =
            peers.iter().flat_map(|peer| peer.idle().into_iter().map(|fault| format!("{}: {fault}", peer.origin())));
        let all = self.faults.idle().into_iter().map(|fault| fault.to_string()).chain(of_peers);
        all.map(|fault| format!("a fault never struck: {fault}")).collect()
    }

    /// Sessions that threads outside have opened, or wanted to open.
    fn outside(&self) -> Option<String> {
        let orphans = orphans(self.orphaned);
        (!orphans.is_empty()).then(|| {
            format!(
                "WinHttpOpen was called for the real world, on threads of no Sim: {}; a thread takes part by Sim::spawn, \
                 Sim::actor or Sim::entry; Sim::allow_real_world or WINHTTP_LIVE=allow allows it",
                orphans.join(", ")
            )
        })
    }

    /// Sessions may be opened outside.
    pub fn allow_real(&self) {
        self.lets_out.store(true, Ordering::SeqCst);
    }

    pub fn sometimes(&self, what: &str, holds: bool) {
        *self.sometimes.lock().entry(what.to_owned()).or_default() |= holds;
    }

    /// What was to be true in some run, and whether it was.
    pub fn taken_sometimes(&self) -> BTreeMap<String, bool> {
        std::mem::take(&mut self.sometimes.lock())
    }

    /// Where it was made.
    pub fn made_at(&self) -> &'static Location<'static> {
        self.at
    }

    /// What was injected, in words.
    pub fn injected(&self) -> Vec<String> {
        self.faults.struck_ones().into_iter().map(|fault| format!("fault injected: {fault}")).collect()
    }

    /// The choices so far, with what was offered.
    pub fn choices(&self) -> Choices {
        Choices::offering(self.offers, self.scheduler.choices().to_vec())
    }

    /// What belongs into the report of a Sim that fails, and is no reason to fail.
    pub fn remarks(&self) -> Vec<String> {
        let made = Some(format!("the Sim was made at {}", self.at));
        let uncontrolled = self.scheduler.uncontrolled().map(|why| format!("uncontrolled: {why}"));
        let outside = if opens_openly() { self.outside() } else { None };
        let choices = self.choices();
        let choices = choices.unusual().then(|| format!("choices: {choices}"));
        made.into_iter().chain(uncontrolled).chain(outside).chain(self.idle()).chain(choices).collect()
    }

    /// The handles that are still open are none any more.
    pub fn end(&self) {
        #[cfg(feature = "live")]
        if let Some(pipes) = &self.pipes {
            pipes.end();
        }
        self.scheduler.end();
        let open = std::mem::take(&mut self.lock().open);
        open.into_iter().for_each(crate::handle::forget);
    }
}

fn shown(secure: bool, host: &str, port: u16) -> String {
    format!("{}://{host}:{port}", if secure { "https" } else { "http" })
}
