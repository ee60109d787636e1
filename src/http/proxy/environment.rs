//! The environment variables that programs on Unix take their proxy from.

use std::net::IpAddr;

use super::pac::network::Network;
use super::{BypassList, Named};

/// What the environment says about proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in Windows' form. A network of IPv6 counts, but Windows' form
    /// has no words for it.
    pub named: Option<Named>,
    /// `WINHTTP_AUTOCONFIG_URL`: where the PAC script is.
    pub script: Option<String>,
    /// `WINHTTP_WPAD=1`: whether a PAC script may be looked for in the network.
    pub detect: bool,
}

/// Hosts on this machine, which no variable has to name.
const HERE: &str = "localhost;127.*;[::1]";

/// Reads the variables. Hosts on this machine are never reached through a proxy that they name. Lower case comes first; `HTTP_PROXY` is not read, because a CGI program gets it from a header of
/// the request. A value that names no proxy is as if it were not there.
///
/// ```
/// use portable_winhttp::http::proxy::from_environment;
/// let variables = [("https_proxy", "http://proxy.test:3128"), ("no_proxy", "corp.test")];
/// let found = from_environment(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()));
/// let named = found.named.unwrap();
/// assert_eq!(named.proxy, "https=http://proxy.test:3128");
/// assert_eq!(named.bypass.as_deref(), Some("corp.test;*.corp.test;localhost;127.*;[::1]"));
/// ```
pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Environment {
    let first = |names: &[&str]| names.iter().find_map(|name| variable(name)).filter(|value| !value.trim().is_empty());
    let http = first(&["http_proxy"]).and_then(|value| entry("http=", &value));
    let https = first(&["https_proxy", "HTTPS_PROXY"]).and_then(|value| entry("https=", &value));
    let all = first(&["all_proxy", "ALL_PROXY"]).and_then(|value| entry("", &value));
    let list: Vec<_> = [http, https, all].into_iter().flatten().collect();
    let bypass = first(&["no_proxy", "NO_PROXY"]).map(|value| Bypass::parse(&value)).unwrap_or_default();
    Environment {
        named: bypass.of(&list.join(";")),
        script: first(&["WINHTTP_AUTOCONFIG_URL"]),
        detect: first(&["WINHTTP_WPAD"]).as_deref() == Some("1"),
    }
}

/// An entry of a proxy list. User and password in it are left out: WinHttpSetCredentials is for them.
fn entry(what: &str, value: &str) -> Option<String> {
    let value = value.trim();
    let (scheme, rest) = value.split_once("://").map_or(("", value), |(scheme, rest)| (scheme, rest));
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let entry = if scheme.is_empty() { format!("{what}{host}") } else { format!("{what}{scheme}://{host}") };
    super::ProxyList::parse(&entry).ok().map(|_| entry)
}

/// `no_proxy`.
#[derive(Default)]
struct Bypass {
    /// In Windows' form: there a name is for the hosts under it, too.
    entries: Vec<String>,
    /// What that form has no words for.
    networks: Vec<(String, Network)>,
}

impl Bypass {
    fn parse(value: &str) -> Bypass {
        let mut bypass = Bypass::default();
        for entry in value.split([',', ' ', ';']).filter(|entry| !entry.is_empty()) {
            match entry.contains('/') {
                true => bypass.network(entry),
                false => bypass.host(entry),
            }
        }
        bypass
    }

    fn host(&mut self, entry: &str) {
        let name = entry.trim_start_matches("*.").trim_start_matches('.');
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        self.entries.push(if name.is_empty() { "*".to_owned() } else { name.to_owned() });
        if !address && !name.is_empty() && !name.starts_with(['*', '[']) {
            self.entries.push(format!("*.{name}"));
        }
    }

    /// Windows takes no `10.0.0.0/8`, but `10.*`. What is no network is no entry.
    fn network(&mut self, entry: &str) {
        let Some(network) = Network::parse(entry) else { return };
        match network.patterns() {
            Some(patterns) => self.entries.extend(patterns),
            None => self.networks.push((entry.to_owned(), network)),
        }
    }

    fn of(self, proxies: &str) -> Option<Named> {
        let bypass = self.entries.iter().map(String::as_str).chain([HERE]).collect::<Vec<_>>().join(";");
        let named = Named::parse(proxies, Some(&bypass)).ok()?;
        let also = |rules: BypassList, (text, network): &(String, Network)| rules.and_network(text, *network);
        Some(Named { rules: self.networks.iter().fold(named.rules, also), ..named })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::proxy::{Destination, Hop};

    fn read(variables: &[(&str, &str)]) -> Environment {
        from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn which_proxies_the_variables_name() {
        type Lists<'a> = Option<(&'a str, &'a str)>;
        let rows: &[(&[(&str, &str)], Lists<'_>)] = &[
            (&[], None),
            (&[("http_proxy", "")], None),
            (&[("http_proxy", "nonsense:x")], None),
            (&[("HTTP_PROXY", "http://p:1")], None),
            (&[("http_proxy", "p:1")], Some(("http=p:1", ""))),
            (&[("http_proxy", "http://user:p%40@p:1/")], Some(("http=http://p:1", ""))),
            (&[("HTTPS_PROXY", "https://p")], Some(("https=https://p", ""))),
            (&[("https_proxy", "a"), ("HTTPS_PROXY", "b")], Some(("https=a", ""))),
            (&[("all_proxy", "socks5h://s")], Some(("socks5h://s", ""))),
            (&[("http_proxy", "p"), ("all_proxy", "q"), ("no_proxy", "*")], Some(("http=p;q", "*;"))),
            (&[("no_proxy", "*")], None),
            (
                &[("all_proxy", "q"), ("NO_PROXY", "localhost,.corp.test, 10.0.0.0/8,::1,h:81,http://x")],
                Some(("q", "localhost;*.localhost;corp.test;*.corp.test;10.*;::1;h:81;*.h:81;")),
            ),
            (&[("all_proxy", "q"), ("no_proxy", "10.1.4.0/23;fe80::/10")], Some(("q", "10.1.4.*;10.1.5.*;"))),
        ];
        for (variables, expected) in rows {
            let named = read(variables).named;
            let lists = named.as_ref().map(|named| {
                let bypass = named.bypass.as_deref().unwrap();
                (&*named.proxy, bypass.strip_suffix(HERE).unwrap())
            });
            assert_eq!(lists, *expected, "{variables:?}");
        }
    }

    #[test]
    fn networks_count_also_where_windows_has_no_words_for_them() {
        let named = read(&[("all_proxy", "q"), ("no_proxy", "fe80::/10,10.1.4.0/23")]).named.unwrap();
        let direct = |host| named.choose(&Destination { secure: false, host, port: 80 }).hops == [Hop::Direct];
        assert_eq!(["fe80::1", "10.1.5.9", "10.1.6.9", "www.test"].map(direct), [true, true, false, false]);
    }

    #[test]
    fn detection_is_off_unless_asked_for() {
        let asked = read(&[("WINHTTP_WPAD", "1"), ("WINHTTP_AUTOCONFIG_URL", "http://wpad.test/p.pac")]);
        assert!(asked.detect && !read(&[]).detect && !read(&[("WINHTTP_WPAD", "0")]).detect);
        assert_eq!(asked.script.as_deref(), Some("http://wpad.test/p.pac"));
    }
}
