//! The machine's end of an attempt.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use super::ScriptAttempt;
use crate::http::RequestHead;
use crate::lab::fault::{FaultTrigger, Stage};
use crate::lab::scheduler::Plan;
use crate::lab::stream::Upgraded;
use crate::transport::{Attempt, ConnectionGroupId, ConnectionInfo, Event, Sink};
use crate::win32::ERROR_WINHTTP_TIMEOUT;

/// The machine's end of an attempt.
pub struct Held(pub Arc<ScriptAttempt>);

impl Attempt for Held {
    fn go(self: Arc<Self>) {
        let attempt = &self.0;
        let peer = attempt.world.peer_of(&attempt.origin()).map(|(peer, _)| peer);
        attempt.lock().peer = peer;
        attempt.find(false);
    }

    fn proceed(&self) {
        let asking = self.0.lock().asking.take();
        match asking {
            Some(head) => self.0.ask(head),
            None => self.0.stage(Stage::Send, ScriptAttempt::sent),
        }
    }

    fn tunnel(&self, again: Option<RequestHead>) {
        self.0.refused(again);
    }

    fn write(&self, bytes: Bytes) {
        self.0.lock().unwritten.push_back(self.0.request.framed(bytes));
        self.0.write_on();
    }

    fn finish(&self) {
        let http2 = self.0.over_http2();
        let mut state = self.0.lock();
        state.finished = true;
        let answers = state.outgoing.is_some() && state.is_complete(http2);
        let (over, keeps) = (state.over, state.keeps && state.whole());
        let refused = state.connecting.is_some();
        drop(state);
        if over && refused {
            self.0.leave_proxy();
        } else if over {
            self.0.leave_connection(keeps && self.0.request.keep_alive);
        } else if answers {
            self.0.then(ScriptAttempt::respond);
        }
    }

    fn mark(&self, mark: ConnectionGroupId) {
        self.0.about_connection(|engine, connection| engine.mark(connection, mark));
    }

    fn expire(&self) {
        let now = self.0.world.time();
        self.0.about_connection(|engine, connection| engine.expire(now, connection));
    }

    fn connection_info(&self) -> Option<ConnectionInfo> {
        let state = self.0.lock();
        state.earlier.map(|earlier| ConnectionInfo { earlier, tcp: None })
    }

    fn taken(&self, bytes: usize) {
        self.0.read(bytes);
    }

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
            let rings = move || {
                let state = attempt.lock();
                // A timer that was set anew in the meantime rings at its own time.
                let rings = !state.released && state.wake_at == Some(time);
                let upgraded = state.upgraded.as_ref().and_then(Upgraded::sink);
                drop(state);
                if rings {
                    upgraded.as_ref().unwrap_or(&attempt.sink).tick();
                }
            };
            let plan = Plan::new(self.0.number, Box::new(rings));
            self.0.world.plan(time, Plan { idle, over: Some(Arc::clone(&self.0.over)), ..plan });
        }
    }

    fn release(&self) {
        let mut state = self.0.lock();
        state.released = true;
        let drains = state.drains(self.0.request.keep_alive);
        // An exchange that is over has given its connection back; any other takes it along.
        if let Some((pipe, _)) = state.raw.as_ref().filter(|_| !drains && state.connection.is_some()) {
            pipe.close();
        }
        drop(state);
        self.0.leave_pool();
        if drains {
            self.0.drain();
        } else {
            self.0.over.store(true, Ordering::SeqCst);
            self.0.leave_connection(false);
        }
    }
}

impl ScriptAttempt {
    /// Writes what is not kept back. Nothing overtakes a piece that is late.
    fn write_on(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            if state.writing {
                return;
            }
            let Some(bytes) = state.unwritten.pop_front() else { return };
            state.writing = true;
            drop(state);
            let origin = self.origin();
            let peer = self.world.peer_of(&origin).map(|(peer, _)| peer);
            match self.meets_of(&FaultTrigger::Stage(Stage::Write), peer.as_ref()) {
                None => self.wrote(&bytes),
                met => self.obey(met, Stage::Write, move |attempt| {
                    attempt.wrote(&bytes);
                    attempt.write_on();
                }),
            }
        }
    }

    /// A piece is out.
    fn wrote(self: &Arc<Self>, bytes: &[u8]) {
        let http2 = self.over_http2();
        let mut state = self.lock();
        state.writing = false;
        if let Some(outgoing) = &mut state.outgoing {
            outgoing.add(bytes);
        }
        match &state.raw {
            // Behind a refused CONNECT it goes nowhere.
            _ if state.connecting.is_some() => {}
            Some((pipe, _)) => pipe.send(bytes),
            None => state.body.extend_from_slice(bytes),
        }
        let (upgraded, answers) = (state.upgraded.is_some(), state.is_complete(http2));
        drop(state);
        if answers {
            self.then(ScriptAttempt::respond);
        }
        if upgraded {
            self.then(|attempt| attempt.tell_upgraded([Event::Wrote]));
        } else {
            self.tell(Event::Wrote);
        }
    }
}
