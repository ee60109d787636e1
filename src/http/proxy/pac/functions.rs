//! The functions of the PAC convention that are about names and addresses. Those about text and dates are in
//! `helpers.js`, where values and local time are the engine's.
#![cfg_attr(not(feature = "pac"), allow(dead_code))]

use std::net::{IpAddr, Ipv4Addr};

use super::Host;
use super::network::{self, Network};

/// An address literal, or the addresses of the name.
fn addresses(host: &dyn Host, name: &str) -> Vec<IpAddr> {
    match name.trim_matches(['[', ']']).parse() {
        Ok(address) => vec![address],
        Err(_) if name.is_empty() => Vec::new(),
        Err(_) => host.lookup(name),
    }
}

fn first_v4(addresses: &[IpAddr]) -> Option<Ipv4Addr> {
    addresses.iter().find_map(|address| match address {
        IpAddr::V4(v4) => Some(*v4),
        IpAddr::V6(_) => None,
    })
}

fn joined(addresses: &[IpAddr]) -> String {
    addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(";")
}

/// `dnsResolve`: the first IPv4 address.
pub fn dns_resolve(host: &dyn Host, name: &str) -> Option<String> {
    first_v4(&addresses(host, name)).map(|address| address.to_string())
}

/// `dnsResolveEx`: all addresses, joined by `;`.
pub fn dns_resolve_ex(host: &dyn Host, name: &str) -> String {
    joined(&addresses(host, name))
}

/// `myIpAddress`: the first IPv4 address of this machine, else 127.0.0.1.
pub fn my_ip_address(host: &dyn Host) -> String {
    first_v4(&host.addresses()).unwrap_or(Ipv4Addr::LOCALHOST).to_string()
}

/// `myIpAddressEx`: all addresses of this machine, joined by `;`.
pub fn my_ip_address_ex(host: &dyn Host) -> String {
    joined(&host.addresses())
}

/// `isInNet`: whether the IPv4 address of the host has the pattern's bits where the mask has some.
pub fn is_in_net(host: &dyn Host, name: &str, pattern: &str, mask: &str) -> bool {
    let (Ok(pattern), Ok(mask)) = (pattern.parse(), mask.parse()) else { return false };
    first_v4(&addresses(host, name)).is_some_and(|address| network::masked(address, pattern, mask))
}

/// `isInNetEx`: whether an address of the host is in one of the networks `a/bits;b/bits`.
pub fn is_in_net_ex(host: &dyn Host, name: &str, prefixes: &str) -> bool {
    let addresses = addresses(host, name);
    // A prefix must say how long it is.
    let networks = prefixes.split(';').filter(|prefix| prefix.contains('/')).filter_map(Network::parse);
    networks.into_iter().any(|network| addresses.iter().any(|address| network.contains(*address)))
}

/// `sortIpAddressList`: IPv6 first, each in order; nothing if an entry is no address.
pub fn sort_ip_address_list(list: &str) -> Option<String> {
    let mut addresses: Vec<IpAddr> = list.split(';').map(|entry| entry.trim().parse().ok()).collect::<Option<_>>()?;
    addresses.sort_by_key(network::order);
    Some(joined(&addresses))
}
