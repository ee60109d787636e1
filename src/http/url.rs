//! WinHttpCrackUrl and WinHttpCreateUrl without their pointers (sources crack.parts, create.url, UR1).

use std::ops::Range;

use crate::win32::{
    ERROR_INVALID_PARAMETER, ERROR_WINHTTP_INVALID_URL, ERROR_WINHTTP_UNRECOGNIZED_SCHEME, ICU_ESCAPE,
    ICU_ESCAPE_AUTHORITY, ICU_INCLUDE_DEFAULT_PORT, ICU_REJECT_USERPWD, WINHTTP_INTERNET_SCHEME_FTP,
    WINHTTP_INTERNET_SCHEME_HTTP, WINHTTP_INTERNET_SCHEME_HTTPS, Win32Error,
};

/// The schemes that URLs may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
    /// `ftp`: known to WinHttpCrackUrl (source r1), spoken by nobody.
    Ftp,
}

impl Scheme {
    const ALL: [Scheme; 3] = [Scheme::Http, Scheme::Https, Scheme::Ftp];

    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Ftp => "ftp",
        }
    }

    /// INTERNET_SCHEME_*
    pub fn number(self) -> i32 {
        match self {
            Scheme::Http => WINHTTP_INTERNET_SCHEME_HTTP,
            Scheme::Https => WINHTTP_INTERNET_SCHEME_HTTPS,
            Scheme::Ftp => WINHTTP_INTERNET_SCHEME_FTP,
        }
    }

    /// The port where none is given.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Ftp => 21,
        }
    }
}

/// Where the parts of a URL are. Absent parts are `None`; path and extra information are there but may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What kind of URL it is.
    pub kind: Scheme,
    /// `http`
    pub scheme: Range<usize>,
    /// Before the `:` of the user information.
    pub user: Option<Range<usize>>,
    /// Behind it.
    pub password: Option<Range<usize>>,
    /// Up to the port or the path.
    pub host: Range<usize>,
    /// As given, or the scheme's.
    pub port: u16,
    /// From the first `/`, up to the extra information.
    pub path: Range<usize>,
    /// From the `?` or `#` behind the path.
    pub extra: Range<usize>,
}

fn find(text: &[u16], from: usize, what: &[u8]) -> Option<usize> {
    text[from..].iter().position(|unit| what.iter().any(|byte| *unit == u16::from(*byte))).map(|at| from + at)
}

/// Whether the text is this ASCII word, without regard to case.
fn is(text: &[u16], word: &str) -> bool {
    text.len() == word.len()
        && text
            .iter()
            .zip(word.bytes())
            .all(|(unit, byte)| u8::try_from(*unit).is_ok_and(|unit| unit.eq_ignore_ascii_case(&byte)))
}

/// Takes a URL of HTTP apart: [`crack`], and ERROR_WINHTTP_UNRECOGNIZED_SCHEME for ftp. Says whether TLS is spoken.
pub fn crack_http(url: &[u16]) -> Result<(bool, Parts), Win32Error> {
    let parts = crack(url)?;
    match parts.kind {
        Scheme::Http => Ok((false, parts)),
        Scheme::Https => Ok((true, parts)),
        Scheme::Ftp => Err(ERROR_WINHTTP_UNRECOGNIZED_SCHEME),
    }
}

/// Takes a URL apart as it is given: what is escaped in it moves no border. ERROR_WINHTTP_UNRECOGNIZED_SCHEME for anything
/// but http, https and ftp, ERROR_WINHTTP_INVALID_URL for what has no `//`, no host, or no port number.
pub fn crack(url: &[u16]) -> Result<Parts, Win32Error> {
    let colon = find(url, 0, b":").ok_or(ERROR_WINHTTP_UNRECOGNIZED_SCHEME)?;
    let kind = Scheme::ALL.into_iter().find(|kind| is(&url[..colon], kind.name()));
    let kind = kind.ok_or(ERROR_WINHTTP_UNRECOGNIZED_SCHEME)?;
    let slash = u16::from(b'/');
    let start = colon + 3;
    if url.get(colon + 1..start) != Some(&[slash, slash]) {
        return Err(ERROR_WINHTTP_INVALID_URL);
    }
    // A bare `?` at the end belongs to the host; any other ends it (sources crack.no-path, r2).
    let query = find(url, start, b"?").filter(|at| at + 1 < url.len());
    let end = find(url, start, b"/").into_iter().chain(query).min().unwrap_or(url.len());
    // User information is only what an `@` before the path ends.
    let at = url[start..end].iter().rposition(|unit| *unit == u16::from(b'@')).map(|at| start + at);
    let (user, password, host) = match at {
        None => (None, None, start),
        Some(at) => match find(&url[..at], start, b":") {
            Some(colon) => (Some(start..colon), Some(colon + 1..at), at + 1),
            None => (Some(start..at), None, at + 1),
        },
    };
    let bracket = url[host..end].iter().position(|unit| *unit == u16::from(b']')).map_or(host, |at| host + at);
    let port_colon = find(&url[..end], bracket, b":");
    let port = match port_colon.map(|colon| &url[colon + 1..end]) {
        None | Some([]) => kind.default_port(),
        Some(digits) => port_number(digits).ok_or(ERROR_WINHTTP_INVALID_URL)?,
    };
    let host = host..port_colon.unwrap_or(end);
    if host.is_empty() {
        return Err(ERROR_WINHTTP_INVALID_URL);
    }
    let extra = find(url, end, b"?#").unwrap_or(url.len());
    Ok(Parts { kind, scheme: 0..colon, user, password, host, port, path: end..extra, extra: extra..url.len() })
}

fn port_number(digits: &[u16]) -> Option<u16> {
    let text = String::from_utf16(digits).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// ICU_DECODE, for one piece of a URL: `%XX` becomes the character with this number. It is no UTF-8 (source m12).
pub fn decode(piece: &[u16]) -> Vec<u16> {
    let mut decoded = Vec::with_capacity(piece.len());
    let mut rest = piece;
    while let Some((unit, behind)) = rest.split_first() {
        match (*unit == u16::from(b'%')).then(|| behind.get(..2).and_then(hex)).flatten() {
            Some(byte) => {
                decoded.push(byte.into());
                rest = &behind[2..];
            }
            None => {
                decoded.push(*unit);
                rest = behind;
            }
        }
    }
    decoded
}

fn hex(digits: &[u16]) -> Option<u8> {
    let text = String::from_utf16(digits).ok()?;
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u8::from_str_radix(&text, 16).ok())?
}

/// ICU_ESCAPE: what may not stand in a path or query becomes `%XX`. ERROR_INVALID_PARAMETER for what is not ASCII.
pub fn escape(text: &[u16], and_percent: bool) -> Result<Vec<u16>, Win32Error> {
    let mut escaped = Vec::with_capacity(text.len());
    for unit in text {
        let byte = u8::try_from(*unit).ok().filter(u8::is_ascii).ok_or(ERROR_INVALID_PARAMETER)?;
        let kept = byte.is_ascii_alphanumeric() || b"!$&'()*+,-./:;=?@_".contains(&byte);
        if kept || (byte == b'%' && !and_percent) {
            escaped.push(*unit);
        } else {
            escaped.extend(format!("%{byte:02X}").encode_utf16());
        }
    }
    Ok(escaped)
}

/// The parts that WinHttpCreateUrl puts together; `None` for a NULL pointer.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Scheme text; wins over `scheme_number`.
    pub scheme: Option<Vec<u16>>,
    /// INTERNET_SCHEME_*; 0 means http.
    pub scheme_number: i32,
    /// User name.
    pub user: Option<Vec<u16>>,
    /// Password; needs a user.
    pub password: Option<Vec<u16>>,
    /// Host name.
    pub host: Option<Vec<u16>>,
    /// Shown unless it is what the scheme has.
    pub port: u16,
    /// URL path.
    pub path: Option<Vec<u16>>,
    /// Query and fragment.
    pub extra: Option<Vec<u16>>,
}

/// Puts a URL together. `flags`: ICU_ESCAPE for path and extra information, ICU_ESCAPE_AUTHORITY for the user, the
/// password and the host (but no address in brackets), ICU_INCLUDE_DEFAULT_PORT, ICU_REJECT_USERPWD.
///
/// ERROR_INVALID_PARAMETER for a password without user, for what cannot be escaped, and for a number that is no scheme of
/// URLs (our choice); ERROR_WINHTTP_INVALID_URL for a user that is rejected.
pub fn create(given: &Given, flags: u32) -> Result<Vec<u16>, Win32Error> {
    let has = |flag| flags & flag != 0;
    if given.password.is_some() && given.user.is_none() {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    let escaped = |text: &[u16], escaping| if escaping { escape(text, true) } else { Ok(text.to_vec()) };
    let scheme = match (&given.scheme, given.scheme_number) {
        (Some(text), _) => text.clone(),
        (None, 0 | WINHTTP_INTERNET_SCHEME_HTTP) => units("http"),
        (None, WINHTTP_INTERNET_SCHEME_HTTPS) => units("https"),
        (None, WINHTTP_INTERNET_SCHEME_FTP) => units("ftp"),
        (None, _) => return Err(ERROR_INVALID_PARAMETER),
    };
    let default_port = match () {
        () if is(&scheme, "http") => Some(80),
        () if is(&scheme, "https") => Some(443),
        () => None,
    };
    let mut url = scheme;
    url.extend(units("://"));
    if let Some(user) = &given.user {
        if has(ICU_REJECT_USERPWD) {
            return Err(ERROR_WINHTTP_INVALID_URL);
        }
        url.extend(escaped(user, has(ICU_ESCAPE_AUTHORITY))?);
        if let Some(password) = &given.password {
            url.extend(units(":"));
            url.extend(escaped(password, has(ICU_ESCAPE_AUTHORITY))?);
        }
        url.extend(units("@"));
    }
    let host = given.host.as_deref().unwrap_or_default();
    let bracketed = host.first() == Some(&u16::from(b'['));
    url.extend(escaped(host, has(ICU_ESCAPE_AUTHORITY) && !bracketed)?);
    // Without a host there is nothing that a port belongs to.
    if given.host.is_some() && (has(ICU_INCLUDE_DEFAULT_PORT) || default_port != Some(given.port)) {
        url.extend(units(&format!(":{}", given.port)));
    }
    let path = given.path.as_deref().unwrap_or_default();
    if !host.is_empty() && !path.is_empty() && path[0] != u16::from(b'/') {
        url.extend(units("/"));
    }
    url.extend(escaped(path, has(ICU_ESCAPE))?);
    url.extend(escaped(given.extra.as_deref().unwrap_or_default(), has(ICU_ESCAPE))?);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_moves_no_border() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let rows = [
            ("http://h/a%23b?c", ["h", "/a#b", "?c"]),
            ("http://h%2Fx/%3Fa?b%23", ["h/x", "/?a", "?b#"]),
            ("http://h/%c3%A4%zz%4", ["h", "/\u{c3}\u{a4}%zz%4", ""]),
            ("https://example.com?1", ["example.com", "", "?1"]),
            ("http://winehq?", ["winehq?", "", ""]),
            ("http://h:81?a/b", ["h", "", "?a/b"]),
        ];
        for (url, [host, path, extra]) in rows {
            let url = units(url);
            let parts = crack(&url).unwrap();
            let decoded = [parts.host, parts.path, parts.extra].map(|range| decode(&url[range]));
            assert_eq!(decoded, [host, path, extra].map(units), "{}", String::from_utf16_lossy(&url));
        }
        let ftp = crack(&units("FTP://h/f")).unwrap();
        assert_eq!((ftp.kind, ftp.port), (Scheme::Ftp, 21));
        assert_eq!(crack_http(&units("ftp://h/f")), Err(ERROR_WINHTTP_UNRECOGNIZED_SCHEME));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics_and_ranges_are_in_order(
            any: Vec<u16>,
            tail in "[a-c:/@?#%0-9\\[\\] \u{e9}]{0,24}",
            flags: u32,
        ) {
            let likely: Vec<u16> = format!("http://{tail}").encode_utf16().collect();
            for url in [&any, &decode(&any), &likely, &decode(&likely)] {
                let _ = escape(url, true);
                let given = Given { host: Some(url.clone()), path: Some(url.clone()), ..Given::default() };
                let _ = create(&given, flags);
                if let Ok(parts) = crack(url) {
                    let user = parts.user.unwrap_or(7..7);
                    proptest::prop_assert!(user.end <= parts.host.start && !parts.host.is_empty());
                    proptest::prop_assert!(parts.host.end <= parts.path.start);
                    proptest::prop_assert_eq!((parts.path.end, parts.extra.end), (parts.extra.start, url.len()));
                }
            }
        }
    }
}
