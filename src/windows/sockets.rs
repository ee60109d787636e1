//! Addresses of `std` as those of `Win32::Networking::WinSock`, and back. Addresses and ports are in network order there.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::Win32::Networking::WinSock::*;

impl From<Ipv4Addr> for IN_ADDR {
    fn from(address: Ipv4Addr) -> IN_ADDR {
        IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes(address.octets()) } }
    }
}

impl From<IN_ADDR> for Ipv4Addr {
    fn from(address: IN_ADDR) -> Ipv4Addr {
        // SAFETY: every variant of the union is four bytes, and any bytes are a number.
        Ipv4Addr::from(unsafe { address.S_un.S_addr }.to_ne_bytes())
    }
}

impl From<Ipv6Addr> for IN6_ADDR {
    fn from(address: Ipv6Addr) -> IN6_ADDR {
        IN6_ADDR { u: IN6_ADDR_0 { Byte: address.octets() } }
    }
}

impl From<IN6_ADDR> for Ipv6Addr {
    fn from(address: IN6_ADDR) -> Ipv6Addr {
        // SAFETY: every variant of the union is sixteen bytes.
        Ipv6Addr::from(unsafe { address.u.Byte })
    }
}

impl From<SocketAddrV4> for SOCKADDR_IN {
    fn from(address: SocketAddrV4) -> SOCKADDR_IN {
        SOCKADDR_IN {
            sin_family: AF_INET,
            sin_port: address.port().to_be(),
            sin_addr: (*address.ip()).into(),
            ..Default::default()
        }
    }
}

impl From<SocketAddrV6> for SOCKADDR_IN6 {
    fn from(address: SocketAddrV6) -> SOCKADDR_IN6 {
        SOCKADDR_IN6 {
            sin6_family: AF_INET6,
            sin6_port: address.port().to_be(),
            sin6_flowinfo: address.flowinfo().to_be(),
            sin6_addr: (*address.ip()).into(),
            Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: address.scope_id() },
        }
    }
}

impl From<SocketAddrV4> for SOCKADDR_INET {
    fn from(address: SocketAddrV4) -> SOCKADDR_INET {
        SOCKADDR_INET { Ipv4: address.into() }
    }
}

impl From<SocketAddrV6> for SOCKADDR_INET {
    fn from(address: SocketAddrV6) -> SOCKADDR_INET {
        SOCKADDR_INET { Ipv6: address.into() }
    }
}

impl From<SocketAddr> for SOCKADDR_INET {
    fn from(address: SocketAddr) -> SOCKADDR_INET {
        match address {
            SocketAddr::V4(address) => address.into(),
            SocketAddr::V6(address) => address.into(),
        }
    }
}
