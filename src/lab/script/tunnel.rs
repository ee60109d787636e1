//! A tunnel in a script: CONNECT is an exchange like any other, until the proxy agrees. A proxy is a peer; behind a tunnel
//! that it granted, and behind a SOCKS proxy, is the server's own peer.

use std::sync::Arc;

use super::ScriptAttempt;
use crate::connection::drained_at_most;
use crate::http::{RequestHead, RequestKind};
use crate::lab::fault::Stage;
use crate::lab::proxied;
use crate::lab::received::Received;
use crate::lab::world::Origin;
use crate::transport::{Event, Peer as Ends, Route};
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_NAME_NOT_RESOLVED,
};

/// Where a CONNECT stands that is out.
pub enum Connecting {
    /// The proxy has not answered.
    Asked,
    /// It has agreed; its answer is not over.
    Granted,
    /// It has refused: what it has sent waits for what the machine makes of that.
    Refused(Vec<Event>),
    /// The rest of its refusal is read, so many bytes at most; then this one goes out.
    Draining { next: RequestHead, left: usize },
    /// Its refusal is the reply of the request.
    Told,
}

impl ScriptAttempt {
    /// Who answers the request.
    pub fn origin(&self) -> Origin {
        proxied::origin(&self.request)
    }

    /// Whom the connection is made to.
    pub fn reached(&self) -> Origin {
        proxied::reached(&self.request)
    }

    /// A connection to the first hop stands.
    pub fn passed_first_hop(self: &Arc<Self>, ends: Ends) {
        match &self.request.route {
            Route::Direct | Route::Proxy(_) => self.ready(ends),
            Route::Socks(_) => self.behind_proxy(ends),
            Route::Tunnel(_, head) => {
                let mut state = self.lock();
                state.asking = Some(state.next.take().unwrap_or_else(|| head.clone()));
                drop(state);
                self.tell(Event::TunnelReady(ends));
            }
        }
    }

    /// The proxy connects to the server, and TLS is spoken through it.
    fn behind_proxy(self: &Arc<Self>, ends: Ends) {
        if self.world.peer_of(&self.origin()).is_none() {
            self.world.unknown_host(&self.origin());
            return self.fail(ERROR_WINHTTP_CANNOT_CONNECT, 0);
        }
        let server = self.origin();
        self.stage_at(Stage::Connect, &server, move |attempt| {
            let server = attempt.origin();
            match server.0 {
                true => attempt.secure(&server, move |attempt| attempt.ready(ends)),
                false => attempt.ready(ends),
            }
        });
    }

    /// CONNECT goes out, and the proxy answers.
    pub fn ask(self: &Arc<Self>, head: RequestHead) {
        let wire = head.to_wire();
        self.tell(Event::TunnelSent(wire.len() as u64));
        let proxy = self.world.peer_of(&self.reached()).map(|(proxy, _)| proxy);
        let mut state = self.lock();
        state.connecting = Some(Connecting::Asked);
        state.peer.clone_from(&proxy);
        let raw = state.raw.as_ref().map(|(pipe, _)| Arc::clone(pipe));
        drop(state);
        match (raw, proxy) {
            (Some(pipe), _) => {
                self.start_reader();
                pipe.send(&wire);
                self.reads();
            }
            (None, Some(proxy)) => self.then(move |attempt| {
                attempt.world.asks(&attempt.reached(), &proxy);
                attempt.answer(&proxy.answer(Received::new(&head, Default::default())));
            }),
            (None, None) => self.fail(ERROR_WINHTTP_NAME_NOT_RESOLVED, 0),
        }
    }

    /// An answer is read that is none yet: to CONNECT.
    fn start_reader(&self) {
        let reader = self.reader();
        if let Some((_, old)) = &mut self.lock().raw {
            *old = reader;
        }
    }

    /// What comes from a proxy that was asked for a tunnel. Its refusal waits for what the machine makes of it.
    pub fn proxy_answers(self: &Arc<Self>, events: Vec<Event>) {
        for event in events {
            let mut state = self.lock();
            let raw = state.raw.is_some();
            match (&mut state.connecting, event) {
                (Some(Connecting::Asked), Event::Head { head, received }) => {
                    let granted = RequestKind::Connect.is_tunnel(head.status);
                    let told = Event::TunnelReply { head: head.clone(), received };
                    state.connecting = Some(match granted {
                        true => Connecting::Granted,
                        false => Connecting::Refused(vec![Event::Head { head, received }]),
                    });
                    drop(state);
                    self.told(&mut std::iter::once(told));
                    if granted && raw {
                        // A tunnel cannot be played byte by byte, as there is TLS in it: behind it is the server's own peer.
                        self.then(ScriptAttempt::granted);
                    }
                }
                // Whoever speaks before it was spoken to is no TLS server behind a tunnel.
                (Some(Connecting::Granted), Event::Body { bytes, .. }) if !bytes.is_empty() => {
                    state.connecting = None;
                    drop(state);
                    return self.fail(ERROR_WINHTTP_INVALID_SERVER_RESPONSE, 0);
                }
                (Some(Connecting::Granted), Event::Body { end: Some(_), .. }) if !raw => {
                    drop(state);
                    self.then(ScriptAttempt::granted);
                }
                (Some(Connecting::Refused(held)), event) => held.push(event),
                (Some(Connecting::Draining { left, .. }), Event::Body { bytes, end }) => {
                    let fits = bytes.len() <= *left;
                    *left = left.saturating_sub(bytes.len());
                    drop(state);
                    if !fits || end.is_some() {
                        return self.ask_again(fits);
                    }
                }
                (Some(Connecting::Draining { .. }), Event::Failed(_)) => {
                    drop(state);
                    return self.ask_again(false);
                }
                (_, event) => {
                    let over = matches!(event, Event::Failed(_)) || state.leaves(self.request.more);
                    drop(state);
                    if over {
                        self.leave_proxy();
                    }
                    self.told(&mut std::iter::once(event));
                }
            }
        }
    }

    /// The tunnel stands: behind it is the server.
    fn granted(self: &Arc<Self>) {
        let server = self.world.peer_of(&self.origin()).map(|(server, _)| server);
        let mut state = self.lock();
        if !matches!(state.connecting.take(), Some(Connecting::Granted)) {
            return;
        }
        (state.raw, state.peer) = (None, server);
        state.forget_reply();
        drop(state);
        if let Some((_, ends)) = self.world.peer_of(&self.reached()) {
            self.behind_proxy(ends);
        }
    }

    /// What the machine makes of a refusal: it asks again, or the refusal is the reply of the request.
    pub fn refused(self: &Arc<Self>, again: Option<RequestHead>) {
        self.then(move |attempt| {
            let mut state = attempt.lock();
            let Some(Connecting::Refused(held)) = state.connecting.take() else { return };
            state.connecting = Some(match again {
                Some(next) => Connecting::Draining { next, left: drained_at_most(attempt.request.drain_limit) },
                None => Connecting::Told,
            });
            let leaves = state.leaves(attempt.request.more);
            let told = matches!(state.connecting, Some(Connecting::Told));
            drop(state);
            if told {
                if leaves {
                    attempt.leave_proxy();
                }
                return attempt.told(&mut std::iter::once(Event::Sent(0)).chain(held));
            }
            attempt.proxy_answers(held.into_iter().skip(1).collect());
            attempt.resume();
        });
    }

    /// A refusal that was the reply is over.
    pub fn leave_proxy(&self) {
        if let Some((pipe, _)) = &self.lock().raw {
            pipe.close();
        }
        self.leave_connection(false);
    }

    /// The refusal is read, or cannot be: the next CONNECT goes out, on the same connection if that can carry it.
    fn ask_again(self: &Arc<Self>, whole: bool) {
        let mut state = self.lock();
        let Some(Connecting::Draining { next, .. }) = state.connecting.take() else { return };
        let same = whole && state.keeps;
        state.forget_reply();
        if same {
            state.asking = Some(next);
            drop(state);
            return match self.world.peer_of(&self.reached()) {
                Some((_, ends)) => self.tell(Event::TunnelReady(ends)),
                None => self.fail(ERROR_WINHTTP_NAME_NOT_RESOLVED, 0),
            };
        }
        state.next = Some(next);
        let raw = state.raw.take();
        drop(state);
        raw.iter().for_each(|(pipe, _)| pipe.leave());
        self.resolve();
    }
}
