//! One request and its reply, whatever version of HTTP carries them.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::Net;
use crate::http::{Headers, ResponseHead};
use crate::transport::{Event, Failure, Peer, Secured, Sink};

/// A request on its connection. HTTP/1 has the connection to itself and polls it; HTTP/2 has a stream of it. A leg asks
/// first for the head, then for pieces until [`Exchange::over`].
pub trait Exchange {
    /// The two ends of the connection.
    fn peer(&self) -> Peer;
    /// What TLS on it came to.
    fn secured(&self) -> Option<Arc<Secured>>;
    /// SENDING_REQUEST was delivered: the head goes out.
    fn begin(&mut self);
    /// Moves what can move of the request, and tells what has.
    fn poll_upload(&mut self, cx: &mut Context<'_>, sink: &dyn Sink);
    /// The head of the reply, and how many bytes of the reply have come.
    fn poll_head(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> Poll<Result<(ResponseHead, u64), Failure>>;
    /// The next bytes. The end is told with the last of them if it is there: one ReadData then ends the exchange
    /// (semantics 1.2 A4).
    fn poll_piece(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> Poll<Result<Piece, Failure>>;
    /// Whether the last piece, or a failure, was answered.
    fn over(&self) -> bool;
    /// Whether the whole body was given to the connection.
    fn upload_over(&self) -> bool;
    /// The reply is over: what was or will be written is answered, but goes nowhere. Says whether the body is complete.
    fn discard(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> bool;
    /// Whether the rest of an unwanted reply is worth reading, because the connection can carry another request then.
    fn drains(&self) -> bool;
    /// Gives the connection back if it can carry another request.
    fn keep(&mut self, cx: &mut Context<'_>, net: &Arc<Net>);
    /// Whether the server cannot have acted on the request, so that it may be sent again on another connection.
    fn untouched(&self, failure: &Failure) -> bool;
}

/// Body bytes, and the trailer section if they are the last.
pub struct Piece {
    pub bytes: Bytes,
    pub end: Option<Headers>,
}

impl From<Piece> for Event {
    fn from(piece: Piece) -> Event {
        Event::Body { bytes: piece.bytes, end: piece.end }
    }
}

/// A sink for what happens when nobody listens any more.
pub struct Deaf;

impl Sink for Deaf {
    fn events(&self, _events: &mut dyn Iterator<Item = Event>) {}
    fn tick(&self) {}
}
