//! The request body that hyper reads: what WriteData brings.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use crate::sync::Mutex;

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    ended: bool,
    waker: Option<Waker>,
}

/// The body of one request; clones are ends of the same queue. Without one there are no bytes.
#[derive(Clone, Debug)]
pub struct Upload(Option<Arc<Mutex<Queue>>>);

impl Upload {
    /// A body that is to come.
    pub fn open() -> Upload {
        Upload(Some(Arc::default()))
    }

    /// A body without bytes.
    pub fn none() -> Upload {
        Upload(None)
    }

    pub fn push(&self, piece: Bytes) {
        self.change(|queue| queue.pieces.push_back(piece));
    }

    pub fn end(&self) {
        self.change(|queue| queue.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut Queue)) {
        let Some(queue) = &self.0 else { return };
        let mut queue = queue.lock();
        change(&mut queue);
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(queue) = &self.0 else { return Poll::Ready(None) };
        let mut queue = queue.lock();
        match queue.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if queue.ended => Poll::Ready(None),
            None => {
                queue.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let Some(queue) = &self.0 else { return true };
        let queue = queue.lock();
        queue.ended && queue.pieces.is_empty()
    }
}
