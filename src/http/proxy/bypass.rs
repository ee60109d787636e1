//! Bypass lists: `<local>`, names and addresses with `*` anywhere, schemes and ports, networks (source proxy.bypass).

use std::net::IpAddr;

use super::Destination;
use super::pac::network::Network;
use crate::http::is_localhost;

/// The hosts that are reached without the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BypassList(Vec<Rule>);

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    text: String,
    scheme: Option<String>,
    host: Pattern,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// `<local>`: names without a dot.
    Local,
    /// In lower case; `*` stands for any text.
    Glob(String),
    /// `10.0.0.0/8`
    Network(Network),
    /// `<-loopback>`: hosts on this machine go through the proxy, too.
    MinusLoopback,
    /// What else is between angle brackets.
    Nothing,
}

/// The entries of a list: between semicolons or white space.
pub(super) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ';' || c.is_whitespace()).filter(|entry| !entry.is_empty())
}

impl BypassList {
    /// Reads a list. Every text is one: what matches no host does no harm.
    pub fn parse(text: &str) -> BypassList {
        BypassList(entries(text).map(Rule::parse).collect())
    }

    /// What lets this destination bypass the proxy: the text of the first entry that it matches, or `<loopback>` for a host
    /// on this machine, unless the list has `<-loopback>` (source f04) or its name ends in a dot (source n197).
    pub fn matching(&self, to: &Destination<'_>) -> Option<&str> {
        let host = to.host.to_ascii_lowercase();
        let listed = self.0.iter().find(|rule| rule.matches(to, &host)).map(Rule::text);
        let implied = is_loopback(&host) && !self.0.iter().any(|rule| rule.host == Pattern::MinusLoopback);
        listed.or(implied.then_some("<loopback>"))
    }
}

impl Rule {
    fn parse(text: &str) -> Rule {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let (host, port) = split_port(rest);
        let host = host.to_ascii_lowercase();
        let host = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(&host) {
            "<local>" => Pattern::Local,
            "<-loopback>" => Pattern::MinusLoopback,
            other if other.starts_with('<') => Pattern::Nothing,
            other => match Network::parse(other).filter(|_| other.contains('/')) {
                Some(network) => Pattern::Network(network),
                None => Pattern::Glob(other.to_owned()),
            },
        };
        Rule { text: text.to_owned(), scheme, host, port }
    }

    /// The entry as given.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn matches(&self, to: &Destination<'_>, host: &str) -> bool {
        let scheme = if to.secure { "https" } else { "http" };
        self.scheme.as_deref().is_none_or(|wanted| glob(wanted, scheme))
            && self.port.is_none_or(|port| port == to.port)
            && match &self.host {
                Pattern::Local => !host.contains('.') && host.parse::<IpAddr>().is_err(),
                Pattern::Glob(pattern) => glob(pattern, host) || same_address(pattern, host),
                Pattern::Network(network) => host.parse().is_ok_and(|address| network.contains(address)),
                Pattern::MinusLoopback | Pattern::Nothing => false,
            }
    }
}

/// Whether a host, in lower case, is this machine: a name of it, 127.0.0.0/8, ::1.
fn is_loopback(host: &str) -> bool {
    let address = || host.strip_suffix('.').unwrap_or(host).trim_matches(['[', ']']).parse::<IpAddr>();
    is_localhost(host) && !host.ends_with('.') || address().is_ok_and(|address| address.is_loopback())
}

/// `host:port`; the colons of an IPv6 address without brackets are not before a port.
fn split_port(text: &str) -> (&str, Option<u16>) {
    let at = match text.rfind(']') {
        Some(end) => text[end..].find(':').map(|colon| end + colon),
        None if text.matches(':').count() == 1 => text.find(':'),
        None => None,
    };
    match at.and_then(|at| Some((&text[..at], text[at + 1..].parse().ok()?))) {
        Some((host, port)) => (host, Some(port)),
        // `host:*` is every port.
        None => (at.filter(|at| &text[at + 1..] == "*").map_or(text, |at| &text[..at]), None),
    }
}

/// The same address, written in two ways.
fn same_address(one: &str, other: &str) -> bool {
    matches!((one.parse::<IpAddr>(), other.parse::<IpAddr>()), (Ok(one), Ok(other)) if one == other)
}

/// Whether all of `text` matches `pattern`, in which `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    matches(pattern, text, None)
}

/// [`glob`] with `?` for any one character: `shExpMatch` of PAC scripts.
#[cfg_attr(not(feature = "pac"), allow(dead_code))]
pub(super) fn shell(pattern: &str, text: &str) -> bool {
    matches(pattern, text, Some('?'))
}

fn matches(pattern: &str, text: &str, any_one: Option<char>) -> bool {
    let (pattern, text): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last `*` does not fit.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            p += 1;
            retry = Some((p, t));
        } else if pattern.get(p).is_some_and(|wanted| *wanted == text[t] || Some(*wanted) == any_one) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = retry {
            p = star;
            t = from + 1;
            retry = Some((star, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|left| *left == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_hosts_bypass_the_proxy() {
        const YES: bool = true;
        const NO: bool = false;
        let rows: &[(&str, &str, bool)] = &[
            ("<local>", "http://intranet", YES),
            ("<LOCAL>", "http://intranet", YES),
            ("<local>", "http://www.test", NO),
            ("<local>", "http://10.0.0.1", NO),
            ("<local>", "http://[::2]", NO),
            ("<local>:8080", "http://intranet:8080", YES),
            ("<local>:8080", "http://intranet", NO),
            ("<-loopback>", "http://localhost", NO),
            ("a;<-Loopback>", "http://127.0.0.1", NO),
            ("<-loopback>;localhost", "http://localhost", YES),
            ("", "http://localhost", YES),
            ("", "http://LOCALHOST:8080", YES),
            ("", "http://localhost.:8080", NO),
            ("", "http://a.localhost.", NO),
            ("localhost.", "http://localhost.:8080", YES),
            ("", "https://a.localhost", YES),
            ("", "http://127.8.9.1", YES),
            ("", "http://[::1]", YES),
            ("", "http://notlocalhost", NO),
            ("", "http://128.0.0.1", NO),
            ("www.test", "http://WWW.TEST", YES),
            ("WWW.test", "http://www.test:8080", YES),
            ("www.test", "http://a.www.test", NO),
            ("www.test:8080", "http://www.test:8080", YES),
            ("www.test:8080", "http://www.test", NO),
            ("www.test:*", "http://www.test:81", YES),
            ("*.test", "http://www.test", YES),
            ("*.test", "http://test", NO),
            ("*.test:443", "https://a.b.test", YES),
            ("*.test:443", "http://a.b.test", NO),
            ("www.*.test", "http://www.a.test", YES),
            ("www.*", "http://www.a.test", YES),
            ("*corp*", "http://my.corpnet.test", YES),
            ("*", "https://anything", YES),
            ("**", "https://anything", YES),
            ("http://www.test", "http://www.test", YES),
            ("http://www.test", "https://www.test", NO),
            ("https://*.test:8443", "https://a.test:8443", YES),
            ("http*://*.test", "https://a.test", YES),
            ("192.168.*", "http://192.168.7.9", YES),
            ("192.168.*", "http://192.169.7.9", NO),
            ("10.0.0.1", "http://10.0.0.1", YES),
            ("10.0.0.0/8", "http://10.77.1.1", YES),
            ("10.0.0.0/8", "http://11.0.0.1", NO),
            ("10.0.0.0/8", "http://ten.test", NO),
            ("fe80::/10", "http://[fe80::1]", YES),
            ("[::1]", "http://[::1]", YES),
            ("[::1]:8080", "http://[::1]:8080", YES),
            ("[::2]:8080", "http://[::2]", NO),
            ("::1", "http://[0:0::1]", YES),
            ("a;b c\t;;d", "http://d", YES),
            ("a;b", "http://c", NO),
            ("", "http://a", NO),
            ("://", "http://a", NO),
        ];
        for (list, url, expected) in rows {
            let url = url::Url::parse(url).unwrap();
            let host = url.host_str().unwrap().trim_matches(['[', ']']);
            let to = Destination { secure: url.scheme() == "https", host, port: url.port_or_known_default().unwrap() };
            assert_eq!(BypassList::parse(list).matching(&to).is_some(), *expected, "{list:?} {url}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        assert!(!glob(&"*a".repeat(40), &"a".repeat(30)));
        assert!(!glob(&format!("{}b", "*a".repeat(200)), &"a".repeat(5_000)));
    }

    proptest::proptest! {
        #[test]
        fn no_list_panics(text: String, odd in "([a:/\\[\\]*<>;.0-9]{0,4}){0,6}", host: String) {
            let to = Destination { secure: false, host: &host, port: 80 };
            BypassList::parse(&text).matching(&to);
            BypassList::parse(&odd).matching(&to);
        }
    }
}
