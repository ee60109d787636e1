//! A connection that is played byte by byte, over real bytes.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Io;
use crate::lab::raw::{End, PipeClient, RawPipe};
use crate::sync::{Mutex, MutexGuard};

/// What the player has written and the connection has not taken.
#[derive(Default)]
struct Outbound {
    bytes: Vec<u8>,
    end: Option<End>,
    task: Option<Waker>,
}

#[derive(Default)]
struct Bridge(Mutex<Outbound>);

impl Bridge {
    fn lock(&self) -> MutexGuard<'_, Outbound> {
        self.0.lock()
    }

    fn change(&self, change: impl FnOnce(&mut Outbound)) {
        let mut outbound = self.lock();
        change(&mut outbound);
        let task = outbound.task.take();
        drop(outbound);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl PipeClient for Bridge {
    fn arrived(self: Arc<Self>, bytes: &[u8]) {
        self.change(|outbound| outbound.bytes.extend_from_slice(bytes));
    }

    fn ended(self: Arc<Self>, end: End) {
        self.change(|outbound| outbound.end = Some(end));
    }
}

/// A player hears of it, whatever ends the connection.
struct Closing(Arc<RawPipe>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Carries bytes between a pipe, whose other side is played by a thread, and a connection; `early` were read from it
/// before. Over when both sides are.
pub fn bridge(pipe: Arc<RawPipe>, mut io: Box<dyn Io>, early: &[u8]) -> impl Future<Output = ()> + Send + use<> {
    let bridge = Arc::new(Bridge::default());
    pipe.attach(&bridge);
    if !early.is_empty() {
        pipe.send(early);
    }
    let (mut reading, mut writing) = (true, true);
    let closing = Closing(Arc::clone(&pipe));
    poll_fn(move |cx| {
        let pipe = &closing.0;
        let mut outbound = bridge.lock();
        outbound.task = Some(cx.waker().clone());
        while writing && !outbound.bytes.is_empty() {
            match Pin::new(&mut io).poll_write(cx, &outbound.bytes) {
                Poll::Ready(Ok(count @ 1..)) => drop(outbound.bytes.drain(..count)),
                Poll::Ready(_) => writing = false,
                Poll::Pending => break,
            }
        }
        if writing && Pin::new(&mut io).poll_flush(cx).is_ready() && outbound.bytes.is_empty() {
            match outbound.end {
                Some(End::Reset) => {
                    io.reset(None);
                    pipe.close();
                    return Poll::Ready(());
                }
                Some(End::Closed) if Pin::new(&mut io).poll_shutdown(cx).is_ready() => writing = false,
                _ => {}
            }
        }
        drop(outbound);
        let mut room = [0; 4096];
        while reading {
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => pipe.send(buffer.filled()),
                Poll::Ready(_) => {
                    reading = false;
                    pipe.close();
                }
                Poll::Pending => break,
            }
        }
        if reading || writing { Poll::Pending } else { Poll::Ready(()) }
    })
}
