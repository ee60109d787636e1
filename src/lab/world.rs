//! The world of a Sim: what the engine asks it, answered by the scheduler, the peers and the faults.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use super::choices::{Choices, Offers};
use super::chooser::Chooser;
use super::explore::panics;
use super::fault::{FaultKind, FaultTrigger};
use super::faults::Faults;
use super::mistakes::Mistakes;
use super::peer::Peer;
use super::points::Points;
use super::profile::Profile;
use super::replay;
use super::scheduler::{Limit, Scheduler};
use super::script::{Held, ScriptAttempt, ScriptPool};
use crate::dispatch::{
    CheckEvent, Job, Policy, Proxies, Requested, Returned, Steps, TrafficEvent, Unspecified, Waiting, Watch, World,
    enter, opens_openly, orphans,
};
use crate::http::proxy::pac::Limits;
use crate::record::{Notification, Recorder, Status};
use crate::transport::{Attempt, ConnectionGroupId, Peer as Ends, Sink, Transport, TransportRequest};
use crate::win32::Win32Error;

/// Whether TLS is spoken, the host, the port.
pub type Origin = (bool, String, u16);

/// Every Sim begins on 1 January 2026, 00:00 UTC.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// How often a PAC script may be looked at: time stands still while it runs.
const LOOKS: u32 = 1_000;

#[derive(Default)]
struct State {
    peers: Vec<(Origin, Peer)>,
    orders: usize,
    complaints: Vec<String>,
    unknown_hosts: bool,
    /// The calls that were recorded, by handle.
    calls: Option<BTreeMap<String, Vec<String>>>,
    /// Random numbers that were asked for.
    drawn: u64,
    /// Handles that are open.
    open: BTreeSet<usize>,
}

/// Who chooses in a Sim, what it offers to choose beyond the usual, and where it was made.
pub struct Made {
    pub chooser: Box<dyn Chooser>,
    pub offers: Offers,
    pub at: &'static Location<'static>,
}

/// See the module.
pub struct SimWorld {
    me: Weak<SimWorld>,
    state: Mutex<State>,
    pub faults: Faults,
    /// The connections of a Sim without bytes.
    pub pool: ScriptPool,
    offers: Offers,
    /// Where it was made.
    at: &'static Location<'static>,
    /// Whether sessions may be opened outside.
    real: AtomicBool,
    /// What was to be true in some run, and whether it was.
    sometimes: Mutex<BTreeMap<String, bool>>,
    scheduler: Arc<Scheduler>,
    policy: Policy,
    profile: Profile,
    proxies: Proxies,
    /// The network of a Sim that speaks bytes.
    #[cfg(feature = "live")]
    pipes: Option<super::pipes::Pipes>,
    /// Sessions in the real world that are not this Sim's matter.
    orphaned: usize,
    pub recorder: Arc<Recorder>,
    pub mistakes: Mistakes,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on this thread in the time of a Sim.
pub fn wait_on(scheduler: &Arc<Scheduler>, what: &str, done: &mut dyn FnMut() -> bool) {
    scheduler.wait(what, Limit::None, done);
    scheduler.preempt();
}

impl SimWorld {
    pub fn new(policy: Policy, profile: Profile, made: Made, bytes: bool) -> Arc<SimWorld> {
        let Made { chooser, offers, at } = made;
        #[cfg(not(feature = "live"))]
        let _ = bytes;
        Arc::new_cyclic(|me: &Weak<SimWorld>| {
            let (entering, clock, tracing, noting) = (me.clone(), me.clone(), me.clone(), me.clone());
            let heard = panics::heard();
            let enters = move || {
                panics::hear(heard.clone());
                if let Some(world) = entering.upgrade() {
                    let policy = world.policy;
                    // The thread belongs to the Sim until it ends.
                    std::mem::forget(enter(world, policy));
                }
            };
            let trace = move || {
                let shown = |world: Arc<SimWorld>| {
                    let reasons = world.mistakes.hung(&world.recorder);
                    format!("{reasons}\n{}", world.recorder.finish().to_table())
                };
                tracing.upgrade().map_or_else(String::new, shown)
            };
            let note = move |text: &str| {
                if let Some(world) = noting.upgrade() {
                    world.recorder.note(text);
                }
            };
            let now = move || clock.upgrade().map_or(Duration::ZERO, |world| world.now());
            let proxies = Proxies::default();
            proxies.set_limits(Limits { looks: Some(LOOKS), ..Limits::default() });
            let scheduler = Scheduler::new(chooser, Box::new(enters), Box::new(trace), Box::new(note));
            SimWorld {
                me: me.clone(),
                state: Mutex::default(),
                faults: Faults::new(&scheduler, offers),
                pool: ScriptPool::default(),
                offers,
                at,
                real: AtomicBool::new(allows_real()),
                sometimes: Mutex::default(),
                scheduler,
                policy,
                profile,
                proxies,
                #[cfg(feature = "live")]
                pipes: bytes.then(|| super::pipes::Pipes::new(me.clone())),
                orphaned: orphans(0).len(),
                recorder: Arc::new(Recorder::new(Box::new(now))),
                mistakes: Mistakes::default(),
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn arc(&self) -> Arc<SimWorld> {
        self.me.upgrade().unwrap_or_else(|| unreachable!("a world is only reached through its Arc"))
    }

    pub fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// A number for an order: what happens to one order happens in its order.
    pub fn next_order(&self) -> usize {
        let mut state = self.lock();
        state.orders += 1;
        state.orders
    }

    /// The virtual time.
    pub fn time(&self) -> Duration {
        self.scheduler.now()
    }

    /// Plans something; never earlier than now.
    pub fn at(&self, time: Duration, order: usize, act: impl FnOnce() + Send + 'static) {
        self.scheduler.at(time, order, act);
    }

    /// [`SimWorld::at`]; if it is `idle`, the time does not move for it alone.
    pub fn plan(&self, time: Duration, order: usize, idle: bool, act: impl FnOnce() + Send + 'static) {
        self.scheduler.plan(time, order, idle, Box::new(act));
    }

    pub fn after(&self, delay: Duration, order: usize, act: impl FnOnce() + Send + 'static) {
        self.at(self.scheduler.now() + delay, order, act);
    }

    /// Runs code on a thread of the Sim.
    pub fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) {
        self.scheduler.post(name, false, body);
    }

    pub fn sleep(&self, time: Duration) {
        let until = self.scheduler.now() + time;
        self.wait("the end of a sleep", Some(until), &mut || false);
    }

    // ---- peers ----

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

    /// These calls must have been made when the Sim ends.
    pub fn expect_calls(&self, calls: BTreeMap<String, Vec<String>>) {
        self.lock().calls = Some(calls);
    }

    /// The step under way touches a handle. What is done to a session or a connection may touch what was made from it.
    fn touch_handle(&self, function: &str, handle: usize) {
        if handle == 0 {
            return;
        }
        let name = self.name(handle);
        let parent = name.starts_with(['S', 'C']) && !matches!(function, "WinHttpConnect" | "WinHttpOpenRequest" | "");
        self.scheduler.touch(|footprint| if parent { footprint.any_handle() } else { footprint.thing(&name) });
    }

    /// The step under way changes what a server knows.
    pub fn touch_peer(&self, (_, host, port): &Origin) {
        self.scheduler.touch(|footprint| footprint.thing(&format!("{host}:{port}")));
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
        }
        if !self.real.load(Ordering::SeqCst) && !opens_openly() {
            complaints.extend(self.outside());
        }
        complaints
    }

    /// Sessions that were opened outside.
    fn outside(&self) -> Option<String> {
        let orphans = orphans(self.orphaned);
        (!orphans.is_empty()).then(|| {
            format!(
                "sessions were opened in the real world, on threads of no Sim: {}; a thread takes part by Sim::spawn, \
                 Sim::actor or Sim::entry; Sim::allow_real_world or WINHTTP_LIVE=allow allows it",
                orphans.join(", ")
            )
        })
    }

    /// Sessions may be opened outside.
    pub fn allow_real(&self) {
        self.real.store(true, Ordering::SeqCst);
    }

    pub fn sometimes(&self, what: &str, holds: bool) {
        *locked(&self.sometimes).entry(what.to_owned()).or_default() |= holds;
    }

    /// What was to be true in some run, and whether it was.
    pub fn taken_sometimes(&self) -> BTreeMap<String, bool> {
        std::mem::take(&mut locked(&self.sometimes))
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
        made.into_iter().chain(uncontrolled).chain(outside).chain(self.faults.idle()).chain(choices).collect()
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

/// Whether WINHTTP_LIVE allows sessions of the real world beside every Sim.
fn allows_real() -> bool {
    std::env::var_os("WINHTTP_LIVE").is_some_and(|how| how == "allow")
}

fn shown(secure: bool, host: &str, port: u16) -> String {
    format!("{}://{host}:{port}", if secure { "https" } else { "http" })
}

impl World for SimWorld {
    fn stopped(&self, panic: &str) {
        if !self.scheduler.not_heard() {
            self.lock().complaints.push(format!("a panic inside a call: {panic}"));
        }
    }

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
        self.scheduler.now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + EPOCH + self.now()
    }

    fn run(&self, job: Arc<dyn Job>) {
        let handle = job.handle();
        let name = if handle == 0 { "a worker".to_owned() } else { self.name(handle) };
        self.scheduler.post(&name, handle != 0, Box::new(move || job.run()));
    }

    fn transport(&self) -> &dyn Transport {
        #[cfg(feature = "live")]
        if let Some(pipes) = &self.pipes {
            return pipes.net();
        }
        self
    }

    fn proxies(&self) -> &Proxies {
        &self.proxies
    }

    /// Every peer has a name; an address is its own.
    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        let origin = self.lock().peers.iter().map(|(origin, _)| origin).find(|(_, host, _)| host == name).cloned();
        origin.and_then(|origin| self.peer_of(&origin)).map(|(_, ends)| ends.remote.ip()).into_iter().collect()
    }

    fn addresses(&self) -> Vec<IpAddr> {
        vec![Ipv4Addr::new(192, 0, 2, 254).into()]
    }

    /// The same everywhere.
    fn utc_offset(&self) -> Option<i32> {
        Some(0)
    }

    fn called(&self, function: &'static str, handle: usize) -> Option<Win32Error> {
        self.scheduler.preempt();
        let struck = self.faults.call(function, || self.name(handle));
        for what in &struck {
            if let FaultKind::WaitAtEntry(gate) = what {
                gate.wait();
            }
        }
        self.recorder.call(function, (handle != 0).then_some(handle), "");
        self.touch_handle(function, handle);
        self.mistakes.look(&self.recorder, |checker| checker.called(function, handle));
        struck.iter().find_map(|what| if let FaultKind::Refuse(error) = what { Some(*error) } else { None })
    }

    fn given(&self, arguments: &str) {
        self.recorder.given(arguments);
    }

    fn returned(
        &self,
        function: &'static str,
        handle: usize,
        returned: Returned,
        last_error: Win32Error,
    ) -> Win32Error {
        let mut leaves = last_error;
        for what in self.faults.end_call() {
            match what {
                FaultKind::SettleAtReturn => {
                    self.scheduler.wait("everything else", Limit::Settled, &mut || false);
                }
                FaultKind::WaitAtReturn(gate) => gate.wait(),
                FaultKind::LastError(error) if returned.succeeded() => leaves = error,
                _ => {}
            }
        }
        match returned {
            Returned::Handle(made) if made != 0 => drop(self.lock().open.insert(made)),
            Returned::Boolean(true) if function == "WinHttpCloseHandle" => drop(self.lock().open.remove(&handle)),
            _ => {}
        }
        self.mistakes.look(&self.recorder, |checker| checker.returned(function, handle, returned, last_error));
        returned.record(&self.recorder, function, leaves);
        self.scheduler.preempt();
        self.touch_handle(function, handle);
        if !self.faults.in_call() {
            self.scheduler.leave_if_outside();
        }
        leaves
    }

    fn note(&self, text: &str) {
        self.recorder.note(text);
    }

    fn newer_digest(&self) -> bool {
        self.profile.newer_digest()
    }

    fn known_secure_protocols(&self) -> u32 {
        self.profile.known_secure_protocols()
    }

    fn refuse(&self, _handle: usize, asked: Requested) -> Option<Win32Error> {
        if let Requested::Operation(operation) = asked {
            return self.faults.injected_error(operation);
        }
        self.profile.refuses(asked)
    }

    fn choose(&self, _handle: usize, open: Unspecified, usual: bool) -> bool {
        self.faults.forced(open).unwrap_or_else(|| self.scheduler.open(open, usual))
    }

    fn notified(&self, handle: usize, context: usize, notification: &Notification) {
        if self.offers.notifications {
            self.scheduler.preempt();
        }
        let when = FaultTrigger::Callback(Status(notification.status()));
        for what in self.faults.strikes(&when, || self.name(handle)) {
            match what {
                FaultKind::Wait(gate) => gate.wait(),
                FaultKind::Settle => {
                    self.scheduler.wait("everything else", Limit::Settled, &mut || false);
                }
                _ => {}
            }
        }
        self.recorder.notified(handle, context, notification);
        self.touch_handle("", handle);
        let now = self.now();
        self.mistakes.look(&self.recorder, |checker| checker.notified(now, handle, context, notification));
    }

    fn delivered(&self, _handle: usize) {
        let now = self.now();
        self.mistakes.look(&self.recorder, |checker| checker.delivered(now));
    }

    fn check(&self, handle: usize, event: &CheckEvent) {
        self.mistakes.look(&self.recorder, |checker| checker.check(handle, event));
    }

    fn watch(&self) -> Watch {
        self.mistakes.verifier.watch()
    }

    fn on_traffic(&self, handle: usize, what: TrafficEvent<'_>) {
        what.traffic(true).into_iter().for_each(|traffic| self.recorder.carried(handle, traffic));
    }

    fn wake(&self) {
        self.scheduler.happened();
    }

    fn waiting(&self) -> Waiting<'_> {
        Waiting::Step(self)
    }
}

impl Steps for SimWorld {
    fn wait(&self, what: &str, until: Option<Duration>, done: &mut dyn FnMut() -> bool) -> bool {
        let limit = until.map_or(Limit::None, Limit::Time);
        let answer = self.scheduler.wait(what, limit, done);
        self.scheduler.preempt();
        answer
    }
}

impl Transport for SimWorld {
    fn start(&self, order: TransportRequest, sink: Arc<dyn Sink>) -> Arc<dyn Attempt> {
        let handle = sink.handle();
        let attempt = ScriptAttempt::new(self.arc(), order, sink);
        if handle != 0 {
            self.scheduler.name_order(attempt.number(), &self.name(handle));
        }
        Arc::new(Held(Arc::new(attempt)))
    }

    fn marked(
        &self,
        host: &str,
        port: u16,
        secure: bool,
        mark: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        self.pool.marked((host, port, secure), mark)
    }

    fn end_pool(&self, pool: usize) {
        let now = self.time();
        self.pool.about(|engine| engine.end_pool(now, pool));
    }

    fn running(&self) -> usize {
        0
    }
}
