//! Networks: an address and how many of its bits count.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `10.0.0.0/8`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// An address with `/bits` behind it; without, all of them count.
    pub fn parse(text: &str) -> Option<Network> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.trim().parse().ok()?;
        let all = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(all), |bits| bits.trim().parse().ok()).filter(|bits| *bits <= all)?;
        Some(Network { base, bits })
    }

    /// Whether the address is of this network; one of the other family is not.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                u32::from(base) & mask == u32::from(address) & mask
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                u128::from(base) & mask == u128::from(address) & mask
            }
            _ => false,
        }
    }
}

/// Whether the bits of `mask` agree: the rule of `isInNet`.
pub fn masked(address: Ipv4Addr, pattern: Ipv4Addr, mask: Ipv4Addr) -> bool {
    let mask = u32::from(mask);
    u32::from(address) & mask == u32::from(pattern) & mask
}

/// IPv6 before IPv4, each in numerical order: the rule of `sortIpAddressList`.
pub fn order(address: &IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V6(v6) => (false, u128::from(*v6)),
        IpAddr::V4(v4) => (true, u128::from(Ipv6Addr::from_bits(u32::from(*v4).into()))),
    }
}
