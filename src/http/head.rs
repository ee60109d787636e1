//! The head of a message: how a request's is written and a response's is read (semantics 4.2, 6.6; rules 12).

use std::fmt;

use super::headers::{Headers, is_token_byte, token};
use crate::win32::{
    ERROR_INVALID_PARAMETER, ERROR_WINHTTP_HEADER_COUNT_EXCEEDED, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, Win32Error,
};

/// How many headers a response may carry before it is refused with ERROR_WINHTTP_HEADER_COUNT_EXCEEDED (12181).
/// Windows' number is not known; this is our choice.
pub const MAX_RESPONSE_HEADERS: usize = 2000;

/// A version of HTTP; it prints as `HTTP/1.1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    /// The number before the dot.
    pub major: u32,
    /// The number after the dot.
    pub minor: u32,
}

impl Default for Version {
    /// HTTP/1.1.
    fn default() -> Version {
        Version { major: 1, minor: 1 }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP/{}.{}", self.major, self.minor)
    }
}

/// The head of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestHead {
    /// The verb; see [`method`] for how one comes in.
    pub method: String,
    /// The request target: what [`super::target::escape`] made, or an absolute URL for a proxy.
    pub target: String,
    /// The version in the request line.
    pub version: Version,
    /// The headers, in the order of the wire.
    pub headers: Headers,
}

impl Default for RequestHead {
    /// `GET / HTTP/1.1`, without headers.
    fn default() -> RequestHead {
        RequestHead { method: "GET".into(), target: "/".into(), version: Version::default(), headers: Headers::new() }
    }
}

impl RequestHead {
    /// The bytes on the wire, with the blank line. Nothing in them can begin a line that is not a header of the
    /// table: what cannot stand in a verb, and line ends in the target, are left out.
    pub fn to_wire(&self) -> Vec<u8> {
        joined(&self.raw_lines())
    }

    /// The request line and the headers, without line ends: what the RAW_HEADERS queries show.
    pub fn raw_lines(&self) -> Vec<Vec<u8>> {
        let method: String = self.method.bytes().filter(|byte| is_token_byte(*byte)).map(char::from).collect();
        let target: String = self.target.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        lines(format!("{method} {target} {}", self.version).into_bytes(), &self.headers)
    }
}

/// The verb of WinHttpOpenRequest: nothing or an empty text is `GET`; the case is kept.
///
/// # Errors
/// ERROR_INVALID_PARAMETER (87) when it is no token (our choice: it could smuggle a request line).
pub fn method(verb: Option<&[u16]>) -> Result<String, Win32Error> {
    match verb.unwrap_or_default() {
        [] => Ok("GET".into()),
        verb => token(verb).ok_or(ERROR_INVALID_PARAMETER),
    }
}

/// The head of a response.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ResponseHead {
    /// The version in the status line.
    pub version: Version,
    /// The status code.
    pub status: u16,
    /// The text behind the status code; it may be empty.
    pub reason: Vec<u8>,
    /// The headers, in the order of the wire.
    pub headers: Headers,
}

impl ResponseHead {
    /// Reads the head that `bytes` begin with, up to its blank line; what follows is not looked at.
    ///
    /// Accepted as WinHTTP does: spaces between a header's name and its colon, several spaces in the status line, a
    /// status line without text, folded header lines (the fold becomes spaces), LF without CR.
    ///
    /// # Errors
    /// - ERROR_WINHTTP_INVALID_SERVER_RESPONSE (12152): no status line, no blank line, or no HTTP at all.
    /// - ERROR_WINHTTP_HEADER_COUNT_EXCEEDED (12181): more than [`MAX_RESPONSE_HEADERS`].
    pub fn parse(bytes: &[u8]) -> Result<ResponseHead, Win32Error> {
        ResponseHead::parse_prefix(bytes)?.map(|(head, _)| head).ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)
    }

    /// As [`ResponseHead::parse`], but passes over the 1xx heads in front, except a 101, which is final.
    ///
    /// # Errors
    /// As [`ResponseHead::parse`]; 1xx heads alone are ERROR_WINHTTP_INVALID_SERVER_RESPONSE (12152).
    pub fn parse_final(mut bytes: &[u8]) -> Result<ResponseHead, Win32Error> {
        while let Some((head, length)) = ResponseHead::parse_prefix(bytes)? {
            if !head.is_interim() {
                return Ok(head);
            }
            bytes = &bytes[length..];
        }
        Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)
    }

    /// The head that `bytes` begin with and its length in bytes with the blank line; nothing if more must come.
    ///
    /// # Errors
    /// As [`ResponseHead::parse`], as soon as it is certain.
    pub fn parse_prefix(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, Win32Error> {
        let mut slots = vec![httparse::EMPTY_HEADER; MAX_RESPONSE_HEADERS];
        let mut response = httparse::Response::new(&mut slots);
        let length = match lenient().parse_response(&mut response, bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED),
            Err(_) => return Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        };
        let mut headers = Headers::new();
        for header in &*response.headers {
            headers.append(header.name, header.value);
        }
        let version = Version { major: 1, minor: u32::from(response.version.unwrap_or(1)) };
        let status = response.code.unwrap_or_default();
        Ok(Some((ResponseHead { version, status, reason: reason(bytes), headers }, length)))
    }

    /// Whether another head follows this one: 1xx, but not 101.
    pub fn is_interim(&self) -> bool {
        (100..200).contains(&self.status) && self.status != 101
    }

    /// The status line and the headers, without line ends: what the RAW_HEADERS queries show.
    pub fn raw_lines(&self) -> Vec<Vec<u8>> {
        let status_line = [format!("{} {:03} ", self.version, self.status).as_bytes(), &self.reason].concat();
        lines(status_line.trim_ascii_end().to_vec(), &self.headers)
    }
}

fn lenient() -> httparse::ParserConfig {
    let mut config = httparse::ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_obsolete_multiline_headers_in_responses(true);
    config
}

/// The text in a status line that `httparse` has accepted; `httparse` itself gives none that is not ASCII.
fn reason(bytes: &[u8]) -> Vec<u8> {
    let line = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty());
    let behind_version = line.and_then(|line| line.get("HTTP/1.1".len()..)).unwrap_or_default().trim_ascii_start();
    behind_version.get("200".len()..).unwrap_or_default().trim_ascii().to_vec()
}

fn lines(first: Vec<u8>, headers: &Headers) -> Vec<Vec<u8>> {
    std::iter::once(first).chain(headers.iter().map(super::headers::Header::line)).collect()
}

/// Lines with their CRLF, and the blank line.
pub(super) fn joined(lines: &[Vec<u8>]) -> Vec<u8> {
    [lines.join(&b"\r\n"[..]), b"\r\n\r\n".to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head(text: &[u8]) -> ResponseHead {
        ResponseHead::parse(text).unwrap()
    }

    fn shown(lines: &[Vec<u8>]) -> Vec<String> {
        lines.iter().map(|line| crate::http::headers::decode(line)).collect()
    }

    #[test]
    fn a_request_on_the_wire() {
        let mut request = RequestHead { method: "POST".into(), target: "/x?y".into(), ..RequestHead::default() };
        assert_eq!(request.to_wire(), b"POST /x?y HTTP/1.1\r\n\r\n");
        request.headers.append("Host", "localhost");
        request.headers.append("A", "");
        assert_eq!(request.to_wire(), b"POST /x?y HTTP/1.1\r\nHost: localhost\r\nA: \r\n\r\n");
        assert_eq!(shown(&request.raw_lines()), ["POST /x?y HTTP/1.1", "Host: localhost", "A: "]);
    }

    #[test]
    fn the_request_line_stays_one_line() {
        let request = RequestHead {
            method: "GET / HTTP/1.1\r\nA: b\r\n\r\n".into(),
            target: "/\r\nEvil: 1".into(),
            ..RequestHead::default()
        };
        assert_eq!(request.to_wire(), b"GETHTTP1.1Ab /Evil: 1 HTTP/1.1\r\n\r\n");
    }

    #[test]
    fn verbs() {
        let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        assert_eq!(method(None).as_deref(), Ok("GET"));
        assert_eq!(method(Some(&[])).as_deref(), Ok("GET"));
        assert_eq!(method(Some(&wide("post"))).as_deref(), Ok("post"));
        assert_eq!(method(Some(&wide("GET /"))), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(method(Some(&[0x147])), Err(ERROR_INVALID_PARAMETER));
    }

    #[test]
    fn responses() {
        let rows: &[(&[u8], u16, &[u8], &[&str])] = &[
            (b"HTTP/1.1 200 OK\r\nA: b\r\nc:D\r\n\r\n", 200, b"OK", &["HTTP/1.1 200 OK", "A: b", "c: D"]),
            (b"HTTP/1.1 200\r\n\r\n", 200, b"", &["HTTP/1.1 200"]),
            (b"HTTP/1.1 200 \r\n\r\n", 200, b"", &["HTTP/1.1 200"]),
            (b"HTTP/1.1  200  OK\r\n\r\n", 200, b"OK", &["HTTP/1.1 200 OK"]),
            (b"HTTP/1.0 404 Not Found\n\n", 404, b"Not Found", &["HTTP/1.0 404 Not Found"]),
            (b"HTTP/1.1 200 caf\xe9\r\n\r\n", 200, b"caf\xe9", &["HTTP/1.1 200 caf\u{e9}"]),
            (
                b"HTTP/1.1 200 OK\r\nSpaceAfterHdr  :   bad\r\n\r\n",
                200,
                b"OK",
                &["HTTP/1.1 200 OK", "SpaceAfterHdr: bad"],
            ),
            (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 200, b"OK", &["HTTP/1.1 200 OK", "A: b   c"]),
        ];
        for (bytes, status, reason, lines) in rows {
            let head = head(bytes);
            assert_eq!((head.status, &*head.reason), (*status, *reason), "{lines:?}");
            assert_eq!(shown(&head.raw_lines()), *lines);
        }
    }

    #[test]
    fn no_response() {
        let rows: &[&[u8]] = &[b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\0\0\0\0"];
        for bytes in rows {
            assert_eq!(ResponseHead::parse(bytes), Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE), "{bytes:?}");
        }
    }

    #[test]
    fn the_prefix_ends_behind_the_blank_line() {
        assert_eq!(ResponseHead::parse_prefix(b"HTTP/1.1 200 OK\r\nA: b\r\n"), Ok(None));
        let (_, length) = ResponseHead::parse_prefix(b"HTTP/1.1 200 OK\r\n\r\nbody").unwrap().unwrap();
        assert_eq!(length, 19);
    }

    #[test]
    fn too_many_headers() {
        let with = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert_eq!(head(with(MAX_RESPONSE_HEADERS).as_bytes()).headers.len(), MAX_RESPONSE_HEADERS);
        let result = ResponseHead::parse(with(MAX_RESPONSE_HEADERS + 1).as_bytes());
        assert_eq!(result, Err(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED));
    }

    #[test]
    fn interim_heads_are_passed_over() {
        let rows: &[(&[u8], Result<u16, Win32Error>)] = &[
            (b"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Ok(200)),
            (b"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Ok(101)),
            (b"HTTP/1.1 100 Continue\r\n\r\n", Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
        ];
        for (bytes, status) in rows {
            assert_eq!(ResponseHead::parse_final(bytes).map(|head| head.status), *status);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, text in "HTTP/1.1 [ -~\\r\\n:é]{0,40}\\r\\n\\r\\n", method: String, target: String) {
            let _ = ResponseHead::parse_final(&bytes);
            let _ = ResponseHead::parse_final(text.as_bytes()).map(|head| head.raw_lines());
            let wire = RequestHead { method, target, ..RequestHead::default() }.to_wire();
            prop_assert_eq!(wire.iter().filter(|byte| **byte == b'\n').count(), 2);
        }
    }
}
