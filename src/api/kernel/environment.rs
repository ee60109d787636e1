//! Variables of the process, and what the system is.
#![allow(unsafe_code)]

use std::env;
use std::ffi::OsString;

use crate::api::edge::{NONE, done, no_panic, put, text};
use crate::win32::*;

/// A variable's value; ERROR_ENVVAR_NOT_FOUND.
fn variable(name: Option<Vec<u16>>) -> Result<String, Win32Error> {
    let name = name.map(|name| String::from_utf16_lossy(&name)).filter(|name| is_name(name));
    let value = name.and_then(env::var_os).ok_or(ERROR_ENVVAR_NOT_FOUND)?;
    Ok(value.to_string_lossy().into_owned())
}

/// What the system takes as a name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}

/// Hands a value out with its NUL: how long it is without, or if there is no room, how much is needed with it.
///
/// # Safety
/// `out` has `room` elements.
unsafe fn hand_out<T: Copy + Default>(value: Result<Vec<T>, Win32Error>, out: *mut T, room: u32) -> u32 {
    let value = match value {
        Ok(value) => value,
        Err(error) => {
            set_last_error(error);
            return 0;
        }
    };
    set_last_error(ERROR_SUCCESS);
    if out.is_null() || value.len() >= room as usize {
        return value.len() as u32 + 1;
    }
    // SAFETY: the caller's promise; it fits.
    unsafe {
        std::ptr::copy_nonoverlapping(value.as_ptr().cast::<u8>(), out.cast(), size_of_val(&*value));
        out.add(value.len()).write_unaligned(T::default());
    }
    value.len() as u32
}

/// The value of a variable (nf-processenv-getenvironmentvariablew): its characters without the NUL, or if there is no room,
/// how many are needed with it. 0 with ERROR_ENVVAR_NOT_FOUND. Upper and lower case are two names.
///
/// # Safety
/// The name is NULL or NUL-terminated; the buffer has `nsize` characters.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetEnvironmentVariableW(lpname: PCWSTR, lpbuffer: PWSTR, nsize: u32) -> u32 {
    no_panic(0, || {
        // SAFETY: the caller's promise.
        unsafe {
            let value = variable(text(lpname)).map(|value| value.encode_utf16().collect());
            hand_out(value, lpbuffer, nsize)
        }
    })
}

/// [`GetEnvironmentVariableW`] in UTF-8 (nf-winbase-getenvironmentvariable).
///
/// # Safety
/// As there, in bytes.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetEnvironmentVariableA(lpname: PCSTR, lpbuffer: PSTR, nsize: u32) -> u32 {
    no_panic(0, || {
        // SAFETY: the caller's promise.
        unsafe {
            let value = variable(crate::api::edge::narrow_text(lpname)).map(String::into_bytes);
            hand_out(value, lpbuffer, nsize)
        }
    })
}

/// Sets a variable of the process; with NULL there is none any more (nf-processenv-setenvironmentvariablew). FALSE with
/// ERROR_INVALID_PARAMETER. Not while another thread asks the C library for one.
///
/// # Safety
/// Both are NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetEnvironmentVariableW(lpname: PCWSTR, lpvalue: PCWSTR) -> BOOL {
    done("SetEnvironmentVariableW", NONE, || {
        // SAFETY: the caller's promise.
        let (name, value) = unsafe { (text(lpname), text(lpvalue)) };
        let name = name.map(|name| String::from_utf16_lossy(&name)).filter(|name| is_name(name));
        let name = name.ok_or(ERROR_INVALID_PARAMETER)?;
        // SAFETY: the caller's promise: nobody else asks.
        unsafe {
            match value {
                Some(value) => env::set_var(name, OsString::from(String::from_utf16_lossy(&value))),
                None => env::remove_var(name),
            }
        }
        Ok(())
    })
}

/// SYSTEM_INFO
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct SYSTEM_INFO {
    pub wProcessorArchitecture: u16,
    pub wReserved: u16,
    pub dwPageSize: u32,
    pub lpMinimumApplicationAddress: usize,
    pub lpMaximumApplicationAddress: usize,
    pub dwActiveProcessorMask: usize,
    pub dwNumberOfProcessors: u32,
    pub dwProcessorType: u32,
    pub dwAllocationGranularity: u32,
    pub wProcessorLevel: u16,
    pub wProcessorRevision: u16,
}

/// The processors and the pages of the system (nf-sysinfoapi-getsysteminfo). Sizes of pages, addresses and kinds of processors are
/// those of Windows on such a machine.
///
/// # Safety
/// `lpsysteminfo` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetSystemInfo(lpsysteminfo: *mut SYSTEM_INFO) {
    no_panic((), || {
        // PROCESSOR_ARCHITECTURE_AMD64, _ARM64, _INTEL, and unknown
        let (architecture, kind) = match env::consts::ARCH {
            "x86_64" => (9, 8664),
            "aarch64" => (12, 0),
            "x86" => (0, 586),
            _ => (0xffff, 0),
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from).min(usize::BITS as usize);
        let info = SYSTEM_INFO {
            wProcessorArchitecture: architecture,
            wReserved: 0,
            dwPageSize: 4096,
            lpMinimumApplicationAddress: 0x10000,
            lpMaximumApplicationAddress: if cfg!(target_pointer_width = "64") { 0x7fff_fffe_ffff } else { 0x7ffe_ffff },
            dwActiveProcessorMask: usize::MAX >> (usize::BITS as usize - processors),
            dwNumberOfProcessors: processors as u32,
            dwProcessorType: kind,
            dwAllocationGranularity: 0x10000,
            wProcessorLevel: 6,
            wProcessorRevision: 0,
        };
        // SAFETY: the caller's promise.
        unsafe { put(lpsysteminfo, info) };
    });
}
