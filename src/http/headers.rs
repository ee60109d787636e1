//! The header table of a request or a response, and the rules of WinHttpAddRequestHeaders (semantics 4.1).

use crate::win32::{
    ERROR_WINHTTP_HEADER_ALREADY_EXISTS, ERROR_WINHTTP_HEADER_NOT_FOUND, ERROR_WINHTTP_INVALID_HEADER,
    WINHTTP_ADDREQ_FLAG_ADD, WINHTTP_ADDREQ_FLAG_ADD_IF_NEW, WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA,
    WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON, WINHTTP_ADDREQ_FLAG_REPLACE, WINHTTP_ADDREQ_INDEX_MASK, Win32Error,
};

/// One header. Inside a [`Headers`] the name is an RFC 9110 token and the value holds no CR, LF or NUL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// ASCII, in the case it was given in.
    pub name: String,
    /// The bytes on the wire, without spaces and tabs around them.
    pub value: Vec<u8>,
}

impl Header {
    /// `Name: value`, the line without its CRLF.
    pub fn line(&self) -> Vec<u8> {
        [self.name.as_bytes(), b": ", &self.value].concat()
    }
}

/// Headers in the order of the wire; names compare without regard to case.
///
/// Whatever goes in, every header stays one line: a CR, LF or NUL in a value becomes a space, what cannot stand in
/// a name is dropped from it, and a header without a name is not added. Text of the application comes in by [`Headers::add_text`], which refuses
/// instead.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Headers(Vec<Header>);

impl Headers {
    /// An empty table.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// The value of the header of this name, number `index` (0 is the first) among those that share it.
    pub fn get(&self, name: &str, index: usize) -> Option<&[u8]> {
        self.position(name, index).map(|at| &*self.0[at].value)
    }

    /// Whether there is a header of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name, 0).is_some()
    }

    /// All headers, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    /// How many headers there are; duplicates count.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a header behind all others.
    pub fn append(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let name: String = name.chars().filter(|c| u8::try_from(*c).is_ok_and(is_token_byte)).collect();
        if name.is_empty() {
            return;
        }
        let mut value = value.into();
        for byte in value.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            *byte = b' ';
        }
        self.0.push(Header { name, value: value.trim_ascii().to_vec() });
    }

    /// Makes `value` the only value of this name: in the place of the first one, or at the end.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        let place = self.position(name, 0);
        self.remove(name);
        self.append(name, value);
        if let Some(at) = place {
            self.0[at..].rotate_right(1);
        }
    }

    /// Adds the header unless there is one of this name.
    pub fn set_default(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        if !self.contains(name) {
            self.append(name, value);
        }
    }

    /// Removes every header of this name; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.len();
        self.0.retain(|header| !header.name.eq_ignore_ascii_case(name));
        self.len() < before
    }

    /// What WinHttpAddRequestHeaders does with its text and its WINHTTP_ADDREQ_* `modifiers`.
    ///
    /// Headers are parted by any run of CR and LF. The first one that fails ends the call, and those before it
    /// stay. Empty text is no error here: WinHttpSendRequest takes it, WinHttpAddRequestHeaders answers 87 itself.
    ///
    /// `ADD_IF_NEW` goes before `REPLACE`, that before the `COALESCE`s, and those before `ADD`, which is also what
    /// no flag at all means. The low half of `modifiers` says which duplicate `REPLACE` acts on.
    ///
    /// # Errors
    /// - ERROR_WINHTTP_INVALID_HEADER (12153): no colon, a name that is no token (a space before the colon, say), or
    ///   a control character.
    /// - ERROR_WINHTTP_HEADER_ALREADY_EXISTS (12155): `ADD_IF_NEW`, and it is there.
    /// - ERROR_WINHTTP_HEADER_NOT_FOUND (12150): `REPLACE` without `ADD`, and it is not there.
    pub fn add_text(&mut self, text: &[u16], modifiers: u32) -> Result<(), Win32Error> {
        text.split(|unit| matches!(u8::try_from(*unit), Ok(b'\r' | b'\n')))
            .filter(|line| !line.is_empty())
            .try_for_each(|line| self.modify(parse_line(line)?, modifiers))
    }

    /// Adds one header given in two parts, as WinHttpAddRequestHeadersEx gets them.
    ///
    /// # Errors
    /// As [`Headers::add_text`].
    pub fn add_pair(&mut self, name: &[u16], value: &[u16], modifiers: u32) -> Result<(), Win32Error> {
        self.modify(checked(name, value)?, modifiers)
    }

    fn modify(&mut self, header: Header, modifiers: u32) -> Result<(), Win32Error> {
        let has = |flag| modifiers & flag != 0;
        let first = self.position(&header.name, 0);
        if has(WINHTTP_ADDREQ_FLAG_ADD_IF_NEW) {
            if first.is_some() {
                return Err(ERROR_WINHTTP_HEADER_ALREADY_EXISTS);
            }
        } else if has(WINHTTP_ADDREQ_FLAG_REPLACE) {
            match self.position(&header.name, (modifiers & WINHTTP_ADDREQ_INDEX_MASK) as usize) {
                Some(at) if header.value.is_empty() => drop(self.0.remove(at)),
                Some(at) => self.0[at] = header,
                None if has(WINHTTP_ADDREQ_FLAG_ADD) => self.0.push(header),
                None => return Err(ERROR_WINHTTP_HEADER_NOT_FOUND),
            }
            return Ok(());
        } else if let (Some(at), Some(separator)) = (first, coalescing(modifiers)) {
            self.0[at].value.extend([separator, b' ']);
            self.0[at].value.extend(header.value);
            return Ok(());
        }
        self.0.push(header);
        Ok(())
    }

    fn position(&self, name: &str, index: usize) -> Option<usize> {
        let mut same_name = self.0.iter().enumerate().filter(|(_, header)| header.name.eq_ignore_ascii_case(name));
        same_name.nth(index).map(|(at, _)| at)
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = &'a Header;
    type IntoIter = std::slice::Iter<'a, Header>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The text of header bytes: UTF-8 if they are valid UTF-8, Latin-1 otherwise.
pub fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// What may stand in a header name or a method (RFC 9110 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The ASCII text of a token; nothing if it is none.
pub(super) fn token(units: &[u16]) -> Option<String> {
    let byte = |unit: &u16| u8::try_from(*unit).ok().filter(|byte| is_token_byte(*byte)).map(char::from);
    units.iter().map(byte).collect::<Option<String>>().filter(|text| !text.is_empty())
}

fn parse_line(line: &[u16]) -> Result<Header, Win32Error> {
    let colon = line.iter().position(|unit| *unit == u16::from(b':')).ok_or(ERROR_WINHTTP_INVALID_HEADER)?;
    checked(&line[..colon], &line[colon + 1..])
}

fn checked(name: &[u16], value: &[u16]) -> Result<Header, Win32Error> {
    let name = token(name).ok_or(ERROR_WINHTTP_INVALID_HEADER)?;
    let value = String::from_utf16_lossy(value).into_bytes();
    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(ERROR_WINHTTP_INVALID_HEADER);
    }
    Ok(Header { name, value: value.trim_ascii().to_vec() })
}

fn coalescing(modifiers: u32) -> Option<u8> {
    if modifiers & WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA != 0 {
        Some(b',')
    } else if modifiers & WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON != 0 {
        Some(b';')
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NONE: u32 = 0;
    const ADD: u32 = WINHTTP_ADDREQ_FLAG_ADD;
    const IF_NEW: u32 = WINHTTP_ADDREQ_FLAG_ADD_IF_NEW;
    const REPLACE: u32 = WINHTTP_ADDREQ_FLAG_REPLACE;
    const COMMA: u32 = WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA;
    const SEMICOLON: u32 = WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn lines(headers: &Headers) -> Vec<String> {
        headers.iter().map(|header| decode(&header.line())).collect()
    }

    fn of(text: &str) -> Headers {
        let mut headers = Headers::new();
        headers.add_text(&wide(text), ADD).unwrap();
        headers
    }

    #[test]
    fn the_worked_example() {
        let steps: [(&str, u32, Result<(), Win32Error>, &[&str]); 8] = [
            ("test1", ADD, Ok(()), &["test1"]),
            ("test2", ADD, Ok(()), &["test1", "test2"]),
            ("test3", REPLACE, Ok(()), &["test3", "test2"]),
            ("test4", IF_NEW, Err(ERROR_WINHTTP_HEADER_ALREADY_EXISTS), &["test3", "test2"]),
            ("test4", COMMA, Ok(()), &["test3, test4", "test2"]),
            ("test5", COMMA, Ok(()), &["test3, test4, test5", "test2"]),
            ("test6", SEMICOLON, Ok(()), &["test3, test4, test5; test6", "test2"]),
            ("test4", ADD | REPLACE, Ok(()), &["test4", "test2"]),
        ];
        let mut headers = Headers::new();
        for (value, modifiers, result, after) in steps {
            assert_eq!(headers.add_text(&wide(&format!("warning: {value}")), modifiers), result, "{value}");
            let values: Vec<String> = headers.iter().map(|header| decode(&header.value)).collect();
            assert_eq!(values, after, "{value}");
        }
    }

    #[test]
    fn every_modifier_on_a_present_and_an_absent_header() {
        let rows: &[(u32, &str, Result<&[&str], Win32Error>, Result<&[&str], Win32Error>)] = &[
            (NONE, "n", Ok(&["A: 1", "B: 2", "a: n"]), Ok(&["B: 2", "a: n"])),
            (ADD, "n", Ok(&["A: 1", "B: 2", "a: n"]), Ok(&["B: 2", "a: n"])),
            (IF_NEW, "n", Err(ERROR_WINHTTP_HEADER_ALREADY_EXISTS), Ok(&["B: 2", "a: n"])),
            (REPLACE, "n", Ok(&["a: n", "B: 2"]), Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (REPLACE, "", Ok(&["B: 2"]), Err(ERROR_WINHTTP_HEADER_NOT_FOUND)),
            (ADD | REPLACE, "n", Ok(&["a: n", "B: 2"]), Ok(&["B: 2", "a: n"])),
            (ADD | REPLACE, "", Ok(&["B: 2"]), Ok(&["B: 2", "a: "])),
            (COMMA, "n", Ok(&["A: 1, n", "B: 2"]), Ok(&["B: 2", "a: n"])),
            (SEMICOLON, "n", Ok(&["A: 1; n", "B: 2"]), Ok(&["B: 2", "a: n"])),
        ];
        for (modifiers, value, present, absent) in rows {
            for (start, expected) in [("A: 1\r\nB: 2", present), ("B: 2", absent)] {
                let mut headers = of(start);
                let result = headers.add_text(&wide(&format!("a: {value}")), *modifiers);
                let got = result.map(|()| lines(&headers));
                let want = expected.map(|lines| lines.iter().map(ToString::to_string).collect());
                assert_eq!(got, want, "{modifiers:#x} {value:?} on {start:?}");
                if got.is_err() {
                    assert_eq!(headers, of(start));
                }
            }
        }
    }

    #[test]
    fn replace_acts_on_the_duplicate_that_the_low_half_names() {
        let mut headers = of("a: 1\r\na: 2");
        headers.add_text(&wide("a: 3"), REPLACE | 1).unwrap();
        assert_eq!(lines(&headers), ["a: 1", "a: 3"]);
        assert_eq!(headers.add_text(&wide("a: 4"), REPLACE | 2), Err(ERROR_WINHTTP_HEADER_NOT_FOUND));
    }

    #[test]
    fn any_run_of_line_ends_parts_headers() {
        for end in ["\r\n", "\n\r", "\n", "\n\n\n", "\r\r\r", "\r\n\r\n", "\r"] {
            assert_eq!(lines(&of(&format!("a: 1{end}b: 2"))), ["a: 1", "b: 2"], "{end:?}");
            assert_eq!(lines(&of(&format!("a: 1{end}b: 2{end}"))), ["a: 1", "b: 2"], "{end:?} at the end");
        }
    }

    #[test]
    fn form() {
        let accepted = [
            ("a:", "a: "),
            ("field: value ", "field: value"),
            ("field:\t  value", "field: value"),
            ("x:a\tb", "x: a\tb"),
            ("x: é", "x: é"),
            ("Time: 10:05:52", "Time: 10:05:52"),
        ];
        for (text, line) in accepted {
            assert_eq!(lines(&of(text)), [line]);
        }
        let rejected =
            [":", ":b", "cd", " e :f", "g : value", "ü: 1", "a: 1\0", "a\0: 1", "a: \u{1}", "a: \u{7f}", "\0"];
        for text in rejected {
            let mut headers = Headers::new();
            assert_eq!(headers.add_text(&wide(text), ADD), Err(ERROR_WINHTTP_INVALID_HEADER), "{text:?}");
            assert!(headers.is_empty());
        }
    }

    #[test]
    fn what_came_before_the_failing_header_stays() {
        let mut headers = Headers::new();
        assert_eq!(headers.add_text(&wide("a: 1\r\ncd\r\nb: 2"), ADD), Err(ERROR_WINHTTP_INVALID_HEADER));
        assert_eq!(lines(&headers), ["a: 1"]);
    }

    #[test]
    fn empty_text_adds_nothing() {
        let mut headers = Headers::new();
        assert_eq!(headers.add_text(&[], ADD), Ok(()));
        assert!(headers.is_empty());
    }

    #[test]
    fn a_pair_is_checked_like_a_line() {
        let mut headers = Headers::new();
        assert_eq!(headers.add_pair(&wide("a"), &wide(" 1 "), ADD), Ok(()));
        assert_eq!(headers.add_pair(&wide("b"), &wide("2\r\nc: 3"), ADD), Err(ERROR_WINHTTP_INVALID_HEADER));
        assert_eq!(headers.add_pair(&wide("b:"), &wide("2"), ADD), Err(ERROR_WINHTTP_INVALID_HEADER));
        assert_eq!(lines(&headers), ["a: 1"]);
    }

    #[test]
    fn the_engines_own_headers() {
        let mut headers = of("A: 1\r\nB: 2\r\na: 3");
        headers.set("a", "4");
        headers.set_default("b", "5");
        headers.set_default("C", &b"6"[..]);
        headers.set("D", "agent\r\nEvil: 1\0");
        assert_eq!(lines(&headers), ["a: 4", "B: 2", "C: 6", "D: agent  Evil: 1"]);
        assert_eq!((headers.get("A", 0), headers.get("a", 1)), (Some(&b"4"[..]), None));
        assert_eq!((headers.remove("c"), headers.remove("c"), headers.len()), (true, false, 3));
    }

    #[test]
    fn bytes_are_utf_8_or_else_latin_1() {
        assert_eq!((&*decode("é".as_bytes()), &*decode(b"\xe9")), ("é", "é"));
    }

    proptest! {
        #[test]
        fn no_text_smuggles_a_header(text: Vec<u16>, tail in "([a-c ]: ?[\\r\\n\\x00-\\x20é]{0,3}x?[\\r\\n:]{0,2}){0,4}", modifiers: u32) {
            let mut headers = Headers::new();
            let _ = headers.add_text(&text, modifiers);
            let _ = headers.add_text(&wide(&tail), modifiers);
            let _ = headers.add_pair(&wide("p"), &text, modifiers);
            headers.append(&String::from_utf16_lossy(&text), tail);
            let head = crate::http::head::RequestHead { headers, ..Default::default() };
            let wire = head.to_wire();
            let mut slots = vec![httparse::EMPTY_HEADER; head.headers.len() + 8];
            let mut request = httparse::Request::new(&mut slots);
            // A parser that takes the head sees the accepted headers and nothing behind them.
            if let Ok(status) = request.parse(&wire) {
                prop_assert_eq!(status, httparse::Status::Complete(wire.len()));
                prop_assert_eq!(request.headers.len(), head.headers.len());
            }
        }
    }
}
