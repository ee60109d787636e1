//! From the object name of WinHttpOpenRequest to the request target on the wire (semantics 5.3).

use super::escape::{is_unsafe, push_escaped};
use crate::win32::{WINHTTP_FLAG_ESCAPE_DISABLE, WINHTTP_FLAG_ESCAPE_DISABLE_QUERY, WINHTTP_FLAG_ESCAPE_PERCENT};

/// The request target for `object`, under the WINHTTP_FLAG_ESCAPE_* among `flags`.
///
/// A leading `/` is added if it is missing; the query begins at the first `?`. What is not ASCII is always UTF-8
/// as `%XX` (a lone surrogate becomes U+FFFD), a space is always `%20`. The result holds no CR and no LF.
pub fn escape(object: &[u16], flags: u32) -> String {
    let object = String::from_utf16_lossy(object);
    let (path, query) = object.split_at(object.find('?').unwrap_or(object.len()));
    let disabled = flags & WINHTTP_FLAG_ESCAPE_DISABLE != 0;
    let query_disabled = disabled || flags & WINHTTP_FLAG_ESCAPE_DISABLE_QUERY != 0;
    let percent = flags & WINHTTP_FLAG_ESCAPE_PERCENT != 0;

    let mut target = String::with_capacity(object.len() + 1);
    if !path.starts_with('/') {
        target.push('/');
    }
    for (part, disabled) in [(path, disabled), (query, query_disabled)] {
        for byte in part.bytes() {
            match byte {
                b'\r' | b'\n' if disabled => {}
                b' ' | 0x80.. => push_escaped(&mut target, byte),
                b'%' if percent && !disabled => push_escaped(&mut target, byte),
                _ if is_unsafe(byte) && !disabled => push_escaped(&mut target, byte),
                _ => target.push(char::from(byte)),
            }
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERCENT: u32 = WINHTTP_FLAG_ESCAPE_PERCENT;
    const DISABLE: u32 = WINHTTP_FLAG_ESCAPE_DISABLE;
    const DISABLE_QUERY: u32 = WINHTTP_FLAG_ESCAPE_DISABLE_QUERY;

    fn of(object: &str, flags: u32) -> String {
        escape(&object.encode_utf16().collect::<Vec<u16>>(), flags)
    }

    #[test]
    fn the_leading_slash() {
        for (object, target) in [("", "/"), ("a", "/a"), ("/a", "/a"), ("?q", "/?q"), ("//a", "//a")] {
            assert_eq!(of(object, 0), target);
        }
    }

    #[test]
    fn every_flag_on_path_and_query() {
        let all = "\u{1f}\u{7f}\r\n <>\"#%~[\\]^`{|}é";
        let escaped = "%1F%7F%0D%0A%20%3C%3E%22%23%~%5B%5C%5D%5E%60%7B%7C%7D%C3%A9";
        let with_percent = &escaped.replace("%~", "%25~");
        let raw = "\u{1f}\u{7f}%20<>\"#%~[\\]^`{|}%C3%A9";
        let rows = [
            (0, escaped, escaped),
            (PERCENT, with_percent, with_percent),
            (DISABLE, raw, raw),
            (DISABLE | PERCENT, raw, raw),
            (DISABLE_QUERY, escaped, raw),
            (DISABLE_QUERY | PERCENT, with_percent, raw),
        ];
        for (flags, path, query) in rows {
            assert_eq!(of(&format!("/{all}?{all}"), flags), format!("/{path}?{query}"), "{flags:#x}");
        }
    }

    #[test]
    fn what_stays() {
        let kept = "/!$&'()*+,-./09:;=@AZ_az~?!$&'()*+,-./09:;=?@AZ_az~";
        assert_eq!(of(kept, 0), kept);
    }

    #[test]
    fn a_lone_surrogate() {
        assert_eq!(escape(&[0x2f, 0xd800], 0), "/%EF%BF%BD");
    }

    proptest! {
        #[test]
        fn one_ascii_word(object: Vec<u16>, text in "[ -~\\r\\n\\t]{0,20}", flags: u32) {
            for target in [escape(&object, flags), of(&text, flags)] {
                prop_assert!(target.starts_with('/') && target.is_ascii());
                prop_assert!(!target.contains(['\r', '\n', ' ']));
            }
        }
    }
}
