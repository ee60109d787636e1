//! The machine's end of a leg.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ScriptLeg;
use crate::http::{OutgoingBody, RequestHead};
use crate::lab::fault::Stage;
use crate::lab::http1::Reader;
use crate::lab::stream::Upgraded;
use crate::transport::{Event, Leg, Sink};
use crate::win32::ERROR_WINHTTP_TIMEOUT;

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
            if let Some(outgoing) = &mut state.outgoing {
                outgoing.add(&bytes);
            }
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
        let whole = state.outgoing.as_ref().is_some_and(OutgoingBody::whole);
        // An exchange that is over has given its connection back; any other takes it along.
        if let Some((link, _)) = state.raw.as_ref().filter(|(_, reader)| !reader.reusable() || !whole) {
            link.close();
        }
    }
}
