//! WinHttpQueryHeaders without its pointers (sources query.raw, Q1).

use super::head::text;
use super::{Header, Headers, RequestHead, ResponseHead, time};
use crate::win32::*;

/// What a query answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Text without its NUL.
    Text(Vec<u16>),
    /// Lines that end in NUL, and a last NUL.
    RawNul(Vec<u16>),
    /// WINHTTP_QUERY_FLAG_WIRE_ENCODING: the bytes as they came, without their NUL.
    Wire(Vec<u8>),
    /// WINHTTP_QUERY_FLAG_NUMBER
    Dword(u32),
    /// WINHTTP_QUERY_FLAG_NUMBER64
    Qword(u64),
    /// WINHTTP_QUERY_FLAG_SYSTEMTIME
    Time(SYSTEMTIME),
}

impl Answer {
    /// Whether the next index moves on although the buffer of so many bytes is too small: it does for a text that, in bytes,
    /// would have room there with its NUL (source j01).
    pub fn moves_on(&self, room: usize) -> bool {
        matches!(self, Answer::Text(text) if text.len() < room)
    }

    /// The length in bytes that a successful query reports: without the last NUL.
    pub fn reported(&self) -> usize {
        match self {
            Answer::Text(text) => text.len() * 2,
            Answer::RawNul(text) => (text.len() - 1) * 2,
            Answer::Wire(bytes) => bytes.len(),
            Answer::Dword(_) => 4,
            Answer::Qword(_) => 8,
            Answer::Time(_) => 16,
        }
    }
}

const MODIFIERS: u32 = WINHTTP_QUERY_FLAG_REQUEST_HEADERS
    | WINHTTP_QUERY_FLAG_SYSTEMTIME
    | WINHTTP_QUERY_FLAG_NUMBER
    | WINHTTP_QUERY_FLAG_NUMBER64
    | WINHTTP_QUERY_FLAG_TRAILERS
    | WINHTTP_QUERY_FLAG_WIRE_ENCODING;

/// Answers a query, and the next index if one was given and a header was found by it.
///
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE for something of a reply that is not there, ERROR_INVALID_PARAMETER for an
/// unknown level, ERROR_WINHTTP_HEADER_NOT_FOUND, ERROR_WINHTTP_INVALID_QUERY_REQUEST for a value that is not what the
/// modifier says.
pub fn query(
    level: u32,
    name: Option<&[u16]>,
    index: Option<u32>,
    request: &RequestHead,
    response: Option<&ResponseHead>,
    trailers: Option<&Headers>,
) -> Result<(Answer, Option<u32>), Win32Error> {
    let attribute = level & !MODIFIERS;
    let of_request = level & WINHTTP_QUERY_FLAG_REQUEST_HEADERS != 0;
    if attribute > WINHTTP_QUERY_MAX && attribute != WINHTTP_QUERY_CUSTOM {
        return Err(ERROR_INVALID_PARAMETER);
    }
    if attribute == WINHTTP_QUERY_REQUEST_METHOD {
        return Ok((modified(request.method.as_bytes(), level)?, None));
    }
    let reply = || response.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    let of_trailers = !of_request && level & WINHTTP_QUERY_FLAG_TRAILERS != 0;
    let trailers = || reply().and_then(|_| some(trailers));
    let raw = || match () {
        () if of_request => Ok(request.raw_lines()),
        () if of_trailers => Ok(trailers()?.iter().map(Header::line).collect()),
        () => reply().map(ResponseHead::raw_lines),
    };
    let line = match attribute {
        WINHTTP_QUERY_RAW_HEADERS_CRLF => {
            let lines: Vec<u8> = raw()?.into_iter().flat_map(|line| [line, b"\r\n".to_vec()].concat()).collect();
            let wire = level & WINHTTP_QUERY_FLAG_WIRE_ENCODING;
            return Ok((modified(&[lines, b"\r\n".to_vec()].concat(), wire)?, None));
        }
        WINHTTP_QUERY_RAW_HEADERS if level & WINHTTP_QUERY_FLAG_WIRE_ENCODING != 0 => {
            return Ok((Answer::Wire(raw()?.into_iter().flat_map(|line| [line, vec![0]].concat()).collect()), None));
        }
        WINHTTP_QUERY_RAW_HEADERS => {
            let mut text: Vec<u16> = raw()?.iter().flat_map(|line| [wide(line), vec![0]].concat()).collect();
            text.push(0);
            return Ok((Answer::RawNul(text), None));
        }
        WINHTTP_QUERY_VERSION if of_request => request.version.to_string().into_bytes(),
        WINHTTP_QUERY_VERSION if !of_trailers => reply()?.version.to_string().into_bytes(),
        WINHTTP_QUERY_STATUS_CODE if !of_request && !of_trailers => reply()?.status.to_string().into_bytes(),
        WINHTTP_QUERY_STATUS_TEXT if !of_request && !of_trailers => reply()?.reason.to_vec(),
        _ => {
            let headers = match () {
                () if of_request => &request.headers,
                () if of_trailers => trailers()?,
                () => &reply()?.headers,
            };
            let name = match attribute {
                WINHTTP_QUERY_CUSTOM => String::from_utf16_lossy(name.ok_or(ERROR_INVALID_PARAMETER)?),
                known => header_name(known).ok_or(ERROR_WINHTTP_HEADER_NOT_FOUND)?.to_owned(),
            };
            let value = headers.get(&name, index.unwrap_or(0) as usize).ok_or(ERROR_WINHTTP_HEADER_NOT_FOUND)?;
            return Ok((modified(value, level)?, index.map(|index| index.wrapping_add(1))));
        }
    };
    Ok((modified(&line, level)?, None))
}

/// What [`fields`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Names and values, as they came.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The next index, if one was given.
    pub next: Option<u32>,
}

/// Answers WinHttpQueryHeadersEx: all fields, or of one name the one that the index says; without one the first.
///
/// ERROR_INVALID_PARAMETER for what has no name and value, else as [`query`].
pub fn fields(
    level: u32,
    name: Option<&[u16]>,
    index: Option<u32>,
    request: &RequestHead,
    response: Option<&ResponseHead>,
    trailers: Option<&Headers>,
) -> Result<Fields, Win32Error> {
    let attribute = level & !MODIFIERS;
    let typed = WINHTTP_QUERY_FLAG_NUMBER | WINHTTP_QUERY_FLAG_NUMBER64 | WINHTTP_QUERY_FLAG_SYSTEMTIME;
    let nameless = matches!(
        attribute,
        WINHTTP_QUERY_VERSION
            | WINHTTP_QUERY_STATUS_CODE
            | WINHTTP_QUERY_STATUS_TEXT
            | WINHTTP_QUERY_REQUEST_METHOD
            | WINHTTP_QUERY_RAW_HEADERS_CRLF
    );
    if level & typed != 0 || nameless || (attribute > WINHTTP_QUERY_MAX && attribute != WINHTTP_QUERY_CUSTOM) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let headers = if level & WINHTTP_QUERY_FLAG_REQUEST_HEADERS != 0 {
        &request.headers
    } else {
        let reply = response.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
        match level & WINHTTP_QUERY_FLAG_TRAILERS {
            0 => &reply.headers,
            _ => some(trailers)?,
        }
    };
    let pair = |header: &Header| (header.name.to_string(), header.value.to_vec());
    let name = match attribute {
        WINHTTP_QUERY_EX_ALL_HEADERS => {
            return Ok(Fields { fields: headers.iter().map(pair).collect(), next: None });
        }
        WINHTTP_QUERY_CUSTOM => String::from_utf16_lossy(name.ok_or(ERROR_INVALID_PARAMETER)?),
        known => header_name(known).ok_or(ERROR_WINHTTP_HEADER_NOT_FOUND)?.to_owned(),
    };
    let mut of_name = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(&name)).map(pair);
    let field = of_name.nth(index.unwrap_or(0) as usize).ok_or(ERROR_WINHTTP_HEADER_NOT_FOUND)?;
    Ok(Fields { fields: vec![field], next: index.map(|index| index.wrapping_add(1)) })
}

/// The trailers of a body that was read. None are not an empty answer (source n140).
fn some(trailers: Option<&Headers>) -> Result<&Headers, Win32Error> {
    let trailers = trailers.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
    if trailers.iter().next().is_none() { Err(ERROR_WINHTTP_HEADER_NOT_FOUND) } else { Ok(trailers) }
}

fn modified(value: &[u8], level: u32) -> Result<Answer, Win32Error> {
    let text = || std::str::from_utf8(value).map(str::trim).map_err(|_| ERROR_WINHTTP_INVALID_QUERY_REQUEST);
    let invalid = |_| ERROR_WINHTTP_INVALID_QUERY_REQUEST;
    if level & WINHTTP_QUERY_FLAG_NUMBER != 0 {
        return text()?.parse().map(Answer::Dword).map_err(invalid);
    }
    if level & WINHTTP_QUERY_FLAG_NUMBER64 != 0 {
        return text()?.parse().map(Answer::Qword).map_err(invalid);
    }
    if level & WINHTTP_QUERY_FLAG_SYSTEMTIME != 0 {
        return time::parse(text()?).map(Answer::Time).ok_or(ERROR_WINHTTP_INVALID_QUERY_REQUEST);
    }
    if level & WINHTTP_QUERY_FLAG_WIRE_ENCODING != 0 {
        return Ok(Answer::Wire(value.to_vec()));
    }
    Ok(Answer::Text(wide(value)))
}

fn wide(bytes: &[u8]) -> Vec<u16> {
    text(bytes).encode_utf16().collect()
}

/// The header that an info level means.
fn header_name(attribute: u32) -> Option<&'static str> {
    Some(match attribute {
        WINHTTP_QUERY_MIME_VERSION => "MIME-Version",
        WINHTTP_QUERY_CONTENT_TYPE => "Content-Type",
        WINHTTP_QUERY_CONTENT_TRANSFER_ENCODING => "Content-Transfer-Encoding",
        WINHTTP_QUERY_CONTENT_ID => "Content-ID",
        WINHTTP_QUERY_CONTENT_DESCRIPTION => "Content-Description",
        WINHTTP_QUERY_CONTENT_LENGTH => "Content-Length",
        WINHTTP_QUERY_CONTENT_LANGUAGE => "Content-Language",
        WINHTTP_QUERY_ALLOW => "Allow",
        WINHTTP_QUERY_PUBLIC => "Public",
        WINHTTP_QUERY_DATE => "Date",
        WINHTTP_QUERY_EXPIRES => "Expires",
        WINHTTP_QUERY_LAST_MODIFIED => "Last-Modified",
        WINHTTP_QUERY_MESSAGE_ID => "Message-ID",
        WINHTTP_QUERY_URI => "URI",
        WINHTTP_QUERY_DERIVED_FROM => "Derived-From",
        WINHTTP_QUERY_COST => "Cost",
        WINHTTP_QUERY_LINK => "Link",
        WINHTTP_QUERY_PRAGMA => "Pragma",
        WINHTTP_QUERY_CONNECTION => "Connection",
        WINHTTP_QUERY_ACCEPT => "Accept",
        WINHTTP_QUERY_ACCEPT_CHARSET => "Accept-Charset",
        WINHTTP_QUERY_ACCEPT_ENCODING => "Accept-Encoding",
        WINHTTP_QUERY_ACCEPT_LANGUAGE => "Accept-Language",
        WINHTTP_QUERY_AUTHORIZATION => "Authorization",
        WINHTTP_QUERY_CONTENT_ENCODING => "Content-Encoding",
        WINHTTP_QUERY_FORWARDED => "Forwarded",
        WINHTTP_QUERY_FROM => "From",
        WINHTTP_QUERY_IF_MODIFIED_SINCE => "If-Modified-Since",
        WINHTTP_QUERY_LOCATION => "Location",
        WINHTTP_QUERY_ORIG_URI => "Orig-URI",
        WINHTTP_QUERY_REFERER => "Referer",
        WINHTTP_QUERY_RETRY_AFTER => "Retry-After",
        WINHTTP_QUERY_SERVER => "Server",
        WINHTTP_QUERY_TITLE => "Title",
        WINHTTP_QUERY_USER_AGENT => "User-Agent",
        WINHTTP_QUERY_WWW_AUTHENTICATE => "WWW-Authenticate",
        WINHTTP_QUERY_PROXY_AUTHENTICATE => "Proxy-Authenticate",
        WINHTTP_QUERY_ACCEPT_RANGES => "Accept-Ranges",
        WINHTTP_QUERY_SET_COOKIE => "Set-Cookie",
        WINHTTP_QUERY_COOKIE => "Cookie",
        WINHTTP_QUERY_REFRESH => "Refresh",
        WINHTTP_QUERY_CONTENT_DISPOSITION => "Content-Disposition",
        WINHTTP_QUERY_AGE => "Age",
        WINHTTP_QUERY_CACHE_CONTROL => "Cache-Control",
        WINHTTP_QUERY_CONTENT_BASE => "Content-Base",
        WINHTTP_QUERY_CONTENT_LOCATION => "Content-Location",
        WINHTTP_QUERY_CONTENT_MD5 => "Content-MD5",
        WINHTTP_QUERY_CONTENT_RANGE => "Content-Range",
        WINHTTP_QUERY_ETAG => "ETag",
        WINHTTP_QUERY_HOST => "Host",
        WINHTTP_QUERY_IF_MATCH => "If-Match",
        WINHTTP_QUERY_IF_NONE_MATCH => "If-None-Match",
        WINHTTP_QUERY_IF_RANGE => "If-Range",
        WINHTTP_QUERY_IF_UNMODIFIED_SINCE => "If-Unmodified-Since",
        WINHTTP_QUERY_MAX_FORWARDS => "Max-Forwards",
        WINHTTP_QUERY_PROXY_AUTHORIZATION => "Proxy-Authorization",
        WINHTTP_QUERY_RANGE => "Range",
        WINHTTP_QUERY_TRANSFER_ENCODING => "Transfer-Encoding",
        WINHTTP_QUERY_UPGRADE => "Upgrade",
        WINHTTP_QUERY_VARY => "Vary",
        WINHTTP_QUERY_VIA => "Via",
        WINHTTP_QUERY_WARNING => "Warning",
        WINHTTP_QUERY_EXPECT => "Expect",
        WINHTTP_QUERY_PROXY_CONNECTION => "Proxy-Connection",
        WINHTTP_QUERY_UNLESS_MODIFIED_SINCE => "Unless-Modified-Since",
        WINHTTP_QUERY_PROXY_SUPPORT => "Proxy-Support",
        WINHTTP_QUERY_AUTHENTICATION_INFO => "Authentication-Info",
        WINHTTP_QUERY_PASSPORT_URLS => "PassportURLs",
        WINHTTP_QUERY_PASSPORT_CONFIG => "PassportConfig",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn request() -> RequestHead {
        let mut headers = Headers::default();
        headers.append("Accept", "*/*");
        RequestHead { method: "POST".into(), target: "/x".into(), version: Version { major: 1, minor: 1 }, headers }
    }

    fn response() -> ResponseHead {
        let head = b"HTTP/1.1 200\r\nContent-Length: 12\r\nDate: Mon, 28 Jul 2008 10:05:52 GMT\r\nA: 1\r\na: 2\r\n\r\n";
        ResponseHead::parse(head).unwrap()
    }

    fn text(text: &str) -> Answer {
        Answer::Text(text.encode_utf16().collect())
    }

    #[test]
    fn answers() {
        let number = WINHTTP_QUERY_FLAG_NUMBER;
        let time = SYSTEMTIME {
            wYear: 2008,
            wMonth: 7,
            wDayOfWeek: 1,
            wDay: 28,
            wHour: 10,
            wMinute: 5,
            wSecond: 52,
            wMilliseconds: 0,
        };
        let rows = [
            (WINHTTP_QUERY_STATUS_CODE, Ok(text("200"))),
            (WINHTTP_QUERY_STATUS_CODE | number, Ok(Answer::Dword(200))),
            (WINHTTP_QUERY_STATUS_TEXT, Ok(text(""))),
            (WINHTTP_QUERY_VERSION, Ok(text("HTTP/1.1"))),
            (WINHTTP_QUERY_CONTENT_LENGTH | number, Ok(Answer::Dword(12))),
            (WINHTTP_QUERY_CONTENT_LENGTH | WINHTTP_QUERY_FLAG_NUMBER64, Ok(Answer::Qword(12))),
            (WINHTTP_QUERY_DATE | WINHTTP_QUERY_FLAG_SYSTEMTIME, Ok(Answer::Time(time))),
            (WINHTTP_QUERY_DATE | number, Err(ERROR_WINHTTP_INVALID_QUERY_REQUEST)),
            (WINHTTP_QUERY_REQUEST_METHOD, Ok(text("POST"))),
            (WINHTTP_QUERY_ACCEPT | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, Ok(text("*/*"))),
            (WINHTTP_QUERY_ACCEPT, Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (WINHTTP_QUERY_ORIG_URI, Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (WINHTTP_QUERY_MAX + 1, Err(ERROR_INVALID_PARAMETER)),
            (
                WINHTTP_QUERY_RAW_HEADERS_CRLF | WINHTTP_QUERY_FLAG_REQUEST_HEADERS,
                Ok(text("POST /x HTTP/1.1\r\nAccept: */*\r\n\r\n")),
            ),
        ];
        let (request, response) = (request(), response());
        for (level, expected) in rows {
            let answer = query(level, None, None, &request, Some(&response), None).map(|(answer, _)| answer);
            assert_eq!(answer, expected, "{level:#x}");
        }
        let early = query(WINHTTP_QUERY_STATUS_CODE, None, None, &request, None, None);
        assert_eq!(early, Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE));
    }

    #[test]
    fn bytes_as_they_came_and_trailers() {
        let (wire, trailing) = (WINHTTP_QUERY_FLAG_WIRE_ENCODING, WINHTTP_QUERY_FLAG_TRAILERS);
        let (request, response) = (request(), ResponseHead::parse(b"HTTP/1.1 200 OK\r\nServer: \xe9\r\n\r\n").unwrap());
        let mut trailers = Headers::default();
        trailers.append("Server", "t");
        let rows = [
            (WINHTTP_QUERY_SERVER, Ok(text("\u{e9}"))),
            (WINHTTP_QUERY_SERVER | wire, Ok(Answer::Wire(b"\xe9".to_vec()))),
            (WINHTTP_QUERY_RAW_HEADERS | wire, Ok(Answer::Wire(b"HTTP/1.1 200 OK\0Server: \xe9\0".to_vec()))),
            (
                WINHTTP_QUERY_RAW_HEADERS_CRLF | wire,
                Ok(Answer::Wire(b"HTTP/1.1 200 OK\r\nServer: \xe9\r\n\r\n".to_vec())),
            ),
            (WINHTTP_QUERY_SERVER | trailing, Ok(text("t"))),
            (WINHTTP_QUERY_RAW_HEADERS_CRLF | trailing, Ok(text("Server: t\r\n\r\n"))),
            (WINHTTP_QUERY_STATUS_CODE | trailing, Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (WINHTTP_QUERY_VERSION | trailing, Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
        ];
        for (level, expected) in rows {
            let answer = query(level, None, None, &request, Some(&response), Some(&trailers)).map(|(answer, _)| answer);
            assert_eq!(answer, expected, "{level:#x}");
        }
        for level in [WINHTTP_QUERY_RAW_HEADERS, WINHTTP_QUERY_RAW_HEADERS | wire, WINHTTP_QUERY_RAW_HEADERS_CRLF] {
            let none = Headers::default();
            let answer = query(level | trailing, None, None, &request, Some(&response), Some(&none));
            assert_eq!(answer, Err(ERROR_WINHTTP_HEADER_NOT_FOUND), "{level:#x}");
        }
        for level in [WINHTTP_QUERY_SERVER, WINHTTP_QUERY_RAW_HEADERS] {
            let early = query(level | trailing, None, None, &request, Some(&response), None);
            assert_eq!(early, Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE));
        }
    }

    #[test]
    fn the_index_moves_only_on_success() {
        let (request, response) = (request(), response());
        let name: Vec<u16> = "A".encode_utf16().collect();
        let find = |index| query(WINHTTP_QUERY_CUSTOM, Some(&name), index, &request, Some(&response), None);
        assert_eq!(find(None), Ok((text("1"), None)));
        assert_eq!(find(Some(0)), Ok((text("1"), Some(1))));
        assert_eq!(find(Some(1)), Ok((text("2"), Some(2))));
        assert_eq!(find(Some(2)), Err(ERROR_WINHTTP_HEADER_NOT_FOUND));
    }

    #[test]
    fn raw_headers_report_up_to_the_nul_of_the_last_line() {
        let (answer, _) = query(WINHTTP_QUERY_RAW_HEADERS, None, None, &request(), Some(&response()), None).unwrap();
        let Answer::RawNul(units) = &answer else { panic!("{answer:?}") };
        let length = answer.reported() / 2;
        assert_eq!((units[length], units[length - 1]), (0, 0));
        assert_ne!(units[length - 2], 0);
    }
}
