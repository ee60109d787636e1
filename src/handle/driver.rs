//! Drives the machine of a handle: calls and events go in, what it wants is carried out.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use super::borrowed::{BorrowedBuffer, BorrowedBuffers};
use super::{Handle, Kind, lock};
use crate::dispatch::{
    CheckEvent, DrainBudget, Item, Job, Outcome, Requested, TrafficEvent, Unspecified, observed, run_task,
};
use crate::machine::resolver::WorkerTask;
use crate::machine::{Machine, Output};
use crate::record::{Notification, Operation};
use crate::transport::{Attempt, Event, Sink};
use crate::win32::{ERROR_WINHTTP_INCORRECT_HANDLE_TYPE, WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, Win32Error};

/// A machine, and the leg that runs for it.
pub(crate) struct Driver<M> {
    running: Mutex<DriverState<M>>,
}

struct DriverState<M> {
    machine: M,
    leg: Option<Arc<dyn Attempt>>,
    deadline: Option<Duration>,
    borrowed: BorrowedBuffers,
}

/// What became of a call that the machine took.
#[derive(Debug)]
pub(crate) struct CallOutcome {
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
        Driver {
            running: Mutex::new(DriverState {
                machine,
                leg: None,
                deadline: None,
                borrowed: BorrowedBuffers::default(),
            }),
        }
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
    fn borrowed<R>(&self, look: impl FnOnce(&mut BorrowedBuffers) -> R) -> R {
        look(&mut lock(&self.running).borrowed)
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
        lent: BorrowedBuffer,
        take: impl FnOnce(&mut M, Duration) -> Result<(), Win32Error>,
    ) -> Result<CallOutcome, Win32Error> {
        if let Some(error) = self.world.refuse(self.value, Requested::Operation(operation)) {
            return Err(error);
        }
        self.world.ready(self.asynchronous)?;
        let usual = self.policy.inside(operation);
        let inside = self.asynchronous && self.world.choose(self.value, Unspecified::Inside(operation), usual);
        if inside {
            self.queue.reserve();
        }
        let (taken, stepped) = self.step_with(driver, |running, now| {
            let pending = running.machine.busy(operation);
            let taken = take(&mut running.machine, now);
            if observed() {
                self.began(&mut running.borrowed, operation, lent, pending, &taken);
            }
            taken
        });
        let budget = match (inside, stepped.pushed) {
            (true, 0) => {
                self.queue.cancel_reservation();
                None
            }
            (true, own) => self.queue.acquire(own, &*self.world),
            (false, _) => None,
        };
        if let Some(leg) = stepped.begun {
            leg.go();
        }
        if !self.asynchronous {
            taken?;
            return Ok(CallOutcome { outcome: Some(self.wait(operation)), later: false });
        }
        let outcome = stepped.ended.filter(|(ended, _)| *ended == operation).map(|(_, outcome)| outcome);
        let later = match budget {
            Some(budget) => {
                self.deliver(budget);
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
            driver.borrowed(BorrowedBuffers::settle);
        }
        Ok(CallOutcome { outcome, later })
    }

    /// Tells of an operation before anything that it brings about.
    fn began(
        &self,
        borrowed: &mut BorrowedBuffers,
        operation: Operation,
        lent: BorrowedBuffer,
        pending: Option<Operation>,
        taken: &Result<(), Win32Error>,
    ) {
        match (taken, pending) {
            (Ok(()), _) if self.asynchronous => {
                let wants = |status| self.wanted(status).is_some();
                let heard = wants(operation.completion()) && wants(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
                let room = lent.room;
                borrowed.begin(operation, lent);
                self.tell(&CheckEvent::Begins { operation, heard, room });
            }
            (Err(_), Some(pending)) => self.tell(&CheckEvent::Busy { operation, pending }),
            _ => {}
        }
    }

    /// This is about to be told: the operation that it ends gives back what it owned.
    pub(super) fn give_back(&self, notification: &Notification) {
        let events = match &self.kind {
            Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => return,
            Kind::Request(request) => request.borrowed(|borrowed| borrowed.told(notification)),
            Kind::WebSocket(socket) => socket.borrowed(|borrowed| borrowed.told(notification)),
        };
        self.tell_all(events);
    }

    /// Random bytes of the world.
    pub(crate) fn random(&self) -> [u8; 16] {
        self.world.random()
    }

    /// The session was closed.
    pub(super) fn cancel(self: &Arc<Handle>) {
        let write_first = self.world.choose(self.value, Unspecified::WriteSideFirst, false);
        if self.happen(|machine, now| machine.cancel(now, write_first)).is_ok() {
            self.settle();
        }
    }

    /// The handle is being closed: what is pending ends; who delivers that is decided by [`Handle::release`].
    pub(super) fn close_exchange(self: &Arc<Handle>) {
        let write_first = self.world.choose(self.value, Unspecified::WriteSideFirst, false);
        if observed() {
            let events = match &self.kind {
                Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => Vec::new(),
                Kind::Request(request) => request.borrowed(BorrowedBuffers::close),
                Kind::WebSocket(socket) => socket.borrowed(BorrowedBuffers::close),
            };
            self.tell_all(events);
        }
        let closed = self.happen(|machine, now| machine.close(now, write_first));
        debug_assert!(closed.is_ok(), "the handle has a machine");
        self.queue.wake();
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
            return self.queue.wake();
        }
        if self.queue.try_acquire() {
            self.deliver(DrainBudget::InternalOnly);
        }
        self.send_worker();
    }

    fn send_worker(self: &Arc<Handle>) {
        if self.queue.wants_worker() {
            self.world.run(Arc::clone(self) as Arc<dyn Job>);
        }
    }

    fn wait(self: &Arc<Handle>, operation: Operation) -> Outcome {
        loop {
            match self.queue.wait(operation, &*self.world) {
                Ok(item) => {
                    self.execute(item);
                    self.queue.finish_waited();
                }
                Err(outcome) => return outcome,
            }
        }
    }

    /// Steps the machine and does what it wants: orders go to the transport, the rest to the delivery queue.
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
        act: impl FnOnce(&mut DriverState<M>, Duration) -> R,
    ) -> (R, Stepped) {
        let mut guard = lock(&driver.running);
        let running = &mut *guard;
        let result = act(running, self.world.now());
        let mut stepped = Stepped::default();
        let mut events = Vec::new();
        for output in running.machine.outputs() {
            let item = match output {
                Output::Notify(notification) => Item::Notify(notification),
                Output::End(operation, outcome) if self.asynchronous => {
                    stepped.ended = Some((operation, outcome.clone()));
                    Item::Notify(operation.ending(outcome))
                }
                Output::End(operation, outcome) => {
                    self.queue.complete(operation, outcome);
                    continue;
                }
                Output::GiveBack(buffer) => {
                    running.borrowed.give_back(buffer);
                    continue;
                }
                Output::ThenProceed(leg) => Item::Proceed(leg),
                Output::ThenFollowRedirect => Item::FollowRedirect,
                Output::Start(number, mut order) => {
                    order.handle = self.value;
                    self.on_traffic(|| TrafficEvent::Request(&order));
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
                Output::WorkerTask(number, task) => {
                    self.world.run(Arc::new(TaskJob { handle: Arc::downgrade(self), number, task }));
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
                        self.on_traffic(|| TrafficEvent::Bytes(bytes));
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
                        events.extend(running.borrowed.unheard(&notification));
                    }
                }
                item => {
                    self.queue.push(item);
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
        if observed() {
            events.extend(running.machine.carried_away().map(CheckEvent::CarriedAway));
        }
        drop(guard);
        self.tell_all(events);
        (result, stepped)
    }

    fn on_traffic<'a>(&self, what: impl FnOnce() -> TrafficEvent<'a>) {
        if observed() {
            self.world.on_traffic(self.value, what());
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
    Arc::new(AttemptSink { handle: Arc::downgrade(handle), leg })
}

/// A worker on a task. It does not keep the handle alive.
struct TaskJob {
    handle: Weak<Handle>,
    number: u64,
    task: WorkerTask,
}

impl Job for TaskJob {
    fn run(self: Arc<TaskJob>) {
        let Some(world) = self.handle.upgrade().map(|handle| Arc::clone(&handle.world)) else { return };
        let result = run_task(&world, &self.task);
        let Some(handle) = self.handle.upgrade() else { return };
        if let Ok(stepped) = handle.happen(|machine, now| machine.task_finished(now, self.number, result)) {
            if let Some(leg) = stepped.begun {
                leg.go();
            }
            handle.settle();
        }
    }
}

/// What a leg talks to. It does not keep the handle alive.
struct AttemptSink {
    handle: Weak<Handle>,
    leg: u64,
}

impl Sink for AttemptSink {
    fn events(&self, events: &mut dyn Iterator<Item = Event>) {
        if let Some(handle) = self.handle.upgrade() {
            let stepped = handle.happen(|machine, now| {
                for event in events {
                    handle.on_traffic(|| TrafficEvent::Event(&event));
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
