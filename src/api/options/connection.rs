//! Names, addresses, sockets, and the pool.

use std::net::SocketAddr;

use super::row::*;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_CONNECTION_INFO: Shape::Struct("WINHTTP_CONNECTION_INFO", size_of::<WINHTTP_CONNECTION_INFO>()))
        .query(REQUEST, Get::Of(|subject| {
            let peer = subject.request()?.with(|machine| machine.peer()).ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
            Ok(Value::Bytes(connection_info(peer.local, peer.remote)))
        }))
        .note("ERROR_WINHTTP_INCORRECT_HANDLE_STATE before there is a connection."),
    option!(WINHTTP_OPTION_DISABLE_GLOBAL_POOLING: Shape::Bool)
        .set(SESSION, Put::To(|subject, given| {
            let pool = if given.is_true() { subject.handle()?.value() } else { 0 };
            subject.settings(|s| s.pool = pool)
        }))
        .inherited()
        .default("0"),
    option!(WINHTTP_OPTION_EXPIRE_CONNECTION: Shape::Nothing)
        .absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_CONNECTION_GUID: Shape::Struct("GUID", size_of::<GUID>()))
        .absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_MATCH_CONNECTION_GUID: Shape::Struct("WINHTTP_MATCH_CONNECTION_GUID", size_of::<WINHTTP_MATCH_CONNECTION_GUID>()))
        .absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_FAILED_CONNECTION_RETRIES: Shape::Struct("WINHTTP_FAILED_CONNECTION_RETRIES", size_of::<WINHTTP_FAILED_CONNECTION_RETRIES>()))
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_BACKGROUND_CONNECTIONS: Shape::Dword)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_RESOLUTION_HOSTNAME: Shape::Text)
        .absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_RESOLVER_CACHE_CONFIG: Shape::Struct("WINHTTP_RESOLVER_CACHE_CONFIG", size_of::<WINHTTP_RESOLVER_CACHE_CONFIG>()))
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_IPV6_FAST_FALLBACK: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_TCP_KEEPALIVE: Shape::Struct("tcp_keepalive", 12))
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_TCP_FAST_OPEN: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY: Shape::Dword)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_TCP_PRIORITY_HINT: Shape::Dword)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_TCP_PRIORITY_STATUS: Shape::Unknown)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_CONNECTION_FILTER: Shape::Dword)
        .absent(0, 0, "Not here yet."),
];

/// WINHTTP_CONNECTION_INFO: its size, and two SOCKADDR_STORAGE with Windows' address families.
fn connection_info(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    const SIZE: usize = size_of::<WINHTTP_CONNECTION_INFO>();
    let mut info = vec![0; SIZE];
    info[..4].copy_from_slice(&(SIZE as u32).to_ne_bytes());
    let places = [
        std::mem::offset_of!(WINHTTP_CONNECTION_INFO, LocalAddress),
        std::mem::offset_of!(WINHTTP_CONNECTION_INFO, RemoteAddress),
    ];
    for (place, address) in places.into_iter().zip([local, remote]) {
        let (family, ip): (u16, Vec<u8>) = match address {
            SocketAddr::V4(v4) => (2, v4.ip().octets().to_vec()),
            SocketAddr::V6(v6) => (23, v6.ip().octets().to_vec()),
        };
        // sin_addr follows the port; sin6_addr follows port and flow.
        let at = if family == 2 { 4 } else { 8 };
        info[place..place + 2].copy_from_slice(&family.to_ne_bytes());
        info[place + 2..place + 4].copy_from_slice(&address.port().to_be_bytes());
        info[place + at..place + at + ip.len()].copy_from_slice(&ip);
    }
    info
}
