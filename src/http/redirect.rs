//! Which replies are redirects that WinHTTP follows, and to where (sources redirect.followed, RD1).

use bytestring::ByteString;
use url::Url;

use super::head::text;
use super::is_forbidden;
use crate::win32::{
    ERROR_WINHTTP_HEADER_NOT_FOUND, ERROR_WINHTTP_INVALID_URL, ERROR_WINHTTP_REDIRECT_FAILED,
    WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS, WINHTTP_OPTION_REDIRECT_POLICY_NEVER, Win32Error,
};

/// The request that got the reply.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// Its absolute URL.
    pub url: &'a str,
    /// Its verb.
    pub method: &'a str,
    /// REDIRECT_POLICY
    pub policy: u32,
    /// WINHTTP_DISABLE_REDIRECTS
    pub disabled: bool,
    /// How many redirects were followed since SendRequest.
    pub followed: u32,
    /// MAX_HTTP_AUTOMATIC_REDIRECTS
    pub limit: u32,
    /// REJECT_USERPWD_IN_URL
    pub reject_user: bool,
}

/// What is done with a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is the application's.
    Return,
    /// Another request follows.
    Follow {
        /// Whether TLS is spoken.
        secure: bool,
        /// Without brackets.
        host: ByteString,
        /// TCP port.
        port: u16,
        /// Path and query.
        target: ByteString,
        /// The absolute URL, which REDIRECT tells.
        url: String,
        /// The verb of the next request.
        method: ByteString,
        /// Whether lpOptional is sent again.
        keep_body: bool,
    },
    /// ReceiveResponse fails with this.
    Refuse(Win32Error),
}

/// How a status leads on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It does not.
    None,
    /// 300: only if it says where; else it is a reply.
    Optional,
    /// It must say where.
    Required,
}

fn kind(status: u16) -> Kind {
    match status {
        300 => Kind::Optional,
        301 | 302 | 303 | 307 | 308 => Kind::Required,
        _ => Kind::None,
    }
}

/// Whether a reply with this status may be a redirect: else [`decide`] returns it.
pub fn leads_on(status: u16) -> bool {
    kind(status) != Kind::None
}

/// Whether the next request is a GET without a body.
fn becomes_get(status: u16, method: &str) -> bool {
    match status {
        303 => method != "HEAD",
        300..=302 => method == "POST",
        _ => false,
    }
}

/// Decides (sources b01, b02, b03, b04, b05). `location` is the Location header; an empty one is none. Its fragment is not
/// sent, its credentials are dropped: they would be another origin's choice.
pub fn decide(status: u16, location: Option<&[u8]>, current: &Current<'_>) -> Decision {
    let never = current.disabled || current.policy == WINHTTP_OPTION_REDIRECT_POLICY_NEVER;
    let location = match (kind(status), location.filter(|text| !text.is_empty())) {
        (Kind::None, _) | (Kind::Optional, None) => return Decision::Return,
        _ if never => return Decision::Return,
        (Kind::Required, None) => return Decision::Refuse(ERROR_WINHTTP_HEADER_NOT_FOUND),
        (_, Some(location)) => location,
    };
    let refuse = Decision::Refuse(ERROR_WINHTTP_REDIRECT_FAILED);
    let next = Url::parse(current.url).and_then(|base| base.join(&text(location)));
    let Ok(mut next) = next else { return refuse };
    next.set_fragment(None);
    // What has no host can have no credentials either; it is refused below.
    let _ = next.set_username("");
    let _ = next.set_password(None);
    let secure = match next.scheme() {
        "https" => true,
        "http" => false,
        // WinHTTP speaks no other scheme.
        _ => return refuse,
    };
    let downgrade = current.url.starts_with("https:") && !secure;
    if downgrade && current.policy != WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS {
        return Decision::Return;
    }
    if current.followed >= current.limit {
        return refuse;
    }
    let (Some(host), Some(port)) = (next.host_str(), next.port_or_known_default()) else { return refuse };
    if is_forbidden(port) || (current.reject_user && names_user(location)) {
        return Decision::Refuse(ERROR_WINHTTP_INVALID_URL);
    }
    let to_get = becomes_get(status, current.method);
    Decision::Follow {
        secure,
        host: host.trim_matches(['[', ']']).into(),
        port,
        target: next[url::Position::BeforePath..url::Position::AfterQuery].into(),
        url: next.to_string(),
        method: if to_get { ByteString::from_static("GET") } else { current.method.into() },
        keep_body: !to_get,
    }
}

/// Whether a Location names a user before its host, be the name empty (REJECT_USERPWD_IN_URL).
fn names_user(location: &[u8]) -> bool {
    let Some(start) = location.windows(2).position(|pair| pair == b"//") else { return false };
    let before = &location[..start];
    let scheme = before.is_empty() || (before.ends_with(b":") && !before.iter().any(|byte| b"/?#".contains(byte)));
    let authority = location[start + 2..].split(|byte| b"/?#\\".contains(byte)).next().unwrap_or_default();
    scheme && authority.contains(&b'@')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::win32::WINHTTP_OPTION_REDIRECT_POLICY_DISALLOW_HTTPS_TO_HTTP as DEFAULT;

    fn current<'a>(url: &'a str, method: &'a str) -> Current<'a> {
        Current { url, method, policy: DEFAULT, disabled: false, followed: 0, limit: 10, reject_user: false }
    }

    #[test]
    fn who_names_a_user() {
        for (location, names) in [
            ("http://u:p@h/", true),
            ("//@h", true),
            ("http://h/a@b", false),
            ("/a//u@h", false),
            ("http://h?u@h", false),
        ] {
            assert_eq!(names_user(location.as_bytes()), names, "{location}");
        }
    }

    #[test]
    fn where_and_how_it_goes_on() {
        let rows: &[(u16, &str, &str, &str, &str, bool)] = &[
            (302, "GET", "/b", "http://h:8080/b", "GET", true),
            (300, "GET", "/b", "http://h:8080/b", "GET", true),
            (300, "POST", "/b", "http://h:8080/b", "GET", false),
            (300, "HEAD", "/b", "http://h:8080/b", "HEAD", true),
            (302, "POST", "c?d", "http://h:8080/x/c?d", "GET", false),
            (301, "POST", "https://other/", "https://other/", "GET", false),
            (303, "PUT", "/b", "http://h:8080/b", "GET", false),
            (303, "HEAD", "/b", "http://h:8080/b", "HEAD", true),
            (307, "POST", "/b#f", "http://h:8080/b", "POST", true),
            (308, "POST", "//g/", "http://g/", "POST", true),
            (302, "GET", "http://u:p@g/", "http://g/", "GET", true),
            (302, "GET", "/\u{e9} b", "http://h:8080/%C3%A9%20b", "GET", true),
        ];
        for (status, method, location, url, next, keep) in rows {
            match decide(*status, Some(location.as_bytes()), &current("http://h:8080/x/y", method)) {
                Decision::Follow { url: to, method, keep_body, .. } => {
                    assert_eq!((to.as_str(), &*method, keep_body), (*url, *next, *keep), "{status} {location}");
                }
                other => panic!("{status} {location}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_followed() {
        let refuse = Decision::Refuse(ERROR_WINHTTP_REDIRECT_FAILED);
        let lost = Decision::Refuse(ERROR_WINHTTP_HEADER_NOT_FOUND);
        let base = current("https://h/", "GET");
        let rows = [
            (200, Some("/b"), base, Decision::Return),
            (300, None, base, Decision::Return),
            (302, None, base, lost.clone()),
            (308, None, base, lost.clone()),
            (302, Some(""), base, lost),
            (302, None, Current { disabled: true, ..base }, Decision::Return),
            (304, None, base, Decision::Return),
            (304, Some("/b"), base, Decision::Return),
            (305, Some("/b"), base, Decision::Return),
            (306, Some("/b"), base, Decision::Return),
            (201, Some("/b"), base, Decision::Return),
            (400, Some("/b"), base, Decision::Return),
            (302, Some("/b"), Current { disabled: true, ..base }, Decision::Return),
            (302, Some("/b"), Current { policy: WINHTTP_OPTION_REDIRECT_POLICY_NEVER, ..base }, Decision::Return),
            (302, Some("/b"), Current { followed: 10, ..base }, refuse.clone()),
            (302, Some("http://h/"), base, Decision::Return),
            (302, Some("https://h:25/"), base, Decision::Refuse(ERROR_WINHTTP_INVALID_URL)),
            (302, Some("//u@h/"), Current { reject_user: true, ..base }, Decision::Refuse(ERROR_WINHTTP_INVALID_URL)),
            (302, Some("ftp://h/"), base, refuse.clone()),
            (302, Some("http://["), base, refuse),
        ];
        for (status, location, current, decision) in rows {
            assert_eq!(decide(status, location.map(str::as_bytes), &current), decision, "{status} {location:?}");
        }
    }

    #[test]
    fn a_location_that_is_not_utf_8_is_latin_1() {
        let decision = decide(302, Some(b"/caf\xe9"), &current("http://h/", "GET"));
        assert!(matches!(decision, Decision::Follow { target, .. } if target == "/caf%C3%A9"));
    }

    proptest::proptest! {
        #[test]
        fn a_target_is_one_ascii_word(location: Vec<u8>, words: String, status in 300u16..309) {
            for location in [&*location, words.as_bytes()] {
                if let Decision::Follow { target, .. } = decide(status, Some(location), &current("http://h/x", "GET")) {
                    proptest::prop_assert!(target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic()));
                }
            }
        }
    }
}
