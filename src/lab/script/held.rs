//! The machine's end of an attempt.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::ScriptAttempt;
use crate::http::{OutgoingBody, RequestHead};
use crate::lab::fault::Stage;
use crate::lab::http1::Reader;
use crate::lab::stream::Upgraded;
use crate::transport::{Attempt, Event, Sink};
use crate::win32::ERROR_WINHTTP_TIMEOUT;

/// The machine's end of an attempt.
pub struct Held(pub Arc<ScriptAttempt>);

impl Attempt for Held {
    fn go(&self) {
        let attempt = &self.0;
        let origin = attempt.origin();
        let known = attempt.world.peer_of(&origin);
        attempt.lock().peer = known.as_ref().map(|(peer, _)| peer.clone());
        let pipe =
            known.as_ref().filter(|_| attempt.request.keep_alive).and_then(|_| attempt.world.take_pipe(&attempt.key()));
        match known {
            Some((peer, ends)) if pipe.is_some() => {
                if let Some(pipe) = pipe {
                    let reader = Reader::new(attempt.request.head.asks_for_head_only(), attempt.request.head_limit)
                        .of_upgrade(attempt.request.upgrade);
                    attempt.take_pipe(pipe, reader, true);
                }
                attempt.tell_secured(&peer, 0);
                attempt.tell(Event::Ready(ends));
            }
            Some((peer, ends)) if attempt.request.keep_alive && attempt.world.take_kept(&attempt.key()) => {
                attempt.tell_secured(&peer, 0);
                attempt.tell(Event::Ready(ends));
            }
            _ => attempt.resolve(),
        }
    }

    fn proceed(&self) {
        let asking = self.0.lock().asking.take();
        match asking {
            Some(head) => self.0.ask(head),
            None => self.0.stage(Stage::Send, ScriptAttempt::sent),
        }
    }

    fn tunnel(&self, again: Option<RequestHead>) {
        self.0.asked(again);
    }

    fn write(&self, bytes: Bytes) {
        let bytes = self.0.request.framed(bytes);
        self.0.stage(Stage::Write, move |attempt| {
            let mut state = attempt.lock();
            if let Some(outgoing) = &mut state.outgoing {
                outgoing.add(&bytes);
            }
            match &state.raw {
                Some((pipe, _)) => pipe.send(&bytes),
                None => state.body.extend_from_slice(&bytes),
            }
            let upgraded = state.upgraded.is_some();
            drop(state);
            if upgraded {
                attempt.then(|attempt| attempt.tell_upgraded([Event::Wrote]));
            } else {
                attempt.tell(Event::Wrote);
            }
        });
    }

    fn finish(&self) {
        let state = self.0.lock();
        let answers = state.raw.is_none() && state.refusal.is_none();
        drop(state);
        if answers {
            self.0.then(ScriptAttempt::respond);
        }
    }

    fn taken(&self, _bytes: usize) {}

    fn next_address(&self) {
        self.0.fail(ERROR_WINHTTP_TIMEOUT, 0);
    }

    fn upgrade(&self, sink: Arc<dyn Sink>, _read_ahead: usize) {
        self.0.then(move |attempt| {
            let told = attempt.lock().upgraded.as_mut().map(|upgraded| upgraded.listen(sink));
            attempt.tell_upgraded(told.into_iter().flatten());
        });
    }

    fn wake_at(&self, time: Option<Duration>, idle: bool) {
        self.0.lock().wake_at = time;
        if let Some(time) = time {
            let attempt = Arc::clone(&self.0);
            self.0.world.plan(time, self.0.number, idle, move || {
                let state = attempt.lock();
                // A timer that was set anew in the meantime rings at its own time.
                let rings = !state.released && state.wake_at == Some(time);
                let upgraded = state.upgraded.as_ref().and_then(Upgraded::sink);
                drop(state);
                if rings {
                    upgraded.as_ref().unwrap_or(&attempt.sink).tick();
                }
            });
        }
    }

    fn release(&self) {
        let mut state = self.0.lock();
        state.released = true;
        let whole = state.outgoing.as_ref().is_some_and(OutgoingBody::whole);
        // An exchange that is over has given its connection back; any other takes it along.
        if let Some((pipe, _)) = state.raw.as_ref().filter(|(_, reader)| !reader.reusable() || !whole) {
            pipe.close();
        }
    }
}
