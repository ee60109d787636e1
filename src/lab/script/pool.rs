//! The connections of a Sim without bytes: the connection engine decides, as for the network.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::ScriptAttempt;
use crate::connection::{Answer, AttemptId, ConnectionId, Demand, Effect, Engine};
use crate::lab::http1::Reader;
use crate::lab::raw::RawPipe;
use crate::transport::{ConnectionGroupId, Event, Peer as Ends};

/// How many streams the servers of a Sim take at once.
const STREAMS: usize = 100;
/// How long an unwanted body is drained, as over bytes.
const DRAIN: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Connections {
    engine: Engine,
    /// Those to raw peers.
    pipes: HashMap<ConnectionId, Arc<RawPipe>>,
    waiting: HashMap<AttemptId, Weak<ScriptAttempt>>,
    /// Attempts that nobody wants, while the rest of their replies is read.
    draining: HashMap<ConnectionId, Arc<ScriptAttempt>>,
}

/// See the module.
#[derive(Default)]
pub struct ScriptPool(Mutex<Connections>);

impl ScriptPool {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, act: impl FnOnce(&mut Connections) -> R) -> R {
        let mut connections = self.lock();
        let result = act(&mut connections);
        let (mut closed, mut answered) = (Vec::new(), Vec::new());
        let Connections { engine, pipes, waiting, draining } = &mut *connections;
        for effect in engine.effects() {
            match effect {
                Effect::Close(connection) => {
                    closed.extend(pipes.remove(&connection));
                    draining.remove(&connection);
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
    /// The pool, which all attempts share: no two steps that use it may change places.
    fn pool(&self) -> &ScriptPool {
        self.world.scheduler().touch(|footprint| footprint.thing("pool"));
        &self.world.pool
    }

    /// Something about its connection.
    pub(super) fn about_connection(&self, act: impl FnOnce(&mut Engine, ConnectionId)) {
        let id = self.lock().connection.as_ref().map(|used| used.id);
        if let Some(id) = id {
            self.pool().about(|engine| act(engine, id));
        }
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
            let answer = connections.engine.ask(self.world.time(), id, &self.request, &demand);
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
            Answer::Reuse(id) => {
                let pipe = self.world.pool.lock().pipes.get(&id).cloned();
                if pipe.as_ref().is_some_and(|pipe| pipe.ended()) {
                    // Found dead before anything was written: replaced silently.
                    self.pool().change(|connections| {
                        connections.pipes.remove(&id);
                        connections.engine.gone(now, id);
                    });
                    return self.find(false);
                }
                self.lock().connection = used(id, true, false);
                if let Some(pipe) = pipe {
                    let reader = Reader::new(self.request.head.asks_for_head_only(), self.request.head_limit)
                        .of_upgrade(self.request.upgrade);
                    self.take_pipe(pipe, reader, true);
                }
                self.again();
            }
        }
    }

    /// Connections that nobody waits for stand at once.
    fn open_ahead(&self, count: u32) {
        let now = self.world.time();
        self.pool().change(|connections| {
            let demand: Option<Demand> = self.lock().demand.clone();
            for _ in 0..count {
                let made = demand.as_ref().and_then(|demand| connections.engine.make_ahead(&self.request, demand));
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
                self.tell(Event::Ready(ends));
            }
            None => self.fail(crate::win32::ERROR_WINHTTP_CONNECTION_ERROR, 0),
        }
    }

    /// The head may go out on a new connection.
    pub fn ready(self: &Arc<Self>, ends: Ends) {
        let (now, http2) = (self.world.time(), self.over_http2());
        let mut state = self.lock();
        if let Some(used) = &mut state.connection {
            (used.made, used.shared) = (true, http2);
            let id = used.id;
            let pipe = state.raw.as_ref().map(|(pipe, _)| Arc::clone(pipe));
            drop(state);
            self.pool().change(|connections| {
                connections.pipes.extend(pipe.map(|pipe| (id, pipe)));
                match http2 {
                    true => connections.engine.made_shared(now, id, STREAMS, self.request.keep_alive),
                    false => connections.engine.made(now, id),
                }
            });
        } else {
            drop(state);
        }
        self.tell(Event::Ready(ends));
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
                (true, false) if keeps && engine.returned(now, used.id) => {}
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
    }

    /// The connection carries no HTTP any more.
    pub(super) fn switched(&self) {
        let now = self.world.time();
        self.about_connection(|engine, connection| engine.switched(now, connection));
    }

    /// Nobody wants the rest of the reply, and it is read so that the connection can be kept (w2, w6).
    pub(super) fn drain(self: &Arc<Self>) {
        let Some(id) = self.lock().connection.as_ref().map(|used| used.id) else { return };
        self.lock().draining = Some(self.request.drain_limit);
        self.world.pool.lock().draining.insert(id, Arc::clone(self));
        self.after(DRAIN, ScriptAttempt::overflow);
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
        self.lock().draining = None;
    }

    /// So many bytes were drained.
    pub(super) fn drained(self: &Arc<Self>, bytes: usize) {
        let mut state = self.lock();
        let Some(left) = &mut state.draining else { return };
        *left = left.saturating_sub(bytes);
        let over = *left == 0 && bytes > 0;
        drop(state);
        if over {
            self.overflow();
        }
    }

    /// The attempt wants nothing of the pool any more.
    pub(super) fn leave_pool(&self) {
        let (demand, answer) = {
            let mut state = self.lock();
            (state.demand.take(), state.answer.take())
        };
        let now = self.world.time();
        self.pool().change(|connections| {
            let id = self.number as AttemptId;
            connections.waiting.remove(&id);
            let engine = &mut connections.engine;
            engine.forget(now, id);
            // An answer that came too late goes to the next.
            match answer {
                Some(Answer::Reuse(connection)) => drop(engine.returned(now, connection)),
                Some(Answer::Share(connection)) => engine.stream_over(now, connection),
                Some(Answer::Make(connection, _)) => engine.gone(now, connection),
                _ => {}
            }
            if let Some(demand) = demand {
                engine.leave(&demand);
            }
        });
    }
}
