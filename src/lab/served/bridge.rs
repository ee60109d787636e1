//! A connection that is played byte by byte, over real bytes.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{CONNECTION, Io, ServerHost, injected};
use crate::lab::fault::{Armed, FaultKind, FaultTrigger, Stage};
use crate::lab::peer::Peer;
use crate::lab::raw::{End, PipeClient, RawPipe};
use crate::net::failure::Injected;
use crate::sync::{Mutex, MutexGuard};

/// How what is sent ends.
#[derive(Clone, Copy)]
pub enum Ending {
    Closed,
    Reset(Option<Injected>),
    /// Nothing more comes.
    Silent,
}

/// Says what the next piece that is sent meets with.
pub type BytesMeet = Box<dyn FnMut() -> Option<Ending> + Send>;

/// What the pieces of a server that is played meet with: its own faults at [`Stage::Read`] and those of the reply before.
pub fn what_bytes_meet(place: &Arc<dyn ServerHost>, peer: &Peer, mut of_reply: Vec<Armed>) -> BytesMeet {
    let (place, peer) = (Arc::clone(place), peer.clone());
    Box::new(move || match place.meets(&FaultTrigger::Stage(Stage::Read), &peer, &mut of_reply)? {
        FaultKind::Fail(error, secure) => {
            let with = injected(error, secure);
            place.brings(with, &peer, CONNECTION);
            Some(Ending::Reset(Some(with)))
        }
        FaultKind::Close => Some(Ending::Closed),
        FaultKind::Stall => Some(Ending::Silent),
        other => {
            place.complain(other.cannot_strike_bytes());
            None
        }
    })
}

/// What the player has written and the connection has not taken.
struct Outbound {
    bytes: Vec<u8>,
    end: Option<Ending>,
    task: Option<Waker>,
    /// Away while it is asked.
    meets: Option<BytesMeet>,
}

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
        let mut outbound = self.lock();
        if outbound.end.is_some() {
            return;
        }
        let mut meets = outbound.meets.take();
        drop(outbound);
        let met = meets.as_mut().and_then(|meets| meets());
        self.change(|outbound| {
            outbound.meets = meets;
            match met {
                None => outbound.bytes.extend_from_slice(bytes),
                end => outbound.end = end,
            }
        });
    }

    fn ended(self: Arc<Self>, end: End) {
        let ending = match end {
            End::Closed => Ending::Closed,
            End::Reset => Ending::Reset(None),
        };
        // A fault may have ended it before.
        self.change(|outbound| _ = outbound.end.get_or_insert(ending));
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
pub fn bridge(
    pipe: Arc<RawPipe>,
    mut io: Box<dyn Io>,
    early: &[u8],
    meets: BytesMeet,
) -> impl Future<Output = ()> + Send + use<> {
    let bridge =
        Arc::new(Bridge(Mutex::new(Outbound { bytes: Vec::new(), end: None, task: None, meets: Some(meets) })));
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
                Some(Ending::Reset(with)) => {
                    io.reset(with);
                    pipe.close();
                    return Poll::Ready(());
                }
                Some(Ending::Closed) if Pin::new(&mut io).poll_shutdown(cx).is_ready() => writing = false,
                Some(Ending::Silent) => writing = false,
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
