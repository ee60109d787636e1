//! A step of a machine as a transaction: whatever it brings about happens when it is committed, and nothing can drop it.

use std::sync::Arc;

use super::borrowed::count;
use super::driver::{DriverState, TaskJob, sink};
use super::{Handle, spare};
use crate::delivery::{DrainBudget, Item, Job, Outcome};
use crate::machine::{Machine, Output};
use crate::observe::{CheckEvent, TrafficEvent};
use crate::record::Operation;
use crate::sync::MutexGuard;
use crate::transport::Attempt;
use crate::world::Unspecified;

/// Who delivers what a step pushed into the delivery queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deliver {
    /// Whoever can: this thread what calls nobody back, a worker the rest; of a synchronous handle the call that waits.
    WhenFree,
    /// This thread holds the queue, or has reserved it, and goes on to deliver.
    Holder,
    /// A worker.
    Worker,
    /// This thread before its call of this operation returns, if the world and the queue let it; it has reserved it.
    Inside(Operation),
}

/// What a step leaves to be done: releasing the lock, telling the checker, starting an attempt, delivering, waking.
///
/// All of it happens when the commit is finished or dropped.
#[must_use]
pub(super) struct Commit<'a, M: Machine> {
    handle: &'a Arc<Handle>,
    state: Option<MutexGuard<'a, DriverState<M>>>,
    deliver: Deliver,
    attempt: Option<Arc<dyn Attempt>>,
    checks: Vec<CheckEvent>,
    finished: Finished,
}

/// What a commit came to.
#[derive(Default)]
pub(super) struct Finished {
    /// Items that were pushed.
    pub pushed: usize,
    /// The last ending among them.
    pub ended: Option<(Operation, Outcome)>,
    /// Whether this thread delivered what it pushed.
    pub delivered: bool,
    /// The attempt whose connection becomes a web socket's.
    pub handed_over: Option<Arc<dyn Attempt>>,
}

impl<'a, M: Machine> Commit<'a, M> {
    /// Carries out what the machine put out, as far as that may be done under its lock: what goes to the transport, and
    /// the order of the delivery queue.
    pub fn of(handle: &'a Arc<Handle>, state: MutexGuard<'a, DriverState<M>>) -> Commit<'a, M> {
        let mut commit = Commit {
            handle,
            state: None,
            deliver: Deliver::WhenFree,
            attempt: None,
            checks: Vec::new(),
            finished: Finished::default(),
        };
        let mut guard = state;
        let state = &mut *guard;
        let mut abandoned: Option<Arc<dyn Attempt>> = None;
        let mut outputs = std::mem::take(state.machine.gathered());
        for output in outputs.drain(..) {
            match output {
                Output::Notify(notification) => commit.push(Item::Notify(notification), &mut state.borrowed),
                Output::End(operation, outcome) if handle.asynchronous => {
                    commit.finished.ended = Some((operation, outcome.clone()));
                    commit.push(Item::Notify(operation.ending(outcome)), &mut state.borrowed);
                }
                Output::End(operation, outcome) => handle.queue.complete(operation, outcome),
                Output::GiveBack(buffer) => state.borrowed.give_back(buffer),
                Output::ThenProceed(attempt) => commit.push(Item::Proceed(attempt), &mut state.borrowed),
                Output::ThenFollowRedirect => commit.push(Item::FollowRedirect, &mut state.borrowed),
                Output::Start(number, mut request) => {
                    request.handle = handle.value;
                    handle.on_traffic(|| TrafficEvent::Request(&request));
                    let attempt = handle.world.transport.start(request, sink(handle, number));
                    state.attempt = Some(Arc::clone(&attempt));
                    state.deadline = None;
                    commit.attempt = Some(attempt);
                }
                Output::HandOver => commit.finished.handed_over = state.attempt.take(),
                Output::WorkerTask(number, task) => {
                    handle.world.spawner.run(Arc::new(TaskJob { handle: Arc::downgrade(handle), number, task }));
                }
                Output::Abandon => {
                    if let Some(attempt) = state.attempt.take() {
                        let earlier = abandoned.replace(attempt);
                        earlier.iter().for_each(|earlier| earlier.release());
                    }
                }
                Output::Impossible(what) => {
                    commit.checks.extend(handle.for_observers(|| Some(CheckEvent::Impossible(what))));
                }
                other => {
                    if let Output::Write(bytes) = &other {
                        handle.on_traffic(|| TrafficEvent::Bytes(bytes));
                    }
                    if let Some(attempt) = &state.attempt {
                        tell(&**attempt, other);
                    }
                }
            }
        }
        spare::keep(outputs);
        // Only now: the transport knows by then whether another attempt follows on the connection (source w2).
        if let Some(attempt) = abandoned {
            attempt.release();
        }
        commit.checks.extend(handle.for_observers(|| state.machine.carried_away().map(CheckEvent::CarriedAway)));
        let deadline = state.machine.deadline();
        if deadline != state.deadline {
            state.deadline = deadline;
            if let Some(attempt) = &state.attempt {
                attempt.wake_at(deadline, state.machine.idles());
            }
        }
        commit.state = Some(guard);
        commit
    }

    /// A notification that nobody wants is not queued.
    fn push(&mut self, item: Item, borrowed: &mut super::borrowed::BorrowedBuffers) {
        match item {
            Item::Notify(notification) if !self.handle.wants(notification.status()) => {
                self.checks.extend(self.handle.for_observers(|| borrowed.unheard(&notification)));
            }
            item => {
                self.handle.queue.push(item);
                self.finished.pushed += 1;
            }
        }
    }

    /// What goes into the out parameter of a call of this operation, if that has ended well.
    pub fn ended(&self, operation: Operation) -> Option<u32> {
        let (ended, outcome) = self.finished.ended.as_ref()?;
        outcome.as_ref().ok().filter(|_| *ended == operation).and_then(count)
    }

    /// Does what is left, with this way of delivering.
    pub fn deliver(mut self, deliver: Deliver) {
        self.deliver = deliver;
    }

    /// The same, and what came of it.
    pub fn finish(mut self, deliver: Deliver) -> Finished {
        self.deliver = deliver;
        self.complete();
        std::mem::take(&mut self.finished)
    }

    fn complete(&mut self) {
        let Some(state) = self.state.take() else { return };
        drop(state);
        let handle = self.handle;
        handle.for_observers(|| handle.tell_all(std::mem::take(&mut self.checks)));
        // The queue is acquired before the attempt starts: what that brings about at once comes behind.
        let acquired = match (self.deliver, self.finished.pushed) {
            (Deliver::Inside(operation), own) if own > 0 && handle.inside(operation, own) => {
                handle.queue.acquire(own, handle.world.steps())
            }
            (Deliver::Inside(_), _) => {
                handle.queue.cancel_reservation();
                None
            }
            _ => None,
        };
        if let Some(attempt) = self.attempt.take() {
            attempt.go();
        }
        match (acquired, self.deliver) {
            (Some((next, budget)), _) => {
                self.finished.delivered = true;
                handle.deliver(next, budget);
            }
            _ if !handle.asynchronous => handle.queue.wake(),
            (None, Deliver::Holder) => {}
            (None, Deliver::Inside(_) | Deliver::Worker) => handle.send_worker(),
            (None, Deliver::WhenFree) => {
                handle.deliver(handle.queue.next_internal(), DrainBudget::InternalOnly);
            }
        }
    }
}

impl<M: Machine> Drop for Commit<'_, M> {
    fn drop(&mut self) {
        self.complete();
    }
}

impl Handle {
    /// Whether a call of `operation` may deliver its `own` items. Where the queue would not let it, that is no question.
    fn inside(&self, operation: Operation, own: usize) -> bool {
        let usual = self.policy.inside(operation);
        let never = self.world.steps().is_some() && !self.queue.lets(own);
        !never && self.world.choices.choose(self.value, Unspecified::Inside(operation), usual)
    }

    /// Sends a worker, if there is something to deliver and nobody does it.
    pub(super) fn send_worker(self: &Arc<Handle>) {
        if self.queue.wants_worker() {
            self.world.spawner.run(Arc::clone(self) as Arc<dyn Job>);
        }
    }
}

fn tell(attempt: &dyn Attempt, output: Output) {
    match output {
        Output::Proceed => attempt.proceed(),
        Output::Tunnel(again) => attempt.tunnel(again),
        Output::Write(bytes) => attempt.write(bytes),
        Output::Finish => attempt.finish(),
        Output::NextAddress => attempt.next_address(),
        Output::Taken(bytes) => attempt.taken(bytes),
        _ => {}
    }
}
