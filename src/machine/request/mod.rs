//! The request machine.
//!
//! [`table`] says what may follow what; [`Request`] holds the data that the table does not know. Calls of the application
//! come in here, what happens without them in `events`; `act` turns the table's actions into [`Output`]s, `depart` sends
//! the request on its route, `verdict` reads the head of the reply.

mod act;
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

pub use self::cookies::Cookies;
pub use self::credentials::{Credentials, ExplicitCredentials, Part};
pub use self::template::RequestTemplate;
pub use self::timings::{Timings, counter};

use self::body::Body;
use self::body_source::BodySource;
use self::proxy_route::ProxyRoute;
use self::table::{Exchange, Input, OPENED, State};
use self::timers::Timers;
use super::reading::PendingRead;
use super::resolver::Resolver;
use super::step::Tabled;
use super::{Output, Settings};
use crate::http::{Headers, RequestHead, ResponseHead, upgrade};
use crate::transport::{Peer, Secured};
use crate::win32::{
    CallerBuf, ERROR_INVALID_PARAMETER, ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY, ERROR_WINHTTP_INCORRECT_HANDLE_STATE,
    ERROR_WINHTTP_INTERNAL_ERROR, WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_ADDREQ_FLAG_REPLACE, WINHTTP_PROTOCOL_FLAG_HTTP2,
    Win32Error, WinHttpRequestStatLast,
};

/// The server that a request is for; a redirect may change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
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
    origin: Origin,
    target: String,
    method: String,
    keep_body: bool,
}

/// A request handle's machine.
#[derive(Debug)]
pub struct Request {
    state: State,
    /// What the application put into the head.
    pub template: RequestTemplate,
    /// The options of the handle.
    pub settings: Settings,
    /// User names and passwords.
    pub credentials: Credentials,
    /// The cookies of the session.
    pub cookies: Cookies,
    origin: Origin,
    upload: BodySource,
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
    route: ProxyRoute,
    /// Finds the route, for WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY.
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
    timings: Timings,
    /// The Winsock error behind the last failure.
    extended: u32,
    /// How often it was sent again after 408.
    retried: u32,
    outputs: Vec<Output>,
}

impl Request {
    /// A request that was just opened.
    pub fn new(origin: Origin, template: RequestTemplate, settings: Settings) -> Request {
        Request::numbered(origin, template, settings, 0)
    }

    /// [`Request::new`], with legs from number `leg` on.
    pub(super) fn numbered(origin: Origin, template: RequestTemplate, settings: Settings, leg: u64) -> Request {
        Request {
            state: OPENED,
            template,
            settings,
            credentials: Credentials::default(),
            cookies: Cookies::default(),
            origin,
            upload: BodySource::none(),
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
            route: ProxyRoute::default(),
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
            timings: Timings::default(),
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
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The absolute URL, after redirects the last one (option URL).
    pub fn url(&self) -> String {
        self.template.url(&self.origin)
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
    pub fn timings(&self) -> &Timings {
        &self.timings
    }

    /// How much it was (WINHTTP_REQUEST_STATS.rgullStats).
    pub fn counts(&self) -> [u64; WinHttpRequestStatLast as usize] {
        self.timings.counts(self.body.supplied())
    }

    /// The Winsock error behind the last failure (EXTENDED_ERROR), or 0.
    pub fn extended_error(&self) -> u32 {
        self.extended
    }

    /// The head of the request: as the application made it, and after a send as it went out.
    pub fn request_head(&self) -> RequestHead {
        if self.sent { self.complete() } else { self.template.head() }
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
        self.route.refused && self.response.is_some()
    }

    /// The trailers, once the body was read.
    pub fn trailers(&self) -> Option<&Headers> {
        self.body.trailers()
    }

    // ---- calls of the application ----

    /// WinHttpSendRequest
    pub fn send(&mut self, now: Duration, call: SendCall) -> Result<(), Win32Error> {
        self.refused(Input::CallSend)?;
        if self.origin.secure && self.settings.client_certificate.lacks_key() {
            return Err(ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY);
        }
        if !call.headers.is_empty() {
            self.template.headers.add_text(&call.headers, WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE)?;
        }
        let template = &self.template;
        self.upload = BodySource::plan(
            &template.headers,
            &template.method,
            call.optional,
            call.total,
            template.automatic_chunking,
        )?;
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
}
