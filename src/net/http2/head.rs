//! Heads between WinHTTP's form and that of the `h2` crate.

use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use super::length;
use crate::http::{Headers, RequestHead, http2};
use crate::win32::{ERROR_WINHTTP_INVALID_HEADER, ERROR_WINHTTP_INVALID_URL, Win32Error};

/// The request of a head, and its size. `host` and `port` stand in for a Host that is missing, or is no authority.
pub fn request(head: &RequestHead, host: &str, port: u16) -> Result<(Request<()>, u64), Win32Error> {
    let mut request = Request::new(());
    *request.version_mut() = Version::HTTP_2;
    *request.method_mut() = Method::from_bytes(head.method.as_bytes()).map_err(|_| ERROR_WINHTTP_INVALID_HEADER)?;
    let given = head.headers.get("host", 0).and_then(|host| Authority::try_from(host).ok());
    let named = || Authority::try_from(http2::authority(host, port)).map_err(|_| ERROR_WINHTTP_INVALID_URL);
    let authority = given.map_or_else(named, Ok)?;
    let size = http2::request_size(head, authority.as_str());
    let mut uri = hyper::http::uri::Parts::default();
    uri.scheme = Some(Scheme::HTTPS);
    uri.authority = Some(authority);
    uri.path_and_query = Some(path(&head.target)?);
    *request.uri_mut() = Uri::from_parts(uri).map_err(|_| ERROR_WINHTTP_INVALID_URL)?;
    for header in http2::fields(head) {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| ERROR_WINHTTP_INVALID_HEADER)?;
        let value = HeaderValue::from_bytes(&header.value).map_err(|_| ERROR_WINHTTP_INVALID_HEADER)?;
        request.headers_mut().append(name, value);
    }
    Ok((request, size))
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

/// Fields in the order in which they came; those of one name stand together.
pub fn headers(fields: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in fields {
        headers.append(length::name(name.as_str(), value.as_bytes()), value.as_bytes().to_vec());
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
            headers.append(*name, value.to_string());
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
