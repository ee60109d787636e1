//! Bypass lists: `<local>`, names and addresses with `*` anywhere, each with a port (source proxy.bypass).

use std::net::IpAddr;

use super::Destination;
use super::pac::network::Network;
use crate::http::is_localhost;

/// A bypass list with a `/` in it: it is no list, also if only one entry has it (source proxy.bypass-slash).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be in a bypass list: an entry has neither a scheme nor a path, and a network is written 10.*")]
pub struct BadBypass(pub String);

/// The hosts that are reached without the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BypassList(Vec<Rule>);

const MINUS_LOOPBACK: &str = "<-loopback>";

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    text: String,
    host: Pattern,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// `<local>`: names without a dot.
    Local,
    /// In lower case, an address in its usual form; `*` stands for any text.
    Glob(String),
    /// What `no_proxy` alone can say.
    Network(Network),
    /// `<-loopback>`: hosts on this machine go through the proxy, too (source proxy.minus-loopback).
    MinusLoopback,
    /// What else is between angle brackets.
    Nothing,
}

/// The entries of a list: between semicolons or white space.
pub(super) fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ';' || c.is_whitespace()).filter(|entry| !entry.is_empty())
}

impl BypassList {
    /// Reads a list. What matches no host does no harm.
    pub fn parse(text: &str) -> Result<BypassList, BadBypass> {
        match entries(text).find(|entry| entry.contains('/')) {
            Some(entry) => Err(BadBypass(entry.to_owned())),
            None => Ok(BypassList(entries(text).map(Rule::parse).collect())),
        }
    }

    /// The same list, and the addresses of a network.
    pub(super) fn and_network(mut self, text: &str, network: Network) -> BypassList {
        self.0.push(Rule { text: text.to_owned(), host: Pattern::Network(network), port: None });
        self
    }

    /// The same list, as if it had `<-loopback>`.
    pub(super) fn minus_loopback(mut self) -> BypassList {
        self.0.push(Rule::parse(MINUS_LOOPBACK));
        self
    }

    /// What lets this destination bypass the proxy: the text of the first entry that it matches, or `<loopback>` for a host
    /// on this machine, unless the list has `<-loopback>` (source f04) or its name ends in a dot (source n197).
    pub fn matching(&self, to: &Destination<'_>) -> Option<&str> {
        let host = usual(to.host);
        let listed = self.0.iter().find(|rule| rule.matches(to.port, &host)).map(|rule| &*rule.text);
        let implied = is_loopback(&host) && !self.0.iter().any(|rule| rule.host == Pattern::MinusLoopback);
        listed.or(implied.then_some("<loopback>"))
    }
}

impl Rule {
    fn parse(text: &str) -> Rule {
        let (host, port) = split_port(text);
        let host = match usual(host) {
            host if host == "<local>" => Pattern::Local,
            host if host == MINUS_LOOPBACK => Pattern::MinusLoopback,
            host if host.starts_with('<') => Pattern::Nothing,
            host => Pattern::Glob(host),
        };
        Rule { text: text.to_owned(), host, port }
    }

    fn matches(&self, port: u16, host: &str) -> bool {
        self.port.is_none_or(|wanted| wanted == port)
            && match &self.host {
                Pattern::Local => !host.contains('.') && host.parse::<IpAddr>().is_err(),
                Pattern::Glob(pattern) => glob(pattern, host),
                Pattern::Network(network) => host.parse().is_ok_and(|address| network.contains(address)),
                Pattern::MinusLoopback | Pattern::Nothing => false,
            }
    }
}

/// In lower case and without brackets; an address in its usual form.
fn usual(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host).to_ascii_lowercase();
    host.parse::<IpAddr>().map_or(host, |address| address.to_string())
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
            ("www.test", "http://awww.test", NO),
            // source proxy.bypass-dot
            (".www.test", "http://a.www.test", NO),
            (".www.test", "http://www.test", NO),
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
            ("192.168.*", "http://192.168.7.9", YES),
            ("192.168.*", "http://192.169.7.9", NO),
            ("10.0.0.1", "http://10.0.0.1", YES),
            ("[::1]", "http://[::1]", YES),
            ("[::1]:8080", "http://[::1]:8080", YES),
            ("[::2]:8080", "http://[::2]", NO),
            ("::2", "http://[0:0::2]", YES),
            ("[0:0::2]", "http://[::2]", YES),
            ("[2001:db8:*]", "http://[2001:DB8:0::7]", YES),
            ("a;b c\t;;d", "http://d", YES),
            ("a;b", "http://c", NO),
            ("", "http://a", NO),
        ];
        for (list, url, expected) in rows {
            let url = url::Url::parse(url).unwrap();
            let host = url.host_str().unwrap().trim_matches(['[', ']']);
            let to = Destination { secure: url.scheme() == "https", host, port: url.port_or_known_default().unwrap() };
            assert_eq!(BypassList::parse(list).unwrap().matching(&to).is_some(), *expected, "{list:?} {url}");
        }
    }

    #[test]
    fn a_slash_spoils_the_list() {
        for (list, entry) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("other.test;10.0.0.0/8", "10.0.0.0/8"),
            ("https://www.test", "https://www.test"),
            ("www.test/ b", "www.test/"),
            ("a/b", "a/b"),
            ("/", "/"),
        ] {
            assert_eq!(BypassList::parse(list), Err(BadBypass(entry.to_owned())), "{list:?}");
        }
    }

    #[test]
    fn what_no_proxy_alone_can_say() {
        let list = BypassList::parse("a").unwrap().and_network("fe80::/10", Network::parse("fe80::/10").unwrap());
        let matching = |host| list.matching(&Destination { secure: false, host, port: 80 });
        assert_eq!(["FEBF::1", "fec0::1", "a", "fe80"].map(matching), [Some("fe80::/10"), None, Some("a"), None]);
        let list = list.minus_loopback();
        let matching = |host| list.matching(&Destination { secure: false, host, port: 80 });
        assert_eq!(["localhost", "127.0.0.1", "a"].map(matching), [None, None, Some("a")]);
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
            for list in [text, odd] {
                let _ = BypassList::parse(&list).map(|list| list.matching(&to).is_some());
            }
        }
    }
}
