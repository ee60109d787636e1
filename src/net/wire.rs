//! The bytes under hyper.
//!
//! On the way out hyper writes a stand-in: a head of its own and a chunked body. The wire puts the application's exact
//! head in place of the first and takes the chunk framing off the second, so that header order and case, the target and
//! bytes that the application framed itself go out as they are. On the way in it keeps the reply's head, which hyper
//! parses into a map that knows neither order nor case, and counts.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

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

/// The reply's first line on its way in. Windows takes `HTTP/1.1  200  OK`, hyper does not: runs of spaces become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusLine {
    /// In it; whether the last byte was a space.
    In(bool),
    Past,
}

impl StatusLine {
    /// Takes superfluous spaces out of `bytes`; answers how many are left, at the front.
    fn squeeze(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            match *self {
                StatusLine::In(true) if byte == b' ' => continue,
                StatusLine::In(_) if byte == b'\n' => *self = StatusLine::Past,
                StatusLine::In(_) => *self = StatusLine::In(byte == b' '),
                StatusLine::Past if kept == at => return bytes.len(),
                StatusLine::Past => {}
            }
            bytes[kept] = byte;
            kept += 1;
        }
        kept
    }
}

/// What the leg and the wire share. They run in one task; the lock is never contended.
#[derive(Debug)]
pub struct Tally {
    out: Option<Out>,
    /// What goes out before anything else.
    pending: BytesMut,
    large: Option<Bytes>,
    /// Bytes accepted by the socket since [`Tally::begin`].
    pub written: u64,
    /// Bytes that [`Wire`] has taken in from hyper for the socket since then.
    pub queued: u64,
    /// The reply so far, until its head was taken.
    pub reply: Vec<u8>,
    recording: bool,
    status_line: StatusLine,
    /// Bytes of the reply.
    pub received: u64,
}

impl Tally {
    /// A request begins: `head`, and the body bytes that follow it at once.
    pub fn begin(&mut self, head: &[u8], body: &Bytes) {
        self.out = Some(Out::Head(0));
        self.pending.clear();
        self.pending.extend_from_slice(head);
        self.large = None;
        if body.len() <= GATHERED {
            self.pending.extend_from_slice(body);
        } else {
            self.large = Some(body.clone());
        }
        self.written = 0;
        self.queued = (head.len() + body.len()) as u64;
        self.reply.clear();
        self.recording = true;
        self.status_line = StatusLine::In(false);
        self.received = 0;
    }

    /// The bytes of the reply that came with its head; they are not kept any longer.
    pub fn take_reply(&mut self) -> Vec<u8> {
        self.recording = false;
        std::mem::take(&mut self.reply)
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
    tally: Arc<Mutex<Tally>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Lays a wire over a connected stream.
    pub fn new(stream: S) -> (Wire<S>, Arc<Mutex<Tally>>) {
        let tally = Arc::new(Mutex::new(Tally {
            out: None,
            pending: BytesMut::new(),
            large: None,
            written: 0,
            queued: 0,
            reply: Vec::new(),
            recording: false,
            status_line: StatusLine::Past,
            received: 0,
        }));
        (Wire { stream, tally: Arc::clone(&tally) }, tally)
    }

    /// Writes what is pending.
    fn drain(stream: &mut S, tally: &mut Tally, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let chunk: &[u8] = match (&tally.pending, &tally.large) {
                (pending, _) if !pending.is_empty() => pending,
                (_, Some(large)) if !large.is_empty() => large,
                _ => return Poll::Ready(Ok(())),
            };
            let count = ready!(Pin::new(&mut *stream).poll_write(cx, chunk))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            tally.written += count as u64;
            if tally.pending.is_empty() {
                if let Some(large) = &mut tally.large {
                    large.advance(count);
                }
            } else {
                tally.pending.advance(count);
            }
        }
    }
}

pub fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, tally } = self.get_mut();
        let before = buf.filled().len();
        loop {
            ready!(Pin::new(&mut *stream).poll_read(cx, buf))?;
            let mut tally = lock(tally);
            let bytes = &mut buf.filled_mut()[before..];
            let count = bytes.len();
            tally.received += count as u64;
            if tally.recording {
                tally.reply.extend_from_slice(bytes);
            }
            let kept = tally.status_line.squeeze(bytes);
            buf.set_filled(before + kept);
            // Nothing left of something would look like the end.
            if kept > 0 || count == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Wire { stream, tally } = self.get_mut();
        let mut tally = lock(tally);
        let taken = tally.accept(bytes);
        if taken > 0 || bytes.is_empty() {
            return Poll::Ready(Ok(taken));
        }
        ready!(Wire::drain(stream, &mut tally, cx))?;
        Poll::Ready(Ok(tally.accept(bytes)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Wire { stream, tally } = self.get_mut();
        ready!(Wire::drain(stream, &mut lock(tally), cx))?;
        Pin::new(stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
