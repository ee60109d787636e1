//! What a peer answers.

use std::time::Duration;

use bytes::Bytes;

use crate::http::{Headers, ResponseHead, Version};
use crate::win32::{
    ERROR_WINHTTP_CANNOT_CONNECT, ERROR_WINHTTP_CONNECTION_ERROR, ERROR_WINHTTP_SECURE_FAILURE, Win32Error,
};

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is refused: 12029.
    Refuse,
    /// TLS fails: SECURE_FAILURE with these WINHTTP_CALLBACK_STATUS_FLAG_* bits, then 12175.
    Secure(u32),
    /// The connection breaks after so many bytes of the body: 12030.
    ResetAfter(usize),
    /// Nothing more comes after so many bytes of the body.
    StallAfter(usize),
}

impl Fault {
    /// The error that it brings, and the bits of SECURE_FAILURE; none for a stall.
    pub(super) fn failure(self) -> Option<(Win32Error, u32)> {
        match self {
            Fault::Refuse => Some((ERROR_WINHTTP_CANNOT_CONNECT, 0)),
            Fault::Secure(flags) => Some((ERROR_WINHTTP_SECURE_FAILURE, flags)),
            Fault::ResetAfter(_) => Some((ERROR_WINHTTP_CONNECTION_ERROR, 0)),
            Fault::StallAfter(_) => None,
        }
    }
}

/// A reply: status, headers, body in pieces, and what goes wrong on the way.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) head: ResponseHead,
    pub(super) body: Bytes,
    pub(super) sizes: Vec<usize>,
    pub(super) delay: Duration,
    pub(super) between: Duration,
    pub(super) interim: Vec<u16>,
    pub(super) never: bool,
    pub(super) fault: Option<Fault>,
}

impl Reply {
    /// 200 OK.
    pub fn ok() -> Reply {
        Reply::status(200)
    }

    /// This status.
    pub fn status(status: u16) -> Reply {
        let reason: &[u8] = match status {
            200 => b"OK",
            301 => b"Moved Permanently",
            302 => b"Found",
            404 => b"Not Found",
            500 => b"Internal Server Error",
            _ => b"",
        };
        let version = Version { major: 1, minor: 1 };
        Reply {
            head: ResponseHead { version, status, reason: reason.to_vec(), headers: Headers::default() },
            body: Bytes::new(),
            sizes: Vec::new(),
            delay: Duration::ZERO,
            between: Duration::ZERO,
            interim: Vec::new(),
            never: false,
            fault: None,
        }
    }

    /// 302 to `location`.
    pub fn redirect(location: &str) -> Reply {
        Reply::status(302).header("Location", location)
    }

    /// The server takes the request and never answers.
    pub fn never() -> Reply {
        Reply { never: true, ..Reply::ok() }
    }

    /// Another header.
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.head.headers.append(name, value);
        self
    }

    /// The body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Reply {
        self.body = Bytes::from(body.into());
        self
    }

    /// The body comes in chunks of these sizes, and the rest in one.
    pub fn chunks(mut self, sizes: impl IntoIterator<Item = usize>) -> Reply {
        self.sizes = sizes.into_iter().collect();
        self
    }

    /// The head comes so much later than the request.
    pub fn delay(mut self, delay: Duration) -> Reply {
        self.delay = delay;
        self
    }

    /// Each chunk comes so much later than what was before it.
    pub fn between(mut self, between: Duration) -> Reply {
        self.between = between;
        self
    }

    /// An interim reply (1xx) comes first.
    pub fn interim(mut self, status: u16) -> Reply {
        self.interim.push(status);
        self
    }

    /// Something goes wrong.
    pub fn then(mut self, fault: Fault) -> Reply {
        self.fault = Some(fault);
        self
    }

    /// The head as it is told, with the length of the body or the word that it comes in chunks.
    pub(super) fn complete_head(&self) -> ResponseHead {
        let mut head = self.head.clone();
        let framed =
            head.headers.get("content-length", 0).is_some() || head.headers.get("transfer-encoding", 0).is_some();
        match head.status {
            _ if framed => {}
            204 | 304 => {}
            _ if self.sizes.is_empty() => head.headers.append("Content-Length", self.body.len().to_string()),
            _ => head.headers.append("Transfer-Encoding", "chunked"),
        }
        head
    }

    /// The body in the pieces in which it comes, as far as the fault lets it.
    pub(super) fn pieces(&self) -> Vec<Bytes> {
        let limit = match self.fault {
            Some(Fault::ResetAfter(bytes) | Fault::StallAfter(bytes)) => bytes.min(self.body.len()),
            _ => self.body.len(),
        };
        let mut rest = self.body.slice(..limit);
        let mut pieces = Vec::new();
        for size in &self.sizes {
            let size = (*size).min(rest.len());
            if size > 0 {
                pieces.push(rest.split_to(size));
            }
        }
        if !rest.is_empty() {
            pieces.push(rest);
        }
        pieces
    }
}
