//! The transport of a Sim: no bytes, no sockets; peers are asked and their replies told, piece by piece.

mod back;
mod held;
mod pool;
mod raw;
mod tunnel;

pub use held::Held;
pub use pool::ScriptPool;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use self::pool::Used;
use self::raw::Arrival;
use self::tunnel::Connecting;
use super::fault::{Armed, FaultKind, FaultTrigger, Stage, failure};
use super::http1::Reader;
use super::peer::{Handler, Peer};
use super::raw::{RawConnection, RawPipe};
use super::received::Received;
use super::reply::{Act, Reply};
use super::scheduler::Plan;
use super::stream::Upgraded;
use super::world::{Origin, SimWorld};
use crate::connection::{Answer, Demand, READ_AHEAD, drains};
use crate::http::{OutgoingBody, RequestHead, RequestKind, http2};
use crate::sync::{Mutex, MutexGuard};
use crate::transport::{Event, Peer as Ends, Sink, TransportRequest};
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH,
    ERROR_WINHTTP_NAME_NOT_RESOLVED, Win32Error,
};
use crate::world::Names;

#[derive(Default)]
pub struct State {
    body: BytesMut,
    /// That body as far as it went out, against what the head announced.
    outgoing: Option<OutgoingBody>,
    answered: bool,
    /// The application writes nothing more.
    finished: bool,
    released: bool,
    wake_at: Option<Duration>,
    peer: Option<Peer>,
    /// What the server still does.
    acts: VecDeque<Act>,
    /// The faults of its reply.
    faults: Vec<Armed>,
    /// Whether the first act has met its faults already.
    met: bool,
    /// How many bytes came before the head: interim replies.
    interim: u64,
    /// Whether the reply's body is framed in chunks.
    chunked: bool,
    /// Whether something tells the end of the body.
    has_end: bool,
    /// Whether the connection can carry another request behind the reply.
    keeps: bool,
    /// Whether the reply is over.
    over: bool,
    /// How many bytes of its body the program has not taken.
    unread: usize,
    /// What it wants of the pool.
    demand: Option<Demand>,
    /// That it was announced to the pool.
    follows: Option<u64>,
    /// The pool's answer, until it is taken.
    answer: Option<Answer>,
    connection: Option<Used>,
    /// Whether somebody was told that a connection is waited for: that time runs once.
    waited: bool,
    /// Nobody wants the reply, and so many bytes of it are read at most.
    draining: Option<usize>,
    /// The reply goes on when the program has taken enough of it.
    paused: bool,
    /// How many requests its connection carried before, if it had one.
    earlier: Option<u32>,
    /// The machine knows that the request is out: what a raw peer sends is the reply.
    reads: bool,
    /// What a raw peer sent, as long as nothing of it is read.
    inbox: VecDeque<Arrival>,
    /// The connection to a raw peer, and the reply that comes over it.
    raw: Option<(Arc<RawPipe>, Reader)>,
    /// Pieces of the body, and frames, that are not out: one is at its stage at a time.
    unwritten: VecDeque<Bytes>,
    writing: bool,
    /// Whether that connection was used before.
    used: bool,
    /// After a 101.
    upgraded: Option<Upgraded>,
    /// The CONNECT that goes out when SENDING_REQUEST was delivered.
    asking: Option<RequestHead>,
    /// The CONNECT of the next connection, if it is not that of the request.
    next: Option<RequestHead>,
    /// Where a CONNECT stands that is out.
    connecting: Option<Connecting>,
}

impl State {
    /// Whether the request is out as its head announced it.
    fn whole(&self) -> bool {
        self.outgoing.as_ref().is_some_and(OutgoingBody::whole)
    }

    /// Whether the reply is over and nothing more is written: not even what goes nowhere, behind a refused CONNECT.
    fn leaves(&self, more: bool) -> bool {
        let written = match self.connecting {
            Some(Connecting::Told) => self.finished || !more,
            Some(_) => false,
            None => self.whole(),
        };
        self.over && written
    }

    /// Whether a server that is asked has all that it answers to: it waits for the rest of what the head has announced.
    fn is_complete(&self, http2: bool) -> bool {
        // END_STREAM ends what is sent, however long that is.
        let awaited = !http2 && self.outgoing.as_ref().is_some_and(OutgoingBody::is_awaited);
        let out = self.unwritten.is_empty() && !self.writing;
        self.finished && out && !awaited && self.raw.is_none() && self.connecting.is_none()
    }

    /// Whether the rest of the reply is read though nobody wants it.
    fn drains(&self, keep_alive: bool) -> bool {
        let keeps = match &self.raw {
            Some((_, reader)) => reader.in_kept_body(),
            None => self.keeps && !self.over,
        };
        let alone = self.connection.as_ref().is_some_and(|used| !used.is_shared());
        drains(keep_alive, keeps, self.whole()) && alone && self.upgraded.is_none() && self.connecting.is_none()
    }

    /// Another reply will come.
    fn forget_reply(&mut self) {
        self.acts.clear();
        self.faults.clear();
        (self.unread, self.interim) = (0, 0);
        (self.answered, self.met, self.over, self.keeps, self.paused) = (false, false, false, false, false);
    }

    /// How many bytes of the reply may come: as many as there are if somebody drains it, else what the program has not taken
    /// must not be too much.
    fn room(&self) -> usize {
        let drains = self.draining.is_some() || matches!(self.connecting, Some(Connecting::Draining { .. }));
        if drains { usize::MAX } else { READ_AHEAD.saturating_sub(self.unread) }
    }
}

/// A request on its way through the script.
pub struct ScriptAttempt {
    pub world: Arc<SimWorld>,
    pub sink: Arc<dyn Sink>,
    pub request: TransportRequest,
    number: usize,
    /// Nobody wants it any more.
    over: Arc<AtomicBool>,
    state: Mutex<State>,
}

impl ScriptAttempt {
    pub fn new(world: Arc<SimWorld>, request: TransportRequest, sink: Arc<dyn Sink>) -> ScriptAttempt {
        let number = world.next_sequence();
        let attempt = ScriptAttempt { world, sink, request, number, over: Arc::default(), state: Mutex::default() };
        attempt.follows();
        attempt
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The sequence of what happens to it.
    pub fn number(&self) -> usize {
        self.number
    }

    fn wanted(&self) -> bool {
        let state = self.lock();
        !state.released || state.draining.is_some()
    }

    /// Does something after a while, unless nobody wants the attempt any more.
    pub fn after(self: &Arc<Self>, delay: Duration, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.world.plan(self.world.time() + delay, self.plan(then));
    }

    /// What happens to it, unless nobody wants it any more.
    fn plan(self: &Arc<Self>, then: impl FnOnce(&Arc<Self>) + Send + 'static) -> Plan {
        let attempt = Arc::clone(self);
        let act = move || {
            if attempt.wanted() {
                then(&attempt);
            }
        };
        Plan { over: Some(Arc::clone(&self.over)), ..Plan::new(self.number, Box::new(act)) }
    }

    pub fn then(self: &Arc<Self>, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.after(Duration::ZERO, then);
    }

    /// Does something when a gate is open.
    fn beyond(self: &Arc<Self>, gate: &super::gate::Gate, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let attempt = Arc::clone(self);
        let act = move || {
            if attempt.wanted() {
                then(&attempt);
            }
        };
        gate.then(self.number, Box::new(act));
    }

    /// The attempt comes a step further on its way to the server.
    fn goes_on(self: &Arc<Self>, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.world.plan(self.world.time(), Plan { on_the_way: true, ..self.plan(then) });
    }

    pub fn tell(self: &Arc<Self>, event: Event) {
        let on_the_way =
            matches!(event, Event::Resolving | Event::Resolved(_) | Event::Connecting(_) | Event::Connected(_));
        let tell = move |attempt: &Arc<Self>| attempt.told(&mut std::iter::once(event));
        if on_the_way { self.goes_on(tell) } else { self.then(tell) }
    }

    /// Tells the machine, if it listens still.
    fn told(&self, events: &mut dyn Iterator<Item = Event>) {
        if !self.lock().released {
            self.sink.events(events);
        }
    }

    pub fn fail(self: &Arc<Self>, error: Win32Error, secure: u32) {
        self.leave_connection(false);
        let failed = Event::Failed(failure(error, secure));
        match self.lock().upgraded.is_some() {
            true => self.then(move |attempt| attempt.tell_upgraded([failed])),
            false => self.tell(failed),
        }
    }

    /// What happens at a stage, to who answers the request.
    fn meets(&self, when: &FaultTrigger) -> Option<FaultKind> {
        let peer = self.lock().peer.clone();
        self.meets_of(when, peer.as_ref())
    }

    pub fn meets_of(&self, when: &FaultTrigger, peer: Option<&Peer>) -> Option<FaultKind> {
        let mut state = self.lock();
        let mut faults = std::mem::take(&mut state.faults);
        drop(state);
        let what = self.world.faults.at(when, peer, &mut faults, Some(self.number));
        self.lock().faults = faults;
        what
    }

    /// The attempt comes to a stage, and goes on behind it if no fault keeps it.
    fn stage(self: &Arc<Self>, stage: Stage, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let origin = self.origin();
        self.stage_at(stage, &origin, then);
    }

    /// [`ScriptAttempt::stage`], on the way to this server or proxy.
    pub fn stage_at(self: &Arc<Self>, stage: Stage, server: &Origin, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let peer = self.world.peer_of(server).map(|(peer, _)| peer);
        let what = self.meets_of(&FaultTrigger::Stage(stage), peer.as_ref());
        self.obey(what, stage, then);
    }

    /// What a fault does at a stage.
    pub fn obey(
        self: &Arc<Self>,
        what: Option<FaultKind>,
        stage: Stage,
        then: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        match what {
            Some(FaultKind::Fail(error, secure)) => self.fail(error, secure),
            Some(FaultKind::Close) => self.fail(stage.closed(), 0),
            Some(FaultKind::Stall) => {}
            Some(FaultKind::Delay(delay)) => self.after(delay, then),
            Some(FaultKind::Wait(gate)) => self.beyond(&gate, then),
            _ => then(self),
        }
    }

    /// A new connection: name, address, TCP, TLS. Then the head may go out.
    pub fn resolve(self: &Arc<Self>) {
        self.tell(Event::Resolving);
        self.goes_on(|attempt| attempt.stage_at(Stage::Resolve, &attempt.reached(), ScriptAttempt::resolved));
    }

    fn resolved(self: &Arc<Self>) {
        let reached = self.reached();
        let found = self.world.peer_of(&reached).map(|(_, ends)| ends);
        // Nobody listens at this port of a host that is known all the same.
        let known = || self.world.lookup(&reached.1).first().copied();
        let Some(address) = found.map_or_else(known, |ends| Some(ends.remote.ip())) else {
            self.world.unknown_host(&reached);
            return self.fail(ERROR_WINHTTP_NAME_NOT_RESOLVED, 0);
        };
        self.tell(Event::Resolved(address.to_string()));
        self.tell(Event::Connecting(address.to_string()));
        let Some(ends) = found else {
            self.world.unknown_host(&reached);
            return self.fail(ERROR_WINHTTP_CANNOT_CONNECT, 0);
        };
        self.goes_on(move |attempt| {
            attempt.stage_at(Stage::Connect, &attempt.reached(), move |attempt| attempt.connected(ends))
        });
    }

    fn connected(self: &Arc<Self>, ends: Ends) {
        self.tell(Event::Connected(ends.remote.ip().to_string()));
        if self.reached().0 {
            self.then(move |attempt| attempt.secure(&attempt.reached(), move |attempt| attempt.secured(ends)));
        } else {
            self.secured(ends);
        }
    }

    fn secured(self: &Arc<Self>, ends: Ends) {
        let handler = self.world.peer_of(&self.reached()).and_then(|(peer, _)| peer.handler());
        if let Some(handler) = handler {
            self.play_raw(handler, self.reader());
        }
        if self.request.http2.is_some_and(|rules| rules.required) && !self.over_http2() {
            return self.fail(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, 0);
        }
        self.passed_first_hop(ends);
    }

    /// What is asked: CONNECT, until the tunnel stands, or what the application asks.
    fn asked(&self) -> RequestKind {
        match self.lock().connecting {
            Some(_) => RequestKind::Connect,
            None => RequestKind::of(&self.request.head.method, self.request.upgrade),
        }
    }

    /// Reads the head of the reply, and what is behind it.
    fn reader(&self) -> Reader {
        let asked = self.asked();
        Reader::new(asked == RequestKind::Head, self.request.head_limit, asked == RequestKind::Upgrade)
    }

    /// The server's side is played byte by byte from here on.
    fn play_raw(self: &Arc<Self>, handler: Handler, reader: Reader) {
        let pipe = RawPipe::new(&self.world, self.number);
        self.take_pipe(Arc::clone(&pipe), reader, false);
        self.world.scheduler().counts();
        self.world.spawn("a raw peer", Box::new(move || handler(RawConnection(pipe))));
    }

    fn take_pipe(self: &Arc<Self>, pipe: Arc<RawPipe>, reader: Reader, used: bool) {
        pipe.attach(self);
        let mut state = self.lock();
        state.raw = Some((pipe, reader));
        state.inbox.clear();
        state.reads = false;
        state.used = used;
    }

    /// Whether the exchange is as over HTTP/2: the program enables it, and the peer speaks TLS and is not played byte by
    /// byte. CONNECT never is.
    fn over_http2(&self) -> bool {
        let state = self.lock();
        let speaks = state.raw.is_none() && state.connecting.is_none();
        self.request.http2.is_some() && self.request.tls.is_some() && speaks
    }

    /// The request goes out.
    fn sent(self: &Arc<Self>) {
        let head = self.request.head.to_wire();
        let body = self.request.first();
        let mut state = self.lock();
        if state.used && !state.inbox.is_empty() {
            drop(state);
            return self.restart();
        }
        state.body.clear();
        state.body.extend_from_slice(&body);
        let mut outgoing = OutgoingBody::of(&self.request.head);
        outgoing.add(&body);
        state.outgoing = Some(outgoing);
        let raw = state.raw.as_ref().map(|(pipe, _)| Arc::clone(pipe));
        drop(state);
        if let Some(pipe) = &raw {
            pipe.send(&head);
            pipe.send(&body);
        }
        let out = match self.over_http2() {
            true => {
                let host =
                    self.request.head.headers.get("host", 0).map(|host| String::from_utf8_lossy(host).into_owned());
                let host = host.unwrap_or_else(|| http2::authority(&self.request.host, self.request.port));
                http2::request_size(&self.request.head, &host) + self.request.body.len() as u64
            }
            false => (head.len() + body.len()) as u64,
        };
        self.tell(Event::Sent(out));
        let http2 = self.over_http2();
        let complete = self.lock().is_complete(http2);
        match raw {
            Some(_) => self.reads(),
            None if self.request.more => self.then(move |attempt| {
                let peer = attempt.lock().peer.clone();
                let early = peer.and_then(|peer| {
                    attempt.world.asks(&attempt.origin(), &peer);
                    peer.answer_early(&attempt.received())
                });
                if let Some(reply) = early {
                    attempt.answer(&reply);
                } else if complete {
                    attempt.respond();
                }
            }),
            None => self.then(ScriptAttempt::respond),
        }
    }

    /// The machine will know that the request is out: what a raw peer sends is the answer.
    fn reads(self: &Arc<Self>) {
        self.then(|attempt| {
            attempt.lock().reads = true;
            attempt.take_in();
        });
    }

    fn received(&self) -> Received {
        Received::new(&self.request.head, self.lock().body.clone().freeze())
    }

    /// The request is complete: the peer answers.
    fn respond(self: &Arc<Self>) {
        if self.over_http2() && self.lock().outgoing.as_ref().is_some_and(OutgoingBody::is_awaited) {
            // RFC 9113 8.1.1: END_STREAM before the length that was announced is malformed, and the stream is reset.
            return self.fail(ERROR_WINHTTP_CONNECTION_ERROR, 0);
        }
        let state = self.lock();
        let peer = state.peer.clone().filter(|_| !state.answered);
        drop(state);
        if let Some(peer) = peer {
            self.world.asks(&self.origin(), &peer);
            self.answer(&peer.answer(self.received()));
        }
    }

    /// A reply comes.
    pub fn answer(self: &Arc<Self>, reply: &Reply) {
        self.play(reply);
        self.go_on();
    }

    fn play(&self, reply: &Reply) {
        let acts = reply.acts(self.asked()).into();
        let mut state = self.lock();
        state.answered = true;
        state.met = false;
        state.acts = acts;
        state.faults = reply.faults.iter().cloned().map(Armed::new).collect();
    }
}
