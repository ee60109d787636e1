//! The connections of a Sim without bytes: the connection engine decides, as for the network.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::ScriptAttempt;
use crate::connection::{Answer, AttemptId, ConnectionId, DRAIN, Demand, Effect, Engine, drained_at_most};
use crate::http::ResponseHead;
use crate::lab::chooser::Point;
use crate::lab::peer::Peer;
use crate::lab::raw::RawPipe;
use crate::lab::scheduler::Plan;
use crate::lab::world::SimWorld;
use crate::sync::{Mutex, MutexGuard};
use crate::transport::{ConnectionGroupId, Event, Peer as Ends};

#[derive(Default)]
struct Connections {
    engine: Engine,
    /// Those to raw peers.
    pipes: HashMap<ConnectionId, Arc<RawPipe>>,
    waiting: HashMap<AttemptId, Weak<ScriptAttempt>>,
    /// Attempts that nobody wants, while the rest of their replies is read.
    draining: HashMap<ConnectionId, Arc<ScriptAttempt>>,
    /// Idle ones whose last reply the program has not read yet, and whose reply that is.
    unread: HashMap<ConnectionId, usize>,
    /// Whether the idle ones will be looked through.
    swept: bool,
}

/// See the module.
#[derive(Default)]
pub struct ScriptPool(Mutex<Connections>);

impl ScriptPool {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock()
    }

    fn change<R>(&self, act: impl FnOnce(&mut Connections) -> R) -> R {
        let mut connections = self.lock();
        let result = act(&mut connections);
        let (mut closed, mut answered) = (Vec::new(), Vec::new());
        let Connections { engine, pipes, waiting, draining, unread, .. } = &mut *connections;
        for effect in engine.effects() {
            match effect {
                Effect::Close(connection) => {
                    closed.extend(pipes.remove(&connection));
                    draining.remove(&connection);
                    unread.remove(&connection);
                }
                Effect::Answered(attempt, answer) => {
                    let attempt = waiting.remove(&attempt).and_then(|attempt| attempt.upgrade());
                    answered.extend(attempt.map(|attempt| (attempt, answer)));
                }
            }
        }
        drop(connections);
        closed.iter().for_each(|pipe| pipe.close());
        for (attempt, answer) in answered {
            attempt.lock().answer = Some(answer);
            attempt.then(|attempt| {
                let answer = attempt.lock().answer.take();
                if let Some(answer) = answer {
                    attempt.got(answer);
                }
            });
        }
        result
    }

    /// Something about a connection.
    pub fn about(&self, act: impl FnOnce(&mut Engine)) {
        self.change(|connections| act(&mut connections.engine));
    }

    /// Closes what was idle for too long, when its time comes.
    fn sweep(&self, world: &Arc<SimWorld>) {
        let now = world.time();
        let next = self.change(|connections| {
            let next = if connections.swept { None } else { connections.engine.sweep(now) };
            connections.swept |= next.is_some();
            next
        });
        if let Some(next) = next {
            let later = Arc::downgrade(world);
            let act = move || {
                if let Some(world) = later.upgrade() {
                    world.pool.lock().swept = false;
                    world.pool.sweep(&world);
                }
            };
            world.plan(next, Plan { idle: true, ..Plan::new(0, Box::new(act)) });
        }
    }

    /// How many connections to a server have each mark.
    pub fn marked(
        &self,
        (host, port, secure): (&str, u16, bool),
        only: Option<ConnectionGroupId>,
    ) -> Vec<(ConnectionGroupId, u32)> {
        self.lock().engine.marked(host, port, secure, only)
    }
}

/// The connection of an attempt.
#[derive(Debug)]
pub struct Used {
    pub id: ConnectionId,
    /// Whether it stands.
    made: bool,
    /// Whether it is a stream of it.
    shared: bool,
}

impl Used {
    pub fn is_shared(&self) -> bool {
        self.shared
    }
}

impl ScriptAttempt {
    /// The pool: no two steps that use its connections to one server may change places.
    fn pool(&self) -> &ScriptPool {
        self.world.touch_peer(&self.origin());
        self.world.touch_peer(&self.reached());
        &self.world.pool
    }

    /// Something about its connection.
    pub(super) fn about_connection(&self, act: impl FnOnce(&mut Engine, ConnectionId)) {
        let id = self.lock().connection.as_ref().map(|used| used.id);
        if let Some(id) = id {
            self.pool().about(|engine| act(engine, id));
        }
    }

    /// The server has told its version.
    pub(super) fn learn(&self, head: &ResponseHead) {
        let old = (head.version.major, head.version.minor) < (1, 1);
        self.pool().about(|engine| engine.learn(&self.request, old));
    }

    /// It will look for one, maybe that of the attempt before it.
    pub(super) fn follows(&self) {
        let follows = self.world.pool.change(|connections| connections.engine.follows(self.request.handle));
        self.lock().follows = follows;
    }

    /// Looks for a connection; `fresh`: for a new one.
    pub(super) fn find(self: &Arc<Self>, fresh: bool) {
        let pool = self.pool();
        let answer = pool.change(|connections| {
            let demand = self.lock().demand.take();
            let mut demand = demand.unwrap_or_else(|| connections.engine.demand(&self.request));
            if fresh {
                demand.refuse_all();
            }
            let id = self.number as AttemptId;
            let answer = connections.engine.ask(self.world.time(), id, &demand);
            if answer == Answer::Wait {
                connections.waiting.insert(id, Arc::downgrade(self));
            }
            self.lock().demand = Some(demand);
            answer
        });
        self.got(answer);
    }

    fn got(self: &Arc<Self>, answer: Answer) {
        let now = self.world.time();
        let used = |id, made, shared| Some(Used { id, made, shared });
        if let Answer::Reuse(id) | Answer::Share(id) | Answer::Make(id, _) = answer {
            let earlier = self.world.pool.lock().engine.earlier(id);
            self.lock().earlier = Some(earlier);
        }
        match answer {
            Answer::Wait => {
                if !std::mem::replace(&mut self.lock().waited, true) {
                    self.tell(Event::Waiting);
                }
            }
            Answer::Refuse(error) => self.fail(error, 0),
            Answer::Make(id, ahead) => {
                self.lock().connection = used(id, false, false);
                self.open_ahead(ahead);
                self.resolve();
            }
            Answer::Share(id) => {
                self.lock().connection = used(id, true, true);
                self.again();
            }
            Answer::Reuse(id) if self.is_denied(id) => {
                self.pool().about(|engine| engine.declined(now, answer));
                self.find(true);
            }
            Answer::Reuse(id) => {
                let pipe = {
                    let mut connections = self.world.pool.lock();
                    connections.unread.remove(&id);
                    connections.pipes.get(&id).cloned()
                };
                if pipe.as_ref().is_some_and(|pipe| pipe.is_dead()) {
                    // Found dead before anything was written: replaced silently.
                    let dead = self.pool().change(|connections| {
                        connections.engine.gone(now, id);
                        connections.pipes.remove(&id)
                    });
                    dead.iter().for_each(|pipe| pipe.leave());
                    return self.find(false);
                }
                self.lock().connection = used(id, true, false);
                if let Some(pipe) = pipe {
                    self.take_pipe(pipe, self.reader(), true);
                }
                self.again();
            }
        }
    }

    /// Whether it does without a connection whose last reply is not read yet.
    fn is_denied(&self, id: ConnectionId) -> bool {
        let unread = self.world.pool.lock().unread.contains_key(&id);
        unread && self.world.scheduler().choose_of(Point::Connection, 2) == 1
    }

    /// The program has taken so many bytes of the body.
    pub(super) fn read(self: &Arc<Self>, bytes: usize) {
        let mut state = self.lock();
        state.unread = state.unread.saturating_sub(bytes);
        let all = state.unread == 0 && state.over;
        drop(state);
        self.resume();
        if all {
            self.world.pool.lock().unread.retain(|_, attempt| *attempt != self.number);
        }
    }

    /// The reply goes on if it waited for room and there is some.
    pub(super) fn resume(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.room() == 0 {
            return;
        }
        let (paused, waits) = (std::mem::take(&mut state.paused), !state.inbox.is_empty());
        drop(state);
        if paused {
            self.then(ScriptAttempt::go_on);
        }
        if waits {
            self.then(ScriptAttempt::take_in);
        }
    }

    /// Connections that nobody waits for stand at once.
    fn open_ahead(&self, count: u32) {
        let now = self.world.time();
        self.pool().change(|connections| {
            let demand: Option<Demand> = self.lock().demand.clone();
            for _ in 0..count {
                let made = demand.as_ref().and_then(|demand| connections.engine.make_ahead(demand));
                if let Some(id) = made {
                    connections.engine.made(now, id);
                    connections.engine.returned(now, id);
                }
            }
        });
    }

    /// The head may go out on a connection that was there.
    fn again(self: &Arc<Self>) {
        match self.world.peer_of(&self.origin()) {
            Some((peer, ends)) => {
                self.tell_secured(&peer, 0);
                self.tell(Event::Ready { peer: ends, http2: self.over_http2() });
            }
            None => self.fail(crate::win32::ERROR_WINHTTP_CONNECTION_ERROR, 0),
        }
    }

    /// The head may go out on a new connection.
    pub fn ready(self: &Arc<Self>, ends: Ends) {
        let (now, http2) = (self.world.time(), self.over_http2());
        let mut state = self.lock();
        let room = state.peer.as_ref().map_or(1, Peer::streams_at_once) as usize;
        if let Some(used) = &mut state.connection {
            (used.made, used.shared) = (true, http2);
            let id = used.id;
            let pipe = state.raw.as_ref().map(|(pipe, _)| Arc::clone(pipe));
            drop(state);
            self.pool().change(|connections| {
                connections.pipes.extend(pipe.map(|pipe| (id, pipe)));
                match http2 {
                    true => connections.engine.made_shared(now, id, room, self.request.keep_alive),
                    false => connections.engine.made(now, id),
                }
            });
        } else {
            drop(state);
        }
        self.tell(Event::Ready { peer: ends, http2 });
    }

    /// The exchange is over. `keeps`: its connection can carry another.
    pub(super) fn leave_connection(&self, keeps: bool) {
        let Some(used) = self.lock().connection.take() else { return };
        let now = self.world.time();
        let drained = self.pool().change(|connections| {
            let engine = &mut connections.engine;
            match (used.made, used.shared) {
                (false, _) => engine.failed(now, used.id),
                (true, true) => engine.stream_over(now, used.id),
                (true, false) if keeps && engine.returned(now, used.id) => {
                    let state = self.lock();
                    if state.unread > 0 && !state.released {
                        connections.unread.insert(used.id, self.number);
                    }
                }
                (true, false) => {
                    let pipe = connections.pipes.remove(&used.id);
                    connections.engine.gone(now, used.id);
                    return (connections.draining.remove(&used.id), pipe);
                }
            }
            (connections.draining.remove(&used.id), None)
        });
        if let (_, Some(pipe)) = &drained {
            pipe.close();
        }
        self.world.pool.sweep(&self.world);
    }

    /// The connection carries no HTTP any more.
    pub(super) fn switched(&self) {
        if let Some(peer) = &self.lock().peer {
            peer.plays_socket();
        }
        let now = self.world.time();
        self.about_connection(|engine, connection| engine.switched(now, connection));
    }

    /// Nobody wants the rest of the reply, and it is read so that the connection can be kept (w2, w6).
    pub(super) fn drain(self: &Arc<Self>) {
        let Some(id) = self.lock().connection.as_ref().map(|used| used.id) else { return };
        let mut state = self.lock();
        // As much as may be read ahead always fits.
        state.draining = Some(drained_at_most(self.request.drain_limit).saturating_sub(state.unread));
        drop(state);
        self.world.pool.lock().draining.insert(id, Arc::clone(self));
        self.after(DRAIN, ScriptAttempt::overflow);
        self.resume();
    }

    /// What is drained is too long.
    pub(super) fn overflow(self: &Arc<Self>) {
        let Some(used) = self.lock().connection.take() else { return };
        let now = self.world.time();
        let drained = self.pool().change(|connections| {
            connections.engine.overflowed(now, used.id);
            (connections.draining.remove(&used.id), connections.pipes.remove(&used.id))
        });
        if let (_, Some(pipe)) = &drained {
            pipe.close();
        }
        let mut state = self.lock();
        state.draining = None;
        state.acts.clear();
        state.inbox.clear();
    }

    /// So many bytes more of the body come: `false` if they are drained, and too many.
    pub(super) fn drained(self: &Arc<Self>, bytes: usize) -> bool {
        let mut state = self.lock();
        let Some(left) = &mut state.draining else { return true };
        let fits = bytes <= *left;
        *left = left.saturating_sub(bytes);
        drop(state);
        if !fits {
            self.overflow();
        }
        fits
    }

    /// The attempt wants nothing of the pool any more.
    pub(super) fn leave_pool(&self) {
        let (demand, answer, follows) = {
            let mut state = self.lock();
            (state.demand.take(), state.answer.take(), state.follows.take())
        };
        let now = self.world.time();
        self.pool().change(|connections| {
            let id = self.number as AttemptId;
            connections.waiting.remove(&id);
            connections.unread.retain(|_, attempt| *attempt != self.number);
            let engine = &mut connections.engine;
            engine.forget(now, id);
            if let Some(number) = follows {
                engine.follows_not(self.request.handle, number);
            }
            if let Some(answer) = answer {
                engine.declined(now, answer);
            }
            if let Some(demand) = demand {
                engine.leave(&demand);
            }
        });
    }
}
