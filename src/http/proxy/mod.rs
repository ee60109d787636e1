//! Which proxy a request goes through: lists of proxies and of hosts that bypass them, the answers of PAC scripts, and
//! the usual environment variables (source P1).

mod bypass;
mod environment;
mod list;
pub mod pac;

pub use bypass::{BadBypass, BypassList};
pub use environment::{Environment, from_environment};
pub use list::{BadProxy, ProxyList};

use std::fmt;
use std::sync::Arc;

use crate::win32::{WINHTTP_INTERNET_SCHEME_HTTP, WINHTTP_INTERNET_SCHEME_HTTPS, WINHTTP_INTERNET_SCHEME_SOCKS};

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP over TCP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 4, names resolved by the proxy (4a).
    Socks4,
    /// SOCKS 5, without authentication.
    Socks5,
}

impl Scheme {
    /// The scheme of `name://`.
    pub fn of_name(name: &str) -> Option<Scheme> {
        const NAMES: [(&str, Scheme); 7] = [
            ("http", Scheme::Http),
            ("https", Scheme::Https),
            ("socks", Scheme::Socks4),
            ("socks4", Scheme::Socks4),
            ("socks4a", Scheme::Socks4),
            ("socks5", Scheme::Socks5),
            ("socks5h", Scheme::Socks5),
        ];
        NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, scheme)| *scheme)
    }

    /// Its name in a URL.
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks4 => "socks4",
            Scheme::Socks5 => "socks5",
        }
    }

    /// The port where none is named.
    pub fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Socks4 | Scheme::Socks5 => 1080,
        }
    }

    /// WINHTTP_INTERNET_SCHEME_*, as WINHTTP_PROXY_RESULT_ENTRY tells it.
    pub fn number(self) -> i32 {
        match self {
            Scheme::Http => WINHTTP_INTERNET_SCHEME_HTTP,
            Scheme::Https => WINHTTP_INTERNET_SCHEME_HTTPS,
            Scheme::Socks4 | Scheme::Socks5 => WINHTTP_INTERNET_SCHEME_SOCKS,
        }
    }
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Host name or address literal, without brackets, in the case it was given.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Server {
    /// `host`, `host:port`, `[v6]:port`; the port is the scheme's where none is named.
    pub fn parse(scheme: Scheme, text: &str) -> Result<Server, BadProxy> {
        let bad = || BadProxy(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']').ok_or_else(bad)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| bad())?;
                (host, if behind.is_empty() { None } else { Some(behind.strip_prefix(':').ok_or_else(bad)?) })
            }
            None => match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let good = |c: char| !c.is_control() && !c.is_whitespace() && !"/\\?#@<>[]\"^`{|}=,;".contains(c);
        if host.is_empty() || !host.chars().all(good) {
            return Err(bad());
        }
        let port = match port {
            None => scheme.default_port(),
            // parse() would take a sign.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().map_err(|_| bad())?,
            Some(_) => return Err(bad()),
        };
        Ok(Server { scheme, host: host.to_owned(), port })
    }

    /// Whether it speaks SOCKS.
    pub fn is_socks(&self) -> bool {
        matches!(self.scheme, Scheme::Socks4 | Scheme::Socks5)
    }

    /// Whether it is spoken to in TLS.
    pub fn speaks_tls(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// `host:port`
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// `scheme://host:port`
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

/// One route to a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hop {
    /// Without a proxy.
    Direct,
    /// Through this one.
    Via(Server),
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hop::Direct => f.write_str("direct"),
            Hop::Via(server) => server.fmt(f),
        }
    }
}

/// Where a request wants to go, as far as the choice of a proxy depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// Whether the scheme is https.
    pub secure: bool,
    /// Host name or address literal, without brackets.
    pub host: &'a str,
    /// TCP port.
    pub port: u16,
}

/// The routes that may be tried, best first, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Empty only if a script answered with none.
    pub hops: Vec<Hop>,
    /// What decided.
    pub reason: ChoiceReason,
}

impl Choice {
    /// No proxy, because of this.
    pub fn direct(reason: ChoiceReason) -> Choice {
        Choice { hops: vec![Hop::Direct], reason }
    }
}

/// What decided about a [`Choice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChoiceReason {
    /// No proxy is configured.
    NoProxy,
    /// The list of proxies has these entries for the scheme.
    Listed(String),
    /// The list of proxies has none for the scheme.
    NotListed,
    /// This entry of the bypass list matches, or `<loopback>`: hosts on this machine need no entry.
    Bypassed(String),
    /// A PAC script answered this.
    Script(String),
}

/// What [`ChoiceReason`] says to a person.
impl fmt::Display for ChoiceReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChoiceReason::NoProxy => f.write_str("no proxy is configured"),
            ChoiceReason::Listed(entries) => write!(f, "entry {entries:?} of the proxy list"),
            ChoiceReason::NotListed => f.write_str("the proxy list has no entry for this scheme"),
            ChoiceReason::Bypassed(rule) => write!(f, "entry {rule:?} of the bypass list"),
            ChoiceReason::Script(answer) => write!(f, "the script answered {answer:?}"),
        }
    }
}

/// Which list of [`Named`] is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadList {
    /// The list of proxies.
    #[error(transparent)]
    Proxy(#[from] BadProxy),
    /// The bypass list.
    #[error(transparent)]
    Bypass(#[from] BadBypass),
}

/// WINHTTP_ACCESS_TYPE_NAMED_PROXY: a list of proxies, and one of hosts that bypass them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The list of proxies, as given.
    pub proxy: String,
    /// The bypass list, as given.
    pub bypass: Option<String>,
    proxies: ProxyList,
    rules: BypassList,
}

impl Named {
    /// Reads both lists.
    pub fn parse(proxy: &str, bypass: Option<&str>) -> Result<Named, BadList> {
        let proxies = ProxyList::parse(proxy)?;
        let rules = BypassList::parse(bypass.unwrap_or_default())?;
        Ok(Named { proxy: proxy.to_owned(), bypass: bypass.map(str::to_owned), proxies, rules })
    }

    /// The same, but hosts on this machine are reached through the proxies, too, as if the list had `<-loopback>`.
    #[must_use]
    pub fn for_this_machine_too(self) -> Named {
        Named { rules: self.rules.minus_loopback(), ..self }
    }

    /// The first proxy for https or http, whatever the destination.
    pub fn first(&self, secure: bool) -> Option<&Server> {
        self.proxies.servers(secure).next().map(|(server, _)| server)
    }

    /// The routes to a destination.
    pub fn choose(&self, to: &Destination<'_>) -> Choice {
        if let Some(rule) = self.rules.matching(to) {
            return Choice::direct(ChoiceReason::Bypassed(rule.to_owned()));
        }
        let (hops, entries): (Vec<_>, Vec<_>) =
            self.proxies.servers(to.secure).map(|(server, text)| (Hop::Via(server.clone()), text)).unzip();
        match hops.is_empty() {
            true => Choice::direct(ChoiceReason::NotListed),
            false => Choice { hops, reason: ChoiceReason::Listed(entries.join(";")) },
        }
    }
}

/// The proxy settings of the user: what Internet Explorer's dialog shows on Windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSettings {
    /// Whether a PAC script is looked for in the network (WPAD).
    pub detect: bool,
    /// Where the PAC script is.
    pub script: Option<String>,
    /// The proxies, and what bypasses them.
    pub named: Option<Named>,
}

/// The access type of a session or request.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Access {
    /// WINHTTP_ACCESS_TYPE_DEFAULT_PROXY: what the process's settings were when the session was opened.
    Default(Option<Arc<Named>>),
    /// WINHTTP_ACCESS_TYPE_NO_PROXY
    #[default]
    None,
    /// WINHTTP_ACCESS_TYPE_NAMED_PROXY
    Named(Arc<Named>),
    /// WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY: the resolver is asked for each exchange.
    Automatic,
    /// WINHTTP_OPTION_PROXY_RESULT_ENTRY: one route, whatever the destination.
    Entry(Hop),
}

impl Access {
    /// Whether every route is direct.
    pub fn is_direct(&self) -> bool {
        matches!(self, Access::None | Access::Default(None))
    }

    /// The routes to a destination; `None` if the resolver must be asked.
    pub fn choose(&self, to: &Destination<'_>) -> Option<Choice> {
        Some(match self {
            Access::None | Access::Default(None) => Choice::direct(ChoiceReason::NoProxy),
            Access::Named(named) | Access::Default(Some(named)) => named.choose(to),
            Access::Entry(hop) => Choice { hops: vec![hop.clone()], reason: ChoiceReason::Listed(hop.to_string()) },
            Access::Automatic => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_host_and_port() {
        let rows: &[(&str, Option<(&str, u16)>)] = &[
            ("proxy", Some(("proxy", 80))),
            ("Proxy.Test:8080", Some(("Proxy.Test", 8080))),
            ("http___WINEHQ.ORG_Test.html_WINEHQ.ORG:8080", Some(("http___WINEHQ.ORG_Test.html_WINEHQ.ORG", 8080))),
            ("10.0.0.1:3128", Some(("10.0.0.1", 3128))),
            ("[::1]:3128", Some(("::1", 3128))),
            ("[::1]", Some(("::1", 80))),
            ("", None),
            (":80", None),
            ("p:", None),
            ("p:x", None),
            ("p:+8", None),
            ("p:65536", None),
            ("[::1", None),
            ("[x]:1", None),
            ("[::1]1", None),
            ("a@b:1", None),
            ("a/b", None),
        ];
        for (text, expected) in rows {
            let server = Server::parse(Scheme::Http, text).ok();
            assert_eq!(server.as_ref().map(|server| (&*server.host, server.port)), *expected, "{text:?}");
        }
    }

    #[test]
    fn what_an_access_type_chooses() {
        let to = Destination { secure: false, host: "www.test", port: 80 };
        let named = Named::parse("p:1 q:2", Some("<local>;*.corp")).unwrap();
        let choice = named.choose(&to);
        assert_eq!(choice.hops.iter().map(Hop::to_string).collect::<Vec<_>>(), ["http://p:1", "http://q:2"]);
        assert_eq!(choice.reason, ChoiceReason::Listed("p:1;q:2".into()));
        let local = named.choose(&Destination { host: "intranet", ..to });
        assert_eq!(local, Choice::direct(ChoiceReason::Bypassed("<local>".into())));
        let only = Named::parse("http=p", None).unwrap();
        assert_eq!(only.choose(&Destination { secure: true, ..to }), Choice::direct(ChoiceReason::NotListed));
        assert_eq!(Access::Automatic.choose(&to), None);
        assert_eq!(Access::Default(None).choose(&to), Some(Choice::direct(ChoiceReason::NoProxy)));
    }
}
