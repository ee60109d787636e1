//! Names, addresses, sockets, and the pool.

use std::net::SocketAddr;
use std::time::Duration;

use super::row::*;
use crate::api::session::server_name;
use crate::transport::NameCache;
use crate::win32::*;

/// No header has a name for it; clients that use it call it so.
const WINHTTP_OPTION_CONNECTION_IDLE_TIMEOUT: u32 = 135;

/// The shortest time that a connection may lie idle, in milliseconds (source n149).
const SHORTEST_IDLE: u32 = 5000;

/// Who says how long its connections live shares none.
fn idle_timeout(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let (milliseconds, session) = (given.dword(), subject.handle()?);
    if milliseconds < SHORTEST_IDLE {
        return Err(ERROR_INVALID_PARAMETER);
    }
    if session.has_children() {
        return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
    }
    let own = session.value();
    subject.settings(|settings| (settings.pool_rules.idle, settings.pool) = (milliseconds, own))
}

pub(super) const ROWS: &[Row] = &[
    Row::new(WINHTTP_OPTION_CONNECTION_IDLE_TIMEOUT, "WINHTTP_OPTION_CONNECTION_IDLE_TIMEOUT", Shape::Dword)
        .set(SESSION, Put::To(idle_timeout))
        .inherited()
        .default_setting(|s| s.pool_rules.idle)
        .note("In no header. Milliseconds in the pool, 5000 at least; before there are connections: ERROR_WINHTTP_INCORRECT_HANDLE_STATE afterwards. The session has connections of its own then."),
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
        .default_setting(|s| u32::from(s.pool != 0)),
    option!(WINHTTP_OPTION_EXPIRE_CONNECTION: Shape::Nothing)
        .set(REQUEST, Put::To(|subject, _| {
            let attempt = subject.request()?.attempt().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
            attempt.expire();
            Ok(())
        }))
        .note("ERROR_WINHTTP_INCORRECT_HANDLE_STATE while the request is not active."),
    option!(WINHTTP_OPTION_CONNECTION_GUID: Shape::Struct("GUID", size_of::<GUID>()))
        .set(REQUEST, Put::To(|subject, given| {
            let mark = *given.bytes.first_chunk().ok_or(ERROR_INSUFFICIENT_BUFFER)?;
            subject.settings(|s| s.pool_rules.mark = Some(mark))?;
            if let Some(attempt) = subject.request()?.attempt() {
                attempt.mark(mark);
            }
            Ok(())
        }))
        .note("Marks the connection that carries the request now, or will."),
    option!(WINHTTP_OPTION_MATCH_CONNECTION_GUID: Shape::Struct("WINHTTP_MATCH_CONNECTION_GUID", size_of::<WINHTTP_MATCH_CONNECTION_GUID>()))
        .set(REQUEST, Put::To(|subject, given| {
            let (mark, flags) = given.bytes.split_first_chunk().ok_or(ERROR_INSUFFICIENT_BUFFER)?;
            let flags = u64::from_ne_bytes(*flags.first_chunk().ok_or(ERROR_INSUFFICIENT_BUFFER)?);
            let strict = u64::from(WINHTTP_MATCH_CONNECTION_GUID_FLAG_REQUIRE_MARKED_CONNECTION);
            if flags & !strict != 0 {
                return Err(ERROR_INVALID_PARAMETER);
            }
            subject.settings(|s| s.pool_rules.wanted = Some((*mark, flags & strict != 0)))
        }))
        .note("Where a marked connection is required and none is idle, a new one is made and marked."),
    option!(WINHTTP_OPTION_FAILED_CONNECTION_RETRIES: Shape::Struct("WINHTTP_FAILED_CONNECTION_RETRIES", size_of::<WINHTTP_FAILED_CONNECTION_RETRIES>()))
        .set(SESSION, Put::To(|subject, given| {
            let retries = given.dword();
            let conditions = u32::from_ne_bytes(*given.bytes[4..].first_chunk().ok_or(ERROR_INSUFFICIENT_BUFFER)?);
            if conditions & !RETRY_CONDITIONS != 0 {
                return Err(ERROR_INVALID_PARAMETER);
            }
            if subject.handle()?.has_children() {
                return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
            }
            let allowed = |condition| if conditions & condition != 0 { retries } else { 0 };
            subject.settings(|s| {
                s.timeout_retries = allowed(WINHTTP_CONNECTION_RETRY_CONDITION_408);
                s.network.handshake_retries = allowed(WINHTTP_CONNECTION_RETRY_CONDITION_SSL_HANDSHAKE);
                s.pool_rules.retry_stale = allowed(WINHTTP_CONNECTION_RETRY_CONDITION_STALE_CONNECTION) > 0;
            })
        }))
        .inherited()
        .note("Before there are connections: ERROR_WINHTTP_INCORRECT_HANDLE_STATE afterwards."),
    option!(WINHTTP_OPTION_BACKGROUND_CONNECTIONS: Shape::Dword)
        .set(SESSION, Put::Setting(|s, count| s.pool_rules.at_first = count))
        .inherited()
        .default_setting(|s| s.pool_rules.at_first)
        .note("At most 16."),
    option!(WINHTTP_OPTION_FIRST_AVAILABLE_CONNECTION: Shape::Bool)
        .ignored(SESSION, "A request that waits is always served by the connection that is free first."),
    option!(WINHTTP_OPTION_RESOLUTION_HOSTNAME: Shape::WideBytes)
        .set(REQUEST, Put::To(|subject, given| {
            if subject.request()?.attempt().is_some() {
                return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
            }
            let name = server_name(given.text, subject.handle()?.world())?;
            subject.settings(|s| s.network.resolve_as = Some(name))
        }))
        .note("Before the send."),
    option!(WINHTTP_OPTION_RESOLVER_CACHE_CONFIG: Shape::Struct("WINHTTP_RESOLVER_CACHE_CONFIG", size_of::<WINHTTP_RESOLVER_CACHE_CONFIG>()))
        .set(SESSION, Put::To(|subject, given| {
            let cache = name_cache(given.bytes)?;
            subject.settings(|s| s.network.cache = Some(cache))
        }))
        .inherited()
        .note("The system tells no times to live: flags that need them are refused, and so is encrypted DNS."),
    option!(WINHTTP_OPTION_IPV6_FAST_FALLBACK: Shape::Bool)
        .set(SESSION, Put::Setting(|s, on| s.network.fast_fallback = on != 0))
        .inherited()
        .default_setting(|s| s.network.fast_fallback.into()),
    option!(WINHTTP_OPTION_TCP_KEEPALIVE: Shape::Struct("tcp_keepalive", 12))
        .set(SESSION, Put::To(|subject, given| {
            let word = |place: usize| given.bytes[place..].first_chunk().map_or(0, |word| u32::from_ne_bytes(*word));
            let (on, time, interval) = (word(0) != 0, milliseconds(word(4)), milliseconds(word(8)));
            if on && (time.is_zero() || interval.is_zero()) {
                return Err(ERROR_INVALID_PARAMETER);
            }
            subject.settings(|s| s.network.keep_alive = on.then_some((time, interval)))
        }))
        .inherited()
        .default_setting(|s| s.network.keep_alive.is_some().into()),
    option!(WINHTTP_OPTION_TCP_FAST_OPEN: Shape::Bool)
        .set(SESSION, Put::Setting(|s, on| s.network.fast_open = on != 0))
        .inherited()
        .default_setting(|s| s.network.fast_open.into())
        .note("On Linux; elsewhere connections are made without."),
    option!(WINHTTP_OPTION_NETWORK_INTERFACE_AFFINITY: Shape::Dword).absent(0, 0, "No page describes it."),
    option!(WINHTTP_OPTION_TCP_PRIORITY_HINT: Shape::Dword).absent(0, 0, "No page describes it."),
    option!(WINHTTP_OPTION_TCP_PRIORITY_STATUS: Shape::Unknown).absent(0, 0, "No page describes it."),
    option!(WINHTTP_OPTION_CONNECTION_FILTER: Shape::Dword).absent(0, 0, "No page describes it."),
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

const RETRY_CONDITIONS: u32 = WINHTTP_CONNECTION_RETRY_CONDITION_408
    | WINHTTP_CONNECTION_RETRY_CONDITION_SSL_HANDSHAKE
    | WINHTTP_CONNECTION_RETRY_CONDITION_STALE_CONNECTION;

fn milliseconds(count: u32) -> Duration {
    Duration::from_millis(count.into())
}

/// WINHTTP_RESOLVER_CACHE_CONFIG.
fn name_cache(bytes: &[u8]) -> Result<NameCache, Win32Error> {
    let word = |place: usize| bytes[place..].first_chunk().map_or(0, |word| u32::from_ne_bytes(*word));
    let flags = word(std::mem::offset_of!(WINHTTP_RESOLVER_CACHE_CONFIG, ullFlags));
    let secure = word(std::mem::offset_of!(WINHTTP_RESOLVER_CACHE_CONFIG, SecureDnsSetting)) as i32;
    let known = WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_SOFT_LIMIT | WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_BYPASS_CACHE;
    if flags & !known != 0 || ![WinHttpSecureDnsSettingDefault, WinHttpSecureDnsSettingForcePlaintext].contains(&secure)
    {
        return Err(ERROR_INVALID_PARAMETER);
    }
    Ok(NameCache {
        entries: word(0) as usize,
        age: Duration::from_secs(60 * u64::from(word(4))),
        soft: flags & WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_SOFT_LIMIT != 0,
        bypass: flags & WINHTTP_RESOLVER_CACHE_CONFIG_FLAG_BYPASS_CACHE != 0,
    })
}
