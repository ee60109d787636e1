//! An exchange over HTTP/1: everything that has to be polled for it, its connection included.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Incoming};
use hyper::{Method, Request, Response};
use smallvec::SmallVec;

use super::connect::Connection;
use super::exchange::{Exchange, FailureKind, NullSink, Piece, Pieces};
use super::failure;
use super::mailbox::Mailbox;
use super::upgraded::Upgraded;
use super::upload::Upload;
use super::wire::WireState;
use crate::connection::drains;
use crate::http::{BodyLength, OutgoingBody, RequestKind, ResponseHead};
use crate::sync::{Mutex, MutexGuard};
use crate::transport::{Event, Failure, Peer, Secured, Sink, TransportRequest};
use crate::win32::{
    ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_INTERNAL_ERROR, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
};

/// See the module.
pub struct Http1<'a> {
    outbound: Outbound<'a>,
    inbound: Inbound,
    /// How many bytes of the reply were told as progress.
    heard: u64,
}

/// Where the reply stands.
enum Inbound {
    /// The request was not sent.
    Not,
    /// hyper's future has no name: it lies in a box, the one allocation of an exchange.
    Head(Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>>),
    Body(Download),
}

impl<'a> Http1<'a> {
    pub fn new(connection: Box<Connection>, request: &'a TransportRequest, mailbox: &'a Mailbox) -> Http1<'a> {
        Http1 { outbound: Outbound::new(connection, request, mailbox), inbound: Inbound::Not, heard: 0 }
    }

    /// The connection, whatever state it is in.
    pub fn into_connection(self) -> Option<Box<Connection>> {
        self.outbound.connection
    }

    /// The connection if the reply is over and it can carry another request.
    pub fn into_idle(self) -> Option<Box<Connection>> {
        let open = self.over() && !self.outbound.closed && self.outbound.whole();
        self.outbound.connection.filter(|connection| open && connection.sender.is_ready())
    }

    /// What the application writes from here on goes nowhere, if it writes `more`.
    pub fn swallow(&mut self, more: bool) {
        (self.outbound.swallows, self.outbound.upload_over) = (true, !more);
    }

    /// hyper has the placeholder for the head.
    fn answered(
        &mut self,
        response: hyper::Result<Response<Incoming>>,
        sink: &dyn Sink,
    ) -> Result<(ResponseHead, u64), Failure> {
        let response = response.map_err(|error| failure::of_exchange(&error))?;
        self.outbound.answered(sink);
        let (head, received) = {
            let mut state = self.outbound.state();
            (state.reply.take_head(), state.reply.received)
        };
        let head = head.ok_or(ERROR_WINHTTP_INTERNAL_ERROR)?;
        let head_only = self.outbound.request.head.asks_for_head_only();
        self.inbound = Inbound::Body(Download::new(response.into_body(), &head, head_only));
        Ok((head, received))
    }
}

impl Exchange for Http1<'_> {
    fn peer(&self) -> Peer {
        self.outbound.peer
    }

    fn http2(&self) -> bool {
        false
    }

    fn secured(&self) -> Option<Arc<Secured>> {
        self.outbound.secured.clone()
    }

    fn begin(&mut self) {
        if let Some(response) = self.outbound.begin() {
            self.inbound = Inbound::Head(Box::pin(response));
        }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) {
        self.outbound.poll(cx, sink);
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> Poll<Result<(ResponseHead, u64), Failure>> {
        loop {
            self.outbound.poll(cx, sink);
            let received = self.outbound.received;
            let Inbound::Head(response) = &mut self.inbound else {
                return Poll::Ready(Err(ERROR_WINHTTP_INTERNAL_ERROR.into()));
            };
            if let Poll::Ready(response) = response.as_mut().poll(cx) {
                return Poll::Ready(self.answered(response, sink));
            }
            if received == self.heard {
                // hyper forgets a request that it has not looked at when the server closes.
                let forgotten = self.outbound.closed;
                return if forgotten {
                    Poll::Ready(Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE.into()))
                } else {
                    Poll::Pending
                };
            }
            self.heard = received;
            sink.event(Event::Progress);
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, most: usize, sink: &dyn Sink) -> Poll<Result<Piece, Failure>> {
        match &mut self.inbound {
            Inbound::Body(download) => download.poll_piece(cx, most, &mut self.outbound, sink),
            _ => Poll::Ready(Err(ERROR_WINHTTP_INTERNAL_ERROR.into())),
        }
    }

    fn over(&self) -> bool {
        matches!(&self.inbound, Inbound::Body(download) if download.pieces.over())
    }

    fn upload_over(&self) -> bool {
        self.outbound.upload_over && self.outbound.marks.is_empty()
    }

    fn discard(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> bool {
        self.outbound.discard(cx, sink)
    }

    fn drains(&self) -> bool {
        let keeps = matches!(&self.inbound, Inbound::Body(download) if download.keeps);
        drains(self.outbound.request.keep_alive, keeps, self.outbound.body.whole())
    }

    fn keep(&mut self, cx: &mut Context<'_>) -> Option<Box<Connection>> {
        let keeps = matches!(&self.inbound, Inbound::Body(download) if download.keeps);
        if !self.outbound.request.keep_alive || !keeps || !self.upload_over() {
            return None;
        }
        let outbound = &mut self.outbound;
        if !outbound.is_ready() {
            // hyper sees that its own part is over when it is asked.
            outbound.poll(cx, &NullSink);
        }
        if outbound.closed || !outbound.whole() || !outbound.is_ready() {
            return None;
        }
        outbound.connection.take()
    }

    fn upgraded(&mut self, cx: &mut Context<'_>) -> Option<Upgraded> {
        let outbound = &mut self.outbound;
        // hyper lets go of the connection once it has seen that its own part is over.
        outbound.poll(cx, &NullSink);
        let connection = outbound.connection.take().filter(|_| outbound.closed)?;
        let parts = connection.driver.into_parts();
        let (stream, rest) = parts.io.into_inner().into_parts();
        Some(Upgraded::new(stream, [parts.read_buf, rest]))
    }

    /// The server closed the connection while it was idle, or without a reply.
    fn failure_kind(&self, failure: &Failure) -> FailureKind {
        let state = self.outbound.state();
        let broke = matches!(failure.error, ERROR_WINHTTP_CONNECTION_ERROR | ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        match (broke && state.reply.received == 0, state.written) {
            (true, 0) => FailureKind::Unwritten,
            (true, _) => FailureKind::Unanswered,
            (false, _) => FailureKind::Final,
        }
    }
}

/// Mostly one: a request waits for the end of a WriteData before the next.
type Marks = SmallVec<[u64; 2]>;

/// The outbound side, and the connection itself.
struct Outbound<'a> {
    request: &'a TransportRequest,
    mailbox: &'a Mailbox,
    /// Gone when it went back to the pool.
    connection: Option<Box<Connection>>,
    peer: Peer,
    secured: Option<Arc<Secured>>,
    /// The server closed it, or it broke.
    closed: bool,
    state: Arc<Mutex<WireState>>,
    upload: Upload,
    upload_over: bool,
    /// What the application writes goes nowhere: a proxy has refused its request.
    swallows: bool,
    /// How many bytes the socket has accepted when the head and the first body bytes, or a WriteData, are out.
    marks: Marks,
    marked: u64,
    /// The body as far as it was given to the wire.
    body: OutgoingBody,
    sent: bool,
    /// Bytes of the reply that had come when the connection was polled last.
    received: u64,
}

impl<'a> Outbound<'a> {
    fn new(connection: Box<Connection>, request: &'a TransportRequest, mailbox: &'a Mailbox) -> Outbound<'a> {
        Outbound {
            request,
            mailbox,
            peer: connection.peer,
            secured: connection.secured.clone(),
            state: Arc::clone(&connection.state),
            connection: Some(connection),
            closed: false,
            upload: if request.more { Upload::open() } else { Upload::none() },
            upload_over: !request.more,
            swallows: false,
            marks: Marks::new(),
            marked: 0,
            body: OutgoingBody::of(&request.head),
            sent: false,
            received: 0,
        }
    }

    /// Lays the request's bytes on the wire, and gives hyper the placeholder for them.
    fn begin(&mut self) -> Option<impl Future<Output = hyper::Result<Response<Incoming>>> + Send + use<>> {
        let body = self.request.first();
        let asked = RequestKind::of(&self.request.head.method, self.request.upgrade);
        let queued = {
            let mut state = self.state();
            let limits = (self.request.head_limit, self.request.interim_limit);
            state.begin(&self.request.head, &body, asked, limits);
            state.queued
        };
        self.marked = queued;
        self.marks.push(self.marked);
        self.body.add(&body);
        let mut placeholder = Request::new(self.upload.clone());
        if self.request.more {
            *placeholder.method_mut() = Method::POST;
        }
        self.connection.as_mut().map(|connection| connection.sender.send_request(placeholder))
    }

    fn state(&self) -> MutexGuard<'_, WireState> {
        self.state.lock()
    }

    /// Whether hyper would take another request.
    fn is_ready(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.sender.is_ready())
    }

    /// Whether the request is out as its head announced it: what follows would else be taken for the rest of its body.
    fn whole(&self) -> bool {
        let state = self.state();
        self.body.whole() && !state.discards && state.written >= self.marked
    }

    /// Moves what can move, and tells what has.
    fn poll(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) {
        self.feed(cx, sink);
        if let Some(connection) = self.connection.as_mut().filter(|_| !self.closed) {
            self.closed = Pin::new(&mut connection.driver).poll(cx).is_ready();
        }
        let (written, received, interim) = {
            let mut state = self.state();
            (state.written, state.reply.received, state.reply.take_interim())
        };
        self.received = received;
        while self.marks.first().is_some_and(|mark| written >= *mark) {
            self.passed(written, sink);
        }
        for status in interim {
            sink.event(Event::Interim(status));
        }
    }

    /// Hands WriteData's bytes to the wire.
    fn feed(&mut self, cx: &Context<'_>, sink: &dyn Sink) {
        if self.upload_over {
            return;
        }
        let mut commands = self.mailbox.look(cx);
        if self.swallows {
            let written = std::mem::take(&mut commands.writes).len();
            self.upload_over = commands.finish;
            drop(commands);
            return (0..written).for_each(|_| sink.event(Event::Wrote));
        }
        for bytes in commands.writes.drain(..) {
            let bytes = self.request.framed(bytes);
            self.marked += bytes.len() as u64;
            self.body.add(&bytes);
            self.marks.push(self.marked);
            self.state.lock().push(bytes);
        }
        if commands.finish {
            self.upload_over = true;
            self.upload.end();
        }
    }

    /// The first mark counts as reached, of which the socket has accepted so many bytes.
    fn passed(&mut self, written: u64, sink: &dyn Sink) {
        if !self.marks.is_empty() {
            let mark = self.marks.remove(0);
            // m17: what the socket took, not what waits for it.
            let sent = Event::Sent(mark.min(written));
            sink.event(if std::mem::replace(&mut self.sent, true) { Event::Wrote } else { sent });
        }
    }

    /// The reply is there. A server may answer before it has everything: the request then counts as sent.
    fn answered(&mut self, sink: &dyn Sink) {
        if !self.sent {
            let written = self.state().written;
            self.passed(written, sink);
        }
    }

    /// The reply is over: the rest of the body goes out as long as the server takes it. Says whether it is complete.
    fn discard(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> bool {
        self.poll(cx, sink);
        if self.closed {
            let written = self.state().written;
            for _ in 0..self.marks.len() {
                self.passed(written, sink);
            }
        }
        self.upload_over && self.marks.is_empty()
    }
}

/// The inbound side.
struct Download {
    body: Incoming,
    /// A body that ends too early is an error only if it is chunked (source read.early-end).
    chunked: bool,
    /// Whether the connection can carry another request behind it.
    keeps: bool,
    pieces: Pieces,
}

impl Download {
    fn new(body: Incoming, head: &ResponseHead, head_only: bool) -> Download {
        let keeps = BodyLength::of(head, head_only).is_ok_and(|framing| framing.keeps(head));
        Download { body, chunked: head.is_chunked(), keeps, pieces: Pieces::default() }
    }

    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        outbound: &mut Outbound<'_>,
        sink: &dyn Sink,
    ) -> Poll<Result<Piece, Failure>> {
        let Download { body, chunked, pieces, .. } = self;
        pieces.poll(most, |trailers| {
            if body.is_end_stream() {
                return Poll::Ready(None);
            }
            let mut frame = Pin::new(&mut *body).poll_frame(cx);
            if frame.is_pending() {
                // It comes over the connection, which nobody else polls.
                outbound.poll(cx, sink);
                frame = Pin::new(&mut *body).poll_frame(cx);
            }
            match ready!(frame) {
                // hyper has no trailers: there is no other frame.
                Some(Ok(frame)) => Poll::Ready(Some(Ok(frame.into_data().unwrap_or_default()))),
                Some(Err(error)) => Poll::Ready(match failure::of_body(&error) {
                    None if *chunked => Some(Err(ERROR_WINHTTP_CONNECTION_ERROR.into())),
                    None => None,
                    Some(failure) => Some(Err(failure)),
                }),
                None => {
                    *trailers = outbound.state().reply.take_trailers();
                    Poll::Ready(None)
                }
            }
        })
    }
}
