//! A connection in memory, with the ends and the failures of one of TCP.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::sync::{Mutex, MutexGuard};

use super::failure::Injected;

/// How many bytes are on their flow at most: then the writer waits.
const ROOM: usize = 64 * 1024;

/// How one direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The writer sends nothing more.
    Closed,
    /// The reader is gone.
    Unread,
    /// The connection broke; with what, if that is no mere reset.
    Reset(Option<Injected>),
}

fn broken(with: Option<Injected>) -> io::Error {
    with.map_or(io::ErrorKind::ConnectionReset.into(), io::Error::from)
}

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    bytes: VecDeque<u8>,
    end: Option<End>,
    /// Whether bytes were lost because the reader is gone.
    lost: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Debug, Default)]
struct Direction(Mutex<Flow>);

impl Direction {
    fn lock(&self) -> MutexGuard<'_, Flow> {
        self.0.lock()
    }

    /// The first end counts, but for a reset.
    fn end(&self, end: End) {
        let mut flow = self.lock();
        if flow.end.is_none() || matches!(end, End::Reset(_)) {
            flow.end = Some(end);
        }
        let wakers = [flow.reader.take(), flow.writer.take()];
        drop(flow);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// One end of a pipe. Dropping it closes it.
#[derive(Debug)]
pub struct Pipe {
    inbound: Arc<Direction>,
    outbound: Arc<Direction>,
}

/// Two ends.
pub fn pipe() -> (Pipe, Pipe) {
    let (one, other) = (Arc::<Direction>::default(), Arc::<Direction>::default());
    (Pipe { inbound: Arc::clone(&one), outbound: Arc::clone(&other) }, Pipe { inbound: other, outbound: one })
}

impl Pipe {
    /// Breaks the connection: the other end reads what is on its way, and then that.
    pub fn reset(&self, with: Option<Injected>) {
        self.inbound.end(End::Reset(with));
        self.outbound.end(End::Reset(with));
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.outbound.end(End::Closed);
        self.inbound.end(End::Unread);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut flow = self.inbound.lock();
        // What came before the reset is read first, as from a socket.
        if let (true, Some(End::Reset(with))) = (flow.bytes.is_empty(), flow.end) {
            return Poll::Ready(Err(broken(with)));
        }
        if flow.bytes.is_empty() && flow.end.is_none() && buf.remaining() > 0 {
            flow.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buf.remaining().min(flow.bytes.len());
        let (front, back) = flow.bytes.as_slices();
        let of_front = count.min(front.len());
        buf.put_slice(&front[..of_front]);
        buf.put_slice(&back[..count - of_front]);
        flow.bytes.drain(..count);
        let writer = flow.writer.take();
        drop(flow);
        if let Some(writer) = writer {
            writer.wake();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut flow = self.outbound.lock();
        let end = flow.end;
        match end {
            None => {}
            Some(End::Reset(with)) => return Poll::Ready(Err(broken(with))),
            // Over TCP the first bytes behind the end are lost; what comes back for them breaks the next.
            Some(End::Unread) if !std::mem::replace(&mut flow.lost, true) => return Poll::Ready(Ok(bytes.len())),
            Some(_) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
        let count = bytes.len().min(ROOM.saturating_sub(flow.bytes.len()));
        if count == 0 && !bytes.is_empty() {
            flow.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        flow.bytes.extend(&bytes[..count]);
        let reader = flow.reader.take();
        drop(flow);
        if let Some(reader) = reader {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }

    /// All at once, as a socket does: TLS says its last words so.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut written = 0;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            match self.as_mut().poll_write(cx, piece) {
                Poll::Ready(Ok(count)) if count == piece.len() => written += count,
                Poll::Ready(Ok(count)) => return Poll::Ready(Ok(written + count)),
                _ if written > 0 => break,
                other => return other,
            }
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outbound.end(End::Closed);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// What is read from the other end: the bytes, and how they end.
    fn read(act: impl FnOnce(Pipe)) -> (Vec<u8>, Option<io::ErrorKind>) {
        let (here, mut there) = pipe();
        act(here);
        let mut bytes = Vec::new();
        let mut reading = std::pin::pin!(there.read_to_end(&mut bytes));
        let Poll::Ready(end) = reading.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the pipe has ended");
        };
        (bytes, end.err().map(|error| error.kind()))
    }

    fn write(pipe: &mut Pipe, bytes: &[u8]) -> Poll<io::Result<()>> {
        std::pin::pin!(pipe.write_all(bytes)).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn ends() {
        let closed = read(|mut pipe| drop(write(&mut pipe, b"abc")));
        assert_eq!(closed, (b"abc".to_vec(), None));
        let broken = read(|mut pipe| {
            drop(write(&mut pipe, b"abc"));
            pipe.reset(None);
        });
        assert_eq!(broken, (b"abc".to_vec(), Some(io::ErrorKind::ConnectionReset)));
    }

    #[test]
    fn a_writer_waits_for_room_and_hears_that_nobody_reads() {
        let (mut here, mut there) = pipe();
        assert!(write(&mut here, &[0; ROOM]).is_ready());
        assert!(write(&mut here, b"x").is_pending());
        let mut some = [0; 10];
        assert!(std::pin::pin!(there.read_exact(&mut some)).poll(&mut Context::from_waker(Waker::noop())).is_ready());
        assert!(write(&mut here, b"x").is_ready());
        drop(there);
        assert!(matches!(write(&mut here, b"lost"), Poll::Ready(Ok(()))));
        assert!(matches!(write(&mut here, b"x"), Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe));
    }
}
