//! The handshake of a web socket (RFC 6455 4): what WinHTTP asks, and whether the answer fits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::ResponseHead;

/// What every server appends to the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The key that 16 random bytes give.
pub fn key(random: [u8; 16]) -> String {
    STANDARD.encode(random)
}

/// `Sec-WebSocket-Accept` for a key.
pub fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The headers that ask for a web socket, beside `Connection: Upgrade` (source ws.handshake).
pub fn request(key: &str) -> [(&'static str, &str); 3] {
    [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key)]
}

/// Whether a 101 answers this key, and asks for no extension: none is spoken (source ws.extensions).
pub fn is_accepted(head: &ResponseHead, key: &str) -> bool {
    head.headers.get("sec-websocket-extensions", 0).is_none_or(<[u8]>::is_empty)
        && head.headers.has_word("upgrade", b"websocket")
        && head.headers.has_word("connection", b"upgrade")
        && head.headers.get("sec-websocket-accept", 0) == Some(accept(key).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> ResponseHead {
        ResponseHead::parse(format!("HTTP/1.1 101 Switching Protocols\r\n{text}\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn the_example_of_the_standard() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn answers() {
        let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        let rows = [
            (format!("Upgrade: websocket\r\nConnection: Upgrade\r\n{accept}"), true),
            (format!("upgrade: WebSocket\r\nconnection: keep-alive, upgrade\r\n{accept}"), true),
            (format!("Upgrade: h2c\r\nConnection: Upgrade\r\n{accept}"), false),
            (format!("Upgrade: websocket\r\nConnection: close\r\n{accept}"), false),
            (format!("Upgrade: websocket\r\n{accept}"), false),
            (format!("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions:\r\n{accept}"), true),
            (format!("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: x\r\n{accept}"), false),
            ("Upgrade: websocket\r\nConnection: Upgrade\r\n".to_owned(), false),
            ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n".to_owned(), false),
        ];
        for (text, good) in rows {
            assert_eq!(is_accepted(&head(&text), "dGhlIHNhbXBsZSBub25jZQ=="), good, "{text}");
        }
    }
}
