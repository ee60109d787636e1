//! The body of a reply between the transport and the application's buffers.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::http::Headers;
use crate::win32::{CallerBuf, Win32Error};

/// What QueryDataAvailable reports at most: the size of WinHTTP's own read buffer (semantics 6.5).
const REPORTED_AT_MOST: usize = 8192;

/// A ReadData that waits for its bytes.
#[derive(Debug)]
pub struct PendingRead {
    pub buffer: CallerBuf,
    pub filled: usize,
    /// Whether it ends only when the buffer is full or the body ended (ReadData), or with the first bytes (ReadDataEx).
    pub fill: bool,
}

/// Whether a pending operation can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    Enough,
    Dry,
    Broken(Win32Error),
}

#[derive(Debug, Default)]
pub struct Body {
    parts: VecDeque<Bytes>,
    buffered: usize,
    /// What QueryDataAvailable said and ReadData has not taken yet.
    announced: usize,
    end: Option<Result<Headers, Win32Error>>,
    /// Whether a part is a chunk, or a piece of one.
    chunked: bool,
}

impl Body {
    pub fn new(chunked: bool) -> Body {
        Body { chunked, ..Body::default() }
    }

    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && self.end.is_none() {
            self.buffered += bytes.len();
            self.parts.push_back(bytes);
        }
    }

    /// The first end counts.
    pub fn end(&mut self, end: Result<Headers, Win32Error>) {
        self.end.get_or_insert(end);
    }

    /// The trailers, once everything was read.
    pub fn trailers(&self) -> Option<&Headers> {
        self.end.as_ref().filter(|_| self.parts.is_empty()).and_then(|end| end.as_ref().ok())
    }

    /// Whether everything was read.
    pub fn finished(&self) -> bool {
        self.trailers().is_some()
    }

    /// Whether QueryDataAvailable can end.
    pub fn query(&self) -> Supply {
        match &self.end {
            _ if !self.parts.is_empty() => Supply::Enough,
            Some(Ok(_)) => Supply::Enough,
            Some(Err(error)) => Supply::Broken(*error),
            None => Supply::Dry,
        }
    }

    /// The answer of QueryDataAvailable: it is not worked out again until so much was read (rules RB3).
    pub fn announce(&mut self) -> u32 {
        if self.announced == 0 {
            let ready = if self.chunked { self.parts.front().map_or(0, Bytes::len) } else { self.buffered };
            self.announced = ready.min(REPORTED_AT_MOST);
        }
        self.announced as u32
    }

    /// Moves what is there into the caller's buffer; says whether the read can end and how many bytes were taken.
    pub fn read(&mut self, read: &mut PendingRead) -> (Supply, usize) {
        let mut taken = 0;
        while read.filled < read.buffer.len() {
            let Some(part) = self.parts.front_mut() else { break };
            let count = read.buffer.write(read.filled, part);
            part.advance(count);
            read.filled += count;
            taken += count;
            if part.is_empty() {
                self.parts.pop_front();
            }
        }
        self.buffered -= taken;
        self.announced = self.announced.saturating_sub(taken);
        let full = read.filled == read.buffer.len() || (!read.fill && read.filled > 0);
        let supply = match &self.end {
            _ if full => Supply::Enough,
            Some(Ok(_)) => Supply::Enough,
            Some(Err(_)) if read.filled > 0 => Supply::Enough,
            Some(Err(error)) => Supply::Broken(*error),
            None => Supply::Dry,
        };
        (supply, taken)
    }
}
