//! TLS: the certificates, the versions, what was negotiated.

use std::sync::Arc;

use super::certificates;
use super::row::*;
use crate::pki::{self, Certificate, Suite};
use crate::transport::Secured;
use crate::win32::*;

/// SECURITY_FLAGS that may be set.
const IGNORE_FLAGS: u32 = SECURITY_FLAG_IGNORE_UNKNOWN_CA
    | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID
    | SECURITY_FLAG_IGNORE_CERT_CN_INVALID
    | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;
/// The versions that WINHTTP_FLAG_SECURE_DEFAULTS allows.
const NEW: u32 = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2 | WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3;

const NO_OLDER: &str = "Nothing older than TLS 1.2 is spoken, so that there is nothing to fall back to.";

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_SECURITY_FLAGS: Shape::Dword)
        .query(REQUEST, Get::Of(security_flags))
        .set(REQUEST, Put::To(set_security_flags))
        .default_setting(|s| s.security_flags)
        .note("Reads with SECURITY_FLAG_SECURE and a SECURITY_FLAG_STRENGTH_* bit once TLS is spoken."),
    option!(WINHTTP_OPTION_SECURITY_CERTIFICATE_STRUCT: Shape::Struct("WINHTTP_CERTIFICATE_INFO", size_of::<WINHTTP_CERTIFICATE_INFO>()))
        .query(REQUEST, Get::Of(certificates::summary))
        .note("Subject and issuer: the values of the name, one a line. dwKeySize is the cipher's strength in bits."),
    option!(WINHTTP_OPTION_SECURITY_KEY_BITNESS: Shape::Dword)
        .query(REQUEST, Get::Of(|subject| {
            Ok(Value::Dword(subject.request()?.with(|machine| machine.secured().map_or(0, |secured| strength(secured)))))
        }))
        .default("0"),
    option!(WINHTTP_OPTION_CLIENT_CERT_CONTEXT: Shape::Bytes("CERT_CONTEXT"))
        .set(REQUEST, Put::To(certificates::set_client)),
    option!(WINHTTP_OPTION_SERVER_CERT_CONTEXT: Shape::Pointer("PCCERT_CONTEXT"))
        .query(REQUEST, Get::Of(certificates::server))
        .note("There as soon as the server has shown it, also if it was refused. Its store has all that the server sent."),
    option!(WINHTTP_OPTION_ENABLE_FEATURE: Shape::Dword)
        .strict()
        .set(SESSION | REQUEST, Put::To(enable_feature))
        .note("Revocation: by the lists that certificates name, fetched over HTTP; OCSP is not asked."),
    option!(WINHTTP_OPTION_SECURE_PROTOCOLS: Shape::Dword)
        .set(SESSION, Put::To(set_secure_protocols))
        .inherited()
        .default_setting(|s| s.secure_protocols)
        .note("TLS 1.2 and 1.3 are spoken; of older versions alone nothing is, and requests fail with 12175."),
    option!(WINHTTP_OPTION_CLIENT_CERT_ISSUER_LIST: Shape::Pointer("SecPkgContext_IssuerListInfoEx"))
        .query(REQUEST, Get::Of(certificates::issuers))
        .note("After ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED; freed by GlobalFree."),
    option!(WINHTTP_OPTION_SERVER_CBT: Shape::Bytes("SecPkgContext_Bindings"))
        .query(REQUEST, Get::Keyed(binding))
        .note("tls-server-end-point, whatever the version of TLS."),
    option!(WINHTTP_OPTION_DISABLE_SECURE_PROTOCOL_FALLBACK: Shape::Bool)
        .ignored(SESSION, NO_OLDER),
    option!(WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT: Shape::Pointer("PCCERT_CHAIN_CONTEXT"))
        .query(REQUEST, Get::Of(certificates::chain))
        .note("Freed by CertFreeCertificateChain, or by CertFreeCertificateContext as its page says."),
    option!(WINHTTP_OPTION_SECURITY_INFO: Shape::Struct("WINHTTP_SECURITY_INFO", size_of::<WINHTTP_SECURITY_INFO>()))
        .query(REQUEST, Get::Of(security_info))
        .note("All 0 before TLS is spoken."),
    option!(WINHTTP_OPTION_TLS_FALSE_START: Shape::Bool)
        .ignored(SESSION, "Data never goes out before the handshake is complete."),
    option!(WINHTTP_OPTION_IGNORE_CERT_REVOCATION_OFFLINE: Shape::Bool)
        .set(REQUEST, Put::Setting(|s, value| s.ignores_revocation_offline = value != 0))
        .default_setting(|s| s.ignores_revocation_offline.into()),
    option!(WINHTTP_OPTION_TLS_PROTOCOL_INSECURE_FALLBACK: Shape::Bool)
        .set(SESSION, Put::To(|subject, given| subject.settings(|settings| {
            if settings.secure_defaults && given.is_true() { Err(ERROR_ACCESS_DENIED) } else { Ok(()) }
        })?))
        .note(NO_OLDER),
    option!(WINHTTP_OPTION_DISABLE_CERT_CHAIN_BUILDING: Shape::Bool)
        .absent(0, SESSION, "The way to a root is always looked for."),
    option!(WINHTTP_OPTION_REVERT_IMPERSONATION_SERVER_CERT: Shape::Bool)
        .absent(0, 0, "There is no impersonation."),
    option!(WINHTTP_OPTION_USE_SESSION_SCH_CRED: Shape::Bool)
        .absent(0, SESSION, "There are no credentials of Schannel."),
];

/// What TLS came to; ERROR_WINHTTP_INCORRECT_HANDLE_STATE if it was not spoken yet.
pub(super) fn secured(subject: &Subject) -> Result<Arc<Secured>, Win32Error> {
    let secured = subject.request()?.with(|machine| machine.secured().cloned());
    secured.ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
}

/// Bits of the cipher's key.
fn strength(secured: &Secured) -> u32 {
    Suite::find(secured.suite).map_or(0, |suite| suite.strength)
}

/// WINHTTP_ENABLE_SSL_REVOCATION on a request. Of a session there is only WINHTTP_ENABLE_SSL_REVERT_IMPERSONATION, and
/// nobody is impersonated here.
fn enable_feature(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    match (subject.kind(), given.dword()) {
        (REQUEST, WINHTTP_ENABLE_SSL_REVOCATION) => subject.settings(|settings| settings.checks_revocation = true),
        (SESSION, WINHTTP_ENABLE_SSL_REVERT_IMPERSONATION) => Ok(()),
        _ => Err(ERROR_INVALID_PARAMETER),
    }
}

fn security_flags(subject: &Subject) -> Result<Value, Win32Error> {
    subject.request()?.with(|machine| {
        let reached = match machine.secured().filter(|secured| secured.protocol != 0) {
            None => 0,
            Some(secured) if strength(secured) < 128 => SECURITY_FLAG_SECURE | SECURITY_FLAG_STRENGTH_MEDIUM,
            Some(_) => SECURITY_FLAG_SECURE | SECURITY_FLAG_STRENGTH_STRONG,
        };
        Ok(Value::Dword(machine.config.settings.security_flags | reached))
    })
}

fn set_security_flags(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let flags = given.dword();
    if flags & !IGNORE_FLAGS != 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    subject.settings(|settings| {
        if settings.secure_defaults && flags != 0 {
            return Err(ERROR_ACCESS_DENIED);
        }
        settings.security_flags = flags;
        Ok(())
    })?
}

/// A bit that the system does not know is refused (source g03).
fn set_secure_protocols(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let protocols = given.dword();
    if protocols & !subject.handle()?.world().choices.known_secure_protocols() != 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    subject.settings(|settings| {
        if settings.secure_defaults && protocols & !NEW != 0 {
            return Err(ERROR_ACCESS_DENIED);
        }
        settings.secure_protocols = protocols;
        Ok(())
    })?
}

fn security_info(subject: &Subject) -> Result<Value, Win32Error> {
    let secured = subject.request()?.with(|machine| machine.secured().cloned()).unwrap_or_default();
    let info = pki::security_info(secured.protocol, secured.suite, secured.group);
    let mut bytes = vec![0; size_of::<WINHTTP_SECURITY_INFO>()];
    // SAFETY: the bytes have the size of the structure, which has no padding.
    unsafe { bytes.as_mut_ptr().cast::<WINHTTP_SECURITY_INFO>().write_unaligned(info) };
    Ok(Value::Bytes(bytes))
}

/// SecPkgContext_Bindings, SEC_CHANNEL_BINDINGS and the token, one behind the other in the caller's buffer.
fn binding(subject: &Subject, buffer: &[u8]) -> Result<Value, Win32Error> {
    let secured = secured(subject)?;
    let der = secured.presented.first().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
    let certificate = Certificate::parse(der).map_err(|_| ERROR_WINHTTP_INCORRECT_HANDLE_STATE)?;
    let token = pki::end_point(&certificate);
    const FRAME: usize = size_of::<SecPkgContext_Bindings>();
    const BINDINGS: usize = size_of::<SEC_CHANNEL_BINDINGS>();
    let bindings = SEC_CHANNEL_BINDINGS {
        cbApplicationDataLength: token.len() as u32,
        dwApplicationDataOffset: BINDINGS as u32,
        ..SEC_CHANNEL_BINDINGS::default()
    };
    let mut bytes = vec![0; FRAME + BINDINGS];
    let frame = SecPkgContext_Bindings {
        BindingsLength: (BINDINGS + token.len()) as u32,
        Bindings: buffer.as_ptr().wrapping_add(FRAME).cast_mut().cast(),
    };
    // SAFETY: both fit into the bytes.
    unsafe {
        bytes.as_mut_ptr().cast::<SecPkgContext_Bindings>().write_unaligned(frame);
        bytes.as_mut_ptr().add(FRAME).cast::<SEC_CHANNEL_BINDINGS>().write_unaligned(bindings);
    }
    bytes.extend_from_slice(&token);
    Ok(Value::Bytes(bytes))
}
