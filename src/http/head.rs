//! Heads of requests and replies: as they are on the wire and as WINHTTP_QUERY_RAW_HEADERS shows them.

use std::mem::MaybeUninit;

use bytes::Bytes;
use bytestring::ByteString;
use smallvec::SmallVec;

use super::{Header, Headers};
use crate::win32::{ERROR_WINHTTP_HEADER_COUNT_EXCEEDED, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, Win32Error};

/// How many fields a reply may have: as many as the default of MAX_RESPONSE_HEADER_SIZE has room for (our choice: the
/// number at which Windows says ERROR_WINHTTP_HEADER_COUNT_EXCEEDED is not known). So the size alone decides, until an
/// application raises it.
const FIELDS_AT_MOST: usize = 64 * 1024 / "a:\r\n".len();

/// A head of so many bytes is kept in one piece of the heap with its count of users.
const USUAL_HEAD: usize = 512;

/// So many lines of a head are parsed without room on the heap.
const USUAL_FIELDS: usize = 32;

/// Header bytes as text: as UTF-8 if they are that, else as Latin-1.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// HTTP/major.minor
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// 1
    pub major: u8,
    /// 0 or 1
    pub minor: u8,
}

impl Version {
    /// The version argument of WinHttpOpenRequest: HTTP/1.1 unless it names 1.0.
    pub fn of_request(text: &[u16]) -> Version {
        let minor = u8::from(!String::from_utf16_lossy(text).eq_ignore_ascii_case("HTTP/1.0"));
        Version { major: 1, minor }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HTTP/{}.{}", self.major, self.minor)
    }
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The verb, as it goes out.
    pub method: ByteString,
    /// Path and query, as they go out.
    pub target: ByteString,
    /// HTTP/1.1 or HTTP/1.0
    pub version: Version,
    /// The fields.
    pub headers: Headers,
}

impl RequestHead {
    /// The bytes on the wire of HTTP/1, up to and with the empty line.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        self.write(&mut wire);
        wire
    }

    /// Adds these bytes to others.
    pub fn write(&self, wire: &mut Vec<u8>) {
        let first = self.method.len() + self.target.len() + "  HTTP/1.1\r\n".len();
        wire.reserve(first + self.headers.wire_length() + 2);
        let version = if self.version.minor == 0 { " HTTP/1.0\r\n" } else { " HTTP/1.1\r\n" };
        for part in [&*self.method, " ", &*self.target, version] {
            wire.extend_from_slice(part.as_bytes());
        }
        for header in self.headers.iter() {
            for part in [header.name.as_bytes().as_ref(), b": ", &header.value, b"\r\n"] {
                wire.extend_from_slice(part);
            }
        }
        wire.extend_from_slice(b"\r\n");
    }

    /// Whether the reply has no body, whatever its head says.
    pub fn asks_for_head_only(&self) -> bool {
        self.method == "HEAD"
    }

    /// The request line and the fields.
    pub fn raw_lines(&self) -> Vec<Vec<u8>> {
        lines(format!("{} {} {}", self.method, self.target, self.version).into_bytes(), &self.headers)
    }
}

/// The head of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Of the status line.
    pub version: Version,
    /// Of the status line.
    pub status: u16,
    /// Of the status line; may be empty.
    pub reason: Bytes,
    /// The fields, in the order and case in which they came.
    pub headers: Headers,
}

impl ResponseHead {
    /// Parses a head that begins `bytes`; what follows it is ignored. Lenient as Windows is: spaces before the colon,
    /// several spaces in the status line, folded lines, no reason. ERROR_WINHTTP_INVALID_SERVER_RESPONSE, also for one
    /// that is not complete; ERROR_WINHTTP_HEADER_COUNT_EXCEEDED.
    pub fn parse(bytes: &[u8]) -> Result<ResponseHead, Win32Error> {
        let parsed = ResponseHead::parse_begun(bytes)?;
        parsed.map(|(head, _)| head).ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)
    }

    /// Parses a head that may not be complete: `None` until it is, then also its length in bytes.
    pub fn parse_begun(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, Win32Error> {
        // httparse would pass over blank lines (source receive.blank-line).
        if matches!(bytes.first(), Some(b'\r' | b'\n')) {
            return Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE);
        }
        if OddStatusLine::may_begin(bytes) {
            return Ok(None);
        }
        let Some(odd) = OddStatusLine::find(bytes) else { return ResponseHead::parse_usual(bytes) };
        let plain = [odd.plain.as_slice(), &bytes[odd.length..]].concat();
        let parsed = ResponseHead::parse_usual(&plain)?;
        Ok(parsed.map(|(mut head, length)| {
            head.version.minor = odd.minor;
            (head, length - odd.plain.len() + odd.length)
        }))
    }

    /// The same for a status line as `httparse` knows it.
    fn parse_usual(bytes: &[u8]) -> Result<Option<(ResponseHead, usize)>, Win32Error> {
        let mut usual = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
        match ResponseHead::parse_fields(bytes, &mut usual) {
            Err(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED) => {
                let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
                ResponseHead::parse_fields(bytes, &mut vec![MaybeUninit::uninit(); lines.min(FIELDS_AT_MOST)])
            }
            parsed => parsed,
        }
    }

    /// The same with this room for fields.
    fn parse_fields<'a>(
        bytes: &'a [u8],
        fields: &mut [MaybeUninit<httparse::Header<'a>>],
    ) -> Result<Option<(ResponseHead, usize)>, Win32Error> {
        let mut parsed = httparse::Response::new(&mut []);
        let status = httparse::ParserConfig::default()
            .allow_spaces_after_header_name_in_responses(true)
            .allow_multiple_spaces_in_response_status_delimiters(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .parse_response_with_uninit_headers(&mut parsed, bytes, fields);
        let length = match status {
            Ok(httparse::Status::Complete(length)) => length,
            Err(httparse::Error::TooManyHeaders) => return Err(ERROR_WINHTTP_HEADER_COUNT_EXCEEDED),
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        };
        // One copy of the head, of which every field is a part.
        let whole = Bytes::from_owner(SmallVec::<[u8; USUAL_HEAD]>::from_slice(&bytes[..length]));
        let part = |part: &[u8]| {
            let start = part.as_ptr().addr() - bytes.as_ptr().addr();
            whole.slice(start..start + part.len())
        };
        let mut headers = Headers::with_capacity(parsed.headers.len());
        for field in parsed.headers.iter() {
            let name =
                ByteString::try_from(part(field.name.as_bytes())).map_err(|_| ERROR_WINHTTP_INVALID_SERVER_RESPONSE)?;
            let value = field.value.trim_ascii();
            // A folded line has its line end in the value: one header stays one line.
            let folded = |byte: &u8| matches!(byte, b'\r' | b'\n');
            if value.iter().any(folded) {
                let unfolded = value.iter().map(|byte| if folded(byte) { b' ' } else { *byte });
                headers.append(name, unfolded.collect::<Vec<u8>>());
            } else {
                headers.append(name, if value.is_empty() { Bytes::new() } else { part(value) });
            }
        }
        let head = ResponseHead {
            version: Version { major: 1, minor: parsed.version.unwrap_or(1) },
            status: parsed.code.ok_or(ERROR_WINHTTP_INVALID_SERVER_RESPONSE)?,
            reason: Some(reason(bytes)).filter(|reason| !reason.is_empty()).map_or_else(Bytes::new, part),
            headers,
        };
        Ok(Some((head, length)))
    }

    /// Whether another head follows: 1xx. A 101 is the last of HTTP only where another protocol was asked for.
    pub fn is_interim(&self, upgrade: bool) -> bool {
        self.status / 100 == 1 && !(upgrade && self.status == 101)
    }

    /// Whether the body comes in chunks.
    pub fn is_chunked(&self) -> bool {
        self.transfer_codings().last().is_some_and(|coding| coding == b"chunked")
    }

    /// The codings of all Transfer-Encoding fields, in lower case and without parameters.
    pub fn transfer_codings(&self) -> Vec<Vec<u8>> {
        let fields = self.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("transfer-encoding"));
        let codings = fields.flat_map(|header| header.value.split(|byte| *byte == b','));
        let name = |coding: &[u8]| {
            coding.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase()
        };
        codings.map(name).filter(|coding| !coding.is_empty()).collect()
    }

    /// The status line and the fields, written anew: `Name: value` (source query.raw).
    pub fn raw_lines(&self) -> Vec<Vec<u8>> {
        let mut status = format!("{} {} ", self.version, self.status).into_bytes();
        status.extend_from_slice(&self.reason);
        lines(status.trim_ascii_end().to_vec(), &self.headers)
    }

    /// How long the lines of [`ResponseHead::raw_lines`] are, each with its end, and the empty one.
    pub fn length(&self) -> usize {
        let digits = self.status.checked_ilog10().unwrap_or(0) as usize + 1;
        let reason = if self.reason.is_empty() { 0 } else { 1 + self.reason.len() };
        "HTTP/1.1 ".len() + digits + reason + 2 + self.headers.wire_length() + 2
    }
}

/// A complete status line that Windows takes and `httparse` does not: HTTP/1.2 to 1.9, and a TAB in place of a space
/// (source a02).
struct OddStatusLine {
    minor: u8,
    /// How long the line is, its end included.
    length: usize,
    /// The same line in the usual form.
    plain: Vec<u8>,
}

impl OddStatusLine {
    /// Whether a line that has not come to its end may become one.
    fn may_begin(bytes: &[u8]) -> bool {
        let rest = bytes.strip_prefix(b"HTTP/1.").filter(|rest| !rest.contains(&b'\n')).unwrap_or_default();
        matches!(rest.first(), Some(b'2'..=b'9')) || rest.contains(&b'\t')
    }

    fn find(bytes: &[u8]) -> Option<OddStatusLine> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
        let (minor, rest) = line.strip_prefix(b"HTTP/1.")?.split_first()?;
        let minor = minor.checked_sub(b'0').filter(|minor| *minor <= 9)?;
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let code = rest.trim_ascii_start();
        let (digits, reason) = code.split_at_checked(3)?;
        let odd = minor > 1 || rest.iter().take(1).chain(reason.first()).any(|byte| *byte == b'\t');
        let spaced = rest.first().is_some_and(blank) && reason.first().is_none_or(blank);
        (odd && spaced).then(|| {
            let plain = [b"HTTP/1.1 ", digits, b" ", reason.trim_ascii_start(), b"\r\n"].concat();
            OddStatusLine { minor, length: end + 1, plain }
        })
    }
}

/// The text behind the status code of a status line that `httparse` took; it gives none itself that is not ASCII.
fn reason(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|byte| *byte == b'\n').next().map(<[u8]>::trim_ascii);
    let code = line.and_then(|line| line.get("HTTP/1.1".len()..)).unwrap_or_default().trim_ascii_start();
    code.get("200".len()..).unwrap_or_default().trim_ascii()
}

fn lines(first: Vec<u8>, headers: &Headers) -> Vec<Vec<u8>> {
    std::iter::once(first).chain(headers.iter().map(Header::line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lenient_replies() {
        let rows: &[(&str, &[&str])] = &[
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", &["HTTP/1.1 200 OK", "A: b"]),
            ("HTTP/1.1  200  OK\r\n\r\n", &["HTTP/1.1 200 OK"]),
            ("HTTP/1.1 200\r\n\r\n", &["HTTP/1.1 200"]),
            ("HTTP/1.1 200 OK\r\nSpaceAfterHdr  :   bad\r\n\r\n", &["HTTP/1.1 200 OK", "SpaceAfterHdr: bad"]),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", &["HTTP/1.1 101 Switching Protocols"]),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", &["HTTP/1.1 200 OK", "A: b   c"]),
            ("HTTP/1.1 200 caf\u{e9}\r\n\r\n", &["HTTP/1.1 200 caf\u{e9}"]),
            ("HTTP/1.0 404 Not Found\n\n", &["HTTP/1.0 404 Not Found"]),
            ("HTTP/1.2 200 OK\r\nA: b\r\n\r\n", &["HTTP/1.2 200 OK", "A: b"]),
            ("HTTP/1.7 200\n\n", &["HTTP/1.7 200"]),
            ("HTTP/1.1\t200 OK\r\n\r\n", &["HTTP/1.1 200 OK"]),
            ("HTTP/1.1 200\tOK\r\n\r\n", &["HTTP/1.1 200 OK"]),
            ("HTTP/1.0\t200\t\r\n\r\n", &["HTTP/1.0 200"]),
        ];
        for (bytes, lines) in rows {
            let head = ResponseHead::parse(bytes.as_bytes()).unwrap();
            let raw: Vec<_> = head.raw_lines().into_iter().map(|line| String::from_utf8(line).unwrap()).collect();
            assert_eq!(raw, *lines, "{bytes:?}");
        }
    }

    #[test]
    fn garbage_is_12152() {
        for bytes in [
            "",
            "hello",
            "\r\nHTTP/1.1 200 OK\r\n\r\n",
            "\nHTTP/1.1\t200 OK\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA",
            "HTTP/1.1 200 OK\r\n: b\r\n\r\n",
            "HTTP/1.12 200 OK\r\n\r\n",
            "HTTP/0.9 200 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/3.5 200 OK\r\n\r\n",
            "HTTP/1.2 2345\r\n\r\n",
            "HTTP/1.2 20\r\n\r\n",
            "HTTP/1.1\t2000 OK\r\n\r\n",
            "HTTP/1.1\t200OK\r\n\r\n",
            "HTTP/1.2200 OK\r\n\r\n",
            "HTTP/1.A 200 OK\r\n\r\n",
        ] {
            let error = ResponseHead::parse(bytes.as_bytes()).unwrap_err();
            assert_eq!(error, ERROR_WINHTTP_INVALID_SERVER_RESPONSE, "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>, lines in "(HTTP/1[.][01] {1,2}[0-9]{3}( [a-z]{0,3})?\\r\\n([a-c] ?: ?[a-z]*\\r\\n){0,3}(\\r\\n)?){0,3}") {
            let _ = ResponseHead::parse(&bytes);
            let _ = ResponseHead::parse(lines.as_bytes());
        }
    }
}
