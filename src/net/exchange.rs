//! A request and its reply on one connection: everything that has to be polled for them.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, Response};

use super::connect::Connection;
use super::control::Control;
use super::failure;
use super::upload::Upload;
use super::wire::{self, Tally};
use crate::http::{Headers, ResponseHead};
use crate::transport::{Event, Failure, Order, Sink};
use crate::win32::ERROR_WINHTTP_CONNECTION_ERROR;

/// The going side, and the connection itself.
pub struct Exchange {
    /// Gone when it went back to the pool.
    pub connection: Option<Connection>,
    /// The server closed it, or it broke.
    pub closed: bool,
    tally: Arc<Mutex<Tally>>,
    control: Arc<Control>,
    upload: Upload,
    upload_over: bool,
    /// How many bytes the socket has accepted when the head and the first body bytes, or a WriteData, are out.
    marks: VecDeque<u64>,
    marked: u64,
    sent: bool,
    interim: Arc<Mutex<Vec<u16>>>,
}

impl Exchange {
    /// Lays the order's bytes on the wire; answers the stand-in that hyper is to send.
    pub fn begin(connection: Connection, order: &Order, control: Arc<Control>) -> (Exchange, Request<Upload>) {
        let tally = Arc::clone(&connection.tally);
        let head = order.head.to_wire();
        wire::lock(&tally).begin(&head, &order.body);
        let upload = if order.more { Upload::default() } else { Upload::none() };
        let mut stand_in = Request::new(upload.clone());
        *stand_in.method_mut() = match (order.head.asks_for_head_only(), order.more) {
            (true, _) => Method::HEAD,
            (false, true) => Method::POST,
            (false, false) => Method::GET,
        };
        let interim = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&interim);
        hyper::ext::on_informational(&mut stand_in, move |response| {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(response.status().as_u16());
        });
        let out = (head.len() + order.body.len()) as u64;
        let exchange = Exchange {
            connection: Some(connection),
            closed: false,
            tally,
            control,
            upload,
            upload_over: !order.more,
            marks: VecDeque::from([out]),
            marked: out,
            sent: false,
            interim,
        };
        (exchange, stand_in)
    }

    /// Gives the stand-in to hyper.
    pub fn send(
        &mut self,
        stand_in: Request<Upload>,
    ) -> impl Future<Output = hyper::Result<Response<Incoming>>> + use<> {
        let sent = self.connection.as_mut().map(|connection| connection.sender.send_request(stand_in));
        async move {
            match sent {
                Some(sent) => sent.await,
                None => std::future::pending().await,
            }
        }
    }

    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        wire::lock(&self.tally)
    }

    /// Whether the whole body was given to the connection.
    pub fn upload_over(&self) -> bool {
        self.upload_over
    }

    /// Moves what can move, and tells what has.
    pub fn poll(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) {
        self.feed(cx);
        if let Some(connection) = self.connection.as_mut().filter(|_| !self.closed) {
            self.closed = Pin::new(&mut connection.driver).poll(cx).is_ready();
        }
        let written = self.tally().written;
        while self.marks.front().is_some_and(|mark| written >= *mark) {
            self.passed(sink);
        }
        for status in std::mem::take(&mut *self.interim.lock().unwrap_or_else(PoisonError::into_inner)) {
            sink.event(Event::Interim(status));
        }
    }

    /// Hands WriteData's bytes to hyper.
    fn feed(&mut self, cx: &Context<'_>) {
        if self.upload_over {
            return;
        }
        let mut told = self.control.look(cx);
        for bytes in told.writes.drain(..) {
            self.marked += bytes.len() as u64;
            self.marks.push_back(self.marked);
            self.upload.push(bytes);
        }
        if told.finish {
            self.upload_over = true;
            self.upload.end();
        }
    }

    fn passed(&mut self, sink: &dyn Sink) {
        if let Some(mark) = self.marks.pop_front() {
            sink.event(if std::mem::replace(&mut self.sent, true) { Event::Wrote } else { Event::Sent(mark) });
        }
    }

    /// The reply is there. A server may answer before it has everything: the request then counts as sent.
    pub fn answered(&mut self, sink: &dyn Sink) {
        if !self.sent {
            self.passed(sink);
        }
    }

    /// The reply is over: what was or will be written is answered, but goes nowhere. Says whether the body is complete.
    pub fn discard(&mut self, cx: &Context<'_>, sink: &dyn Sink) -> bool {
        let writes = std::mem::take(&mut self.control.look(cx).writes).len();
        // A server that has not read everything cannot get another request.
        self.closed |= writes > 0 || !self.marks.is_empty();
        for _ in 0..self.marks.len() {
            self.passed(sink);
        }
        for _ in 0..writes {
            sink.event(Event::Wrote);
        }
        self.feed(cx);
        self.upload_over
    }
}

/// Body bytes, and whether they are the last.
pub struct Piece {
    pub bytes: Bytes,
    end: Option<Headers>,
}

impl From<Piece> for Event {
    fn from(piece: Piece) -> Event {
        Event::Body { bytes: piece.bytes, end: piece.end }
    }
}

/// The coming side.
pub struct Download {
    body: Incoming,
    /// A body that ends too early is an error only if it is chunked (semantics 6.5).
    chunked: bool,
    /// Bytes that were looked at ahead.
    ahead: Option<Result<Bytes, Failure>>,
    trailers: Headers,
    /// hyper has nothing more.
    ended: bool,
    over: bool,
}

impl Download {
    pub fn new(body: Incoming, head: &ResponseHead) -> Download {
        Download {
            body,
            chunked: head.is_chunked(),
            ahead: None,
            trailers: Headers::default(),
            ended: false,
            over: false,
        }
    }

    /// Whether the last piece, or a failure, was answered.
    pub fn over(&self) -> bool {
        self.over
    }

    /// The next bytes. The end is told with the last of them if it is there: one ReadData then ends the exchange
    /// (semantics 1.2 A4).
    pub fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        exchange: &mut Exchange,
        sink: &dyn Sink,
    ) -> Poll<Result<Piece, Failure>> {
        let bytes = match self.ahead.take() {
            Some(bytes) => Some(bytes),
            None => ready!(self.poll_data(cx, exchange, sink)),
        };
        let bytes = match bytes {
            Some(Ok(bytes)) => bytes,
            None => Bytes::new(),
            Some(Err(failure)) => {
                self.over = true;
                return Poll::Ready(Err(failure));
            }
        };
        if !self.ended {
            if let Poll::Ready(Some(ahead)) = self.poll_data(cx, exchange, sink) {
                self.ahead = Some(ahead);
            }
        }
        self.over = self.ended && self.ahead.is_none();
        let end = self.over.then(|| std::mem::take(&mut self.trailers));
        Poll::Ready(Ok(Piece { bytes, end }))
    }

    /// The next data that hyper has; `None` at the end.
    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
        exchange: &mut Exchange,
        sink: &dyn Sink,
    ) -> Poll<Option<Result<Bytes, Failure>>> {
        loop {
            if self.ended || self.body.is_end_stream() {
                self.ended = true;
                return Poll::Ready(None);
            }
            exchange.poll(cx, sink);
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => self.ended = true,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => return Poll::Ready(Some(Ok(bytes))),
                    Err(frame) => {
                        for (name, value) in frame.into_trailers().unwrap_or_default().iter() {
                            self.trailers.append(name.as_str(), value.as_bytes());
                        }
                    }
                },
                Some(Err(error)) => {
                    self.ended = true;
                    let failure = match failure::of_body(&error) {
                        None if self.chunked => ERROR_WINHTTP_CONNECTION_ERROR.into(),
                        None => return Poll::Ready(None),
                        Some(failure) => failure,
                    };
                    return Poll::Ready(Some(Err(failure)));
                }
            }
        }
    }
}
