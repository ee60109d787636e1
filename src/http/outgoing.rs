//! Whether a request went out whole: only then may another follow it on its connection (RFC 9112, 6.3 and 9.3).

use super::body_length::length_of;
use super::chunks::ChunkReader;
use super::{RequestHead, Version};

/// A request's body on its way out, against what its head announces.
#[derive(Clone, Debug)]
pub struct OutgoingBody(Announced);

#[derive(Clone, Debug)]
enum Announced {
    /// So many bytes are missing.
    Length(u64),
    /// Chunks, up to the last.
    Chunks(ChunkReader),
    /// Nobody can tell where it ends, or it is not what was announced.
    Unknown,
}

impl OutgoingBody {
    /// The body that a head announces.
    pub fn of(head: &RequestHead) -> OutgoingBody {
        let mut codings = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("transfer-encoding"));
        let (coding, more) = (codings.next(), codings.next());
        let length = length_of(&head.headers);
        OutgoingBody(match (coding, more, length) {
            (None, None, Ok(length)) => Announced::Length(length.unwrap_or(0)),
            (Some(coding), None, Ok(None))
                if coding.value.trim_ascii().eq_ignore_ascii_case(b"chunked")
                    && head.version != (Version { major: 1, minor: 0 }) =>
            {
                Announced::Chunks(ChunkReader::default())
            }
            _ => Announced::Unknown,
        })
    }

    /// These bytes of it go out.
    pub fn add(&mut self, mut bytes: &[u8]) {
        match &mut self.0 {
            Announced::Length(left) => match left.checked_sub(bytes.len() as u64) {
                Some(less) => *left = less,
                None => self.0 = Announced::Unknown,
            },
            Announced::Chunks(reader) => loop {
                match reader.next(&mut bytes, usize::MAX) {
                    Ok(Some(_)) => {}
                    Ok(None) if bytes.is_empty() => return,
                    Ok(None) | Err(_) => return self.0 = Announced::Unknown,
                }
            },
            Announced::Unknown => {}
        }
    }

    /// Whether a server that reads it waits for more.
    pub fn is_awaited(&self) -> bool {
        match &self.0 {
            Announced::Length(left) => *left > 0,
            Announced::Chunks(reader) => !reader.ended(),
            Announced::Unknown => false,
        }
    }

    /// Whether nothing is missing and nothing was too much.
    pub fn whole(&self) -> bool {
        match &self.0 {
            Announced::Length(left) => *left == 0,
            Announced::Chunks(reader) => reader.ended(),
            Announced::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    /// Fields, minor version, pieces of the body; whether it is whole.
    type Row = (&'static [(&'static str, &'static str)], u8, &'static [&'static str], bool);

    #[test]
    fn what_is_whole() {
        let rows: &[Row] = &[
            (&[], 1, &[], true),
            (&[], 1, &["x"], false),
            (&[("Content-Length", "0")], 1, &[], true),
            (&[("Content-Length", "10")], 1, &["hello"], false),
            (&[("content-length", "10")], 1, &["hello", "world"], true),
            (&[("Content-Length", "10")], 1, &["hello", "world", "!"], false),
            (&[("Content-Length", "x")], 1, &[], false),
            (&[("Content-Length", "1"), ("Content-Length", "2")], 1, &["x"], false),
            (&[("Transfer-Encoding", "Chunked")], 1, &["1\r\nx\r\n"], false),
            (&[("Transfer-Encoding", "chunked")], 1, &["1\r\nx\r", "\n0\r\n\r\n"], true),
            (&[("Transfer-Encoding", "chunked")], 1, &["0\r\n\r\n", "x"], false),
            (&[("Transfer-Encoding", "chunked")], 1, &["post"], false),
            (&[("Transfer-Encoding", "chunked")], 0, &["0\r\n\r\n"], false),
            (&[("Transfer-Encoding", "identity")], 1, &[], false),
            (&[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], 1, &["0\r\n\r\n"], false),
            (&[("Transfer-Encoding", "chunked"), ("Content-Length", "5")], 1, &["0\r\n\r\n"], false),
        ];
        for (fields, minor, pieces, whole) in rows {
            let mut headers = Headers::default();
            fields.iter().for_each(|(name, value)| headers.append(*name, value.to_string()));
            let version = Version { major: 1, minor: *minor };
            let head = RequestHead { method: "POST".into(), target: "/".into(), version, headers };
            let mut body = OutgoingBody::of(&head);
            pieces.iter().for_each(|piece| body.add(piece.as_bytes()));
            assert_eq!(body.whole(), *whole, "{fields:?} {pieces:?}");
        }
    }
}
