//! What a server does after a request, whoever writes it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{ServerHost, injected};
use crate::http::{BodyLength, Headers, RequestKind, ResponseHead};
use crate::lab::fault::{Armed, FaultKind, FaultTrigger, Stage};
use crate::lab::peer::{Handler, Peer};
use crate::lab::reply::{Act, Reply};
use crate::net::failure::Injected;

/// What is to be written next.
pub enum Next {
    Interim(u16),
    Head(ResponseHead),
    Bytes(Bytes),
    End(Headers),
    /// The connection is played byte by byte from here on.
    Upgrade(Handler),
    /// Time passes before the next: what was written goes out.
    Pause(Pause),
    /// The connection is closed.
    Close,
    /// The connection breaks, and the client meets with this.
    Reset(Injected),
    /// Nothing more comes.
    Stall,
}

/// What is waited for.
pub enum Pause {
    /// The client gets what was written before.
    Turn,
    For(Duration),
    At(crate::lab::Gate),
}

impl Pause {
    pub async fn over(self, place: &dyn ServerHost) {
        match self {
            Pause::Turn => place.turn().await,
            Pause::For(time) => place.sleep(time).await,
            Pause::At(gate) => place.gate(&gate).await,
        }
    }
}

/// A reply that is being played.
pub struct Play {
    place: Arc<dyn ServerHost>,
    peer: Peer,
    asked: RequestKind,
    acts: std::collections::VecDeque<Act>,
    faults: Vec<Armed>,
    /// Whether the first act has met its faults already.
    met: bool,
    /// Whether the client is to have what was written.
    turn: bool,
    /// Whether something tells the end of the body.
    has_end: bool,
}

impl Play {
    pub fn new(place: &Arc<dyn ServerHost>, peer: &Peer, reply: &Reply, asked: RequestKind) -> Play {
        let (acts, faults) = (reply.acts(asked).into(), armed(reply));
        Play {
            place: Arc::clone(place),
            peer: peer.clone(),
            asked,
            acts,
            faults,
            met: false,
            turn: false,
            has_end: false,
        }
    }

    /// What comes next; `None` at the end.
    pub fn next(&mut self) -> Option<Next> {
        if std::mem::take(&mut self.turn) {
            return Some(Next::Pause(Pause::Turn));
        }
        loop {
            let act = self.acts.pop_front()?;
            let when = match &act {
                Act::Head(_) => Some(FaultTrigger::Stage(Stage::Head)),
                Act::Bytes(_) => Some(FaultTrigger::Stage(Stage::Read)),
                Act::End(_) => self.end_is_met(),
                Act::Passed(bytes) => Some(FaultTrigger::Body(*bytes)),
                Act::Wait(_) | Act::Gate(_) | Act::Interim(_) | Act::Upgrade(_) | Act::Fail(..) => None,
            };
            let met = when.is_some() && std::mem::take(&mut self.met);
            let met = when.filter(|_| !met).and_then(|when| self.place.meets(&when, &self.peer, &mut self.faults));
            match (met, act) {
                (Some(FaultKind::Fail(error, secure)), _) | (None, Act::Fail(error, secure)) => {
                    return self.last(Next::Reset(injected(error, secure)));
                }
                (Some(FaultKind::Close), _) => return self.last(Next::Close),
                (Some(FaultKind::Stall), _) => return self.last(Next::Stall),
                (Some(FaultKind::Delay(delay)), act) => return self.pause(act, Pause::For(delay)),
                (Some(FaultKind::Wait(gate)), act) => return self.pause(act, Pause::At(gate)),
                (Some(FaultKind::Answer(reply)), Act::Head(_)) => {
                    self.acts = reply.acts(self.asked).into();
                    self.faults = armed(&reply);
                    // Its head stands for the one that has met its faults.
                    self.met = true;
                }
                (Some(short @ (FaultKind::Short(_) | FaultKind::AnyLength)), Act::Bytes(mut bytes)) => {
                    let most = if let FaultKind::Short(most) = short { most } else { self.place.length(bytes.len()) };
                    if most >= bytes.len() {
                        return Some(Next::Bytes(bytes));
                    }
                    let first = bytes.split_to(most);
                    // The client gets them one by one.
                    self.acts.push_front(Act::Bytes(bytes));
                    self.turn = true;
                    return Some(Next::Bytes(first));
                }
                (Some(FaultKind::Slow(rate)), Act::Bytes(mut bytes)) => {
                    let count = (rate / 10).max(1).min(bytes.len() as u64);
                    let first = bytes.split_to(count as usize);
                    if !bytes.is_empty() {
                        self.acts.push_front(Act::Bytes(bytes));
                    }
                    let time = Duration::from_nanos(count * 1_000_000_000 / rate);
                    return self.pause(Act::Bytes(first), Pause::For(time));
                }
                (_, Act::Wait(time)) if time.is_zero() => {}
                (_, Act::Passed(_)) => {}
                (_, Act::Wait(time)) => return Some(Next::Pause(Pause::For(time))),
                (_, Act::Gate(gate)) => return Some(Next::Pause(Pause::At(gate))),
                (_, Act::Interim(status)) => return Some(Next::Interim(status)),
                (_, Act::Head(head)) => {
                    let length = BodyLength::of(&head, self.asked.is_bare(head.status));
                    self.has_end = length.is_ok_and(BodyLength::has_end);
                    return Some(Next::Head(head));
                }
                (_, Act::Bytes(bytes)) => return Some(Next::Bytes(bytes)),
                (_, Act::End(trailers)) => return Some(Next::End(trailers)),
                (_, Act::Upgrade(handler)) => {
                    self.peer.plays_socket();
                    return Some(Next::Upgrade(handler));
                }
                (Some(_), Act::Fail(error, secure)) => return self.last(Next::Reset(injected(error, secure))),
            }
        }
    }

    /// The end of a body is a stage of its own where something tells it.
    fn end_is_met(&mut self) -> Option<FaultTrigger> {
        let when = FaultTrigger::Stage(Stage::Close);
        if self.has_end {
            return Some(when);
        }
        if let Some(in_vain) = self.place.in_vain(&when, &self.peer, &mut self.faults) {
            self.place.complain(in_vain.cannot_strike_end());
        }
        None
    }

    /// What the rest of the connection meets with.
    pub fn into_faults(self) -> Vec<Armed> {
        self.faults
    }

    fn last(&mut self, next: Next) -> Option<Next> {
        self.acts.clear();
        Some(next)
    }

    fn pause(&mut self, act: Act, pause: Pause) -> Option<Next> {
        self.acts.push_front(act);
        self.met = true;
        Some(Next::Pause(pause))
    }
}

fn armed(reply: &Reply) -> Vec<Armed> {
    reply.faults.iter().cloned().map(Armed::new).collect()
}
