//! Replies out of bytes, for peers that are played byte by byte.

use bytes::Bytes;

use crate::http::{BodyLength, Headers, ResponseHead};
use crate::transport::{Event, Failure};
use crate::win32::{
    ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
    Win32Error,
};

/// What is read next.
#[derive(Debug)]
enum Phase {
    Head,
    /// So many bytes of the body.
    Length(u64),
    /// The line with a chunk's size.
    Size,
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The end of line behind a chunk.
    ChunkEnd,
    /// Trailer lines, up to an empty one.
    Trailers(Headers),
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
    /// Whether a 101 is the last of HTTP.
    upgrade: bool,
    head_limit: usize,
    keep_alive: bool,
    switched: bool,
}

impl Reader {
    pub fn new(head_only: bool, head_limit: usize) -> Reader {
        Reader {
            phase: Phase::Head,
            buffer: Vec::new(),
            received: 0,
            head_only,
            upgrade: false,
            head_limit,
            keep_alive: true,
            switched: false,
        }
    }

    /// Of a request that asks for another protocol, or not.
    pub fn of_upgrade(self, upgrade: bool) -> Reader {
        Reader { upgrade, ..self }
    }

    /// Reads bytes as they are, behind a head that was read elsewhere.
    pub fn unframed() -> Reader {
        Reader { phase: Phase::UntilClose, ..Reader::new(false, 0) }
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
        self.keep_alive && !matches!(self.phase, Phase::Head | Phase::Over | Phase::UntilClose)
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
        self.buffer.extend_from_slice(bytes);
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
        if matches!(self.phase, Phase::Head) && !bytes.is_empty() {
            events.push(Event::Progress);
        }
        events
    }

    /// The server sends nothing more.
    pub fn end(&mut self) -> Option<Event> {
        match self.phase {
            Phase::Over => None,
            // d01: an orderly end before the head is complete.
            Phase::Head => Some(self.fail(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
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
            Phase::Head => self.head(),
            Phase::UntilClose => Ok(take(&mut self.buffer, u64::MAX).map(data)),
            Phase::Length(0) => Ok(Some(self.finish(Headers::default()))),
            Phase::Length(left) | Phase::Chunk(left) => {
                let Some(bytes) = take(&mut self.buffer, *left) else { return Ok(None) };
                *left -= bytes.len() as u64;
                if matches!(self.phase, Phase::Chunk(0)) {
                    self.phase = Phase::ChunkEnd;
                }
                Ok(Some(data(bytes)))
            }
            Phase::Size | Phase::ChunkEnd | Phase::Trailers(_) => {
                let Some(line) = self.line() else { return Ok(None) };
                self.chunk_line(&line)
            }
        }
    }

    fn head(&mut self) -> Result<Option<Event>, Win32Error> {
        let Some((head, length)) = ResponseHead::parse_begun(&self.buffer)? else {
            let too_long = self.buffer.len() > self.head_limit;
            return if too_long { Err(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW) } else { Ok(None) };
        };
        if length > self.head_limit {
            return Err(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW);
        }
        self.buffer.drain(..length);
        if head.is_interim(self.upgrade) {
            return Ok(Some(Event::Interim(head.status)));
        }
        let framing = BodyLength::of(&head, self.head_only)?;
        self.switched = head.status == 101;
        self.keep_alive = framing.keeps(&head) && !self.switched;
        self.phase = match framing {
            BodyLength::None => Phase::Length(0),
            BodyLength::Length(length) => Phase::Length(length),
            BodyLength::Chunked => Phase::Size,
            BodyLength::UntilClose => Phase::UntilClose,
        };
        let received = self.received;
        Ok(Some(Event::Head { head, received }))
    }

    fn chunk_line(&mut self, line: &[u8]) -> Result<Option<Event>, Win32Error> {
        match &mut self.phase {
            Phase::Size => {
                let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
                self.phase = match number(size, 16).ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)? {
                    0 => Phase::Trailers(Headers::default()),
                    size => Phase::Chunk(size),
                };
            }
            Phase::Trailers(trailers) if line.is_empty() => {
                let trailers = std::mem::take(trailers);
                return Ok(Some(self.finish(trailers)));
            }
            Phase::Trailers(trailers) => {
                let colon = line.iter().position(|byte| *byte == b':').ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)?;
                trailers
                    .append(String::from_utf8_lossy(&line[..colon]).trim(), line[colon + 1..].trim_ascii().to_vec());
            }
            _ if line.is_empty() => self.phase = Phase::Size,
            _ => return Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        }
        self.next()
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        Some(line[..end].trim_ascii_end().to_vec())
    }
}

fn data(bytes: Bytes) -> Event {
    Event::Body { bytes, end: None }
}

fn take(buffer: &mut Vec<u8>, limit: u64) -> Option<Bytes> {
    let count = usize::try_from(limit).unwrap_or(usize::MAX).min(buffer.len());
    (count > 0).then(|| buffer.drain(..count).collect::<Vec<u8>>().into())
}

fn number(text: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(text.trim_ascii()).ok()?;
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(text, radix).ok())?
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
            let mut reader = Reader::new(head_only, 65536);
            let mut events = reader.push(bytes.as_bytes());
            events.extend(reader.end());
            assert_eq!(told(&events), expected, "{bytes:?}");
        }
    }

    #[test]
    fn one_byte_at_a_time_means_the_same() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        let mut reader = Reader::new(false, 65536);
        let events: Vec<_> = bytes.iter().flat_map(|byte| reader.push(&[*byte])).collect();
        assert_eq!(told(&events), "head 200, a, b, end 0");
        assert!(reader.reusable());
    }
}
