//! Proxies in a Sim: peers like all others. An HTTP proxy answers what comes to it, CONNECT included; behind a tunnel it
//! granted, and behind a SOCKS proxy, is the server's own peer.

use std::sync::Arc;
use std::time::Duration;

use super::fault::Stage;
use super::http1::Reader;
use super::received::Received;
use super::script::ScriptAttempt;
use super::world::Origin;
use crate::http::RequestHead;
use crate::transport::{Event, Peer as Ends, Route, TransportRequest};
use crate::win32::{ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_NAME_NOT_RESOLVED};

/// Who answers a request.
pub fn origin(request: &TransportRequest) -> Origin {
    match &request.route {
        Route::Proxy(_) => reached(request),
        _ => (request.tls.is_some(), request.host.to_ascii_lowercase(), request.port),
    }
}

/// Whom the connection of a request is made to.
fn reached(request: &TransportRequest) -> Origin {
    let secure = match &request.route {
        Route::Direct => request.tls.is_some(),
        Route::Proxy(via) | Route::Tunnel(via, _) => via.tls.is_some(),
        Route::Socks(_) => false,
    };
    let (host, port) = request.first_hop();
    (secure, host.to_ascii_lowercase(), port)
}

impl ScriptAttempt {
    /// Who answers the request.
    pub fn origin(&self) -> Origin {
        origin(&self.request)
    }

    /// Whom the connection is made to.
    pub fn reached(&self) -> Origin {
        reached(&self.request)
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
        let raw = self.lock().raw.as_ref().map(|(pipe, _)| Arc::clone(pipe));
        if let Some(pipe) = raw {
            self.lock().held = Some(Vec::new());
            return pipe.send(&wire);
        }
        self.then(move |attempt| {
            let Some((proxy, ends)) = attempt.world.peer_of(&attempt.reached()) else {
                return attempt.fail(ERROR_WINHTTP_NAME_NOT_RESOLVED, 0);
            };
            let reply = proxy.answer(Received::new(&head, Default::default()));
            if reply.never {
                return;
            }
            let head = reply.complete_head();
            let stands = (200..300).contains(&head.status);
            let received = head.raw_lines().iter().map(|line| line.len() as u64 + 2).sum::<u64>() + 2;
            let delay = reply.waits();
            attempt.lock().refusal = (!stands).then_some(reply);
            attempt.after(delay, move |attempt| attempt.sink.event(Event::TunnelReply { head, received }));
            if stands {
                attempt.after(delay, move |attempt| attempt.behind_proxy(ends));
            }
        });
    }

    /// A raw proxy answers. What is behind the head of a refusal waits for the machine; a tunnel cannot be played byte by
    /// byte, as there is TLS in it: behind it is the server's own peer.
    pub fn tunnel_answers(self: &Arc<Self>, events: Vec<Event>) {
        for event in events {
            match event {
                Event::Head { head, received } => {
                    let stands = (200..300).contains(&head.status);
                    let told = Event::TunnelReply { head: head.clone(), received };
                    let mut state = self.lock();
                    if stands {
                        (state.held, state.raw) = (None, None);
                    } else if let Some(held) = &mut state.held {
                        held.push(Event::Head { head, received });
                    }
                    drop(state);
                    self.tell(told);
                    if let Some((_, ends)) = self.world.peer_of(&self.reached()).filter(|_| stands) {
                        self.then(move |attempt| attempt.behind_proxy(ends));
                    }
                }
                Event::Body { .. } => {
                    if let Some(held) = &mut self.lock().held {
                        held.push(event);
                    }
                }
                other => self.sink.event(other),
            }
        }
    }

    /// The refusal of a raw proxy: asked again on its connection if that can carry another, or told.
    fn refused_raw(self: &Arc<Self>, again: Option<RequestHead>) {
        let mut state = self.lock();
        let held = state.held.take().unwrap_or_default();
        let Some(head) = again else {
            // What follows of its body is told as it comes; nothing else goes over this connection.
            if let Some((pipe, _)) = state.raw.as_ref().filter(|(_, reader)| reader.over()) {
                pipe.close();
            }
            state.refused = true;
            drop(state);
            self.sink.events(&mut std::iter::once(Event::Sent(0)).chain(held));
            return self.then(ScriptAttempt::take_in);
        };
        let limit = self.request.head_limit;
        if let Some((_, reader)) = state.raw.as_mut().filter(|(_, reader)| reader.reusable()) {
            *reader = Reader::new(false, limit, false);
            state.asking = Some(head);
            drop(state);
            if let Some((_, ends)) = self.world.peer_of(&self.reached()) {
                self.sink.event(Event::TunnelReady(ends));
            }
            return;
        }
        state.raw = None;
        state.next = Some(head);
        drop(state);
        self.resolve();
    }

    /// What the machine makes of a refusal.
    pub fn asked(self: &Arc<Self>, again: Option<RequestHead>) {
        if self.lock().held.is_some() {
            return self.then(move |attempt| attempt.refused_raw(again));
        }
        match again {
            Some(head) => {
                let mut state = self.lock();
                let refusal = state.refusal.take();
                // Else the proxy is asked again over another connection.
                if refusal.is_some_and(|reply| !reply.leaves_connection(self.request.drain_limit)) {
                    state.next = Some(head);
                    drop(state);
                    return self.resolve();
                }
                state.asking = Some(head);
                drop(state);
                match self.world.peer_of(&self.reached()) {
                    Some((_, ends)) => self.tell(Event::TunnelReady(ends)),
                    None => self.fail(ERROR_WINHTTP_NAME_NOT_RESOLVED, 0),
                }
            }
            None => {
                self.tell(Event::Sent(0));
                let refusal = self.lock().refusal.clone();
                if let Some(reply) = refusal {
                    // It has waited already.
                    self.then(move |attempt| attempt.answer(&reply.delay(Duration::ZERO)));
                }
            }
        }
    }
}
