//! Opening stores: in memory, "MY" of the process, "ROOT" of the world.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::ptr::{null_mut, without_provenance_mut};

use super::context::{Alive, Context, alive, pointer};
use super::store::Store;
use crate::api::edge::{caught, text};
use crate::real::current;
use crate::win32::*;

impl Alive {
    fn open_own(&mut self) -> usize {
        if let Some((number, store)) = self.stores.iter_mut().find(|(_, store)| store.own) {
            store.handles += 1;
            return *number;
        }
        let number = self.number();
        self.stores.insert(number, Store { handles: 2, own: true, ..Store::default() });
        number
    }

    /// A store of these certificates, DER, in which nothing changes.
    fn open_fixed(&mut self, ders: &[Vec<u8>]) -> usize {
        let number = self.open();
        for context in ders.iter().filter_map(|der| Context::new(der).ok()) {
            self.insert(context, number);
        }
        if let Some(store) = self.stores.get_mut(&number) {
            store.fixed = true;
        }
        number
    }
}

/// Opens a store of the system.
fn open_system(name: &str) -> Result<HCERTSTORE, Win32Error> {
    let number = match name.to_ascii_uppercase().as_str() {
        "MY" => alive().open_own(),
        "ROOT" => {
            let mut roots = current().map(|(world, _)| world.transport.roots()).unwrap_or_default();
            roots.sort();
            roots.dedup();
            alive().open_fixed(&roots)
        }
        _ => return Err(ERROR_FILE_NOT_FOUND),
    };
    Ok(without_provenance_mut(number))
}

/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
unsafe fn open_wide(name: PCWSTR) -> Result<HCERTSTORE, Win32Error> {
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) }.ok_or(E_INVALIDARG)?;
    open_system(&String::from_utf16_lossy(&name))
}

/// # Safety
/// The name is NULL or NUL-terminated.
unsafe fn open_narrow(name: PCSTR) -> Result<HCERTSTORE, Win32Error> {
    if name.is_null() {
        return Err(E_INVALIDARG);
    }
    // SAFETY: the caller's promise.
    open_system(&unsafe { CStr::from_ptr(name.cast()) }.to_string_lossy())
}

/// Opens a store (nf-wincrypt-certopenstore): CERT_STORE_PROV_MEMORY, or CERT_STORE_PROV_SYSTEM with a name that
/// [`CertOpenSystemStoreW`] knows. NULL with ERROR_FILE_NOT_FOUND for any other.
///
/// # Safety
/// `lpszstoreprovider` is a small number or NUL-terminated text; `pvpara` is as the provider wants it.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertOpenStore(
    lpszstoreprovider: PCSTR,
    _dwencodingtype: u32,
    _hcryptprov: usize,
    _dwflags: u32,
    pvpara: *const c_void,
) -> HCERTSTORE {
    caught(null_mut(), || {
        let provider = match lpszstoreprovider.addr() {
            number @ ..=0xFFFF => number,
            // SAFETY: the caller's promise.
            _ => match unsafe { CStr::from_ptr(lpszstoreprovider.cast()) }.to_bytes() {
                b"Memory" => CERT_STORE_PROV_MEMORY,
                b"System" => CERT_STORE_PROV_SYSTEM_W,
                _ => 0,
            },
        };
        pointer(|| match provider {
            CERT_STORE_PROV_MEMORY => Ok(without_provenance_mut(alive().open())),
            // SAFETY: the caller's promise: a name in UTF-16.
            CERT_STORE_PROV_SYSTEM_W => unsafe { open_wide(pvpara.cast()) },
            // SAFETY: the caller's promise: a name in bytes.
            CERT_STORE_PROV_SYSTEM_A => unsafe { open_narrow(pvpara.cast()) },
            _ => Err(ERROR_FILE_NOT_FOUND),
        })
    })
}

/// Opens a store of the system (nf-wincrypt-certopensystemstorew): "MY" is this process's own, and empty until something is
/// added; "ROOT" has those whom the world of the thread trusts at this moment, and does not change (ERROR_ACCESS_DENIED). In a
/// Sim of scripted peers they are those who issued the certificates of its servers. NULL with ERROR_FILE_NOT_FOUND for
/// any other, where Windows may make one (sources crypt.root-store, crypt.root-fixed).
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertOpenSystemStoreW(_hprov: usize, szsubsystemprotocol: PCWSTR) -> HCERTSTORE {
    // SAFETY: the caller's promise.
    pointer(|| unsafe { open_wide(szsubsystemprotocol) })
}

/// [`CertOpenSystemStoreW`] with a name in bytes (nf-wincrypt-certopensystemstorea).
///
/// # Safety
/// The name is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertOpenSystemStoreA(_hprov: usize, szsubsystemprotocol: PCSTR) -> HCERTSTORE {
    // SAFETY: the caller's promise.
    pointer(|| unsafe { open_narrow(szsubsystemprotocol) })
}
