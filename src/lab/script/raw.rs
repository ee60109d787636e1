//! What comes from a peer that is played byte by byte.

use std::sync::Arc;

use super::ScriptAttempt;
use crate::http::OutgoingBody;
use crate::lab::fault::{FaultKind, FaultTrigger, Stage, failure};
use crate::lab::raw::{End, PipeClient};
use crate::lab::stream::Upgraded;
use crate::transport::{Event, Route};
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, Win32Error};

impl ScriptAttempt {
    /// Bytes from a raw peer.
    fn bytes_came(self: &Arc<Self>, bytes: &[u8]) {
        match self.meets(&FaultTrigger::Stage(Stage::Read)) {
            Some(FaultKind::Fail(error, secure)) => return self.break_off(error, secure),
            Some(FaultKind::Close) => return self.server_left(End::Closed),
            Some(FaultKind::Stall) => return self.lock().raw = None,
            Some(other) => {
                let complaint =
                    format!("a fault that cannot strike a server that is played byte by byte: Read -> {other:?}");
                self.world.complain(complaint);
            }
            None => {}
        }
        let mut state = self.lock();
        if let Some(upgraded) = &mut state.upgraded {
            let told = upgraded.arrived(bytes);
            drop(state);
            return self.tell_upgraded(told);
        }
        let held = state.held.is_some();
        let whole = state.outgoing.as_ref().is_some_and(OutgoingBody::whole);
        let Some((pipe, reader)) = &mut state.raw else { return };
        let was_over = reader.over();
        let events = reader.push(bytes);
        if held {
            drop(state);
            return self.tunnel_answers(events);
        }
        if self.request.upgrade && reader.switched() {
            let upgraded = Upgraded::with(reader.rest());
            let released = state.released;
            state.upgraded = Some(upgraded);
            drop(state);
            self.switched();
            if !released {
                self.sink.events(&mut events.into_iter());
            }
            return;
        }
        let ends = !was_over && reader.over();
        let tunnel = matches!(self.request.route, Route::Tunnel(..));
        let keeps = reader.reusable() && self.request.keep_alive && !tunnel;
        if ends && keeps && whole {
            pipe.detach();
        } else if ends && !keeps {
            pipe.close();
        }
        (state.over, state.keeps) = (state.over || ends, keeps);
        let body = |event: &Event| if let Event::Body { bytes, .. } = event { bytes.len() } else { 0 };
        state.unread += events.iter().map(body).sum::<usize>();
        drop(state);
        if ends && (whole || !keeps) {
            self.leave_connection(keeps);
        }
        self.told(&mut events.into_iter());
        self.drained(bytes.len());
    }

    fn break_off(self: &Arc<Self>, error: Win32Error, secure: u32) {
        if let Some((pipe, _)) = self.lock().raw.take() {
            pipe.close();
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
        let unwritten = state.outgoing.is_none();
        let Some((_, reader)) = &mut state.raw else { return };
        let again = unwritten || self.request.pool_rules.retry_stale && !self.request.more;
        if used && reader.untouched() && again {
            // It died while it was idle: once more, on a new connection.
            (state.raw, state.outgoing) = (None, None);
            drop(state);
            self.leave_connection(false);
            self.tell(Event::Restarted);
            return self.find(true);
        }
        let event = match end {
            End::Closed => reader.end(),
            End::Reset if reader.over() => None,
            End::Reset => {
                reader.fail(ERROR_WINHTTP_CONNECTION_ERROR);
                Some(Event::Failed(failure(ERROR_WINHTTP_CONNECTION_ERROR, 0)))
            }
        };
        let (released, held) = (state.released, state.held.is_some());
        drop(state);
        self.leave_connection(false);
        match event.filter(|_| !released) {
            Some(event) if held => self.tunnel_answers(vec![event]),
            Some(event) => self.sink.event(event),
            None => {}
        }
    }

    /// Tells who listens to an upgraded connection.
    pub(super) fn tell_upgraded(&self, events: impl IntoIterator<Item = Event>) {
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

impl PipeClient for ScriptAttempt {
    fn arrived(self: Arc<Self>, bytes: &[u8]) {
        self.bytes_came(bytes);
    }

    fn ended(self: Arc<Self>, end: End) {
        self.server_left(end);
    }
}
