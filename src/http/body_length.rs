//! How the body of a reply ends, and what may follow it (RFC 9112, 6.3 and 9.3).

use super::{Headers, ResponseHead, Version};
use crate::win32::{ERROR_WINHTTP_INVALID_SERVER_RESPONSE, Win32Error};

/// What a reply answers, as far as its framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// HEAD: there is no body.
    Head,
    /// CONNECT: after 2xx the connection is a tunnel.
    Connect,
    /// Another protocol: a 101 is the last of HTTP.
    Upgrade,
    /// Anything else.
    Other,
}

impl RequestKind {
    /// What this verb asks, or that another protocol is asked for.
    pub fn of(method: &str, upgrade: bool) -> RequestKind {
        match method {
            "HEAD" => RequestKind::Head,
            "CONNECT" => RequestKind::Connect,
            _ if upgrade => RequestKind::Upgrade,
            _ => RequestKind::Other,
        }
    }

    /// Whether a reply with this status has no body, whatever its head says (RFC 9110 9.3.2 and 9.3.6).
    pub fn is_bare(self, status: u16) -> bool {
        self == RequestKind::Head || self.is_tunnel(status)
    }

    /// Whether the connection is a tunnel behind a reply with this status.
    pub fn is_tunnel(self, status: u16) -> bool {
        self == RequestKind::Connect && (200..300).contains(&status)
    }
}

/// Where the body of a reply ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no body, whatever the headers say (source status.no-body).
    None,
    /// After so many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// When the server closes.
    UntilClose,
}

impl BodyLength {
    /// What a head says. `head_only`: it answers HEAD. ERROR_WINHTTP_INVALID_SERVER_RESPONSE for lengths that are no
    /// number or contradict each other.
    pub fn of(head: &ResponseHead, head_only: bool) -> Result<BodyLength, Win32Error> {
        if head_only || head.status / 100 == 1 || matches!(head.status, 204 | 304) {
            return Ok(BodyLength::None);
        }
        let codings = head.transfer_codings();
        match codings.iter().filter(|coding| *coding == b"chunked").count() {
            0 if codings.is_empty() => {}
            // What ends with the connection may be anything.
            0 => return Ok(BodyLength::UntilClose),
            1 if head.is_chunked() => return Ok(BodyLength::Chunked),
            // Chunks in chunks, or in something else: two readers may find two ends (RFC 9112 6.1, 11.1).
            _ => return Err(ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        }
        let length = length_of(&head.headers).map_err(|BadLength| ERROR_WINHTTP_INVALID_SERVER_RESPONSE)?;
        Ok(length.map_or(BodyLength::UntilClose, BodyLength::Length))
    }

    /// Whether something behind the last byte tells that it is the last: else the body ends with that byte, whatever follows.
    pub fn has_end(self) -> bool {
        matches!(self, BodyLength::Chunked | BodyLength::UntilClose)
    }

    /// Whether the connection can carry another request after this reply (source pool.reused).
    pub fn keeps(self, head: &ResponseHead) -> bool {
        let says = |name: &str, word: &[u8]| {
            let mut named = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
            named.any(|header| {
                header.value.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(word))
            })
        };
        let closes = says("connection", b"close");
        // Two framings in one head are an attack (RFC 9112 6.3); a reply of HTTP/1.0 ends its connection whatever it says (c16).
        let has = |name: &str| head.headers.get(name, 0).is_some();
        let ambiguous = has("transfer-encoding") && (has("content-length") || !ends_with_chunked(&head.headers));
        let open = self != BodyLength::UntilClose && head.status != 101 && !ambiguous;
        open && !closes && head.version != Version { major: 1, minor: 0 }
    }
}

/// Whether chunked is the last coding of one Transfer-Encoding field, and none before.
fn ends_with_chunked(headers: &Headers) -> bool {
    let mut fields = headers.iter().filter(|header| header.name.eq_ignore_ascii_case("transfer-encoding"));
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let mut codings = field.value.rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    codings.next().is_some_and(chunked) && !codings.any(chunked)
}

/// A Content-Length that is no number, or several that contradict each other.
pub(super) struct BadLength;

/// What the Content-Length fields say; `None` without any.
pub(super) fn length_of(headers: &Headers) -> Result<Option<u64>, BadLength> {
    let mut length = None;
    for header in headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-length")) {
        for value in header.value.split(|byte| *byte == b',') {
            let value = number(value.trim_ascii()).ok_or(BadLength)?;
            if length.replace(value).is_some_and(|known| known != value) {
                return Err(BadLength);
            }
        }
    }
    Ok(length)
}

fn number(digits: &[u8]) -> Option<u64> {
    let further = |number: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    let number = if digits.is_empty() { None } else { digits.iter().try_fold(0, further) };
    // No file is longer, and some who count need a few numbers for themselves.
    number.filter(|number| *number <= i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_heads_say() {
        use BodyLength::{Chunked, Length, None, UntilClose};
        // The head, whether it answers HEAD, its framing, and whether the connection is kept.
        let rows = [
            ("1.1 200\r\nContent-Length: 5", false, Ok(Length(5)), true),
            ("1.1 200\r\nContent-Length: 5", true, Ok(None), true),
            ("1.1 204\r\nContent-Length: 5", false, Ok(None), true),
            ("1.1 304\r\nContent-Length: 5", false, Ok(None), true),
            ("1.1 101\r\nContent-Length: 4", false, Ok(None), false),
            ("1.1 200", false, Ok(UntilClose), false),
            ("1.1 200\r\nConnection: keep-alive", false, Ok(UntilClose), false),
            ("1.1 200\r\nContent-Length: 5000000000", false, Ok(Length(5_000_000_000)), true),
            ("1.1 200\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", false, Ok(Chunked), false),
            ("1.1 200\r\nTransfer-Encoding: chunked", false, Ok(Chunked), true),
            ("1.1 200\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", false, Ok(Chunked), false),
            ("1.1 200\r\nTransfer-Encoding: chunked;a=b", false, Ok(Chunked), false),
            ("1.1 200\r\nTransfer-Encoding: xchunked", false, Ok(UntilClose), false),
            ("1.1 200\r\nTransfer-Encoding: chunked, identity", false, Err(12152), false),
            ("1.1 200\r\nTransfer-Encoding: chunked, chunked", false, Err(12152), false),
            ("1.1 200\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", false, Err(12152), false),
            ("1.1 200\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip", false, Err(12152), false),
            ("1.1 204\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", false, Ok(None), false),
            ("1.0 200\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive", false, Ok(Chunked), false),
            ("1.1 200\r\nTransfer-Encoding: gzip, Chunked", false, Ok(Chunked), true),
            ("1.1 200\r\nTransfer-Encoding: identity\r\nContent-Length: 5", false, Ok(UntilClose), false),
            ("1.1 200\r\nContent-Length: 5\r\nContent-Length: 5", false, Ok(Length(5)), true),
            ("1.1 200\r\nContent-Length: 5, 5", false, Ok(Length(5)), true),
            ("1.1 200\r\nContent-Length: 5, 6", false, Err(12152), false),
            ("1.1 200\r\nContent-Length: -5", false, Err(12152), false),
            ("1.1 200\r\nContent-Length: +5", false, Err(12152), false),
            ("1.1 200\r\nContent-Length: 99999999999999999999", false, Err(12152), false),
            ("1.1 200\r\nContent-Length: 9223372036854775808", false, Err(12152), false),
            ("1.1 200\r\nContent-Length: 5\r\nConnection: x, CLOSE", false, Ok(Length(5)), false),
            ("1.0 200\r\nContent-Length: 5", false, Ok(Length(5)), false),
            ("1.0 200\r\nContent-Length: 5\r\nConnection: Keep-Alive", false, Ok(Length(5)), false),
        ];
        for (text, head_only, expected, kept) in rows {
            let head = ResponseHead::parse(format!("HTTP/{text}\r\n\r\n").as_bytes()).unwrap();
            let framing = BodyLength::of(&head, head_only);
            assert_eq!(framing.map_err(|error| error.0), expected, "{text}");
            assert_eq!(framing.is_ok_and(|framing| framing.keeps(&head)), kept, "{text}");
        }
    }
}
