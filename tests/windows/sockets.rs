//! Addresses are in network order.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use portable_winhttp::Win32::Networking::WinSock::*;

#[test]
fn version_4() {
    let address = SocketAddrV4::new(Ipv4Addr::new(1, 2, 3, 4), 0x1234);
    let theirs = SOCKADDR_IN::from(address);
    assert_eq!((theirs.sin_family, theirs.sin_port.to_ne_bytes()), (AF_INET, [0x12, 0x34]));
    // SAFETY: the variants are four bytes.
    assert_eq!(unsafe { theirs.sin_addr.S_un.S_addr }.to_ne_bytes(), [1, 2, 3, 4]);
    assert_eq!(Ipv4Addr::from(theirs.sin_addr), *address.ip());
    // SAFETY: the family comes first in both variants.
    assert_eq!(unsafe { SOCKADDR_INET::from(SocketAddr::V4(address)).si_family }, AF_INET);
}

#[test]
fn version_6() {
    let address = SocketAddrV6::new(Ipv6Addr::new(1, 2, 3, 4, 5, 6, 7, 8), 0x1234, 5, 6);
    let theirs = SOCKADDR_IN6::from(address);
    assert_eq!((theirs.sin6_family, theirs.sin6_port.to_ne_bytes()), (AF_INET6, [0x12, 0x34]));
    // SAFETY: the variants are one number.
    let scope = unsafe { theirs.Anonymous.sin6_scope_id };
    assert_eq!((theirs.sin6_flowinfo.to_ne_bytes(), scope), ([0, 0, 0, 5], 6));
    assert_eq!(Ipv6Addr::from(theirs.sin6_addr), *address.ip());
    // SAFETY: the family comes first in both variants.
    assert_eq!(unsafe { SOCKADDR_INET::from(SocketAddr::V6(address)).si_family }, AF_INET6);
}
