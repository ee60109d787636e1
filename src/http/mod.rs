//! Pure rules of HTTP as WinHTTP sees it: headers, queries, targets, redirects, authentication, cookies, the handshake of
//! web sockets. No sockets, no handles.
#![forbid(unsafe_code)]

pub mod auth;
pub mod coding;
mod cookie_date;
pub mod cookies;
pub mod digest;
mod framing;
mod head;
mod headers;
pub mod proxy;
pub mod query;
pub mod redirect;
pub mod target;
pub mod time;
pub mod upgrade;
pub mod url;

pub use framing::Framing;
pub use head::{RequestHead, ResponseHead, Version};
pub use headers::{Header, Headers};
