//! A request as a server got it.

use std::fmt;

use bytes::Bytes;

use crate::http::chunks::{Chunk, ChunkReader};
use crate::http::{Headers, RequestHead};

/// A request as a peer received it. From [`Peer::received`](super::Peer::received).
#[derive(Clone, Debug)]
pub struct Received {
    /// The verb.
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// The headers, in their order.
    pub headers: Headers,
    /// The body as it came over the wire, including chunked framing: see [`content`](Received::content).
    pub body: Bytes,
}

impl Received {
    pub(crate) fn new(head: &RequestHead, body: Bytes) -> Received {
        let RequestHead { method, target, headers, .. } = head.clone();
        Received { method: method.into(), target: target.into(), headers, body }
    }

    /// The value of the first header of this name, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name, 0).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    /// The value of a field of the query, percent-decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut fields = url::form_urlencoded::parse(query.as_bytes());
        fields.find_map(|(known, value)| (known == name).then(|| value.into_owned()))
    }

    /// The body without the framing of `Transfer-Encoding: chunked`.
    pub fn content(&self) -> Vec<u8> {
        let coded =
            self.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
        if coded { unchunked(&self.body) } else { self.body.to_vec() }
    }
}

/// As far as the chunks came and are well made.
fn unchunked(mut coded: &[u8]) -> Vec<u8> {
    let (mut reader, mut content) = (ChunkReader::default(), Vec::new());
    while let Ok(Some(Chunk::Data(bytes))) = reader.next(&mut coded, usize::MAX) {
        content.extend_from_slice(bytes);
    }
    content
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_taken_apart() {
        let rows: [(&str, &str); 4] =
            [("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde"), ("3\r\nab", "ab"), ("zz\r\nabc\r\n", ""), ("", "")];
        for (coded, content) in rows {
            assert_eq!(unchunked(coded.as_bytes()), content.as_bytes(), "{coded:?}");
        }
    }
}
