//! One exchange on a stream of a shared connection.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::ResponseFuture;
use h2::{Reason, RecvStream, SendStream};

use super::head;
use super::watch::WatchedStream;
use crate::http::{BodyLength, ResponseHead, http2};
use crate::net::connect::Connection;
use crate::net::exchange::{Exchange, FailureKind, Piece, Pieces};
use crate::net::failure;
use crate::net::mailbox::Mailbox;
use crate::net::pool::Slot;
use crate::transport::{Event, Failure, Http2, Peer, Secured, Sink, TransportRequest};
use crate::win32::{
    ERROR_WINHTTP_HEADER_COUNT_EXCEEDED, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW, ERROR_WINHTTP_INTERNAL_ERROR,
    ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
};

/// How many fields a reply may have, as over HTTP/1.
const FIELDS_AT_MOST: usize = 256;

/// See the module.
pub struct Http2Exchange<'a> {
    request: &'a TransportRequest,
    rules: &'a Http2,
    /// Gone when both sides are over: another exchange may have it.
    slot: Option<Slot>,
    watched: Option<WatchedStream>,
    peer: Peer,
    secured: Option<Arc<Secured>>,
    outbound: Outbound<'a>,
    inbound: Inbound,
    /// How many more interim replies may come.
    interim_left: u32,
    failure_kind: FailureKind,
}

/// Where the reply stands.
enum Inbound {
    /// The request was not sent.
    Not,
    Failed(Failure),
    Head(ResponseFuture),
    Body(Download),
}

impl<'a> Http2Exchange<'a> {
    pub fn new(slot: Slot, request: &'a TransportRequest, rules: &'a Http2, mailbox: &'a Mailbox) -> Http2Exchange<'a> {
        let (peer, secured) = (slot.connection.peer, slot.connection.secured.clone());
        let outbound = Outbound::new(request, mailbox);
        Http2Exchange {
            request,
            rules,
            slot: Some(slot),
            watched: None,
            peer,
            secured,
            outbound,
            inbound: Inbound::Not,
            interim_left: request.interim_limit,
            failure_kind: FailureKind::Final,
        }
    }

    /// What an error of h2 is, and whether the request may be sent again.
    fn failed(&mut self, error: &h2::Error) -> Failure {
        let stream = self.outbound.stream.as_ref().map(|stream| stream.stream_id().as_u32());
        let given_up = |slot: &Slot| stream.is_none_or(|stream| slot.connection.watch.given_up(stream));
        let begun = matches!(self.inbound, Inbound::Body(_));
        self.failure_kind = match error.reason() {
            _ if begun => FailureKind::Final,
            Some(Reason::REFUSED_STREAM) if error.is_reset() && error.is_remote() => FailureKind::Refused,
            Some(Reason::HTTP_1_1_REQUIRED) if error.is_remote() => FailureKind::Http1Required,
            _ if self.slot.as_ref().is_some_and(given_up) => FailureKind::Refused,
            _ if error.is_io() || error.is_go_away() => FailureKind::Unanswered,
            _ => FailureKind::Final,
        };
        failure::of_h2(error)
    }

    fn answered(&mut self, response: hyper::http::Response<RecvStream>) -> Result<(ResponseHead, u64), Failure> {
        let (parts, stream) = response.into_parts();
        let (head, size) = http2::reply(parts.status.as_u16(), &head::headers(&parts.headers));
        if head.headers.len() > FIELDS_AT_MOST {
            return Err(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED.into());
        }
        if size > self.request.head_limit as u64 {
            return Err(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW.into());
        }
        let length = BodyLength::of(&head, self.request.head.asks_for_head_only())?;
        self.inbound = Inbound::Body(Download::new(stream, self.rules, length));
        Ok((head, size))
    }
}

impl Exchange for Http2Exchange<'_> {
    fn peer(&self) -> Peer {
        self.peer
    }

    fn http2(&self) -> bool {
        true
    }

    fn secured(&self) -> Option<Arc<Secured>> {
        self.secured.clone()
    }

    fn begin(&mut self) {
        let request = head::request(&self.request.head, &self.request.host, self.request.port);
        let (request, size) = match request {
            Ok(request) => request,
            Err(error) => {
                self.inbound = Inbound::Failed(error.into());
                return;
            }
        };
        let Some(slot) = &self.slot else { return };
        let ends = self.outbound.begin(size);
        match slot.connection.open(request, ends) {
            Ok(((response, stream), watched)) => {
                self.watched = Some(watched);
                self.outbound.stream = Some(stream);
                self.inbound = Inbound::Head(response);
            }
            // The connection ended while the application was told of it: no stream was opened.
            Err(error) => {
                let failure = self.failed(&error);
                self.inbound = Inbound::Failed(failure);
            }
        }
    }

    fn poll_upload(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) {
        self.outbound.poll(cx, sink);
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> Poll<Result<(ResponseHead, u64), Failure>> {
        self.outbound.poll(cx, sink);
        let response = match &mut self.inbound {
            Inbound::Head(response) => response,
            Inbound::Failed(failure) => return Poll::Ready(Err(*failure)),
            _ => return Poll::Ready(Err(ERROR_WINHTTP_INTERNAL_ERROR.into())),
        };
        while let Poll::Ready(Some(Ok(interim))) = response.poll_informational(cx) {
            sink.event(Event::Interim(interim.status().as_u16()));
            let Some(left) = self.interim_left.checked_sub(1) else {
                return Poll::Ready(Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE.into()));
            };
            self.interim_left = left;
        }
        match ready!(Pin::new(response).poll(cx)) {
            Ok(response) => {
                self.outbound.answered(sink);
                Poll::Ready(self.answered(response))
            }
            Err(error) => Poll::Ready(Err(self.failed(&error))),
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, most: usize, sink: &dyn Sink) -> Poll<Result<Piece, Failure>> {
        self.outbound.poll(cx, sink);
        match &mut self.inbound {
            Inbound::Body(download) => download.poll_piece(cx, most, self.watched.as_ref()),
            _ => Poll::Ready(Err(ERROR_WINHTTP_INTERNAL_ERROR.into())),
        }
    }

    fn over(&self) -> bool {
        matches!(&self.inbound, Inbound::Body(download) if download.pieces.over())
    }

    fn upload_over(&self) -> bool {
        self.outbound.over
    }

    fn discard(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> bool {
        self.outbound.discard(cx, sink)
    }

    /// A stream that nobody wants is cancelled by dropping it; the connection goes on.
    fn drains(&self) -> bool {
        false
    }

    fn keep(&mut self, _cx: &mut Context<'_>) -> Option<Box<Connection>> {
        if self.outbound.over {
            self.slot = None;
        }
        None
    }

    fn failure_kind(&self, _failure: &Failure) -> FailureKind {
        self.failure_kind
    }
}

/// The request on its way out.
struct Outbound<'a> {
    request: &'a TransportRequest,
    mailbox: &'a Mailbox,
    stream: Option<SendStream<Bytes>>,
    /// The first body bytes and then those of each WriteData, as far as the server has not made room for them.
    pieces: VecDeque<Bytes>,
    /// Bytes of the head and the first body bytes.
    size: u64,
    sent: bool,
    /// The server answered before the first piece was out.
    early: bool,
    /// The application has given everything.
    complete: bool,
    /// The end of the stream was given to h2, or nobody wants it.
    over: bool,
}

impl<'a> Outbound<'a> {
    fn new(request: &'a TransportRequest, mailbox: &'a Mailbox) -> Outbound<'a> {
        let (complete, pieces) = (!request.more, VecDeque::new());
        Outbound { request, mailbox, stream: None, pieces, size: 0, sent: false, early: false, complete, over: false }
    }

    /// The head goes out, which is `size` bytes long; says whether the stream ends with it.
    fn begin(&mut self, size: u64) -> bool {
        self.pieces.push_back(self.request.body.clone());
        self.size = size + self.request.body.len() as u64;
        self.over = self.complete && self.request.body.is_empty();
        self.over
    }

    fn look(&mut self, cx: &Context<'_>) {
        if !self.complete {
            let mut commands = self.mailbox.look(cx);
            self.pieces.extend(commands.writes.drain(..));
            self.complete = commands.finish;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) {
        self.look(cx);
        let Some(mut stream) = self.stream.take() else { return };
        while let Some(mut piece) = self.pieces.pop_front() {
            let last = self.complete && self.pieces.is_empty();
            let Poll::Ready(ended) = transmit(&mut stream, &mut piece, last, cx) else {
                self.pieces.push_front(piece);
                break;
            };
            self.over |= ended;
            self.passed(sink);
        }
        if self.complete && self.pieces.is_empty() && !std::mem::replace(&mut self.over, true) {
            // A stream that takes nothing more says so on the side that reads.
            let _ = stream.send_data(Bytes::new(), true);
        }
        self.stream = Some(stream);
    }

    /// A server may answer before it has everything: the request then counts as sent.
    fn answered(&mut self, sink: &dyn Sink) {
        if !std::mem::replace(&mut self.sent, true) {
            self.early = !self.pieces.is_empty();
            sink.event(Event::Sent(self.size));
        }
    }

    /// The reply is over.
    fn discard(&mut self, cx: &Context<'_>, sink: &dyn Sink) -> bool {
        self.look(cx);
        while self.pieces.pop_front().is_some() {
            self.passed(sink);
        }
        self.over |= self.complete;
        self.complete
    }

    /// The oldest piece is out. That of the head may have been told before, by the reply.
    fn passed(&mut self, sink: &dyn Sink) {
        if !std::mem::replace(&mut self.sent, true) {
            sink.event(Event::Sent(self.size));
        } else if !std::mem::replace(&mut self.early, false) {
            sink.event(Event::Wrote);
        }
    }
}

/// Gives a piece to h2 as far as the server has room for it; ready when it has taken all, with whether the stream has
/// ended. A stream that takes nothing more stays pending: what that means, the reply says.
fn transmit(stream: &mut SendStream<Bytes>, piece: &mut Bytes, last: bool, cx: &mut Context<'_>) -> Poll<bool> {
    while !piece.is_empty() {
        stream.reserve_capacity(piece.len());
        if stream.capacity() == 0 {
            match ready!(stream.poll_capacity(cx)) {
                Some(Ok(_)) => continue,
                _ => return Poll::Pending,
            }
        }
        let data = piece.split_to(stream.capacity().min(piece.len()));
        let ends = last && piece.is_empty();
        match stream.send_data(data, ends) {
            Ok(()) if ends => return Poll::Ready(true),
            Ok(()) => {}
            Err(_) => return Poll::Pending,
        }
    }
    Poll::Ready(false)
}

/// The reply on its way in.
struct Download {
    stream: RecvStream,
    pieces: Pieces,
    /// The server is told of room when so much of it has come together (ulStreamWindowUpdateDelta).
    threshold: usize,
    /// Room that it was not told of yet.
    room: usize,
    /// What is left of a length that ends the body (source m3); `None`: END_STREAM ends it.
    left: Option<u64>,
}

impl Download {
    fn new(stream: RecvStream, rules: &Http2, length: BodyLength) -> Download {
        let left = match length {
            _ if rules.require_end => None,
            BodyLength::None => Some(0),
            BodyLength::Length(length) => Some(length),
            _ => None,
        };
        Download { stream, pieces: Pieces::default(), threshold: rules.window_update as usize, room: 0, left }
    }

    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        watched: Option<&WatchedStream>,
    ) -> Poll<Result<Piece, Failure>> {
        let Download { stream, pieces, threshold, room, left } = self;
        pieces.poll(most, |trailers| {
            loop {
                let complete = *left == Some(0);
                match stream.poll_data(cx) {
                    // What is beyond the length is nobody's.
                    Poll::Ready(Some(Ok(_))) if complete => return Poll::Ready(None),
                    Poll::Ready(Some(Ok(mut bytes))) => {
                        *room += bytes.len();
                        if *room >= *threshold {
                            // An error means that the stream is over.
                            let _ = stream.flow_control().release_capacity(std::mem::take(room));
                        }
                        if let Some(left) = left {
                            bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                            *left -= bytes.len() as u64;
                        }
                        if !bytes.is_empty() {
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                    }
                    Poll::Ready(None) if left.is_some_and(|left| left > 0) => {
                        return Poll::Ready(Some(Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE.into())));
                    }
                    Poll::Ready(None) => match stream.poll_trailers(cx) {
                        Poll::Ready(Ok(fields)) => {
                            *trailers = fields.as_ref().map(head::headers).unwrap_or_default();
                            return Poll::Ready(None);
                        }
                        Poll::Ready(Err(error)) if !complete => {
                            return Poll::Ready(Some(Err(failure::of_h2(&error))));
                        }
                        Poll::Pending if !complete => return Poll::Pending,
                        _ => return Poll::Ready(None),
                    },
                    // The trailers of a body that has come to its length are taken if they are there.
                    _ if complete => return Poll::Ready(None),
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Some(Err(error))) => {
                        // The server has answered and does not want the rest of the request (RFC 9113 8.1).
                        let whole = error.reason() == Some(Reason::NO_ERROR) && error.is_reset();
                        if whole && watched.is_some_and(WatchedStream::ended) {
                            return Poll::Ready(None);
                        }
                        return Poll::Ready(Some(Err(failure::of_h2(&error))));
                    }
                }
            }
        })
    }
}
