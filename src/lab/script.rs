//! The transport of a Sim: no bytes, no sockets; peers are asked and their replies told, piece by piece.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::http1::Reader;
use super::peer::{Peer, Received};
use super::raw::{End, Link, RawConnection};
use super::reply::{Fault, Reply};
use super::stream::Upgraded;
use super::world::SimWorld;
use crate::http::{Headers, RequestHead};
use crate::transport::{Event, Failure, Leg, Order, Peer as Ends, Sink};
use crate::win32::{
    ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_NAME_NOT_RESOLVED, ERROR_WINHTTP_TIMEOUT, Win32Error,
};

#[derive(Default)]
pub struct State {
    body: BytesMut,
    released: bool,
    wake_at: Option<Duration>,
    peer: Option<Peer>,
    /// The connection to a raw peer, and the reply that comes over it.
    raw: Option<(Arc<Link>, Reader)>,
    /// Whether that connection was used before.
    used: bool,
    /// After a 101.
    upgraded: Option<Upgraded>,
    /// The CONNECT that goes out when SENDING_REQUEST was delivered.
    pub asking: Option<RequestHead>,
    /// What the proxy answered it, if that is no tunnel.
    pub refusal: Option<Reply>,
}

/// An order on its way through the script.
pub struct ScriptLeg {
    pub world: Arc<SimWorld>,
    pub sink: Arc<dyn Sink>,
    pub order: Order,
    state: Mutex<State>,
}

impl ScriptLeg {
    pub fn new(world: Arc<SimWorld>, order: Order, sink: Arc<dyn Sink>) -> ScriptLeg {
        ScriptLeg { world, sink, order, state: Mutex::default() }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something after a while, unless nobody wants the leg any more.
    pub fn after(self: &Arc<Self>, delay: Duration, then: impl FnOnce(&Arc<Self>) + Send + 'static) {
        let leg = Arc::clone(self);
        self.world.after(delay, move || {
            if !leg.lock().released {
                then(&leg);
            }
        });
    }

    pub fn tell(self: &Arc<Self>, delay: Duration, event: Event) {
        self.after(delay, move |leg| leg.sink.event(event));
    }

    pub fn fail(self: &Arc<Self>, delay: Duration, error: Win32Error, secure: u32) {
        self.tell(delay, Event::Failed(Failure { secure, ..error.into() }));
    }

    /// A new connection: name, address, TCP, TLS. Then the head may go out.
    fn connect(self: &Arc<Self>, known: Option<(Peer, Ends)>) {
        let zero = Duration::ZERO;
        self.tell(zero, Event::Resolving);
        let Some((peer, ends)) = known else {
            self.world.unknown_host(&self.reached());
            return self.fail(zero, ERROR_WINHTTP_NAME_NOT_RESOLVED, 0);
        };
        let address = ends.remote.ip().to_string();
        self.tell(zero, Event::Resolved(address.clone()));
        self.tell(zero, Event::Connecting(address.clone()));
        let fault = peer.connection_fault();
        if fault != Some(Fault::Refuse) {
            self.tell(zero, Event::Connected(address));
        }
        match fault.and_then(Fault::failure) {
            Some((error, secure)) => self.fail(zero, error, secure),
            None => {
                if let Some(handler) = peer.handler() {
                    let link = Link::new(&self.world);
                    self.take_link(Arc::clone(&link), false);
                    let world = Arc::clone(&self.world);
                    self.world.after(zero, move || world.run_on_worker(Box::new(move || handler(RawConnection(link)))));
                }
                self.passed_first_hop(ends);
            }
        }
    }

    fn take_link(self: &Arc<Self>, link: Arc<Link>, used: bool) {
        link.attach(self);
        let mut state = self.lock();
        state.raw = Some((link, Reader::new(self.order.head.asks_for_head_only(), self.order.head_limit)));
        state.used = used;
    }

    /// Bytes from a raw peer.
    pub fn arrived(self: &Arc<Self>, bytes: &[u8]) {
        let mut state = self.lock();
        if let Some(upgraded) = &mut state.upgraded {
            let told = upgraded.arrived(bytes);
            drop(state);
            return self.tell_upgraded(told);
        }
        let Some((link, reader)) = &mut state.raw else { return };
        let was_over = reader.over();
        let events = reader.push(bytes);
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
        if !was_over && reader.reusable() && self.order.keep_alive {
            link.detach();
            self.world.keep_link(self.origin(), Arc::clone(link));
        } else if reader.over() {
            link.close();
        }
        let released = state.released;
        drop(state);
        if !released {
            self.sink.events(&mut events.into_iter());
        }
    }

    /// A raw peer has left.
    pub fn ended(self: &Arc<Self>, end: End) {
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
            self.tell(Duration::ZERO, Event::Restarted);
            return self.connect(self.world.peer_of(&self.reached()));
        }
        let event = match end {
            End::Closed => reader.end(),
            End::Reset if reader.over() => None,
            End::Reset => Some(reader.fail(ERROR_WINHTTP_CONNECTION_ERROR)),
        };
        let released = state.released;
        drop(state);
        if let Some(event) = event.filter(|_| !released) {
            self.sink.event(event);
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

    /// The request is complete: the peer answers.
    fn respond(self: &Arc<Self>) {
        let body = self.lock().body.split().freeze();
        let Some(peer) = self.lock().peer.clone() else { return };
        self.play(peer.answer(Received::new(&self.order.head, body)));
    }

    /// A reply comes, piece by piece.
    pub fn play(self: &Arc<Self>, reply: Reply) {
        if reply.never {
            return;
        }
        let mut at = reply.delay;
        for status in &reply.interim {
            self.tell(at, Event::Interim(*status));
        }
        let head = reply.complete_head();
        let no_body = self.order.head.asks_for_head_only() || matches!(head.status, 101 | 204 | 304);
        let mut pieces = if no_body { Vec::new() } else { reply.pieces() };
        let wire: usize = head.raw_lines().iter().map(|line| line.len() + 2).sum();
        // What needs no time comes with the head.
        let first = if reply.between.is_zero() { std::mem::take(&mut pieces) } else { Vec::new() };
        let received = (wire + 2 + first.iter().map(Bytes::len).sum::<usize>()) as u64;
        let mut events = vec![Event::Head { head, received }];
        events.extend(first.into_iter().map(|bytes| Event::Body { bytes, end: None }));
        if pieces.is_empty() {
            events.extend(self.last(&reply));
        }
        self.after(at, move |leg| leg.sink.events(&mut events.into_iter()));
        let count = pieces.len();
        for (number, bytes) in pieces.into_iter().enumerate() {
            at += reply.between;
            let mut events = vec![Event::Body { bytes, end: None }];
            if number + 1 == count {
                events.extend(self.last(&reply));
            }
            self.after(at, move |leg| leg.sink.events(&mut events.into_iter()));
        }
    }

    /// How a reply ends; nothing for one that stalls.
    fn last(&self, reply: &Reply) -> Option<Event> {
        match reply.fault {
            None => {
                if self.order.keep_alive {
                    self.world.keep(self.origin());
                }
                Some(Event::Body { bytes: Bytes::new(), end: Some(Headers::default()) })
            }
            Some(fault) => fault.failure().map(|(error, secure)| Event::Failed(Failure { secure, ..error.into() })),
        }
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
        let link = known.as_ref().filter(|_| leg.order.keep_alive).and_then(|_| leg.world.take_link(&origin));
        match known {
            Some((_, ends)) if link.is_some() => {
                if let Some(link) = link {
                    leg.take_link(link, true);
                }
                leg.tell(Duration::ZERO, Event::Ready(ends));
            }
            Some((_, ends)) if leg.order.keep_alive && leg.world.take_kept(&origin) => {
                leg.tell(Duration::ZERO, Event::Ready(ends));
            }
            _ => leg.connect(leg.world.peer_of(&leg.reached())),
        }
    }

    fn proceed(&self) {
        let leg = &self.0;
        let mut state = leg.lock();
        if let Some(head) = state.asking.take() {
            drop(state);
            return leg.ask(head);
        }
        state.body.clear();
        let body = leg.order.first();
        state.body.extend_from_slice(&body);
        let raw = state.raw.as_ref().map(|(link, _)| Arc::clone(link));
        drop(state);
        let head = leg.order.head.to_wire();
        if let Some(link) = &raw {
            link.send(&head);
            link.send(&body);
        }
        let bytes = (head.len() + body.len()) as u64;
        leg.tell(Duration::ZERO, Event::Sent(bytes));
        if !leg.order.more && raw.is_none() {
            leg.after(Duration::ZERO, ScriptLeg::respond);
        }
    }

    fn tunnel(&self, again: Option<RequestHead>) {
        self.0.asked(again);
    }

    fn write(&self, bytes: Bytes) {
        let bytes = self.0.order.framed(bytes);
        let mut state = self.0.lock();
        if state.upgraded.is_some() {
            if let Some((link, _)) = &state.raw {
                link.send(&bytes);
            }
            drop(state);
            return self.0.after(Duration::ZERO, |leg| leg.tell_upgraded([Event::Wrote]));
        }
        match &state.raw {
            Some((link, _)) => link.send(&bytes),
            None => state.body.extend_from_slice(&bytes),
        }
        drop(state);
        self.0.tell(Duration::ZERO, Event::Wrote);
    }

    fn finish(&self) {
        let state = self.0.lock();
        let answers = state.raw.is_none() && state.refusal.is_none();
        drop(state);
        if answers {
            self.0.after(Duration::ZERO, ScriptLeg::respond);
        }
    }

    fn taken(&self, _bytes: usize) {}

    fn next_address(&self) {
        self.0.fail(Duration::ZERO, ERROR_WINHTTP_TIMEOUT, 0);
    }

    fn upgrade(&self, sink: Arc<dyn Sink>, _read_ahead: usize) {
        self.0.after(Duration::ZERO, move |leg| {
            let told = leg.lock().upgraded.as_mut().map(|upgraded| upgraded.listen(sink));
            leg.tell_upgraded(told.into_iter().flatten());
        });
    }

    fn wake_at(&self, time: Option<Duration>, idle: bool) {
        self.0.lock().wake_at = time;
        if let Some(time) = time {
            let leg = Arc::clone(&self.0);
            self.0.world.plan(time, idle, move || {
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
