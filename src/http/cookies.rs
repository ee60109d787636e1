//! The cookies of a session (sources cookie.order, CK1): RFC 6265 where WinHTTP's own order and matching are not known.
//!
//! SameSite is not looked at: no WinHTTP request has a page that it comes from.

use std::time::{Duration, SystemTime};

use super::cookie_date;
use super::zone::without_zone;

/// A cookie whose name and value are longer together is not stored (RFC 6265, 6.1).
const LENGTH_AT_MOST: usize = 4096;
/// How many cookies one domain may have, and all: the oldest go first.
const OF_A_DOMAIN: usize = 180;
const OF_ALL: usize = 3000;

/// The request that cookies are for, or whose reply sets them.
#[derive(Clone, Copy, Debug)]
pub struct RequestUri<'a> {
    /// Whether TLS is spoken.
    pub secure: bool,
    /// Host name or address literal.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    /// In lower case.
    domain: String,
    /// Whether subdomains get it, too.
    subdomains: bool,
    path: String,
    secure: bool,
    /// `None`: it lives as long as the session.
    expires: Option<SystemTime>,
}

/// A session's cookies, the one stored first at the front.
#[derive(Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

impl RequestUri<'_> {
    fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// RFC 6265, 5.1.4: the path up to its last slash.
    fn default_path(&self) -> &str {
        match self.path().rfind('/') {
            None | Some(0) => "/",
            Some(slash) => &self.path()[..slash],
        }
    }
}

impl Jar {
    /// The value of the Cookie header that belongs to a request at `now`, the newest cookie first
    /// (source cookie.order).
    pub fn header(&mut self, uri: &RequestUri<'_>, now: SystemTime) -> Option<Vec<u8>> {
        if self.is_empty() {
            return None;
        }
        self.forget_expired(now);
        let host = uri.host.to_ascii_lowercase();
        let matching = self.cookies.iter().rev().filter(|cookie| cookie.is_for(uri, &host));
        let pairs: Vec<_> = matching.map(|cookie| [&*cookie.name, &cookie.value].join(&b'=')).collect();
        (!pairs.is_empty()).then(|| pairs.join(b"; ".as_slice()))
    }

    /// Takes a Set-Cookie header of a reply. One that means nothing, or that the server may not set, changes nothing. Without TLS one
    /// with Secure is replaced, too (source cookie.secure-replaced).
    pub fn store(&mut self, field: &[u8], uri: &RequestUri<'_>, now: SystemTime) {
        let Some(cookie) = Cookie::read(field, uri, now) else { return };
        self.cookies.retain(|known| !known.is_same(&cookie));
        self.forget_expired(now);
        if cookie.is_over(now) {
            return;
        }
        let of_domain = self.cookies.iter().filter(|known| known.domain == cookie.domain).count();
        if of_domain >= OF_A_DOMAIN {
            let oldest = self.cookies.iter().position(|known| known.domain == cookie.domain);
            oldest.map(|at| self.cookies.remove(at));
        } else if self.cookies.len() >= OF_ALL {
            self.cookies.remove(0);
        }
        self.cookies.push(cookie);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.cookies.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    fn forget_expired(&mut self, now: SystemTime) {
        self.cookies.retain(|cookie| !cookie.is_over(now));
    }
}

impl Cookie {
    fn read(field: &[u8], uri: &RequestUri<'_>, now: SystemTime) -> Option<Cookie> {
        if field.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        let mut parts = field.split(|byte| *byte == b';');
        let (name, value) = pair(parts.next()?);
        let value = value.filter(|value| !name.is_empty() && name.len() + value.len() <= LENGTH_AT_MOST)?;
        let host = uri.host.to_ascii_lowercase();
        let mut cookie = Cookie {
            name: name.to_vec(),
            value: value.to_vec(),
            domain: host.clone(),
            subdomains: false,
            path: uri.default_path().to_owned(),
            secure: false,
            expires: None,
        };
        let mut max_age = None;
        for part in parts {
            let (attribute, value) = pair(part);
            let value = std::str::from_utf8(value.unwrap_or_default()).unwrap_or_default();
            match attribute.to_ascii_lowercase().as_slice() {
                b"domain" => cookie.belong(value, &host)?,
                b"path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                b"path" => uri.default_path().clone_into(&mut cookie.path),
                b"secure" => cookie.secure = true,
                b"expires" => cookie.expires = cookie_date::parse(value).or(cookie.expires),
                b"max-age" => max_age = age(value).or(max_age),
                _ => {}
            }
        }
        if let Some(age) = max_age {
            // What ends after the end of time never ends.
            cookie.expires = if age.is_zero() { Some(SystemTime::UNIX_EPOCH) } else { now.checked_add(age) };
        }
        Some(cookie)
    }

    /// The Domain attribute. `None`: this host may not set such a cookie. An empty one counts as absent.
    fn belong(&mut self, domain: &str, host: &str) -> Option<()> {
        let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
        if domain.is_empty() {
            return Some(());
        }
        if domain == host {
            // What stands for all of a registry's names, or for an address, is for this host alone.
            self.subdomains = !is_public_suffix(&domain) && !is_address(host);
        } else if is_below(host, &domain) && !is_public_suffix(&domain) {
            self.subdomains = true;
        } else {
            return None;
        }
        self.domain = domain;
        Some(())
    }

    fn is_same(&self, other: &Cookie) -> bool {
        self.name == other.name && self.domain == other.domain && self.path == other.path
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// `host`: of the uri, in lower case.
    fn is_for(&self, uri: &RequestUri<'_>, host: &str) -> bool {
        let domain = self.domain == host || (self.subdomains && is_below(host, &self.domain));
        let path = uri.path().strip_prefix(self.path.as_str());
        let path = path.is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        domain && path && (uri.secure || !self.secure)
    }
}

/// `name = value`, both without the spaces around them.
fn pair(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    match part.iter().position(|byte| *byte == b'=') {
        Some(equals) => (part[..equals].trim_ascii(), Some(part[equals + 1..].trim_ascii())),
        None => (part.trim_ascii(), None),
    }
}

/// Max-Age: seconds; what is not positive ends the cookie at once, what is no number does not count.
fn age(value: &str) -> Option<Duration> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = if digits.len() < value.len() { 0 } else { digits.parse().unwrap_or(u64::MAX) };
    Some(Duration::from_secs(seconds))
}

fn is_below(host: &str, domain: &str) -> bool {
    !is_address(host) && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

fn is_address(host: &str) -> bool {
    without_zone(host.trim_matches(['[', ']'])).parse::<std::net::IpAddr>().is_ok()
}

/// Whether registries hand out names below this one (publicsuffix.org); so does any name without a dot.
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn uri(url: &str) -> RequestUri<'_> {
        let (scheme, rest) = url.split_once("://").unwrap();
        let slash = rest.find('/').unwrap_or(rest.len());
        let host = rest[..slash].split(':').next().unwrap();
        RequestUri { secure: scheme == "https", host, target: &rest[slash..] }
    }

    fn header(jar: &mut Jar, url: &str) -> Option<String> {
        jar.header(&uri(url), now()).map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn who_gets_which() {
        // Set-Cookie, by whom, for whom, and what that one sends.
        let rows: &[(&str, &str, &str, Option<&str>)] = &[
            ("name = value ", "http://h/", "http://h/", Some("name=value")),
            ("name=", "http://h/", "http://h/x", Some("name=")),
            ("name=a=b", "http://h/", "http://h/", Some("name=a=b")),
            ("name=\"q; x\"", "http://h/", "http://h/", Some("name=\"q")),
            ("name", "http://h/", "http://h/", None),
            ("=value", "http://h/", "http://h/", None),
            ("a=b\u{1}", "http://h/", "http://h/", None),
            ("a=b", "http://h/", "https://h:8443/", Some("a=b")),
            ("a=b", "http://H/", "http://h/", Some("a=b")),
            ("a=b", "http://h/", "http://x.h/", None),
            // Domain
            ("a=b; Domain = localhost", "http://localhost/", "http://localhost/", Some("a=b")),
            ("a=b; Domain=localhost", "http://localhost/", "http://x.localhost/", None),
            ("a=b; DOMAIN=.Example.org", "http://www.example.org/", "http://other.example.org/", Some("a=b")),
            ("a=b; domain=example.org", "http://example.org/", "http://x.y.example.org/", Some("a=b")),
            ("a=b; domain=example.org", "http://www.example.org/", "http://badexample.org/", None),
            ("a=b; domain=www.example.org", "http://example.org/", "http://www.example.org/", None),
            ("a=b; domain=example.org", "http://example.com/", "http://example.org/", None),
            ("a=b; domain=org", "http://example.org/", "http://example.org/", None),
            ("a=b; domain=co.uk", "http://shop.co.uk/", "http://shop.co.uk/", None),
            ("a=b; domain=shop.co.uk", "http://x.shop.co.uk/", "http://shop.co.uk/", Some("a=b")),
            ("a=b; domain=github.io", "http://one.github.io/", "http://two.github.io/", None),
            ("a=b; domain=github.io", "http://github.io/", "http://github.io/", Some("a=b")),
            ("a=b; domain=", "http://h/", "http://h/", Some("a=b")),
            ("a=b; domain=127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", Some("a=b")),
            ("a=b; domain=0.0.1", "http://127.0.0.1/", "http://127.0.0.1/", None),
            // Path
            ("a=b", "http://h/x/y?z=/w/", "http://h/x/other", Some("a=b")),
            ("a=b", "http://h/x/y", "http://h/", None),
            ("a=b; Path=/x", "http://h/", "http://h/x?q", Some("a=b")),
            ("a=b; Path=/x", "http://h/", "http://h/x/y", Some("a=b")),
            ("a=b; Path=/x", "http://h/", "http://h/xy", None),
            ("a=b; Path=/x/", "http://h/", "http://h/x", None),
            ("a=b; Path=x", "http://h/y/z", "http://h/y/", Some("a=b")),
            // Secure, HttpOnly, SameSite
            ("a=b; SECURE", "https://h/", "https://h/", Some("a=b")),
            ("a=b; Secure; HttpOnly", "https://h/", "http://h/", None),
            ("a=b; HttpOnly; SameSite=Strict; Unknown=1", "http://h/", "http://h/", Some("a=b")),
            // Expires, Max-Age
            ("a=b; Expires=Wed, 09 Jun 2021 10:18:14 GMT", "http://h/", "http://h/", None),
            ("a=b; Expires=Wed, 09 Jun 2999 10:18:14 GMT", "http://h/", "http://h/", Some("a=b")),
            ("a=b; expires=no date", "http://h/", "http://h/", Some("a=b")),
            ("a=b; max-age=1", "http://h/", "http://h/", Some("a=b")),
            ("a=b; max-age=0", "http://h/", "http://h/", None),
            ("a=b; max-age=-5", "http://h/", "http://h/", None),
            ("a=b; max-age=soon", "http://h/", "http://h/", Some("a=b")),
            ("a=b; max-age=99999999999999999999999", "http://h/", "http://h/", Some("a=b")),
            ("a=b; max-age=60; expires=Wed, 09 Jun 2021 10:18:14 GMT", "http://h/", "http://h/", Some("a=b")),
            ("a=b; expires=Wed, 09 Jun 2999 10:18:14 GMT; Max-Age=0", "http://h/", "http://h/", None),
        ];
        for (field, by, to, sent) in rows {
            let mut jar = Jar::default();
            jar.store(field.as_bytes(), &uri(by), now());
            assert_eq!(header(&mut jar, to).as_deref(), *sent, "{field} of {by} for {to}");
        }
    }

    #[test]
    fn newest_first_and_names_have_case() {
        let mut jar = Jar::default();
        for (field, sent) in [
            ("name=value", "name=value"),
            ("NAME=value", "NAME=value; name=value"),
            ("name=value2", "name=value2; NAME=value"),
            ("name=other; path=/x", "name=value2; NAME=value"),
            ("NAME=; max-age=0", "name=value2"),
        ] {
            jar.store(field.as_bytes(), &uri("http://h/"), now());
            assert_eq!(header(&mut jar, "http://h/").as_deref(), Some(sent), "{field}");
        }
        assert_eq!(header(&mut jar, "http://h/x").as_deref(), Some("name=other; name=value2"));
    }

    #[test]
    fn plain_http_replaces_secure_cookies() {
        for (field, sent) in [("a=c", Some("a=c")), ("a=; max-age=0", None)] {
            let mut jar = Jar::default();
            jar.store(b"a=b; Secure", &uri("https://h/"), now());
            jar.store(field.as_bytes(), &uri("http://h/"), now());
            assert_eq!(header(&mut jar, "https://h/").as_deref(), sent, "{field}");
        }
    }

    #[test]
    fn time_ends_them() {
        let mut jar = Jar::default();
        jar.store(b"a=b; max-age=10", &uri("http://h/"), now());
        let at = |seconds| now() + Duration::from_secs(seconds);
        assert!(jar.header(&uri("http://h/"), at(9)).is_some());
        assert!(jar.header(&uri("http://h/"), at(10)).is_none());
        assert!(jar.is_empty());
    }

    #[test]
    fn no_server_fills_the_memory() {
        let mut jar = Jar::default();
        jar.store(&[b"a=".as_slice(), &[b'x'; LENGTH_AT_MOST]].concat(), &uri("http://h/"), now());
        assert_eq!(jar.len(), 0);
        for number in 0..OF_A_DOMAIN * 2 {
            jar.store(format!("n{number}=v").as_bytes(), &uri("http://h/"), now());
        }
        assert_eq!(jar.len(), OF_A_DOMAIN);
        for number in 0..OF_ALL * 2 {
            let host = format!("http://h{number}/");
            jar.store(b"a=b", &uri(&host), now());
        }
        assert_eq!(jar.len(), OF_ALL);
        assert_eq!(header(&mut jar, &format!("http://h{}/", OF_ALL * 2 - 1)).as_deref(), Some("a=b"));
    }

    proptest::proptest! {
        /// No Set-Cookie panics, and what is sent is what was set.
        #[test]
        fn no_field_panics(any: Vec<u8>, likely in "[a-c]{0,2} ?=[a-c;= ]{0,9}(; ?(domain|path|max-age|expires|secure)=?[a-z0-9/. -]{0,9}){0,3}") {
            for field in [&any, &likely.into_bytes()] {
                let mut jar = Jar::default();
                jar.store(field, &uri("http://a.example.org/x/y"), now());
                if let Some(sent) = jar.header(&uri("https://a.example.org/x/y"), now()) {
                    proptest::prop_assert!(!sent.contains(&b'\r') && !sent.contains(&b'\n') && !sent.contains(&b';'));
                }
            }
        }
    }
}
