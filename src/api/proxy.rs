//! WINHTTP_PROXY_INFO: the access type and its lists, in and out. WinHttpSetDefaultProxyConfiguration,
//! WinHttpGetDefaultProxyConfiguration, WinHttpGetIEProxyConfigForCurrentUser, WinHttpIsHostInProxyBypassList.
#![allow(unsafe_code)]

use std::sync::Arc;

use super::edge::{NONE, code, done, get, put, text};
use crate::http::proxy::{Access, Destination, Named};
use crate::real;
use crate::win32::memory::allocate;
use crate::win32::*;
use crate::world::World;

/// The world that a function without a handle speaks of.
pub(super) fn world() -> Result<Arc<World>, Win32Error> {
    real::current().map(|(world, _)| world).ok_or(ERROR_NOT_SUPPORTED)
}

/// Text in a block that the application frees with GlobalFree.
pub(super) fn global_text(text: &str) -> Result<PWSTR, Win32Error> {
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let block: PWSTR = allocate(units.len() * 2, false).cast();
    if block.is_null() {
        return Err(ERROR_NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the block was made for so many units, and is aligned for anything.
    unsafe { std::ptr::copy_nonoverlapping(units.as_ptr(), block, units.len()) };
    Ok(block)
}

/// [`global_text`], NULL for none.
pub(super) fn global_text_or_null(text: Option<&str>) -> Result<PWSTR, Win32Error> {
    text.map_or(Ok(std::ptr::null_mut()), global_text)
}

/// The access type of WinHttpOpen and of WINHTTP_OPTION_PROXY. The lists are looked at for a named proxy only
/// (source P1); ERROR_INVALID_PARAMETER for an unknown type, a list that names no proxy, or a bypass list with a `/`.
///
/// # Safety
/// The strings are NULL or NUL-terminated UTF-16.
pub(super) unsafe fn access(
    world: &World,
    access_type: u32,
    proxy: PCWSTR,
    bypass: PCWSTR,
) -> Result<Access, Win32Error> {
    match access_type {
        WINHTTP_ACCESS_TYPE_DEFAULT_PROXY => Ok(Access::Default(world.proxies.default_proxy())),
        WINHTTP_ACCESS_TYPE_NO_PROXY => Ok(Access::None),
        WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY => Ok(Access::Automatic),
        WINHTTP_ACCESS_TYPE_NAMED_PROXY => {
            // SAFETY: the caller's promise.
            let (proxy, bypass) = unsafe { (text(proxy), text(bypass)) };
            named(proxy, bypass).map(|named| Access::Named(Arc::new(world.proxies.applied(named))))
        }
        _ => Err(ERROR_INVALID_PARAMETER),
    }
}

fn named(proxy: Option<Vec<u16>>, bypass: Option<Vec<u16>>) -> Result<Named, Win32Error> {
    let proxy = String::from_utf16_lossy(&proxy.ok_or(ERROR_INVALID_PARAMETER)?);
    let bypass = bypass.map(|text| String::from_utf16_lossy(&text)).filter(|text| !text.is_empty());
    Named::parse(&proxy, bypass.as_deref()).map_err(|_| ERROR_INVALID_PARAMETER)
}

/// The structure that tells an access type. Its strings belong to the application.
pub(super) fn proxy_info(access: &Access) -> Result<WINHTTP_PROXY_INFO, Win32Error> {
    let (access_type, named) = match access {
        Access::Default(named) => (WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, named.as_deref()),
        Access::None => (WINHTTP_ACCESS_TYPE_NO_PROXY, None),
        Access::Named(named) => (WINHTTP_ACCESS_TYPE_NAMED_PROXY, Some(&**named)),
        Access::Automatic => (WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, None),
        Access::Entry(hop) => return entry_info(hop),
    };
    info(access_type, named)
}

fn entry_info(hop: &crate::http::proxy::Hop) -> Result<WINHTTP_PROXY_INFO, Win32Error> {
    match hop {
        crate::http::proxy::Hop::Direct => info(WINHTTP_ACCESS_TYPE_NO_PROXY, None),
        crate::http::proxy::Hop::Via(server) => Ok(WINHTTP_PROXY_INFO {
            dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
            lpszProxy: global_text(&server.to_string())?,
            lpszProxyBypass: std::ptr::null_mut(),
        }),
    }
}

fn info(access_type: u32, named: Option<&Named>) -> Result<WINHTTP_PROXY_INFO, Win32Error> {
    Ok(WINHTTP_PROXY_INFO {
        dwAccessType: access_type,
        lpszProxy: global_text_or_null(named.map(|named| &*named.proxy))?,
        lpszProxyBypass: global_text_or_null(named.and_then(|named| named.bypass.as_deref()))?,
    })
}

/// What sessions with WINHTTP_ACCESS_TYPE_DEFAULT_PROXY use (nf-winhttp-winhttpgetdefaultproxyconfiguration): what
/// WinHttpSetDefaultProxyConfiguration said in this process, else the variables `http_proxy`, `https_proxy`, `all_proxy`
/// and `no_proxy`. The strings are freed with GlobalFree. ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `pproxyinfo` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetDefaultProxyConfiguration(pproxyinfo: *mut WINHTTP_PROXY_INFO) -> BOOL {
    done("WinHttpGetDefaultProxyConfiguration", NONE, || {
        if pproxyinfo.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let named = world()?.proxies.default_proxy();
        let access_type = if named.is_some() { WINHTTP_ACCESS_TYPE_NAMED_PROXY } else { WINHTTP_ACCESS_TYPE_NO_PROXY };
        // SAFETY: the caller's promise.
        unsafe { put(pproxyinfo, info(access_type, named.as_deref())?) };
        Ok(())
    })
}

/// Sets what sessions opened from now on use for WINHTTP_ACCESS_TYPE_DEFAULT_PROXY
/// (nf-winhttp-winhttpsetdefaultproxyconfiguration). Windows writes the registry; here it is for this process.
///
/// ERROR_INVALID_PARAMETER for NULL, for an access type other than NO_PROXY and NAMED_PROXY, for a named one without a
/// proxy, for a `/` in its bypass list, and for characters beyond ASCII (source proxy.default-config).
///
/// # Safety
/// `pproxyinfo` is NULL or readable, its strings NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSetDefaultProxyConfiguration(pproxyinfo: *mut WINHTTP_PROXY_INFO) -> BOOL {
    done("WinHttpSetDefaultProxyConfiguration", NONE, || {
        // SAFETY: the caller's promise.
        let info = unsafe { get(pproxyinfo) }.ok_or(ERROR_INVALID_PARAMETER)?;
        let named = match info.dwAccessType {
            WINHTTP_ACCESS_TYPE_NO_PROXY => None,
            WINHTTP_ACCESS_TYPE_NAMED_PROXY => {
                // SAFETY: the caller's promise.
                let (proxy, bypass) = unsafe { (text(info.lpszProxy), text(info.lpszProxyBypass)) };
                let foreign = |text: &Option<Vec<u16>>| text.iter().flatten().any(|unit| *unit > 0x7F);
                if foreign(&proxy) || foreign(&bypass) {
                    return Err(ERROR_INVALID_PARAMETER);
                }
                Some(named(proxy, bypass)?)
            }
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        world()?.proxies.set_default_proxy(named);
        Ok(())
    })
}

/// The proxy settings of the user (nf-winhttp-winhttpgetieproxyconfigforcurrentuser): what WinHttpWriteProxySettings
/// said in this process, else the environment (`http_proxy` and the like, `WINHTTP_AUTOCONFIG_URL`, `WINHTTP_WPAD`). The
/// strings are freed with GlobalFree. ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `pproxyconfig` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetIEProxyConfigForCurrentUser(
    pproxyconfig: *mut WINHTTP_CURRENT_USER_IE_PROXY_CONFIG,
) -> BOOL {
    done("WinHttpGetIEProxyConfigForCurrentUser", NONE, || {
        if pproxyconfig.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let user = world()?.proxies.user();
        let named = user.named.as_ref();
        let config = WINHTTP_CURRENT_USER_IE_PROXY_CONFIG {
            fAutoDetect: user.detect.into(),
            lpszAutoConfigUrl: global_text_or_null(user.script.as_deref())?,
            lpszProxy: global_text_or_null(named.map(|named| &*named.proxy))?,
            lpszProxyBypass: global_text_or_null(named.and_then(|named| named.bypass.as_deref()))?,
        };
        // SAFETY: the caller's promise.
        unsafe { put(pproxyconfig, config) };
        Ok(())
    })
}

/// Whether the bypass list of a WINHTTP_PROXY_INFO has this host (no page; the header's declaration). ERROR_INVALID_PARAMETER
/// for NULL, a list with a `/`, or a scheme that is neither http nor https. Port 0 is the scheme's.
///
/// # Safety
/// `pproxyinfo` is NULL or readable, the strings NULL or NUL-terminated UTF-16, `pfisinbypasslist` NULL or valid for a
/// write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpIsHostInProxyBypassList(
    pproxyinfo: *const WINHTTP_PROXY_INFO,
    pwszhost: PCWSTR,
    tscheme: i32,
    nport: u16,
    pfisinbypasslist: *mut BOOL,
) -> u32 {
    code("WinHttpIsHostInProxyBypassList", NONE, || {
        // SAFETY: the caller's promise.
        let (info, host) = unsafe { (get(pproxyinfo), text(pwszhost)) };
        let (Some(info), Some(host), false) = (info, host, pfisinbypasslist.is_null()) else {
            return Err(ERROR_INVALID_PARAMETER);
        };
        let (secure, usual) = match tscheme {
            WINHTTP_INTERNET_SCHEME_HTTP => (false, 80),
            WINHTTP_INTERNET_SCHEME_HTTPS => (true, 443),
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        // SAFETY: the caller's promise.
        let bypass = String::from_utf16_lossy(&unsafe { text(info.lpszProxyBypass) }.unwrap_or_default());
        let host = String::from_utf16_lossy(&host);
        let to = Destination { secure, host: &host, port: if nport == 0 { usual } else { nport } };
        let list = crate::http::proxy::BypassList::parse(&bypass).map_err(|_| ERROR_INVALID_PARAMETER)?;
        let found = list.matching(&to).is_some();
        // SAFETY: the caller's promise.
        unsafe { put(pfisinbypasslist, found.into()) };
        Ok(())
    })
}
