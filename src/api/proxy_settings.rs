//! WinHttpReadProxySettings, WinHttpWriteProxySettings and their Free: the proxy settings of the user, which other
//! functions and automatic proxies go by. No page describes them; they follow the header and its names.
//!
//! The settings live in the world: those of the process begin with what the environment says and end with it. They are
//! the same for every connection name.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::null_mut;

use super::edge::{code, find, get, no_panic, put, text};
use super::proxy::global_text_or_null;

use crate::http::proxy::{Named, UserSettings};
use crate::win32::memory::free;
use crate::win32::*;

/// Reads the user's proxy settings. Those of a connection are the default ones: with a name they are only returned if
/// `ffallbacktodefaultsettings` says so, else ERROR_FILE_NOT_FOUND. The strings are freed by WinHttpFreeProxySettings.
///
/// # Safety
/// The name is NULL or ends in NUL; the out parameters are NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpReadProxySettings(
    hsession: *const c_void,
    pcwszconnectionname: PCWSTR,
    ffallbacktodefaultsettings: BOOL,
    fsetautodiscoverfordefaultsettings: BOOL,
    pdwsettingsversion: *mut u32,
    pfdefaultsettingsarereturned: *mut BOOL,
    pwinhttpproxysettings: *mut WINHTTP_PROXY_SETTINGS,
) -> u32 {
    code("WinHttpReadProxySettings", hsession, || {
        let session = find(hsession)?;
        session.as_session()?;
        if pwinhttpproxysettings.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let name = unsafe { text(pcwszconnectionname) }.filter(|name| !name.is_empty());
        if name.is_some() && ffallbacktodefaultsettings == 0 {
            return Err(ERROR_FILE_NOT_FOUND);
        }
        let proxies = &session.world().proxies;
        let (user, version) = (proxies.user(), proxies.version());
        let mut flags = WINHTTP_PROXY_TYPE_DIRECT;
        for (flag, set) in [
            (WINHTTP_PROXY_TYPE_PROXY, user.named.is_some()),
            (WINHTTP_PROXY_TYPE_AUTO_PROXY_URL, user.script.is_some()),
            (WINHTTP_PROXY_TYPE_AUTO_DETECT, user.detect || fsetautodiscoverfordefaultsettings != 0),
        ] {
            flags |= if set { flag } else { 0 };
        }
        let named = user.named.as_ref();
        let settings = WINHTTP_PROXY_SETTINGS {
            dwStructSize: size_of::<WINHTTP_PROXY_SETTINGS>() as u32,
            dwFlags: flags,
            dwCurrentSettingsVersion: version,
            pwszConnectionName: null_mut(),
            pwszProxy: global_text_or_null(named.map(|named| &*named.proxy))?,
            pwszProxyBypass: global_text_or_null(named.and_then(|named| named.bypass.as_deref()))?,
            pwszAutoconfigUrl: global_text_or_null(user.script.as_deref())?,
            pwszAutoconfigSecondaryUrl: null_mut(),
            dwAutoDiscoveryFlags: 0,
            pwszLastKnownGoodAutoConfigUrl: null_mut(),
            dwAutoconfigReloadDelayMins: 0,
            ftLastKnownDetectTime: FILETIME::default(),
            dwDetectedInterfaceIpCount: 0,
            pdwDetectedInterfaceIp: null_mut(),
            cNetworkKeys: 0,
            pNetworkKeys: null_mut(),
        };
        // SAFETY: the caller's promise.
        unsafe {
            put(pwinhttpproxysettings, settings);
            put(pdwsettingsversion, version);
            put(pfdefaultsettingsarereturned, 1);
        }
        Ok(())
    })
}

/// Sets the user's proxy settings, which WinHttpGetIEProxyConfigForCurrentUser, automatic proxies and
/// WinHttpReadProxySettings go by. Without `fforceupdate` they must have been read since the last change: else
/// ERROR_INVALID_PARAMETER, as for a wrong size and a list that names no proxy.
///
/// # Safety
/// The settings are NULL or readable, with strings that are NULL or end in NUL.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpWriteProxySettings(
    hsession: *const c_void,
    fforceupdate: BOOL,
    pwinhttpproxysettings: *const WINHTTP_PROXY_SETTINGS,
) -> u32 {
    code("WinHttpWriteProxySettings", hsession, || {
        let session = find(hsession)?;
        session.as_session()?;
        // SAFETY: the caller's promise.
        let settings = unsafe { get(pwinhttpproxysettings) }.ok_or(ERROR_INVALID_PARAMETER)?;
        let proxies = &session.world().proxies;
        let outdated = fforceupdate == 0 && settings.dwCurrentSettingsVersion != proxies.version();
        if settings.dwStructSize as usize != size_of::<WINHTTP_PROXY_SETTINGS>() || outdated {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let has = |flag| settings.dwFlags & flag != 0;
        // SAFETY: the caller's promise.
        let string = |pointer: PWSTR| unsafe { text(pointer) }.map(|text| String::from_utf16_lossy(&text));
        let named = if has(WINHTTP_PROXY_TYPE_PROXY) {
            let proxy = string(settings.pwszProxy).ok_or(ERROR_INVALID_PARAMETER)?;
            let bypass = string(settings.pwszProxyBypass);
            Some(Named::parse(&proxy, bypass.as_deref()).map_err(|_| ERROR_INVALID_PARAMETER)?)
        } else {
            None
        };
        let script = string(settings.pwszAutoconfigUrl).filter(|_| has(WINHTTP_PROXY_TYPE_AUTO_PROXY_URL));
        proxies.set_user(UserSettings { detect: has(WINHTTP_PROXY_TYPE_AUTO_DETECT), script, named });
        Ok(())
    })
}

/// Frees the strings of settings that WinHttpReadProxySettings filled; NULL is nothing.
///
/// # Safety
/// The settings are NULL or came from WinHttpReadProxySettings, and were not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpFreeProxySettings(pwinhttpproxysettings: *const WINHTTP_PROXY_SETTINGS) {
    no_panic((), || {
        // SAFETY: the caller's promise.
        if let Some(settings) = unsafe { get(pwinhttpproxysettings) } {
            for string in [
                settings.pwszConnectionName,
                settings.pwszProxy,
                settings.pwszProxyBypass,
                settings.pwszAutoconfigUrl,
                settings.pwszAutoconfigSecondaryUrl,
                settings.pwszLastKnownGoodAutoConfigUrl,
            ] {
                // SAFETY: as above: each string is a block of its own, or NULL.
                unsafe { free(string.cast()) };
            }
        }
    });
}
