//! CertFindCertificateInStore.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};

use super::context::{Alive, Context, alive, pointer};
use super::property::sha1;
use crate::api::edge::{bytes, get, text};
use crate::pki;
use crate::win32::*;

/// What is looked for.
enum Wanted {
    Any,
    Sha1(Vec<u8>),
    /// A DER name.
    Name(Whose, Vec<u8>),
    /// A part of a name's text, in small letters.
    Text(Whose, String),
    /// Issuer and serial number, as Windows has it.
    Numbered(Vec<u8>, Vec<u8>),
    /// This certificate.
    Same(Vec<u8>),
    WithKey,
}

#[derive(Clone, Copy)]
enum Whose {
    Subject,
    Issuer,
}

/// The next certificate that fits, after `pprevcertcontext`, which is freed (nf-wincrypt-certfindcertificateinstore).
/// CERT_FIND_ANY, _SHA1_HASH, _SUBJECT_NAME, _ISSUER_NAME, _SUBJECT_STR, _ISSUER_STR (in UTF-16 and in bytes), _SUBJECT_CERT,
/// _ISSUER_OF, _EXISTING and _HAS_PRIVATE_KEY are known. NULL with CRYPT_E_NOT_FOUND, or E_INVALIDARG for any other.
///
/// # Safety
/// `pvfindpara` is what `dwfindtype` wants.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertFindCertificateInStore(
    hcertstore: HCERTSTORE,
    _dwcertencodingtype: u32,
    _dwfindflags: u32,
    dwfindtype: u32,
    pvfindpara: *const c_void,
    pprevcertcontext: *const CERT_CONTEXT,
) -> *mut CERT_CONTEXT {
    pointer(|| {
        let mut alive = alive();
        // SAFETY: the caller's promise.
        let wanted = unsafe { wanted(&alive, dwfindtype, pvfindpara) };
        let wanted = wanted.inspect_err(|_| alive.release(pprevcertcontext.addr()))?;
        alive.next(hcertstore, pprevcertcontext, |_, context| Ok(fits(&wanted, context)))
    })
}

/// # Safety
/// `parameter` is what `kind` wants.
unsafe fn wanted(alive: &Alive, kind: u32, parameter: *const c_void) -> Result<Wanted, Win32Error> {
    // SAFETY: a blob of the caller, as each kind that asks for it promises.
    let blob = || unsafe {
        let blob = get(parameter.cast::<CRYPT_INTEGER_BLOB>()).ok_or(E_INVALIDARG)?;
        bytes(blob.pbData, blob.cbData).map(<[u8]>::to_vec).ok_or(E_INVALIDARG)
    };
    // SAFETY: UTF-16 of the caller.
    let wide = || unsafe { text(parameter.cast()) }.map(|text| String::from_utf16_lossy(&text).to_lowercase());
    let narrow = || {
        // SAFETY: text of the caller that ends in NUL.
        (!parameter.is_null()).then(|| unsafe { CStr::from_ptr(parameter.cast()) }.to_string_lossy().to_lowercase())
    };
    let context = || alive.context(parameter.addr());
    Ok(match kind {
        CERT_FIND_ANY => Wanted::Any,
        CERT_FIND_SHA1_HASH => Wanted::Sha1(blob()?),
        CERT_FIND_SUBJECT_NAME => Wanted::Name(Whose::Subject, blob()?),
        CERT_FIND_ISSUER_NAME => Wanted::Name(Whose::Issuer, blob()?),
        CERT_FIND_SUBJECT_STR_W => Wanted::Text(Whose::Subject, wide().ok_or(E_INVALIDARG)?),
        CERT_FIND_ISSUER_STR_W => Wanted::Text(Whose::Issuer, wide().ok_or(E_INVALIDARG)?),
        CERT_FIND_SUBJECT_STR_A => Wanted::Text(Whose::Subject, narrow().ok_or(E_INVALIDARG)?),
        CERT_FIND_ISSUER_STR_A => Wanted::Text(Whose::Issuer, narrow().ok_or(E_INVALIDARG)?),
        CERT_FIND_SUBJECT_CERT => {
            // SAFETY: a CERT_INFO of the caller whose issuer and serial number are filled.
            let (issuer, serial) = unsafe {
                let info = get(parameter.cast::<CERT_INFO>()).ok_or(E_INVALIDARG)?;
                (
                    bytes(info.Issuer.pbData, info.Issuer.cbData),
                    bytes(info.SerialNumber.pbData, info.SerialNumber.cbData),
                )
            };
            Wanted::Numbered(issuer.ok_or(E_INVALIDARG)?.to_vec(), serial.ok_or(E_INVALIDARG)?.to_vec())
        }
        CERT_FIND_ISSUER_OF => Wanted::Name(Whose::Subject, context()?.certificate().issuer.to_vec()),
        CERT_FIND_EXISTING => Wanted::Same(context()?.der.to_vec()),
        CERT_FIND_HAS_PRIVATE_KEY => Wanted::WithKey,
        _ => return Err(E_INVALIDARG),
    })
}

fn fits(wanted: &Wanted, context: &Context) -> bool {
    let certificate = context.certificate();
    let name = |whose: &Whose| match whose {
        Whose::Subject => certificate.subject,
        Whose::Issuer => certificate.issuer,
    };
    match wanted {
        Wanted::Any => true,
        Wanted::Sha1(hash) => sha1(&context.der) == **hash,
        Wanted::Name(whose, der) => name(whose) == der,
        Wanted::Text(whose, text) => {
            let attributes = pki::attributes(name(whose));
            attributes.iter().any(|attribute| attribute.text.to_lowercase().contains(text))
        }
        Wanted::Numbered(issuer, serial) => {
            certificate.issuer == issuer && certificate.serial.iter().rev().eq(serial.iter())
        }
        Wanted::Same(der) => *context.der == **der,
        Wanted::WithKey => !context.key.is_empty(),
    }
}
