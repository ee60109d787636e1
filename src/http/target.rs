//! The object name of WinHttpOpenRequest as it goes over the wire (source path.escape).

use bytestring::ByteString;

use super::Encoding;
use crate::win32::{WINHTTP_FLAG_ESCAPE_DISABLE, WINHTTP_FLAG_ESCAPE_DISABLE_QUERY, WINHTTP_FLAG_ESCAPE_PERCENT};

/// Path and query in ASCII. `flags`: WINHTTP_FLAG_ESCAPE_*; `query`: the code page of the query (CODEPAGE), the path is
/// UTF-8. A leading slash is added.
pub fn escape(object: &[u16], flags: u32, query: Encoding) -> ByteString {
    if object.is_empty() {
        return ByteString::from_static("/");
    }
    let object = String::from_utf16_lossy(object);
    let (path, rest) = object.split_at(object.find('?').unwrap_or(object.len()));
    let rest = query.encode(rest);
    let bytes = path.bytes().chain(rest);
    let mut target = String::with_capacity(object.len() + 1);
    if !object.starts_with('/') {
        target.push('/');
    }
    let mut in_query = false;
    for byte in bytes {
        in_query |= byte == b'?';
        let disabled =
            flags & WINHTTP_FLAG_ESCAPE_DISABLE != 0 || (in_query && flags & WINHTTP_FLAG_ESCAPE_DISABLE_QUERY != 0);
        let escaped = match byte {
            b'\r' | b'\n' if disabled => continue,
            b' ' | 0x80.. => true,
            _ if disabled => false,
            b'%' => flags & WINHTTP_FLAG_ESCAPE_PERCENT != 0,
            0..0x20 | 0x7F => true,
            _ => b"\"#<>[\\]^`{|}".contains(&byte),
        };
        if escaped {
            target.push_str(&format!("%{byte:02X}"));
        } else {
            target.push(char::from(byte));
        }
    }
    target.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_has_a_code_page() {
        let object: Vec<u16> = "/\u{e4}?\u{e4}\u{20AC}".encode_utf16().collect();
        assert_eq!(escape(&object, 0, Encoding::Windows1252), "/%C3%A4?%E4%80");
        assert_eq!(escape(&object, 0, Encoding::Latin1), "/%C3%A4?%E4?");
    }

    #[test]
    fn rows_of_what_is_escaped() {
        let rows: &[(&str, u32, &str)] = &[
            ("", 0, "/"),
            ("a", 0, "/a"),
            ("/\u{e4} b", 0, "/%C3%A4%20b"),
            ("/%41~?a=%41~#", 0, "/%41~?a=%41~%23"),
            ("/%41", WINHTTP_FLAG_ESCAPE_PERCENT, "/%2541"),
            ("/\"#<>[\\]^`{|}\x7f\x1f", 0, "/%22%23%3C%3E%5B%5C%5D%5E%60%7B%7C%7D%7F%1F"),
            ("/\r\n", 0, "/%0D%0A"),
            ("/a\r\nb <\u{e4}\x1f", WINHTTP_FLAG_ESCAPE_DISABLE, "/ab%20<%C3%A4\x1f"),
            ("/<?a=<\r\n", WINHTTP_FLAG_ESCAPE_DISABLE_QUERY, "/%3C?a=<"),
        ];
        for (object, flags, target) in rows {
            let object: Vec<u16> = object.encode_utf16().collect();
            assert_eq!(escape(&object, *flags, Encoding::Utf8), *target);
        }
    }
}
