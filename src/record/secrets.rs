//! What a trace does not keep: by a list of names, and by how names and values look.

use super::Field;

/// What stands in a trace for a secret.
const REDACTED: &str = "[redacted]";

/// Headers whose whole value is secret.
const WHOLE: [&str; 9] = [
    "cookie",
    "cookie2",
    "set-cookie",
    "set-cookie2",
    "authentication-info",
    "proxy-authentication-info",
    "www-authenticate-session",
    "x-forwarded-client-cert",
    "x-client-cert",
];
/// Headers of a scheme and what it says: the scheme is kept.
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];
/// Headers of challenges: one that brings a token does not keep it.
const CHALLENGES: [&str; 2] = ["www-authenticate", "proxy-authenticate"];
/// Headers that hold URLs.
const URLS: [&str; 7] = ["location", "content-location", "referer", "link", "refresh", "origin", "destination"];
/// Headers that look secret by their name and are not.
const PUBLIC: [&str; 6] = [
    "sec-websocket-key",
    "idempotency-key",
    "access-control-allow-credentials",
    "public-key-pins",
    "author",
    "surrogate-key",
];
/// Parts of a name, of a header or of a parameter, that tell of a secret.
const PARTS: [&str; 17] = [
    "token",
    "secret",
    "passw",
    "pwd",
    "passphrase",
    "apikey",
    "auth",
    "credential",
    "session",
    "signature",
    "private",
    "csrf",
    "xsrf",
    "jwt",
    "assertion",
    "otp",
    "ticket",
];
/// Whole words of a name that tell of one.
const WORDS: [&str; 7] = ["key", "sig", "sid", "code", "pin", "user", "pass"];

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    let joined: String = words().collect();
    PARTS.iter().any(|part| joined.contains(part)) || words().any(|word| WORDS.contains(&word))
}

/// Whether a value looks like a secret wherever it stands: a JSON Web Token, credentials of a scheme, a key of a cloud.
fn is_secret_value(value: &str) -> bool {
    let token = |word: &str| {
        let web = word.starts_with("eyJ") && word.bytes().filter(|byte| *byte == b'.').count() >= 2;
        let cloud = ["AKIA", "ASIA", "ghp_", "gho_", "github_pat_", "xoxb-", "xoxp-", "sk-", "sk_live_"];
        web || (word.len() >= 16 && cloud.iter().any(|start| word.starts_with(start)))
    };
    let mut words = value.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '=' | '&'));
    let lower = value.trim_start().to_ascii_lowercase();
    let scheme = ["basic ", "bearer ", "negotiate ", "ntlm "].iter().any(|scheme| lower.starts_with(scheme));
    scheme || words.any(token) || value.contains("-----BEGIN")
}

/// A header field as a trace keeps it. Secrets are not kept: see the lists of this module.
pub fn field(name: &str, value: &[u8]) -> Field {
    let text = String::from_utf8_lossy(value);
    let lower = name.to_ascii_lowercase();
    let kept = match &*lower {
        known if WHOLE.contains(&known) => REDACTED.to_owned(),
        known if CREDENTIALS.contains(&known) => {
            text.split_once(' ').map_or(REDACTED.to_owned(), |(scheme, _)| format!("{scheme} {REDACTED}"))
        }
        known if CHALLENGES.contains(&known) => challenge(&text),
        known if URLS.contains(&known) => url(&text),
        known if PUBLIC.contains(&known) => text.into_owned(),
        known if is_secret_name(known) || is_secret_value(&text) => REDACTED.to_owned(),
        _ if text.contains("://") => url(&text),
        _ => text.into_owned(),
    };
    (name.to_owned(), kept)
}

/// A challenge: its parameters tell nothing, its token may.
fn challenge(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once(' ') else { return text.to_owned() };
    let rest = rest.trim();
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let token = !rest.is_empty() && rest.trim_end_matches('=').bytes().all(|byte| word(byte) && byte != b'=');
    if token { format!("{scheme} {REDACTED}") } else { text.to_owned() }
}

/// A URL, or text with some in it, as a trace keeps it: without user name and password, and without the values of
/// parameters that look secret.
pub fn url(text: &str) -> String {
    target(&without_user(text), false)
}

fn without_user(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        kept.push_str(before);
        let authority = behind.find(['/', '?', '#', ' ', '>', '"', ',', ';']).unwrap_or(behind.len());
        let (user, host) = behind[..authority].rsplit_once('@').unwrap_or(("", &behind[..authority]));
        if !user.is_empty() || behind[..authority].starts_with('@') {
            kept.push_str(REDACTED);
            kept.push('@');
        }
        kept.push_str(host);
        rest = &behind[authority..];
    }
    kept + rest
}

/// A path with its query, or a URL: the values of parameters that look secret are not kept, and those of `all` where that
/// is asked for.
pub fn target(text: &str, all: bool) -> String {
    let Some(query) = text.find(['?', '#']) else { return text.to_owned() };
    let mut kept = text[..query].to_owned();
    let mut rest = &text[query..];
    while let Some(mark) = rest.chars().next() {
        if matches!(mark, ' ' | '>') {
            // The URL is over.
            let next = rest.find(['?', '#']).unwrap_or(rest.len());
            kept.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        let end = rest[1..].find(['&', '?', '#', ' ', '>', ';']).map_or(rest.len(), |end| end + 1);
        kept.push(mark);
        kept.push_str(&parameter(&rest[1..end], all));
        rest = &rest[end..];
    }
    kept
}

fn parameter(text: &str, all: bool) -> String {
    match text.split_once('=') {
        Some((_, "")) | None if !all && !is_secret_value(text) => text.to_owned(),
        None if text.is_empty() => String::new(),
        None => REDACTED.to_owned(),
        Some((name, value)) if all || is_secret_name(name) || is_secret_value(value) => format!("{name}={REDACTED}"),
        Some(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_headers() {
        let rows = [
            ("Authorization", "Basic dXNlcjpwYXNz", "Basic [redacted]"),
            ("PROXY-AUTHORIZATION", "token", "[redacted]"),
            ("cookie", "a=b", "[redacted]"),
            ("Set-Cookie", "a=b; Secure", "[redacted]"),
            ("Authentication-Info", "nextnonce=\"x\", rspauth=\"y\"", "[redacted]"),
            ("Proxy-Authentication-Info", "x", "[redacted]"),
            ("WWW-Authenticate", "Negotiate YIIabc+/==", "Negotiate [redacted]"),
            ("WWW-Authenticate", "NTLM TlRMTVNTUAAC", "NTLM [redacted]"),
            ("WWW-Authenticate", "Negotiate", "Negotiate"),
            ("WWW-Authenticate", "Basic realm=\"r\"", "Basic realm=\"r\""),
            ("Proxy-Authenticate", "Digest realm=\"r\", nonce=\"n\"", "Digest realm=\"r\", nonce=\"n\""),
            ("X-Api-Key", "k", "[redacted]"),
            ("api_key", "k", "[redacted]"),
            ("X-Auth-Token", "t", "[redacted]"),
            ("X-Amz-Security-Token", "t", "[redacted]"),
            ("X-Session-Id", "7", "[redacted]"),
            ("X-CSRF", "7", "[redacted]"),
            ("X-Hub-Signature-256", "sha256=1", "[redacted]"),
            ("Ocp-Apim-Subscription-Key", "k", "[redacted]"),
            ("X-Custom", "Bearer abc", "[redacted]"),
            ("X-Custom", "id=eyJhbGciOi.eyJzdWIi.c2ln", "[redacted]"),
            ("X-Custom", "AKIAIOSFODNN7EXAMPLE", "[redacted]"),
            (
                "Location",
                "http://u:p@h/a?token=t&page=2#access_token=x",
                "http://[redacted]@h/a?token=[redacted]&page=2#access_token=[redacted]",
            ),
            ("Referer", "https://@h/?sig=1", "https://[redacted]@h/?sig=[redacted]"),
            ("Link", "<http://a:b@h/x?key=1>; rel=next", "<http://[redacted]@h/x?key=[redacted]>; rel=next"),
            ("X-Where", "http://a:b@h/", "http://[redacted]@h/"),
            ("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEC==", "AQIDBAUGBwgJCgsMDQ4PEC=="),
            ("ETag", "7", "7"),
            ("Content-Type", "text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ];
        for (name, value, kept) in rows {
            assert_eq!(field(name, value.as_bytes()).1, kept, "{name}: {value}");
        }
    }

    #[test]
    fn secrets_of_urls() {
        let rows = [
            ("http://u:p@h/a@b", "http://[redacted]@h/a@b"),
            ("http://h/a@b", "http://h/a@b"),
            ("http://u@h", "http://[redacted]@h"),
            ("/x", "/x"),
            ("/x?", "/x?"),
            ("/x?a=1&b", "/x?a=1&b"),
            ("/x?X-Amz-Signature=1&X-Amz-Date=2", "/x?X-Amz-Signature=[redacted]&X-Amz-Date=2"),
            ("/cb?code=1&state=2", "/cb?code=[redacted]&state=2"),
            ("/x?eyJh.eyJz.c2ln", "/x?[redacted]"),
        ];
        for (text, kept) in rows {
            assert_eq!(url(text), kept);
            assert_eq!(url(&url(text)), kept, "again");
        }
        assert_eq!(target("/x?a=1&b&c=", true), "/x?a=[redacted]&[redacted]&c=[redacted]");
        assert_eq!(target("GET /x?a=1, secure", true), "GET /x?a=[redacted] secure");
        assert_eq!(target("/x", true), "/x");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String, odd in "([a?&=#/:@; ]|://|\u{e9}|key){0,24}") {
            for text in [&*text, &*odd] {
                let _ = (url(text), target(text, true), field(text, odd.as_bytes()), field("Location", text.as_bytes()));
            }
        }
    }
}
