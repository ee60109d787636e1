//! WinHttpSetOption, WinHttpQueryOption: one table of options (semantics 3).
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::net::SocketAddr;

use super::edge::{allowed, as_bytes, bytes, copy_out, done, find};
use super::session::{header_value, with_settings};
use crate::dispatch::Asked;
use crate::handle::{Handle, Kind};
use crate::http::auth::Target;
use crate::machine::{Part, Settings};
use crate::win32::*;

/// What an option reads as.
enum Value {
    Dword(u32),
    Pointer(usize),
    Text(String),
    Bytes(Vec<u8>),
}

/// A DWORD of the settings, which a session and its requests have.
struct Setting {
    option: u32,
    read: fn(&Settings) -> u32,
    write: fn(&mut Settings, u32),
    /// Whether a connection answers with its session's value (semantics 3: live view).
    through_connection: bool,
}

macro_rules! settings {
    ($($option:ident: $read:expr, $write:expr, $through:literal;)*) => {
        const SETTINGS: &[Setting] = &[$(Setting {
            option: $option,
            read: $read,
            write: $write,
            through_connection: $through,
        }),*];
    };
}

settings! {
    WINHTTP_OPTION_RESOLVE_TIMEOUT: |s| s.timeouts.resolve, |s, v| s.timeouts.resolve = v, true;
    WINHTTP_OPTION_CONNECT_TIMEOUT: |s| s.timeouts.connect, |s, v| s.timeouts.connect = v, true;
    WINHTTP_OPTION_SEND_TIMEOUT: |s| s.timeouts.send, |s, v| s.timeouts.send = v, true;
    WINHTTP_OPTION_RECEIVE_TIMEOUT: |s| s.timeouts.receive, |s, v| s.timeouts.receive = v, true;
    WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT: |s| s.timeouts.response_as_read(), |s, v| s.timeouts.response = Some(v), true;
    WINHTTP_OPTION_CONNECT_RETRIES: |s| s.connect_retries, |s, v| s.connect_retries = v, false;
    WINHTTP_OPTION_REDIRECT_POLICY: |s| s.redirect_policy, |s, v| s.redirect_policy = v, false;
    WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS: |s| s.max_redirects, |s, v| s.max_redirects = v, false;
    WINHTTP_OPTION_MAX_HTTP_STATUS_CONTINUE: |s| s.max_interim, |s, v| s.max_interim = v, false;
    WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE: |s| s.max_head, |s, v| s.max_head = v, false;
    WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE: |s| s.max_drain, |s, v| s.max_drain = v, false;
}

/// SECURITY_FLAGS that may be set.
const IGNORE_FLAGS: u32 = SECURITY_FLAG_IGNORE_UNKNOWN_CA
    | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID
    | SECURITY_FLAG_IGNORE_CERT_CN_INVALID
    | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;

/// Reads an option (nf-winhttp-winhttpqueryoption). Lengths are bytes. ERROR_INSUFFICIENT_BUFFER with the length that is
/// needed; ERROR_INVALID_PARAMETER for an option that is unknown, cannot be read or is not supported;
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE on a handle that does not have it.
///
/// # Safety
/// `lpbuffer` is NULL or has `*lpdwbufferlength` bytes; the length is NULL or readable and writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpQueryOption(
    hinternet: HINTERNET,
    dwoption: u32,
    lpbuffer: *mut c_void,
    lpdwbufferlength: *mut u32,
) -> BOOL {
    done("WinHttpQueryOption", hinternet, || {
        let value = match (hinternet.is_null(), dwoption) {
            (true, WINHTTP_OPTION_EXTENDED_ERROR) => Value::Dword(0),
            _ => {
                let handle = find(hinternet)?;
                if lpdwbufferlength.is_null() {
                    return Err(ERROR_INVALID_PARAMETER);
                }
                allowed(&handle, Asked::QueryOption(dwoption))?;
                query(&handle, dwoption)?
            }
        };
        if lpdwbufferlength.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let (bytes, reported) = match value {
            Value::Dword(value) => (value.to_ne_bytes().to_vec(), 4),
            Value::Pointer(value) => (value.to_ne_bytes().to_vec(), size_of::<usize>()),
            Value::Bytes(bytes) => {
                let length = bytes.len();
                (bytes, length)
            }
            Value::Text(text) => {
                let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
                (as_bytes(&text), (text.len() - 1) * 2)
            }
        };
        // SAFETY: the caller's promise.
        unsafe { copy_out(&bytes, bytes.len(), reported, lpbuffer, lpdwbufferlength) }
    })
}

/// Sets an option (nf-winhttp-winhttpsetoption). Lengths are bytes, of strings characters. ERROR_INSUFFICIENT_BUFFER for
/// a length that does not fit the option; ERROR_WINHTTP_INVALID_OPTION for an option that is unknown or not supported;
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE on a handle that does not have it.
///
/// # Safety
/// `lpbuffer` is NULL or has `dwbufferlength` bytes, or characters for a string.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSetOption(
    hinternet: *const c_void,
    dwoption: u32,
    lpbuffer: *const c_void,
    dwbufferlength: u32,
) -> BOOL {
    done("WinHttpSetOption", hinternet, || {
        let handle = find(hinternet)?;
        allowed(&handle, Asked::SetOption(dwoption))?;
        if lpbuffer.is_null() && dwbufferlength != 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        if dwoption == WINHTTP_OPTION_USER_AGENT {
            // SAFETY: the caller's promise: the length of a string counts characters.
            let agent = unsafe { super::edge::counted_text(lpbuffer.cast(), dwbufferlength) }.unwrap_or_default();
            return set_agent(&handle, &agent);
        }
        if let Some((target, part)) = credential(dwoption) {
            // SAFETY: as above.
            let text = unsafe { super::edge::counted_text(lpbuffer.cast(), dwbufferlength) }.unwrap_or_default();
            return set_credential(&handle, target, part, &text);
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { bytes(lpbuffer, dwbufferlength) }.unwrap_or_default();
        set(&handle, dwoption, bytes, lpbuffer.is_null())
    })
}

fn query(handle: &Handle, option: u32) -> Result<Value, Win32Error> {
    let wrong_type = Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    if let Some(setting) = SETTINGS.iter().find(|setting| setting.option == option) {
        let source = match (handle.kind(), handle.parent()) {
            (Kind::Connection(_), Some(session)) if setting.through_connection => session,
            (Kind::Connection(_), _) => return wrong_type,
            _ => handle,
        };
        return with_settings(source, |settings| Value::Dword((setting.read)(settings)));
    }
    if let Some((target, part)) = credential(option) {
        let request = handle.as_request()?;
        return Ok(Value::Text(request.with(|machine| machine.credentials.get(target, part))));
    }
    Ok(match (option, handle.kind()) {
        (WINHTTP_OPTION_CALLBACK, _) => {
            Value::Pointer(handle.listener().callback.map_or(0, |callback| callback.raw() as usize))
        }
        (WINHTTP_OPTION_CONTEXT_VALUE, _) => Value::Pointer(handle.context()),
        (WINHTTP_OPTION_HANDLE_TYPE, _) => Value::Dword(handle.type_number()),
        (WINHTTP_OPTION_PARENT_HANDLE, _) => {
            Value::Pointer(handle.parent().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE)?.value())
        }
        (WINHTTP_OPTION_EXTENDED_ERROR | WINHTTP_OPTION_WORKER_THREAD_COUNT, _) => Value::Dword(0),
        (WINHTTP_OPTION_URL, Kind::Request(request)) => Value::Text(request.with(|machine| machine.url())),
        (WINHTTP_OPTION_SECURITY_FLAGS, Kind::Request(request)) => {
            Value::Dword(request.with(|machine| machine.settings.security_flags))
        }
        (WINHTTP_OPTION_CONNECTION_INFO, Kind::Request(request)) => {
            let peer = request.with(|machine| machine.peer()).ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
            Value::Bytes(connection_info(peer.local, peer.remote))
        }
        (WINHTTP_OPTION_HTTP_PROTOCOL_USED, Kind::Request(_)) => Value::Dword(0),
        (WINHTTP_OPTION_USER_AGENT, Kind::Session(session)) => Value::Text(
            session.agent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone().unwrap_or_default(),
        ),
        (
            WINHTTP_OPTION_URL
            | WINHTTP_OPTION_SECURITY_FLAGS
            | WINHTTP_OPTION_CONNECTION_INFO
            | WINHTTP_OPTION_HTTP_PROTOCOL_USED
            | WINHTTP_OPTION_USER_AGENT,
            _,
        ) => return wrong_type,
        _ => return Err(ERROR_INVALID_PARAMETER),
    })
}

fn set(handle: &Handle, option: u32, bytes: &[u8], null: bool) -> Result<(), Win32Error> {
    let wrong_type = Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
    if let Some(setting) = SETTINGS.iter().find(|setting| setting.option == option) {
        let value = dword(bytes)?;
        return with_settings(handle, |settings| (setting.write)(settings, value));
    }
    match (option, handle.kind()) {
        (WINHTTP_OPTION_CONTEXT_VALUE, _) => {
            let value = bytes.try_into().map_err(|_| ERROR_INSUFFICIENT_BUFFER)?;
            handle.set_context(usize::from_ne_bytes(value));
        }
        (WINHTTP_OPTION_DISABLE_FEATURE, Kind::Request(request)) => {
            let bits = dword(bytes)?;
            request.with(|machine| machine.settings.disabled |= bits);
        }
        (WINHTTP_OPTION_SECURITY_FLAGS, Kind::Request(request)) => {
            let flags = dword(bytes)?;
            if flags & !IGNORE_FLAGS != 0 {
                return Err(ERROR_INVALID_PARAMETER);
            }
            request.with(|machine| machine.settings.security_flags = flags);
        }
        #[cfg(feature = "win32")]
        (WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT, Kind::Session(session)) => {
            let event = bytes.try_into().map_err(|_| ERROR_INSUFFICIENT_BUFFER)?;
            session.unload_event.store(usize::from_ne_bytes(event), std::sync::atomic::Ordering::SeqCst);
        }
        (WINHTTP_OPTION_SECURE_PROTOCOLS, Kind::Session(_)) => {
            let protocols = dword(bytes)?;
            with_settings(handle, |settings| settings.secure_protocols = protocols)?;
        }
        (WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, Kind::Session(_)) => {
            let pool = if dword(bytes)? != 0 { handle.value() } else { 0 };
            with_settings(handle, |settings| settings.pool = pool)?;
        }
        // The application promises something that we do not need.
        (WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS, Kind::Session(_)) => {
            dword(bytes)?;
        }
        // Default credentials are never sent: every policy is kept.
        (WINHTTP_OPTION_AUTOLOGON_POLICY, Kind::Request(_)) => {
            if dword(bytes)? > WINHTTP_AUTOLOGON_SECURITY_LEVEL_PROXY_ONLY {
                return Err(ERROR_INVALID_PARAMETER);
            }
        }
        (WINHTTP_OPTION_CLIENT_CERT_CONTEXT, Kind::Request(request)) => {
            if !request.with(|machine| machine.site().secure) {
                return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
            }
            // No client certificate is what we have in any case; one cannot be set yet.
            if !null {
                return Err(ERROR_WINHTTP_INVALID_OPTION);
            }
        }
        (WINHTTP_OPTION_PROXY, Kind::Session(_) | Kind::Request(_)) => {
            let access = bytes.get(..4).filter(|_| bytes.len() == size_of::<WINHTTP_PROXY_INFO>());
            let access = dword(access.ok_or(ERROR_INSUFFICIENT_BUFFER)?)?;
            // A proxy cannot be used yet.
            if access == WINHTTP_ACCESS_TYPE_NAMED_PROXY {
                return Err(ERROR_WINHTTP_INVALID_OPTION);
            }
        }
        (
            WINHTTP_OPTION_DISABLE_FEATURE
            | WINHTTP_OPTION_SECURITY_FLAGS
            | WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT
            | WINHTTP_OPTION_SECURE_PROTOCOLS
            | WINHTTP_OPTION_DISABLE_GLOBAL_POOLING
            | WINHTTP_OPTION_ASSURED_NON_BLOCKING_CALLBACKS
            | WINHTTP_OPTION_AUTOLOGON_POLICY
            | WINHTTP_OPTION_CLIENT_CERT_CONTEXT
            | WINHTTP_OPTION_PROXY,
            _,
        ) => return wrong_type,
        _ => return Err(ERROR_WINHTTP_INVALID_OPTION),
    }
    Ok(())
}

/// The options that hold a user's name or a password.
fn credential(option: u32) -> Option<(Target, Part)> {
    Some(match option {
        WINHTTP_OPTION_USERNAME => (Target::Server, Part::User),
        WINHTTP_OPTION_PASSWORD => (Target::Server, Part::Password),
        WINHTTP_OPTION_PROXY_USERNAME => (Target::Proxy, Part::User),
        WINHTTP_OPTION_PROXY_PASSWORD => (Target::Proxy, Part::Password),
        _ => return None,
    })
}

fn set_credential(handle: &Handle, target: Target, part: Part, text: &[u16]) -> Result<(), Win32Error> {
    let request = handle.as_request()?;
    let text = String::from_utf16_lossy(text.strip_suffix(&[0]).unwrap_or(text));
    let seed = handle.random();
    request.with(|machine| {
        let site = machine.site().clone();
        machine.credentials.set(target, part, text, &site, seed);
    });
    Ok(())
}

fn set_agent(handle: &Handle, agent: &[u16]) -> Result<(), Win32Error> {
    let session = handle.as_session()?;
    let agent = header_value(agent.strip_suffix(&[0]).unwrap_or(agent))?;
    *session.agent.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(agent);
    Ok(())
}

fn dword(bytes: &[u8]) -> Result<u32, Win32Error> {
    bytes.try_into().map(u32::from_ne_bytes).map_err(|_| ERROR_INSUFFICIENT_BUFFER)
}

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
