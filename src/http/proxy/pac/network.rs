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

    /// The same addresses as entries of a bypass list, where a list can say it: those of IPv4, byte by byte.
    pub fn patterns(&self) -> Option<Vec<String>> {
        let IpAddr::V4(base) = self.base else { return None };
        // A `*` alone is also for every name.
        let whole = usize::from(self.bits.saturating_sub(1) / 8);
        let first = base.octets()[whole];
        let free = 8 * (whole + 1) - usize::from(self.bits);
        let mask = u8::MAX.checked_shl(free as u32).filter(|_| self.bits > 0)?;
        let before: String = base.octets()[..whole].iter().map(|byte| format!("{byte}.")).collect();
        let behind = if whole < 3 { ".*" } else { "" };
        Some((first & mask..=first | !mask).map(|byte| format!("{before}{byte}{behind}")).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_ipv4_are_patterns() {
        for (network, patterns) in [
            ("10.0.0.0/8", "10.*"),
            ("10.1.2.3/16", "10.1.*"),
            ("172.16.0.0/14", "172.16.* 172.17.* 172.18.* 172.19.*"),
            ("10.1.2.6/31", "10.1.2.6 10.1.2.7"),
            ("10.1.2.6/32", "10.1.2.6"),
            ("192.0.0.0/7", "192.* 193.*"),
        ] {
            assert_eq!(Network::parse(network).unwrap().patterns().unwrap().join(" "), patterns, "{network}");
        }
        assert_eq!(Network::parse("128.0.0.0/1").unwrap().patterns().unwrap().len(), 128);
        assert_eq!(["0.0.0.0/0", "fe80::/10"].map(|text| Network::parse(text).unwrap().patterns()), [None, None]);
    }
}
