//! The way back: a reply is played, act by act.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ScriptAttempt;
use crate::http::{BodyLength, Headers, RequestKind, ResponseHead, http2};
use crate::lab::fault::{FaultKind, FaultTrigger, Stage, failure};
use crate::lab::gate::Gate;
use crate::lab::http1::Reader;
use crate::lab::reply::{Act, accept, interim};
use crate::lab::stream::Upgraded;
use crate::transport::Event;
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, Win32Error};

/// Why a reply does not go on at once.
enum Pause {
    Over,
    For(Duration),
    At(Gate),
}

/// How many bytes a head is.
fn size(head: &ResponseHead) -> u64 {
    head.raw_lines().iter().map(|line| line.len() as u64 + 2).sum::<u64>() + 2
}

/// A Content-Length that a reply brings itself ends its body (source m3); over HTTP/2 one that has not so much makes no sense.
fn end_at(length: u64, http2: bool, acts: &mut VecDeque<Act>) {
    let mut left = usize::try_from(length).unwrap_or(usize::MAX);
    for act in acts.iter_mut() {
        if let Act::Bytes(bytes) = act {
            bytes.truncate(left);
            left -= bytes.len();
        }
    }
    acts.retain(|act| !matches!(act, Act::Bytes(bytes) if bytes.is_empty()));
    if http2 && left > 0 {
        for act in acts.iter_mut().filter(|act| matches!(act, Act::End(_))) {
            *act = Act::Fail(ERROR_WINHTTP_INVALID_SERVER_RESPONSE, 0);
        }
    }
}

/// How many bytes a part of a body is, framed as a peer over bytes frames it.
fn on_wire(event: &Event, in_chunks: bool) -> u64 {
    let Event::Body { bytes, end } = event else { return 0 };
    let data = match bytes.len() {
        0 => 0,
        length if in_chunks => format!("{length:x}\r\n\r\n").len() + length,
        length => length,
    };
    let last = end.as_ref().filter(|_| in_chunks);
    let trailers = last.map_or(0, |trailers| trailers.iter().map(|field| field.line().len() + 2).sum::<usize>() + 5);
    (data + trailers) as u64
}

impl ScriptAttempt {
    /// Plays the reply on. What needs no time comes at once, with the head.
    pub(super) fn go_on(self: &Arc<Self>) {
        let mut events = Vec::new();
        let pause = loop {
            let mut state = self.lock();
            state.paused = state.room() == 0 && matches!(state.acts.front(), Some(Act::Bytes(_)));
            let paused = state.paused;
            drop(state);
            if paused {
                break Pause::Over;
            }
            let act = self.lock().acts.pop_front();
            let Some(act) = act else { break Pause::Over };
            let when = match &act {
                Act::Head(_) => Some(FaultTrigger::Stage(Stage::Head)),
                Act::Bytes(_) => Some(FaultTrigger::Stage(Stage::Read)),
                Act::End(_) => self.end_is_met(),
                Act::Passed(bytes) => Some(FaultTrigger::Body(*bytes)),
                Act::Wait(_) | Act::Gate(_) | Act::Interim(_) | Act::Upgrade(_) | Act::Fail(..) => None,
            };
            let met = when.is_some() && std::mem::take(&mut self.lock().met);
            let met_with = when.filter(|_| !met).and_then(|when| self.meets(&when));
            match self.act(act, met_with, &mut events) {
                None => {}
                Some(pause) => break pause,
            }
        };
        // A head counts what came with it.
        let in_chunks = self.lock().chunked && !self.over_http2();
        let with_head: u64 = events.iter().map(|event| on_wire(event, in_chunks)).sum();
        for event in &mut events {
            if let Event::Head { received, .. } = event {
                *received += with_head;
            }
        }
        let connecting = self.lock().connecting.is_some();
        if connecting {
            self.proxy_answers(events);
        } else if !events.is_empty() {
            self.told(&mut events.into_iter());
        }
        match pause {
            Pause::Over => {}
            Pause::For(delay) => self.after(delay, ScriptAttempt::go_on),
            Pause::At(gate) => self.beyond(&gate, ScriptAttempt::go_on),
        }
    }

    /// The end of a body is a stage of its own where something tells it.
    fn end_is_met(self: &Arc<Self>) -> Option<FaultTrigger> {
        let when = FaultTrigger::Stage(Stage::Close);
        let mut state = self.lock();
        if state.has_end {
            return Some(when);
        }
        let (mut faults, peer) = (std::mem::take(&mut state.faults), state.peer.clone());
        drop(state);
        if let Some(in_vain) = self.world.faults.in_vain(&when, peer.as_ref(), &mut faults) {
            self.world.complain(in_vain.cannot_strike_end());
        }
        None
    }

    /// The server has closed or broken the connection, and the reply is over. Behind a CONNECT another may go out on another
    /// connection in its place.
    pub(super) fn connection_ended(&self) {
        let mut state = self.lock();
        state.acts.clear();
        (state.over, state.keeps) = (true, false);
        let connecting = state.connecting.is_some();
        drop(state);
        if !connecting {
            self.leave_connection(false);
        }
    }

    /// One act of the server, and what it met with.
    fn act(self: &Arc<Self>, act: Act, met: Option<FaultKind>, events: &mut Vec<Event>) -> Option<Pause> {
        let end = |this: &Self, events: &mut Vec<Event>, error: Win32Error, secure| {
            this.connection_ended();
            events.push(Event::Failed(failure(error, secure)));
            Some(Pause::Over)
        };
        match &met {
            Some(FaultKind::Fail(error, secure)) => return end(self, events, *error, *secure),
            Some(FaultKind::Close) => {
                // m2: a stream that ends without END_STREAM is broken.
                let looks_complete = !matches!(act, Act::Head(_)) && !self.lock().chunked && !self.over_http2();
                if !looks_complete {
                    let before_head = matches!(act, Act::Head(_)) && !self.over_http2();
                    let error = if before_head { Stage::Head.closed() } else { ERROR_WINHTTP_CONNECTION_ERROR };
                    return end(self, events, error, 0);
                }
                self.connection_ended();
                events.push(Event::Body { bytes: Bytes::new(), end: Some(Headers::default()) });
                return Some(Pause::Over);
            }
            Some(FaultKind::Stall) => {
                self.lock().acts.clear();
                return Some(Pause::Over);
            }
            Some(FaultKind::Delay(delay)) => return Some(self.put_back(act, Pause::For(*delay))),
            Some(FaultKind::Wait(gate)) => return Some(self.put_back(act, Pause::At(gate.clone()))),
            Some(FaultKind::Answer(reply)) if matches!(act, Act::Head(_)) => {
                self.play(reply);
                // Its head stands for the one that has met its faults.
                self.lock().met = true;
                return Some(Pause::For(Duration::ZERO));
            }
            _ => {}
        }
        match act {
            Act::Wait(delay) => return (!delay.is_zero()).then_some(Pause::For(delay)),
            Act::Gate(gate) => return Some(Pause::At(gate)),
            Act::Interim(status) => {
                self.lock().interim += interim(status).len() as u64;
                events.push(Event::Interim(status));
            }
            // A 101 that nobody asked for is interim (source a12): what comes behind it is another head, or nothing.
            Act::Head(head) if head.is_interim(self.asked() == RequestKind::Upgrade) => {
                let mut state = self.lock();
                state.acts.retain(|act| matches!(act, Act::Upgrade(_)));
                state.interim += size(&head);
                drop(state);
                events.push(Event::Interim(head.status));
            }
            Act::Head(mut head) => {
                if head.status == 101 {
                    accept(&self.request.head, &mut head.headers);
                }
                let asked = self.asked();
                let length = BodyLength::of(&head, asked.is_bare(head.status));
                let http2 = self.over_http2();
                let counts = !http2 || self.request.http2.as_ref().is_none_or(|rules| !rules.require_end);
                let mut state = self.lock();
                state.has_end = length.is_ok_and(BodyLength::has_end);
                state.keeps = length.is_ok_and(|length| length.keeps(&head));
                state.chunked = head.is_chunked();
                if let (Ok(BodyLength::Length(length)), true) = (length, counts) {
                    end_at(length, http2, &mut state.acts);
                }
                drop(state);
                if asked != RequestKind::Connect {
                    self.learn(&head);
                }
                let (head, received) = match self.over_http2() {
                    true => http2::reply(head.status, &head.headers),
                    false => {
                        let before = std::mem::take(&mut self.lock().interim);
                        let size = size(&head);
                        (head, before + size)
                    }
                };
                events.push(Event::Head { head, received });
            }
            Act::Bytes(bytes) => return self.bytes(bytes, met, events),
            Act::Passed(_) => {}
            Act::Fail(error, secure) => return end(self, events, error, secure),
            Act::End(trailers) => {
                let mut state = self.lock();
                state.over = true;
                let (leaves, keeps) = (state.leaves(self.request.more), state.keeps && self.request.keep_alive);
                drop(state);
                // What the application still writes goes on; the connection is free after that.
                if leaves || self.over_http2() {
                    self.leave_connection(keeps);
                }
                events.push(Event::Body { bytes: Bytes::new(), end: Some(trailers) });
            }
            Act::Upgrade(handler) => {
                let reader = match self.asked() {
                    RequestKind::Upgrade => {
                        self.lock().upgraded = Some(Upgraded::default());
                        self.switched();
                        Reader::unframed()
                    }
                    _ => self.reader(),
                };
                self.play_raw(handler, reader);
                self.lock().reads = true;
            }
        }
        None
    }

    /// A piece of the body: whole, or the part of it that a slow or short connection brings.
    fn bytes(self: &Arc<Self>, mut bytes: Bytes, met: Option<FaultKind>, events: &mut Vec<Event>) -> Option<Pause> {
        let cut = matches!(met, Some(FaultKind::Short(_) | FaultKind::AnyLength));
        let at_once = match met {
            Some(FaultKind::Short(most)) => most,
            Some(FaultKind::AnyLength) => self.world.faults.length(bytes.len()),
            Some(FaultKind::Slow(rate)) => {
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
            _ => bytes.len(),
        };
        let mut state = self.lock();
        let room = state.room();
        let first = bytes.split_to(at_once.min(room).min(bytes.len()));
        state.unread += first.len();
        drop(state);
        if !self.drained(first.len()) {
            return Some(Pause::Over);
        }
        events.push(Event::Body { bytes: first, end: None });
        if !bytes.is_empty() {
            let mut state = self.lock();
            state.acts.push_front(Act::Bytes(bytes));
            // What only waits for room has met its faults.
            state.met = !cut;
        }
        cut.then_some(Pause::For(Duration::ZERO))
    }

    fn put_back(&self, act: Act, pause: Pause) -> Pause {
        let mut state = self.lock();
        state.acts.push_front(act);
        state.met = true;
        pause
    }
}
