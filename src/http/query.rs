//! What WinHttpQueryHeaders answers (semantics 2.2 and 4.2; rules 12).

use super::head::{RequestHead, ResponseHead, joined};
use super::headers::{Header, Headers, decode};
use super::time;
use crate::win32::*;

/// An answer, before it is copied into the caller's buffer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// UTF-16 text without its NUL.
    Text(Vec<u16>),
    /// WINHTTP_QUERY_RAW_HEADERS: every line ends in a NUL; the last NUL of all, behind these, is not among them.
    RawNul(Vec<u16>),
    /// WINHTTP_QUERY_FLAG_WIRE_ENCODING: the bytes as they came, without their NUL.
    Wire(Vec<u8>),
    /// WINHTTP_QUERY_FLAG_NUMBER.
    Dword(u32),
    /// WINHTTP_QUERY_FLAG_NUMBER64.
    Qword(u64),
    /// WINHTTP_QUERY_FLAG_SYSTEMTIME.
    Time(SYSTEMTIME),
}

impl Answer {
    /// Every byte for the caller's buffer, with the terminator. Their number is the length that goes with
    /// ERROR_INSUFFICIENT_BUFFER (122).
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Answer::Text(units) | Answer::RawNul(units) => words(units.iter().copied().chain([0])),
            Answer::Wire(bytes) => [bytes, &b"\0"[..]].concat(),
            Answer::Dword(number) => number.to_ne_bytes().to_vec(),
            Answer::Qword(number) => number.to_ne_bytes().to_vec(),
            Answer::Time(t) => {
                words([t.wYear, t.wMonth, t.wDayOfWeek, t.wDay, t.wHour, t.wMinute, t.wSecond, t.wMilliseconds])
            }
        }
    }

    /// Bytes with the terminator: what the buffer must hold, and the length after ERROR_INSUFFICIENT_BUFFER.
    pub fn size_needed(&self) -> usize {
        self.size_written() + self.terminator()
    }

    /// Bytes without the terminator: the length after success.
    pub fn size_written(&self) -> usize {
        match self {
            Answer::Text(units) | Answer::RawNul(units) => size_of_val(&units[..]),
            Answer::Wire(bytes) => bytes.len(),
            Answer::Dword(_) => size_of::<u32>(),
            Answer::Qword(_) => size_of::<u64>(),
            Answer::Time(_) => size_of::<SYSTEMTIME>(),
        }
    }

    fn terminator(&self) -> usize {
        match self {
            Answer::Text(_) | Answer::RawNul(_) => size_of::<u16>(),
            Answer::Wire(_) => 1,
            Answer::Dword(_) | Answer::Qword(_) | Answer::Time(_) => 0,
        }
    }
}

/// Answers the query `level`, an attribute with its WINHTTP_QUERY_FLAG_* modifiers.
///
/// `name` is for WINHTTP_QUERY_CUSTOM, `index` says which of several headers of one name is meant. The second part of
/// the answer is the new index; nothing means that the caller's index stays as it is. `trailers` are there once
/// the body has ended.
///
/// The request's verb is answered without REQUEST_HEADERS too. NUMBER, NUMBER64 and SYSTEMTIME go before
/// WIRE_ENCODING, NUMBER64 before NUMBER.
///
/// # Errors
/// In this order:
/// - ERROR_INVALID_PARAMETER (87): an unknown attribute or modifier, or WINHTTP_QUERY_CUSTOM without a name.
/// - ERROR_WINHTTP_INCORRECT_HANDLE_STATE (12019): there is no response yet, or there are no trailers yet.
/// - ERROR_WINHTTP_HEADER_NOT_FOUND (12150): it is absent, or it is no number or date where one is asked for (our
///   choice: clients take that as "no such header").
pub fn query(
    level: u32,
    name: Option<&[u16]>,
    index: Option<u32>,
    request: &RequestHead,
    response: Option<&ResponseHead>,
    trailers: Option<&Headers>,
) -> Result<(Answer, Option<u32>), Win32Error> {
    let attribute = level & !MODIFIERS;
    let name = match (attribute, name) {
        (WINHTTP_QUERY_CUSTOM, Some(name)) => Some(String::from_utf16_lossy(name)),
        (WINHTTP_QUERY_CUSTOM, None) => return Err(ERROR_INVALID_PARAMETER),
        (0..=WINHTTP_QUERY_MAX, _) => header_name(attribute).map(str::to_owned),
        _ => return Err(ERROR_INVALID_PARAMETER),
    };
    let source = if level & WINHTTP_QUERY_FLAG_REQUEST_HEADERS != 0 || attribute == WINHTTP_QUERY_REQUEST_METHOD {
        Source::Request(request)
    } else {
        let response = response.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        if level & WINHTTP_QUERY_FLAG_TRAILERS != 0 {
            Source::Trailers(trailers.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?)
        } else {
            Source::Response(response)
        }
    };
    if attribute == WINHTTP_QUERY_RAW_HEADERS {
        return Ok((source.raw_nul(level), None));
    }
    let (value, next) = match name {
        Some(name) => {
            let at = index.unwrap_or(0);
            let value = source.headers().get(&name, at as usize).map(<[u8]>::to_vec);
            (value, index.map(|_| at.saturating_add(1)))
        }
        None => (source.special(attribute), None),
    };
    let value = value.ok_or(ERROR_WINHTTP_HEADER_NOT_FOUND)?;
    Ok((converted(value, level).ok_or(ERROR_WINHTTP_HEADER_NOT_FOUND)?, next))
}

/// The header that an attribute stands for; nothing for those that are no header, and for the unused numbers.
pub fn header_name(attribute: u32) -> Option<&'static str> {
    NAMES.iter().find(|(number, _)| *number == attribute).map(|(_, name)| *name)
}

/// Where an answer comes from.
enum Source<'a> {
    Request(&'a RequestHead),
    Response(&'a ResponseHead),
    Trailers(&'a Headers),
}

impl Source<'_> {
    fn headers(&self) -> &Headers {
        match self {
            Source::Request(head) => &head.headers,
            Source::Response(head) => &head.headers,
            Source::Trailers(headers) => headers,
        }
    }

    fn raw_lines(&self) -> Vec<Vec<u8>> {
        match self {
            Source::Request(head) => head.raw_lines(),
            Source::Response(head) => head.raw_lines(),
            Source::Trailers(headers) => headers.iter().map(Header::line).collect(),
        }
    }

    fn raw_nul(&self, level: u32) -> Answer {
        let lines = self.raw_lines().into_iter();
        if level & WINHTTP_QUERY_FLAG_WIRE_ENCODING != 0 {
            Answer::Wire(lines.flat_map(|line| [line, vec![0]].concat()).collect())
        } else {
            Answer::RawNul(lines.flat_map(|line| wide(&line).into_iter().chain([0])).collect())
        }
    }

    /// The value of an attribute that is no header.
    fn special(&self, attribute: u32) -> Option<Vec<u8>> {
        match (attribute, self) {
            (WINHTTP_QUERY_RAW_HEADERS_CRLF, _) => Some(joined(&self.raw_lines())),
            (WINHTTP_QUERY_VERSION, Source::Request(head)) => Some(head.version.to_string().into_bytes()),
            (WINHTTP_QUERY_VERSION, Source::Response(head)) => Some(head.version.to_string().into_bytes()),
            (WINHTTP_QUERY_STATUS_CODE, Source::Response(head)) => Some(head.status.to_string().into_bytes()),
            (WINHTTP_QUERY_STATUS_TEXT, Source::Response(head)) => Some(head.reason.clone()),
            (WINHTTP_QUERY_REQUEST_METHOD, Source::Request(head)) => Some(head.method.clone().into_bytes()),
            _ => None,
        }
    }
}

fn converted(value: Vec<u8>, level: u32) -> Option<Answer> {
    let has = |flag| level & flag != 0;
    if has(WINHTTP_QUERY_FLAG_NUMBER64) {
        decode(&value).trim().parse().ok().map(Answer::Qword)
    } else if has(WINHTTP_QUERY_FLAG_NUMBER) {
        decode(&value).trim().parse().ok().map(Answer::Dword)
    } else if has(WINHTTP_QUERY_FLAG_SYSTEMTIME) {
        time::parse(&decode(&value)).map(Answer::Time)
    } else if has(WINHTTP_QUERY_FLAG_WIRE_ENCODING) {
        Some(Answer::Wire(value))
    } else {
        Some(Answer::Text(wide(&value)))
    }
}

fn wide(bytes: &[u8]) -> Vec<u16> {
    decode(bytes).encode_utf16().collect()
}

fn words(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    units.into_iter().flat_map(u16::to_ne_bytes).collect()
}

const MODIFIERS: u32 = WINHTTP_QUERY_FLAG_REQUEST_HEADERS
    | WINHTTP_QUERY_FLAG_SYSTEMTIME
    | WINHTTP_QUERY_FLAG_NUMBER
    | WINHTTP_QUERY_FLAG_NUMBER64
    | WINHTTP_QUERY_FLAG_TRAILERS
    | WINHTTP_QUERY_FLAG_WIRE_ENCODING;

const NAMES: &[(u32, &str)] = &[
    (WINHTTP_QUERY_MIME_VERSION, "MIME-Version"),
    (WINHTTP_QUERY_CONTENT_TYPE, "Content-Type"),
    (WINHTTP_QUERY_CONTENT_TRANSFER_ENCODING, "Content-Transfer-Encoding"),
    (WINHTTP_QUERY_CONTENT_ID, "Content-ID"),
    (WINHTTP_QUERY_CONTENT_DESCRIPTION, "Content-Description"),
    (WINHTTP_QUERY_CONTENT_LENGTH, "Content-Length"),
    (WINHTTP_QUERY_CONTENT_LANGUAGE, "Content-Language"),
    (WINHTTP_QUERY_ALLOW, "Allow"),
    (WINHTTP_QUERY_PUBLIC, "Public"),
    (WINHTTP_QUERY_DATE, "Date"),
    (WINHTTP_QUERY_EXPIRES, "Expires"),
    (WINHTTP_QUERY_LAST_MODIFIED, "Last-Modified"),
    (WINHTTP_QUERY_MESSAGE_ID, "Message-ID"),
    (WINHTTP_QUERY_URI, "URI"),
    (WINHTTP_QUERY_DERIVED_FROM, "Derived-From"),
    (WINHTTP_QUERY_COST, "Cost"),
    (WINHTTP_QUERY_LINK, "Link"),
    (WINHTTP_QUERY_PRAGMA, "Pragma"),
    (WINHTTP_QUERY_CONNECTION, "Connection"),
    (WINHTTP_QUERY_ACCEPT, "Accept"),
    (WINHTTP_QUERY_ACCEPT_CHARSET, "Accept-Charset"),
    (WINHTTP_QUERY_ACCEPT_ENCODING, "Accept-Encoding"),
    (WINHTTP_QUERY_ACCEPT_LANGUAGE, "Accept-Language"),
    (WINHTTP_QUERY_AUTHORIZATION, "Authorization"),
    (WINHTTP_QUERY_CONTENT_ENCODING, "Content-Encoding"),
    (WINHTTP_QUERY_FORWARDED, "Forwarded"),
    (WINHTTP_QUERY_FROM, "From"),
    (WINHTTP_QUERY_IF_MODIFIED_SINCE, "If-Modified-Since"),
    (WINHTTP_QUERY_LOCATION, "Location"),
    (WINHTTP_QUERY_ORIG_URI, "Orig-URI"),
    (WINHTTP_QUERY_REFERER, "Referer"),
    (WINHTTP_QUERY_RETRY_AFTER, "Retry-After"),
    (WINHTTP_QUERY_SERVER, "Server"),
    (WINHTTP_QUERY_TITLE, "Title"),
    (WINHTTP_QUERY_USER_AGENT, "User-Agent"),
    (WINHTTP_QUERY_WWW_AUTHENTICATE, "WWW-Authenticate"),
    (WINHTTP_QUERY_PROXY_AUTHENTICATE, "Proxy-Authenticate"),
    (WINHTTP_QUERY_ACCEPT_RANGES, "Accept-Ranges"),
    (WINHTTP_QUERY_SET_COOKIE, "Set-Cookie"),
    (WINHTTP_QUERY_COOKIE, "Cookie"),
    (WINHTTP_QUERY_REFRESH, "Refresh"),
    (WINHTTP_QUERY_CONTENT_DISPOSITION, "Content-Disposition"),
    (WINHTTP_QUERY_AGE, "Age"),
    (WINHTTP_QUERY_CACHE_CONTROL, "Cache-Control"),
    (WINHTTP_QUERY_CONTENT_BASE, "Content-Base"),
    (WINHTTP_QUERY_CONTENT_LOCATION, "Content-Location"),
    (WINHTTP_QUERY_CONTENT_MD5, "Content-MD5"),
    (WINHTTP_QUERY_CONTENT_RANGE, "Content-Range"),
    (WINHTTP_QUERY_ETAG, "ETag"),
    (WINHTTP_QUERY_HOST, "Host"),
    (WINHTTP_QUERY_IF_MATCH, "If-Match"),
    (WINHTTP_QUERY_IF_NONE_MATCH, "If-None-Match"),
    (WINHTTP_QUERY_IF_RANGE, "If-Range"),
    (WINHTTP_QUERY_IF_UNMODIFIED_SINCE, "If-Unmodified-Since"),
    (WINHTTP_QUERY_MAX_FORWARDS, "Max-Forwards"),
    (WINHTTP_QUERY_PROXY_AUTHORIZATION, "Proxy-Authorization"),
    (WINHTTP_QUERY_RANGE, "Range"),
    (WINHTTP_QUERY_TRANSFER_ENCODING, "Transfer-Encoding"),
    (WINHTTP_QUERY_UPGRADE, "Upgrade"),
    (WINHTTP_QUERY_VARY, "Vary"),
    (WINHTTP_QUERY_VIA, "Via"),
    (WINHTTP_QUERY_WARNING, "Warning"),
    (WINHTTP_QUERY_EXPECT, "Expect"),
    (WINHTTP_QUERY_PROXY_CONNECTION, "Proxy-Connection"),
    (WINHTTP_QUERY_UNLESS_MODIFIED_SINCE, "Unless-Modified-Since"),
    (WINHTTP_QUERY_PROXY_SUPPORT, "Proxy-Support"),
    (WINHTTP_QUERY_AUTHENTICATION_INFO, "Authentication-Info"),
    (WINHTTP_QUERY_PASSPORT_URLS, "PassportURLs"),
    (WINHTTP_QUERY_PASSPORT_CONFIG, "PassportConfig"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NUMBER: u32 = WINHTTP_QUERY_FLAG_NUMBER;
    const NUMBER64: u32 = WINHTTP_QUERY_FLAG_NUMBER64;
    const DATE: u32 = WINHTTP_QUERY_FLAG_SYSTEMTIME;
    const REQUEST: u32 = WINHTTP_QUERY_FLAG_REQUEST_HEADERS;
    const TRAILERS: u32 = WINHTTP_QUERY_FLAG_TRAILERS;
    const WIRE: u32 = WINHTTP_QUERY_FLAG_WIRE_ENCODING;
    const CUSTOM: u32 = WINHTTP_QUERY_CUSTOM;

    struct Exchange {
        request: RequestHead,
        response: Option<ResponseHead>,
        trailers: Option<Headers>,
    }

    impl Exchange {
        fn with(response: &str) -> Exchange {
            let mut request = RequestHead { method: "POST".into(), target: "/x".into(), ..RequestHead::default() };
            request.headers.append("Host", "localhost");
            request.headers.append("empty", "");
            let response = Some(ResponseHead::parse(response.as_bytes()).unwrap());
            Exchange { request, response, trailers: None }
        }

        fn ask(&self, level: u32, name: &str, index: Option<u32>) -> Result<(Answer, Option<u32>), Win32Error> {
            let name: Vec<u16> = name.encode_utf16().collect();
            query(level, Some(&name), index, &self.request, self.response.as_ref(), self.trailers.as_ref())
        }

        fn answer(&self, level: u32, name: &str) -> Result<Answer, Win32Error> {
            self.ask(level, name, None).map(|(answer, _)| answer)
        }
    }

    fn text(text: &str) -> Result<Answer, Win32Error> {
        Ok(Answer::Text(text.encode_utf16().collect()))
    }

    const RESPONSE: &str = concat!(
        "HTTP/1.1 200 OK\r\n",
        "Content-Length: 100\r\n",
        "SpaceAfterHdr  :   bad\r\n",
        "Date: Mon, 28 Jul 2008 10:05:52 GMT\r\n",
        "X-Big: 4294967296\r\n",
        "X-Text: \u{e9}\r\n",
        "Warning: one\r\n",
        "warning: two\r\n",
        "\r\n",
    );

    #[test]
    fn attributes_and_conversions() {
        let exchange = Exchange::with(RESPONSE);
        let date = SYSTEMTIME {
            wYear: 2008,
            wMonth: 7,
            wDayOfWeek: 1,
            wDay: 28,
            wHour: 10,
            wMinute: 5,
            wSecond: 52,
            wMilliseconds: 0,
        };
        let absent = Err(ERROR_WINHTTP_HEADER_NOT_FOUND);
        let invalid = Err(ERROR_INVALID_PARAMETER);
        let raw_crlf = concat!(
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nSpaceAfterHdr: bad\r\nDate: Mon, 28 Jul 2008 10:05:52 GMT\r\n",
            "X-Big: 4294967296\r\nX-Text: \u{e9}\r\nWarning: one\r\nwarning: two\r\n\r\n"
        );
        let rows = [
            (WINHTTP_QUERY_STATUS_CODE, "", text("200")),
            (WINHTTP_QUERY_STATUS_CODE | NUMBER, "", Ok(Answer::Dword(200))),
            (WINHTTP_QUERY_STATUS_CODE | NUMBER64, "", Ok(Answer::Qword(200))),
            (WINHTTP_QUERY_STATUS_CODE | REQUEST, "", absent.clone()),
            (WINHTTP_QUERY_STATUS_TEXT, "", text("OK")),
            (WINHTTP_QUERY_STATUS_TEXT | WIRE, "", Ok(Answer::Wire(b"OK".to_vec()))),
            (WINHTTP_QUERY_VERSION, "", text("HTTP/1.1")),
            (WINHTTP_QUERY_VERSION | REQUEST, "", text("HTTP/1.1")),
            (WINHTTP_QUERY_VERSION | NUMBER, "", absent.clone()),
            (WINHTTP_QUERY_REQUEST_METHOD, "", text("POST")),
            (WINHTTP_QUERY_REQUEST_METHOD | REQUEST, "", text("POST")),
            (WINHTTP_QUERY_CONTENT_LENGTH, "", text("100")),
            (WINHTTP_QUERY_CONTENT_LENGTH | NUMBER, "", Ok(Answer::Dword(100))),
            (WINHTTP_QUERY_CONTENT_LENGTH | REQUEST, "", absent.clone()),
            (WINHTTP_QUERY_DATE, "", text("Mon, 28 Jul 2008 10:05:52 GMT")),
            (WINHTTP_QUERY_DATE | DATE, "", Ok(Answer::Time(date))),
            (WINHTTP_QUERY_DATE | NUMBER, "", absent.clone()),
            (WINHTTP_QUERY_CONTENT_LENGTH | DATE, "", absent.clone()),
            (WINHTTP_QUERY_ORIG_URI, "", absent.clone()),
            (WINHTTP_QUERY_WARNING, "", text("one")),
            (WINHTTP_QUERY_HOST, "", absent.clone()),
            (WINHTTP_QUERY_HOST | REQUEST, "", text("localhost")),
            (71, "", absent.clone()),
            (WINHTTP_QUERY_MAX, "", absent.clone()),
            (WINHTTP_QUERY_MAX + 1, "", invalid.clone()),
            (CUSTOM - 1, "", invalid.clone()),
            (0x0400_0000 | WINHTTP_QUERY_DATE, "", invalid),
            (CUSTOM, "spaceafterhdr", text("bad")),
            (CUSTOM, "X-TEXT", text("\u{e9}")),
            (CUSTOM | WIRE, "x-text", Ok(Answer::Wire("\u{e9}".into()))),
            (CUSTOM | NUMBER, "x-big", absent.clone()),
            (CUSTOM | NUMBER64, "x-big", Ok(Answer::Qword(1 << 32))),
            (CUSTOM, "nope", absent.clone()),
            (CUSTOM, "", absent),
            (CUSTOM | REQUEST, "EMPTY", text("")),
            (WINHTTP_QUERY_RAW_HEADERS_CRLF, "", text(raw_crlf)),
            (
                WINHTTP_QUERY_RAW_HEADERS_CRLF | REQUEST,
                "",
                text("POST /x HTTP/1.1\r\nHost: localhost\r\nempty: \r\n\r\n"),
            ),
        ];
        for (level, name, expected) in rows {
            assert_eq!(exchange.answer(level, name), expected, "{level:#x} {name:?}");
        }
    }

    #[test]
    fn before_the_response_only_the_request_is_there() {
        let mut exchange = Exchange::with(RESPONSE);
        exchange.response = None;
        let early = Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        let rows = [
            (WINHTTP_QUERY_STATUS_CODE, early.clone()),
            (WINHTTP_QUERY_RAW_HEADERS, early.clone()),
            (CUSTOM, early.clone()),
            (CUSTOM | TRAILERS, early),
            (WINHTTP_QUERY_REQUEST_METHOD, text("POST")),
            (WINHTTP_QUERY_HOST | REQUEST, text("localhost")),
            (WINHTTP_QUERY_MAX + 1, Err(ERROR_INVALID_PARAMETER)),
        ];
        for (level, expected) in rows {
            assert_eq!(exchange.answer(level, "Host"), expected, "{level:#x}");
        }
        let no_name = query(CUSTOM, None, None, &exchange.request, None, None);
        assert_eq!(no_name, Err(ERROR_INVALID_PARAMETER));
    }

    #[test]
    fn the_index_moves_only_when_a_header_is_found() {
        let exchange = Exchange::with(RESPONSE);
        let rows = [
            (WINHTTP_QUERY_WARNING, Some(0), Ok((text("one").unwrap(), Some(1)))),
            (WINHTTP_QUERY_WARNING, Some(1), Ok((text("two").unwrap(), Some(2)))),
            (WINHTTP_QUERY_WARNING, Some(2), Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (WINHTTP_QUERY_WARNING, Some(u32::MAX), Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (WINHTTP_QUERY_WARNING, None, Ok((text("one").unwrap(), None))),
            (CUSTOM, Some(1), Ok((text("two").unwrap(), Some(2)))),
            (WINHTTP_QUERY_STATUS_CODE, Some(0), Ok((text("200").unwrap(), None))),
        ];
        for (level, index, expected) in rows {
            assert_eq!(exchange.ask(level, "Warning", index), expected, "{level} {index:?}");
        }
        for level in [WINHTTP_QUERY_RAW_HEADERS, WINHTTP_QUERY_RAW_HEADERS_CRLF] {
            assert_eq!(exchange.ask(level, "", Some(0)).unwrap().1, None);
        }
    }

    #[test]
    fn trailers() {
        let mut exchange = Exchange::with(RESPONSE);
        assert_eq!(exchange.answer(CUSTOM | TRAILERS, "t"), Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE));
        let mut trailers = Headers::new();
        trailers.append("T", "1");
        exchange.trailers = Some(trailers);
        assert_eq!(exchange.answer(CUSTOM | TRAILERS, "t"), text("1"));
        assert_eq!(exchange.answer(WINHTTP_QUERY_RAW_HEADERS_CRLF | TRAILERS, ""), text("T: 1\r\n\r\n"));
        assert_eq!(exchange.answer(WINHTTP_QUERY_DATE | TRAILERS, ""), Err(ERROR_WINHTTP_HEADER_NOT_FOUND));
    }

    #[test]
    fn the_length_of_raw_headers_counts_the_nul_of_the_last_line_but_not_the_last_nul() {
        let exchange = Exchange::with("HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
        let answer = exchange.answer(WINHTTP_QUERY_RAW_HEADERS, "").unwrap();
        let bytes = answer.to_bytes();
        let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), "HTTP/1.1 200 OK\0A: b\0\0");
        let end = answer.size_written() / 2;
        assert_eq!((units[end - 2], units[end - 1], units[end]), (u16::from(b'b'), 0, 0));
        let wire = exchange.answer(WINHTTP_QUERY_RAW_HEADERS | WIRE, "").unwrap();
        assert_eq!(wire.to_bytes(), b"HTTP/1.1 200 OK\0A: b\0\0");
    }

    #[test]
    fn sizes() {
        let rows = [
            (text("").unwrap(), 2, 0),
            (text("abc").unwrap(), 8, 6),
            (Answer::Wire(b"abc".to_vec()), 4, 3),
            (Answer::Dword(1), 4, 4),
            (Answer::Qword(1), 8, 8),
            (Answer::Time(SYSTEMTIME::default()), 16, 16),
        ];
        for (answer, needed, written) in rows {
            assert_eq!((answer.size_needed(), answer.size_written()), (needed, written), "{answer:?}");
            assert_eq!(answer.to_bytes().len(), needed);
        }
    }

    #[test]
    fn the_text_of_a_status_line_without_text_is_empty() {
        let exchange = Exchange::with("HTTP/1.1 200\r\n\r\n");
        assert_eq!(exchange.answer(WINHTTP_QUERY_STATUS_TEXT, ""), text(""));
    }

    #[test]
    fn every_attribute_finds_its_header() {
        for (attribute, name) in NAMES {
            let mut exchange = Exchange::with(RESPONSE);
            exchange.response.as_mut().unwrap().headers.set(&name.to_ascii_uppercase(), "here");
            assert_eq!(exchange.answer(*attribute, ""), text("here"), "{name}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(level: u32, attribute in 0u32..80, name: Vec<u16>, index: Option<u32>, value: Vec<u8>) {
            let mut exchange = Exchange::with(RESPONSE);
            exchange.request.headers.append(header_name(attribute).unwrap_or("x"), value);
            for level in [level, attribute | level & MODIFIERS, CUSTOM | level & MODIFIERS] {
                let Exchange { request, response, trailers } = &exchange;
                if let Ok((answer, _)) = query(level, Some(&name), index, request, response.as_ref(), trailers.as_ref()) {
                    prop_assert_eq!(answer.to_bytes().len(), answer.size_needed());
                }
            }
        }
    }
}
