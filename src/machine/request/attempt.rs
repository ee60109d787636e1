//! The data of a request by how long it lives: as long as one WinHttpSendRequest, as one attempt, or as one WriteData.
//! What ends with a part is replaced whole when the next begins.

use std::sync::Arc;

use bytes::Bytes;

use super::Timings;
use super::body::Body;
use super::body_source::BodySource;
use crate::http::ResponseHead;
use crate::transport::Secured;

/// What belongs to one WinHttpSendRequest, with all that it leads to: redirects, challenges, other proxies.
#[derive(Debug, Default)]
pub struct CurrentSend {
    /// Whether SENDREQUEST_COMPLETE of a whole request waits for the head of the reply.
    pub hold: bool,
    /// Address and length of lpOptional.
    pub optional: (usize, u32),
    /// The key of the web socket that is asked for.
    pub key: Option<String>,
    /// How many redirects were followed.
    pub redirects: u32,
    /// How often it was sent again after 408.
    pub retried: u32,
    /// The Winsock error behind the failure.
    pub extended: u32,
}

/// What belongs to one exchange with a server: another one begins with a redirect or a challenge.
#[derive(Debug, Default)]
pub struct Attempt {
    /// Whether HTTP/2 is spoken.
    pub http2: bool,
    /// Whether the reply is a 101 whose connection was not handed over.
    pub upgradable: bool,
    /// How many interim replies came.
    pub interim: u32,
    /// The head of the reply.
    pub response: Option<ResponseHead>,
    /// Bytes that went out with the head.
    pub out: u64,
    /// Bytes that came in with the head of the reply.
    pub received: u64,
    /// The body of the reply.
    pub body: Body,
    /// Whether CLOSING_CONNECTION was told.
    pub told_closing: bool,
    /// When things happened.
    pub timings: Timings,
    /// What TLS came to.
    pub secured: Option<Arc<Secured>>,
    /// Of whom the server wants a certificate.
    pub issuers: Option<Vec<Vec<u8>>>,
    /// The code with which the server reset the stream, or 0.
    pub stream_error: u32,
}

/// The write side: the body, and the piece of it that WriteData gave.
#[derive(Debug)]
pub struct WriteData {
    /// Where the body comes from.
    pub source: BodySource,
    /// What goes to the transport next.
    pub piece: Bytes,
    /// How many bytes WRITE_COMPLETE tells of.
    pub length: u32,
}

impl Default for WriteData {
    fn default() -> WriteData {
        WriteData { source: BodySource::none(), piece: Bytes::new(), length: 0 }
    }
}
