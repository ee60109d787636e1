//! What went to a server and came from it, as a trace keeps it: without secrets.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::win32::Win32Error;

/// Something that went to a server or came from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Traffic {
    /// A request begins its way, with the bytes that were given with it.
    Request {
        /// Scheme, host and port: `https://api.test:443`.
        origin: String,
        /// The verb.
        method: String,
        /// Path and query.
        target: String,
        /// The header fields.
        headers: Vec<Field>,
        /// The body, as far as it is known.
        body: Data,
    },
    /// Bytes of WinHttpWriteData.
    Write(Data),
    /// Head and first bytes are out.
    Sent,
    /// The request begins again on a new connection.
    Restarted,
    /// An interim reply.
    Interim(u16),
    /// The head of the reply.
    Head {
        /// Its status.
        status: u16,
        /// The text behind the status.
        reason: String,
        /// The header fields.
        headers: Vec<Field>,
    },
    /// Bytes of the body.
    Body(Data),
    /// The body is complete.
    End {
        /// The fields behind it.
        trailers: Vec<Field>,
    },
    /// It failed.
    Failed {
        /// Windows' number.
        error: Win32Error,
        /// The bits of SECURE_FAILURE.
        secure: u32,
    },
}

/// A header field: its name and its value.
pub type Field = (String, String);

/// Bytes: in JSON as text where they are UTF-8, else `{"base64": "..."}`; `{"left_out": 5}` are five bytes that were not
/// kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Data {
    bytes: Bytes,
    left_out: usize,
}

impl Data {
    /// These bytes.
    pub fn new(bytes: Bytes) -> Data {
        Data { bytes, left_out: 0 }
    }

    /// So many bytes that are not kept.
    pub fn left_out(count: usize) -> Data {
        Data { bytes: Bytes::new(), left_out: count }
    }

    /// How many there were.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.left_out
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes; `x` stands for each that was not kept.
    pub fn bytes(&self) -> Bytes {
        if self.left_out == 0 { self.bytes.clone() } else { vec![b'x'; self.left_out].into() }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.left_out {
            0 => write!(f, "{:?}", String::from_utf8_lossy(&self.bytes)),
            count => write!(f, "{count} bytes left out"),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Coded {
    Text(String),
    Base64 { base64: String },
    LeftOut { left_out: u32 },
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.bytes) {
            _ if self.left_out > 0 => Coded::LeftOut { left_out: u32::try_from(self.left_out).unwrap_or(u32::MAX) },
            Ok(text) => Coded::Text(text.to_owned()),
            Err(_) => Coded::Base64 { base64: BASE64_STANDARD.encode(&self.bytes) },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
        match Coded::deserialize(deserializer)? {
            Coded::Text(text) => Ok(Data::new(text.into_bytes().into())),
            Coded::Base64 { base64 } => {
                BASE64_STANDARD.decode(base64).map(|bytes| Data::new(bytes.into())).map_err(serde::de::Error::custom)
            }
            Coded::LeftOut { left_out } => Ok(Data::left_out(left_out as usize)),
        }
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = |count: usize| format!("{count} {}", if count == 1 { "byte" } else { "bytes" });
        match self {
            Traffic::Request { origin, method, target, body, .. } => {
                write!(f, "{method} {origin}{target}")?;
                if body.is_empty() { Ok(()) } else { write!(f, ", {}", bytes(body.len())) }
            }
            Traffic::Write(data) => write!(f, "{} of the request", bytes(data.len())),
            Traffic::Sent => f.write_str("sent"),
            Traffic::Restarted => f.write_str("again on a new connection"),
            Traffic::Interim(status) => write!(f, "{status}"),
            Traffic::Head { status, reason, .. } => write!(f, "{}", format!("{status} {reason}").trim_end()),
            Traffic::Body(data) => write!(f, "{} of the body", bytes(data.len())),
            Traffic::End { .. } => f.write_str("end of the body"),
            Traffic::Failed { error, .. } => write!(f, "failed: {}", super::api::brief(*error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        for bytes in [&b"hello"[..], b"", b"\xff\x00"] {
            let data = Data::new(Bytes::copy_from_slice(bytes));
            let text = serde_json::to_string(&data).unwrap();
            assert_eq!(serde_json::from_str::<Data>(&text).unwrap(), data, "{text}");
        }
        let text = serde_json::to_string(&Data::left_out(5)).unwrap();
        let read = serde_json::from_str::<Data>(&text).unwrap();
        assert_eq!((text.as_str(), read.bytes()), ("{\"left_out\":5}", Bytes::from("xxxxx")));
    }
}
