//! Heads of requests and replies out of bytes that come in pieces: for whoever reads HTTP/1.

use super::{Headers, RequestHead, ResponseHead, Version};
use crate::win32::{
    ERROR_WINHTTP_HEADER_COUNT_EXCEEDED, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW, ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
    Win32Error,
};

/// How much room is kept for the next reply.
const KEPT: usize = 4096;

/// What every reply begins with.
const PREFIX: &[u8] = b"HTTP/1.";

/// A head.
#[derive(Debug, PartialEq, Eq)]
pub enum NextHead {
    /// That of an interim reply, with this status: another follows.
    Interim(u16),
    /// That of the reply.
    Last(ResponseHead),
}

/// Reads heads up to the last.
#[derive(Debug, Default)]
pub struct HeadReader {
    /// How many bytes a head may have.
    limit: usize,
    /// Whether a 101 is the last.
    upgrade: bool,
    begun: Vec<u8>,
    /// How many of these bytes cannot be the end of the head.
    scanned: usize,
    /// Whether its first line is complete.
    first_line: bool,
}

impl HeadReader {
    /// Reads heads of at most `limit` bytes. `upgrade`: another protocol was asked for, so a 101 is the last.
    pub fn new(limit: usize, upgrade: bool) -> HeadReader {
        HeadReader { limit, upgrade, ..HeadReader::default() }
    }

    /// The same once more, with the room that there is.
    pub fn begin(&mut self, limit: usize, upgrade: bool) {
        (self.limit, self.upgrade) = (limit, upgrade);
        self.begun.clear();
        self.next_begins();
    }

    /// More bytes have come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.begun.extend_from_slice(bytes);
    }

    /// The next head, once it is complete. ERROR_WINHTTP_INVALID_SERVER_RESPONSE, ERROR_WINHTTP_HEADER_SIZE_OVERFLOW,
    /// ERROR_WINHTTP_HEADER_COUNT_EXCEEDED.
    pub fn next_head(&mut self) -> Result<Option<NextHead>, Win32Error> {
        let too_long = self.begun.len() > self.limit;
        if !self.may_be_complete() && !too_long {
            return Ok(None);
        }
        let (head, length) = match ResponseHead::parse_begun(&self.begun) {
            Ok(Some((_, length))) if length > self.limit => return Err(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW),
            Ok(Some(parsed)) => parsed,
            Ok(None) if !too_long => return Ok(None),
            Err(error) if error != ERROR_WINHTTP_HEADER_COUNT_EXCEEDED || !too_long => return Err(error),
            // Bytes are counted before fields.
            Ok(None) | Err(_) => return Err(ERROR_WINHTTP_HEADER_SIZE_OVERFLOW),
        };
        self.begun.drain(..length);
        self.next_begins();
        let interim = head.is_interim(self.upgrade);
        Ok(Some(if interim { NextHead::Interim(head.status) } else { NextHead::Last(head) }))
    }

    /// What has come behind the heads that were read.
    pub fn rest(&self) -> &[u8] {
        &self.begun
    }

    /// Gives back the room that a long head needed.
    pub fn shrink(&mut self) {
        if self.begun.capacity() > KEPT {
            self.begun = Vec::new();
        }
    }

    /// The server closed: ERROR_WINHTTP_INVALID_SERVER_RESPONSE inside a head.
    pub fn ended(&self) -> Result<(), Win32Error> {
        if self.begun.is_empty() { Ok(()) } else { Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE) }
    }

    fn next_begins(&mut self) {
        (self.scanned, self.first_line) = (0, false);
    }

    /// Whether parsing can bring something new: the end of the head, or a first line that is none. What comes in small
    /// pieces is neither parsed nor looked at again with each.
    fn may_be_complete(&mut self) -> bool {
        let new = &self.begun[self.scanned.saturating_sub(3)..];
        let empty_line = || new.windows(2).any(|two| two == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n");
        let may_be = if self.first_line {
            empty_line()
        } else {
            self.first_line = self.begun[self.scanned..].contains(&b'\n');
            let begins = self.begun.iter().zip(PREFIX).all(|(byte, expected)| byte == expected);
            self.first_line || !begins
        };
        self.scanned = self.begun.len();
        may_be
    }
}

impl RequestHead {
    /// Parses a head that may not be complete: `None` until it is, then also its length in bytes. What WinHTTP sends may be
    /// no valid HTTP (raw targets, odd names), and a server of the lab sees it: words are taken as they are.
    /// ERROR_WINHTTP_INVALID_SERVER_RESPONSE for what has no request line, or a field without a colon.
    pub fn parse_begun(bytes: &[u8]) -> Result<Option<(RequestHead, usize)>, Win32Error> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(end) = bytes.windows(END.len()).position(|window| window == END) else { return Ok(None) };
        let head = RequestHead::of_lines(&bytes[..end]).ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)?;
        Ok(Some((head, end + END.len())))
    }

    fn of_lines(text: &[u8]) -> Option<RequestHead> {
        let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let first = String::from_utf8_lossy(lines.next()?).into_owned();
        let (method, rest) = first.split_once(' ')?;
        let (target, version) = rest.rsplit_once(' ')?;
        let version = Version { major: 1, minor: u8::from(version != "HTTP/1.0") };
        let mut headers = Headers::default();
        for line in lines.filter(|line| !line.is_empty()) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            headers.append(&*String::from_utf8_lossy(&line[..colon]), line[colon + 1..].trim_ascii().to_vec());
        }
        Some(RequestHead { method: method.into(), target: target.into(), version, headers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that come one by one are parsed when a line of them can mean something: once for a long first line, and at once
    /// where it cannot become one.
    #[test]
    fn what_comes_in_small_pieces_is_not_parsed_with_each() {
        let long = format!("HTTP/1.1 200 {}\r\nA: {}\r\n\r\n", "x".repeat(500), "y".repeat(500));
        let two = "HTTP/1.1 100\r\n\r\nHTTP/1.1 200 OK\n\n";
        for (bytes, parsed, heads) in [(long.as_str(), 2, 1), (two, 4, 2), ("HTTP/2.0 200 OK", 1, 0), ("xyz", 1, 0)] {
            let mut reader = HeadReader::new(4096, false);
            let (mut tried, mut found) = (0, 0);
            for byte in bytes.as_bytes() {
                reader.push(&[*byte]);
                let scanned = (reader.scanned, reader.first_line);
                tried += usize::from(reader.may_be_complete());
                (reader.scanned, reader.first_line) = scanned;
                match reader.next_head() {
                    Ok(head) => found += usize::from(head.is_some()),
                    Err(error) => {
                        assert_eq!(error, ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
                        break;
                    }
                }
            }
            assert_eq!((tried, found), (parsed, heads), "{bytes:?}");
        }
    }

    #[test]
    fn heads_of_requests() {
        let rows = [
            ("GET / HTTP/1.1\r\n\r\nmore", Ok(Some("GET|/|1|0|18"))),
            ("GET /a b HTTP/1.0\r\nA: 1\r\nb:\r\n\r\n", Ok(Some("GET|/a b|0|2|31"))),
            ("CONNECT a:1 HTTP/1.1\r\nOdd Name : x:y\r\n\r\n", Ok(Some("CONNECT|a:1|1|1|40"))),
            ("GET / HTTP/1.1\r\nA: 1\r\n", Ok(None)),
            ("", Ok(None)),
            ("GET\r\n\r\n", Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
        ];
        for (text, expected) in rows {
            let parsed = RequestHead::parse_begun(text.as_bytes()).map(|head| {
                head.map(|(head, length)| {
                    let fields = head.headers.len();
                    format!("{}|{}|{}|{fields}|{length}", head.method, head.target, head.version.minor)
                })
            });
            assert_eq!(parsed, expected.map(|head| head.map(str::to_owned)), "{text:?}");
        }
    }
}
