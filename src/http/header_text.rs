//! What may stand in a header that the application gives, and as which bytes it goes out. The only place that knows.

use bytes::Bytes;
use bytestring::ByteString;

use super::Encoding;
use crate::win32::{ERROR_INVALID_PARAMETER, Win32Error};

/// The longest name or value, in characters (source c02: more than 64 K is refused).
const AT_MOST: usize = 0xFFFF;

/// Whether a byte may be part of a token (RFC 9110, 5.6.2): of a field name, a verb, a scheme.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a byte may be part of a field's value (RFC 9110, 5.5): no control character, which might begin another line.
pub fn is_text(byte: u8) -> bool {
    !byte.is_ascii_control() || byte == b'\t'
}

/// The verbs that go out in upper case, however they are given (source open.verb-case).
const KNOWN_VERBS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS"];

/// The verb of a request, as it goes out; empty: GET. ERROR_INVALID_PARAMETER for what is no token.
pub fn verb(text: &[u16]) -> Result<ByteString, Win32Error> {
    let verb = String::from_utf16_lossy(text);
    if !verb.bytes().all(is_token) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let verb = if verb.is_empty() { "GET" } else { &verb };
    let known = KNOWN_VERBS.into_iter().find(|known| known.eq_ignore_ascii_case(verb));
    Ok(known.map_or_else(|| verb.into(), ByteString::from_static))
}

/// The name of a field: a token. ERROR_INVALID_PARAMETER (source m5).
pub fn name(text: &[u16]) -> Result<String, Win32Error> {
    let bytes: Option<Vec<u8>> =
        text.iter().map(|unit| u8::try_from(*unit).ok().filter(|byte| is_token(*byte))).collect();
    let name = bytes.filter(|bytes| !bytes.is_empty() && bytes.len() <= AT_MOST).ok_or(ERROR_INVALID_PARAMETER)?;
    String::from_utf8(name).map_err(|_| ERROR_INVALID_PARAMETER)
}

/// The value of a field, without the white space around it: ISO 8859-1, one byte a character (source c17).
/// ERROR_INVALID_PARAMETER for other characters and for control characters, which might begin another line (c15, c18).
pub fn value(text: &[u16]) -> Result<Vec<u8>, Win32Error> {
    let allowed = |unit: &u16| u8::try_from(*unit).ok().filter(|byte| is_text(*byte));
    let bytes: Option<Vec<u8>> = text.iter().map(allowed).collect();
    let bytes = bytes.ok_or(ERROR_INVALID_PARAMETER)?;
    let start = bytes.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !b" \t".contains(byte)).map_or(start, |last| last + 1);
    let value = &bytes[start..end];
    if value.len() <= AT_MOST { Ok(value.to_vec()) } else { Err(ERROR_INVALID_PARAMETER) }
}

/// Text of a header that WinHTTP adds itself, such as the agent: what ISO 8859-1 does not have becomes `?` (our choice).
pub fn lossy(text: &ByteString) -> Bytes {
    if text.is_ascii() { text.as_bytes().clone() } else { Encoding::Latin1.encode(text).into() }
}

/// `Name: value`. Spaces before the name or the colon are part of a name that is none.
pub fn line(text: &[u16]) -> Result<(String, Vec<u8>), Win32Error> {
    let colon = text.iter().position(|unit| *unit == u16::from(b':')).ok_or(ERROR_INVALID_PARAMETER)?;
    Ok((name(&text[..colon])?, value(&text[colon + 1..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        let rows: &[(&str, Option<&str>)] = &[
            ("", Some("GET")),
            ("get", Some("GET")),
            ("head", Some("HEAD")),
            ("post", Some("POST")),
            ("put", Some("PUT")),
            ("delete", Some("DELETE")),
            ("trace", Some("TRACE")),
            ("options", Some("OPTIONS")),
            ("Post", Some("POST")),
            ("patch", Some("patch")),
            ("mkcol", Some("mkcol")),
            ("connect", Some("connect")),
            ("other", Some("other")),
            ("SometHING", Some("SometHING")),
            ("GET /", None),
            ("G\u{c4}T", None),
        ];
        for (given, expected) in rows {
            let units: Vec<u16> = given.encode_utf16().collect();
            assert_eq!(verb(&units).ok().as_deref(), *expected, "{given:?}");
        }
    }

    #[test]
    fn lines() {
        type Line = Result<(&'static str, &'static [u8]), Win32Error>;
        const BAD: Line = Err(ERROR_INVALID_PARAMETER);
        let long = |length: usize| "x".repeat(length);
        let rows: &[(&str, Line)] = &[
            ("a:", Ok(("a", b""))),
            ("A: \t b c\t ", Ok(("A", b"b c"))),
            ("a: b\tc", Ok(("a", b"b\tc"))),
            ("a: \u{80}\u{e9}\u{ff}", Ok(("a", b"\x80\xE9\xFF"))),
            ("a: \u{100}", BAD),
            ("a: \u{1f600}", BAD),
            ("a: b\0c", BAD),
            ("a: b\rc", BAD),
            ("a: b\u{1}c", BAD),
            (":", BAD),
            (":b", BAD),
            ("cd", BAD),
            (" e :f", BAD),
            ("g : value", BAD),
            ("n\u{e4}me: value", BAD),
        ];
        for (text, expected) in rows {
            let units: Vec<u16> = text.encode_utf16().collect();
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_vec()));
            assert_eq!(line(&units), expected, "{text:?}");
        }
        for (length, good) in [(65_535, true), (65_536, false)] {
            let units: Vec<u16> = long(length).encode_utf16().collect();
            assert_eq!((name(&units).is_ok(), value(&units).is_ok()), (good, good), "{length}");
        }
    }
}
