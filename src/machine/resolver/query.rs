//! What a resolver is asked, and which sources that leaves it.

use std::collections::VecDeque;

use crate::http::proxy::{Choice, ChoiceReason, Destination, UserSettings};
use crate::http::url;
use crate::http::zone::without_zone;
use crate::win32::{
    ERROR_INVALID_PARAMETER, WINHTTP_AUTO_DETECT_TYPE_DNS_A, WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG,
    WINHTTP_AUTOPROXY_ALLOW_STATIC, WINHTTP_AUTOPROXY_AUTO_DETECT, WINHTTP_AUTOPROXY_CONFIG_URL,
    WINHTTP_AUTOPROXY_HOST_KEEPCASE, WINHTTP_AUTOPROXY_HOST_LOWERCASE, Win32Error,
};

/// WINHTTP_AUTOPROXY_OPTIONS, as far as they matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AutoProxy {
    /// WINHTTP_AUTOPROXY_* bits.
    pub flags: u32,
    /// WINHTTP_AUTO_DETECT_TYPE_* bits.
    pub detect: u32,
    /// lpszAutoConfigUrl
    pub script: Option<String>,
}

impl AutoProxy {
    /// ERROR_INVALID_PARAMETER for options that ask for nothing, or do not say how (source proxy.for-url).
    pub fn check(&self) -> Result<(), Win32Error> {
        let sources = WINHTTP_AUTOPROXY_AUTO_DETECT
            | WINHTTP_AUTOPROXY_CONFIG_URL
            | WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG
            | WINHTTP_AUTOPROXY_ALLOW_STATIC;
        let has = |flag| self.flags & flag != 0;
        let detects_nowhere = has(WINHTTP_AUTOPROXY_AUTO_DETECT) && self.detect == 0;
        let no_script = has(WINHTTP_AUTOPROXY_CONFIG_URL) && self.script.as_deref().is_none_or(str::is_empty);
        if !has(sources) || detects_nowhere || no_script { Err(ERROR_INVALID_PARAMETER) } else { Ok(()) }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub struct Query {
    /// The URL as a script sees it: the scheme in lower case, nothing of the user, no fragment, and of https no path.
    pub url: String,
    /// The host as a script sees it.
    pub host: String,
    secure: bool,
    port: u16,
    /// `None`: as the user's settings say (WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY).
    options: Option<AutoProxy>,
}

impl Query {
    /// A question about a URL. ERROR_WINHTTP_INVALID_URL, ERROR_WINHTTP_UNRECOGNIZED_SCHEME.
    pub fn new(given: &[u16], options: Option<AutoProxy>) -> Result<Query, Win32Error> {
        let (secure, parts) = url::crack_http(given)?;
        let text = |range: std::ops::Range<usize>| String::from_utf16_lossy(&given[range]);
        let flags = options.as_ref().map_or(0, |options| options.flags);
        let keeps = flags & WINHTTP_AUTOPROXY_HOST_KEEPCASE != 0 || flags & WINHTTP_AUTOPROXY_HOST_LOWERCASE == 0;
        // A bare `?` and a fragment count as the host's (source crack.parts); not for a script.
        let host = text(parts.host.clone());
        let (host, query) = host.split_at(host.find(['?', '#']).unwrap_or(host.len()));
        let host = if keeps { host.to_owned() } else { host.to_lowercase() };
        let (scheme, usual) = if secure { ("https", 443) } else { ("http", 80) };
        let port = if parts.port == usual { String::new() } else { format!(":{}", parts.port) };
        // What stands behind the host of a secure URL is nobody's business on the way.
        let path = if secure { "/".to_owned() } else { [query, &text(parts.path), &text(parts.extra)].concat() };
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        let url = format!("{scheme}://{host}{port}{path}");
        let host = without_zone(host.trim_matches(['[', ']'])).to_owned();
        Ok(Query { url, host, secure, port: parts.port, options })
    }

    /// The sources, in the order in which they are asked.
    pub fn sources(&self, user: &UserSettings) -> VecDeque<Source> {
        let mut sources = VecDeque::new();
        let has = |flag| self.options.as_ref().is_none_or(|options| options.flags & flag != 0);
        if has(WINHTTP_AUTOPROXY_AUTO_DETECT) && (self.options.is_some() || user.detect) {
            let detect = self.options.as_ref().map_or(WINHTTP_AUTO_DETECT_TYPE_DNS_A, |options| options.detect);
            sources.push_back(Source::Network(detect));
        }
        if let Some(options) = self.options.as_ref().filter(|_| has(WINHTTP_AUTOPROXY_CONFIG_URL)) {
            sources.extend(options.script.clone().map(Source::Script));
        }
        if has(WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG) {
            sources.extend(user.script.clone().map(Source::Script));
        }
        if has(WINHTTP_AUTOPROXY_ALLOW_STATIC) {
            sources.push_back(Source::Lists);
        }
        sources
    }

    /// What the user's lists say.
    pub fn of_lists(&self, user: &UserSettings) -> Choice {
        let to = Destination { secure: self.secure, host: &self.host, port: self.port };
        user.named.as_ref().map_or_else(|| Choice::direct(ChoiceReason::NoProxy), |named| named.choose(&to))
    }
}

/// Whom a resolver asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// WPAD, by WINHTTP_AUTO_DETECT_TYPE_* bits.
    Network(u32),
    /// The script at this URL.
    Script(String),
    /// The user's lists.
    Lists,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(url: &str, flags: u32) -> Result<Query, Win32Error> {
        let options = AutoProxy { flags, ..AutoProxy::default() };
        Query::new(&url.encode_utf16().collect::<Vec<_>>(), Some(options))
    }

    #[test]
    fn what_a_script_sees() {
        const KEEP: u32 = WINHTTP_AUTOPROXY_HOST_KEEPCASE;
        const LOWER: u32 = WINHTTP_AUTOPROXY_HOST_LOWERCASE;
        let rows = [
            ("HTTP://WINEHQ.ORG/Test.html", 0, "http://WINEHQ.ORG/Test.html", "WINEHQ.ORG"),
            ("HTTP://WINEHQ.ORG/Test.html", LOWER, "http://winehq.org/Test.html", "winehq.org"),
            ("HTTP://WINEHQ.ORG/Test.html", LOWER | KEEP, "http://WINEHQ.ORG/Test.html", "WINEHQ.ORG"),
            ("http://a.test", 0, "http://a.test/", "a.test"),
            // source n218
            ("http://a.test:8080/b?c#d", 0, "http://a.test:8080/b?c#d", "a.test"),
            ("http://a.test#d", 0, "http://a.test/#d", "a.test"),
            ("http://a.test?c", 0, "http://a.test/?c", "a.test"),
            ("http://user:pass@a.test/", 0, "http://a.test/", "a.test"),
            ("https://a.test/secret?token#x", 0, "https://a.test/", "a.test"),
            ("https://a.test:8443/", 0, "https://a.test:8443/", "a.test"),
            ("http://[::1]:81/", 0, "http://[::1]:81/", "::1"),
            ("http://[fe80::1%18]/", 0, "http://[fe80::1%18]/", "fe80::1"),
        ];
        for (url, flags, seen, host) in rows {
            let query = query(url, flags).unwrap();
            assert_eq!((&*query.url, &*query.host), (seen, host), "{url} {flags}");
        }
        for (url, error) in [
            ("http:", 12005),
            ("ftp://a/", 12006),
            ("ws://a/", 12006),
            ("gopher://a/", 12006),
            ("", 12006),
            ("http://", 12005),
        ] {
            assert_eq!(query(url, 0).map(|query| query.url), Err(Win32Error(error)), "{url}");
        }
    }

    #[test]
    fn which_sources_are_asked() {
        let user = UserSettings { detect: true, script: Some("u".into()), named: None };
        let (detect, config) = (WINHTTP_AUTOPROXY_AUTO_DETECT, WINHTTP_AUTOPROXY_CONFIG_URL);
        let (auto, fixed) = (WINHTTP_AUTOPROXY_ALLOW_AUTOCONFIG, WINHTTP_AUTOPROXY_ALLOW_STATIC);
        let (network, given) = (Source::Network(3), Source::Script("g".into()));
        let (users, lists) = (Source::Script("u".into()), Source::Lists);
        let rows = [
            (detect, vec![network.clone()]),
            (config, vec![given.clone()]),
            (detect | config, vec![network.clone(), given.clone()]),
            (auto, vec![users.clone()]),
            (fixed, vec![lists.clone()]),
            (detect | config | auto | fixed, vec![network, given, users.clone(), lists.clone()]),
        ];
        for (flags, sources) in rows {
            let options = AutoProxy { flags, detect: 3, script: Some("g".into()) };
            assert_eq!(options.check(), Ok(()));
            let query = Query::new(&"http://a/".encode_utf16().collect::<Vec<_>>(), Some(options)).unwrap();
            assert_eq!(Vec::from(query.sources(&user)), sources, "{flags:#x}");
        }
        let automatic = Query::new(&"http://a/".encode_utf16().collect::<Vec<_>>(), None).unwrap();
        assert_eq!(Vec::from(automatic.sources(&user)), [Source::Network(2), users, lists.clone()]);
        assert_eq!(Vec::from(automatic.sources(&UserSettings::default())), [lists]);
    }

    #[test]
    fn options_that_ask_for_nothing() {
        let options =
            |flags, detect, script: Option<&str>| AutoProxy { flags, detect, script: script.map(str::to_owned) };
        for bad in [
            options(0, 0, None),
            options(0, 3, Some("u")),
            options(WINHTTP_AUTOPROXY_HOST_LOWERCASE, 0, None),
            options(WINHTTP_AUTOPROXY_AUTO_DETECT, 0, None),
            options(WINHTTP_AUTOPROXY_CONFIG_URL, 0, None),
            options(WINHTTP_AUTOPROXY_CONFIG_URL, 0, Some("")),
            options(WINHTTP_AUTOPROXY_AUTO_DETECT | WINHTTP_AUTOPROXY_CONFIG_URL, 3, None),
        ] {
            assert_eq!(bad.check(), Err(ERROR_INVALID_PARAMETER), "{bad:?}");
        }
    }
}
