//! How a request body is announced and framed (sources upload.length, U1).

use bytes::Bytes;

use crate::http::Headers;
use crate::win32::{ERROR_INVALID_PARAMETER, Win32Error};

/// Who frames the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyFraming {
    /// Content-Length, or none: bytes go out as they are.
    ContentLength,
    /// The application wrote `Transfer-Encoding` and frames the bytes itself.
    Application,
    /// WINHTTP_FLAG_AUTOMATIC_CHUNKING: each piece becomes a chunk.
    Chunked,
}

/// The body of one SendRequest.
#[derive(Clone, Debug)]
pub struct BodySource {
    framing: BodyFraming,
    /// lpOptional
    pub first: Bytes,
    /// What WriteData may still bring; `None`: no limit is announced.
    remaining: Option<u64>,
    /// The value of our own Content-Length header.
    length: Option<u64>,
    /// Whether the end of the body was written, or ReceiveResponse was its end.
    ended: bool,
    /// Whether WriteData brought bytes: they are gone and cannot be sent again.
    streamed: bool,
}

impl BodySource {
    /// Plans the body from the arguments of SendRequest and the application's headers. ERROR_INVALID_PARAMETER for
    /// Transfer-Encoding beside Content-Length (source m4), for a GET whose body would be chunked (c01), for
    /// Content-Length beside WINHTTP_FLAG_AUTOMATIC_CHUNKING (source upload.automatic-length), and for lengths
    /// that contradict each other.
    pub fn plan(
        headers: &Headers,
        method: &str,
        optional: Bytes,
        total: u32,
        automatic: bool,
    ) -> Result<BodySource, Win32Error> {
        let encoded = headers.get("transfer-encoding", 0).is_some();
        let announced = headers.get("content-length", 0);
        if (encoded || automatic) && announced.is_some() || encoded && method == "GET" {
            return Err(ERROR_INVALID_PARAMETER);
        }
        if automatic {
            return Ok(BodySource::open_ended(BodyFraming::Chunked, optional));
        }
        if encoded {
            return Ok(BodySource::open_ended(BodyFraming::Application, optional));
        }
        let first = optional.len() as u64;
        let ignored = total == 0;
        let total = u64::from(total).max(first);
        let plain = BodySource { first: optional, ..BodySource::none() };
        if let Some(value) = announced {
            let announced = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse::<u64>().ok());
            let announced = announced.ok_or(ERROR_INVALID_PARAMETER)?;
            // Above 4 GB, and with WINHTTP_IGNORE_REQUEST_TOTAL_LENGTH (0), the header alone counts.
            if announced <= u64::from(u32::MAX) && !ignored && total != announced || announced < first {
                return Err(ERROR_INVALID_PARAMETER);
            }
            return Ok(BodySource { remaining: Some(announced - first), ..plain });
        }
        let length = (total > 0 || method == "POST" || method == "PUT").then_some(total);
        Ok(BodySource { remaining: Some(total - first), length, ..plain })
    }

    fn open_ended(framing: BodyFraming, first: Bytes) -> BodySource {
        BodySource { framing, first, remaining: None, ..BodySource::none() }
    }

    /// A request that has no body any more, as after a redirect that became a GET.
    pub fn none() -> BodySource {
        BodySource {
            framing: BodyFraming::ContentLength,
            first: Bytes::new(),
            remaining: Some(0),
            length: None,
            ended: false,
            streamed: false,
        }
    }

    /// Nothing follows what was sent.
    pub fn close(&mut self) {
        self.ended = true;
    }

    /// Whether the body is over, and all of it is here to be sent again.
    pub fn replayable(&self) -> bool {
        !self.streamed && !self.automatic() && !self.open() && self.remaining.unwrap_or(0) == 0
    }

    /// The headers that this body adds to the request.
    pub fn headers(&self) -> Option<(&'static str, String)> {
        match self.framing {
            BodyFraming::Chunked => Some(("Transfer-Encoding", "chunked".to_owned())),
            _ => self.length.map(|length| ("Content-Length", length.to_string())),
        }
    }

    /// Whether each piece becomes a chunk.
    pub fn automatic(&self) -> bool {
        self.framing == BodyFraming::Chunked
    }

    /// Whether WriteData may follow.
    pub fn open(&self) -> bool {
        !self.ended && self.remaining != Some(0)
    }

    /// Whether `bytes` more are at most what was announced.
    pub fn fits(&self, bytes: usize) -> bool {
        self.remaining.is_none_or(|remaining| bytes as u64 <= remaining)
    }

    /// Takes the bytes of a WriteData: what goes out, and whether these are the last.
    pub fn write(&mut self, bytes: &[u8]) -> (Bytes, bool) {
        self.ended |= self.automatic() && bytes.is_empty();
        self.streamed = true;
        if let Some(remaining) = &mut self.remaining {
            *remaining -= bytes.len() as u64;
        }
        (Bytes::copy_from_slice(bytes), !self.open())
    }
}
