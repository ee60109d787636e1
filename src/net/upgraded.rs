//! A connection after a 101: a stream of bytes in both directions.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::failure;
use super::mailbox::Mailbox;
use super::stream::Stream;
use crate::http::Headers;
use crate::transport::{Event, Sink};

/// How much is read at once.
const READ: usize = 16 * 1024;

/// See the module.
pub struct Upgraded {
    stream: Stream,
    /// What came behind the head of the 101.
    early: VecDeque<Bytes>,
    writes: VecDeque<Bytes>,
    flushed: bool,
    /// Bytes that wait at the machine, and how many may.
    waiting: usize,
    read_ahead: usize,
    /// The peer sends nothing more, or the stream broke.
    ended: bool,
}

impl Upgraded {
    pub fn new(stream: Stream, early: [Bytes; 2]) -> Upgraded {
        let early = early.into_iter().filter(|bytes| !bytes.is_empty()).collect();
        Upgraded { stream, early, writes: VecDeque::new(), flushed: true, waiting: 0, read_ahead: 1, ended: false }
    }

    /// Somebody listens from now on; so many bytes may wait for it.
    pub fn begin(&mut self, read_ahead: usize) {
        self.read_ahead = read_ahead.max(1);
    }

    /// Moves what can move, and tells what has.
    pub fn poll(&mut self, cx: &mut Context<'_>, mailbox: &Mailbox, sink: &dyn Sink) {
        {
            let mut commands = mailbox.look(cx);
            self.writes.extend(commands.writes.drain(..));
            self.waiting -= std::mem::take(&mut commands.taken).min(self.waiting);
        }
        if let Poll::Ready(Err(error)) = self.poll_write(cx, sink) {
            return self.fail(&error, sink);
        }
        while !self.ended && self.waiting < self.read_ahead {
            match self.poll_read(cx) {
                Poll::Pending => return,
                Poll::Ready(Err(error)) => return self.fail(&error, sink),
                Poll::Ready(Ok(bytes)) => {
                    self.waiting += bytes.len();
                    self.ended = bytes.is_empty();
                    let end = self.ended.then(Headers::default);
                    sink.event(Event::Body { bytes, end });
                }
            }
            // What the machine took at once makes room at once.
            self.waiting -= std::mem::take(&mut mailbox.lock().taken).min(self.waiting);
        }
    }

    fn fail(&mut self, error: &io::Error, sink: &dyn Sink) {
        self.writes.clear();
        if !std::mem::replace(&mut self.ended, true) {
            sink.event(Event::Failed(failure::of_io(error)));
        }
    }

    /// Writes what there is.
    fn poll_write(&mut self, cx: &mut Context<'_>, sink: &dyn Sink) -> Poll<io::Result<()>> {
        while let Some(bytes) = self.writes.front_mut() {
            while !bytes.is_empty() {
                match Pin::new(&mut self.stream).poll_write(cx, bytes) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => bytes.advance(count),
                    other => return other.map_ok(|_| ()),
                }
            }
            self.writes.pop_front();
            self.flushed = false;
            sink.event(Event::Wrote);
        }
        if !self.flushed {
            let flushed = Pin::new(&mut self.stream).poll_flush(cx);
            self.flushed = flushed.is_ready();
            return flushed;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        if let Some(early) = self.early.pop_front() {
            return Poll::Ready(Ok(early));
        }
        let mut bytes = BytesMut::zeroed(READ);
        let mut buffer = ReadBuf::new(&mut bytes);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let count = buffer.filled().len();
        bytes.truncate(count);
        Poll::Ready(Ok(bytes.freeze()))
    }

    /// Nobody listens any more: what was written goes out, then the stream ends as a server expects it: nothing more
    /// from here, and what it still sends is read, so that nothing of ours is lost to a reset.
    pub fn poll_end(&mut self, cx: &mut Context<'_>, mailbox: &Mailbox) -> Poll<()> {
        self.writes.extend(mailbox.look(cx).writes.drain(..));
        match self.poll_write(cx, &super::exchange::NullSink) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(())) => {}
        }
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Ready(Ok(())) => {}
        }
        loop {
            match self.poll_read(cx) {
                Poll::Ready(Ok(bytes)) if !bytes.is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
