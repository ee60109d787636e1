//! A request handle: its machine, the leg that runs, and the way of what the machine wants.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use super::{Handle, lock};
use crate::dispatch::{Asked, Carried, Item, Job, Open, Outcome, Share, observed};
use crate::machine::{self, Output, ending};
use crate::record::Api;
use crate::transport::{Event, Leg, Sink};
use crate::win32::Win32Error;

/// The part of a handle that only a request has.
pub(crate) struct Request {
    running: Mutex<Running>,
}

struct Running {
    machine: machine::Request,
    leg: Option<Arc<dyn Leg>>,
    deadline: Option<Duration>,
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
struct Stepped {
    /// Items that were pushed.
    pushed: usize,
    /// Endings among them.
    ended: Option<(Api, Outcome)>,
    /// A leg that is to begin when the lock is free.
    begun: Option<Arc<dyn Leg>>,
}

impl Request {
    pub fn new(machine: machine::Request) -> Request {
        Request { running: Mutex::new(Running { machine, leg: None, deadline: None }) }
    }

    /// Looks at, or changes, what needs no step.
    pub fn with<R>(&self, look: impl FnOnce(&mut machine::Request) -> R) -> R {
        look(&mut lock(&self.running).machine)
    }
}

impl Handle {
    /// A call of the application on this request. Asynchronous: takes a step and returns. Synchronous: waits for its
    /// end and delivers notifications meanwhile.
    pub(crate) fn call(
        self: &Arc<Handle>,
        api: Api,
        take: impl FnOnce(&mut machine::Request, Duration) -> Result<(), Win32Error>,
    ) -> Result<Called, Win32Error> {
        if let Some(error) = self.world.refuses(self.value, Asked::Operation(api)) {
            return Err(error);
        }
        let inside = self.asynchronous && self.world.chooses(self.value, Open::Inside(api), self.policy.inside(api));
        if inside {
            self.turn.approach();
        }
        let (taken, stepped) = match self.step(take) {
            Ok(step) => step,
            Err(error) => (Err(error), Stepped::default()),
        };
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
            return Ok(Called { outcome: Some(self.wait(api)), later: false });
        }
        let outcome = stepped.ended.filter(|(ended, _)| *ended == api).map(|(_, outcome)| outcome);
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
        Ok(Called { outcome, later })
    }

    /// Random bytes of the world.
    pub(crate) fn random(&self) -> [u8; 16] {
        self.world.random()
    }

    /// The session was closed.
    pub(super) fn cancel(self: &Arc<Handle>) {
        let write_first = self.world.chooses(self.value, Open::WriteSideFirst, false);
        if self.step(|machine, now| machine.cancel(now, write_first)).is_ok() {
            self.settle();
        }
    }

    /// The handle is being closed: what is pending ends; who delivers that is decided by [`Handle::release`].
    pub(super) fn close_exchange(self: &Arc<Handle>) {
        let write_first = self.world.chooses(self.value, Open::WriteSideFirst, false);
        let closed = self.step(|machine, now| machine.close(now, write_first));
        debug_assert!(closed.is_ok(), "a request is closed");
        self.turn.wake();
    }

    pub(super) fn proceed(self: &Arc<Handle>, leg: u64) {
        let _ = self.step(|machine, now| machine.proceed(now, leg));
    }

    pub(super) fn told(self: &Arc<Handle>) {
        if let Ok((_, Stepped { begun: Some(leg), .. })) = self.step(|machine, now| machine.told(now)) {
            leg.go();
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

    fn wait(self: &Arc<Handle>, api: Api) -> Outcome {
        loop {
            match self.turn.wait(api, &*self.world) {
                Ok(item) => {
                    self.execute(item);
                    self.turn.waited();
                }
                Err(outcome) => return outcome,
            }
        }
    }

    /// Steps the machine and does what it wants: orders go to the transport, the rest to the turn.
    fn step<R>(
        self: &Arc<Handle>,
        act: impl FnOnce(&mut machine::Request, Duration) -> R,
    ) -> Result<(R, Stepped), Win32Error> {
        let request = self.as_request()?;
        let mut running = lock(&request.running);
        let running = &mut *running;
        let result = act(&mut running.machine, self.world.now());
        let mut stepped = Stepped::default();
        for output in running.machine.outputs() {
            let item = match output {
                Output::Notify(notification) => Item::Notify(notification),
                Output::End(api, outcome) if self.asynchronous => {
                    stepped.ended = Some((api, outcome.clone()));
                    Item::Notify(ending(api, outcome))
                }
                Output::End(api, outcome) => {
                    self.turn.conclude(api, outcome);
                    continue;
                }
                Output::ThenProceed(leg) => Item::Proceed(leg),
                Output::ThenTold => Item::Told,
                Output::Start(number, order) => {
                    self.carried(|| Carried::Order(&order));
                    let sink = Arc::new(Listening { handle: Arc::downgrade(self), leg: number });
                    let leg = self.world.transport().start(*order, sink);
                    running.leg = Some(Arc::clone(&leg));
                    running.deadline = None;
                    stepped.begun = Some(leg);
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
            if self.worth(&item) {
                self.turn.push(item);
                stepped.pushed += 1;
            }
        }
        let deadline = running.machine.deadline();
        if deadline != running.deadline {
            running.deadline = deadline;
            if let Some(leg) = &running.leg {
                leg.wake_at(deadline);
            }
        }
        Ok((result, stepped))
    }

    fn carried<'a>(&self, what: impl FnOnce() -> Carried<'a>) {
        if observed() {
            self.world.carried(self.value, what());
        }
    }

    /// A notification that nobody wants is not queued.
    fn worth(&self, item: &Item) -> bool {
        match item {
            Item::Notify(notification) => self.wanted(notification.status()).is_some(),
            _ => true,
        }
    }
}

fn tell(leg: &dyn Leg, output: Output) {
    match output {
        Output::Proceed => leg.proceed(),
        Output::Write(bytes) => leg.write(bytes),
        Output::Finish => leg.finish(),
        Output::Taken(bytes) => leg.taken(bytes),
        _ => {}
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
            let step = handle.step(|machine, now| {
                for event in events {
                    handle.carried(|| Carried::Event(&event));
                    machine.event(now, self.leg, event);
                }
            });
            if let Ok((_, stepped)) = step {
                if let Some(leg) = stepped.begun {
                    leg.go();
                }
                handle.settle();
            }
        }
    }

    fn tick(&self) {
        if let Some(handle) = self.handle.upgrade() {
            if handle.step(|machine, now| machine.tick(now)).is_ok() {
                handle.settle();
            }
        }
    }
}
