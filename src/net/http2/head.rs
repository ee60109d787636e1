//! Heads between WinHTTP's form and that of HTTP/2 (RFC 9113 8).

use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};

use crate::http::{self, Headers, RequestHead, ResponseHead};
use crate::win32::{ERROR_WINHTTP_INVALID_HEADER, ERROR_WINHTTP_INVALID_URL, Win32Error};

/// The head of a frame, as it counts for every HEADERS.
const FRAME: u64 = 9;

/// Fields that mean a connection, which HTTP/2 has not: they are left out.
const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings"];

/// The request of an order, and its size: names and values as they are before HPACK, and one frame's head. What really
/// goes over the wire depends on what the connection has carried before.
/// `host` and `port` stand in for a Host that is missing.
pub fn request(head: &RequestHead, host: &str, port: u16) -> Result<(Request<()>, u64), Win32Error> {
    let mut request = Request::new(());
    *request.version_mut() = Version::HTTP_2;
    *request.method_mut() = Method::from_bytes(head.method.as_bytes()).map_err(|_| ERROR_WINHTTP_INVALID_HEADER)?;
    let given = head.headers.get("host", 0).and_then(|host| Authority::try_from(host).ok());
    let authority = given.map_or_else(|| named(host, port), Ok)?;
    let mut size = FRAME + fields_of([(":method", head.method.len()), (":scheme", 5), (":path", head.target.len())]);
    size += fields_of([(":authority", authority.as_str().len())]);
    let mut uri = hyper::http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTPS);
    uri.authority = Some(authority);
    uri.path_and_query = Some(path(&head.target)?);
    *request.uri_mut() = Uri::from_parts(uri).map_err(|_| ERROR_WINHTTP_INVALID_URL)?;
    for header in head.headers.iter().filter(|header| !of_the_connection(&header.name, head)) {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| ERROR_WINHTTP_INVALID_HEADER)?;
        let value = HeaderValue::from_bytes(&header.value).map_err(|_| ERROR_WINHTTP_INVALID_HEADER)?;
        size += fields_of([(name.as_str(), value.len())]);
        request.headers_mut().append(name, value);
    }
    Ok((request, size))
}

fn fields_of<const N: usize>(fields: [(&str, usize); N]) -> u64 {
    fields.iter().map(|(name, value)| (name.len() + value) as u64).sum()
}

fn named(host: &str, port: u16) -> Result<Authority, Win32Error> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let authority = if port == 443 { host } else { format!("{host}:{port}") };
    Authority::try_from(authority).map_err(|_| ERROR_WINHTTP_INVALID_URL)
}

/// Whether a field of a request stays behind: it is about the connection, is named by Connection, or is Host, which
/// became the authority.
fn of_the_connection(name: &str, head: &RequestHead) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if OF_THE_CONNECTION.iter().any(|known| is(known)) || is("host") {
        return true;
    }
    if is("te") {
        return !head.headers.get("te", 0).is_some_and(|value| value.eq_ignore_ascii_case(b"trailers"));
    }
    let mut connection = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("connection"));
    connection.any(|header| {
        header.value.split(|byte| *byte == b',').any(|part| part.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
    })
}

/// The path of a raw target. HTTP/2 has no place for bytes that are not part of a URL: they are escaped.
fn path(target: &str) -> Result<PathAndQuery, Win32Error> {
    let mut escaped = String::with_capacity(target.len());
    for byte in target.bytes() {
        match byte {
            b'#' | b'<' | b'>' | b'\\' | b'^' | b'`' => escaped.push_str(&format!("%{byte:02X}")),
            b'!'..=b'~' => escaped.push(byte.into()),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    PathAndQuery::try_from(escaped).map_err(|_| ERROR_WINHTTP_INVALID_URL)
}

/// The head of a reply, and its size, counted as that of a request. HTTP/2 has no reason phrases; the version reads as
/// HTTP/2.0.
pub fn reply(status: StatusCode, fields: &HeaderMap) -> (ResponseHead, u64) {
    let headers = headers(fields);
    let size = headers.iter().map(|header| (header.name.len() + header.value.len()) as u64).sum::<u64>();
    let version = http::Version { major: 2, minor: 0 };
    let head = ResponseHead { version, status: status.as_u16(), reason: Vec::new(), headers };
    (head, FRAME + fields_of([(":status", 3)]) + size)
}

/// Fields in the order in which they came; those of one name stand together.
pub fn headers(fields: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in fields {
        headers.append(name.as_str(), value.as_bytes());
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    fn head(target: &str, fields: &[(&str, &str)]) -> RequestHead {
        let mut headers = Headers::default();
        for (name, value) in fields {
            headers.append(*name, *value);
        }
        let version = Version { major: 1, minor: 1 };
        RequestHead { method: "GET".into(), target: target.into(), version, headers }
    }

    #[test]
    fn what_goes_into_a_request() {
        type Fields = &'static [(&'static str, &'static str)];
        let rows: &[(&str, Fields, &str, Fields)] = &[
            ("/", &[("Host", "a.test")], "https://a.test/", &[]),
            ("/", &[], "https://fallback.test:8443/", &[]),
            ("/", &[("Host", "not one")], "https://fallback.test:8443/", &[]),
            ("/a b#c?\u{e9}", &[("Host", "a.test:1")], "https://a.test:1/a%20b%23c?%C3%A9", &[]),
            ("/", &[("Host", "a.test"), ("X-A", "b"), ("x-a", "c")], "https://a.test/", &[("x-a", "b"), ("x-a", "c")]),
            (
                "/",
                &[("Host", "a.test"), ("Connection", "Keep-Alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "2")],
                "https://a.test/",
                &[],
            ),
            ("/", &[("Host", "a.test"), ("TE", "gzip"), ("Transfer-Encoding", "chunked")], "https://a.test/", &[]),
            ("/", &[("Host", "a.test"), ("TE", "Trailers")], "https://a.test/", &[("te", "Trailers")]),
        ];
        for (target, given, uri, fields) in rows {
            let (request, _) = super::request(&head(target, given), "fallback.test", 8443).unwrap();
            assert_eq!(request.uri().to_string(), *uri);
            let went: Vec<_> =
                request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
            assert_eq!(went, *fields, "{target} {given:?}");
        }
    }

    #[test]
    fn sizes_are_those_before_compression() {
        let (_, size) = super::request(&head("/x", &[("Host", "a.test"), ("Accept", "*/*")]), "", 0).unwrap();
        let fields = [":methodGET", ":schemehttps", ":path/x", ":authoritya.test", "accept*/*"];
        assert_eq!(size, 9 + fields.concat().len() as u64);
    }
}
