//! A connection that is played byte by byte, over real bytes.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Io;
use crate::lab::raw::{End, Far, Link};

/// What the player has written and the connection has not taken.
#[derive(Default)]
struct Going {
    bytes: Vec<u8>,
    end: Option<End>,
    task: Option<Waker>,
}

#[derive(Default)]
struct Bridge(Mutex<Going>);

impl Bridge {
    fn lock(&self) -> MutexGuard<'_, Going> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Going)) {
        let mut going = self.lock();
        change(&mut going);
        let task = going.task.take();
        drop(going);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Far for Bridge {
    fn arrived(self: Arc<Self>, bytes: &[u8]) {
        self.change(|going| going.bytes.extend_from_slice(bytes));
    }

    fn ended(self: Arc<Self>, end: End) {
        self.change(|going| going.end = Some(end));
    }
}

/// A player hears of it, whatever ends the connection.
struct Closing(Arc<Link>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Carries bytes between a link, whose other side is played by a thread, and a connection; `early` were read from it
/// before. Over when both sides are.
pub fn bridge(link: Arc<Link>, mut io: Box<dyn Io>, early: &[u8]) -> impl Future<Output = ()> + Send + use<> {
    let bridge = Arc::new(Bridge::default());
    link.attach(&bridge);
    if !early.is_empty() {
        link.send(early);
    }
    let (mut reading, mut writing) = (true, true);
    let closing = Closing(Arc::clone(&link));
    poll_fn(move |cx| {
        let link = &closing.0;
        let mut going = bridge.lock();
        going.task = Some(cx.waker().clone());
        while writing && !going.bytes.is_empty() {
            match Pin::new(&mut io).poll_write(cx, &going.bytes) {
                Poll::Ready(Ok(count @ 1..)) => drop(going.bytes.drain(..count)),
                Poll::Ready(_) => writing = false,
                Poll::Pending => break,
            }
        }
        if writing && Pin::new(&mut io).poll_flush(cx).is_ready() && going.bytes.is_empty() {
            match going.end {
                Some(End::Reset) => {
                    io.reset();
                    link.close();
                    return Poll::Ready(());
                }
                Some(End::Closed) if Pin::new(&mut io).poll_shutdown(cx).is_ready() => writing = false,
                _ => {}
            }
        }
        drop(going);
        let mut room = [0; 4096];
        while reading {
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => link.send(buffer.filled()),
                Poll::Ready(_) => {
                    reading = false;
                    link.close();
                }
                Poll::Pending => break,
            }
        }
        if reading || writing { Poll::Pending } else { Poll::Ready(()) }
    })
}
