//! A connection of a Sim after a 101: bytes in both directions.

use std::sync::Arc;

use bytes::Bytes;

use super::raw::End;
use crate::http::Headers;
use crate::transport::{Event, Failure, Sink};
use crate::win32::ERROR_WINHTTP_CONNECTION_ERROR;

/// What came before somebody listened, or who listens.
#[derive(Default)]
pub struct Upgraded {
    sink: Option<Arc<dyn Sink>>,
    early: Vec<u8>,
    end: Option<End>,
}

impl Upgraded {
    /// Bytes that came with the 101.
    pub fn with(early: Vec<u8>) -> Upgraded {
        Upgraded { early, ..Upgraded::default() }
    }

    /// Somebody listens from now on: what it is told of first.
    pub fn listen(&mut self, sink: Arc<dyn Sink>) -> Vec<Event> {
        self.sink = Some(sink);
        let early = std::mem::take(&mut self.early);
        let bytes = (!early.is_empty()).then(|| body(early.into()));
        bytes.into_iter().chain(self.end.map(ending)).collect()
    }

    pub fn sink(&self) -> Option<Arc<dyn Sink>> {
        self.sink.clone()
    }

    /// The peer sends: what is told, if somebody listens.
    pub fn arrived(&mut self, bytes: &[u8]) -> Option<Event> {
        if self.sink.is_none() {
            self.early.extend_from_slice(bytes);
            return None;
        }
        Some(body(Bytes::copy_from_slice(bytes)))
    }

    /// The peer has left.
    pub fn ended(&mut self, end: End) -> Option<Event> {
        self.end.get_or_insert(end);
        self.sink.is_some().then(|| ending(end))
    }
}

fn body(bytes: Bytes) -> Event {
    Event::Body { bytes, end: None }
}

fn ending(end: End) -> Event {
    match end {
        End::Closed => Event::Body { bytes: Bytes::new(), end: Some(Headers::default()) },
        End::Reset => Event::Failed(Failure::from(ERROR_WINHTTP_CONNECTION_ERROR)),
    }
}
