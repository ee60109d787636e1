//! What happens to a request without a call of the application.

use std::sync::Arc;
use std::time::Duration;

use super::Request;
use super::body::{Body, Supply};
use super::body_source::BodySource;
use super::table::{Exchange, Input, ReadSide, WriteSide};
use super::timers::{Over, Side, Timer};
use crate::http::coding::Decoder;
use crate::http::{BodyLength, Headers, auth, upgrade};
use crate::machine::resolver::TaskResult;
use crate::machine::step::Tabled;
use crate::machine::{Machine, Output};
use crate::record::{Notification, Operation};
use crate::transport::{ClientCertificate, Event};
use crate::win32::{ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_RESEND_REQUEST, ERROR_WINHTTP_TIMEOUT};

impl Request {
    /// SENDING_REQUEST of attempt number `attempt` was delivered.
    pub fn proceed(&mut self, now: Duration, attempt: u64) {
        if attempt == self.attempt_number && self.state.exchange == Exchange::Sending {
            self.timers.start(Timer::Send, now, &self.config.settings.timeouts);
            self.attempt.timings.sending(now);
            self.outputs.push(Output::Proceed);
        }
    }

    /// REDIRECT was delivered.
    pub fn redirect_delivered(&mut self, now: Duration) {
        if let Some(following) = self.following.take() {
            if following.origin != self.origin {
                // Another server must ask anew.
                Arc::make_mut(&mut self.config.settings).client_certificate = ClientCertificate::Absent;
            }
            self.origin = following.origin;
            self.config.template.target = following.target;
            self.config.template.method = following.method;
            if following.keep_body && !self.write.source.replayable() {
                // The application has the body: it sends again, to the target.
                self.cause = ERROR_WINHTTP_RESEND_REQUEST;
                return self.happened(now, Input::Refused);
            }
            if !following.keep_body {
                self.write.source = BodySource::none();
            }
            self.happened(now, Input::Told);
        }
    }
}

impl Machine for Request {
    fn deadline(&self) -> Option<Duration> {
        match &self.resolver {
            Some(resolver) => resolver.deadline(),
            None => self.timers.next(),
        }
    }

    fn gathered(&mut self) -> &mut Vec<Output> {
        &mut self.outputs
    }

    fn pending(&self) -> bool {
        self.state.read.pending().is_some() || self.state.write.pending().is_some()
    }

    fn both_pending(&self) -> bool {
        self.state.read.pending().is_some() && self.state.write.pending().is_some()
    }

    fn carried_away(&mut self) -> Option<&'static str> {
        self.carried_away.take()
    }

    fn busy(&self, operation: Operation) -> Option<Operation> {
        let pending = if operation.writes() { self.state.write.pending() } else { self.state.read.pending() };
        pending.map(Operation::from)
    }

    fn task_finished(&mut self, now: Duration, number: u64, result: TaskResult) {
        if let Some(resolver) = &mut self.resolver {
            resolver.task_finished(now, number, result);
            self.resolved(now);
        }
    }

    fn event(&mut self, now: Duration, attempt: u64, event: Event) {
        if let Some(resolver) = &mut self.resolver {
            resolver.event(now, attempt, event);
            return self.resolved(now);
        }
        if attempt != self.attempt_number {
            return;
        }
        self.attempt.timings.event(now, &event, self.origin.secure);
        let timeouts = self.config.settings.timeouts;
        match event {
            Event::Resolving => {
                self.timers.start(Timer::Resolve, now, &timeouts);
                let host = self.route.first_hop(&self.origin).into();
                self.notify(Notification::ResolvingName { host });
            }
            Event::Resolved(address) => {
                self.notify(Notification::NameResolved { address: address.as_str().into() });
            }
            Event::Connecting(address) => {
                self.timers.start(Timer::Address, now, &timeouts);
                self.notify(Notification::ConnectingToServer { address: address.as_str().into() });
            }
            Event::Connected(address) => {
                self.timers.connected();
                self.notify(Notification::ConnectedToServer { address: address.as_str().into() });
            }
            Event::Secured(secured) => self.attempt.secured = Some(secured),
            Event::CertificateWanted(issuers) => self.attempt.issuers = Some(issuers),
            Event::Waiting => self.timers.start(Timer::Connection, now, &timeouts),
            Event::TunnelReady(peer) => {
                self.timers.stop(Side::Exchange);
                self.peer = Some(peer);
                self.route.reached = true;
                self.notify(Notification::SendingRequest);
                self.outputs.push(Output::ThenProceed(self.attempt_number));
            }
            Event::TunnelSent(bytes) => {
                self.timers.awaiting(now, &timeouts);
                let bytes = bytes.min(u32::MAX.into()) as u32;
                self.notify(Notification::RequestSent { bytes });
                self.notify(Notification::ReceivingResponse);
            }
            Event::TunnelReply { head, received } => self.tunnel_answered(now, &head, received),
            Event::Ready { peer, http2 } => {
                self.attempt.http2 = http2;
                self.route.reached = true;
                self.timers.stop(Side::Exchange);
                self.peer = Some(peer);
                self.notify(Notification::SendingRequest);
                self.outputs.push(Output::ThenProceed(self.attempt_number));
            }
            Event::Sent(bytes) => self.head_is_out(now, bytes),
            Event::Wrote => {
                self.timers.stop(Side::Write);
                self.happened(now, Input::Wrote);
                self.await_reply(now);
            }
            Event::Restarted => {
                self.timers.arrived();
                // Another connection has the time of one, whatever it waits for.
                self.timers.start(Timer::Connection, now, &timeouts);
                self.happened(now, Input::Restart);
            }
            Event::Interim(status) => {
                self.attempt.interim += 1;
                self.timers.received(now, &timeouts);
                self.notify(Notification::IntermediateResponse { status: status.into() });
                if self.attempt.interim > self.config.settings.max_interim {
                    self.fail(now, ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
                }
            }
            Event::Progress => {
                if self.timers.received(now, &timeouts) {
                    self.fail(now, ERROR_WINHTTP_TIMEOUT);
                }
            }
            Event::Head { mut head, received } => {
                if self.timers.received(now, &timeouts) {
                    return self.fail(now, ERROR_WINHTTP_TIMEOUT);
                }
                self.timers.arrived();
                // What a proxy says to CONNECT is not the server's word.
                let of_server = !self.route.refused;
                if of_server {
                    self.config.cookies.store(
                        &head,
                        &self.origin,
                        &self.config.template.target,
                        &self.config.settings,
                        now,
                    );
                }
                let framing = BodyLength::of(&head, of_server && self.config.template.method == "HEAD");
                let coded = !matches!(framing, Ok(BodyLength::None));
                let chunked = framing == Ok(BodyLength::Chunked);
                let decoder = coded.then(|| Decoder::take(&mut head.headers, self.config.settings.decompression));
                self.attempt.body = Body::new(chunked, decoder.flatten());
                if of_server && self.config.settings.passport && auth::is_passport(&head) {
                    // The login is the application's business: it is asked for credentials (source auth.unanswered).
                    head.status = 401;
                }
                let accepts = |key| head.status == 101 && upgrade::is_accepted(&head, key);
                self.attempt.upgradable = of_server && self.sent_key().is_some_and(accepts);
                // Behind a 101 is no body, whoever asked for what, and nobody listens there (source WS10).
                let bodyless = head.status == 101 || (!of_server && !self.config.settings.receive_connect_response);
                self.attempt.response = Some(head);
                self.attempt.received = received;
                if bodyless {
                    self.attempt.body.end(Ok(Headers::default()));
                }
                self.happened(now, Input::Head);
            }
            Event::Body { .. } if self.route.refused && !self.config.settings.receive_connect_response => {}
            Event::Body { bytes, end } => {
                let before = self.attempt.body.supplied();
                self.attempt.body.push(bytes);
                // What nobody can read, such as bytes behind the end of a coded body, is no sign of life.
                if self.read.is_some() && self.attempt.body.supplied() > before {
                    self.timers.start(Timer::Read, now, &timeouts);
                }
                if let Supply::Broken(error) = self.attempt.body.query() {
                    // Its coding is none, or does not end: nothing that follows can be read, and it is not waited for.
                    return self.fail(now, error);
                }
                if let Some(trailers) = end {
                    // source a13: those of HTTP/1.1 are dropped.
                    let told = self.protocol_used() != 0;
                    self.attempt.body.end(Ok(if told { trailers } else { Headers::default() }));
                }
                self.happened(now, Input::Data);
            }
            Event::Failed(failure) => {
                self.attempt.stream_error = failure.stream;
                self.current.extended = failure.winsock;
                if failure.secure != 0 {
                    self.notify(Notification::SecureFailure { flags: failure.secure });
                }
                self.fail(now, failure.error);
            }
        }
    }

    fn tick(&mut self, now: Duration) {
        if let Some(resolver) = &mut self.resolver {
            resolver.tick(now);
            return self.resolved(now);
        }
        match self.timers.over(now) {
            None | Some(Over::FailAtBytes) => {}
            Some(Over::NextAddress) => self.outputs.push(Output::NextAddress),
            Some(Over::Fail) => self.fail(now, ERROR_WINHTTP_TIMEOUT),
        }
    }

    fn cancel(&mut self, now: Duration, write_first: bool) {
        self.write_first = write_first;
        self.happened(now, Input::Cancel);
    }

    fn close(&mut self, now: Duration, write_first: bool) {
        self.write_first = write_first;
        self.happened(now, Input::Close);
    }
}

impl Request {
    fn head_is_out(&mut self, now: Duration, bytes: u64) {
        self.timers.stop(Side::Exchange);
        let input = match () {
            _ if self.duplex() => Input::SentPartDuplex,
            _ if self.write.source.open() => Input::SentPart,
            _ if self.current.hold => Input::SentHeld,
            _ => Input::SentWhole,
        };
        self.attempt.out = bytes;
        self.happened(now, input);
        self.await_reply(now);
    }

    /// The server's time runs once the request is complete. It need not be where the reply may come first: in chunks the
    /// time runs from the head on, over a known length once the reply is asked for.
    pub(super) fn await_reply(&mut self, now: Duration) {
        let complete = matches!(self.state.write, WriteSide::Shut | WriteSide::Send);
        let asked = self.state.read == ReadSide::Receive || self.write.source.automatic();
        if self.state.exchange == Exchange::Awaiting && (complete || self.duplex() && asked) {
            self.timers.awaiting(now, &self.config.settings.timeouts);
        }
    }
}
