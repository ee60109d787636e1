//! WinHttpCreateProxyResolver, WinHttpGetProxyForUrlEx and its like, WinHttpGetProxyForUrl, WinHttpDetectAutoProxyConfigUrl,
//! WinHttpResetAutoProxy.
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{NONE, caught, code, done, find, get, put, text};
use super::proxy::{global_text, proxy_info, world};
use crate::http::proxy::{Access, Choice, ChoiceReason, Hop, Server};
use crate::machine::resolver::{AutoProxy, Query};
use crate::win32::memory::{allocate, free};
use crate::win32::*;

/// Makes a proxy resolver of an asynchronous session (nf-winhttp-winhttpcreateproxyresolver); closing it cancels what it
/// does. It has the session's callback; WinHttpSetStatusCallback gives it one of its own.
///
/// ERROR_INVALID_HANDLE; ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for what is no session, and for a synchronous one;
/// ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `phresolver` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpCreateProxyResolver(hsession: *const c_void, phresolver: *mut HINTERNET) -> u32 {
    code("WinHttpCreateProxyResolver", hsession, || {
        let session = find(hsession)?;
        session.as_session()?;
        if phresolver.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let resolver = session.resolver()?;
        // SAFETY: the caller's promise.
        unsafe { put(phresolver, std::ptr::without_provenance_mut(resolver.value())) };
        Ok(())
    })
}

/// Finds the routes to a URL (nf-winhttp-winhttpgetproxyforurlex). ERROR_IO_PENDING: GETPROXYFORURL_COMPLETE comes, and
/// then WinHttpGetProxyResult has them; or REQUEST_ERROR {API_GET_PROXY_FOR_URL, error}:
///
/// | error | |
/// |---|---|
/// | ERROR_WINHTTP_AUTODETECTION_FAILED | the network has no PAC script, or may not be asked ([`Proxies::may_detect`](crate::real::Proxies::may_detect)) |
/// | ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT | it is no 200 with at most 1 MiB over http or https |
/// | ERROR_WINHTTP_LOGIN_FAILURE | its server wants credentials, and there are no default ones |
/// | ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT | it does not load, throws, takes too long or too much memory, answers no text or more than 256 entries |
/// | ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR | this build lacks the feature `pac`, and no script is overridden |
/// | ERROR_WINHTTP_OPERATION_CANCELLED | the resolver or its session was closed |
///
/// A script whose answer names no route is no error: the result has no entries (source n216).
/// Other codes say that nothing was begun: ERROR_INVALID_PARAMETER as for [`WinHttpGetProxyForUrl`],
/// ERROR_WINHTTP_INVALID_URL, ERROR_WINHTTP_UNRECOGNIZED_SCHEME, ERROR_WINHTTP_INCORRECT_HANDLE_STATE while another
/// question is open. `pcontext` becomes the context of the resolver.
///
/// # Safety
/// The strings are NULL or NUL-terminated UTF-16, the options NULL or readable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxyForUrlEx(
    hresolver: *const c_void,
    pcwszurl: PCWSTR,
    pautoproxyoptions: *const WINHTTP_AUTOPROXY_OPTIONS,
    pcontext: usize,
) -> u32 {
    code("WinHttpGetProxyForUrlEx", hresolver, || {
        // SAFETY: the caller's promise.
        unsafe { begin(hresolver, pcwszurl, pautoproxyoptions, pcontext) }
    })
}

/// [`WinHttpGetProxyForUrlEx`] with a choice of the interface, which has no page; it is not looked at.
///
/// # Safety
/// As for [`WinHttpGetProxyForUrlEx`].
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxyForUrlEx2(
    hresolver: *const c_void,
    pcwszurl: PCWSTR,
    pautoproxyoptions: *const WINHTTP_AUTOPROXY_OPTIONS,
    _cbinterfaceselectioncontext: u32,
    _pinterfaceselectioncontext: *const u8,
    pcontext: usize,
) -> u32 {
    code("WinHttpGetProxyForUrlEx2", hresolver, || {
        // SAFETY: the caller's promise.
        unsafe { begin(hresolver, pcwszurl, pautoproxyoptions, pcontext) }
    })
}

/// # Safety
/// As for [`WinHttpGetProxyForUrlEx`].
unsafe fn begin(
    resolver: *const c_void,
    url: PCWSTR,
    options: *const WINHTTP_AUTOPROXY_OPTIONS,
    context: usize,
) -> Result<(), Win32Error> {
    let resolver = find(resolver)?;
    resolver.as_resolver()?;
    // SAFETY: the caller's promise.
    let query = unsafe { query(url, options) }?;
    resolver.set_context(context);
    resolver.find_proxy(query)?;
    Err(ERROR_IO_PENDING)
}

/// # Safety
/// The strings are NULL or NUL-terminated UTF-16, the options NULL or readable.
unsafe fn query(url: PCWSTR, options: *const WINHTTP_AUTOPROXY_OPTIONS) -> Result<Query, Win32Error> {
    // SAFETY: the caller's promise.
    let (url, options) = unsafe { (text(url), get(options)) };
    let url = url.filter(|url| !url.is_empty()).ok_or(ERROR_INVALID_PARAMETER)?;
    let options = options.ok_or(ERROR_INVALID_PARAMETER)?;
    // SAFETY: the caller's promise.
    let script = unsafe { text(options.lpszAutoConfigUrl) }.map(|script| String::from_utf16_lossy(&script));
    let options = AutoProxy { flags: options.dwFlags, detect: options.dwAutoDetectFlags, script };
    options.check()?;
    Query::new(&url, Some(options))
}

/// The routes that were found (nf-winhttp-winhttpgetproxyresult): freed with WinHttpFreeProxyResult.
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE before GETPROXYFORURL_COMPLETE; ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `pproxyresult` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxyResult(
    hresolver: *const c_void,
    pproxyresult: *mut WINHTTP_PROXY_RESULT,
) -> u32 {
    code("WinHttpGetProxyResult", hresolver, || {
        let (count, entries) = result(hresolver, pproxyresult.is_null())?;
        // SAFETY: the caller's promise.
        unsafe { put(pproxyresult, WINHTTP_PROXY_RESULT { cEntries: count, pEntries: entries }) };
        Ok(())
    })
}

/// [`WinHttpGetProxyResult`] in the newer structure; there is no detection handle, and no interface. Freed with
/// WinHttpFreeProxyResultEx.
///
/// # Safety
/// `pproxyresultex` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxyResultEx(
    hresolver: *const c_void,
    pproxyresultex: *mut WINHTTP_PROXY_RESULT_EX,
) -> u32 {
    code("WinHttpGetProxyResultEx", hresolver, || {
        let (count, entries) = result(hresolver, pproxyresultex.is_null())?;
        let result = WINHTTP_PROXY_RESULT_EX {
            cEntries: count,
            pEntries: entries,
            hProxyDetectionHandle: std::ptr::null_mut(),
            dwProxyInterfaceAffinity: 0,
        };
        // SAFETY: the caller's promise.
        unsafe { put(pproxyresultex, result) };
        Ok(())
    })
}

fn result(resolver: *const c_void, null: bool) -> Result<(u32, *mut WINHTTP_PROXY_RESULT_ENTRY), Win32Error> {
    let resolver = find(resolver)?;
    let driver = resolver.as_resolver()?;
    if null {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let choice = driver.with(|machine| machine.answer().cloned())?;
    let count = choice.hops.len();
    if count == 0 {
        return Ok((0, std::ptr::null_mut()));
    }
    let block: *mut WINHTTP_PROXY_RESULT_ENTRY = allocate(count * size_of::<WINHTTP_PROXY_RESULT_ENTRY>(), true).cast();
    if block.is_null() {
        return Err(ERROR_NOT_ENOUGH_MEMORY);
    }
    for (at, hop) in choice.hops.iter().enumerate() {
        let entry = entry(hop, &choice)?;
        // SAFETY: the block was made for so many entries, and is aligned for anything.
        unsafe { block.add(at).write(entry) };
    }
    Ok((count as u32, block))
}

fn entry(hop: &Hop, choice: &Choice) -> Result<WINHTTP_PROXY_RESULT_ENTRY, Win32Error> {
    let bypass = matches!(choice.reason, ChoiceReason::Bypassed(_));
    Ok(match hop {
        Hop::Direct => WINHTTP_PROXY_RESULT_ENTRY {
            fProxy: 0,
            fBypass: bypass.into(),
            ProxyScheme: 0,
            pwszProxy: std::ptr::null_mut(),
            ProxyPort: 0,
        },
        Hop::Via(server) => WINHTTP_PROXY_RESULT_ENTRY {
            fProxy: 1,
            fBypass: 0,
            ProxyScheme: server.scheme.number(),
            pwszProxy: global_text(&server.host)?,
            ProxyPort: server.port,
        },
    })
}

/// Frees the members of a result and empties it (nf-winhttp-winhttpfreeproxyresult).
///
/// # Safety
/// `pproxyresult` is NULL or a result of WinHttpGetProxyResult.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpFreeProxyResult(pproxyresult: *mut WINHTTP_PROXY_RESULT) {
    caught((), || {
        // SAFETY: the caller's promise.
        if let Some(result) = unsafe { get(pproxyresult) } {
            let empty = WINHTTP_PROXY_RESULT { cEntries: 0, pEntries: std::ptr::null_mut() };
            // SAFETY: the caller's promise: what is freed is named by nobody afterwards.
            unsafe {
                put(pproxyresult, empty);
                free_entries(result.cEntries, result.pEntries);
            }
        }
    })
}

/// Frees the members of a result and empties it (no page).
///
/// # Safety
/// `pproxyresultex` is NULL or a result of WinHttpGetProxyResultEx.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpFreeProxyResultEx(pproxyresultex: *mut WINHTTP_PROXY_RESULT_EX) {
    caught((), || {
        // SAFETY: the caller's promise.
        if let Some(result) = unsafe { get(pproxyresultex) } {
            let empty = WINHTTP_PROXY_RESULT_EX { cEntries: 0, pEntries: std::ptr::null_mut(), ..result };
            // SAFETY: the caller's promise: what is freed is named by nobody afterwards.
            unsafe {
                put(pproxyresultex, empty);
                free_entries(result.cEntries, result.pEntries);
            }
        }
    })
}

/// # Safety
/// `entries` is NULL or `count` entries of [`result`], which nobody uses any more.
unsafe fn free_entries(count: u32, entries: *mut WINHTTP_PROXY_RESULT_ENTRY) {
    if entries.is_null() {
        return;
    }
    for at in 0..count as usize {
        // SAFETY: the caller's promise.
        unsafe { free((*entries.add(at)).pwszProxy.cast()) };
    }
    // SAFETY: the caller's promise.
    unsafe { free(entries.cast()) };
}

/// Finds the proxy for a URL and waits for it (nf-winhttp-winhttpgetproxyforurl), also on an asynchronous session. The
/// strings of `pproxyinfo` are freed with GlobalFree.
///
/// WINHTTP_ACCESS_TYPE_NAMED_PROXY with what a script named before its first `DIRECT`, in the form of WinHttpOpen; or
/// NO_PROXY. WinHTTP itself tries the first of several only: the others are for the application (source P3).
///
/// ERROR_INVALID_HANDLE, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE; ERROR_INVALID_PARAMETER for NULL, an empty URL, no flag, AUTO_DETECT
/// without detect flags, CONFIG_URL without a URL (source proxy.for-url); ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR if the
/// script names no route; the errors of [`WinHttpGetProxyForUrlEx`].
///
/// # Safety
/// The strings are NULL or NUL-terminated UTF-16, the options NULL or readable, `pproxyinfo` NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxyForUrl(
    hsession: HINTERNET,
    lpcwszurl: PCWSTR,
    pautoproxyoptions: *mut WINHTTP_AUTOPROXY_OPTIONS,
    pproxyinfo: *mut WINHTTP_PROXY_INFO,
) -> BOOL {
    done("WinHttpGetProxyForUrl", hsession, || {
        let session = find(hsession)?;
        session.as_session()?;
        if pproxyinfo.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let query = unsafe { query(lpcwszurl, pautoproxyoptions) }?;
        let choice = session.find_and_wait(query)?;
        // SAFETY: the caller's promise.
        unsafe { put(pproxyinfo, found(&choice)?) };
        Ok(())
    })
}

/// The access type that a choice comes to.
fn found(choice: &Choice) -> Result<WINHTTP_PROXY_INFO, Win32Error> {
    if choice.hops.is_empty() {
        return Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR);
    }
    let mut proxies = Vec::new();
    for hop in &choice.hops {
        match hop {
            Hop::Via(server) => proxies.push(listed(server)),
            Hop::Direct => break,
        }
    }
    if proxies.is_empty() {
        return proxy_info(&Access::None);
    }
    Ok(WINHTTP_PROXY_INFO {
        dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
        lpszProxy: global_text(&proxies.join(";"))?,
        lpszProxyBypass: std::ptr::null_mut(),
    })
}

/// A proxy as an entry of a list.
fn listed(server: &Server) -> String {
    if server.is_socks() || server.speaks_tls() { server.to_string() } else { server.authority() }
}

/// Looks for a PAC script in the network and waits for the answer (nf-winhttp-winhttpdetectautoproxyconfigurl). Only DNS is
/// asked, and only if that is allowed ([`Proxies::may_detect`](crate::real::Proxies::may_detect)). The URL is freed with GlobalFree.
///
/// ERROR_INVALID_PARAMETER for no flags or NULL; ERROR_WINHTTP_AUTODETECTION_FAILED and a NULL URL if there is none.
///
/// # Safety
/// `ppwstrautoconfigurl` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpDetectAutoProxyConfigUrl(
    dwautodetectflags: u32,
    ppwstrautoconfigurl: *mut PWSTR,
) -> BOOL {
    done("WinHttpDetectAutoProxyConfigUrl", NONE, || {
        if dwautodetectflags == 0 || ppwstrautoconfigurl.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        unsafe { put(ppwstrautoconfigurl, std::ptr::null_mut()) };
        let url = crate::handle::detect(&world()?, dwautodetectflags).ok_or(ERROR_WINHTTP_AUTODETECTION_FAILED)?;
        // SAFETY: the caller's promise.
        unsafe { put(ppwstrautoconfigurl, global_text(&url)?) };
        Ok(())
    })
}

/// Forgets what was learnt about proxies (nf-winhttp-winhttpresetautoproxy): scripts are fetched again.
/// ERROR_INVALID_PARAMETER without WINHTTP_RESET_OUT_OF_PROC (source P10).
///
/// # Safety
/// Any values may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpResetAutoProxy(hsession: *const c_void, dwflags: u32) -> u32 {
    code("WinHttpResetAutoProxy", hsession, || {
        let session = find(hsession)?;
        session.as_session()?;
        if dwflags & WINHTTP_RESET_OUT_OF_PROC == 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        session.world().proxies.forget_scripts();
        Ok(())
    })
}
