//! What is learned from the frames that go by below `h2`: that the server is alive, which streams it gave up, and which
//! replies are whole.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::sync::{Mutex, MutexGuard};

/// What a connection's task and its exchanges share.
#[derive(Debug)]
pub struct Watch {
    received: AtomicU64,
    /// The newest stream that the server works on: any, until it says GOAWAY.
    last: AtomicU32,
    /// The connection is gone.
    over: AtomicBool,
    /// Nobody will use it any more.
    unwanted: AtomicBool,
    task: Mutex<Option<Waker>>,
    /// The streams of exchanges, and whether their replies have ended.
    streams: Mutex<HashMap<u32, bool>>,
}

/// A stream whose end is watched for as long as this lives.
pub struct WatchedStream {
    watch: Arc<Watch>,
    id: u32,
}

impl WatchedStream {
    /// Whether its reply came to its end. h2 forgets that when a RST_STREAM follows.
    pub fn ended(&self) -> bool {
        self.watch.streams().get(&self.id).is_some_and(|ended| *ended)
    }
}

impl Drop for WatchedStream {
    fn drop(&mut self) {
        self.watch.streams().remove(&self.id);
    }
}

impl Default for Watch {
    fn default() -> Watch {
        Watch {
            received: AtomicU64::new(0),
            last: AtomicU32::new(u32::MAX),
            over: AtomicBool::new(false),
            unwanted: AtomicBool::new(false),
            task: Mutex::default(),
            streams: Mutex::default(),
        }
    }
}

impl Watch {
    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Whether it takes new streams.
    pub fn open(&self) -> bool {
        self.last.load(Ordering::Relaxed) == u32::MAX && !self.over.load(Ordering::Acquire)
    }

    /// Whether the server has said that it does not work on this stream.
    pub fn given_up(&self, stream: u32) -> bool {
        stream > self.last.load(Ordering::Relaxed)
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<u32, bool>> {
        self.streams.lock()
    }

    /// Opens a stream, and answers it with its number; no frame of it goes by before it is watched.
    pub fn opening<T, E>(
        self: &Arc<Self>,
        open: impl FnOnce() -> Result<(T, u32), E>,
    ) -> Result<(T, WatchedStream), E> {
        let mut streams = self.streams();
        let (stream, id) = open()?;
        streams.insert(id, false);
        drop(streams);
        Ok((stream, WatchedStream { watch: Arc::clone(self), id }))
    }

    /// The connection is gone.
    pub fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Nobody will use the connection any more.
    pub fn leave(&self) {
        self.unwanted.store(true, Ordering::Release);
        if let Some(task) = self.task.lock().take() {
            task.wake();
        }
    }

    /// Ready when nobody will use the connection any more.
    pub fn poll_left(&self, cx: &Context<'_>) -> Poll<()> {
        *self.task.lock() = Some(cx.waker().clone());
        if self.unwanted.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Length, type, flags and stream of a frame (RFC 9113 4.1).
pub const HEAD: usize = 9;
const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;

/// A stream whose incoming frames are watched.
#[derive(Debug)]
pub struct Watched<S> {
    stream: S,
    watch: Arc<Watch>,
    /// The head of the current frame and the first four bytes of its payload, as far as they came.
    begun: Vec<u8>,
    /// What is left of its payload.
    left: usize,
}

impl<S> Watched<S> {
    pub fn new(stream: S, watch: Arc<Watch>) -> Watched<S> {
        Watched { stream, watch, begun: Vec::with_capacity(HEAD + 4), left: 0 }
    }

    fn look(&mut self, mut bytes: &[u8]) {
        self.watch.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        while !bytes.is_empty() {
            if self.begun.len() < HEAD {
                let count = bytes.len().min(HEAD - self.begun.len());
                self.begun.extend_from_slice(&bytes[..count]);
                bytes = &bytes[count..];
                if self.begun.len() == HEAD {
                    self.left = self.begun[..3].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                }
            } else {
                let count = bytes.len().min(self.left);
                let wanted = count.min(HEAD + 4 - self.begun.len());
                self.begun.extend_from_slice(&bytes[..wanted]);
                bytes = &bytes[count..];
                self.left -= count;
            }
            if self.begun.len() >= HEAD && self.left == 0 {
                self.frame();
                self.begun.clear();
            }
        }
    }
}

impl<S> Watched<S> {
    /// A frame has gone by.
    fn frame(&self) {
        let number = |bytes: &[u8]| bytes.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)) & !(1 << 31);
        match self.begun.as_slice() {
            [_, _, _, GOAWAY, _, _, _, _, _, last @ ..] => self.watch.last.store(number(last), Ordering::Relaxed),
            [_, _, _, DATA | HEADERS, flags, rest @ ..] if flags & END_STREAM != 0 => {
                if let Some(ended) = self.watch.streams().get_mut(&number(&rest[..4])) {
                    *ended = true;
                }
            }
            _ => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let watched = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut watched.stream).poll_read(cx, buf))?;
        watched.look(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goaway_is_seen_in_any_pieces() {
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 9];
        let goaway = [0, 0, 9, 7, 0, 0, 0, 0, 0, 0x80, 0, 1, 5, 0, 0, 0, 0, b'x'];
        let bytes = [&settings[..], &goaway, &settings].concat();
        for size in 1..=bytes.len() {
            let mut watched = Watched::new((), Arc::default());
            assert!(watched.watch.open());
            bytes.chunks(size).for_each(|piece| watched.look(piece));
            let watch = &watched.watch;
            assert_eq!(watch.received(), bytes.len() as u64);
            assert!(!watch.open() && watch.given_up(0x107) && !watch.given_up(0x105), "{size}");
        }
    }
    #[test]
    fn the_end_of_a_stream_is_seen() {
        let mut watched = Watched::new((), Arc::default());
        let open = |id: u32| watched.watch.opening(|| Ok::<_, ()>(((), id))).unwrap().1;
        let (one, three, five) = (open(1), open(3), open(5));
        watched.look(&[0, 0, 1, DATA, 0, 0, 0, 0, 1, b'x', 0, 0, 0, HEADERS, END_STREAM | 4, 0, 0, 0, 3]);
        watched.look(&[0, 0, 0, DATA, END_STREAM, 0, 0, 0, 7]);
        assert_eq!([one.ended(), three.ended(), five.ended()], [false, true, false]);
        watched.look(&[0, 0, 0, DATA, END_STREAM, 0, 0, 0, 1]);
        assert!(one.ended());
        drop((one, three));
        assert_eq!(watched.watch.streams().len(), 1);
    }
}
