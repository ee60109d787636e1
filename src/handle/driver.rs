//! Drives the machine of a handle: calls and events go in, what it wants is carried out.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::borrowed::{BorrowedBuffer, BorrowedBuffers};
use super::commit::{Commit, Deliver};
use super::waiting::NestedCalls;
use super::worker_task::{nothing_of, run_task};
use super::{Handle, Kind, spare};
use crate::delivery::{Job, Outcome, Ticket};
use crate::machine::request::{Configuration, Request};
use crate::machine::resolver::WorkerTask;
use crate::machine::{Machine, Output};
use crate::observe::{CheckEvent, TrafficEvent};
use crate::record::{Notification, Operation};
use crate::sync::Mutex;
use crate::transport::{Attempt, Event, Sink};
use crate::win32::{WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, Win32Error};
use crate::world::{Requested, Unspecified};

/// Synchronous calls inside callbacks, whatever their world.
static NESTED_CALLS: NestedCalls = NestedCalls(Mutex::new(Vec::new()));

/// A machine, and the attempt that runs for it.
pub(crate) struct Driver<M> {
    running: Mutex<DriverState<M>>,
}

pub(super) struct DriverState<M> {
    pub(super) machine: M,
    pub(super) attempt: Option<Arc<dyn Attempt>>,
    pub(super) deadline: Option<Duration>,
    pub(super) borrowed: BorrowedBuffers,
}

/// What became of a call that the machine took.
#[derive(Debug)]
pub(crate) struct CallOutcome {
    /// How the operation ended, if it has: at once, or while a synchronous call waited.
    pub outcome: Option<Outcome>,
    /// Whether its notification comes from a worker.
    pub later: bool,
}

impl<M> Driver<M> {
    pub fn new(machine: M) -> Driver<M> {
        Driver {
            running: Mutex::new(DriverState {
                machine,
                attempt: None,
                deadline: None,
                borrowed: BorrowedBuffers::default(),
            }),
        }
    }

    /// The attempt that runs from now on.
    pub(super) fn carry(&self, attempt: Arc<dyn Attempt>) {
        self.running.lock().attempt = Some(attempt);
    }

    /// Looks at the machine. What changes it is a step.
    pub fn with<R>(&self, look: impl FnOnce(&M) -> R) -> R {
        look(&self.running.lock().machine)
    }

    /// Looks at what the caller's operations own.
    fn borrowed<R>(&self, look: impl FnOnce(&mut BorrowedBuffers) -> R) -> R {
        look(&mut self.running.lock().borrowed)
    }

    /// The attempt that runs, or ran last, for it.
    pub fn attempt(&self) -> Option<Arc<dyn Attempt>> {
        self.running.lock().attempt.clone()
    }
}

impl Driver<Request> {
    /// Changes what the application may set at any time.
    pub fn configure<R>(&self, change: impl FnOnce(&mut Configuration) -> R) -> R {
        change(&mut self.running.lock().machine.config)
    }
}

impl Handle {
    /// A call of the application that starts `operation` on `driver`, which is this handle's. Asynchronous: takes a step
    /// and returns. Synchronous: waits for its end and delivers notifications meanwhile.
    pub(super) fn drive<M: Machine>(
        self: &Arc<Handle>,
        driver: &Driver<M>,
        operation: Operation,
        mut lent: BorrowedBuffer,
        take: impl FnOnce(&mut M, Duration) -> Result<(), Win32Error>,
    ) -> Result<CallOutcome, Win32Error> {
        if let Some(error) = self.world.choices.refuse(self.value, Requested::Operation(operation)) {
            return Err(error);
        }
        self.world.spawner.ready()?;
        let _waiting = if self.asynchronous { None } else { NESTED_CALLS.begin(self)? };
        // Where the world may choose, it is asked when there is something to deliver.
        let inside = self.asynchronous && (self.policy.inside(operation) || self.world.steps().is_some());
        if inside {
            self.queue.reserve();
        }
        let out = lent.out.take_if(|out| !out.is_watched());
        let (taken, commit) = self.step_with(driver, |state, now| {
            let pending = state.machine.busy(operation);
            let taken = take(&mut state.machine, now);
            self.began(&mut state.borrowed, operation, lent, pending, &taken);
            let ticket = (taken.is_ok() && !self.asynchronous).then(|| self.queue.await_end(operation));
            taken.map(|()| ticket)
        });
        if let (Some(mut out), Some(ended)) = (out, commit.ended(operation)) {
            // Before any callback: what it frees is not written to (source A10).
            out.write(0, &ended.to_ne_bytes());
        }
        let finished = commit.finish(if inside { Deliver::Inside(operation) } else { Deliver::Worker });
        if let Some(ticket) = taken? {
            return Ok(CallOutcome { outcome: Some(self.wait(operation, ticket)), later: false });
        }
        let outcome = finished.ended.filter(|(ended, _)| *ended == operation).map(|(_, outcome)| outcome);
        let later = outcome.is_none() || !finished.delivered && finished.pushed > 0;
        if later && outcome.is_some() {
            // What ended inside the call is there when it returns, whoever tells of it.
            self.for_observers(|| driver.borrowed(BorrowedBuffers::settle));
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
        self.for_observers(|| match (taken, pending) {
            (Ok(()), _) if self.asynchronous => {
                let wants = |status| self.wants(status);
                let heard = wants(operation.completion()) && wants(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
                let room = lent.room;
                borrowed.begin(operation, lent);
                self.tell(&CheckEvent::Begins { operation, heard, room });
            }
            (Err(_), Some(pending)) => self.tell(&CheckEvent::Busy { operation, pending }),
            _ => {}
        });
    }

    /// This is about to be told: the operation that it ends gives back what it owned.
    pub(super) fn give_back(&self, notification: &Notification) {
        self.for_observers(|| {
            self.tell_all(match &self.kind {
                Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => Vec::new(),
                Kind::Request(request) => request.borrowed(|borrowed| borrowed.delivered(notification)),
                Kind::WebSocket(socket) => socket.borrowed(|borrowed| borrowed.delivered(notification)),
            });
        });
    }

    /// Random bytes of the world.
    pub(crate) fn random(&self) -> [u8; 16] {
        self.world.entropy.random()
    }

    /// The session was closed.
    pub(super) fn cancel(self: &Arc<Handle>) {
        let write_first = self.write_first();
        self.happen(Deliver::WhenFree, |machine, now| machine.cancel(now, write_first));
    }

    /// Which of two pending operations ends first.
    fn write_first(&self) -> bool {
        let both = match &self.kind {
            Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => false,
            Kind::Request(request) => request.with(|machine| machine.both_pending()),
            Kind::WebSocket(socket) => socket.with(|machine| machine.both_pending()),
        };
        both && self.world.choices.choose(self.value, Unspecified::WriteSideFirst, false)
    }

    /// The handle is being closed: what is pending ends; who delivers that is decided by [`Handle::release`].
    pub(super) fn close_exchange(self: &Arc<Handle>) {
        let write_first = self.write_first();
        self.for_observers(|| {
            self.tell_all(match &self.kind {
                Kind::Session(_) | Kind::Connection(_) | Kind::Resolver(_) => Vec::new(),
                Kind::Request(request) => request.borrowed(BorrowedBuffers::close),
                Kind::WebSocket(socket) => socket.borrowed(BorrowedBuffers::close),
            });
        });
        self.happen(Deliver::Holder, |machine, now| machine.close(now, write_first));
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

    /// Something happened to this handle's machine, whichever it is: one step, with everything that it brings about.
    fn happen(self: &Arc<Handle>, deliver: Deliver, act: impl FnOnce(&mut dyn Machine, Duration)) {
        match &self.kind {
            Kind::Session(_) | Kind::Connection(_) => {}
            Kind::Request(request) => self.step(request, |machine, now| act(machine, now)).1.deliver(deliver),
            Kind::Resolver(resolver) => self.step(resolver, |machine, now| act(machine, now)).1.deliver(deliver),
            Kind::WebSocket(socket) => self.step(socket, |machine, now| act(machine, now)).1.deliver(deliver),
        }
    }

    fn wait(self: &Arc<Handle>, operation: Operation, ticket: Ticket) -> Outcome {
        loop {
            match self.queue.wait(operation, ticket, self.world.steps()) {
                Ok(item) => {
                    self.execute(item, true);
                    self.queue.finish_waited();
                }
                Err(outcome) => return outcome,
            }
        }
    }

    /// Steps the machine; what the step brings about is the commit's.
    pub(super) fn step<'a, M: Machine, R>(
        self: &'a Arc<Handle>,
        driver: &'a Driver<M>,
        act: impl FnOnce(&mut M, Duration) -> R,
    ) -> (R, Commit<'a, M>) {
        self.step_with(driver, |state, now| act(&mut state.machine, now))
    }

    fn step_with<'a, M: Machine, R>(
        self: &'a Arc<Handle>,
        driver: &'a Driver<M>,
        act: impl FnOnce(&mut DriverState<M>, Duration) -> R,
    ) -> (R, Commit<'a, M>) {
        let mut state = driver.running.lock();
        let gathered = state.machine.gathered();
        if gathered.is_empty() {
            *gathered = spare::take();
        }
        let result = act(&mut state, self.world.clock.now());
        self.for_observers(|| {
            let unheard = |output: &Output| matches!(output, Output::Notify(told) if !self.wants(told.status()));
            self.tell(&CheckEvent::Stepped { silent: state.machine.gathered().iter().all(unheard) });
        });
        (result, Commit::of(self, state))
    }

    pub(super) fn on_traffic<'a>(&self, what: impl FnOnce() -> TrafficEvent<'a>) {
        self.for_observers(|| self.world.observers.on_traffic(self.value, &what()));
    }
}

/// What attempt number `attempt` of this handle talks to.
pub(super) fn sink(handle: &Arc<Handle>, attempt: u64) -> Arc<dyn Sink> {
    Arc::new(AttemptSink { handle: Arc::downgrade(handle), attempt })
}

/// A worker on a task. It does not keep the handle alive.
pub(super) struct TaskJob {
    pub handle: Weak<Handle>,
    pub number: u64,
    pub task: WorkerTask,
}

impl Job for TaskJob {
    fn run(self: Arc<TaskJob>) {
        let Some(world) = self.handle.upgrade().map(|handle| Arc::clone(&handle.world)) else { return };
        let ran = catch_unwind(AssertUnwindSafe(|| run_task(&world, &self.task)));
        let (result, panic) = match ran {
            Ok(result) => (result, None),
            Err(panic) => (nothing_of(&self.task), Some(panic)),
        };
        if let Some(handle) = self.handle.upgrade() {
            handle.happen(Deliver::WhenFree, |machine, now| machine.task_finished(now, self.number, result));
        }
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }
}

/// What an attempt talks to. It does not keep the handle alive.
struct AttemptSink {
    handle: Weak<Handle>,
    attempt: u64,
}

impl Sink for AttemptSink {
    fn events(&self, events: &mut dyn Iterator<Item = Event>) {
        if let Some(handle) = self.handle.upgrade() {
            handle.happen(Deliver::WhenFree, |machine, now| {
                for event in events {
                    handle.on_traffic(|| TrafficEvent::Event(&event));
                    machine.event(now, self.attempt, event);
                }
            });
        }
    }

    fn tick(&self) {
        if let Some(handle) = self.handle.upgrade() {
            handle.happen(Deliver::WhenFree, |machine, now| machine.tick(now));
        }
    }

    fn note(&self, text: &str) {
        if let Some(handle) = self.handle.upgrade() {
            handle.world.observers.note(text);
        }
    }

    fn handle(&self) -> usize {
        self.handle.upgrade().map_or(0, |handle| handle.value)
    }
}
