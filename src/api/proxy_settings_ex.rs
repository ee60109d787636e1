//! WinHttpGetProxySettingsEx and its like, and the notification of changes.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::{Arc, Weak};

use super::edge::{NONE, code, find, get, put};
use super::proxy::{global_text, global_text_or_null, world};
use crate::delivery::Job;
use crate::http::proxy::UserSettings;
use crate::win32::memory::{allocate, free};
use crate::win32::*;
use crate::world::{Registration, World};

/// Reads the user's proxy settings (nf-winhttp-winhttpgetproxysettingsex). ERROR_IO_PENDING: GETPROXYSETTINGS_COMPLETE comes, and
/// then WinHttpGetProxySettingsResultEx has them; or REQUEST_ERROR {API_GET_PROXY_SETTINGS, error}.
/// ERROR_INVALID_PARAMETER for an unknown type. The settings are the same for every type and every connection.
///
/// # Safety
/// The parameters are not looked at.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxySettingsEx(
    hresolver: *const c_void,
    proxysettingstype: i32,
    _pproxysettingsparam: *const WINHTTP_PROXY_SETTINGS_PARAM,
    pcontext: usize,
) -> u32 {
    code("WinHttpGetProxySettingsEx", hresolver, || {
        let resolver = find(hresolver)?;
        resolver.as_resolver()?;
        known(proxysettingstype)?;
        resolver.set_context(pcontext);
        resolver.read_proxy_settings()?;
        Err(ERROR_IO_PENDING)
    })
}

/// WinHttpProxySettingsTypeWsl to WinHttpProxySettingsTypeXBox.
fn known(settings_type: i32) -> Result<(), Win32Error> {
    if (1..=3).contains(&settings_type) { Ok(()) } else { Err(ERROR_INVALID_PARAMETER) }
}

/// The settings that were read (nf-winhttp-winhttpgetproxysettingsresultex), as a WINHTTP_PROXY_SETTINGS_EX: freed with
/// WinHttpFreeProxySettingsEx. `ullFlags` has WINHTTP_PROXY_TYPE_* bits, `ullGenerationId` grows with each change.
/// ERROR_WINHTTP_INCORRECT_HANDLE_STATE before GETPROXYSETTINGS_COMPLETE; ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `pproxysettingsex` is NULL or valid for a write of the structure.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxySettingsResultEx(
    hresolver: *const c_void,
    pproxysettingsex: *mut c_void,
) -> u32 {
    code("WinHttpGetProxySettingsResultEx", hresolver, || {
        let resolver = find(hresolver)?;
        let driver = resolver.as_resolver()?;
        if pproxysettingsex.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let user = driver.with(|machine| machine.settings().cloned())?;
        let settings = settings(&user, resolver.world().proxies.version())?;
        // SAFETY: the caller's promise.
        unsafe { put(pproxysettingsex.cast::<WINHTTP_PROXY_SETTINGS_EX>(), settings) };
        Ok(())
    })
}

fn settings(user: &UserSettings, version: u32) -> Result<WINHTTP_PROXY_SETTINGS_EX, Win32Error> {
    let named = user.named.as_ref();
    let first = |secure| named.and_then(|named| named.first(secure)).map(ToString::to_string);
    let bypasses: Vec<_> = named
        .and_then(|named| named.bypass.as_deref())
        .unwrap_or_default()
        .split(|c: char| c == ';' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .collect();
    let list: *mut PCWSTR = allocate(bypasses.len() * size_of::<PCWSTR>(), true).cast();
    if list.is_null() {
        return Err(ERROR_NOT_ENOUGH_MEMORY);
    }
    for (at, bypass) in bypasses.iter().enumerate() {
        let bypass = global_text(bypass)?;
        // SAFETY: the block was made for so many pointers.
        unsafe { list.add(at).write(bypass) };
    }
    let flags = [
        (user.named.is_some(), WINHTTP_PROXY_TYPE_PROXY),
        (user.script.is_some(), WINHTTP_PROXY_TYPE_AUTO_PROXY_URL),
        (user.detect, WINHTTP_PROXY_TYPE_AUTO_DETECT),
    ];
    let flags = flags.iter().filter(|(set, _)| *set).fold(WINHTTP_PROXY_TYPE_DIRECT, |bits, (_, bit)| bits | bit);
    Ok(WINHTTP_PROXY_SETTINGS_EX {
        ullGenerationId: version.into(),
        ullFlags: flags.into(),
        pcwszAutoconfigUrl: global_text_or_null(user.script.as_deref())?,
        pcwszProxy: global_text_or_null(first(false).as_deref())?,
        pcwszSecureProxy: global_text_or_null(first(true).as_deref())?,
        cProxyBypasses: bypasses.len() as u32,
        rgpcwszProxyBypasses: list,
        dwInterfaceIndex: 0,
        pcwszConnectionName: std::ptr::null(),
    })
}

/// Frees the members of a WINHTTP_PROXY_SETTINGS_EX (nf-winhttp-winhttpfreeproxysettingsex); the structure is the
/// application's, and must not be freed twice. ERROR_INVALID_PARAMETER for an unknown type.
///
/// # Safety
/// `pproxysettingsex` is NULL or what WinHttpGetProxySettingsResultEx filled.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpFreeProxySettingsEx(
    proxysettingstype: i32,
    pproxysettingsex: *const c_void,
) -> u32 {
    code("WinHttpFreeProxySettingsEx", NONE, || {
        known(proxysettingstype)?;
        // SAFETY: the caller's promise.
        let Some(settings) = (unsafe { get(pproxysettingsex.cast::<WINHTTP_PROXY_SETTINGS_EX>()) }) else {
            return Ok(());
        };
        let list = settings.rgpcwszProxyBypasses;
        // SAFETY: the caller's promise: these are our blocks, and nobody uses them any more.
        unsafe {
            if !list.is_null() {
                for at in 0..settings.cProxyBypasses as usize {
                    free((*list.add(at)).cast_mut().cast());
                }
            }
            free(list.cast_mut().cast());
            for text in [settings.pcwszAutoconfigUrl, settings.pcwszProxy, settings.pcwszSecureProxy] {
                free(text.cast_mut().cast());
            }
        }
        Ok(())
    })
}

/// Counts the changes of the proxy settings (no page). ERROR_INVALID_PARAMETER for NULL.
///
/// # Safety
/// `pdwproxysettingsversion` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpGetProxySettingsVersion(
    hsession: *const c_void,
    pdwproxysettingsversion: *mut u32,
) -> u32 {
    code("WinHttpGetProxySettingsVersion", hsession, || {
        let session = find(hsession)?;
        session.as_session()?;
        if pdwproxysettingsversion.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        unsafe { put(pdwproxysettingsversion, session.world().proxies.version()) };
        Ok(())
    })
}

/// Has a function called after each change of the proxy settings of this process
/// (nf-winhttp-winhttpregisterproxychangenotification), on a worker. ERROR_INVALID_PARAMETER for other flags than
/// WINHTTP_PROXY_NOTIFY_CHANGE, or NULL.
///
/// # Safety
/// The function may be called from any thread, with this context, until it is unregistered and a call that had begun has
/// returned; `hregistration` is NULL or valid for a write.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpRegisterProxyChangeNotification(
    ullflags: u64,
    pfncallback: Option<RawProxyChangeCallback>,
    pvcontext: *const c_void,
    hregistration: *mut *mut c_void,
) -> u32 {
    code("WinHttpRegisterProxyChangeNotification", NONE, || {
        let (Some(function), false) = (pfncallback, hregistration.is_null()) else {
            return Err(ERROR_INVALID_PARAMETER);
        };
        if ullflags != u64::from(WINHTTP_PROXY_NOTIFY_CHANGE) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let callback = unsafe { ProxyChangeCallback::new(function, pvcontext) };
        let world = world()?;
        let there = Arc::downgrade(&world);
        let registration = Arc::new(Registration::new(callback));
        let number = world.proxies.watch(Arc::clone(&registration), Arc::new(move || changed(&there, &registration)));
        // SAFETY: the caller's promise.
        unsafe { put(hregistration, std::ptr::without_provenance_mut(number)) };
        Ok(())
    })
}

fn changed(world: &Weak<World>, registration: &Arc<Registration>) {
    if let Some(world) = world.upgrade() {
        world.spawner.run(Arc::clone(registration) as Arc<dyn Job>);
    }
}

/// Ends a registration (nf-winhttp-winhttpunregisterproxychangenotification): no callback of it begins when this has
/// returned, and one that runs has returned by then, but for that from which this is called: two callbacks that end each
/// other's registration wait for each other for ever. ERROR_INVALID_HANDLE for what is none.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpUnregisterProxyChangeNotification(hregistration: *const c_void) -> u32 {
    code("WinHttpUnregisterProxyChangeNotification", NONE, || {
        let world = world()?;
        let registration = world.proxies.unwatch(hregistration.addr()).ok_or(ERROR_INVALID_HANDLE)?;
        registration.end(world.steps());
        Ok(())
    })
}
