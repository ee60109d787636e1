//! The head of a reply, read before hyper sees it.
//!
//! hyper parses a head into a map that knows neither order nor case, has its own idea of how many fields there may be and
//! of what is malformed, and gives interim replies away. So the bytes are read here, as leniently as Windows reads them,
//! and hyper gets a placeholder that only says how the body is framed. A chunked body is read here, too: hyper gets chunks that
//! were found to be some, and never the trailer section, of which it would forget the case (source m13).

use std::io::Write;

use bytes::{BufMut, Bytes};

use super::buffer::Buffer;
use crate::http::chunks::{BadChunk, Chunk, ChunkReader};
use crate::http::{BodyLength, HeadReader, Headers, NextHead, RequestKind, ResponseHead};
use crate::win32::{ERROR_WINHTTP_INVALID_SERVER_RESPONSE, Win32Error};

/// The inbound side of a connection.
#[derive(Debug, Default)]
pub struct Reply {
    /// A head is expected, of an answer to this.
    expected: Option<RequestKind>,
    heads: HeadReader,
    /// Bytes for hyper.
    incoming: Buffer,
    /// The head, until it was taken.
    head: Option<ResponseHead>,
    /// Interim replies that were not told.
    interim: Vec<u16>,
    /// How many more may come.
    interim_left: u32,
    /// Bytes that came since the request began.
    pub received: u64,
    body: ReplyBody,
    /// The trailers, until they were taken.
    trailers: Headers,
}

/// The body of a reply, as its bytes come.
#[derive(Debug, Default)]
enum ReplyBody {
    /// hyper gets the bytes as they are.
    #[default]
    Plain,
    Chunked(ChunkReader),
    /// What came is no chunked body.
    Broken,
}

impl Reply {
    /// A request begins, whose reply may have a head of so many bytes, behind so many interim ones.
    pub fn begin(&mut self, asked: RequestKind, limit: usize, interim: u32) {
        self.expected = Some(asked);
        self.heads.begin(limit, asked == RequestKind::Upgrade);
        self.incoming.clear();
        self.head = None;
        self.interim.clear();
        self.interim_left = interim;
        self.received = 0;
        self.body = ReplyBody::Plain;
        self.trailers = Headers::default();
    }

    /// The connection becomes idle.
    pub fn rest(&mut self) {
        self.incoming.shrink();
        self.heads.shrink();
    }

    /// Whether bytes must go through [`Reply::arrived`].
    pub fn in_head(&self) -> bool {
        self.expected.is_some()
    }

    /// Whether hyper must have the bytes of [`Reply::give`] first.
    pub fn waiting(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Puts bytes for hyper into a room, as many as it has place for.
    pub fn give(&mut self, room: &mut impl BufMut) {
        let count = room.remaining_mut().min(self.incoming.len());
        room.put_slice(&self.incoming.rest()[..count]);
        self.incoming.take(count);
    }

    /// What hyper did not take.
    pub fn take_rest(&mut self) -> Bytes {
        self.incoming.take_all().into()
    }

    /// The head, once it is complete.
    pub fn take_head(&mut self) -> Option<ResponseHead> {
        self.head.take()
    }

    /// The interim replies that came since this was asked last.
    pub fn take_interim(&mut self) -> Vec<u16> {
        std::mem::take(&mut self.interim)
    }

    /// Bytes came while a head is expected. ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW,
    /// ERROR_WINHTTP_HEADER_COUNT_EXCEEDED.
    pub fn arrived(&mut self, bytes: &[u8]) -> Result<(), Win32Error> {
        let Some(asked) = self.expected else { return Ok(()) };
        self.heads.push(bytes);
        while let Some(next) = self.heads.next_head()? {
            let head = match next {
                NextHead::Interim(status) => {
                    // Whoever polls may not hear of them before the last, and a server that never comes to it has no end.
                    self.interim.push(status);
                    self.interim_left =
                        self.interim_left.checked_sub(1).ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)?;
                    continue;
                }
                NextHead::Last(head) => head,
            };
            let incoming = self.incoming.end();
            if asked.is_tunnel(head.status) {
                incoming.extend_from_slice(SWITCHING.as_bytes());
            } else {
                let framing = BodyLength::of(&head, asked == RequestKind::Head)?;
                if framing == BodyLength::Chunked {
                    self.body = ReplyBody::Chunked(ChunkReader::default());
                }
                placeholder(&head, framing, incoming);
            }
            let rest = self.heads.rest();
            let (first, behind) = self.body.read(rest, &mut self.trailers);
            incoming.extend_from_slice(&rest[..first]);
            incoming.extend(behind.into_iter().flat_map(|behind| [END_OF_CHUNKS, &rest[behind..]]).flatten());
            self.expected = None;
            self.head = Some(head);
            break;
        }
        Ok(())
    }

    /// Bytes of the body came: hyper may have so many of them, then what [`Reply::give`] has.
    pub fn body_arrived(&mut self, bytes: &[u8]) -> usize {
        let (first, behind) = self.body.read(bytes, &mut self.trailers);
        if let Some(behind) = behind {
            self.incoming.push(END_OF_CHUNKS);
            self.incoming.push(&bytes[behind..]);
        }
        first
    }

    /// Whether what came is no chunked body. hyper has had everything before that, and nothing that could be its end.
    pub fn is_broken(&self) -> bool {
        matches!(self.body, ReplyBody::Broken)
    }

    /// The trailers of a chunked body that has ended.
    pub fn take_trailers(&mut self) -> Headers {
        std::mem::take(&mut self.trailers)
    }

    /// The server closed inside its head.
    pub fn ended(&self) -> Result<(), Win32Error> {
        if self.expected.is_some() { self.heads.ended() } else { Ok(()) }
    }
}

impl ReplyBody {
    /// How many of these bytes hyper gets; and where those begin that it gets next, behind [`END_OF_CHUNKS`], if the trailer
    /// section ends here.
    fn read(&mut self, bytes: &[u8], trailers: &mut Headers) -> (usize, Option<usize>) {
        let reader = match self {
            ReplyBody::Plain => return (bytes.len(), None),
            ReplyBody::Broken => return (0, None),
            ReplyBody::Chunked(reader) => reader,
        };
        let mut rest = bytes;
        let mut first = reader.in_trailers().then_some(0);
        loop {
            let chunk = reader.next(&mut rest, usize::MAX);
            let read = bytes.len() - rest.len();
            match chunk {
                Ok(Some(Chunk::Data(_))) => {}
                Ok(Some(Chunk::Last)) => first = Some(read),
                Ok(Some(Chunk::End(found))) => {
                    *trailers = found;
                    *self = ReplyBody::Plain;
                    return (first.unwrap_or(read), Some(read));
                }
                Ok(None) => return (first.unwrap_or(read), None),
                Err(BadChunk) => {
                    *self = ReplyBody::Broken;
                    return (first.unwrap_or(read), None);
                }
            }
        }
    }
}

/// The trailer section that hyper gets.
const END_OF_CHUNKS: &[u8] = b"\r\n";

/// The head that hyper gets when HTTP ends on the connection.
const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

/// Writes the head that hyper gets.
fn placeholder(head: &ResponseHead, framing: BodyLength, to: &mut Vec<u8>) {
    if head.status == 101 {
        return to.extend_from_slice(SWITCHING.as_bytes());
    }
    to.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    if !framing.keeps(head) {
        to.extend_from_slice(b"Connection: close\r\n");
    }
    match framing {
        BodyLength::None => to.extend_from_slice(b"Content-Length: 0\r\n"),
        BodyLength::Length(length) => {
            // A buffer of bytes takes whatever is written.
            let _ = write!(to, "Content-Length: {length}\r\n");
        }
        BodyLength::Chunked => to.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyLength::UntilClose => {}
    }
    to.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::win32::{ERROR_WINHTTP_HEADER_COUNT_EXCEEDED, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW};

    fn read(bytes: &[u8], piece: usize, limit: usize) -> Result<(Reply, String), Win32Error> {
        let mut reply = Reply::default();
        reply.begin(RequestKind::Upgrade, limit, 3);
        let mut given = Vec::new();
        for piece in bytes.chunks(piece) {
            if reply.in_head() {
                reply.arrived(piece)?;
            } else {
                let count = reply.body_arrived(piece);
                given.extend_from_slice(&piece[..count]);
            }
            reply.give(&mut given);
        }
        Ok((reply, String::from_utf8(given).unwrap()))
    }

    #[test]
    fn what_hyper_sees() {
        let rows: &[(&str, &[u16], &str)] = &[
            (
                "HTTP/1.1  200  OK\r\nX : y\r\nContent-Length: 5\r\n\r\nhello",
                &[],
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1  103  Hints\r\nLink: x\r\n\r\nHTTP/1.1  204  No\r\n\r\n",
                &[100, 103],
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            ),
            ("HTTP/1.0 404 No\n\nx", &[], "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nx"),
            (
                "HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n0\r\n\r\n",
                &[],
                "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            // No trailers, and nothing that is no chunk.
            (
                "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\nA: b\r\nC: d\r\n\r\nbehind",
                &[],
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\nbehind",
            ),
            (
                "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nA: \u{1}\r\n\r\n",
                &[],
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n",
            ),
            (
                "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nax\r\n0\r\n\r\n",
                &[],
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na",
            ),
            ("HTTP/1.7 200 OK\r\nContent-Length: 1\r\n\r\nx", &[], "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            ("HTTP/1.1\t204\tNo\r\n\r\n", &[], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/1.1 101 Go\r\nA: b\r\n\r\n\n\n", &[], "HTTP/1.1 101 Switching Protocols\r\n\r\n\n\n"),
        ];
        for (bytes, interim, seen) in rows {
            for piece in [1, 2, 3, 1000] {
                let (mut reply, given) = read(bytes.as_bytes(), piece, 65536).unwrap();
                assert_eq!((given.as_str(), reply.take_interim().as_slice()), (*seen, *interim), "{bytes:?}");
                assert!(reply.take_head().is_some());
            }
        }
    }

    /// However the bytes come: no more interim replies are collected than may be, and the one that tells so.
    #[test]
    fn interim_replies_without_end() {
        let error = Some(ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        for (count, error) in [(3, None), (4, error), (5000, error)] {
            let bytes = "HTTP/1.1 102 Wait\r\n\r\n".repeat(count);
            for piece in [1, 100, usize::MAX] {
                let mut reply = Reply::default();
                reply.begin(RequestKind::Other, 65536, 3);
                let outcome = bytes.as_bytes().chunks(piece).try_for_each(|piece| reply.arrived(piece));
                assert_eq!((outcome.err(), reply.take_interim().len()), (error, count.min(4)), "{count} {piece}");
            }
        }
    }

    #[test]
    fn limits() {
        let head = |fields: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a:\r\n".repeat(fields));
        let rows = [
            (head(5000), 65536, None),
            (head(16_300), 65536, None),
            (head(16_400), 65536, Some(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW)),
            (head(16_400), 1 << 20, Some(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED)),
            (head(100), 400, Some(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW)),
            ("x".repeat(100), 400, Some(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
            (format!("HTTP/1.1 200 {}", "x".repeat(100)), 50, Some(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW)),
            (head(1) + &"x".repeat(1000), 100, None),
        ];
        for (number, (bytes, limit, error)) in rows.iter().enumerate() {
            for piece in [700, 100_000] {
                assert_eq!(read(bytes.as_bytes(), piece, *limit).err(), *error, "row {number}");
            }
        }
    }
}
