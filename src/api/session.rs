//! WinHttpOpen, WinHttpConnect, WinHttpCloseHandle, WinHttpSetStatusCallback, WinHttpSetTimeouts.
#![allow(unsafe_code)]

use std::sync::Arc;

use super::edge::{NONE, caught, done, find, given, handle, observed, text};
use super::proxy::access;
use crate::handle::{Connection, Handle, Kind, Listener};
use crate::http::zone::numbered;
use crate::machine::Settings;
use crate::observe::{CheckEvent, Returned};
use crate::real;
use crate::win32::*;
use crate::world::{Requested, Unspecified, World};

/// Opens a session (nf-winhttp-winhttpopen). With WINHTTP_FLAG_ASYNC everything made from it is asynchronous;
/// with WINHTTP_FLAG_SECURE_DEFAULTS, too, and then only TLS 1.2 and newer is spoken, and nothing can be made weaker.
///
/// `pszproxyw` and `pszproxybypassw` are the lists of WINHTTP_ACCESS_TYPE_NAMED_PROXY, and are not looked at for any other
/// access type. The proxies: `[http=|https=|socks=][scheme://]host[:port]`, the hosts that bypass them: names and addresses
/// with `*` anywhere, `<local>`, each with a port behind it; all between semicolons or white space. Hosts on this machine
/// bypass every proxy. WINHTTP_ACCESS_TYPE_DEFAULT_PROXY takes what WinHttpSetDefaultProxyConfiguration said, else
/// the environment; WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY asks the resolver for each request.
/// ERROR_INVALID_PARAMETER for another access type, a list that names no proxy, or a bypass list with a `/` (source
/// proxy.bypass-slash).
///
/// # Safety
/// The strings are NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpOpen(
    pszagentw: PCWSTR,
    dwaccesstype: u32,
    pszproxyw: PCWSTR,
    pszproxybypassw: PCWSTR,
    dwflags: u32,
) -> HINTERNET {
    handle("WinHttpOpen", NONE, || {
        // SAFETY: the caller's promise.
        let agent = unsafe { text(pszagentw) }.filter(|agent| !agent.is_empty());
        let agent = agent.map(|agent| header_value(&agent)).transpose()?;
        let asynchronous = dwflags & WINHTTP_FLAG_ASYNC != 0;
        let secure_defaults = dwflags & WINHTTP_FLAG_SECURE_DEFAULTS == WINHTTP_FLAG_SECURE_DEFAULTS;
        let (world, policy) = real::opening().ok_or(ERROR_NOT_SUPPORTED)?;
        given(&world, || if asynchronous { "asynchronous".to_owned() } else { "synchronous".to_owned() });
        if let Some(error) = world.choices.refuse(0, Requested::Session(dwflags)) {
            return Err(error);
        }
        // SAFETY: the caller's promise.
        let proxy = unsafe { access(&world, dwaccesstype, pszproxyw, pszproxybypassw) }?;
        let newer_digest = world.choices.newer_digest();
        let mut settings = Settings { proxy, secure_defaults, newer_digest, ..Settings::default() };
        settings.secure_protocols &= world.choices.known_secure_protocols();
        Ok(Handle::session(world, policy, asynchronous, agent.map(Into::into), settings))
    })
}

/// Text that becomes the value of a header: it must not bring another line.
pub(super) fn header_value(text: &[u16]) -> Result<String, Win32Error> {
    let value = String::from_utf16_lossy(text);
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(ERROR_INVALID_PARAMETER);
    }
    Ok(value)
}

/// Names the server of requests (nf-winhttp-winhttpconnect). Nothing is sent. Port 0: 80 or 443.
/// ERROR_WINHTTP_INVALID_URL for a name that is none, and for the ports of FTP, mail and news (source CN3).
///
/// # Safety
/// `pswzservername` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpConnect(
    hsession: HINTERNET,
    pswzservername: PCWSTR,
    nserverport: u16,
    _dwreserved: u32,
) -> HINTERNET {
    handle("WinHttpConnect", hsession, || {
        // SAFETY: the caller's promise.
        let host = unsafe { text(pswzservername) }.ok_or(ERROR_INVALID_PARAMETER)?;
        let session = find(hsession)?;
        session.as_session()?;
        if crate::http::is_forbidden(nserverport) {
            return Err(ERROR_WINHTTP_INVALID_URL);
        }
        let host = server_name(&host, session.world())?;
        given(session.world(), || format!("{host}, {nserverport}"));
        session.connection(Connection { host: host.into(), port: nserverport })
    })
}

/// A host name or address literal, one of IPv6 in brackets (source n193), which may have a zone (source n198). It becomes
/// the Host header, so it must not hold what ends a line or a name.
pub(super) fn server_name(text: &[u16], world: &World) -> Result<String, Win32Error> {
    let name = String::from_utf16(text).map_err(|_| ERROR_WINHTTP_INVALID_URL)?;
    let good = |c: char| c.is_ascii_graphic() && !":/\\?#@<>[]\"^`{|}".contains(c);
    let host = match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => numbered(address, |name| world.names.interface(name)),
        None => (!name.is_empty() && name.chars().all(good)).then_some(name),
    };
    host.ok_or(ERROR_WINHTTP_INVALID_URL)
}

/// Closes a handle of any type (nf-winhttp-winhttpclosehandle). Never waits; what is pending ends with
/// ERROR_WINHTTP_OPERATION_CANCELLED, then comes HANDLE_CLOSING.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpCloseHandle(hinternet: HINTERNET) -> BOOL {
    done("WinHttpCloseHandle", hinternet, || Handle::close(hinternet.addr()))
}

/// Sets the status callback of a handle (nf-winhttp-winhttpsetstatuscallback). Answers the former one, or
/// WINHTTP_INVALID_STATUS_CALLBACK: ERROR_INVALID_HANDLE, or ERROR_INVALID_OPERATION for a NULL callback while an
/// operation is pending (source handle.null-callback).
///
/// # Safety
/// The callback may be called from any thread until the handle's HANDLE_CLOSING.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSetStatusCallback(
    hinternet: HINTERNET,
    lpfninternetcallback: Option<RawStatusCallback>,
    dwnotificationflags: u32,
    _dwreserved: usize,
) -> Option<RawStatusCallback> {
    caught(None, || {
        // SAFETY: a function pointer may have any value but 0, as long as nobody calls it; Windows has the same answer.
        let invalid =
            unsafe { std::mem::transmute::<usize, Option<RawStatusCallback>>(WINHTTP_INVALID_STATUS_CALLBACK) };
        let set = || {
            let handle = find(hinternet)?;
            let pending = lpfninternetcallback.is_none() && handle.pending();
            if pending {
                handle.tell(&CheckEvent::CallbackTakenAway);
            }
            if pending && !handle.world().choices.choose(handle.value(), Unspecified::CallbackRemoved, false) {
                return Err(ERROR_INVALID_OPERATION);
            }
            // SAFETY: the caller's promise.
            let callback = lpfninternetcallback.map(|function| unsafe { StatusCallback::new(function) });
            Ok(handle.listen(Listener { callback, mask: dwnotificationflags }))
        };
        let failure = |error| (invalid, Some(error));
        let returned = |former: Option<RawStatusCallback>| match former {
            Some(former) if former as usize == WINHTTP_INVALID_STATUS_CALLBACK => Returned::InvalidCallback,
            former => Returned::Callback(former.is_some()),
        };
        observed("WinHttpSetStatusCallback", hinternet, failure, returned, || match set() {
            Ok(former) => (former.map(StatusCallback::raw), Some(ERROR_SUCCESS)),
            Err(error) => failure(error),
        })
    })
}

/// Sets the four timeouts of a session or request in milliseconds; 0 and -1 mean no limit
/// (nf-winhttp-winhttpsettimeouts). Values below -1 are ERROR_INVALID_PARAMETER whatever the handle's type.
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSetTimeouts(
    hinternet: HINTERNET,
    nresolvetimeout: i32,
    nconnecttimeout: i32,
    nsendtimeout: i32,
    nreceivetimeout: i32,
) -> BOOL {
    done("WinHttpSetTimeouts", hinternet, || {
        let handle = find(hinternet)?;
        if [nresolvetimeout, nconnecttimeout, nsendtimeout, nreceivetimeout].iter().any(|value| *value < -1) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        with_settings(&handle, |settings| {
            settings.timeouts.resolve = nresolvetimeout as u32;
            settings.timeouts.connect = nconnecttimeout as u32;
            settings.timeouts.send = nsendtimeout as u32;
            settings.timeouts.receive = nreceivetimeout as u32;
        })
    })
}

/// The settings of a session or request as they are; a connection has none of its own.
pub(super) fn settings_of(handle: &Handle) -> Result<Arc<Settings>, Win32Error> {
    match handle.kind() {
        Kind::Session(session) => Ok(Arc::clone(&session.settings.lock())),
        Kind::Connection(_) | Kind::Resolver(_) | Kind::WebSocket(_) => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        Kind::Request(request) => Ok(request.with(|machine| Arc::clone(&machine.config.settings))),
    }
}

/// Changes the settings of a session or request; a connection has none of its own.
pub(super) fn with_settings<R>(handle: &Handle, change: impl FnOnce(&mut Settings) -> R) -> Result<R, Win32Error> {
    match handle.kind() {
        Kind::Session(session) => Ok(change(Arc::make_mut(&mut session.settings.lock()))),
        Kind::Connection(_) | Kind::Resolver(_) | Kind::WebSocket(_) => Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        Kind::Request(request) => Ok(request.configure(|config| change(Arc::make_mut(&mut config.settings)))),
    }
}
