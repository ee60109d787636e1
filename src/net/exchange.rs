//! One request and its reply, whatever version of HTTP carries them.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::connect::Connection;
use super::upgraded::Upgraded;
use crate::http::{Headers, ResponseHead};
use crate::transport::{Event, Failure, Peer, Secured, Sink, to_keep};

/// A request on its connection. HTTP/1 has the connection to itself and polls it; HTTP/2 has a stream of it. An attempt asks
/// first for the head, then for pieces until [`Exchange::over`].
pub trait Exchange {
    /// The two ends of the connection.
    fn peer(&self) -> Peer;
    /// Whether it speaks HTTP/2.
    fn http2(&self) -> bool;
    /// What TLS on it came to.
    fn secured(&self) -> Option<Arc<Secured>>;
    /// SENDING_REQUEST was delivered: the head goes out.
    fn begin(&mut self);
    /// Moves what can move of the request, and tells what has.
    fn poll_upload(&mut self, cx: &mut Context<'_>, sink: &dyn Sink);
    /// The head of the reply, and how many bytes of the reply have come.
    fn poll_head(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> Poll<Result<(ResponseHead, u64), Failure>>;
    /// The next bytes, at most so many. The end is told with the last of them if it is there: one ReadData then ends the exchange
    /// (source seq.keep-alive).
    fn poll_piece(&mut self, cx: &mut Context<'_>, most: usize, sink: &dyn Sink) -> Poll<Result<Piece, Failure>>;
    /// Whether the last piece, or a failure, was answered.
    fn over(&self) -> bool;
    /// Whether the whole body is out.
    fn upload_over(&self) -> bool;
    /// The reply is over, the body may not be: what is written goes out while the server takes it, and is answered in any
    /// case. Says whether the body is complete.
    fn discard(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> bool;
    /// Whether the rest of an unwanted reply is worth reading, because the connection can carry another request then.
    fn drains(&self) -> bool;
    /// Lets the connection go: that of HTTP/1 is answered if it can carry another request.
    fn keep(&mut self, cx: &mut Context<'_>) -> Option<Box<Connection>>;
    /// After a 101: the connection as a stream of bytes. HTTP/2 has no 101.
    fn upgraded(&mut self, _cx: &mut Context<'_>) -> Option<Upgraded> {
        None
    }
    /// What a failure of it means.
    fn failure_kind(&self, failure: &Failure) -> FailureKind;
}

/// What the failure of an exchange means for its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// It failed.
    Final,
    /// No byte of the request went out: a connection from the pool was dead before.
    Unwritten,
    /// No byte of a reply came: a connection from the pool may have been dead before.
    Unanswered,
    /// The server says that it did not work on it.
    Refused,
    /// The server wants it over HTTP/1.1.
    Http1Required,
}

/// Body bytes, and the trailer section if they are the last.
pub struct Piece {
    pub bytes: Bytes,
    pub end: Option<Headers>,
}

impl Piece {
    /// A piece that waits beside so many bytes of earlier ones.
    pub fn beside(self, waiting: usize) -> Piece {
        if waiting == 0 { self } else { Piece { bytes: to_keep(self.bytes), ..self } }
    }
}

impl From<Piece> for Event {
    fn from(piece: Piece) -> Event {
        Event::Body { bytes: piece.bytes, end: piece.end }
    }
}

/// The pieces of a body, with the end told together with the last of them.
#[derive(Default)]
pub struct Pieces {
    /// Bytes that were looked at ahead.
    ahead: Option<Result<Bytes, Failure>>,
    trailers: Headers,
    /// There is nothing more to look at.
    ended: bool,
    over: bool,
}

impl Pieces {
    /// Whether the last piece, or a failure, was answered.
    pub fn over(&self) -> bool {
        self.over
    }

    /// The next piece, of at most so many bytes. `next` brings the bytes that are there, and at the end `None` and the trailers.
    pub fn poll(
        &mut self,
        most: usize,
        mut next: impl FnMut(&mut Headers) -> Poll<Option<Result<Bytes, Failure>>>,
    ) -> Poll<Result<Piece, Failure>> {
        let bytes = match self.ahead.take() {
            Some(bytes) => Some(bytes),
            None => ready!(self.look(&mut next)),
        };
        let bytes = match bytes {
            Some(Ok(mut bytes)) if bytes.len() > most => {
                self.ahead = Some(Ok(bytes.split_off(most)));
                return Poll::Ready(Ok(Piece { bytes, end: None }));
            }
            Some(Ok(bytes)) => bytes,
            None => Bytes::new(),
            Some(Err(failure)) => {
                self.over = true;
                return Poll::Ready(Err(failure));
            }
        };
        if let Poll::Ready(Some(ahead)) = self.look(&mut next) {
            self.ahead = Some(ahead);
        }
        self.over = self.ended && self.ahead.is_none();
        let end = self.over.then(|| std::mem::take(&mut self.trailers));
        Poll::Ready(Ok(Piece { bytes, end }))
    }

    fn look(
        &mut self,
        next: &mut impl FnMut(&mut Headers) -> Poll<Option<Result<Bytes, Failure>>>,
    ) -> Poll<Option<Result<Bytes, Failure>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let found = ready!(next(&mut self.trailers));
        self.ended = !matches!(found, Some(Ok(_)));
        Poll::Ready(found)
    }
}

/// A sink for what happens when nobody listens any more.
pub struct NullSink;

impl Sink for NullSink {
    fn events(&self, _events: &mut dyn Iterator<Item = Event>) {}
    fn tick(&self) {}
}
