//! The transport of a Sim: no bytes, no sockets; peers are asked and their replies told, piece by piece.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::fault::{Armed, Stage, What, When};
use super::http1::Reader;
use super::peer::{Handler, Peer};
use super::raw::{End, Far, Link, RawConnection};
use super::received::Received;
use super::reply::{Act, Reply, accept};
use super::stream::Upgraded;
use super::world::{Origin, SimWorld};
use crate::http::{Headers, RequestHead, http2};
use crate::transport::{Event, Failure, Leg, Order, Peer as Ends, Route, Sink};
use crate::win32::{
    ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, ERROR_WINHTTP_NAME_NOT_RESOLVED,
    ERROR_WINHTTP_TIMEOUT, Win32Error,
};

#[derive(Default)]
pub struct State {
    body: BytesMut,
    answered: bool,
    released: bool,
    wake_at: Option<Duration>,
    peer: Option<Peer>,
    /// What the server still does.
    acts: VecDeque<Act>,
    /// The faults of its reply.
    faults: Vec<Armed>,
    /// Whether the first act has met its faults already.
    met: bool,
    /// Whether the reply's body is framed in chunks.
    chunked: bool,
    /// The connection to a raw peer, and the reply that comes over it.
    pub raw: Option<(Arc<Link>, Reader)>,
    /// Whether that connection was used before.
    used: bool,
    /// After a 101.
    upgraded: Option<Upgraded>,
    /// The CONNECT that goes out when SENDING_REQUEST was delivered.
    pub asking: Option<RequestHead>,
    /// What the proxy answered it, if that is no tunnel.
    pub refusal: Option<Reply>,
    /// The CONNECT of the next connection, if it is not that of the order.
    pub next: Option<RequestHead>,
    /// What a raw proxy answers a CONNECT that is out; told when it is known to be a refusal.
    pub held: Option<Vec<Event>>,
}

/// An order on its way through the script.
pub struct ScriptLeg {
    pub world: Arc<SimWorld>,
    pub sink: Arc<dyn Sink>,
    pub order: Order,
    number: usize,
    state: Mutex<State>,
}

/// Why a reply does not go on at once.
enum Pause {
    Over,
    For(Duration),
    At(super::gate::Gate),
}

impl ScriptLeg {
    pub fn new(world: Arc<SimWorld>, order: Order, sink: Arc<dyn Sink>) -> ScriptLeg {
        let number = world.next_order();
        ScriptLeg { world, sink, order, number, state: Mutex::default() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wanted(&self) -> bool {
        !self.lock().released
    }

    /// Does something after a while, unless nobody wants the leg any more.
    pub fn after(self: &Arc<Self>, delay: Duration, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let leg = Arc::clone(self);
        self.world.after(delay, self.number, move || {
            if leg.wanted() {
                then(&leg);
            }
        });
    }

    pub fn then(self: &Arc<Self>, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        self.after(Duration::ZERO, then);
    }

    /// Does something when a gate is open.
    fn beyond(self: &Arc<Self>, gate: &super::gate::Gate, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let leg = Arc::clone(self);
        let act = move || {
            if leg.wanted() {
                then(&leg);
            }
        };
        gate.then(self.number, Box::new(act));
    }

    pub fn tell(self: &Arc<Self>, event: Event) {
        self.then(move |leg| leg.sink.event(event));
    }

    pub fn fail(self: &Arc<Self>, error: Win32Error, secure: u32) {
        self.tell(Event::Failed(Failure { secure, ..error.into() }));
    }

    /// What happens at a stage, to who answers the request.
    fn meets(&self, when: &When) -> Option<What> {
        let peer = self.lock().peer.clone();
        self.meets_of(when, peer.as_ref())
    }

    pub fn meets_of(&self, when: &When, peer: Option<&Peer>) -> Option<What> {
        let mut state = self.lock();
        let mut faults = std::mem::take(&mut state.faults);
        drop(state);
        let what = self.world.faults.meets(when, peer, &mut faults);
        self.lock().faults = faults;
        what
    }

    /// The leg comes to a stage, and goes on behind it if no fault keeps it.
    fn stage(self: &Arc<Self>, stage: Stage, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let origin = self.origin();
        self.stage_at(stage, &origin, then);
    }

    /// [`ScriptLeg::stage`], on the way to this server or proxy.
    pub fn stage_at(self: &Arc<Self>, stage: Stage, server: &Origin, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let peer = self.world.peer_of(server).map(|(peer, _)| peer);
        let what = self.meets_of(&When::Stage(stage), peer.as_ref());
        self.obey(what, stage, then);
    }

    /// What a fault does at a stage.
    pub fn obey(self: &Arc<Self>, what: Option<What>, stage: Stage, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        match what {
            Some(What::Fail(error, secure)) => self.fail(error, secure),
            Some(What::Close) => self.fail(stage.error(), 0),
            Some(What::Stall) => {}
            Some(What::Delay(delay)) => self.after(delay, then),
            Some(What::Wait(gate)) => self.beyond(&gate, then),
            _ => then(self),
        }
    }

    // ---- the way there ----

    /// A new connection: name, address, TCP, TLS. Then the head may go out.
    pub fn resolve(self: &Arc<Self>) {
        self.tell(Event::Resolving);
        self.then(|leg| leg.stage_at(Stage::Resolve, &leg.reached(), ScriptLeg::resolved));
    }

    fn resolved(self: &Arc<Self>) {
        let Some((_, ends)) = self.world.peer_of(&self.reached()) else {
            self.world.unknown_host(&self.reached());
            return self.fail(ERROR_WINHTTP_NAME_NOT_RESOLVED, 0);
        };
        let address = ends.remote.ip().to_string();
        self.tell(Event::Resolved(address.clone()));
        self.tell(Event::Connecting(address));
        self.then(move |leg| leg.stage_at(Stage::Connect, &leg.reached(), move |leg| leg.connected(ends)));
    }

    fn connected(self: &Arc<Self>, ends: Ends) {
        self.tell(Event::Connected(ends.remote.ip().to_string()));
        if self.reached().0 {
            self.then(move |leg| leg.secure(&leg.reached(), move |leg| leg.secured(ends)));
        } else {
            self.secured(ends);
        }
    }

    fn secured(self: &Arc<Self>, ends: Ends) {
        let handler = self.world.peer_of(&self.reached()).and_then(|(peer, _)| peer.handler());
        if let Some(handler) = handler {
            let reader = Reader::new(self.order.head.asks_for_head_only(), self.order.head_limit);
            self.play_raw(handler, reader);
        }
        if self.order.http2.is_some_and(|rules| rules.required) && !self.over_http2() {
            return self.fail(ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH, 0);
        }
        self.passed_first_hop(ends);
    }

    /// The server's side is played byte by byte from here on.
    fn play_raw(self: &Arc<Self>, handler: Handler, reader: Reader) {
        let link = Link::new(&self.world, self.number);
        self.take_link(Arc::clone(&link), reader, false);
        self.world.spawn("a raw peer", Box::new(move || handler(RawConnection(link))));
    }

    fn take_link(self: &Arc<Self>, link: Arc<Link>, reader: Reader, used: bool) {
        link.attach(self);
        let mut state = self.lock();
        state.raw = Some((link, reader));
        state.used = used;
    }

    /// Whether the exchange is as over HTTP/2: the program enables it, and the peer speaks TLS and is not played byte by
    /// byte.
    fn over_http2(&self) -> bool {
        let state = self.lock();
        self.order.http2.is_some() && self.order.tls.is_some() && state.raw.is_none()
    }

    /// The request goes out.
    fn sent(self: &Arc<Self>) {
        let head = self.order.head.to_wire();
        let body = self.order.first();
        let mut state = self.lock();
        state.body.clear();
        state.body.extend_from_slice(&body);
        let raw = state.raw.as_ref().map(|(link, _)| Arc::clone(link));
        drop(state);
        if let Some(link) = &raw {
            link.send(&head);
            link.send(&body);
        }
        let out = match self.over_http2() {
            true => {
                let host =
                    self.order.head.headers.get("host", 0).map(|host| String::from_utf8_lossy(host).into_owned());
                let host = host.unwrap_or_else(|| http2::authority(&self.order.host, self.order.port));
                http2::request_size(&self.order.head, &host) + self.order.body.len() as u64
            }
            false => (head.len() + body.len()) as u64,
        };
        self.tell(Event::Sent(out));
        match raw {
            Some(_) => {}
            None if self.order.more => self.then(|leg| {
                let peer = leg.lock().peer.clone();
                let early = peer.and_then(|peer| peer.answer_early(&leg.received()));
                if let Some(reply) = early {
                    leg.answer(&reply);
                }
            }),
            None => self.then(ScriptLeg::respond),
        }
    }

    fn received(&self) -> Received {
        Received::new(&self.order.head, self.lock().body.clone().freeze())
    }

    /// The request is complete: the peer answers.
    fn respond(self: &Arc<Self>) {
        let state = self.lock();
        let peer = state.peer.clone().filter(|_| !state.answered);
        drop(state);
        if let Some(peer) = peer {
            self.answer(&peer.answer(self.received()));
        }
    }

    /// A reply comes.
    pub fn answer(self: &Arc<Self>, reply: &Reply) {
        self.play(reply);
        self.go_on();
    }

    fn play(&self, reply: &Reply) {
        let mut state = self.lock();
        state.answered = true;
        state.met = false;
        state.acts = reply.acts(self.order.head.asks_for_head_only()).into();
        state.faults = reply.faults.iter().cloned().map(Armed::new).collect();
    }

    // ---- the way back ----

    /// Plays the reply on. What needs no time comes at once, with the head.
    fn go_on(self: &Arc<Self>) {
        let mut events = Vec::new();
        let pause = loop {
            let act = self.lock().acts.pop_front();
            let Some(act) = act else { break Pause::Over };
            let when = match &act {
                Act::Head(_) => Some(When::Stage(Stage::Head)),
                Act::Bytes(_) => Some(When::Stage(Stage::Read)),
                Act::End(_) => Some(When::Stage(Stage::Close)),
                Act::Passed(bytes) => Some(When::Body(*bytes)),
                Act::Wait(_) | Act::Gate(_) | Act::Interim(_) | Act::Upgrade(_) | Act::Fail(..) => None,
            };
            let met = std::mem::take(&mut self.lock().met);
            let met_with = when.filter(|_| !met).and_then(|when| self.meets(&when));
            match self.act(act, met_with, &mut events) {
                None => {}
                Some(pause) => break pause,
            }
        };
        // A head counts what came with it.
        let with_head: usize =
            events.iter().map(|event| if let Event::Body { bytes, .. } = event { bytes.len() } else { 0 }).sum();
        for event in &mut events {
            if let Event::Head { received, .. } = event {
                *received += with_head as u64;
            }
        }
        if !events.is_empty() {
            self.sink.events(&mut events.into_iter());
        }
        match pause {
            Pause::Over => {}
            Pause::For(delay) => self.after(delay, ScriptLeg::go_on),
            Pause::At(gate) => self.beyond(&gate, ScriptLeg::go_on),
        }
    }

    /// One act of the server, and what it met with.
    fn act(self: &Arc<Self>, act: Act, met: Option<What>, events: &mut Vec<Event>) -> Option<Pause> {
        let end = |this: &Self, events: &mut Vec<Event>, error: Win32Error, secure| {
            this.lock().acts.clear();
            events.push(Event::Failed(Failure { secure, ..error.into() }));
            Some(Pause::Over)
        };
        match &met {
            Some(What::Fail(error, secure)) => return end(self, events, *error, *secure),
            Some(What::Close) => {
                let looks_complete = !matches!(act, Act::Head(_)) && !self.lock().chunked;
                if !looks_complete {
                    return end(self, events, ERROR_WINHTTP_CONNECTION_ERROR, 0);
                }
                self.lock().acts.clear();
                events.push(Event::Body { bytes: Bytes::new(), end: Some(Headers::default()) });
                return Some(Pause::Over);
            }
            Some(What::Stall) => {
                self.lock().acts.clear();
                return Some(Pause::Over);
            }
            Some(What::Delay(delay)) => return Some(self.put_back(act, Pause::For(*delay))),
            Some(What::Wait(gate)) => return Some(self.put_back(act, Pause::At(gate.clone()))),
            Some(What::Answer(reply)) if matches!(act, Act::Head(_)) => {
                self.play(reply);
                return Some(Pause::For(Duration::ZERO));
            }
            _ => {}
        }
        match act {
            Act::Wait(delay) => return (!delay.is_zero()).then_some(Pause::For(delay)),
            Act::Gate(gate) => return Some(Pause::At(gate)),
            Act::Interim(status) => events.push(Event::Interim(status)),
            Act::Head(mut head) => {
                if head.status == 101 {
                    accept(&self.order.head, &mut head.headers);
                }
                self.lock().chunked = head.is_chunked();
                let (head, received) = match self.over_http2() {
                    true => http2::reply(head.status, &head.headers),
                    false => {
                        let wire: usize = head.raw_lines().iter().map(|line| line.len() + 2).sum();
                        (head, wire as u64 + 2)
                    }
                };
                events.push(Event::Head { head, received });
            }
            Act::Bytes(bytes) => return self.bytes(bytes, met, events),
            Act::Passed(_) => {}
            Act::Fail(error, secure) => return end(self, events, error, secure),
            Act::End(trailers) => {
                if self.order.keep_alive {
                    self.world.keep(self.key());
                }
                events.push(Event::Body { bytes: Bytes::new(), end: Some(trailers) });
            }
            Act::Upgrade(handler) => {
                self.lock().upgraded = self.order.upgrade.then(Upgraded::default);
                self.play_raw(handler, Reader::unframed());
            }
        }
        None
    }

    /// A piece of the body: whole, or the part of it that a slow or short connection brings.
    fn bytes(&self, mut bytes: Bytes, met: Option<What>, events: &mut Vec<Event>) -> Option<Pause> {
        let (at_once, pause) = match met {
            Some(What::Short(most)) => (most, Duration::ZERO),
            Some(What::AnyLength) => (self.world.faults.length(bytes.len()), Duration::ZERO),
            Some(What::Slow(rate)) => {
                let count = (rate / 10).max(1).min(bytes.len() as u64);
                let time = Duration::from_nanos(count * 1_000_000_000 / rate);
                // The time comes before the bytes.
                let first = bytes.split_to(count as usize);
                let mut state = self.lock();
                if !bytes.is_empty() {
                    state.acts.push_front(Act::Bytes(bytes));
                }
                state.acts.push_front(Act::Bytes(first));
                state.met = true;
                return Some(Pause::For(time));
            }
            _ => (bytes.len(), Duration::ZERO),
        };
        let first = bytes.split_to(at_once.min(bytes.len()));
        events.push(Event::Body { bytes: first, end: None });
        if bytes.is_empty() && !matches!(met, Some(What::Short(_) | What::AnyLength)) {
            return None;
        }
        if !bytes.is_empty() {
            self.lock().acts.push_front(Act::Bytes(bytes));
        }
        Some(Pause::For(pause))
    }

    fn put_back(&self, act: Act, pause: Pause) -> Pause {
        let mut state = self.lock();
        state.acts.push_front(act);
        state.met = true;
        pause
    }

    // ---- raw peers ----

    /// Bytes from a raw peer.
    fn bytes_came(self: &Arc<Self>, bytes: &[u8]) {
        match self.meets(&When::Stage(Stage::Read)) {
            Some(What::Fail(error, secure)) => return self.break_off(error, secure),
            Some(What::Close) => return self.server_left(End::Closed),
            Some(What::Stall) => return self.lock().raw = None,
            _ => {}
        }
        let mut state = self.lock();
        if let Some(upgraded) = &mut state.upgraded {
            let told = upgraded.arrived(bytes);
            drop(state);
            return self.tell_upgraded(told);
        }
        let held = state.held.is_some();
        let Some((link, reader)) = &mut state.raw else { return };
        let was_over = reader.over();
        let events = reader.push(bytes);
        if held {
            drop(state);
            return self.tunnel_answers(events);
        }
        if self.order.upgrade && reader.switched() {
            let upgraded = Upgraded::with(reader.rest());
            let released = state.released;
            state.upgraded = Some(upgraded);
            drop(state);
            if !released {
                self.sink.events(&mut events.into_iter());
            }
            return;
        }
        let tunnel = matches!(self.order.route, Route::Tunnel(..));
        if !was_over && reader.reusable() && self.order.keep_alive && !tunnel {
            link.detach();
            self.world.keep_link(self.key(), Arc::clone(link));
        } else if reader.over() {
            link.close();
        }
        let released = state.released;
        drop(state);
        if !released {
            self.sink.events(&mut events.into_iter());
        }
    }

    fn break_off(self: &Arc<Self>, error: Win32Error, secure: u32) {
        if let Some((link, _)) = self.lock().raw.take() {
            link.close();
        }
        self.fail(error, secure);
    }

    /// A raw peer has left.
    fn server_left(self: &Arc<Self>, end: End) {
        let mut state = self.lock();
        if let Some(upgraded) = &mut state.upgraded {
            let told = upgraded.ended(end);
            drop(state);
            return self.tell_upgraded(told);
        }
        let used = state.used;
        let Some((_, reader)) = &mut state.raw else { return };
        if used && reader.untouched() && !self.order.more {
            // It died while it was idle: once more, on a new connection.
            state.raw = None;
            drop(state);
            self.tell(Event::Restarted);
            return self.resolve();
        }
        let event = match end {
            End::Closed => reader.end(),
            End::Reset if reader.over() => None,
            End::Reset => Some(reader.fail(ERROR_WINHTTP_CONNECTION_ERROR)),
        };
        let (released, held) = (state.released, state.held.is_some());
        drop(state);
        match event.filter(|_| !released) {
            Some(event) if held => self.tunnel_answers(vec![event]),
            Some(event) => self.sink.event(event),
            None => {}
        }
    }

    /// Tells who listens to an upgraded connection.
    fn tell_upgraded(&self, events: impl IntoIterator<Item = Event>) {
        let state = self.lock();
        let sink = state.upgraded.as_ref().and_then(Upgraded::sink).filter(|_| !state.released);
        drop(state);
        if let Some(sink) = sink {
            for event in events {
                sink.event(event);
            }
        }
    }
}

impl Far for ScriptLeg {
    fn arrived(self: Arc<Self>, bytes: &[u8]) {
        self.bytes_came(bytes);
    }

    fn ended(self: Arc<Self>, end: End) {
        self.server_left(end);
    }
}

/// The machine's end of a leg.
pub struct Held(pub Arc<ScriptLeg>);

impl Leg for Held {
    fn go(&self) {
        let leg = &self.0;
        let origin = leg.origin();
        let known = leg.world.peer_of(&origin);
        leg.lock().peer = known.as_ref().map(|(peer, _)| peer.clone());
        let link = known.as_ref().filter(|_| leg.order.keep_alive).and_then(|_| leg.world.take_link(&leg.key()));
        match known {
            Some((peer, ends)) if link.is_some() => {
                if let Some(link) = link {
                    let reader = Reader::new(leg.order.head.asks_for_head_only(), leg.order.head_limit);
                    leg.take_link(link, reader, true);
                }
                leg.tell_secured(&peer, 0);
                leg.tell(Event::Ready(ends));
            }
            Some((peer, ends)) if leg.order.keep_alive && leg.world.take_kept(&leg.key()) => {
                leg.tell_secured(&peer, 0);
                leg.tell(Event::Ready(ends));
            }
            _ => leg.resolve(),
        }
    }

    fn proceed(&self) {
        let asking = self.0.lock().asking.take();
        match asking {
            Some(head) => self.0.ask(head),
            None => self.0.stage(Stage::Send, ScriptLeg::sent),
        }
    }

    fn tunnel(&self, again: Option<RequestHead>) {
        self.0.asked(again);
    }

    fn write(&self, bytes: Bytes) {
        let bytes = self.0.order.framed(bytes);
        self.0.stage(Stage::Write, move |leg| {
            let mut state = leg.lock();
            match &state.raw {
                Some((link, _)) => link.send(&bytes),
                None => state.body.extend_from_slice(&bytes),
            }
            let upgraded = state.upgraded.is_some();
            drop(state);
            if upgraded {
                leg.then(|leg| leg.tell_upgraded([Event::Wrote]));
            } else {
                leg.tell(Event::Wrote);
            }
        });
    }

    fn finish(&self) {
        let state = self.0.lock();
        let answers = state.raw.is_none() && state.refusal.is_none();
        drop(state);
        if answers {
            self.0.then(ScriptLeg::respond);
        }
    }

    fn taken(&self, _bytes: usize) {}

    fn next_address(&self) {
        self.0.fail(ERROR_WINHTTP_TIMEOUT, 0);
    }

    fn upgrade(&self, sink: Arc<dyn Sink>, _read_ahead: usize) {
        self.0.then(move |leg| {
            let told = leg.lock().upgraded.as_mut().map(|upgraded| upgraded.listen(sink));
            leg.tell_upgraded(told.into_iter().flatten());
        });
    }

    fn wake_at(&self, time: Option<Duration>, idle: bool) {
        self.0.lock().wake_at = time;
        if let Some(time) = time {
            let leg = Arc::clone(&self.0);
            self.0.world.plan(time, self.0.number, idle, move || {
                let state = leg.lock();
                // A timer that was set anew in the meantime rings at its own time.
                let rings = !state.released && state.wake_at == Some(time);
                let upgraded = state.upgraded.as_ref().and_then(Upgraded::sink);
                drop(state);
                if rings {
                    upgraded.as_ref().unwrap_or(&leg.sink).tick();
                }
            });
        }
    }

    fn release(&self) {
        let mut state = self.0.lock();
        state.released = true;
        // A reply that is over has given its connection back; any other takes it along.
        if let Some((link, _)) = state.raw.as_ref().filter(|(_, reader)| !reader.reusable()) {
            link.close();
        }
    }
}
