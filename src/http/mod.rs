//! The pure rules of HTTP as WinHTTP applies them: no engine, no sockets, no clock.
//!
//! | module | answers |
//! |---|---|
//! | [`headers`] | what WinHttpAddRequestHeaders does to the header table |
//! | [`head`] | how a request head is written and a response head is read |
//! | [`query`] | what WinHttpQueryHeaders answers |
//! | [`target`] | how WinHttpOpenRequest's object name looks on the wire |
//! | [`redirect`] | whether and where a 3xx is followed |
//! | [`url`] | WinHttpCrackUrl and WinHttpCreateUrl |
//! | [`time`] | dates, as text and as SYSTEMTIME |
#![forbid(unsafe_code)]

mod escape;
pub mod head;
pub mod headers;
pub mod query;
pub mod redirect;
pub mod target;
pub mod time;
pub mod url;
