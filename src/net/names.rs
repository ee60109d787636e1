//! Names and their addresses: which are tried, in which order, and which answers are kept.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use super::failure;
use super::runtime::Runtime;
use crate::sync::Mutex;
use crate::transport::{Failure, NameCache, Network};
use crate::win32::ERROR_WINHTTP_NAME_NOT_RESOLVED;

/// How long the first IPv6 address is waited for (source CN5).
const FAST: Duration = Duration::from_millis(300);

/// Answers to look-ups, with the time at which they came. Empty unless RESOLVER_CACHE_CONFIG was set.
#[derive(Default)]
pub struct Names(Mutex<HashMap<String, (Duration, Vec<SocketAddr>)>>);

/// An address, one of IPv6 with its zone, whose number is behind a `%`.
fn literal(host: &str, port: u16) -> Option<SocketAddr> {
    let zoned = || format!("[{host}]:{port}").parse::<SocketAddrV6>().ok().map(SocketAddr::V6);
    host.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, port)).or_else(zoned)
}

impl Names {
    fn get(&self, name: &str, rules: NameCache, now: Duration) -> Option<Vec<SocketAddr>> {
        let kept = self.0.lock();
        kept.get(name).filter(|(since, _)| now < *since + rules.age).map(|(_, addresses)| addresses.clone())
    }

    fn put(&self, name: &str, addresses: &[SocketAddr], rules: NameCache, now: Duration) {
        let mut kept = self.0.lock();
        kept.retain(|_, (since, _)| now < *since + rules.age);
        while !rules.soft && kept.len() >= rules.entries.max(1) {
            let Some(oldest) = kept.iter().min_by_key(|(_, (since, _))| *since).map(|(name, _)| name.clone()) else {
                break;
            };
            kept.remove(&oldest);
        }
        kept.insert(name.to_owned(), (now, addresses.to_vec()));
    }

    /// The addresses of a host, as the system orders them; never empty.
    pub async fn resolve(
        &self,
        runtime: &dyn Runtime,
        name: &str,
        port: u16,
        cache: Option<NameCache>,
    ) -> Result<Vec<SocketAddr>, Failure> {
        if let Some(address) = literal(name, port) {
            return Ok(vec![address]);
        }
        let rules = cache.filter(|rules| !rules.bypass && rules.entries > 0);
        if let Some(mut known) = rules.and_then(|rules| self.get(name, rules, runtime.now())) {
            known.iter_mut().for_each(|address| address.set_port(port));
            return Ok(known);
        }
        let addresses = runtime.resolve(name, port).await.map_err(|error| failure::of_name(&error))?;
        if addresses.is_empty() {
            return Err(Failure { winsock: failure::WSAHOST_NOT_FOUND, ..ERROR_WINHTTP_NAME_NOT_RESOLVED.into() });
        }
        if let Some(rules) = rules {
            self.put(name, &addresses, rules, runtime.now());
        }
        Ok(addresses)
    }
}

/// Which addresses are tried, and how long each at most: IPv4 first (source option.address-order), or by
/// IPV6_FAST_FALLBACK the first IPv6 for a short while, the first IPv4, the first IPv6 again, the rest.
pub fn attempts(addresses: &[SocketAddr], network: &Network) -> Vec<(SocketAddr, Option<Duration>)> {
    let (four, six): (Vec<SocketAddr>, Vec<SocketAddr>) = addresses.iter().partition(|address| address.is_ipv4());
    let limit = network.addresses.max(1) as usize;
    let fast = match (network.fast_fallback, six.first(), four.first()) {
        (true, Some(six), Some(_)) => Some(*six),
        _ => None,
    };
    let ordered: Vec<SocketAddr> = match fast {
        None => four.into_iter().chain(six).take(limit).collect(),
        Some(first) => {
            let rest = addresses.iter().copied().filter(|address| *address != four[0] && *address != first);
            [four[0], first].into_iter().chain(rest).take(limit).collect()
        }
    };
    fast.map(|six| (six, Some(FAST))).into_iter().chain(ordered.into_iter().map(|address| (address, None))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(network: &Network) -> Vec<String> {
        let addresses: Vec<SocketAddr> =
            ["::1", "127.0.0.1", "::2", "127.0.0.2"].iter().map(|text| literal(text, 80).unwrap()).collect();
        attempts(&addresses, network)
            .into_iter()
            .map(|(address, limit)| format!("{}{}", address.ip(), if limit.is_some() { " short" } else { "" }))
            .collect()
    }

    #[test]
    fn the_order_of_addresses() {
        let usual = Network::default();
        let fast = Network { fast_fallback: true, ..Network::default() };
        assert_eq!(list(&usual), ["127.0.0.1", "127.0.0.2", "::1", "::2"]);
        assert_eq!(list(&fast), ["::1 short", "127.0.0.1", "::1", "::2", "127.0.0.2"]);
        assert_eq!(list(&Network { addresses: 1, ..usual }), ["127.0.0.1"]);
        assert_eq!(list(&Network { addresses: 0, ..fast }), ["::1 short", "127.0.0.1"]);
    }

    #[test]
    fn addresses_are_not_looked_up() {
        let rows = [
            ("127.0.0.1", Some("127.0.0.1:80")),
            ("fe80::1", Some("[fe80::1]:80")),
            ("fe80::1%18", Some("[fe80::1%18]:80")),
            ("fe80::1%a", None),
            ("localhost", None),
        ];
        for (host, expected) in rows {
            assert_eq!(literal(host, 80).map(|address| address.to_string()).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn answers_are_kept_within_bounds() {
        let names = Names::default();
        let rules = NameCache { entries: 2, age: Duration::from_secs(60), soft: false, bypass: false };
        let address = ["127.0.0.1:80".parse().unwrap()];
        let at = Duration::from_secs;
        names.put("a", &address, rules, at(0));
        names.put("b", &address, rules, at(1));
        names.put("c", &address, rules, at(2));
        assert_eq!(names.get("a", rules, at(3)), None, "the oldest made room");
        assert!(names.get("b", rules, at(3)).is_some());
        assert_eq!(names.get("b", rules, at(61)), None, "too old");
    }
}
