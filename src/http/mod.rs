//! Pure rules of HTTP as WinHTTP sees it: headers, queries, targets, redirects, authentication, cookies, the handshake of
//! web sockets. No sockets, no handles.
#![forbid(unsafe_code)]

pub mod auth;
mod body_length;
pub mod chunks;
pub mod coding;
mod cookie_date;
pub mod cookies;
pub mod digest;
mod encoding;
mod head;
pub mod header_text;
mod headers;
pub mod http2;
mod outgoing;
pub mod proxy;
pub mod query;
pub mod redirect;
pub mod scheme;
pub mod target;
pub mod time;
pub mod upgrade;
pub mod url;

pub use body_length::BodyLength;
pub use encoding::Encoding;
pub use head::{RequestHead, ResponseHead, Version};
pub use headers::{Header, Headers};
pub use outgoing::OutgoingBody;

/// Whether WinHTTP refuses to speak to this port: those of FTP, mail and news (source CN3).
pub fn is_forbidden(port: u16) -> bool {
    matches!(port, 21 | 25 | 70 | 110 | 119 | 143)
}
