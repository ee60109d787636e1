//! The bytes under hyper.
//!
//! On the way out hyper writes a stand-in: a head of its own and a chunked body. The wire puts the application's exact
//! head in place of the first and takes the chunk framing off the second, so that header order and case, the target and
//! bytes that the application framed itself go out as they are. On the way in [`Reply`] reads the head, and hyper gets
//! a stand-in for it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::buffer::Buffer;
use super::reply::{Asked, Reply};
use super::stream::Stream;
use crate::http::RequestHead;
use crate::http::chunks::{BadChunk, Chunk, ChunkReader};
use crate::sync::Mutex;

/// Body bytes are gathered behind a head up to this, so that a small request is one segment.
const GATHERED: usize = 16 * 1024;

/// Where hyper's output stands.
#[derive(Debug)]
enum Out {
    /// In its head; so many bytes of CR LF CR LF were seen.
    Head(usize),
    /// In its body, which comes in chunks.
    Body(ChunkReader),
}

/// What the attempt and the wire share. They run in one task; the lock is never contended.
#[derive(Debug)]
pub struct WireState {
    out: Option<Out>,
    /// What goes out before anything else.
    pending: Buffer,
    large: Option<Bytes>,
    /// Bytes accepted by the socket since [`WireState::begin`].
    pub written: u64,
    /// Bytes that [`Wire`] has taken in from hyper for the socket since then.
    pub queued: u64,
    /// How many of them are the head.
    head: u64,
    /// The server takes nothing more. It may have answered before it closed: what it said is still to be read.
    pub deaf: bool,
    /// The next read asks the system, whatever the runtime knows.
    pub looks: bool,
    pub reply: Reply,
}

impl WireState {
    /// A request begins: `head`, and the body bytes that follow it at once. `asked`, `limit`: see [`Reply::begin`].
    pub fn begin(&mut self, head: &RequestHead, body: &Bytes, asked: Asked, limit: usize) {
        self.out = Some(Out::Head(0));
        self.pending.clear();
        head.write(self.pending.end());
        self.head = self.pending.len() as u64;
        self.large = None;
        if body.len() <= GATHERED {
            self.pending.push(body);
        } else {
            self.large = Some(body.clone());
        }
        self.written = 0;
        self.queued = self.head + body.len() as u64;
        self.deaf = false;
        self.reply.begin(asked, limit);
    }

    /// The connection becomes idle: what a large request needed is given back.
    pub fn rest(&mut self) {
        self.pending.shrink();
        self.large = None;
        self.reply.rest();
    }

    /// [`WireState::accept`] for pieces.
    fn accept_all(&mut self, pieces: &[IoSlice<'_>]) -> usize {
        let mut taken = 0;
        for piece in pieces {
            let count = self.accept(piece);
            taken += count;
            if count < piece.len() {
                break;
            }
        }
        taken
    }

    /// Takes hyper's bytes; answers how many were taken. What they mean lands in `pending`.
    fn accept(&mut self, bytes: &[u8]) -> usize {
        let mut left = bytes;
        loop {
            match &mut self.out {
                // hyper never writes outside a request.
                None => return bytes.len(),
                Some(Out::Head(seen)) => {
                    let Some((byte, rest)) = left.split_first() else { return bytes.len() };
                    left = rest;
                    *seen = if *byte == b"\r\n\r\n"[*seen] { *seen + 1 } else { usize::from(*byte == b'\r') };
                    if *seen == 4 {
                        self.out = Some(Out::Body(ChunkReader::default()));
                    }
                }
                Some(Out::Body(reader)) => {
                    // What follows a large body waits until that is out.
                    let large = self.large.as_ref().is_some_and(|large| !large.is_empty());
                    let room = if large { 0 } else { GATHERED.saturating_sub(self.pending.len()) };
                    match reader.next(&mut left, room) {
                        Ok(Some(Chunk::Data(data))) => {
                            self.pending.push(data);
                            self.queued += data.len() as u64;
                        }
                        Ok(Some(Chunk::End(_))) => self.out = None,
                        Ok(None) => return bytes.len() - left.len(),
                        // hyper frames well.
                        Err(BadChunk) => return bytes.len(),
                    }
                }
            }
        }
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
            out: None,
            pending: Buffer::default(),
            large: None,
            written: 0,
            queued: 0,
            head: 0,
            deaf: false,
            looks: false,
            reply: Reply::default(),
        }));
        (Wire { stream, state: Arc::clone(&state) }, state)
    }

    /// The stream under it, and what came of it and was not read.
    pub fn into_parts(self) -> (Stream, Bytes) {
        let rest = self.state.lock().reply.take_rest();
        (self.stream, rest)
    }

    /// Writes what is pending. A body that the server does not take goes nowhere.
    fn drain(stream: &mut Stream, state: &mut WireState, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
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

    fn write(stream: &mut Stream, state: &mut WireState, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let chunk: &[u8] = match (&state.pending, &state.large) {
                (pending, _) if !pending.is_empty() => pending.rest(),
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
                state.pending.take(count);
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, state } = self.get_mut();
        let before = buf.filled().len();
        loop {
            {
                let mut state = state.lock();
                if state.reply.waiting() {
                    state.reply.give(buf);
                    return Poll::Ready(Ok(()));
                }
                if std::mem::take(&mut state.looks) {
                    stream.look();
                }
            }
            ready!(Pin::new(&mut *stream).poll_read(cx, buf))?;
            let reply = &mut state.lock().reply;
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

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Wire { stream, state } = self.get_mut();
        let mut state = state.lock();
        let taken = state.accept_all(pieces);
        if taken > 0 || pieces.iter().all(|piece| piece.is_empty()) {
            return Poll::Ready(Ok(taken));
        }
        ready!(Wire::drain(stream, &mut state, cx))?;
        Poll::Ready(Ok(state.accept_all(pieces)))
    }

    /// hyper copies bodies together, and keeps the room for that, unless it may give them in pieces.
    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, state } = self.get_mut();
        let mut state = state.lock();
        ready!(Wire::drain(stream, &mut state, cx))?;
        if state.deaf { Poll::Ready(Ok(())) } else { Pin::new(stream).poll_flush(cx) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
