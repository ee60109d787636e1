//! The request machine.
//!
//! [`table`] says what may follow what; [`Request`] holds the data that the table does not know. Calls of the application
//! come in here, what happens without them in `events`; `act` turns the table's actions into [`Output`]s, `depart` sends
//! the request on its route, `verdict` reads the head of the reply.

mod act;
mod attempt;
mod body;
mod body_source;
mod cookies;
mod credentials;
mod depart;
mod events;
mod proxy_route;
pub mod table;
mod template;
mod timers;
mod timings;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

pub use self::cookies::Cookies;
pub use self::credentials::{Credentials, ExplicitCredentials, Part};
pub use self::template::RequestTemplate;
pub use self::timings::{Timings, counter};

use self::attempt::{Attempt, CurrentSend, WriteData};
use self::body_source::BodySource;
use self::proxy_route::ProxyRoute;
use self::table::{Exchange, Input, OPENED, State, WriteSide};
use self::timers::{Timer, Timers};
use super::reading::PendingRead;
use super::resolver::Resolver;
use super::step::Tabled;
use super::{Output, Settings};
use crate::http::{Header, Headers, RequestHead, ResponseHead, upgrade};
use crate::transport::{Peer, Secured};
use crate::win32::{
    CallerBuf, ERROR_INVALID_PARAMETER, ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY, ERROR_WINHTTP_INCORRECT_HANDLE_STATE,
    ERROR_WINHTTP_INTERNAL_ERROR, ERROR_WINHTTP_RESEND_REQUEST, WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_ADDREQ_FLAG_REPLACE,
    WINHTTP_PROTOCOL_FLAG_HTTP2, Win32Error, WinHttpRequestStatLast,
};

/// The server that a request is for; a redirect may change it.
#[derive(Clone, Debug, Eq)]
pub struct Origin {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// Host name or address literal, without brackets.
    pub host: ByteString,
    /// TCP port.
    pub port: u16,
}

/// Names of hosts have no case (RFC 9110, 4.2.3).
impl PartialEq for Origin {
    fn eq(&self, other: &Origin) -> bool {
        self.secure == other.secure && self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

/// The arguments of a WinHttpSendRequest.
#[derive(Debug)]
pub struct SendCall {
    /// Additional headers.
    pub headers: Vec<u16>,
    /// lpOptional
    pub optional: Bytes,
    /// Where it lies, which SENDREQUEST_COMPLETE tells (source m6).
    pub optional_address: usize,
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
    origin: Origin,
    target: ByteString,
    method: ByteString,
    keep_body: bool,
}

/// What the application may set at any time.
#[derive(Debug)]
pub struct Configuration {
    /// What it put into the head.
    pub template: RequestTemplate,
    /// The options of the handle: those of the session, until one is set.
    pub settings: Arc<Settings>,
    /// User names and passwords.
    pub credentials: Credentials,
    /// The cookies of the session.
    pub cookies: Cookies,
}

/// A request handle's machine.
#[derive(Debug)]
pub struct Request {
    state: State,

    // As long as the handle.
    /// To change it is no input.
    pub config: Configuration,
    origin: Origin,
    sent: bool,
    /// The application's Cookie headers that the last SendRequest took along.
    sent_cookies: Vec<Header>,
    /// The two ends of the connection that was used last.
    peer: Option<Peer>,
    /// A header of the application that a redirect takes to another origin, until somebody was told.
    carried_away: Option<&'static str>,

    // As long as one SendRequest.
    current: CurrentSend,
    route: ProxyRoute,
    /// Finds the route, for WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY.
    resolver: Option<Box<Resolver>>,
    following: Option<Box<Following>>,

    // As long as one attempt.
    attempt: Attempt,
    /// Counts the attempts, so that what an abandoned one says is not taken in.
    attempt_number: u64,
    timers: Timers,

    // The two sides.
    read: Option<PendingRead>,
    write: WriteData,

    /// Of two pending operations, that of the write side ends first.
    write_first: bool,
    cause: Win32Error,
    outputs: Vec<Output>,
}

impl Request {
    /// A request that was just opened.
    pub fn new(origin: Origin, template: RequestTemplate, settings: impl Into<Arc<Settings>>) -> Request {
        Request::numbered(origin, template, settings.into(), 0)
    }

    /// [`Request::new`], with attempts from number `first` on.
    pub(super) fn numbered(origin: Origin, template: RequestTemplate, settings: Arc<Settings>, first: u64) -> Request {
        Request {
            state: OPENED,
            config: Configuration {
                template,
                settings,
                credentials: Credentials::default(),
                cookies: Cookies::default(),
            },
            origin,
            sent: false,
            sent_cookies: Vec::new(),
            peer: None,
            carried_away: None,
            current: CurrentSend::default(),
            route: ProxyRoute::default(),
            resolver: None,
            following: None,
            attempt: Attempt::default(),
            attempt_number: first,
            timers: Timers::default(),
            read: None,
            write: WriteData::default(),
            write_first: false,
            cause: ERROR_WINHTTP_INTERNAL_ERROR,
            outputs: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The server that it is for.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The absolute URL, after redirects the last one (option URL).
    pub fn url(&self) -> String {
        self.config.template.url(&self.origin)
    }

    /// The two ends of the connection that it used last.
    pub fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// What TLS came to on that connection, or on one that was given up because of it.
    pub fn secured(&self) -> Option<&Arc<Secured>> {
        self.attempt.secured.as_ref()
    }

    /// The issuers (DER names) of whom a server wanted a certificate that it did not get (CLIENT_CERT_ISSUER_LIST).
    pub fn issuers(&self) -> Option<&[Vec<u8>]> {
        self.attempt.issuers.as_deref()
    }

    /// When things happened.
    pub fn timings(&self) -> &Timings {
        &self.attempt.timings
    }

    /// How much it was (WINHTTP_REQUEST_STATS.rgullStats).
    pub fn counts(&self) -> [u64; WinHttpRequestStatLast as usize] {
        self.attempt.timings.counts(self.attempt.body.supplied())
    }

    /// The Winsock error behind the last failure (EXTENDED_ERROR), or 0.
    pub fn extended_error(&self) -> u32 {
        self.current.extended
    }

    /// The head of the request: as the application made it, and after a send as it went out.
    pub fn request_head(&self) -> RequestHead {
        if self.sent { self.complete() } else { self.config.template.head() }
    }

    /// The head of the reply, once ReceiveResponse took it or a redirect is being told.
    pub fn response_head(&self) -> Result<&ResponseHead, Win32Error> {
        let readable = matches!(self.state.exchange, Exchange::Body | Exchange::Following | Exchange::Cancelled);
        self.attempt.response.as_ref().filter(|_| readable).ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
    }

    /// The newer protocol that brought the reply (HTTP_PROTOCOL_USED): WINHTTP_PROTOCOL_FLAG_HTTP2, or 0.
    pub fn protocol_used(&self) -> u32 {
        let newer = self.attempt.response.as_ref().is_some_and(|head| head.version.major == 2);
        if newer { WINHTTP_PROTOCOL_FLAG_HTTP2 } else { 0 }
    }

    /// The error code with which the server reset the stream of the last exchange, or 0 (STREAM_ERROR_CODE).
    pub fn stream_error(&self) -> u32 {
        self.attempt.stream_error
    }

    /// Whether the reply is that of a proxy to CONNECT (IS_PROXY_CONNECT_RESPONSE).
    pub fn is_connect_response(&self) -> bool {
        self.route.refused && self.attempt.response.is_some()
    }

    /// The trailers, once the body was read.
    pub fn trailers(&self) -> Option<&Headers> {
        self.attempt.body.trailers()
    }

    // ---- calls of the application ----

    /// WinHttpSendRequest
    pub fn send(&mut self, now: Duration, call: SendCall) -> Result<(), Win32Error> {
        self.refused(Input::CallSend)?;
        if self.origin.secure && self.config.settings.client_certificate.lacks_key() {
            return Err(ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY);
        }
        // A Cookie header goes out once: one that a former send took along is removed (source m9).
        for gone in self.sent_cookies.drain(..) {
            self.config.template.headers.remove_one(&gone);
        }
        if !call.headers.is_empty() {
            self.config
                .template
                .headers
                .add_text(&call.headers, WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE)?;
        }
        let current = CurrentSend {
            hold: call.hold,
            optional: (call.optional_address, call.optional.len() as u32),
            key: self.config.settings.web_socket.then(|| upgrade::key(call.key)),
            ..CurrentSend::default()
        };
        let template = &self.config.template;
        self.write.source = BodySource::plan(
            &template.headers,
            &template.method,
            call.optional,
            call.total,
            // A request for a web socket has no body (RFC 6455 4.1): there is nothing to chunk.
            template.automatic_chunking && !self.config.settings.web_socket,
        )?;
        self.sent_cookies = self.config.template.headers.named("cookie");
        self.current = current;
        self.config.credentials.begin(self.cause == ERROR_WINHTTP_RESEND_REQUEST);
        self.cause = ERROR_WINHTTP_INTERNAL_ERROR;
        self.apply(now, Input::CallSend)
    }

    /// WinHttpWriteData
    pub fn write(&mut self, now: Duration, bytes: &[u8]) -> Result<(), Win32Error> {
        self.refused(Input::CallWrite)?;
        if !self.write.source.fits(bytes.len()) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        if self.state.write == WriteSide::Dead {
            return self.apply(now, Input::CallWrite);
        }
        self.write.length = bytes.len() as u32;
        let (outgoing, last) = self.write.source.write(bytes);
        self.write.piece = outgoing;
        self.apply(now, if last { Input::CallWriteLast } else { Input::CallWrite })
    }

    /// WinHttpReceiveResponse
    pub fn receive(&mut self, now: Duration) -> Result<(), Win32Error> {
        let open = self.duplex();
        self.apply(now, if open { Input::CallReceiveDuplex } else { Input::CallReceive })?;
        if open {
            self.await_reply(now);
        }
        Ok(())
    }

    /// Whether the reply may be read while the body goes on: in chunks (source upload.duplex), and over HTTP/2 also a body
    /// whose length was announced (source write.http2).
    fn duplex(&self) -> bool {
        self.write.source.open() && (self.write.source.automatic() || self.attempt.http2)
    }

    /// WinHttpQueryDataAvailable
    pub fn query(&mut self, now: Duration) -> Result<(), Win32Error> {
        self.refused(Input::CallQuery)?;
        self.timers.start(Timer::Read, now, &self.config.settings.timeouts);
        self.apply(now, Input::CallQuery)
    }

    /// WinHttpReadData, and WinHttpReadDataEx when it need not `fill` the buffer.
    pub fn read(&mut self, now: Duration, mut buffer: CallerBuf, fill: bool) -> Result<(), Win32Error> {
        self.refused(Input::CallRead)?;
        buffer.lend();
        self.read = Some(PendingRead { buffer, filled: 0, fill });
        self.timers.start(Timer::Read, now, &self.config.settings.timeouts);
        self.apply(now, Input::CallRead)
    }

    /// The key that the server must answer: the application's own, if it added one (source r6).
    fn sent_key(&self) -> Option<&str> {
        let own =
            self.config.template.headers.get("sec-websocket-key", 0).and_then(|own| std::str::from_utf8(own).ok());
        self.current.key.as_deref().map(|key| own.unwrap_or(key))
    }

    /// Whether the last SendRequest asked for a web socket and its reply was not taken yet.
    pub fn awaits_upgrade(&self) -> bool {
        self.current.key.is_some() && matches!(self.state.exchange, Exchange::Awaiting | Exchange::Arrived)
    }

    /// WinHttpWebSocketCompleteUpgrade: hands the connection over. ERROR_WINHTTP_INCORRECT_HANDLE_STATE if the reply is
    /// no 101 that was asked for, or was upgraded before.
    pub fn upgrade(&mut self, now: Duration) -> Result<(), Win32Error> {
        self.refused(Input::CallUpgrade)?;
        if !std::mem::take(&mut self.attempt.upgradable) {
            return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        }
        self.apply(now, Input::CallUpgrade)
    }

    /// Takes the bytes that QueryDataAvailable announced, for a request of our own.
    pub(super) fn take(&mut self, into: &mut Vec<u8>) {
        self.attempt.body.take(into);
        let released = self.attempt.body.released();
        if released > 0 {
            self.outputs.push(Output::Taken(released));
        }
    }
}
