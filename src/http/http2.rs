//! What HTTP/2 makes of heads (RFC 9113 8), as far as programs see it.

use super::zone::without_zone;
use super::{Header, Headers, RequestHead, ResponseHead, Version};

/// The head of a frame, as it counts for every HEADERS.
const FRAME: u64 = 9;

/// Fields that mean a connection, which HTTP/2 has not.
const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings"];

/// Whether a field of this name is about the connection, so that HTTP/2 has no place for it.
pub fn is_of_connection(name: &str) -> bool {
    OF_THE_CONNECTION.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// The fields of a request that go out: not those about the connection or named by Connection, and not Host, which
/// becomes the authority.
pub fn fields(head: &RequestHead) -> impl Iterator<Item = &Header> {
    head.headers.iter().filter(|header| !stays(&header.name, head))
}

fn stays(name: &str, head: &RequestHead) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is_of_connection(name) || is("host") {
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

/// The authority of a request without Host.
pub fn authority(host: &str, port: u16) -> String {
    let host = without_zone(host);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if port == 443 { host } else { format!("{host}:{port}") }
}

/// The size of a request's head: names and values as they are before HPACK, and one frame's head. What really goes over
/// the wire depends on what the connection has carried before.
pub fn request_size(head: &RequestHead, authority: &str) -> u64 {
    let pseudo = ":method:schemehttps:path:authority".len() + head.method.len() + head.target.len() + authority.len();
    FRAME + pseudo as u64 + size_of(fields(head))
}

/// The head of a reply, and its size, counted as that of a request. There are no reason phrases, and names are in lower
/// case; the version reads as HTTP/2.0 (our choice).
pub fn reply(status: u16, headers: &Headers) -> (ResponseHead, u64) {
    let mut fields = Headers::default();
    for header in headers.iter().filter(|header| !is_of_connection(&header.name)) {
        fields.append(header.name.to_ascii_lowercase(), header.value.clone());
    }
    let size = FRAME + ":status200".len() as u64 + size_of(fields.iter());
    let version = Version { major: 2, minor: 0 };
    (ResponseHead { version, status, reason: bytes::Bytes::new(), headers: fields }, size)
}

fn size_of<'a>(fields: impl Iterator<Item = &'a Header>) -> u64 {
    fields.map(|header| (header.name.len() + header.value.len()) as u64).sum()
}
