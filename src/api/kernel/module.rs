//! Libraries by name: winhttp.dll, kernel32.dll, crypt32.dll, shlwapi.dll and their like are here, and GetProcAddress answers what
//! each of them has.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};

use super::addresses;
use crate::api::edge::{NONE, caught, done, no_panic, put, text};
use crate::win32::*;
use crate::world::entered;

/// The libraries that are here; the program itself comes first. Handles are multiples of 64 KiB, as Windows' are.
const NAMES: [&str; 8] =
    ["", "winhttp", "kernel32", "crypt32", "shlwapi", "kernelbase", "ntdll", "api-ms-win-core-synch-l1-2-0"];
const FIRST: usize = 0x6000_0000;
const STEP: usize = 0x1_0000;

fn handle(number: usize) -> HANDLE {
    std::ptr::without_provenance_mut(FIRST + number * STEP)
}

fn number(handle: usize) -> Option<usize> {
    (0..NAMES.len()).find(|number| FIRST + number * STEP == handle)
}

/// Whether it is the handle of winhttp.dll.
pub(super) fn is_winhttp(handle: usize) -> bool {
    number(handle) == Some(1)
}

/// The library of this name: its path is not looked at, and `.dll` may be left out.
fn named(name: Option<&[u16]>) -> HANDLE {
    let found = match name {
        None => Some(0),
        Some(name) => {
            let name = String::from_utf16_lossy(name).to_ascii_lowercase();
            let name = name.rsplit(['\\', '/']).next().unwrap_or_default().trim_end_matches(".dll");
            NAMES.iter().skip(1).position(|known| *known == name).map(|place| place + 1)
        }
    };
    found.map_or_else(
        || {
            set_last_error(ERROR_MOD_NOT_FOUND);
            std::ptr::null_mut()
        },
        handle,
    )
}

/// The library of this name, or with NULL the program; NULL with ERROR_MOD_NOT_FOUND
/// (nf-libloaderapi-getmodulehandlew).
///
/// # Safety
/// `lpmodulename` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetModuleHandleW(lpmodulename: PCWSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    no_panic(std::ptr::null_mut(), || named(unsafe { text(lpmodulename) }.as_deref()))
}

/// [`GetModuleHandleW`] with a name in UTF-8 (nf-libloaderapi-getmodulehandlea).
///
/// # Safety
/// `lpmodulename` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetModuleHandleA(lpmodulename: PCSTR) -> HANDLE {
    // SAFETY: the caller's promise.
    no_panic(std::ptr::null_mut(), || named(unsafe { crate::api::edge::narrow_text(lpmodulename) }.as_deref()))
}

/// [`GetModuleHandleW`]: libraries are always loaded (nf-libloaderapi-loadlibraryw).
///
/// # Safety
/// `lplibfilename` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LoadLibraryW(lplibfilename: PCWSTR) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        unsafe { LoadLibraryExW(lplibfilename, std::ptr::null_mut(), 0) }
    })
}

/// [`LoadLibraryW`] with a name in UTF-8 (nf-libloaderapi-loadlibrarya).
///
/// # Safety
/// `lplibfilename` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LoadLibraryA(lplibfilename: PCSTR) -> HANDLE {
    caught(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lplibfilename);
            LoadLibraryW(wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr()))
        }
    })
}

/// [`LoadLibraryW`]; the flags are not looked at (nf-libloaderapi-loadlibraryexw). NULL with ERROR_MOD_NOT_FOUND or
/// ERROR_INVALID_PARAMETER.
///
/// # Safety
/// `lplibfilename` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn LoadLibraryExW(lplibfilename: PCWSTR, _hfile: HANDLE, _dwflags: u32) -> HANDLE {
    no_panic(std::ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let name = unsafe { text(lplibfilename) };
        if name.is_none() {
            set_last_error(ERROR_INVALID_PARAMETER);
            return std::ptr::null_mut();
        }
        named(name.as_deref())
    })
}

/// TRUE: libraries stay (nf-libloaderapi-freelibrary). FALSE with ERROR_MOD_NOT_FOUND.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn FreeLibrary(hlibmodule: HANDLE) -> BOOL {
    done("FreeLibrary", NONE, || number(hlibmodule.addr()).map(drop).ok_or(ERROR_MOD_NOT_FOUND))
}

/// What the API set of synchronization has besides waiting on addresses; kernel32 has it, too.
const SYNCH: [&str; 10] = [
    "InitOnceBeginInitialize",
    "InitOnceComplete",
    "InitOnceExecuteOnce",
    "InitOnceInitialize",
    "InitializeConditionVariable",
    "Sleep",
    "SleepConditionVariableCS",
    "SleepConditionVariableSRW",
    "WakeAllConditionVariable",
    "WakeConditionVariable",
];

/// Whether the library with this number has a function of ours by this name.
fn exports(number: usize, name: &str) -> bool {
    let module = match name {
        "UrlCombineW" => "shlwapi",
        "RtlNtStatusToDosError" => "ntdll",
        "PFXImportCertStore" => "crypt32",
        "PortableWinHttpClientCertificateFromPem" => "",
        "WaitOnAddress" | "WakeByAddressSingle" | "WakeByAddressAll" => "api-ms-win-core-synch-l1-2-0",
        _ if name.starts_with("WinHttp") => "winhttp",
        _ if name.starts_with("Cert") => "crypt32",
        _ => "kernel32",
    };
    let base = matches!(module, "kernel32" | "shlwapi" | "api-ms-win-core-synch-l1-2-0");
    let set = NAMES[number] == "api-ms-win-core-synch-l1-2-0" && SYNCH.contains(&name);
    set || NAMES[number] == module || (NAMES[number] == "kernelbase" && base)
}

/// The address of a function that the world of this thread has.
fn here(number: usize, name: &str) -> Option<*const ()> {
    if !exports(number, name) {
        return None;
    }
    let there = entered().is_none_or(|(world, _)| world.choices.has_function(name));
    addresses::find(name).filter(|_| there)
}

/// The address of a function, which a library has that has it on Windows. NULL with ERROR_PROC_NOT_FOUND, also for ordinals,
/// or ERROR_MOD_NOT_FOUND (nf-libloaderapi-getprocaddress).
///
/// # Safety
/// `lpprocname` is NUL-terminated, or an ordinal.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetProcAddress(hmodule: HANDLE, lpprocname: PCSTR) -> *mut c_void {
    no_panic(std::ptr::null_mut(), || {
        let ordinal = lpprocname.addr() < STEP;
        // SAFETY: the caller's promise.
        let name = (!ordinal).then(|| unsafe { CStr::from_ptr(lpprocname.cast()) });
        let found = match number(hmodule.addr()) {
            None => Err(ERROR_MOD_NOT_FOUND),
            Some(number) => name.and_then(|name| here(number, name.to_str().ok()?)).ok_or(ERROR_PROC_NOT_FOUND),
        };
        found.map(<*const ()>::cast_mut).map(<*mut ()>::cast).unwrap_or_else(|error| {
            set_last_error(error);
            std::ptr::null_mut()
        })
    })
}

/// The path of the program, NUL-terminated: its characters; with too little room it is cut, and that is the answer, with
/// ERROR_INSUFFICIENT_BUFFER (nf-libloaderapi-getmodulefilenamew).
///
/// # Safety
/// `lpfilename` has `nsize` characters.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetModuleFileNameW(_hmodule: HANDLE, lpfilename: PWSTR, nsize: u32) -> u32 {
    no_panic(0, || {
        let path = std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let path: Vec<u16> = path.encode_utf16().collect();
        let fits = path.len().min((nsize as usize).saturating_sub(1));
        for (place, unit) in path[..fits].iter().chain([&0]).enumerate().take(nsize as usize) {
            // SAFETY: the caller's promise.
            unsafe { put(lpfilename.add(place), *unit) };
        }
        let cut = fits < path.len();
        set_last_error(if cut { ERROR_INSUFFICIENT_BUFFER } else { ERROR_SUCCESS });
        if cut { nsize } else { fits as u32 }
    })
}
