//! The data of a request, and what the actions of the table do with it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::body::{Body, PendingRead, Supply};
use super::measures::Measures;
use super::resolver::{Query, Report, Resolver};
use super::table::{Action, Exchange, Input, OPENED, State, Step, Why, WriteSide, step};
use super::timers::Timers;
use super::upload::Upload;
use super::way::Way;
use super::{Compose, Cookies, Credentials, Machine, Output, Settings};
use crate::http::coding::Decoder;
use crate::http::proxy::{Destination, Hop};
use crate::http::redirect::{self, Decision};
use crate::http::{Framing, Headers, RequestHead, ResponseHead, auth, is_forbidden, upgrade};
use crate::record::{Api, Notification, Operation};
use crate::transport::{ClientCertificate, Event, Order, Peer, Route, Secured, Via};
use crate::win32::{
    CallerBuf, ERROR_INVALID_PARAMETER, ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY, ERROR_WINHTTP_INCORRECT_HANDLE_STATE,
    ERROR_WINHTTP_INTERNAL_ERROR, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_INVALID_URL,
    ERROR_WINHTTP_OPERATION_CANCELLED, ERROR_WINHTTP_RESEND_REQUEST, ERROR_WINHTTP_TIMEOUT, WINHTTP_ADDREQ_FLAG_ADD,
    WINHTTP_ADDREQ_FLAG_REPLACE, WINHTTP_PROTOCOL_FLAG_HTTP2, Win32Error, WinHttpRequestStatLast,
};

/// The server that a request is for; a redirect may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// Host name or address literal, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// The arguments of a WinHttpSendRequest.
#[derive(Debug)]
pub struct SendCall {
    /// Additional headers.
    pub headers: Vec<u16>,
    /// lpOptional
    pub optional: Bytes,
    /// dwTotalLength
    pub total: u32,
    /// Random bytes for the key of a web socket; only looked at if one is asked for.
    pub key: [u8; 16],
    /// Whether SENDREQUEST_COMPLETE of a whole request waits for the head of the reply.
    pub hold: bool,
}

/// A redirect that is about to be followed.
#[derive(Debug)]
struct Following {
    url: String,
    site: Site,
    target: String,
    method: String,
    keep_body: bool,
}

/// A request handle's machine.
#[derive(Debug)]
pub struct Request {
    state: State,
    /// What the application put into the head.
    pub compose: Compose,
    /// The options of the handle.
    pub settings: Settings,
    /// User names and passwords.
    pub credentials: Credentials,
    /// The cookies of the session.
    pub cookies: Cookies,
    site: Site,
    upload: Upload,
    hold: bool,
    sent: bool,
    /// The key of the web socket that SendRequest asked for.
    key: Option<String>,
    /// Whether the reply is a 101 whose connection was not handed over.
    upgradable: bool,
    /// Counts the legs, so that what an abandoned one says is not heard.
    leg: u64,
    peer: Option<Peer>,
    secured: Option<Arc<Secured>>,
    /// Of whom the server wants a certificate.
    issuers: Option<Vec<Vec<u8>>>,
    redirects: u32,
    interim: u32,
    following: Option<Following>,
    response: Option<ResponseHead>,
    /// Bytes that went out with the head, and that came in with the reply's.
    out: u64,
    received: u64,
    way: Way,
    /// Finds the way, for WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY.
    resolver: Option<Box<Resolver>>,
    body: Body,
    reading: Option<PendingRead>,
    writing: u32,
    outgoing: Bytes,
    told_closing: bool,
    stream_error: u32,
    write_first: bool,
    cause: Win32Error,
    timers: Timers,
    measures: Measures,
    /// The Winsock error behind the last failure.
    extended: u32,
    /// How often it was sent again after 408.
    retried: u32,
    outputs: Vec<Output>,
}

impl Request {
    /// A request that was just opened.
    pub fn new(site: Site, compose: Compose, settings: Settings) -> Request {
        Request::numbered(site, compose, settings, 0)
    }

    /// [`Request::new`], with legs from number `leg` on.
    pub(super) fn numbered(site: Site, compose: Compose, settings: Settings, leg: u64) -> Request {
        Request {
            state: OPENED,
            compose,
            settings,
            credentials: Credentials::default(),
            cookies: Cookies::default(),
            site,
            upload: Upload::none(),
            hold: false,
            sent: false,
            key: None,
            upgradable: false,
            leg,
            peer: None,
            secured: None,
            issuers: None,
            redirects: 0,
            interim: 0,
            following: None,
            response: None,
            out: 0,
            received: 0,
            way: Way::default(),
            resolver: None,
            body: Body::default(),
            reading: None,
            writing: 0,
            outgoing: Bytes::new(),
            told_closing: false,
            stream_error: 0,
            write_first: false,
            cause: ERROR_WINHTTP_INTERNAL_ERROR,
            timers: Timers::default(),
            measures: Measures::default(),
            extended: 0,
            retried: 0,
            outputs: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The server that it is for.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The absolute URL, after redirects the last one (option URL).
    pub fn url(&self) -> String {
        self.compose.url(&self.site)
    }

    /// The two ends of the connection that it used last.
    pub fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// What TLS came to on that connection, or on one that was given up because of it.
    pub fn secured(&self) -> Option<&Arc<Secured>> {
        self.secured.as_ref()
    }

    /// The issuers (DER names) of whom a server wanted a certificate that it did not get (CLIENT_CERT_ISSUER_LIST).
    pub fn issuers(&self) -> Option<&[Vec<u8>]> {
        self.issuers.as_deref()
    }

    /// When things happened.
    pub fn measures(&self) -> &Measures {
        &self.measures
    }

    /// How much it was (WINHTTP_REQUEST_STATS.rgullStats).
    pub fn counts(&self) -> [u64; WinHttpRequestStatLast as usize] {
        self.measures.counts(self.body.supplied())
    }

    /// The Winsock error behind the last failure (EXTENDED_ERROR), or 0.
    pub fn extended_error(&self) -> u32 {
        self.extended
    }

    /// The head of the request: as the application made it, and after a send as it went out.
    pub fn request_head(&self) -> RequestHead {
        if self.sent { self.complete() } else { self.compose.head() }
    }

    /// The head of the reply, once ReceiveResponse took it or a redirect is being told.
    pub fn response_head(&self) -> Result<&ResponseHead, Win32Error> {
        let readable = matches!(self.state.exchange, Exchange::Body | Exchange::Following | Exchange::Cancelled);
        self.response.as_ref().filter(|_| readable).ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
    }

    /// The newer protocol that brought the reply (HTTP_PROTOCOL_USED): WINHTTP_PROTOCOL_FLAG_HTTP2, or 0.
    pub fn protocol_used(&self) -> u32 {
        let newer = self.response.as_ref().is_some_and(|head| head.version.major == 2);
        if newer { WINHTTP_PROTOCOL_FLAG_HTTP2 } else { 0 }
    }

    /// The error code with which the server reset the stream of the last exchange, or 0 (STREAM_ERROR_CODE).
    pub fn stream_error(&self) -> u32 {
        self.stream_error
    }

    /// Whether the reply is that of a proxy to CONNECT (IS_PROXY_CONNECT_RESPONSE).
    pub fn is_connect_response(&self) -> bool {
        self.way.refused && self.response.is_some()
    }

    /// The trailers, once the body was read.
    pub fn trailers(&self) -> Option<&Headers> {
        self.body.trailers()
    }

    // ---- calls of the application ----

    /// WinHttpSendRequest
    pub fn send(&mut self, now: Duration, call: SendCall) -> Result<(), Win32Error> {
        self.refused(Input::CallSend)?;
        if self.site.secure && self.settings.client_certificate.lacks_key() {
            return Err(ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY);
        }
        if !call.headers.is_empty() {
            self.compose.headers.add_text(&call.headers, WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE)?;
        }
        let compose = &self.compose;
        self.upload =
            Upload::plan(&compose.headers, &compose.method, call.optional, call.total, compose.automatic_chunking)?;
        self.hold = call.hold;
        self.key = self.settings.web_socket.then(|| upgrade::key(call.key));
        self.redirects = 0;
        self.retried = 0;
        self.extended = 0;
        self.credentials.begin();
        self.apply(now, Input::CallSend)
    }

    /// WinHttpWriteData
    pub fn write(&mut self, now: Duration, bytes: &[u8]) -> Result<(), Win32Error> {
        self.refused(Input::CallWrite)?;
        if !self.upload.fits(bytes.len()) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        if self.state.exchange == Exchange::Failed {
            return self.apply(now, Input::CallWrite);
        }
        self.writing = bytes.len() as u32;
        let (outgoing, last) = self.upload.write(bytes);
        self.outgoing = outgoing;
        self.apply(now, if last { Input::CallWriteLast } else { Input::CallWrite })
    }

    /// WinHttpReceiveResponse
    pub fn receive(&mut self, now: Duration) -> Result<(), Win32Error> {
        let duplex = self.upload.duplex();
        self.apply(now, if duplex { Input::CallReceiveDuplex } else { Input::CallReceive })
    }

    /// WinHttpQueryDataAvailable
    pub fn query(&mut self, now: Duration) -> Result<(), Win32Error> {
        self.refused(Input::CallQuery)?;
        self.timers.reading(now, &self.settings.timeouts);
        self.apply(now, Input::CallQuery)
    }

    /// WinHttpReadData, and WinHttpReadDataEx when it need not `fill` the buffer.
    pub fn read(&mut self, now: Duration, mut buffer: CallerBuf, fill: bool) -> Result<(), Win32Error> {
        self.refused(Input::CallRead)?;
        buffer.lend();
        self.reading = Some(PendingRead { buffer, filled: 0, fill });
        self.timers.reading(now, &self.settings.timeouts);
        self.apply(now, Input::CallRead)
    }

    /// Whether the last SendRequest asked for a web socket and its reply was not taken yet.
    pub fn awaits_upgrade(&self) -> bool {
        self.key.is_some() && matches!(self.state.exchange, Exchange::Awaiting | Exchange::Arrived)
    }

    /// WinHttpWebSocketCompleteUpgrade: hands the connection over. ERROR_WINHTTP_INCORRECT_HANDLE_STATE if the reply is
    /// no 101 that was asked for, or was upgraded before.
    pub fn upgrade(&mut self, now: Duration) -> Result<(), Win32Error> {
        self.refused(Input::CallUpgrade)?;
        if !std::mem::take(&mut self.upgradable) {
            return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        }
        self.apply(now, Input::CallUpgrade)
    }

    /// Takes the bytes that QueryDataAvailable announced, for a request of our own.
    pub(super) fn take(&mut self, into: &mut Vec<u8>) {
        self.body.take(into);
        let released = self.body.released();
        if released > 0 {
            self.outputs.push(Output::Taken(released));
        }
    }

    // ---- what the driver reports ----

    /// SENDING_REQUEST of leg `leg` was delivered.
    pub fn proceed(&mut self, now: Duration, leg: u64) {
        if leg == self.leg && self.state.exchange == Exchange::Sending {
            self.timers.sending(now, &self.settings.timeouts);
            self.measures.sending(now);
            self.outputs.push(Output::Proceed);
        }
    }

    /// REDIRECT was delivered.
    pub fn told(&mut self, now: Duration) {
        if let Some(following) = self.following.take() {
            if following.site != self.site {
                // Another server must ask anew.
                self.settings.client_certificate = ClientCertificate::Absent;
            }
            self.site = following.site;
            self.compose.target = following.target;
            self.compose.method = following.method;
            if following.keep_body && !self.upload.replayable() {
                // The application has the body: it sends again, to the target.
                self.cause = ERROR_WINHTTP_RESEND_REQUEST;
                return self.happened(now, Input::Refused);
            }
            if !following.keep_body {
                self.upload = Upload::none();
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

    fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    fn pending(&self) -> bool {
        self.state.read.pending().is_some() || self.state.write.pending().is_some()
    }

    fn busy(&self, operation: Operation) -> Option<Operation> {
        let pending = if operation.writes() { self.state.write.pending() } else { self.state.read.pending() };
        pending.map(Operation::from)
    }

    fn report(&mut self, now: Duration, number: u64, report: Report) {
        if let Some(resolver) = &mut self.resolver {
            resolver.report(now, number, report);
            self.resolved(now);
        }
    }

    fn event(&mut self, now: Duration, leg: u64, event: Event) {
        if let Some(resolver) = &mut self.resolver {
            resolver.event(now, leg, event);
            return self.resolved(now);
        }
        if leg != self.leg {
            return;
        }
        self.measures.event(now, &event, self.site.secure);
        let timeouts = self.settings.timeouts;
        match event {
            Event::Resolving => {
                self.timers.resolving(now, &timeouts);
                let host = self.way.first_hop(&self.site).into();
                self.notify(Notification::ResolvingName { host });
            }
            Event::Resolved(address) => {
                self.notify(Notification::NameResolved { address: address.as_str().into() });
            }
            Event::Connecting(address) => {
                self.timers.connecting(now, &timeouts);
                self.notify(Notification::ConnectingToServer { address: address.as_str().into() });
            }
            Event::Connected(address) => {
                self.timers.connected();
                self.notify(Notification::ConnectedToServer { address: address.as_str().into() });
            }
            Event::Secured(secured) => self.secured = Some(secured),
            Event::CertificateWanted(issuers) => self.issuers = Some(issuers),
            Event::Waiting => self.timers.waiting(now, &timeouts),
            Event::TunnelReady(peer) => {
                self.timers.ready();
                self.peer = Some(peer);
                self.way.reached = true;
                self.notify(Notification::SendingRequest);
                self.outputs.push(Output::ThenProceed(self.leg));
            }
            Event::TunnelSent(bytes) => {
                self.timers.sent();
                self.timers.awaiting(now, &timeouts);
                let bytes = bytes.min(u32::MAX.into()) as u32;
                self.notify(Notification::RequestSent { bytes });
                self.notify(Notification::ReceivingResponse);
            }
            Event::TunnelReply { head, received } => self.tunnel_answered(now, &head, received),
            Event::Ready(peer) => {
                self.way.reached = true;
                self.timers.ready();
                self.peer = Some(peer);
                self.notify(Notification::SendingRequest);
                self.outputs.push(Output::ThenProceed(self.leg));
            }
            Event::Sent(bytes) => self.head_is_out(now, bytes),
            Event::Wrote => {
                self.timers.written();
                self.happened(now, Input::Wrote);
                self.await_reply(now);
            }
            Event::Restarted => self.happened(now, Input::Restart),
            Event::Interim(status) => {
                self.interim += 1;
                self.timers.heard(now, &timeouts);
                self.notify(Notification::IntermediateResponse { status: status.into() });
                if self.interim > self.settings.max_interim {
                    self.fail(now, ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
                }
            }
            Event::Progress => {
                if self.timers.heard(now, &timeouts) {
                    self.fail(now, ERROR_WINHTTP_TIMEOUT);
                }
            }
            Event::Head { mut head, received } => {
                if self.timers.heard(now, &timeouts) {
                    return self.fail(now, ERROR_WINHTTP_TIMEOUT);
                }
                self.timers.arrived();
                // What a proxy says to CONNECT is not the server's word.
                let of_server = !self.way.refused;
                if of_server {
                    self.cookies.store(&head, &self.site, &self.compose.target, &self.settings, now);
                }
                let framing = Framing::of(&head, of_server && self.compose.method == "HEAD");
                let coded = !matches!(framing, Ok(Framing::None));
                let chunked = framing == Ok(Framing::Chunked);
                let decoder = coded.then(|| Decoder::take(&mut head.headers, self.settings.decompression));
                self.body = Body::new(chunked, decoder.flatten());
                if of_server && self.settings.passport && auth::is_passport(&head) {
                    // The login is the application's business: it is asked for credentials (semantics 6.3).
                    head.status = 401;
                }
                let accepts = |key: &String| head.status == 101 && upgrade::is_accepted(&head, key);
                self.upgradable = of_server && self.key.as_ref().is_some_and(accepts);
                self.response = Some(head);
                self.received = received;
                if !of_server && !self.settings.receive_connect_response {
                    self.body.end(Ok(Headers::default()));
                }
                self.happened(now, Input::Head);
            }
            Event::Body { .. } if self.way.refused && !self.settings.receive_connect_response => {}
            Event::Body { bytes, end } => {
                if self.reading.is_some() {
                    self.timers.reading(now, &timeouts);
                }
                self.body.push(bytes);
                if let Some(trailers) = end {
                    self.body.end(Ok(trailers));
                }
                self.happened(now, Input::Data);
            }
            Event::Failed(failure) => {
                self.stream_error = failure.stream;
                self.extended = failure.winsock;
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
        if !self.timers.over(now) {
            return;
        }
        if self.timers.give_up_address() {
            self.outputs.push(Output::NextAddress);
        } else {
            self.fail(now, ERROR_WINHTTP_TIMEOUT);
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
    fn notify(&mut self, notification: Notification) {
        self.outputs.push(Output::Notify(notification));
    }

    fn fail(&mut self, now: Duration, error: Win32Error) {
        if self.state.exchange == Exchange::Sending && self.way.next() {
            // The proxy is dead: the next way of the resolver's answer.
            self.leg += 1;
            self.timers.clear();
            self.outputs.push(Output::Abandon);
            return self.launch(now);
        }
        self.cause = error;
        self.body.end(Err(error));
        self.timers.arrived();
        self.happened(now, Input::Fail);
    }

    /// The error with which the table refuses a call; the call then changes nothing.
    fn refused(&self, call: Input) -> Result<(), Win32Error> {
        match step(self.state, call) {
            Step::Take(..) => Ok(()),
            Step::Refuse(error) => Err(error),
            Step::Impossible => Err(ERROR_WINHTTP_INTERNAL_ERROR),
        }
    }

    /// An input that nobody waits for: one that is impossible now changes nothing.
    fn happened(&mut self, now: Duration, input: Input) {
        let _ = self.apply(now, input);
    }

    fn apply(&mut self, now: Duration, input: Input) -> Result<(), Win32Error> {
        match step(self.state, input) {
            Step::Refuse(error) => Err(error),
            Step::Impossible => Err(ERROR_WINHTTP_INTERNAL_ERROR),
            Step::Take(next, actions) => {
                let before = std::mem::replace(&mut self.state, next);
                for action in actions {
                    self.act(now, before, *action);
                }
                Ok(())
            }
        }
    }

    fn act(&mut self, now: Duration, before: State, action: Action) {
        match action {
            Action::Start => self.start(now),
            Action::Transmit => {
                self.timers.writing(now, &self.settings.timeouts);
                let bytes = std::mem::take(&mut self.outgoing);
                self.outputs.push(Output::Write(bytes));
            }
            Action::Finish => {
                self.upload.close();
                self.outputs.push(Output::Finish);
                self.await_reply(now);
            }
            Action::HandOver => self.outputs.push(Output::HandOver),
            Action::Abandon => {
                self.leg += 1;
                self.resolver = None;
                self.timers.clear();
                self.outputs.push(Output::Abandon);
            }
            Action::Answer => {
                let verdict = self.answer();
                self.happened(now, verdict);
            }
            Action::Supply => self.supply(now),
            // CONNECT went out in place of the request, and was told.
            Action::TellSent | Action::TellReceiving if self.way.refused => {}
            Action::TellSent => {
                let bytes = self.out.min(u32::MAX.into()) as u32;
                self.notify(Notification::RequestSent { bytes });
            }
            Action::TellReceiving => self.notify(Notification::ReceivingResponse),
            Action::TellReceived => {
                let bytes = self.received.min(u32::MAX.into()) as u32;
                self.notify(Notification::ResponseReceived { bytes });
            }
            Action::TellRedirect => {
                self.redirects += 1;
                if let Some(following) = &self.following {
                    let url = following.url.as_str().into();
                    self.notify(Notification::Redirect { url });
                }
                self.outputs.push(Output::ThenTold);
            }
            Action::EndSend => self.end(Api::SEND_REQUEST, Notification::SendRequestComplete),
            Action::EndWrite => self.end(Api::WRITE_DATA, Notification::WriteComplete { bytes: self.writing }),
            Action::EndReceive => self.end(Api::RECEIVE_RESPONSE, Notification::HeadersAvailable),
            Action::EndQuery => {
                let bytes = self.body.announce();
                self.end(Api::QUERY_DATA_AVAILABLE, Notification::DataAvailable { bytes });
            }
            Action::EndRead => {
                if let Some(read) = self.reading.take() {
                    let complete =
                        Notification::ReadComplete { buffer: read.buffer.address(), bytes: read.filled as u32 };
                    self.give_back(read);
                    self.end(Api::READ_DATA, complete);
                }
            }
            Action::FailSend(why) => self.failed(Api::SEND_REQUEST, why),
            Action::FailWrite(why) => self.failed(Api::WRITE_DATA, why),
            Action::FailReceive(why) => self.failed(Api::RECEIVE_RESPONSE, why),
            Action::FailQuery(why) => self.failed(Api::QUERY_DATA_AVAILABLE, why),
            Action::FailRead(why) => self.failed(Api::READ_DATA, why),
            Action::CancelPending => {
                let (read, write) = (before.read.pending(), before.write.pending());
                let ends = if self.write_first { [write, read] } else { [read, write] };
                for api in ends.into_iter().flatten() {
                    self.failed(api, Why::Cancelled);
                }
            }
        }
    }

    fn end(&mut self, api: Api, completion: Notification) {
        if matches!(api, Api::QUERY_DATA_AVAILABLE | Api::READ_DATA) {
            self.timers.read();
        }
        self.outputs.push(Output::End(api.into(), Ok(completion)));
    }

    fn failed(&mut self, api: Api, why: Why) {
        let error = match why {
            Why::Cause => self.cause,
            Why::WrongState => ERROR_WINHTTP_INCORRECT_HANDLE_STATE,
            Why::Cancelled => ERROR_WINHTTP_OPERATION_CANCELLED,
        };
        if let Some(read) = self.reading.take_if(|_| api == Api::READ_DATA) {
            self.give_back(read);
        }
        self.timers.read();
        self.outputs.push(Output::End(api.into(), Err(error)));
    }

    fn give_back(&mut self, read: PendingRead) {
        if read.buffer.is_lent() {
            self.outputs.push(Output::GiveBack(read.buffer));
        }
    }

    /// The HTTP proxy that gets the request itself, if one does. TLS and web sockets go through a tunnel.
    fn by_proxy(&self) -> Option<Site> {
        if self.site.secure || self.key.is_some() { None } else { self.way.proxy_site() }
    }

    fn complete(&self) -> RequestHead {
        let (credentials, cookies) = (self.credentials.headers(), self.cookies.header());
        let key = self.key.as_deref();
        let head = self.compose.complete(&self.site, &self.settings, &self.upload, credentials, cookies, key);
        match self.way.proxy_site() {
            Some(_) if self.by_proxy().is_some() => self.compose.for_proxy(head, &self.site),
            Some(_) => self.compose.for_tunnel(head),
            None => head,
        }
    }

    fn start(&mut self, now: Duration) {
        self.sent = true;
        self.upgradable = false;
        self.interim = 0;
        self.response = None;
        self.received = 0;
        self.body = Body::default();
        self.told_closing = false;
        self.secured = None;
        self.issuers = None;
        self.stream_error = 0;
        if let Some(error) = self.settings.refuses_web_socket().filter(|_| self.key.is_some()) {
            return self.fail(now, error);
        }
        let to = Destination { secure: self.site.secure, host: &self.site.host, port: self.site.port };
        match self.settings.proxy.choose(&to) {
            // Failover in a list that the application gave is its own affair (rules P3).
            Some(mut choice) => {
                choice.hops.truncate(1);
                self.way = Way::new(choice.hops);
                self.launch(now);
            }
            None => self.resolve(now),
        }
    }

    /// Asks the resolver for the ways; the order is put out when it has answered.
    fn resolve(&mut self, now: Duration) {
        self.way = Way::default();
        let url: Vec<u16> = self.url().encode_utf16().collect();
        let mut resolver = Resolver::new(self.settings.timeouts, (self.leg + 1) << 32);
        let asked = Query::new(&url, None).and_then(|query| resolver.find(now, query));
        self.resolver = asked.is_ok().then(|| Box::new(resolver));
        if asked.is_ok() { self.resolved(now) } else { self.launch(now) }
    }

    /// Passes on what the resolver wants, and takes its answer. Without one the way is straight.
    fn resolved(&mut self, now: Duration) {
        let Some(resolver) = &mut self.resolver else { return };
        let wanted: Vec<_> = resolver.outputs().collect();
        for output in wanted {
            if !matches!(output, Output::End(..)) {
                self.outputs.push(output);
                continue;
            }
            let hops = resolver.answer().map_or_else(|_| vec![Hop::Direct], |choice| choice.hops.clone());
            self.resolver = None;
            self.way = Way::new(hops);
            return self.launch(now);
        }
    }

    /// Puts out the order, over the first way that is left.
    fn launch(&mut self, now: Duration) {
        self.way.refused = false;
        let body = (!self.upload.open()).then_some(&*self.upload.first);
        self.cookies.prepare(&self.site, &self.compose.target, &self.settings, now);
        let absolute = self.compose.url(&self.site);
        let via = self.by_proxy().map(|proxy| (proxy, &*absolute));
        let in_absolute_form = via.is_some();
        self.credentials.refused = self.settings.refused_proxy_schemes();
        self.credentials.prepare(&self.compose, &self.site, body, via);
        let head = self.complete();
        let route = match self.way.hop() {
            Hop::Direct => Route::Direct,
            Hop::Via(server) if server.is_socks() => Route::Socks(server.clone()),
            Hop::Via(server) => {
                let via = Via { server: server.clone(), tls: server.speaks_tls().then(|| self.settings.tls()) };
                if in_absolute_form { Route::Proxy(via) } else { Route::Tunnel(via, self.connect_head()) }
            }
        };
        let order = Order {
            host: self.site.host.clone(),
            port: self.site.port,
            route,
            tls: self.site.secure.then(|| self.settings.tls()),
            // A request that asks for HTTP/1.0 gets no newer version.
            http2: self.settings.http2().filter(|_| self.compose.version.minor == 1 && self.key.is_none()),
            head,
            body: self.upload.first.clone(),
            more: self.upload.open(),
            chunked: self.upload.automatic(),
            upgrade: self.key.is_some(),
            keep_alive: !self.settings.keep_alive_disabled() && !self.compose.asks_to_close(),
            pool: self.settings.pool,
            network: self.settings.network.clone(),
            sharing: self.settings.sharing.clone(),
            head_limit: self.settings.max_head as usize,
            drain_limit: self.settings.max_drain as usize,
        };
        self.measures.begin(now, order.first_length());
        self.outputs.push(Output::Start(self.leg, Box::new(order)));
    }

    /// The CONNECT that goes out next.
    fn connect_head(&mut self) -> RequestHead {
        let authority = self.site.authority_with_port();
        let proxy = self.way.proxy_site().unwrap_or_else(|| self.site.clone());
        let credentials = self.credentials.for_tunnel(&self.compose, &proxy, &authority);
        self.compose.connect(authority, credentials)
    }

    /// The proxy answered CONNECT: the tunnel stands, or is asked for again, or its answer is the server's.
    fn tunnel_answered(&mut self, now: Duration, head: &ResponseHead, received: u64) {
        self.timers.arrived();
        let stands = (200..300).contains(&head.status);
        let off = self.settings.authentication_disabled();
        let proxy = self.way.proxy_site().unwrap_or_else(|| self.site.clone());
        let again = !stands && self.credentials.asked_by_tunnel(head, &proxy, &self.compose, off);
        if stands || again {
            let bytes = received.min(u32::MAX.into()) as u32;
            self.notify(Notification::ResponseReceived { bytes });
            // The handshake behind it, or another connection, has the time of a connection.
            self.timers.connecting(now, &self.settings.timeouts);
        }
        if again {
            let head = self.connect_head();
            self.outputs.push(Output::Tunnel(Some(head)));
        } else if !stands {
            self.way.refused = true;
            self.outputs.push(Output::Tunnel(None));
        }
    }

    fn head_is_out(&mut self, now: Duration, bytes: u64) {
        self.timers.sent();
        let input = match () {
            _ if self.upload.open() => Input::SentPart,
            _ if self.hold => Input::SentHeld,
            _ => Input::SentWhole,
        };
        self.out = bytes;
        self.happened(now, input);
        self.await_reply(now);
    }

    /// The server's time runs once the request is complete.
    fn await_reply(&mut self, now: Duration) {
        let complete = matches!(self.state.write, WriteSide::Shut | WriteSide::Send);
        if self.state.exchange == Exchange::Awaiting && (complete || self.upload.duplex()) {
            self.timers.awaiting(now, &self.settings.timeouts);
        }
    }

    /// What the head that arrived means.
    fn answer(&mut self) -> Input {
        let Some(head) = &self.response else { return Input::Refused };
        if self.way.refused {
            // A proxy may say no; where to go, it may not say.
            return Input::Final;
        }
        if self.key.is_some() && head.status == 101 && !self.upgradable {
            self.cause = ERROR_WINHTTP_INVALID_SERVER_RESPONSE;
            return Input::Refused;
        }
        let repeatable = self.upload.replayable();
        if head.status == 408 && self.retried < self.settings.timeout_retries && repeatable {
            self.retried += 1;
            return Input::Resend;
        }
        let disabled = self.settings.authentication_disabled();
        if self.credentials.asked(head, &self.compose, &self.site, disabled) {
            if self.upload.replayable() {
                return Input::Resend;
            }
            self.cause = ERROR_WINHTTP_RESEND_REQUEST;
            return Input::Refused;
        }
        let current = redirect::Current {
            url: &self.compose.url(&self.site),
            method: &self.compose.method,
            policy: self.settings.allowed_redirects(),
            disabled: self.settings.redirects_disabled(),
            followed: self.redirects,
            limit: self.settings.max_redirects,
        };
        let names_user = head.headers.get("location", 0).is_some_and(redirect::names_user);
        match redirect::decide(head.status, head.headers.get("location", 0), &current) {
            Decision::Return => Input::Final,
            Decision::Refuse(error) => {
                self.cause = error;
                Input::Refused
            }
            Decision::Follow { port, .. } if is_forbidden(port) || (self.settings.reject_user && names_user) => {
                self.cause = ERROR_WINHTTP_INVALID_URL;
                Input::Refused
            }
            Decision::Follow { secure, host, port, target, url, method, keep_body } => {
                let site = Site { secure, host, port };
                // Now, so that the application can still add what it wants when it is told.
                self.compose.redirect(site != self.site, keep_body);
                self.following = Some(Following { url, site, target, method, keep_body });
                Input::Follow
            }
        }
    }

    fn supply(&mut self, now: Duration) {
        let supply = match &mut self.reading {
            Some(read) => self.body.read(read),
            None => self.body.query(),
        };
        let released = self.body.released();
        if released > 0 {
            self.outputs.push(Output::Taken(released));
        }
        let input = match supply {
            Supply::Dry => return,
            Supply::Broken(error) => {
                self.cause = error;
                Input::Broken
            }
            Supply::Enough => Input::Supplied,
        };
        if self.body.finished() && self.compose.asks_to_close() && !std::mem::replace(&mut self.told_closing, true) {
            self.notify(Notification::ClosingConnection);
            self.notify(Notification::ConnectionClosed);
        }
        self.happened(now, input);
    }
}
