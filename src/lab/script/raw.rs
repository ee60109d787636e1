//! What comes from a peer that is played byte by byte.

use std::sync::Arc;

use bytes::Bytes;

use super::{ScriptAttempt, State};
use crate::connection::tries_again;
use crate::lab::fault::{FaultKind, FaultTrigger, Stage, failure};
use crate::lab::raw::{End, PipeClient};
use crate::lab::stream::Upgraded;
use crate::transport::{Event, Route};
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, Win32Error};

/// What comes of a peer.
#[derive(Debug)]
pub enum Arrival {
    /// So many bytes that it sent at once, or the rest of them.
    Bytes(Bytes, bool),
    /// Its end.
    End(End),
}

/// So many bytes are read at a time.
const PIECE: usize = 16 * 1024;

impl State {
    /// The next that is read: nothing before the request is out, and as long as the program has enough to take.
    fn next_arrival(&mut self) -> Option<Arrival> {
        if !(self.reads && self.room() > 0) && self.upgraded.is_none() {
            return None;
        }
        let mut arrival = self.inbox.pop_front()?;
        if let Arrival::Bytes(bytes, _) = &mut arrival {
            let rest = bytes.split_off(bytes.len().min(PIECE));
            if !rest.is_empty() {
                self.inbox.push_front(Arrival::Bytes(rest, false));
            }
        }
        Some(arrival)
    }
}

impl ScriptAttempt {
    /// Reads what has come, as far as it may.
    pub fn take_in(self: &Arc<Self>) {
        loop {
            let arrival = self.lock().next_arrival();
            match arrival {
                Some(Arrival::Bytes(bytes, first)) => self.bytes_came(&bytes, first),
                Some(Arrival::End(end)) => self.server_left(end),
                None => return,
            }
        }
    }

    /// Bytes from a raw peer; `first`: those that it sent at once begin with them.
    fn bytes_came(self: &Arc<Self>, bytes: &[u8], first: bool) {
        match if first { self.meets(&FaultTrigger::Stage(Stage::Read)) } else { None } {
            Some(FaultKind::Fail(error, secure)) => return self.break_off(error, secure),
            Some(FaultKind::Close) => return self.server_left(End::Closed),
            Some(FaultKind::Stall) => return self.lock().raw = None,
            Some(other) => self.world.complain(other.cannot_strike_bytes()),
            None => {}
        }
        let mut state = self.lock();
        if let Some(upgraded) = &mut state.upgraded {
            let told = upgraded.arrived(bytes);
            drop(state);
            return self.tell_upgraded(told);
        }
        let behind = !state.inbox.iter().all(|arrival| matches!(arrival, Arrival::End(_)));
        let Some((_, reader)) = &mut state.raw else { return };
        let was_over = reader.over();
        let events = reader.push(bytes);
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
        let body = |event: &Event| if let Event::Body { bytes, .. } = event { bytes.len() } else { 0 };
        let length = events.iter().map(body).sum::<usize>();
        let ends = !was_over && reader.over();
        let keeps = reader.reusable() && !behind;
        (state.over, state.keeps) = (state.over || ends, keeps);
        state.unread += length;
        if state.connecting.is_some() {
            drop(state);
            return self.proxy_answers(events);
        }
        let tunnel = matches!(self.request.route, Route::Tunnel(..));
        let keeps = keeps && self.request.keep_alive && !tunnel;
        state.keeps = keeps;
        let leaves = state.leaves(self.request.more) || !keeps;
        if let Some((pipe, _)) = state.raw.as_ref().filter(|_| ends && leaves) {
            if keeps { pipe.detach() } else { pipe.close() }
        }
        drop(state);
        if !self.drained(length) {
            return;
        }
        for event in &events {
            if let Event::Head { head, .. } = event {
                self.learn(head);
            }
        }
        if ends && leaves {
            self.leave_connection(keeps);
        }
        self.told(&mut events.into_iter());
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
        let (used, unwritten) = (state.used, state.outgoing.is_none());
        let Some((_, reader)) = &mut state.raw else { return };
        let again = tries_again(used, unwritten, self.request.pool_rules.retry_stale, self.request.more);
        if reader.untouched() && again {
            drop(state);
            return self.restart();
        }
        let event = match end {
            End::Closed => reader.end(),
            End::Reset if reader.over() => None,
            End::Reset => {
                reader.fail(ERROR_WINHTTP_CONNECTION_ERROR);
                Some(Event::Failed(failure(ERROR_WINHTTP_CONNECTION_ERROR, 0)))
            }
        };
        let connecting = state.connecting.is_some();
        drop(state);
        self.connection_ended();
        if connecting {
            return self.proxy_answers(event.into_iter().collect());
        }
        self.told(&mut event.into_iter());
    }

    /// Its connection died while it was idle: once more, on a new one.
    pub(super) fn restart(self: &Arc<Self>) {
        let mut state = self.lock();
        let raw = state.raw.take();
        state.outgoing = None;
        drop(state);
        raw.iter().for_each(|(pipe, _)| pipe.leave());
        self.leave_connection(false);
        self.tell(Event::Restarted);
        self.find(true);
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
        self.lock().inbox.push_back(Arrival::Bytes(Bytes::copy_from_slice(bytes), true));
        self.take_in();
    }

    fn ended(self: Arc<Self>, end: End) {
        let mut state = self.lock();
        if state.inbox.is_empty() {
            drop(state);
            return self.server_left(end);
        }
        state.inbox.push_back(Arrival::End(end));
        drop(state);
        self.take_in();
    }
}
