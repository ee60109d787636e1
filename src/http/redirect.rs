//! Whether and where a 3xx answer is followed (semantics 6.2; rules 14).

use super::headers::decode;
use crate::win32::{
    ERROR_WINHTTP_INVALID_URL, ERROR_WINHTTP_REDIRECT_FAILED, WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS,
    WINHTTP_OPTION_REDIRECT_POLICY_NEVER, Win32Error,
};

/// Where the request that was answered had gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Current<'a> {
    /// https.
    pub secure: bool,
    /// The server's name or address; an IPv6 address with or without brackets.
    pub host: &'a str,
    /// The server's port.
    pub port: u16,
    /// Path and query.
    pub target: &'a str,
    /// The verb.
    pub method: &'a str,
}

/// What the request's options say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// WINHTTP_OPTION_REDIRECT_POLICY: 0 NEVER, 1 DISALLOW_HTTPS_TO_HTTP, 2 ALWAYS; other values mean 1.
    pub policy: u32,
    /// WINHTTP_DISABLE_REDIRECTS is set.
    pub disabled: bool,
    /// How many redirects this request has followed.
    pub followed: u32,
    /// WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS.
    pub limit: u32,
}

/// What to do with an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It is the response: hand it to the caller.
    Return,
    /// Send the request again, there.
    Follow {
        /// https.
        secure: bool,
        /// The server, in lower case; an IPv6 address in brackets.
        host: String,
        /// The server's port.
        port: u16,
        /// Path and query for the request line.
        target: String,
        /// The absolute URL for the REDIRECT notification, without credentials.
        url: String,
        /// The verb of the next request.
        method: String,
        /// Whether the body goes along. If not, its Content-Length, Content-Type and Transfer-Encoding go too.
        keep_body: bool,
    },
    /// The exchange fails with this error.
    Refuse(Win32Error),
}

/// Decides about an answer with this `status` and the bytes of its Location header.
///
/// - 301, 302, 303, 307 and 308 are redirects. One without Location (or with an empty one) is the response, as is
///   every one under the policy NEVER or with redirects disabled.
/// - POST becomes GET without body for 301 and 302, every verb but HEAD for 303. Otherwise verb and body stay.
/// - Location may be relative to the current URL. Its fragment is not sent; credentials in it are dropped: they
///   would be another origin's choice.
///
/// Refused, in this order:
/// - the limit is used up: ERROR_WINHTTP_REDIRECT_FAILED (12156);
/// - Location is no URL: ERROR_WINHTTP_INVALID_URL (12005);
/// - a scheme that is neither http nor https: ERROR_WINHTTP_REDIRECT_FAILED, which the error page explains with a
///   change of the scheme; ERROR_WINHTTP_UNRECOGNIZED_SCHEME is about URLs that the caller gives;
/// - https to http, unless the policy is ALWAYS: ERROR_WINHTTP_REDIRECT_FAILED.
pub fn decide(status: u16, location: Option<&[u8]>, current: &Current<'_>, rules: &Rules) -> Decision {
    let is_redirect = matches!(status, 301 | 302 | 303 | 307 | 308);
    if !is_redirect || rules.disabled || rules.policy == WINHTTP_OPTION_REDIRECT_POLICY_NEVER {
        return Decision::Return;
    }
    let Some(location) = location.filter(|bytes| !bytes.is_empty()) else {
        return Decision::Return;
    };
    follow(status, &decode(location), current, rules).unwrap_or_else(Decision::Refuse)
}

fn follow(status: u16, location: &str, current: &Current<'_>, rules: &Rules) -> Result<Decision, Win32Error> {
    if rules.followed >= rules.limit {
        return Err(ERROR_WINHTTP_REDIRECT_FAILED);
    }
    let mut url = resolve(location, current).map_err(|_| ERROR_WINHTTP_INVALID_URL)?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(ERROR_WINHTTP_REDIRECT_FAILED),
    };
    if current.secure && !secure && rules.policy != WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS {
        return Err(ERROR_WINHTTP_REDIRECT_FAILED);
    }
    // These two cannot fail: an http URL has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let (method, keep_body) = match (status, current.method) {
        (303, "HEAD") => ("HEAD", false),
        (303, _) | (301 | 302, "POST") => ("GET", false),
        (_, method) => (method, true),
    };
    Ok(Decision::Follow {
        secure,
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port_or_known_default().unwrap_or_default(),
        target: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        url: url.into(),
        method: method.to_owned(),
        keep_body,
    })
}

/// An absolute Location does not need the current URL, which may be one that only WinHTTP accepts.
fn resolve(location: &str, current: &Current<'_>) -> Result<url::Url, url::ParseError> {
    match url::Url::parse(location) {
        Err(url::ParseError::RelativeUrlWithoutBase) => {}
        result => return result,
    }
    let scheme = if current.secure { "https" } else { "http" };
    let bare_ipv6 = current.host.contains(':') && !current.host.starts_with('[');
    let host = if bare_ipv6 { format!("[{}]", current.host) } else { current.host.to_owned() };
    url::Url::parse(&format!("{scheme}://{host}:{}{}", current.port, current.target))?.join(location)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HERE: Current<'_> = Current { secure: false, host: "here.test", port: 8080, target: "/a/b?c", method: "GET" };
    const RULES: Rules = Rules { policy: 1, disabled: false, followed: 0, limit: 10 };

    #[test]
    fn verb_and_body() {
        let rows = [
            (301, "GET", "GET", true),
            (301, "POST", "GET", false),
            (301, "HEAD", "HEAD", true),
            (301, "PUT", "PUT", true),
            (302, "GET", "GET", true),
            (302, "POST", "GET", false),
            (302, "DELETE", "DELETE", true),
            (303, "GET", "GET", false),
            (303, "POST", "GET", false),
            (303, "HEAD", "HEAD", false),
            (303, "PUT", "GET", false),
            (307, "POST", "POST", true),
            (308, "POST", "POST", true),
        ];
        for (status, method, next, keep_body) in rows {
            match decide(status, Some(b"/n"), &Current { method, ..HERE }, &RULES) {
                Decision::Follow { method: got, keep_body: kept, .. } => {
                    assert_eq!((&*got, kept), (next, keep_body), "{status} {method}");
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_the_response() {
        let disabled = Rules { disabled: true, ..RULES };
        let never = Rules { policy: WINHTTP_OPTION_REDIRECT_POLICY_NEVER, ..RULES };
        let rows = [
            (200, Some(&b"/n"[..]), RULES),
            (300, Some(b"/n"), RULES),
            (304, Some(b"/n"), RULES),
            (305, Some(b"/n"), RULES),
            (302, None, RULES),
            (302, Some(b""), RULES),
            (302, Some(b"/n"), disabled),
            (302, Some(b"/n"), never),
            (302, Some(b"/n"), Rules { limit: 0, ..never }),
        ];
        for (status, location, rules) in rows {
            assert_eq!(decide(status, location, &HERE, &rules), Decision::Return, "{status} {location:?} {rules:?}");
        }
    }

    #[test]
    fn where_it_leads() {
        let ipv6 = Current { host: "::1", port: 443, secure: true, ..HERE };
        let rows: &[(Current<'_>, &[u8], &str, (bool, &str, u16, &str))] = &[
            (HERE, b"/n?x", "http://here.test:8080/n?x", (false, "here.test", 8080, "/n?x")),
            (HERE, b"n", "http://here.test:8080/a/n", (false, "here.test", 8080, "/a/n")),
            (HERE, b"../n", "http://here.test:8080/n", (false, "here.test", 8080, "/n")),
            (HERE, b"?d", "http://here.test:8080/a/b?d", (false, "here.test", 8080, "/a/b?d")),
            (HERE, b"//There.test/n", "http://there.test/n", (false, "there.test", 80, "/n")),
            (HERE, b"http://there.test", "http://there.test/", (false, "there.test", 80, "/")),
            (HERE, b"HTTPS://there.test/n", "https://there.test/n", (true, "there.test", 443, "/n")),
            (HERE, b"https://there.test:444/n#f", "https://there.test:444/n#f", (true, "there.test", 444, "/n")),
            (HERE, b"http://u:p@there.test/n", "http://there.test/n", (false, "there.test", 80, "/n")),
            (HERE, b"/caf\xe9 n", "http://here.test:8080/caf%C3%A9%20n", (false, "here.test", 8080, "/caf%C3%A9%20n")),
            (ipv6, b"/n", "https://[::1]/n", (true, "[::1]", 443, "/n")),
            (Current { host: "[::1]", ..ipv6 }, b"/n", "https://[::1]/n", (true, "[::1]", 443, "/n")),
            (
                Current { host: "o g", ..HERE },
                b"http://there.test/",
                "http://there.test/",
                (false, "there.test", 80, "/"),
            ),
        ];
        for (current, location, url, (secure, host, port, target)) in rows {
            let expected = Decision::Follow {
                secure: *secure,
                host: host.to_string(),
                port: *port,
                target: target.to_string(),
                url: url.to_string(),
                method: "GET".to_owned(),
                keep_body: true,
            };
            assert_eq!(decide(302, Some(location), current, &RULES), expected);
        }
    }

    #[test]
    fn what_is_refused() {
        let secure = Current { secure: true, port: 443, ..HERE };
        let always = Rules { policy: WINHTTP_OPTION_REDIRECT_POLICY_ALWAYS, ..RULES };
        let rows: &[(Current<'_>, &[u8], Rules, Option<Win32Error>)] = &[
            (HERE, b"/n", Rules { followed: 1, limit: 2, ..RULES }, None),
            (HERE, b"/n", Rules { followed: 2, limit: 2, ..RULES }, Some(ERROR_WINHTTP_REDIRECT_FAILED)),
            (secure, b"http://there.test/", RULES, Some(ERROR_WINHTTP_REDIRECT_FAILED)),
            (secure, b"http://there.test/", always, None),
            (HERE, b"https://there.test/", RULES, None),
            (HERE, b"ftp://there.test/", always, Some(ERROR_WINHTTP_REDIRECT_FAILED)),
            (HERE, b"mailto:me@there.test", always, Some(ERROR_WINHTTP_REDIRECT_FAILED)),
            (HERE, b"http://", always, Some(ERROR_WINHTTP_INVALID_URL)),
            (HERE, b"http://there.test:65536/", always, Some(ERROR_WINHTTP_INVALID_URL)),
            (Current { host: "o g", ..HERE }, b"/n", always, Some(ERROR_WINHTTP_INVALID_URL)),
        ];
        for (current, location, rules, error) in rows {
            match (decide(302, Some(location), current, rules), error) {
                (Decision::Follow { .. }, None) => {}
                (Decision::Refuse(got), Some(error)) => assert_eq!(got, *error),
                (decision, _) => panic!("{decision:?} instead of {error:?}"),
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_a_target_is_one_word(location: Vec<u8>, text: String, status in 300u16..309) {
            for location in [&*location, text.as_bytes()] {
                if let Decision::Follow { target, .. } = decide(status, Some(location), &HERE, &RULES) {
                    prop_assert!(target.starts_with('/') && target.is_ascii());
                    prop_assert!(!target.contains(|c: char| c.is_ascii_control() || c == ' '));
                }
            }
        }
    }
}
