//! The properties of a certificate context.
#![allow(unsafe_code)]

use std::ffi::c_void;

use md5::Digest;

use super::context::{alive, truth};
use crate::api::edge::{as_bytes, bytes, copy_out, get};
use crate::win32::*;

pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    sha1::Sha1::digest(bytes).to_vec()
}

/// Reads a property (nf-wincrypt-certgetcertificatecontextproperty): the hashes (SHA-1, MD5, SHA-256), the key identifier,
/// the friendly name. FALSE with CRYPT_E_NOT_FOUND for one that is not there, ERROR_MORE_DATA with the length that is
/// needed, E_INVALIDARG.
///
/// # Safety
/// `pvdata` is NULL or has `*pcbdata` bytes; `pcbdata` is NULL or readable and writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertGetCertificateContextProperty(
    pcertcontext: *const CERT_CONTEXT,
    dwpropid: u32,
    pvdata: *mut c_void,
    pcbdata: *mut u32,
) -> BOOL {
    truth(|| {
        let alive = alive();
        let context = alive.context(pcertcontext.addr())?;
        if pcbdata.is_null() {
            return Err(E_INVALIDARG);
        }
        let value = match dwpropid {
            CERT_SHA1_HASH_PROP_ID => sha1(&context.der),
            CERT_MD5_HASH_PROP_ID => md5::Md5::digest(&context.der).to_vec(),
            CERT_SHA256_HASH_PROP_ID => sha2::Sha256::digest(&context.der).to_vec(),
            CERT_KEY_IDENTIFIER_PROP_ID => {
                let certificate = context.certificate();
                certificate.key_id().map_or_else(|| sha1(certificate.key.bits), <[u8]>::to_vec)
            }
            CERT_FRIENDLY_NAME_PROP_ID => {
                let name = context.friendly_name.as_deref().ok_or(CRYPT_E_NOT_FOUND)?;
                as_bytes(&name.encode_utf16().chain([0]).collect::<Vec<_>>())
            }
            _ => return Err(CRYPT_E_NOT_FOUND),
        };
        if pvdata.is_null() {
            // SAFETY: the caller's promise.
            unsafe { pcbdata.write_unaligned(value.len() as u32) };
            return Ok(());
        }
        // SAFETY: the caller's promise.
        let copied = unsafe { copy_out(&value, value.len(), value.len(), pvdata, pcbdata) };
        copied.map_err(|_| ERROR_MORE_DATA)
    })
}

/// Sets a property (nf-wincrypt-certsetcertificatecontextproperty): the friendly name, which NULL takes away. FALSE with
/// E_INVALIDARG for any other. How a private key gets to a certificate: [`super::ClientCertificate`].
///
/// # Safety
/// `pvdata` is NULL or what the property wants.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertSetCertificateContextProperty(
    pcertcontext: *const CERT_CONTEXT,
    dwpropid: u32,
    _dwflags: u32,
    pvdata: *const c_void,
) -> BOOL {
    truth(|| {
        let mut alive = alive();
        let context = alive.contexts.get_mut(&pcertcontext.addr()).ok_or(E_INVALIDARG)?;
        if dwpropid != CERT_FRIENDLY_NAME_PROP_ID {
            return Err(E_INVALIDARG);
        }
        // SAFETY: the caller's promise: a blob of UTF-16 with its NUL.
        let name = unsafe { get(pvdata.cast::<CRYPT_INTEGER_BLOB>()).and_then(|blob| bytes(blob.pbData, blob.cbData)) };
        context.friendly_name = name.map(|name| {
            let units = name.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]));
            let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
            String::from_utf16_lossy(&units)
        });
        Ok(())
    })
}
