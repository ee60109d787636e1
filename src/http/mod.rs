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
mod head_reader;
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
pub mod zone;

pub use body_length::{BodyLength, RequestKind};
pub use encoding::Encoding;
pub use head::{RequestHead, ResponseHead, Version};
pub use head_reader::{HeadReader, NextHead};
pub use headers::{Header, Headers};
pub use outgoing::OutgoingBody;

/// Whether WinHTTP refuses to speak to this port: those of FTP, mail and news (source CN3).
pub fn is_forbidden(port: u16) -> bool {
    matches!(port, 21 | 25 | 70 | 110 | 119 | 143)
}

/// Whether a name is this machine: `localhost` with or without a final dot, and every name under it (source r8).
pub fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let own = name.len().checked_sub("localhost".len()).and_then(|start| Some((name.get(start..)?, &name[..start])));
    own.is_some_and(|(own, below)| own.eq_ignore_ascii_case("localhost") && (below.is_empty() || below.ends_with('.')))
}

/// The name that the system is asked for in place of `name`: not every system knows all names of this machine.
pub fn system_name(name: &str) -> &str {
    if is_localhost(name) { "localhost" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        let rows = [
            ("localhost", true),
            ("LocalHost.", true),
            ("a.localhost", true),
            ("a.b.localhost.", true),
            ("localhost..", false),
            ("notlocalhost", false),
            ("localhost.test", false),
            ("\u{e9}localhost", false),
            (".", false),
            ("", false),
        ];
        for (name, is) in rows {
            assert_eq!(is_localhost(name), is, "{name}");
            assert_eq!(system_name(name) == "localhost", is, "{name}");
        }
    }
}
