//! The body of a reply between the transport and the application's buffers.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::http::Headers;
use crate::http::coding::Decoder;
use crate::machine::reading::PendingRead;
use crate::win32::Win32Error;

/// What QueryDataAvailable reports at most: the size of WinHTTP's own read buffer (source read.at-most).
const REPORTED_AT_MOST: usize = 8192;

/// Whether a pending operation can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    Enough,
    Dry,
    Broken(Win32Error),
}

#[derive(Debug, Default)]
pub struct Body {
    /// What the application can read.
    parts: Parts,
    buffered: usize,
    /// All bytes that were there to be read so far.
    supplied: u64,
    /// What QueryDataAvailable said and ReadData has not taken yet.
    announced: usize,
    end: Option<Result<Headers, Win32Error>>,
    /// Whether a part is a chunk, or a piece of one.
    chunked: bool,
    coded: Option<Box<Coded>>,
    /// Bytes of the transport that are no longer kept here, and of which it was not told.
    released: usize,
}

/// Bytes in pieces; the first needs no room on the heap, and mostly there is no other.
#[derive(Debug, Default)]
struct Parts {
    first: Option<Bytes>,
    others: VecDeque<Bytes>,
}

impl Parts {
    fn push_back(&mut self, part: Bytes) {
        match self.first {
            None => self.first = Some(part),
            Some(_) => self.others.push_back(part),
        }
    }

    fn pop_front(&mut self) -> Option<Bytes> {
        std::mem::replace(&mut self.first, self.others.pop_front())
    }

    fn front(&self) -> Option<&Bytes> {
        self.first.as_ref()
    }

    fn front_mut(&mut self) -> Option<&mut Bytes> {
        self.first.as_mut()
    }

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

/// A body whose content coding is taken off.
#[derive(Debug)]
struct Coded {
    decoder: Decoder,
    parts: VecDeque<Bytes>,
}

impl Body {
    /// A body as it comes, or one that is decoded.
    pub fn new(chunked: bool, decoder: Option<Decoder>) -> Body {
        let coded = decoder.map(|decoder| Box::new(Coded { decoder, parts: VecDeque::new() }));
        Body { chunked: chunked && coded.is_none(), coded, ..Body::default() }
    }

    pub fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() || self.end.is_some() {
            return;
        }
        match &mut self.coded {
            Some(coded) => coded.parts.push_back(bytes),
            None => {
                self.buffered += bytes.len();
                self.supplied += bytes.len() as u64;
                self.parts.push_back(bytes);
            }
        }
        self.decode();
    }

    /// The first end counts.
    pub fn end(&mut self, end: Result<Headers, Win32Error>) {
        self.end.get_or_insert(end);
        self.decode();
    }

    /// The trailers, once everything was read.
    pub fn trailers(&self) -> Option<&Headers> {
        self.end.as_ref().filter(|_| self.parts.is_empty()).and_then(|end| end.as_ref().ok())
    }

    /// How many bytes there were to be read so far, without their content coding.
    pub fn supplied(&self) -> u64 {
        self.supplied
    }

    /// Whether everything was read.
    pub fn finished(&self) -> bool {
        self.trailers().is_some()
    }

    /// How many bytes of the transport have left since this was asked last.
    pub fn released(&mut self) -> usize {
        std::mem::take(&mut self.released)
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

    /// The answer of QueryDataAvailable: it is not worked out again until so much was read (source RB3).
    pub fn announce(&mut self) -> u32 {
        if self.announced == 0 {
            let ready = if self.chunked { self.parts.front().map_or(0, Bytes::len) } else { self.buffered };
            self.announced = ready.min(REPORTED_AT_MOST);
        }
        self.announced as u32
    }

    /// Moves all that is there into a buffer of ours.
    pub fn take(&mut self, into: &mut Vec<u8>) {
        while let Some(part) = self.parts.pop_front() {
            self.buffered -= part.len();
            if self.coded.is_none() {
                self.released += part.len();
            }
            into.extend_from_slice(&part);
            self.decode();
        }
        self.announced = 0;
    }

    /// Moves what is there into the caller's buffer; says whether the read can end.
    pub fn read(&mut self, read: &mut PendingRead) -> Supply {
        while read.filled < read.buffer.len() {
            let Some(part) = self.parts.front_mut() else { break };
            let count = read.buffer.write(read.filled, part);
            part.advance(count);
            read.filled += count;
            self.buffered -= count;
            self.announced = self.announced.saturating_sub(count);
            if self.coded.is_none() {
                self.released += count;
            }
            if part.is_empty() {
                self.parts.pop_front();
                self.decode();
            }
        }
        let full = read.filled == read.buffer.len() || (!read.fill && read.filled > 0);
        match &self.end {
            _ if full => Supply::Enough,
            Some(Ok(_)) if self.parts.is_empty() => Supply::Enough,
            Some(Err(_)) if read.filled > 0 => Supply::Enough,
            Some(Err(error)) => Supply::Broken(*error),
            Some(Ok(_)) | None => Supply::Dry,
        }
    }

    /// Decodes the next part when the last was read, so that a body never takes more room than that of its coded bytes.
    fn decode(&mut self) {
        let Some(coded) = &mut self.coded else { return };
        if !self.parts.is_empty() {
            return;
        }
        let mut room = vec![0; REPORTED_AT_MOST];
        let outcome = coded.decoder.decode(&mut coded.parts, &mut room).and_then(|(made, taken)| {
            self.released += taken;
            let over = made == 0 && matches!(self.end, Some(Ok(_)));
            if over { coded.decoder.end().map(|()| made) } else { Ok(made) }
        });
        match outcome {
            Ok(made) => {
                room.truncate(made);
                if made > 0 {
                    self.buffered += made;
                    self.supplied += made as u64;
                    self.parts.push_back(room.into());
                }
            }
            // Nothing that comes behind it can be read.
            Err(error) => {
                self.end = Some(Err(error));
                self.coded = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::win32::WINHTTP_DECOMPRESSION_FLAG_GZIP;

    /// 64 MiB lie in 64 KiB; no more of them than one part is ever there.
    #[test]
    fn a_bomb_takes_no_room() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        // Miri takes a second for each piece.
        for _ in 0..if cfg!(miri) { 4 } else { 1024 } {
            encoder.write_all(&[0; 1 << 16]).unwrap();
        }
        let mut headers = Headers::default();
        headers.append("Content-Encoding", "gzip");
        let mut body = Body::new(false, Decoder::take(&mut headers, WINHTTP_DECOMPRESSION_FLAG_GZIP));
        body.push(encoder.finish().unwrap().into());
        body.end(Ok(Headers::default()));
        assert_eq!((body.query(), body.announce(), body.buffered), (Supply::Enough, 8192, 8192));
        assert!(body.released() < 65_536 && !body.finished());
    }
}
