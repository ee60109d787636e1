//! What hyper gets for the request body: nothing, and when that is over. The bytes themselves are given to the wire.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

/// The placeholder for the body of one request; clones are of the same one. Without a flag there is no body.
///
/// Whoever ends it polls the connection next: hyper asks again then, and needs no waker.
#[derive(Clone, Debug)]
pub struct Upload(Option<Arc<AtomicBool>>);

impl Upload {
    /// A body that is to come.
    pub fn open() -> Upload {
        Upload(Some(Arc::default()))
    }

    /// No body.
    pub fn none() -> Upload {
        Upload(None)
    }

    /// The body is over.
    pub fn end(&self) {
        if let Some(ended) = &self.0 {
            ended.store(true, Ordering::Relaxed);
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.is_end_stream() { Poll::Ready(None) } else { Poll::Pending }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|ended| ended.load(Ordering::Relaxed))
    }
}
