//! The world of a Sim: its clock, its agenda, its peers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use super::baton::{self, Baton};
use super::chooser::{Candidate, Chooser};
use super::peer::Peer;
use super::raw::Link;
use super::script::{Held, ScriptLeg};
use super::watcher::Watcher;
use crate::dispatch::{Detail, Job, Policy, Proxies, Returned, Steps, Waiting, Watch, World, enter};
use crate::record::{Notification, Recorder};
use crate::transport::{Leg, Order, Peer as Ends, Sink, Transport};
use crate::win32::Win32Error;

/// Whether it speaks TLS, its host, its port.
pub type Origin = (bool, String, u16);
/// Every Sim begins on 1 January 2026, 00:00 UTC.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

type Happening = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    now: Duration,
    jobs: VecDeque<Arc<dyn Job>>,
    /// What happens when; the number keeps the order of things of one time.
    agenda: BTreeMap<(Duration, u64), Happening>,
    planned: u64,
    /// What of the agenda nobody waits for.
    idle: BTreeSet<(Duration, u64)>,
    peers: Vec<(Origin, Peer)>,
    kept: BTreeSet<Origin>,
    /// Idle connections to raw peers, the one used last at the end.
    links: Vec<(Origin, Arc<Link>)>,
    chooser: Chooser,
    complaints: Vec<String>,
    unknown_hosts: bool,
    /// Random numbers that were asked for.
    drawn: u64,
}

/// See the module.
pub struct SimWorld {
    me: Weak<SimWorld>,
    state: Mutex<State>,
    baton: Arc<Baton>,
    policy: Policy,
    proxies: Proxies,
    pub recorder: Recorder,
    pub watcher: Watcher,
}

impl SimWorld {
    pub fn new(policy: Policy) -> Arc<SimWorld> {
        Arc::new_cyclic(|me: &Weak<SimWorld>| {
            let clock = me.clone();
            let now = move || clock.upgrade().map_or(Duration::ZERO, |world| world.now());
            let (me, state) = (me.clone(), Mutex::default());
            let (recorder, watcher) = (Recorder::new(Box::new(now)), Watcher::default());
            SimWorld { me, state, baton: Arc::default(), policy, proxies: Proxies::default(), recorder, watcher }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn arc(&self) -> Arc<SimWorld> {
        self.me.upgrade().unwrap_or_else(|| unreachable!("a world is only reached through its Arc"))
    }

    /// Plans something; never earlier than now.
    pub fn at(&self, time: Duration, happening: impl FnOnce() + Send + 'static) {
        self.plan(time, false, happening);
    }

    /// Plans something; if it is `idle`, the time does not move for it alone.
    pub fn plan(&self, time: Duration, idle: bool, happening: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        state.planned += 1;
        let key = (time.max(state.now), state.planned);
        state.agenda.insert(key, Box::new(happening));
        if idle {
            state.idle.insert(key);
        }
    }

    pub fn after(&self, delay: Duration, happening: impl FnOnce() + Send + 'static) {
        let time = self.now() + delay;
        self.at(time, happening);
    }

    pub fn add_peer(&self, origin: Origin, peer: Peer) {
        self.lock().peers.push((origin, peer));
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

    /// An idle connection to this origin is there.
    pub fn keep(&self, origin: Origin) {
        self.lock().kept.insert(origin);
    }

    pub fn take_kept(&self, origin: &Origin) -> bool {
        self.lock().kept.remove(origin)
    }

    /// A connection to a raw peer is idle.
    pub fn keep_link(&self, origin: Origin, link: Arc<Link>) {
        self.lock().links.push((origin, link));
    }

    /// The idle connection to this origin that was used last, and is still open.
    pub fn take_link(&self, origin: &Origin) -> Option<Arc<Link>> {
        let mut state = self.lock();
        state.links.retain(|(_, link)| !link.ended());
        let at = state.links.iter().rposition(|(known, _)| known == origin)?;
        Some(state.links.remove(at).1)
    }

    pub fn unknown_host(&self, (secure, host, port): &Origin) {
        let mut state = self.lock();
        if state.unknown_hosts {
            return;
        }
        let known: Vec<_> = state.peers.iter().map(|((secure, host, port), _)| shown(*secure, host, *port)).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let asked = shown(*secure, host, *port);
        state.complaints.push(format!("there is no peer {asked}; the peers are: {known}"));
    }

    pub fn allow_unknown_hosts(&self) {
        self.lock().unknown_hosts = true;
    }

    /// Runs code on a thread of the Sim until it ends or waits.
    pub fn run_on_worker(&self, body: Box<dyn FnOnce() + Send>) {
        let world = self.arc();
        self.baton.run(body, move || {
            let policy = world.policy;
            // The thread belongs to the Sim until it ends.
            std::mem::forget(enter(world, policy));
        });
    }

    /// What did not go as expected.
    pub fn complaints(&self) -> Vec<String> {
        let state = self.lock();
        let of_peers = state.peers.iter().flat_map(|(_, peer)| peer.complaints());
        state.complaints.iter().cloned().chain(of_peers).collect()
    }

    pub fn end(&self) {
        self.baton.end();
        let mut state = self.lock();
        state.jobs.clear();
        state.agenda.clear();
    }

    /// Lets one thing happen now, without moving the time. `false` if there is nothing.
    pub fn step_now(&self) -> bool {
        let mut state = self.lock();
        let now = state.now;
        let curious = self.baton.curious(now);
        let mut candidates = Vec::new();
        candidates.extend((!state.jobs.is_empty()).then_some(Candidate::Deliver));
        candidates.extend((!curious.is_empty()).then_some(Candidate::Resume));
        let due = state.agenda.first_key_value().is_some_and(|((time, _), _)| *time <= now);
        candidates.extend(due.then_some(Candidate::Happen));
        if candidates.is_empty() {
            return false;
        }
        let choice = state.chooser.choose(&candidates);
        match candidates[choice] {
            Candidate::Deliver => {
                let job = state.jobs.pop_front();
                drop(state);
                if let Some(job) = job {
                    self.run_on_worker(Box::new(move || job.run()));
                }
            }
            Candidate::Resume => {
                drop(state);
                self.baton.resume(curious[0]);
            }
            Candidate::Happen => {
                let happening = state.agenda.pop_first();
                if let Some((key, _)) = &happening {
                    state.idle.remove(key);
                }
                drop(state);
                if let Some((_, happening)) = happening {
                    happening();
                    self.baton.happened();
                }
            }
        }
        true
    }

    /// Moves the time to the next thing that happens. `false` if nothing ever will, or not before `until`.
    pub fn advance(&self, until: Option<Duration>) -> bool {
        let ends = self.baton.next_end();
        let mut state = self.lock();
        let first = state.agenda.first_key_value().map(|((time, _), _)| *time);
        let awaited = state.agenda.len() > state.idle.len();
        let planned = first.filter(|_| awaited || until.is_some() || ends.is_some());
        let next = [planned, ends].into_iter().flatten().min();
        match (next, until) {
            (Some(next), until) if until.is_none_or(|until| next <= until) => {
                state.now = state.now.max(next);
                true
            }
            (_, Some(until)) => {
                state.now = state.now.max(until);
                false
            }
            (_, None) => false,
        }
    }
}

fn shown(secure: bool, host: &str, port: u16) -> String {
    format!("{}://{host}:{port}", if secure { "https" } else { "http" })
}

impl World for SimWorld {
    /// The same numbers in every run.
    fn random(&self) -> [u8; 16] {
        let mut state = self.lock();
        state.drawn += 1;
        let mut bytes = [0; 16];
        for (place, half) in bytes.chunks_mut(8).enumerate() {
            // SplitMix64, of a count.
            let mut mixed = (2 * state.drawn + place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            half.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
        bytes
    }

    fn now(&self) -> Duration {
        self.lock().now
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + EPOCH + self.now()
    }

    fn run(&self, job: Arc<dyn Job>) {
        self.lock().jobs.push_back(job);
    }

    fn transport(&self) -> &dyn Transport {
        self
    }

    fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    fn called(&self, function: &'static str, handle: usize) -> Option<Win32Error> {
        self.recorder.call(function, (handle != 0).then_some(handle), "");
        self.watcher.look(&self.recorder, |checker| checker.called(function, handle));
        None
    }

    fn returned(
        &self,
        function: &'static str,
        handle: usize,
        returned: Returned,
        last_error: Win32Error,
    ) -> Win32Error {
        self.watcher.look(&self.recorder, |checker| checker.returned(function, handle, returned, last_error));
        returned.record(&self.recorder, function, last_error);
        last_error
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        self.recorder.notified(handle, context, notification);
        let now = self.now();
        self.watcher.look(&self.recorder, |checker| checker.notified(now, handle, context, notification));
    }

    fn delivered(&self, _handle: usize) {
        let now = self.now();
        self.watcher.look(&self.recorder, |checker| checker.delivered(now));
    }

    fn detail(&self, handle: usize, detail: &Detail) {
        self.watcher.look(&self.recorder, |checker| checker.detail(handle, detail));
    }

    fn watch(&self) -> Watch {
        self.watcher.verifier.watch()
    }

    fn waiting(&self) -> Waiting<'_> {
        Waiting::Step(self)
    }
}

impl Steps for SimWorld {
    fn step(&self, what: &str, until: Option<Duration>, again: bool) -> bool {
        if until.is_some_and(|until| until <= self.now()) {
            return false;
        }
        if !baton::is_pump() {
            self.baton.wait(what, until, again);
            return until.is_none_or(|until| self.now() < until);
        }
        if self.step_now() || self.advance(until) {
            return true;
        }
        if until.is_some() {
            return false;
        }
        let others = self.baton.waiting();
        let others =
            if others.is_empty() { String::new() } else { format!("; other threads wait for {}", others.join(", ")) };
        let reasons = self.watcher.hung(&self.recorder);
        let report = format!("HANG: waiting for {what}, but nothing can happen any more{others}{reasons}");
        self.lock().complaints.push(report.clone());
        panic!("{report}\n{}", self.recorder.finish().to_table());
    }
}

impl Transport for SimWorld {
    fn start(&self, order: Order, sink: Arc<dyn Sink>) -> Arc<dyn Leg> {
        Arc::new(Held(Arc::new(ScriptLeg::new(self.arc(), order, sink))))
    }

    fn running(&self) -> usize {
        0
    }
}
