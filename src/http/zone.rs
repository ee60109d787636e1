//! Addresses of IPv6 with a zone: `fe80::1%18` (source n198). A zone means something on this machine only, so nobody else is
//! told of it (source connect.zone). A host with a colon is such an address: names have none.

use std::net::Ipv6Addr;

fn split(host: &str) -> (&str, Option<&str>) {
    match host.split_once('%') {
        Some((address, zone)) if address.contains(':') => (address, Some(zone)),
        _ => (host, None),
    }
}

/// A host, without brackets, as others are told of it.
pub fn without_zone(host: &str) -> &str {
    split(host).0
}

/// An address of IPv6, whose zone becomes a number: it has one already, or is the name of an interface with that number.
/// Nothing in it is unescaped. `None` for what is no such address.
pub fn numbered(host: &str, interface: impl Fn(&str) -> Option<u32>) -> Option<String> {
    let (address, zone) = split(host);
    address.parse::<Ipv6Addr>().ok()?;
    let Some(zone) = zone else { return Some(address.to_owned()) };
    let of_name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let number = match zone {
        digits if digits.chars().all(|c| c.is_ascii_digit()) => digits.parse().ok(),
        name if name.chars().all(of_name) => interface(name),
        _ => None,
    };
    Some(format!("{address}%{}", number?))
}

/// Whether a server with a zone, which does not know of it, means itself by `named`.
pub fn means_itself(host: &str, named: &str) -> bool {
    let (address, zone) = split(host);
    let same = |one: Ipv6Addr| named.parse().is_ok_and(|other: Ipv6Addr| one == other);
    zone.is_some() && address.parse().is_ok_and(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_zone() {
        let rows = [
            ("::1", Some("::1")),
            ("fe80::1%18", Some("fe80::1%18")),
            ("fe80::1%007", Some("fe80::1%7")),
            ("fe80::1%251", Some("fe80::1%251")),
            ("fe80::1%wan0.100", Some("fe80::1%3")),
            ("fe80::1%WAN0.100", None),
            ("fe80::1%", None),
            ("fe80::1%+1", None),
            ("fe80::1%4294967296", None),
            ("fe80::1%1%1", None),
            ("fe80::1%wan0.100\r\n", None),
            ("127.0.0.1%1", None),
            ("%1", None),
            ("a%3A", None),
        ];
        for (host, expected) in rows {
            let interface = |name: &str| (name == "wan0.100").then_some(3);
            assert_eq!(numbered(host, interface).as_deref(), expected, "{host:?}");
        }
    }

    #[test]
    fn others_hear_of_no_zone() {
        for (host, expected) in [("fe80::1%18", "fe80::1"), ("::1", "::1"), ("a%3A", "a%3A"), ("h", "h")] {
            assert_eq!(without_zone(host), expected);
        }
        for (host, named, same) in
            [("fe80::1%18", "fe80:0::1", true), ("fe80::1%18", "fe80::2", false), ("fe80::1", "fe80::1", false)]
        {
            assert_eq!(means_itself(host, named), same, "{host} {named}");
        }
    }
}
