//! The client's side of a request over the bytes of a Sim: what goes wrong while it goes out, and what a server that breaks
//! a stream of HTTP/2 means by that.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;

use super::injected;
use crate::http::RequestHead;
use crate::lab::fault::{FaultKind, FaultTrigger, Stage};
use crate::lab::proxied::origin;
use crate::lab::world::{Origin, SimWorld};
use crate::net::failure::Injected;
use crate::sync::Mutex;
use crate::transport::{Attempt, ConnectionGroupId, ConnectionInfo, Event, Failure, Sink, TransportRequest};
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, Win32Error};

/// Codes from here on, which HTTP/2 does not use, are Windows' errors.
const CODES: u32 = 0x4C00_0000;

/// The code of the RST_STREAM that stands for a failure.
pub fn reason(Injected(failure): Injected) -> Reason {
    match failure.error {
        ERROR_WINHTTP_CONNECTION_ERROR => Reason::INTERNAL_ERROR,
        other => Reason::from(CODES | other.0 & 0xFFFF),
    }
}

/// What a failure means: the code is not for the program.
fn meant(failure: Failure) -> Failure {
    match failure.stream & 0xFFFF_0000 {
        CODES => Win32Error(failure.stream & 0xFFFF).into(),
        _ => failure,
    }
}

/// Listens between the network and the machine.
struct Between {
    sink: Arc<dyn Sink>,
    /// Whether CONNECT goes out next, and not the request.
    tunnel: Mutex<bool>,
}

impl Sink for Between {
    fn events(&self, events: &mut dyn Iterator<Item = Event>) {
        self.sink.events(&mut events.map(|event| {
            if let Event::TunnelReady(_) | Event::Ready { .. } = event {
                *self.tunnel.lock() = matches!(event, Event::TunnelReady(_));
            }
            match event {
                Event::Failed(failure) => Event::Failed(meant(failure)),
                other => other,
            }
        }));
    }

    fn tick(&self) {
        self.sink.tick();
    }

    fn note(&self, text: &str) {
        self.sink.note(text);
    }

    fn handle(&self) -> usize {
        self.sink.handle()
    }
}

/// What goes out.
enum Outgoing {
    Head,
    Piece(Bytes),
    End,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Outgoing>,
    /// Something keeps the oldest back.
    kept: bool,
    /// Who listens to an upgraded connection.
    upgraded: Option<Arc<dyn Sink>>,
}

/// An attempt of the network, whose request meets with the faults of a Sim on its way out.
pub struct FaultedAttempt {
    inner: Arc<dyn Attempt>,
    between: Arc<Between>,
    world: Weak<SimWorld>,
    sequence: usize,
    origin: Origin,
    state: Mutex<State>,
    me: Weak<FaultedAttempt>,
}

impl FaultedAttempt {
    /// A request that the network starts.
    pub fn new(
        world: &Arc<SimWorld>,
        request: Box<TransportRequest>,
        sink: Arc<dyn Sink>,
        start: impl FnOnce(Box<TransportRequest>, Arc<dyn Sink>) -> Arc<dyn Attempt>,
    ) -> Arc<FaultedAttempt> {
        let origin = origin(&request);
        let between = Arc::new(Between { sink, tunnel: Mutex::new(false) });
        let inner = start(request, Arc::clone(&between) as _);
        let (sequence, world) = (world.next_sequence(), Arc::downgrade(world));
        let (state, between) = (Mutex::default(), between);
        Arc::new_cyclic(|me| FaultedAttempt { inner, between, world, sequence, origin, state, me: me.clone() })
    }

    fn add(&self, outgoing: Outgoing) {
        self.state.lock().queue.push_back(outgoing);
        self.go_on();
    }

    /// Lets out what is not kept back.
    fn go_on(&self) {
        loop {
            let mut state = self.state.lock();
            if state.kept {
                return;
            }
            let Some(outgoing) = state.queue.pop_front() else { return };
            drop(state);
            let stage = match outgoing {
                Outgoing::Head => Some(Stage::Send),
                Outgoing::Piece(_) => Some(Stage::Write),
                Outgoing::End => None,
            };
            match stage.and_then(|stage| Some((stage, self.meets(stage)?))) {
                Some((stage, met)) => self.obey(stage, met, outgoing),
                None => self.let_out(outgoing),
            }
        }
    }

    fn meets(&self, stage: Stage) -> Option<FaultKind> {
        let world = self.world.upgrade()?;
        let peer = world.peer_of(&self.origin).map(|(peer, _)| peer);
        world.faults.at(&FaultTrigger::Stage(stage), peer.as_ref(), &mut [], None)
    }

    fn obey(&self, stage: Stage, met: FaultKind, outgoing: Outgoing) {
        match met {
            FaultKind::Fail(error, secure) => self.fail(injected(error, secure)),
            FaultKind::Close => self.fail(injected(stage.closed(), 0)),
            FaultKind::Stall => self.state.lock().kept = true,
            FaultKind::Delay(delay) => self.later(outgoing, |world, sequence, act| world.after(delay, sequence, act)),
            FaultKind::Wait(gate) => self.later(outgoing, |_, sequence, act| gate.then(sequence, act)),
            _ => self.let_out(outgoing),
        }
    }

    fn later(&self, outgoing: Outgoing, plan: impl FnOnce(&Arc<SimWorld>, usize, Box<dyn FnOnce() + Send>)) {
        self.state.lock().kept = true;
        let Some(world) = self.world.upgrade() else { return };
        let me = self.me.clone();
        let act = move || {
            if let Some(me) = me.upgrade() {
                me.state.lock().kept = false;
                me.let_out(outgoing);
                me.go_on();
            }
        };
        plan(&world, self.sequence, Box::new(act));
    }

    fn let_out(&self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Head => self.inner.proceed(),
            Outgoing::Piece(bytes) => self.inner.write(bytes),
            Outgoing::End => self.inner.finish(),
        }
    }

    /// Nothing goes out any more, and nothing comes.
    fn fail(&self, Injected(failure): Injected) {
        let mut state = self.state.lock();
        state.kept = true;
        let sink = state.upgraded.clone().unwrap_or_else(|| Arc::clone(&self.between) as _);
        drop(state);
        self.inner.release();
        if let Some(world) = self.world.upgrade() {
            world.after(Duration::ZERO, self.sequence, move || sink.event(Event::Failed(failure)));
        }
    }
}

impl Attempt for FaultedAttempt {
    fn go(self: Arc<Self>) {
        Arc::clone(&self.inner).go();
    }

    fn proceed(&self) {
        match *self.between.tunnel.lock() {
            true => self.inner.proceed(),
            false => self.add(Outgoing::Head),
        }
    }

    fn tunnel(&self, again: Option<RequestHead>) {
        self.inner.tunnel(again);
    }

    fn write(&self, bytes: Bytes) {
        self.add(Outgoing::Piece(bytes));
    }

    fn finish(&self) {
        self.add(Outgoing::End);
    }

    fn taken(&self, bytes: usize) {
        self.inner.taken(bytes);
    }

    fn next_address(&self) {
        self.inner.next_address();
    }

    fn mark(&self, mark: ConnectionGroupId) {
        self.inner.mark(mark);
    }

    fn expire(&self) {
        self.inner.expire();
    }

    fn connection_info(&self) -> Option<ConnectionInfo> {
        self.inner.connection_info()
    }

    fn upgrade(&self, sink: Arc<dyn Sink>, read_ahead: usize) {
        self.state.lock().upgraded = Some(Arc::clone(&sink));
        self.inner.upgrade(sink, read_ahead);
    }

    fn wake_at(&self, time: Option<Duration>, idle: bool) {
        self.inner.wake_at(time, idle);
    }

    fn release(&self) {
        self.state.lock().kept = true;
        self.inner.release();
    }
}
