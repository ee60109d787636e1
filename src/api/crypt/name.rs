//! Names of certificates as text.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_void};

use der::asn1::Ia5String;
use x509_cert::ext::pkix::name::GeneralName;

use super::context::{Context, alive};
use crate::api::edge::{bytes, get, no_panic};
use crate::pki::{self, Attribute};
use crate::win32::*;

const COMMON_NAME: &str = "2.5.4.3";
const EMAIL: &str = "1.2.840.113549.1.9.1";
/// What stands for a whole name, in this order: common name, organisational unit, organisation, mail address.
const DISPLAYED: [&str; 4] = [COMMON_NAME, "2.5.4.11", "2.5.4.10", EMAIL];

/// A name of a certificate's subject, or of its issuer with CERT_NAME_ISSUER_FLAG (nf-wincrypt-certgetnamestringw). Answers
/// the characters written, with the NUL; with NULL or 0 those needed. 1 is no such name. A buffer that is too small gets
/// as much as fits.
///
/// # Safety
/// `psznamestring` is NULL or has `cchnamestring` characters; `pvtypepara` is what `dwtype` wants.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertGetNameStringW(
    pcertcontext: *const CERT_CONTEXT,
    dwtype: u32,
    dwflags: u32,
    pvtypepara: *const c_void,
    psznamestring: *mut u16,
    cchnamestring: u32,
) -> u32 {
    no_panic(1, || {
        // SAFETY: the caller's promises.
        unsafe {
            let name = named(pcertcontext, dwtype, dwflags, pvtypepara);
            give(&name.encode_utf16().collect::<Vec<_>>(), psznamestring, cchnamestring)
        }
    })
}

/// [`CertGetNameStringW`] in bytes: UTF-8, as the code page of this system has it (nf-wincrypt-certgetnamestringa).
///
/// # Safety
/// As for [`CertGetNameStringW`].
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertGetNameStringA(
    pcertcontext: *const CERT_CONTEXT,
    dwtype: u32,
    dwflags: u32,
    pvtypepara: *const c_void,
    psznamestring: *mut u8,
    cchnamestring: u32,
) -> u32 {
    no_panic(1, || {
        // SAFETY: the caller's promises.
        unsafe {
            let name = named(pcertcontext, dwtype, dwflags, pvtypepara);
            give(name.as_bytes(), psznamestring, cchnamestring)
        }
    })
}

/// A DER name as text (nf-wincrypt-certnametostrw): CERT_SIMPLE_NAME_STR, CERT_OID_NAME_STR or CERT_X500_NAME_STR, with the
/// flags for order, separators and quotes. Answers as [`CertGetNameStringW`].
///
/// # Safety
/// `pname` is NULL or a blob; `psz` is NULL or has `csz` characters.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CertNameToStrW(
    _dwcertencodingtype: u32,
    pname: *const CRYPT_INTEGER_BLOB,
    dwstrtype: u32,
    psz: *mut u16,
    csz: u32,
) -> u32 {
    no_panic(1, || {
        // SAFETY: the caller's promises.
        unsafe {
            let name = get(pname).and_then(|blob| bytes(blob.pbData, blob.cbData)).unwrap_or_default();
            give(&to_text(name, dwstrtype).encode_utf16().collect::<Vec<_>>(), psz, csz)
        }
    })
}

/// Writes text and its NUL, as much as fits; answers how much that was, or would be.
///
/// # Safety
/// `buffer` is NULL or has `room` units.
unsafe fn give<T: Copy + Default>(text: &[T], buffer: *mut T, room: u32) -> u32 {
    if buffer.is_null() || room == 0 {
        return text.len() as u32 + 1;
    }
    let count = text.len().min(room as usize - 1);
    for (at, unit) in text[..count].iter().copied().chain([T::default()]).enumerate() {
        // SAFETY: `count` and the NUL fit (contract).
        unsafe { buffer.add(at).write_unaligned(unit) };
    }
    count as u32 + 1
}

/// # Safety
/// `parameter` is what `kind` wants.
unsafe fn named(context: *const CERT_CONTEXT, kind: u32, flags: u32, parameter: *const c_void) -> String {
    let alive = alive();
    let Ok(context) = alive.context(context.addr()) else {
        set_last_error(E_INVALIDARG);
        return String::new();
    };
    let of_issuer = flags & CERT_NAME_ISSUER_FLAG != 0;
    match kind {
        CERT_NAME_RDN_TYPE => {
            // SAFETY: the caller's promise: NULL or a DWORD.
            let style = unsafe { get(parameter.cast::<u32>()) }.unwrap_or(CERT_SIMPLE_NAME_STR);
            let certificate = context.certificate();
            to_text(if of_issuer { certificate.issuer } else { certificate.subject }, style)
        }
        CERT_NAME_ATTR_TYPE if parameter.is_null() => String::new(),
        CERT_NAME_ATTR_TYPE => {
            // SAFETY: the caller's promise: an object identifier that ends in NUL.
            let id = unsafe { CStr::from_ptr(parameter.cast()) }.to_string_lossy().into_owned();
            attribute(&attributes(context, of_issuer), &id).unwrap_or_default()
        }
        _ => name(context, kind, of_issuer),
    }
}

fn attributes(context: &Context, of_issuer: bool) -> Vec<Attribute> {
    let certificate = context.certificate();
    pki::attributes(if of_issuer { certificate.issuer } else { certificate.subject })
}

fn attribute(attributes: &[Attribute], id: &str) -> Option<String> {
    attributes.iter().find(|attribute| attribute.id.to_string() == id).map(|attribute| attribute.text.clone())
}

fn email(name: &GeneralName) -> Option<&Ia5String> {
    if let GeneralName::Rfc822Name(text) = name { Some(text) } else { None }
}

fn host(name: &GeneralName) -> Option<&Ia5String> {
    if let GeneralName::DnsName(text) = name { Some(text) } else { None }
}

fn url(name: &GeneralName) -> Option<&Ia5String> {
    if let GeneralName::UniformResourceIdentifier(text) = name { Some(text) } else { None }
}

/// A name that needs no parameter; empty if there is none.
fn name(context: &Context, kind: u32, of_issuer: bool) -> String {
    let attributes = attributes(context, of_issuer);
    let other = |wanted: fn(&GeneralName) -> Option<&Ia5String>| {
        // What else an issuer is called, its certificate says.
        let names = if of_issuer { Vec::new() } else { context.certificate().alternative_names() };
        names.iter().find_map(wanted).map(Ia5String::to_string)
    };
    let display = || {
        let shown = DISPLAYED.iter().find_map(|id| attribute(&attributes, id));
        shown.or_else(|| other(email)).or_else(|| attributes.first().map(|first| first.text.clone()))
    };
    let found = match kind {
        CERT_NAME_EMAIL_TYPE => other(email).or_else(|| attribute(&attributes, EMAIL)),
        CERT_NAME_SIMPLE_DISPLAY_TYPE => display(),
        CERT_NAME_FRIENDLY_DISPLAY_TYPE => context.friendly_name.clone().filter(|_| !of_issuer).or_else(display),
        CERT_NAME_DNS_TYPE => other(host).or_else(|| attribute(&attributes, COMMON_NAME)),
        CERT_NAME_URL_TYPE => other(url),
        _ => None,
    };
    found.unwrap_or_default()
}

/// A DER name in one of the styles of CertNameToStr.
fn to_text(name: &[u8], style: u32) -> String {
    let flag = |flag: u32| style & flag != 0;
    let (separator, plus) = match () {
        _ if flag(CERT_NAME_STR_CRLF_FLAG) => ("\r\n", " + "),
        _ if flag(CERT_NAME_STR_SEMICOLON_FLAG) => ("; ", " + "),
        _ => (", ", " + "),
    };
    let plus = if flag(CERT_NAME_STR_NO_PLUS_FLAG) { " " } else { plus };
    let written = |attribute: &Attribute| {
        let value = match flag(CERT_NAME_STR_NO_QUOTING_FLAG) {
            true => attribute.text.clone(),
            false => quoted(&attribute.text),
        };
        match style & 0xFFFF {
            CERT_OID_NAME_STR => format!("{}={value}", attribute.id),
            CERT_X500_NAME_STR => format!("{}={value}", attribute.kind()),
            _ => value,
        }
    };
    let attributes = pki::attributes(name);
    let mut parts: Vec<String> = Vec::new();
    for attribute in &attributes {
        match parts.last_mut().filter(|_| attribute.joined) {
            Some(part) => *part = format!("{part}{plus}{}", written(attribute)),
            None => parts.push(written(attribute)),
        }
    }
    if flag(CERT_NAME_STR_REVERSE_FLAG) {
        parts.reverse();
    }
    parts.join(separator)
}

/// A value that could be taken for more than one is quoted.
fn quoted(text: &str) -> String {
    let odd =
        text.is_empty() || text.trim() != text || text.contains(['+', ',', '"', '=', '<', '>', ';', '#', '\r', '\n']);
    if odd { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
