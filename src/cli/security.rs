//! What TLS came to, in words.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::null;
use std::time::{Duration, SystemTime};

use portable_winhttp::win32::*;

use functions::*;

mod functions {
    use super::{BOOL, CERT_CONTEXT, CRYPT_INTEGER_BLOB, c_void};

    #[cfg_attr(windows, link(name = "winhttp"))]
    unsafe extern "system" {
        pub fn WinHttpQueryOption(handle: *mut c_void, option: u32, buffer: *mut c_void, length: *mut u32) -> BOOL;
    }
    #[cfg_attr(windows, link(name = "crypt32"))]
    unsafe extern "system" {
        pub fn CertFreeCertificateContext(context: *const CERT_CONTEXT) -> BOOL;
        pub fn CertNameToStrW(
            encoding: u32,
            name: *const CRYPT_INTEGER_BLOB,
            style: u32,
            text: *mut u16,
            length: u32,
        ) -> u32;
    }
}

/// What each bit of SECURE_FAILURE says.
const FAULTS: [(u32, &str); 8] = [
    (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, "nobody who is trusted has issued it"),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, "it is for another name"),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, "it has expired, or is not valid yet"),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, "it is not for servers"),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED, "it was revoked"),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, "whether it was revoked cannot be found out"),
    (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT, "it is invalid"),
    (WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR, "no TLS that both sides understand"),
];

/// Lines about the certificate, the connection and the verdict. `failure`: the bits of SECURE_FAILURE, if it came.
pub fn describe(request: *mut c_void, failure: Option<u32>) -> Vec<String> {
    let mut lines = certificate(request);
    // SAFETY: any bytes are such a structure.
    if let Some(info) = unsafe { option::<WINHTTP_SECURITY_INFO>(request, WINHTTP_OPTION_SECURITY_INFO) } {
        let protocol = match info.ConnectionInfo.dwProtocol {
            WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3 => Some("TLS 1.3"),
            WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2 => Some("TLS 1.2"),
            _ => None,
        };
        if let Some(protocol) = protocol {
            let strength = info.ConnectionInfo.dwCipherStrength;
            lines.push(format!("{protocol}, {}, {strength} bits", text(&info.CipherInfo.szCipherSuite)));
        }
    }
    match failure {
        Some(bits) => {
            let faults: Vec<_> = FAULTS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, words)| *words).collect();
            lines.push(format!("refused: {}", faults.join("; ")));
        }
        None if !lines.is_empty() => lines.push("the certificate is trusted, for this name, and valid now".into()),
        None => {}
    }
    lines
}

fn certificate(request: *mut c_void) -> Vec<String> {
    // SAFETY: a pointer may be any value.
    let context = unsafe { option::<*const CERT_CONTEXT>(request, WINHTTP_OPTION_SERVER_CERT_CONTEXT) };
    let Some(context) = context.filter(|context| !context.is_null()) else { return Vec::new() };
    // SAFETY: the context and what it points to live until it is freed.
    unsafe {
        let info = &*(*context).pCertInfo;
        let lines = vec![
            format!("certificate of {}", name(&info.Subject)),
            format!(
                "issued by {}, valid from {} to {}",
                name(&info.Issuer),
                date(&info.NotBefore),
                date(&info.NotAfter)
            ),
        ];
        CertFreeCertificateContext(context);
        lines
    }
}

/// An option of a fixed size, if it is there.
///
/// # Safety
/// Any bytes are a `T`.
unsafe fn option<T>(request: *mut c_void, option: u32) -> Option<T> {
    let mut value = std::mem::MaybeUninit::<T>::zeroed();
    let mut length = size_of::<T>() as u32;
    // SAFETY: the buffer has the size; what was written is a value (contract).
    unsafe {
        (WinHttpQueryOption(request, option, value.as_mut_ptr().cast(), &mut length) != 0).then(|| value.assume_init())
    }
}

fn name(blob: &CRYPT_INTEGER_BLOB) -> String {
    let style = CERT_X500_NAME_STR | CERT_NAME_STR_REVERSE_FLAG;
    // SAFETY: the blob is a certificate's, the buffer has the length that the first call answers.
    unsafe {
        let length = CertNameToStrW(X509_ASN_ENCODING, blob, style, null::<u16>().cast_mut(), 0);
        let mut units = vec![0; length as usize];
        CertNameToStrW(X509_ASN_ENCODING, blob, style, units.as_mut_ptr(), length);
        let name = text(&units);
        if name.is_empty() { "nobody".into() } else { name }
    }
}

/// The day.
fn date(time: &FILETIME) -> String {
    let ticks = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    // From 1601 to 1970, and not beyond the year 9999.
    let seconds = (ticks / 10_000_000).saturating_sub(11_644_473_600).min(253_402_300_799);
    let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    date[5..16].to_owned()
}

/// UTF-16 up to its NUL.
fn text(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
    String::from_utf16_lossy(&units[..end])
}
