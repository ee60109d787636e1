//! Chain engines: whom a chain trusts, and where its certificates are looked for.
#![allow(unsafe_code)]

use std::ptr::without_provenance_mut;

use super::context::{Alive, alive, truth};
use crate::api::edge::{get, no_panic, put};
use crate::transport::ChainRoots;
use crate::win32::*;

/// HCCE_CURRENT_USER, HCCE_LOCAL_MACHINE and HCCE_SERIAL_LOCAL_MACHINE, which are one here.
const USUAL: [usize; 3] = [0, 1, 2];
/// The size of the structure without what Windows 7 added.
const OLD: usize = std::mem::offset_of!(CERT_CHAIN_ENGINE_CONFIG, hExclusiveRoot);

/// An engine. Its stores are open for it; 0 is none.
#[derive(Clone, Default)]
pub(super) struct Engine {
    exclusive: usize,
    restricted: usize,
    /// Where certificates are looked for instead of the stores of a call.
    other: usize,
    additional: Vec<usize>,
    /// How long lists are fetched, in milliseconds; 0 is the usual limit.
    pub fetch: u32,
}

impl Engine {
    fn stores(&self) -> impl Iterator<Item = usize> {
        let own = [self.exclusive, self.restricted, self.other];
        own.into_iter().chain(self.additional.iter().copied()).filter(|store| *store != 0)
    }
}

impl Alive {
    /// The engine with this handle.
    pub fn engine(&self, handle: HCERTCHAINENGINE) -> Result<Engine, Win32Error> {
        match handle.addr() {
            usual if USUAL.contains(&usual) => Ok(Engine::default()),
            own => self.engines.get(&own).cloned().ok_or(E_INVALIDARG),
        }
    }

    /// Whom an engine trusts.
    pub fn roots(&self, engine: &Engine) -> ChainRoots {
        match (engine.exclusive, engine.restricted) {
            (0, 0) => ChainRoots::World,
            (0, among) => ChainRoots::Among(self.ders(among)),
            (only, _) => ChainRoots::Only(self.ders(only)),
        }
    }

    /// What an engine finds beside a certificate, DER: in the store of the call, and in its own.
    pub fn found(&self, engine: &Engine, additional: HCERTSTORE) -> Vec<Vec<u8>> {
        let first = if engine.other == 0 { additional.addr() } else { engine.other };
        let stores = [first].into_iter().chain(engine.additional.iter().copied());
        stores.flat_map(|store| self.ders(store)).collect()
    }

    /// The certificates of a store, DER.
    fn ders(&self, store: usize) -> Vec<Vec<u8>> {
        let members = self.members(without_provenance_mut(store)).unwrap_or_default();
        members.iter().filter_map(|member| self.context(*member).ok()).map(|context| context.der.to_vec()).collect()
    }
}

/// Makes an engine (nf-wincrypt-certcreatecertificatechainengine): hExclusiveRoot has those whom it trusts, hRestrictedRoot
/// those of the usual ones that it trusts; certificates are looked for in hRestrictedOther, if that is given, and in the
/// additional stores. All other members are ignored. FALSE with E_INVALIDARG.
///
/// # Safety
/// `pconfig` is NULL or has `cbSize` bytes, and so many stores; `phchainengine` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertCreateCertificateChainEngine(
    pconfig: *const CERT_CHAIN_ENGINE_CONFIG,
    phchainengine: *mut HCERTCHAINENGINE,
) -> BOOL {
    truth(|| {
        // SAFETY: the caller's promise: the members are there as far as the size says.
        let engine = unsafe {
            let size = get(pconfig.cast::<u32>()).ok_or(E_INVALIDARG)? as usize;
            if phchainengine.is_null() || size < OLD {
                return Err(E_INVALIDARG);
            }
            let exclusive = match size < size_of::<CERT_CHAIN_ENGINE_CONFIG>() {
                true => 0,
                false => (&raw const (*pconfig).hExclusiveRoot).read_unaligned().addr(),
            };
            let count = (&raw const (*pconfig).cAdditionalStore).read_unaligned() as usize;
            let stores = (&raw const (*pconfig).rghAdditionalStore).read_unaligned();
            if count > 0 && stores.is_null() {
                return Err(E_INVALIDARG);
            }
            Engine {
                exclusive,
                restricted: (&raw const (*pconfig).hRestrictedRoot).read_unaligned().addr(),
                other: (&raw const (*pconfig).hRestrictedOther).read_unaligned().addr(),
                additional: (0..count).map(|at| stores.add(at).read_unaligned().addr()).collect(),
                fetch: (&raw const (*pconfig).dwUrlRetrievalTimeout).read_unaligned(),
            }
        };
        let mut alive = alive();
        if engine.stores().any(|store| !alive.stores.contains_key(&store)) {
            return Err(E_INVALIDARG);
        }
        for store in engine.stores() {
            alive.stores.entry(store).and_modify(|store| store.handles += 1);
        }
        let number = alive.number();
        alive.engines.insert(number, engine);
        // SAFETY: the caller's promise.
        unsafe { put(phchainengine, without_provenance_mut(number)) };
        Ok(())
    })
}

/// Frees an engine (nf-wincrypt-certfreecertificatechainengine). What is none is left alone.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn CertFreeCertificateChainEngine(hchainengine: HCERTCHAINENGINE) {
    no_panic((), || {
        let mut alive = alive();
        let Some(engine) = alive.engines.remove(&hchainengine.addr()) else { return };
        for store in engine.stores() {
            alive.stores.entry(store).and_modify(|store| store.handles -= 1);
            alive.bury(store);
        }
    });
}
