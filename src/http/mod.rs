//! Pure rules of HTTP as WinHTTP sees it: headers, queries, targets, redirects, authentication. No sockets, no handles.
#![forbid(unsafe_code)]

pub mod auth;
pub mod digest;
mod head;
mod headers;
pub mod proxy;
pub mod query;
pub mod redirect;
pub mod target;
pub mod time;
pub mod url;

pub use head::{RequestHead, ResponseHead, Version};
pub use headers::{Header, Headers};
