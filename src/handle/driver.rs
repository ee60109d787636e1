//! Drives the machine of a handle: calls and events go in, what it wants is carried out.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use super::loans::{Lent, Loans};
use super::{Handle, Kind, lock};
use crate::dispatch::{Asked, Carried, Detail, Item, Job, Open, Outcome, Share, observed, perform};
use crate::machine::resolver::Errand;
use crate::machine::{Machine, Output};
use crate::record::{Notification, Operation};
use crate::transport::{Attempt, Event, Sink};
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, Win32Error};

/// A machine, and the leg that runs for it.
pub(crate) struct Driver<M> {
    running: Mutex<Running<M>>,
}

struct Running<M> {
    machine: M,
    leg: Option<Arc<dyn Attempt>>,
    deadline: Option<Duration>,
    loans: Loans,
}

/// What became of a call that the machine took.
#[derive(Debug)]
pub(crate) struct Called {
    /// How the operation ended, if it has: at once, or while a synchronous call waited.
    pub outcome: Option<Outcome>,
    /// Whether its notification comes from a worker.
    pub later: bool,
}

/// What a step left to be done.
#[derive(Default)]
pub(super) struct Stepped {
    /// Items that were pushed.
    pushed: usize,
    /// The last ending among them.
    ended: Option<(Operation, Outcome)>,
    /// A leg that is to begin when the lock is free.
    pub(super) begun: Option<Arc<dyn Attempt>>,
    /// The leg of a connection that becomes a web socket's.
    pub(super) handed_over: Option<Arc<dyn Attempt>>,
}

impl<M> Driver<M> {
    pub fn new(machine: M) -> Driver<M> {
        Driver { running: Mutex::new(Running { machine, leg: None, deadline: None, loans: Loans::default() }) }
    }

    /// The leg that runs from now on.
    pub(super) fn carry(&self, leg: Arc<dyn Attempt>) {
        lock(&self.running).leg = Some(leg);
    }

    /// Looks at, or changes, what needs no step.
    pub fn with<R>(&self, look: impl FnOnce(&mut M) -> R) -> R {
        look(&mut lock(&self.running).machine)
    }

    /// Looks at what the caller's operations own.
    fn loans<R>(&self, look: impl FnOnce(&mut Loans) -> R) -> R {
        look(&mut lock(&self.running).loans)
    }

    /// The leg that runs, or ran last, for it.
    pub fn leg(&self) -> Option<Arc<dyn Attempt>> {
        lock(&self.running).leg.clone()
    }
}

impl Handle {
    /// A call of the application that starts `operation` on `driver`, which is this handle's. Asynchronous: takes a step
    /// and returns. Synchronous: waits for its end and delivers notifications meanwhile.
    pub(super) fn drive<M: Machine>(
        self: &Arc<Handle>,
        driver: &Driver<M>,
        operation: Operation,
        lent: Lent,
        take: impl FnOnce(&mut M, Duration) -> Result<(), Win32Error>,
    ) -> Result<Called, Win32Error> {
        if let Some(error) = self.world.refuses(self.value, Asked::Operation(operation)) {
            return Err(error);
        }
        self.world.ready(self.asynchronous)?;
        let usual = self.policy.inside(operation);
        let inside = self.asynchronous && self.world.chooses(self.value, Open::Inside(operation), usual);
        if inside {
            self.turn.approach();
        }
        let (taken, stepped) = self.step_with(driver, |running, now| {
            let pending = running.machine.busy(operation);
            let taken = take(&mut running.machine, now);
            if observed() {
                self.began(&mut running.loans, operation, lent, pending, &taken);
            }
            taken
        });
        let share = match (inside, stepped.pushed) {
            (true, 0) => {
                self.turn.withdraw();
                None
            }
            (true, own) => self.turn.take(own, &*self.world),
            (false, _) => None,
        };
        if let Some(leg) = stepped.begun {
            leg.go();
        }
        if !self.asynchronous {
            taken?;
            return Ok(Called { outcome: Some(self.wait(operation)), later: false });
        }
        let outcome = stepped.ended.filter(|(ended, _)| *ended == operation).map(|(_, outcome)| outcome);
        let later = match share {
            Some(share) => {
                self.deliver(share);
                outcome.is_none()
            }
            None => {
                self.send_worker();
                stepped.pushed > 0 || outcome.is_none()
            }
        };
        taken?;
        if later && outcome.is_some() && observed() {
            // What ended inside the call is there when it returns, whoever tells of it.
            driver.loans(Loans::settle);
        }
        Ok(Called { outcome, later })
    }

    /// Tells of an operation before anything that it brings about.
    fn began(
        &self,
        loans: &mut Loans,
        operation: Operation,
        lent: Lent,
        pending: Option<Operation>,
        taken: &Result<(), Win32Error>,
    ) {
        match (taken, pending) {
            (Ok(()), _) if self.asynchronous => {
                let wants = |status| self.wanted(status).is_some();
                let heard = wants(operation.completion()) && wants(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
                let room = lent.room;
                loans.begin(operation, lent);
                self.tell(&Detail::Begins { operation, heard, room });
            }
            (Err(_), Some(pending)) => self.tell(&Detail::Busy { operation, pending }),
            _ => {}
        }
    }

    /// This is about to be told: the operation that it ends gives back what it owned.
    pub(super) fn give_back(&self, notification: &Notification) {
        let details = match &self.kind {
            Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => return,
            Kind::Request(request) => request.loans(|loans| loans.told(notification)),
            Kind::WebSocket(socket) => socket.loans(|loans| loans.told(notification)),
        };
        self.tell_all(details);
    }

    /// Random bytes of the world.
    pub(crate) fn random(&self) -> [u8; 16] {
        self.world.random()
    }

    /// The session was closed.
    pub(super) fn cancel(self: &Arc<Handle>) {
        let write_first = self.world.chooses(self.value, Open::WriteSideFirst, false);
        if self.happen(|machine, now| machine.cancel(now, write_first)).is_ok() {
            self.settle();
        }
    }

    /// The handle is being closed: what is pending ends; who delivers that is decided by [`Handle::release`].
    pub(super) fn close_exchange(self: &Arc<Handle>) {
        let write_first = self.world.chooses(self.value, Open::WriteSideFirst, false);
        if observed() {
            let details = match &self.kind {
                Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => Vec::new(),
                Kind::Request(request) => request.loans(Loans::close),
                Kind::WebSocket(socket) => socket.loans(Loans::close),
            };
            self.tell_all(details);
        }
        let closed = self.happen(|machine, now| machine.close(now, write_first));
        debug_assert!(closed.is_ok(), "the handle has a machine");
        self.turn.wake();
    }

    /// Whether an operation is pending.
    pub(crate) fn pending(&self) -> bool {
        match &self.kind {
            Kind::Session(_) | Kind::Connection(_) => false,
            Kind::Request(request) => request.with(|machine| machine.pending()),
            Kind::Resolver(resolver) => resolver.with(|machine| machine.pending()),
            Kind::WebSocket(socket) => socket.with(|machine| machine.pending()),
        }
    }

    /// Something happened to this handle's machine, whichever it is.
    fn happen(self: &Arc<Handle>, act: impl FnOnce(&mut dyn Machine, Duration)) -> Result<Stepped, Win32Error> {
        match &self.kind {
            Kind::Session(_) | Kind::Connection(_) => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
            Kind::Request(request) => Ok(self.step(request, |machine, now| act(machine, now)).1),
            Kind::Resolver(resolver) => Ok(self.step(resolver, |machine, now| act(machine, now)).1),
            Kind::WebSocket(socket) => Ok(self.step(socket, |machine, now| act(machine, now)).1),
        }
    }

    /// After a step that no call of the application took: who delivers what it brought?
    fn settle(self: &Arc<Handle>) {
        if !self.asynchronous {
            return self.turn.wake();
        }
        if self.turn.take_free() {
            self.deliver(Share::Quiet);
        }
        self.send_worker();
    }

    fn send_worker(self: &Arc<Handle>) {
        if self.turn.wants_worker() {
            self.world.run(Arc::clone(self) as Arc<dyn Job>);
        }
    }

    fn wait(self: &Arc<Handle>, operation: Operation) -> Outcome {
        loop {
            match self.turn.wait(operation, &*self.world) {
                Ok(item) => {
                    self.execute(item);
                    self.turn.waited();
                }
                Err(outcome) => return outcome,
            }
        }
    }

    /// Steps the machine and does what it wants: orders go to the transport, the rest to the turn.
    pub(super) fn step<M: Machine, R>(
        self: &Arc<Handle>,
        driver: &Driver<M>,
        act: impl FnOnce(&mut M, Duration) -> R,
    ) -> (R, Stepped) {
        self.step_with(driver, |running, now| act(&mut running.machine, now))
    }

    fn step_with<M: Machine, R>(
        self: &Arc<Handle>,
        driver: &Driver<M>,
        act: impl FnOnce(&mut Running<M>, Duration) -> R,
    ) -> (R, Stepped) {
        let mut guard = lock(&driver.running);
        let running = &mut *guard;
        let result = act(running, self.world.now());
        let mut stepped = Stepped::default();
        let mut details = Vec::new();
        for output in running.machine.outputs() {
            let item = match output {
                Output::Notify(notification) => Item::Notify(notification),
                Output::End(operation, outcome) if self.asynchronous => {
                    stepped.ended = Some((operation, outcome.clone()));
                    Item::Notify(operation.ending(outcome))
                }
                Output::End(operation, outcome) => {
                    self.turn.conclude(operation, outcome);
                    continue;
                }
                Output::GiveBack(buffer) => {
                    running.loans.give_back(buffer);
                    continue;
                }
                Output::ThenProceed(leg) => Item::Proceed(leg),
                Output::ThenTold => Item::Told,
                Output::Start(number, order) => {
                    self.carried(|| Carried::Request(&order));
                    let leg = self.world.transport().start(*order, sink(self, number));
                    running.leg = Some(Arc::clone(&leg));
                    running.deadline = None;
                    stepped.begun = Some(leg);
                    continue;
                }
                Output::HandOver => {
                    stepped.handed_over = running.leg.take();
                    continue;
                }
                Output::Errand(number, errand) => {
                    self.world.run(Arc::new(Sent { handle: Arc::downgrade(self), number, errand }));
                    continue;
                }
                Output::Abandon => {
                    if let Some(leg) = running.leg.take() {
                        leg.release();
                    }
                    continue;
                }
                other => {
                    if let Output::Write(bytes) = &other {
                        self.carried(|| Carried::Bytes(bytes));
                    }
                    if let Some(leg) = &running.leg {
                        tell(&**leg, other);
                    }
                    continue;
                }
            };
            match item {
                // A notification that nobody wants is not queued.
                Item::Notify(notification) if self.wanted(notification.status()).is_none() => {
                    if observed() {
                        details.extend(running.loans.unheard(&notification));
                    }
                }
                item => {
                    self.turn.push(item);
                    stepped.pushed += 1;
                }
            }
        }
        let deadline = running.machine.deadline();
        if deadline != running.deadline {
            running.deadline = deadline;
            if let Some(leg) = &running.leg {
                leg.wake_at(deadline, running.machine.idles());
            }
        }
        drop(guard);
        self.tell_all(details);
        (result, stepped)
    }

    fn carried<'a>(&self, what: impl FnOnce() -> Carried<'a>) {
        if observed() {
            self.world.carried(self.value, what());
        }
    }
}

fn tell(leg: &dyn Attempt, output: Output) {
    match output {
        Output::Proceed => leg.proceed(),
        Output::Tunnel(again) => leg.tunnel(again),
        Output::Write(bytes) => leg.write(bytes),
        Output::Finish => leg.finish(),
        Output::NextAddress => leg.next_address(),
        Output::Taken(bytes) => leg.taken(bytes),
        _ => {}
    }
}

/// What leg number `leg` of this handle talks to.
pub(super) fn sink(handle: &Arc<Handle>, leg: u64) -> Arc<dyn Sink> {
    Arc::new(Listening { handle: Arc::downgrade(handle), leg })
}

/// A worker on an errand. It does not keep the handle alive.
struct Sent {
    handle: Weak<Handle>,
    number: u64,
    errand: Errand,
}

impl Job for Sent {
    fn run(self: Arc<Sent>) {
        let Some(world) = self.handle.upgrade().map(|handle| Arc::clone(&handle.world)) else { return };
        let report = perform(&world, &self.errand);
        let Some(handle) = self.handle.upgrade() else { return };
        if let Ok(stepped) = handle.happen(|machine, now| machine.report(now, self.number, report)) {
            if let Some(leg) = stepped.begun {
                leg.go();
            }
            handle.settle();
        }
    }
}

/// What a leg talks to. It does not keep the handle alive.
struct Listening {
    handle: Weak<Handle>,
    leg: u64,
}

impl Sink for Listening {
    fn events(&self, events: &mut dyn Iterator<Item = Event>) {
        if let Some(handle) = self.handle.upgrade() {
            let stepped = handle.happen(|machine, now| {
                for event in events {
                    handle.carried(|| Carried::Event(&event));
                    machine.event(now, self.leg, event);
                }
            });
            if let Ok(stepped) = stepped {
                if let Some(leg) = stepped.begun {
                    leg.go();
                }
                handle.settle();
            }
        }
    }

    fn tick(&self) {
        if let Some(handle) = self.handle.upgrade() {
            if handle.happen(|machine, now| machine.tick(now)).is_ok() {
                handle.settle();
            }
        }
    }
}
