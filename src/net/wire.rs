//! The bytes under hyper.
//!
//! On the way out hyper writes a stand-in: a head of its own and a chunked body. The wire puts the application's exact
//! head in place of the first and takes the chunk framing off the second, so that header order and case, the target and
//! bytes that the application framed itself go out as they are. On the way in [`Reply`] reads the head, and hyper gets
//! a stand-in for it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::reply::{Asked, Reply};
use crate::http::RequestHead;

/// Body bytes are gathered behind a head up to this, so that a small request is one segment.
const GATHERED: usize = 16 * 1024;

/// Where hyper's output stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Out {
    /// In its head; so many bytes of CR LF CR LF were seen.
    Head(usize),
    /// In the line with a chunk's size.
    Size(usize),
    /// In a chunk.
    Chunk(usize),
    /// In the CR LF behind a chunk.
    ChunkEnd(usize),
    /// In the CR LF behind the last chunk.
    Tail(usize),
}

/// What the attempt and the wire share. They run in one task; the lock is never contended.
#[derive(Debug)]
pub struct WireState {
    out: Option<Out>,
    /// What goes out before anything else.
    pending: BytesMut,
    large: Option<Bytes>,
    /// Bytes accepted by the socket since [`WireState::begin`].
    pub written: u64,
    /// Bytes that [`Wire`] has taken in from hyper for the socket since then.
    pub queued: u64,
    /// How many of them are the head.
    head: u64,
    /// The server takes nothing more. It may have answered before it closed: what it said is still to be read.
    pub deaf: bool,
    pub reply: Reply,
}

impl WireState {
    /// A request begins: `head`, and the body bytes that follow it at once. `asked`, `limit`: see [`Reply::begin`].
    pub fn begin(&mut self, head: &RequestHead, body: &Bytes, asked: Asked, limit: usize) {
        self.out = Some(Out::Head(0));
        self.pending.clear();
        head.write(&mut self.pending);
        self.head = self.pending.len() as u64;
        self.large = None;
        if body.len() <= GATHERED {
            self.pending.extend_from_slice(body);
        } else {
            self.large = Some(body.clone());
        }
        self.written = 0;
        self.queued = self.head + body.len() as u64;
        self.deaf = false;
        self.reply.begin(asked, limit);
    }

    /// Takes hyper's bytes; answers how many were taken. What they mean lands in `pending`.
    fn accept(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let byte = bytes[taken];
            self.out = match self.out {
                // hyper never writes outside a request.
                None => return bytes.len(),
                Some(Out::Head(seen)) => {
                    taken += 1;
                    let seen = if byte == b"\r\n\r\n"[seen] { seen + 1 } else { usize::from(byte == b'\r') };
                    Some(if seen == 4 { Out::Size(0) } else { Out::Head(seen) })
                }
                Some(Out::Size(size)) => {
                    taken += 1;
                    match byte {
                        b'\n' if size == 0 => Some(Out::Tail(0)),
                        b'\n' => Some(Out::Chunk(size)),
                        b'\r' => Some(Out::Size(size)),
                        digit => Some(Out::Size(size * 16 + char::from(digit).to_digit(16).unwrap_or(0) as usize)),
                    }
                }
                Some(Out::Chunk(left)) => {
                    // What follows a large body waits until that is out.
                    let room = if self.large.as_ref().is_some_and(|large| !large.is_empty()) { 0 } else { GATHERED };
                    let count = left.min(bytes.len() - taken).min(room.saturating_sub(self.pending.len()));
                    if count == 0 {
                        return taken;
                    }
                    self.pending.extend_from_slice(&bytes[taken..taken + count]);
                    self.queued += count as u64;
                    taken += count;
                    Some(if count == left { Out::ChunkEnd(0) } else { Out::Chunk(left - count) })
                }
                Some(Out::ChunkEnd(seen)) => {
                    taken += 1;
                    Some(if seen == 1 { Out::Size(0) } else { Out::ChunkEnd(seen + 1) })
                }
                Some(Out::Tail(seen)) => {
                    taken += 1;
                    if seen == 1 { None } else { Some(Out::Tail(seen + 1)) }
                }
            };
        }
        taken
    }
}

/// See the module.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    state: Arc<Mutex<WireState>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Lays a wire over a connected stream.
    pub fn new(stream: S) -> (Wire<S>, Arc<Mutex<WireState>>) {
        let state = Arc::new(Mutex::new(WireState {
            out: None,
            pending: BytesMut::new(),
            large: None,
            written: 0,
            queued: 0,
            head: 0,
            deaf: false,
            reply: Reply::default(),
        }));
        (Wire { stream, state: Arc::clone(&state) }, state)
    }

    /// The stream under it, and what came of it and was not read.
    pub fn into_parts(self) -> (S, Bytes) {
        let rest = lock(&self.state).reply.take_rest();
        (self.stream, rest)
    }

    /// Writes what is pending. A body that the server does not take goes nowhere.
    fn drain(stream: &mut S, state: &mut WireState, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !state.deaf {
            match ready!(Wire::write(stream, state, cx)) {
                Err(_) if state.written >= state.head => state.deaf = true,
                outcome => return Poll::Ready(outcome),
            }
        }
        state.pending.clear();
        state.large = None;
        state.written = state.queued;
        Poll::Ready(Ok(()))
    }

    fn write(stream: &mut S, state: &mut WireState, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let chunk: &[u8] = match (&state.pending, &state.large) {
                (pending, _) if !pending.is_empty() => pending,
                (_, Some(large)) if !large.is_empty() => large,
                _ => return Poll::Ready(Ok(())),
            };
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, chunk))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            state.written += count as u64;
            if state.pending.is_empty() {
                if let Some(large) = &mut state.large {
                    large.advance(count);
                }
            } else {
                state.pending.advance(count);
            }
        }
    }
}

pub fn lock(state: &Mutex<WireState>) -> MutexGuard<'_, WireState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, state } = self.get_mut();
        let before = buf.filled().len();
        loop {
            {
                let reply = &mut lock(state).reply;
                if reply.waiting() {
                    reply.give(buf);
                    return Poll::Ready(Ok(()));
                }
            }
            ready!(Pin::new(&mut *stream).poll_read(cx, buf))?;
            let reply = &mut lock(state).reply;
            let bytes = &buf.filled()[before..];
            reply.received += bytes.len() as u64;
            if !reply.in_head() {
                reply.body_arrived(bytes);
                return Poll::Ready(Ok(()));
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

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Wire { stream, state } = self.get_mut();
        let mut state = lock(state);
        let taken = state.accept(bytes);
        if taken > 0 || bytes.is_empty() {
            return Poll::Ready(Ok(taken));
        }
        ready!(Wire::drain(stream, &mut state, cx))?;
        Poll::Ready(Ok(state.accept(bytes)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, state } = self.get_mut();
        let mut state = lock(state);
        ready!(Wire::drain(stream, &mut state, cx))?;
        if state.deaf { Poll::Ready(Ok(())) } else { Pin::new(stream).poll_flush(cx) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
