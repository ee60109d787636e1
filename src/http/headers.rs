//! An ordered list of header fields, and the rules of WinHttpAddRequestHeaders (source header.modifiers).

use bytes::Bytes;
use bytestring::ByteString;

use super::header_text;
use crate::win32::{
    ERROR_INVALID_PARAMETER, ERROR_WINHTTP_HEADER_NOT_FOUND, WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_ADDREQ_FLAG_ADD_IF_NEW,
    WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA, WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON, WINHTTP_ADDREQ_FLAG_REPLACE,
    WINHTTP_ADDREQ_INDEX_MASK, Win32Error,
};

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// An ASCII token, in the case in which it was given.
    pub name: ByteString,
    /// The bytes as they go over the wire.
    pub value: Bytes,
}

impl Header {
    /// `Name: value`
    pub fn line(&self) -> Vec<u8> {
        [self.name.as_bytes().as_ref(), b": ", &self.value].concat()
    }
}

/// Header fields in their order; names compare without case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// None yet, with room for so many.
    pub fn with_capacity(count: usize) -> Headers {
        Headers(Vec::with_capacity(count))
    }

    /// How many bytes the fields take on the wire of HTTP/1.
    pub fn wire_length(&self) -> usize {
        self.0.iter().map(|header| header.name.len() + ": ".len() + header.value.len() + "\r\n".len()).sum()
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of occurrence number `index`, from 0.
    pub fn get(&self, name: &str, index: usize) -> Option<&[u8]> {
        let mut named = self.0.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.nth(index).map(|header| &*header.value)
    }

    /// Adds a field behind all others. The caller vouches for name and value.
    pub fn append(&mut self, name: impl Into<ByteString>, value: impl Into<Bytes>) {
        self.0.push(Header { name: name.into(), value: value.into() });
    }

    /// Adds to the value of the first field of this name, or adds a field. The caller vouches for name and value.
    pub fn join(&mut self, name: &str, value: &[u8], separator: &[u8]) {
        match self.0.iter_mut().find(|header| header.name.eq_ignore_ascii_case(name)) {
            Some(known) => known.value = [&known.value, separator, value].concat().into(),
            None => self.append(name, value.to_vec()),
        }
    }

    /// Removes every field of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|header| !header.name.eq_ignore_ascii_case(name));
    }

    /// Whether one of the comma-separated words of a field is this one, in any case.
    pub fn has_word(&self, name: &str, word: &[u8]) -> bool {
        let mut named = self.0.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        named.any(|header| {
            // What follows a semicolon is about the word.
            let words =
                header.value.split(|byte| *byte == b',').filter_map(|part| part.split(|byte| *byte == b';').next());
            words.map(<[u8]>::trim_ascii).any(|found| found.eq_ignore_ascii_case(word))
        })
    }

    /// All fields of this name.
    pub fn named(&self, name: &str) -> Vec<Header> {
        self.0.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).cloned().collect()
    }

    /// Removes one field that is the same as this one.
    pub fn remove_one(&mut self, gone: &Header) {
        if let Some(at) = self.0.iter().position(|header| header == gone) {
            self.0.remove(at);
        }
    }

    /// Adds, replaces or removes the fields in `text`, as WINHTTP_ADDREQ_FLAG_* say; the low half of `modifiers` is the
    /// duplicate that REPLACE acts on. Lines end with any run of CR and LF; what follows the first bad one is not
    /// looked at.
    pub fn add_text(&mut self, text: &[u16], modifiers: u32) -> Result<(), Win32Error> {
        for line in text.split(|unit| matches!(*unit, 0xD | 0xA)).filter(|line| !line.is_empty()) {
            let (name, value) = header_text::line(line)?;
            self.add(Header { name: name.into(), value: value.into() }, modifiers)?;
        }
        Ok(())
    }

    /// The same for one field whose name and value are given apart.
    pub fn add_pair(&mut self, name: &[u16], value: &[u16], modifiers: u32) -> Result<(), Win32Error> {
        let header = Header { name: header_text::name(name)?.into(), value: header_text::value(value)?.into() };
        self.add(header, modifiers)
    }

    fn add(&mut self, header: Header, modifiers: u32) -> Result<(), Win32Error> {
        let has = |flag| modifiers & flag != 0;
        let first = self.0.iter().position(|known| known.name.eq_ignore_ascii_case(&header.name));
        let replaced = self.0.iter().enumerate().filter(|(_, known)| known.name.eq_ignore_ascii_case(&header.name));
        let replaced = replaced.map(|(at, _)| at).nth((modifiers & WINHTTP_ADDREQ_INDEX_MASK) as usize);
        let separator: &[u8] = if has(WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA) {
            b", "
        } else if has(WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON) {
            b"; "
        } else {
            b""
        };
        match if has(WINHTTP_ADDREQ_FLAG_REPLACE) { replaced } else { first } {
            Some(_) if has(WINHTTP_ADDREQ_FLAG_ADD_IF_NEW) => return Err(ERROR_INVALID_PARAMETER),
            Some(first) if has(WINHTTP_ADDREQ_FLAG_REPLACE) && header.value.is_empty() => {
                self.0.remove(first);
            }
            Some(first) if has(WINHTTP_ADDREQ_FLAG_REPLACE) => self.0[first] = header,
            Some(_) if !separator.is_empty() => self.join(&header.name, &header.value, separator),
            Some(_) => {
                // Behind the last of its name.
                let last = self.0.iter().rposition(|known| known.name.eq_ignore_ascii_case(&header.name));
                self.0.insert(last.map_or(self.0.len(), |last| last + 1), header);
            }
            None if has(WINHTTP_ADDREQ_FLAG_REPLACE) && !has(WINHTTP_ADDREQ_FLAG_ADD) => {
                return Err(ERROR_WINHTTP_HEADER_NOT_FOUND);
            }
            // Nothing to remove: ADD with REPLACE and an empty value leaves nothing.
            None if has(WINHTTP_ADDREQ_FLAG_REPLACE) && header.value.is_empty() => {}
            None => self.0.push(header),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn values(headers: &Headers) -> Vec<String> {
        headers.iter().map(|header| String::from_utf8_lossy(&header.value).into_owned()).collect()
    }

    #[test]
    fn worked_example_of_the_modifiers() {
        let (add, replace) = (WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_ADDREQ_FLAG_REPLACE);
        let (comma, semicolon) = (WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA, WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON);
        type Row = (&'static str, u32, Result<(), Win32Error>, &'static [&'static str]);
        let rows: &[Row] = &[
            ("test1", add, Ok(()), &["test1"]),
            ("test2", add, Ok(()), &["test1", "test2"]),
            ("test3", replace, Ok(()), &["test3", "test2"]),
            ("test4", WINHTTP_ADDREQ_FLAG_ADD_IF_NEW, Err(ERROR_INVALID_PARAMETER), &["test3", "test2"]),
            ("test4", comma, Ok(()), &["test3, test4", "test2"]),
            ("test5", comma, Ok(()), &["test3, test4, test5", "test2"]),
            ("test6", semicolon, Ok(()), &["test3, test4, test5; test6", "test2"]),
            ("test4", add | replace, Ok(()), &["test4", "test2"]),
            ("", replace, Ok(()), &["test2"]),
        ];
        let mut headers = Headers::default();
        for (value, modifiers, result, after) in rows {
            assert_eq!(headers.add_text(&units(&format!("Warning: {value}")), *modifiers), *result, "{value}");
            assert_eq!(values(&headers), *after, "{value}");
        }
    }

    #[test]
    fn lines_end_with_any_run() {
        let mut headers = Headers::default();
        let text = "a: 1\n\rb: 2\nc: 3\n\n\nd: 4\r\r\re: 5\r\n\r\nf: 6\rg: 7";
        assert_eq!(headers.add_text(&units(text), WINHTTP_ADDREQ_FLAG_ADD), Ok(()));
        assert_eq!(headers.add_text(&units(""), WINHTTP_ADDREQ_FLAG_ADD), Ok(()));
        assert_eq!(headers.len(), 7);
    }

    #[test]
    fn replacing_what_is_absent() {
        let mut headers = Headers::default();
        let replace = headers.add_text(&units("a: b"), WINHTTP_ADDREQ_FLAG_REPLACE);
        assert_eq!(replace, Err(ERROR_WINHTTP_HEADER_NOT_FOUND));
    }

    #[test]
    fn the_low_half_says_which_duplicate_is_replaced() {
        let mut headers = Headers::default();
        headers.add_text(&units("a: 1\na: 2"), WINHTTP_ADDREQ_FLAG_ADD).unwrap();
        assert_eq!(headers.add_text(&units("a: 3"), WINHTTP_ADDREQ_FLAG_REPLACE | 1), Ok(()));
        assert_eq!(values(&headers), ["1", "3"]);
        let third = headers.add_text(&units("a: 4"), WINHTTP_ADDREQ_FLAG_REPLACE | 2);
        assert_eq!(third, Err(ERROR_WINHTTP_HEADER_NOT_FOUND));
    }

    #[test]
    fn earlier_lines_stay_when_a_later_one_is_bad() {
        let mut headers = Headers::default();
        assert!(headers.add_text(&units("a: 1\r\nbad\r\nc: 3"), WINHTTP_ADDREQ_FLAG_ADD).is_err());
        assert_eq!(values(&headers), ["1"]);
    }

    proptest::proptest! {
        /// Whatever text is taken: a parser that reads the head sees the headers that were accepted, and nothing behind.
        #[test]
        fn no_text_smuggles_a_line(
            text: Vec<u16>,
            tail in "([a-c ]: ?[\\r\\n\\x00-\\x20\u{e9}]{0,3}x?[\\r\\n:]{0,2}){0,4}",
            modifiers: u32,
        ) {
            let mut headers = Headers::default();
            let _ = headers.add_text(&text, modifiers);
            let _ = headers.add_text(&units(&tail), modifiers);
            let version = crate::http::Version { major: 1, minor: 1 };
            let head = crate::http::RequestHead { method: "GET".into(), target: "/".into(), version, headers };
            let wire = head.to_wire();
            let mut slots = vec![httparse::EMPTY_HEADER; head.headers.len() + 8];
            let mut request = httparse::Request::new(&mut slots);
            if let Ok(status) = request.parse(&wire) {
                proptest::prop_assert_eq!(status, httparse::Status::Complete(wire.len()));
                proptest::prop_assert_eq!(request.headers.len(), head.headers.len());
            }
        }
    }
}
