//! Certificate stores, in memory.
#![allow(unsafe_code)]

use std::ptr::null_mut;

use super::context::{Alive, Context, alive, pointer, truth};
use crate::api::edge::{bytes, caught, no_panic, put};
use crate::win32::*;

/// A store.
#[derive(Default)]
pub(super) struct Store {
    /// How often it is open.
    pub handles: usize,
    /// Addresses of contexts, oldest first.
    pub members: Vec<usize>,
    /// "MY", which the process keeps open.
    pub own: bool,
    /// "ROOT": nothing is added, nothing taken out.
    pub fixed: bool,
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
        let Store { members, fixed, .. } = self.store(handle)?;
        if *fixed {
            return Err(ERROR_ACCESS_DENIED);
        }
        let members = members.clone();
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

/// Puts a certificate into a store (nf-wincrypt-certaddencodedcertificatetostore). FALSE with CRYPT_E_EXISTS, with
/// CRYPT_E_ASN1_BADTAG for what is none, or with ERROR_ACCESS_DENIED for "ROOT".
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
/// CRYPT_E_EXISTS, ERROR_ACCESS_DENIED for "ROOT", or E_INVALIDARG.
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
/// E_INVALIDARG for what is none, and with ERROR_ACCESS_DENIED for one of "ROOT", which is freed all the same.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertDeleteCertificateFromStore(pcertcontext: *const CERT_CONTEXT) -> BOOL {
    truth(|| {
        let mut alive = alive();
        let store = alive.context(pcertcontext.addr())?.store;
        let fixed = alive.stores.get(&store).is_some_and(|store| store.fixed);
        if !fixed {
            alive.remove(pcertcontext.addr());
        }
        alive.release(pcertcontext.addr());
        if fixed { Err(ERROR_ACCESS_DENIED) } else { Ok(()) }
    })
}
