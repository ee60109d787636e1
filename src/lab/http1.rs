//! Replies out of bytes, for peers that are played byte by byte.

use bytes::Bytes;

use crate::http::chunks::{BadChunk, Chunk, ChunkReader};
use crate::http::{BodyLength, HeadReader, Headers, NextHead};
use crate::transport::{Event, Failure};
use crate::win32::{ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, Win32Error};

/// What is read next.
#[derive(Debug)]
enum Phase {
    Head(HeadReader),
    /// So many bytes of the body.
    Length(u64),
    Chunks(ChunkReader),
    UntilClose,
    Over,
}

/// Reads one reply.
#[derive(Debug)]
pub struct Reader {
    phase: Phase,
    buffer: Vec<u8>,
    received: u64,
    head_only: bool,
    keep_alive: bool,
    switched: bool,
}

impl Reader {
    /// Of a request whose reply may have a head of so many bytes. `upgrade`: it asks for another protocol.
    pub fn new(head_only: bool, head_limit: usize, upgrade: bool) -> Reader {
        let phase = Phase::Head(HeadReader::new(head_limit, upgrade));
        Reader { phase, buffer: Vec::new(), received: 0, head_only, keep_alive: true, switched: false }
    }

    /// Reads bytes as they are, behind a head that was read elsewhere.
    pub fn unframed() -> Reader {
        Reader { phase: Phase::UntilClose, ..Reader::new(false, 0, false) }
    }

    /// Whether no byte has come.
    pub fn untouched(&self) -> bool {
        self.received == 0
    }

    /// Whether the reply is over and the connection can carry another.
    pub fn reusable(&self) -> bool {
        matches!(self.phase, Phase::Over) && self.keep_alive && self.buffer.is_empty()
    }

    /// Whether the reply is not over, and the connection can carry another behind it.
    pub fn in_kept_body(&self) -> bool {
        self.keep_alive && !matches!(self.phase, Phase::Head(_) | Phase::Over | Phase::UntilClose)
    }

    /// Whether the reply is a 101.
    pub fn switched(&self) -> bool {
        self.switched
    }

    /// The bytes behind the reply.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Whether the reply is over.
    pub fn over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// What these bytes mean.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.received += bytes.len() as u64;
        match &mut self.phase {
            Phase::Head(reader) => reader.push(bytes),
            _ => self.buffer.extend_from_slice(bytes),
        }
        let mut events = Vec::new();
        loop {
            match self.next() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => {
                    events.push(self.fail(error));
                    break;
                }
            }
        }
        if matches!(self.phase, Phase::Head(_)) && !bytes.is_empty() {
            events.push(Event::Progress);
        }
        events
    }

    /// The server sends nothing more.
    pub fn end(&mut self) -> Option<Event> {
        match self.phase {
            Phase::Over => None,
            // d01: an orderly end before the head is complete.
            Phase::Head(_) => Some(self.fail(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
            // An early end of a body with a length looks like its end (source read.early-end).
            Phase::Length(_) | Phase::UntilClose => {
                self.keep_alive = false;
                Some(self.finish(Headers::default()))
            }
            _ => Some(self.fail(ERROR_WINHTTP_CONNECTION_ERROR)),
        }
    }

    /// The connection breaks.
    pub fn fail(&mut self, error: Win32Error) -> Event {
        self.phase = Phase::Over;
        self.keep_alive = false;
        Event::Failed(Failure::from(error))
    }

    fn finish(&mut self, trailers: Headers) -> Event {
        self.phase = Phase::Over;
        Event::Body { bytes: Bytes::new(), end: Some(trailers) }
    }

    /// The next thing that the buffer holds, if it holds all of it.
    fn next(&mut self) -> Result<Option<Event>, Win32Error> {
        match &mut self.phase {
            Phase::Over => Ok(None),
            Phase::Head(_) => self.head(),
            Phase::UntilClose => Ok(take(&mut self.buffer, u64::MAX).map(data)),
            Phase::Length(0) => Ok(Some(self.finish(Headers::default()))),
            Phase::Length(left) => {
                let Some(bytes) = take(&mut self.buffer, *left) else { return Ok(None) };
                *left -= bytes.len() as u64;
                Ok(Some(data(bytes)))
            }
            Phase::Chunks(reader) => {
                let mut left = self.buffer.as_slice();
                let event = loop {
                    let chunk = reader.next(&mut left, usize::MAX);
                    break match chunk.map_err(|BadChunk| ERROR_WINHTTP_INVALID_SERVER_RESPONSE)? {
                        Some(Chunk::Last) => continue,
                        Some(Chunk::Data(bytes)) => Some(data(Bytes::copy_from_slice(bytes))),
                        Some(Chunk::End(trailers)) => {
                            self.phase = Phase::Over;
                            Some(Event::Body { bytes: Bytes::new(), end: Some(trailers) })
                        }
                        None => None,
                    };
                };
                let read = self.buffer.len() - left.len();
                self.buffer.drain(..read);
                Ok(event)
            }
        }
    }

    fn head(&mut self) -> Result<Option<Event>, Win32Error> {
        let Phase::Head(reader) = &mut self.phase else { return Ok(None) };
        let head = match reader.next_head()? {
            None => return Ok(None),
            Some(NextHead::Interim(status)) => return Ok(Some(Event::Interim(status))),
            Some(NextHead::Last(head)) => head,
        };
        let framing = BodyLength::of(&head, self.head_only)?;
        self.switched = head.status == 101;
        self.keep_alive = framing.keeps(&head) && !self.switched;
        let phase = match framing {
            BodyLength::None => Phase::Length(0),
            BodyLength::Length(length) => Phase::Length(length),
            BodyLength::Chunked => Phase::Chunks(ChunkReader::default()),
            BodyLength::UntilClose => Phase::UntilClose,
        };
        if let Phase::Head(reader) = std::mem::replace(&mut self.phase, phase) {
            self.buffer = reader.rest().to_vec();
        }
        let received = self.received;
        Ok(Some(Event::Head { head, received }))
    }
}

fn data(bytes: Bytes) -> Event {
    Event::Body { bytes, end: None }
}

fn take(buffer: &mut Vec<u8>, limit: u64) -> Option<Bytes> {
    let count = usize::try_from(limit).unwrap_or(usize::MAX).min(buffer.len());
    (count > 0).then(|| buffer.drain(..count).collect::<Vec<u8>>().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What events say, in short.
    fn told(events: &[Event]) -> String {
        let mut told = Vec::new();
        for event in events {
            match event {
                Event::Interim(status) => told.push(format!("interim {status}")),
                Event::Head { head, .. } => told.push(format!("head {}", head.status)),
                Event::Body { bytes, end } => {
                    if !bytes.is_empty() {
                        told.push(String::from_utf8_lossy(bytes).into_owned());
                    }
                    if let Some(trailers) = end {
                        told.push(format!("end {}", trailers.len()));
                    }
                }
                Event::Failed(failure) => told.push(failure.error.0.to_string()),
                _ => {}
            }
        }
        told.join(", ")
    }

    #[test]
    fn replies() {
        let rows = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "head 200, hello, end 0"),
            ("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 No\r\n\r\n", false, "interim 100, head 204, end 0"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, "head 200, end 0"),
            ("HTTP/1.1 200 OK\r\n\r\nabc", false, "head 200, abc, end 0"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n",
                false,
                "head 200, ab, c, end 1",
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", false, "head 200, abc, end 0"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", false, "head 200, 12152"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", false, "head 200, ab, 12030"),
            ("hello\r\n\r\n", false, "12152"),
            ("HTTP/1.1 20", false, "12152"),
            ("", false, "12152"),
        ];
        for (bytes, head_only, expected) in rows {
            let mut reader = Reader::new(head_only, 65536, false);
            let mut events = reader.push(bytes.as_bytes());
            events.extend(reader.end());
            assert_eq!(told(&events), expected, "{bytes:?}");
        }
    }

    #[test]
    fn one_byte_at_a_time_means_the_same() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        let mut reader = Reader::new(false, 65536, false);
        let events: Vec<_> = bytes.iter().flat_map(|byte| reader.push(&[*byte])).collect();
        assert_eq!(told(&events), "head 200, a, b, end 0");
        assert!(reader.reusable());
    }
}
