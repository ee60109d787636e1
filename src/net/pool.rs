//! The connections of a world, which outlive sessions (source pool.key): the connection engine's decisions, carried out.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::Net;
use super::connect::Connection;
use super::http2::Multiplexed;
use crate::connection::{Answer, AttemptId, ConnectionId, Demand, Effect, Engine};
use crate::sync::{Mutex, MutexGuard};
use crate::transport::TransportRequest;

/// How often idle connections are looked for, while there are any.
const SWEEP: Duration = Duration::from_secs(5);

#[derive(Default)]
struct State {
    engine: Engine,
    idle: FxHashMap<ConnectionId, Box<Connection>>,
    shared: FxHashMap<ConnectionId, Arc<Multiplexed>>,
    /// Attempts that wait, and their answers.
    waiting: FxHashMap<AttemptId, Waiting>,
    attempts: AttemptId,
    swept: bool,
}

#[derive(Default)]
struct Waiting {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

/// See the module.
#[derive(Default)]
pub struct Pool(Mutex<State>);

/// What is to be dropped or woken when the pool is not locked.
#[derive(Default)]
struct Leftovers {
    idle: Vec<Connection>,
    shared: Vec<Arc<Multiplexed>>,
    wakers: Vec<Waker>,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// Changes something, and does what follows for others.
    fn change<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = act(&mut state);
        let mut leftovers = Leftovers::default();
        let State { engine, idle, shared, waiting, .. } = &mut *state;
        for effect in engine.effects() {
            match effect {
                Effect::Close(connection) => {
                    leftovers.idle.extend(idle.remove(&connection).map(|connection| *connection));
                    leftovers.shared.extend(shared.remove(&connection));
                }
                Effect::Answered(attempt, answer) => {
                    let waiting = waiting.entry(attempt).or_default();
                    waiting.answer = Some(answer);
                    leftovers.wakers.extend(waiting.waker.take());
                }
            }
        }
        drop(state);
        leftovers.wakers.drain(..).for_each(Waker::wake);
        result
    }
}

/// What an attempt got.
pub enum Got {
    /// A connection that was idle; whoever takes it looks whether it is still open.
    Idle(Lease, Box<Connection>),
    /// A stream.
    Stream(Slot),
    /// The right to make one, and so many more ahead.
    Make(Lease, u32),
    /// A stream that the server does not take: whoever got it asks again.
    TooMany,
}

/// An attempt's right to a connection. Dropping it says that the connection is closed.
pub struct Lease {
    net: Weak<Net>,
    id: ConnectionId,
    open: bool,
    /// How many requests it carried before.
    pub earlier: u32,
}

impl Lease {
    fn new(net: &Arc<Net>, id: ConnectionId, earlier: u32) -> Lease {
        Lease { net: Arc::downgrade(net), id, open: true, earlier }
    }

    /// Which connection it is.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    fn end(mut self, act: impl FnOnce(&Arc<Net>, ConnectionId)) {
        self.open = false;
        if let Some(net) = self.net.upgrade() {
            act(&net, self.id);
        }
    }

    /// The connection could not be made.
    pub fn failed(self) {
        self.end(|net, id| net.pool.change(|state| state.engine.failed(net.runtime.now(), id)));
    }

    /// What was to be drained is too long.
    pub fn overflowed(self) {
        self.end(|net, id| net.pool.change(|state| state.engine.overflowed(net.runtime.now(), id)));
    }

    /// The connection speaks HTTP/1.
    pub fn made(&self) {
        if let Some(net) = self.net.upgrade() {
            net.pool.change(|state| state.engine.made(net.runtime.now(), self.id));
        }
    }

    /// The connection speaks HTTP/2; the attempt has the first stream. `shared`: others may have more.
    pub fn made_shared(self, connection: &Arc<Multiplexed>, shared: bool) -> Option<Slot> {
        let net = self.net.upgrade()?;
        let room = connection.room();
        self.end(|net, id| {
            let first = net.pool.change(|state| {
                state.shared.insert(id, Arc::clone(connection));
                state.engine.made_shared(net.runtime.now(), id, room, shared);
                !std::mem::replace(&mut state.swept, true)
            });
            if first {
                net.start_sweeper();
            }
        });
        Some(Slot { connection: Arc::clone(connection), net, earlier: 0 })
    }

    /// The connection carries no HTTP any more.
    pub fn switched(&self) {
        if let Some(net) = self.net.upgrade() {
            net.about(|engine, now| engine.switched(now, self.id));
        }
    }

    /// The connection can carry another request.
    pub fn give_back(self, connection: Box<Connection>) {
        self.end(|net, id| {
            let (refused, first) = net.pool.change(|state| {
                state.idle.insert(id, connection);
                let kept = state.engine.returned(net.runtime.now(), id);
                let refused = if kept { None } else { state.idle.remove(&id) };
                (refused, !std::mem::replace(&mut state.swept, true))
            });
            drop(refused);
            if first {
                net.start_sweeper();
            }
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if let Some(net) = self.net.upgrade() {
            net.pool.change(|state| state.engine.gone(net.runtime.now(), self.id));
        }
    }
}

/// The right to one stream.
pub struct Slot {
    pub connection: Arc<Multiplexed>,
    /// How many requests the connection carried before.
    pub earlier: u32,
    net: Arc<Net>,
}

impl Slot {
    /// The connection gets no new streams.
    pub fn expire(&self) {
        self.net.about(|engine, now| engine.expire(now, self.connection.entry.id()));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let id = self.connection.entry.id();
        self.net.pool.change(|state| state.engine.stream_over(self.net.runtime.now(), id));
    }
}

/// An attempt as the pool knows it.
pub struct PoolClient {
    net: Arc<Net>,
    /// It wants a connection of its own, whatever there is.
    fresh: bool,
    /// What it asked for last.
    asked: Option<(AttemptId, Demand)>,
    /// Whether it lined up for that, and is still known to the engine.
    waits: bool,
}

impl PoolClient {
    /// One that has not asked.
    pub fn new(net: &Arc<Net>, fresh: bool) -> PoolClient {
        PoolClient { net: Arc::clone(net), fresh, asked: None, waits: false }
    }

    /// Asks for a connection; `None`: it has to be waited for.
    pub fn ask(&mut self, request: &TransportRequest) -> Option<Result<Got, crate::win32::Win32Error>> {
        let now = self.net.runtime.now();
        let answer = self.net.pool.change(|state| {
            if let Some((_, before)) = self.asked.take().filter(|_| self.waits) {
                state.engine.leave(&before);
            }
            state.attempts += 1;
            let (id, mut demand) = (state.attempts, state.engine.demand(request));
            if self.fresh {
                demand.refuse_all();
            }
            let answer = state.engine.ask(now, id, &demand);
            self.waits = answer == Answer::Wait;
            if self.waits {
                state.waiting.insert(id, Waiting::default());
            } else {
                state.engine.leave(&demand);
            }
            self.asked = Some((id, demand));
            state.got(&self.net, now, answer)
        });
        (!self.waits).then_some(answer).flatten()
    }

    /// Waits for the answer.
    pub async fn wait(&mut self) -> Result<Got, crate::win32::Win32Error> {
        poll_fn(|cx| {
            let now = self.net.runtime.now();
            let id = self.asked.as_ref().map_or(0, |(id, _)| *id);
            self.net.pool.change(|state| {
                let Some(waiting) = state.waiting.get_mut(&id) else { return Poll::Pending };
                let Some(answer) = waiting.answer.take() else {
                    waiting.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                };
                state.waiting.remove(&id);
                state.got(&self.net, now, answer).map_or(Poll::Pending, Poll::Ready)
            })
        })
        .await
    }

    /// One more connection, that nobody waits for.
    pub fn ahead(&self) -> Option<Lease> {
        let (_, demand) = self.asked.as_ref()?;
        let id = self.net.pool.change(|state| state.engine.make_ahead(demand));
        id.map(|id| Lease::new(&self.net, id, 0))
    }
}

impl Drop for PoolClient {
    fn drop(&mut self) {
        let Some((id, demand)) = self.asked.take().filter(|_| self.waits) else { return };
        let now = self.net.runtime.now();
        self.net.pool.change(|state| {
            let answer = state.waiting.remove(&id).and_then(|waiting| waiting.answer);
            state.engine.forget(now, id);
            if let Some(answer) = answer {
                state.engine.declined(now, answer);
            }
            state.engine.leave(&demand);
        });
    }
}

impl State {
    fn got(&mut self, net: &Arc<Net>, now: Duration, answer: Answer) -> Option<Result<Got, crate::win32::Win32Error>> {
        match answer {
            Answer::Reuse(id) => {
                let connection = self.idle.remove(&id)?;
                Some(Ok(Got::Idle(Lease::new(net, id, self.engine.earlier(id)), connection)))
            }
            Answer::Share(id) => {
                let connection = Arc::clone(self.shared.get(&id)?);
                // The task of the connection has heard what the server takes, and may not have said it yet.
                if !self.engine.bears(now, id, connection.room()) {
                    return Some(Ok(Got::TooMany));
                }
                Some(Ok(Got::Stream(Slot { connection, earlier: self.engine.earlier(id), net: Arc::clone(net) })))
            }
            Answer::Make(id, ahead) => Some(Ok(Got::Make(Lease::new(net, id, 0), ahead))),
            Answer::Refuse(error) => Some(Err(error)),
            Answer::Wait => None,
        }
    }
}

impl Net {
    /// The server answered with HTTP/1.0, or a later version.
    pub fn learn(&self, request: &TransportRequest, old: bool) {
        if request.pool_rules.limit_1_0 != u32::MAX {
            self.pool.change(|state| state.engine.learn(request, old));
        }
    }

    /// Something that has no time.
    pub fn tell(&self, act: impl FnOnce(&mut Engine)) {
        self.pool.change(|state| act(&mut state.engine));
    }

    /// Something about a connection.
    pub fn about(&self, act: impl FnOnce(&mut Engine, Duration)) {
        let now = self.runtime.now();
        self.pool.change(|state| act(&mut state.engine, now));
    }

    /// What the engine knows.
    pub fn known<R>(&self, look: impl FnOnce(&Engine) -> R) -> R {
        look(&self.pool.lock().engine)
    }

    fn start_sweeper(self: &Arc<Net>) {
        self.runtime.spawn(Box::pin(sweep(Arc::clone(self))));
    }
}

/// Closes what was idle for too long; ends when nothing is left.
async fn sweep(net: Arc<Net>) {
    let mut timer = net.runtime.timer();
    loop {
        timer.set_idle(net.runtime.now() + SWEEP);
        poll_fn(|cx| timer.poll(cx)).await;
        let now = net.runtime.now();
        let ends = net.pool.change(|state| {
            state.engine.sweep(now);
            state.swept = !(state.idle.is_empty() && state.shared.is_empty());
            !state.swept
        });
        if ends {
            return;
        }
    }
}
