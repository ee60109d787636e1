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

/// What stands in a trace for a secret.
const REDACTED: &str = "[redacted]";

/// A header field as a trace keeps it: the values of Authorization, Proxy-Authorization, Cookie and Set-Cookie are not
/// kept, only the scheme of the first two.
pub fn field(name: &str, value: &[u8]) -> Field {
    let text = String::from_utf8_lossy(value);
    let secret = match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => {
            Some(text.split_once(' ').map_or(REDACTED.to_owned(), |(scheme, _)| format!("{scheme} {REDACTED}")))
        }
        "cookie" | "set-cookie" | "cookie2" | "set-cookie2" => Some(REDACTED.to_owned()),
        _ => None,
    };
    (name.to_owned(), secret.unwrap_or_else(|| text.into_owned()))
}

/// A URL as a trace keeps it: without user name and password.
pub(super) fn url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{REDACTED}@{}", &rest[at + 1..]),
        None => text.to_owned(),
    }
}

/// Bytes: in JSON as text where they are UTF-8, else `{"base64": "..."}`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Data(pub Bytes);

impl Data {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Coded {
    Text(String),
    Base64 { base64: String },
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Coded::Text(text.to_owned()),
            Err(_) => Coded::Base64 { base64: BASE64_STANDARD.encode(&self.0) },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
        match Coded::deserialize(deserializer)? {
            Coded::Text(text) => Ok(Data(text.into_bytes().into())),
            Coded::Base64 { base64 } => {
                BASE64_STANDARD.decode(base64).map(|bytes| Data(bytes.into())).map_err(serde::de::Error::custom)
            }
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
    fn secrets_are_not_kept() {
        let rows = [
            ("Authorization", "Basic dXNlcjpwYXNz", "Basic [redacted]"),
            ("PROXY-AUTHORIZATION", "token", "[redacted]"),
            ("cookie", "a=b", "[redacted]"),
            ("Set-Cookie", "a=b; Secure", "[redacted]"),
            ("ETag", "7", "7"),
        ];
        for (name, value, kept) in rows {
            assert_eq!(field(name, value.as_bytes()).1, kept, "{name}");
        }
        let urls = [
            ("http://u:p@h/a@b", "http://[redacted]@h/a@b"),
            ("http://h/a@b", "http://h/a@b"),
            ("http://u@h", "http://[redacted]@h"),
            ("/x", "/x"),
        ];
        for (text, kept) in urls {
            assert_eq!(url(text), kept);
        }
    }

    #[test]
    fn bytes_survive() {
        for bytes in [&b"hello"[..], b"", b"\xff\x00"] {
            let data = Data(Bytes::copy_from_slice(bytes));
            let text = serde_json::to_string(&data).unwrap();
            assert_eq!(serde_json::from_str::<Data>(&text).unwrap(), data, "{text}");
        }
    }
}
