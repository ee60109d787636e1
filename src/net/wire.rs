//! The bytes under hyper.
//!
//! On the way out hyper writes a placeholder, a head of its own and an empty body, which goes nowhere: the wire has the
//! application's head and its body as they are, with header order and case, the target, and bytes that the application
//! framed itself. On the way in [`Reply`] reads the head, and hyper gets a placeholder for it.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::buffer::Buffer;
use super::reply::Reply;
use super::stream::Stream;
use crate::http::{RequestHead, RequestKind};
use crate::sync::Mutex;
use crate::win32::ERROR_WINHTTP_INVALID_SERVER_RESPONSE;

/// Body bytes are gathered behind a head up to this, so that a small request is one segment.
const GATHERED: usize = 16 * 1024;

/// What the attempt and the wire share. They run in one task; the lock is never contended.
#[derive(Debug)]
pub struct WireState {
    /// What goes out before anything else: the head, and small pieces behind it.
    pending: Buffer,
    /// What follows it.
    pieces: VecDeque<Bytes>,
    /// Bytes accepted by the socket since [`WireState::begin`].
    pub written: u64,
    /// Bytes that were given to the wire since then.
    pub queued: u64,
    /// How many of them are the head.
    head: u64,
    /// The server takes nothing more, but it has answered: what it said is still to be read (source upload.early-reply).
    pub discards: bool,
    /// The server takes nothing more, and what it said before, if anything, was not read yet.
    refused: Option<io::Error>,
    /// The next read asks the system, whatever the runtime knows.
    pub looks: bool,
    /// What a new connection brought before anything was written (source reply.before-request): hyper, which knows no such
    /// reply, reads it after that.
    early: Early,
    pub reply: Reply,
}

impl WireState {
    /// A request begins: `head`, and the body bytes that follow it at once. `asked`, `limits`: see [`Reply::begin`].
    pub fn begin(&mut self, head: &RequestHead, body: &Bytes, asked: RequestKind, limits: (usize, u32)) {
        self.pending.clear();
        head.write(self.pending.end());
        self.head = self.pending.len() as u64;
        self.pieces.clear();
        self.written = 0;
        self.queued = self.head;
        self.push(body.clone());
        self.discards = false;
        self.refused = None;
        self.reply.begin(asked, limits.0, limits.1);
    }

    /// More of the body.
    pub fn push(&mut self, piece: Bytes) {
        self.queued += piece.len() as u64;
        let gathers = self.pieces.is_empty() && !self.pending.is_empty();
        if gathers && self.pending.len() + piece.len() <= GATHERED {
            self.pending.push(&piece);
        } else if !piece.is_empty() {
            self.pieces.push_back(piece);
        }
    }

    /// The connection becomes idle: what a large request needed is given back.
    pub fn rest(&mut self) {
        self.pending.shrink();
        self.pieces = VecDeque::new();
        self.reply.rest();
    }

    /// Whether something came before anything was written.
    pub fn has_early(&self) -> bool {
        !self.early.bytes.is_empty()
    }

    /// What goes out next.
    fn next(&self) -> &[u8] {
        if self.pending.is_empty() { self.pieces.front().map_or(&[], |piece| piece) } else { self.pending.rest() }
    }

    /// The socket took so many bytes of [`WireState::next`].
    fn wrote(&mut self, count: usize) {
        self.written += count as u64;
        self.early.over = true;
        if let Some(reader) = self.early.reader.take() {
            reader.wake();
        }
        if !self.pending.is_empty() {
            return self.pending.take(count);
        }
        let Some(piece) = self.pieces.front_mut() else { return };
        piece.advance(count);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
    }
}

/// What a new connection brings before anything was written.
#[derive(Debug, Default)]
struct Early {
    bytes: Vec<u8>,
    /// Waits until something was written.
    reader: Option<Waker>,
    /// A request was written: nothing is early any more.
    over: bool,
}

impl Early {
    /// Gives what came, once something was written.
    fn poll(&mut self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<()> {
        if !self.over && !self.bytes.is_empty() {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = self.bytes.len().min(buf.remaining());
        buf.put_slice(&self.bytes[..count]);
        self.bytes.drain(..count);
        Poll::Ready(())
    }
}

/// See the module.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    state: Arc<Mutex<WireState>>,
}

impl Wire {
    /// Lays a wire over a connected stream.
    pub fn new(stream: Stream) -> (Wire, Arc<Mutex<WireState>>) {
        let state = Arc::new(Mutex::new(WireState {
            pending: Buffer::default(),
            pieces: VecDeque::new(),
            written: 0,
            queued: 0,
            head: 0,
            discards: false,
            refused: None,
            looks: false,
            early: Early::default(),
            reply: Reply::default(),
        }));
        (Wire { stream, state: Arc::clone(&state) }, state)
    }

    /// The stream under it, and what came of it and was not read.
    pub fn into_parts(self) -> (Stream, Bytes) {
        let rest = self.state.lock().reply.take_rest();
        (self.stream, rest)
    }

    /// Writes what is pending. A body that the server does not take goes nowhere if it has answered; else the reader finds
    /// out whether it has.
    fn drain(stream: &mut Stream, state: &mut WireState, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !state.discards && state.refused.is_none() {
            match ready!(Wire::write(stream, state, cx)) {
                Err(error) if state.written >= state.head => state.refused = Some(error),
                outcome => return Poll::Ready(outcome),
            }
        }
        if state.reply.received == 0 {
            return Poll::Pending;
        }
        state.discards = true;
        state.pending.clear();
        state.pieces.clear();
        state.written = state.queued;
        Poll::Ready(Ok(()))
    }

    fn write(stream: &mut Stream, state: &mut WireState, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !state.next().is_empty() {
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, state.next()))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            state.wrote(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, state } = self.get_mut();
        let state = &mut *state.lock();
        let before = buf.filled().len();
        loop {
            if state.reply.waiting() {
                state.reply.give(buf);
                return Poll::Ready(Ok(()));
            }
            if state.reply.is_broken() {
                let error = ERROR_WINHTTP_INVALID_SERVER_RESPONSE;
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
            if std::mem::take(&mut state.looks) {
                stream.look();
            }
            ready!(state.early.poll(cx, buf));
            if buf.filled().len() == before {
                ready!(Pin::new(&mut *stream).poll_read(cx, buf))?;
            }
            let bytes = &buf.filled()[before..];
            if state.written == 0 && !bytes.is_empty() {
                if state.early.over {
                    // Of a connection that was used before it answers nothing: the connection is dead, and nothing was written.
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                state.early.bytes.extend_from_slice(bytes);
                buf.set_filled(before);
                continue;
            }
            // Who leaves in the body of the request has broken the connection; else it is a reply that makes no sense (source d01).
            let unanswered = bytes.is_empty() && state.reply.received == 0;
            let in_body = state.written >= state.head && state.written < state.queued;
            if unanswered && (state.refused.is_some() || in_body) {
                return Poll::Ready(Err(state.refused.take().unwrap_or(io::ErrorKind::ConnectionReset.into())));
            }
            let reply = &mut state.reply;
            reply.received += bytes.len() as u64;
            if !reply.in_head() {
                let (count, end) = (reply.body_arrived(bytes), bytes.is_empty());
                buf.set_filled(before + count);
                // What is left may be an error, or a trailer section that is not complete.
                if count > 0 || end {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let outcome = if bytes.is_empty() { reply.ended() } else { reply.arrived(bytes) };
            outcome.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if bytes.is_empty() {
                return Poll::Ready(Ok(()));
            }
            buf.set_filled(before);
        }
    }
}

impl AsyncWrite for Wire {
    /// hyper's placeholder.
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, state } = self.get_mut();
        let mut state = state.lock();
        ready!(Wire::drain(stream, &mut state, cx))?;
        if state.discards { Poll::Ready(Ok(())) } else { Pin::new(stream).poll_flush(cx) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
