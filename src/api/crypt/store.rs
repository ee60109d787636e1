//! Certificate stores, in memory.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};
use std::ptr::{null_mut, without_provenance_mut};

use super::context::{Alive, Context, alive, pointer, truth};
use crate::api::edge::{bytes, caught, no_panic, put, text};
use crate::win32::*;

/// A store.
#[derive(Default)]
pub(super) struct Store {
    /// How often it is open.
    pub handles: usize,
    /// Addresses of contexts, oldest first.
    pub members: Vec<usize>,
    /// A store of the process: "MY".
    system: Option<String>,
}

/// Where something is put that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refuse,
    Use,
    Replace,
    Add,
}

impl Existing {
    fn from(disposition: u32) -> Result<Existing, Win32Error> {
        Ok(match disposition {
            CERT_STORE_ADD_NEW => Existing::Refuse,
            CERT_STORE_ADD_USE_EXISTING => Existing::Use,
            CERT_STORE_ADD_REPLACE_EXISTING => Existing::Replace,
            CERT_STORE_ADD_ALWAYS => Existing::Add,
            _ => return Err(E_INVALIDARG),
        })
    }
}

impl Alive {
    /// A new store that is open once.
    pub fn open(&mut self) -> usize {
        let number = self.number();
        self.stores.insert(number, Store { handles: 1, ..Store::default() });
        number
    }

    fn open_system(&mut self, name: &str) -> Result<usize, Win32Error> {
        if !name.eq_ignore_ascii_case("MY") {
            return Err(ERROR_FILE_NOT_FOUND);
        }
        let known = self.stores.iter_mut().find(|(_, store)| store.system.as_deref() == Some("MY"));
        if let Some((number, store)) = known {
            store.handles += 1;
            return Ok(*number);
        }
        let number = self.number();
        // The process keeps it open.
        self.stores.insert(number, Store { handles: 2, system: Some("MY".into()), ..Store::default() });
        Ok(number)
    }

    /// Frees a store that nobody has open, once nobody holds one of its certificates.
    pub fn bury(&mut self, number: usize) {
        let Some(store) = self.stores.get(&number) else { return };
        let held = |address: &usize| self.contexts.get(address).is_some_and(|context| context.references > 0);
        if store.handles > 0 || store.members.iter().any(held) {
            return;
        }
        for address in self.stores.remove(&number).unwrap_or_default().members {
            self.contexts.remove(&address);
        }
    }

    fn store(&self, handle: HCERTSTORE) -> Result<&Store, Win32Error> {
        self.stores.get(&handle.addr()).ok_or(E_INVALIDARG)
    }

    /// The certificates of a store.
    pub fn members(&self, handle: HCERTSTORE) -> Result<Vec<usize>, Win32Error> {
        Ok(self.store(handle)?.members.clone())
    }

    /// Puts a certificate into a store; answers its address there.
    fn add(&mut self, handle: HCERTSTORE, context: Box<Context>, existing: Existing) -> Result<usize, Win32Error> {
        let members = self.members(handle)?;
        let same = |address: &&usize| self.contexts.get(address).is_some_and(|known| known.der == context.der);
        match (members.iter().find(same), existing) {
            (Some(_), Existing::Refuse) => return Err(CRYPT_E_EXISTS),
            (Some(known), Existing::Use) => return Ok(*known),
            (Some(known), Existing::Replace) => self.remove(*known),
            _ => {}
        }
        Ok(self.insert(context, handle.addr()))
    }

    /// Takes a certificate out of its store; who holds it still does.
    fn remove(&mut self, address: usize) {
        let Some(context) = self.contexts.get_mut(&address) else { return };
        let store = std::mem::take(&mut context.store);
        let free = context.references == 0;
        if let Some(store) = self.stores.get_mut(&store) {
            store.members.retain(|member| *member != address);
        }
        if free {
            self.contexts.remove(&address);
        }
        self.bury(store);
    }
}

/// Opens a store (nf-wincrypt-certopenstore): CERT_STORE_PROV_MEMORY, or CERT_STORE_PROV_SYSTEM with the name "MY". NULL
/// with ERROR_FILE_NOT_FOUND for any other.
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
        pointer(|| {
            let number = match provider {
                CERT_STORE_PROV_MEMORY => alive().open(),
                CERT_STORE_PROV_SYSTEM_W => {
                    // SAFETY: the caller's promise: a name in UTF-16.
                    let name = unsafe { text(pvpara.cast()) }.ok_or(E_INVALIDARG)?;
                    alive().open_system(&String::from_utf16_lossy(&name))?
                }
                CERT_STORE_PROV_SYSTEM_A if !pvpara.is_null() => {
                    // SAFETY: the caller's promise: a name in bytes.
                    let name = unsafe { CStr::from_ptr(pvpara.cast()) };
                    alive().open_system(&name.to_string_lossy())?
                }
                _ => return Err(ERROR_FILE_NOT_FOUND),
            };
            Ok(without_provenance_mut(number))
        })
    })
}

/// Opens the store "MY" of this process (nf-wincrypt-certopensystemstorew). NULL with ERROR_FILE_NOT_FOUND for any other.
///
/// # Safety
/// The name is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertOpenSystemStoreW(_hprov: usize, szsubsystemprotocol: PCWSTR) -> HCERTSTORE {
    pointer(|| {
        // SAFETY: the caller's promise.
        let name = unsafe { text(szsubsystemprotocol) }.ok_or(E_INVALIDARG)?;
        alive().open_system(&String::from_utf16_lossy(&name)).map(without_provenance_mut)
    })
}

/// Opens a store once more (nf-wincrypt-certduplicatestore).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertDuplicateStore(hcertstore: HCERTSTORE) -> HCERTSTORE {
    no_panic(null_mut(), || {
        if let Some(store) = alive().stores.get_mut(&hcertstore.addr()) {
            store.handles += 1;
        }
        hcertstore
    })
}

/// Closes a store (nf-wincrypt-certclosestore); certificates that are held live on. With CERT_CLOSE_STORE_CHECK_FLAG that
/// is FALSE with CRYPT_E_PENDING_CLOSE, and the store is closed all the same. FALSE with E_INVALIDARG for what is none.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertCloseStore(hcertstore: HCERTSTORE, dwflags: u32) -> BOOL {
    caught(0, || {
        if hcertstore.is_null() {
            return 1;
        }
        truth(|| {
            let mut alive = alive();
            let store = alive.stores.get_mut(&hcertstore.addr()).filter(|store| store.handles > 0);
            store.ok_or(E_INVALIDARG)?.handles -= 1;
            alive.bury(hcertstore.addr());
            let pending = alive.stores.get(&hcertstore.addr()).is_some_and(|store| store.handles == 0);
            if pending && dwflags & CERT_CLOSE_STORE_CHECK_FLAG != 0 { Err(CRYPT_E_PENDING_CLOSE) } else { Ok(()) }
        })
    })
}

/// The certificate after `pprevcertcontext`, which is freed; NULL with CRYPT_E_NOT_FOUND at the end
/// (nf-wincrypt-certenumcertificatesinstore).
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertEnumCertificatesInStore(
    hcertstore: HCERTSTORE,
    pprevcertcontext: *const CERT_CONTEXT,
) -> *mut CERT_CONTEXT {
    pointer(|| alive().next(hcertstore, pprevcertcontext, |_, _| Ok(true)))
}

impl Alive {
    /// The next certificate of a store that fits, held once; `previous` is released.
    pub fn next(
        &mut self,
        handle: HCERTSTORE,
        previous: *const CERT_CONTEXT,
        fits: impl Fn(&Alive, &Context) -> Result<bool, Win32Error>,
    ) -> Result<*mut CERT_CONTEXT, Win32Error> {
        let members = self.members(handle)?;
        let passed = members.iter().position(|member| *member == previous.addr()).map_or(0, |at| at + 1);
        let mut found = Err(CRYPT_E_NOT_FOUND);
        for address in &members[passed..] {
            if fits(self, self.context(*address)?)? {
                found = self.hold(*address);
                break;
            }
        }
        self.release(previous.addr());
        found
    }
}

/// Puts a certificate into a store (nf-wincrypt-certaddencodedcertificatetostore). FALSE with CRYPT_E_EXISTS, or with
/// CRYPT_E_ASN1_BADTAG for what is none.
///
/// # Safety
/// `pbcertencoded` is NULL or has `cbcertencoded` bytes; `ppcertcontext` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertAddEncodedCertificateToStore(
    hcertstore: HCERTSTORE,
    _dwcertencodingtype: u32,
    pbcertencoded: *const u8,
    cbcertencoded: u32,
    dwadddisposition: u32,
    ppcertcontext: *mut *mut CERT_CONTEXT,
) -> BOOL {
    truth(|| {
        // SAFETY: the caller's promise.
        let der = unsafe { bytes(pbcertencoded, cbcertencoded) }.ok_or(E_INVALIDARG)?;
        let context = Context::new(der)?;
        // SAFETY: the caller's promise.
        unsafe { added(&mut alive(), hcertstore, context, dwadddisposition, ppcertcontext) }
    })
}

/// Puts a copy of a certificate into a store, or makes a copy that is in none if that is NULL
/// (nf-wincrypt-certaddcertificatecontexttostore). Its private key and its friendly name go with it. FALSE with
/// CRYPT_E_EXISTS, or E_INVALIDARG.
///
/// # Safety
/// `ppstorecontext` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertAddCertificateContextToStore(
    hcertstore: HCERTSTORE,
    pcertcontext: *const CERT_CONTEXT,
    dwadddisposition: u32,
    ppstorecontext: *mut *mut CERT_CONTEXT,
) -> BOOL {
    truth(|| {
        let mut alive = alive();
        let original = alive.context(pcertcontext.addr())?;
        let mut copy = Context::new(&original.der)?;
        copy.key.clone_from(&original.key);
        copy.friendly_name.clone_from(&original.friendly_name);
        // SAFETY: the caller's promise.
        unsafe { added(&mut alive, hcertstore, copy, dwadddisposition, ppstorecontext) }
    })
}

/// Adds, and hands the certificate out if it is asked for.
///
/// # Safety
/// `out` is NULL or writable.
unsafe fn added(
    alive: &mut Alive,
    store: HCERTSTORE,
    context: Box<Context>,
    disposition: u32,
    out: *mut *mut CERT_CONTEXT,
) -> Result<(), Win32Error> {
    let address = match (store.is_null(), out.is_null()) {
        (true, true) => return Ok(()),
        (true, false) => alive.insert(context, 0),
        (false, _) => alive.add(store, context, Existing::from(disposition)?)?,
    };
    if !out.is_null() {
        let held = alive.hold(address)?;
        // SAFETY: the caller's promise.
        unsafe { put(out, held) };
    }
    Ok(())
}

/// Takes a certificate out of its store and frees it (nf-wincrypt-certdeletecertificatefromstore). FALSE with
/// E_INVALIDARG for what is none.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertDeleteCertificateFromStore(pcertcontext: *const CERT_CONTEXT) -> BOOL {
    truth(|| {
        let mut alive = alive();
        alive.context(pcertcontext.addr())?;
        alive.remove(pcertcontext.addr());
        alive.release(pcertcontext.addr());
        Ok(())
    })
}
