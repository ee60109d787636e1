//! TLS: the certificates, the versions, what was negotiated.

use super::row::*;
use crate::win32::*;

/// SECURITY_FLAGS that may be set.
const IGNORE_FLAGS: u32 = SECURITY_FLAG_IGNORE_UNKNOWN_CA
    | SECURITY_FLAG_IGNORE_CERT_DATE_INVALID
    | SECURITY_FLAG_IGNORE_CERT_CN_INVALID
    | SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_SECURITY_FLAGS: Shape::Dword)
        .query(REQUEST, Get::Setting(|s| s.security_flags))
        .set(REQUEST, Put::To(|subject, given| {
            let flags = given.dword();
            if flags & !IGNORE_FLAGS != 0 {
                return Err(ERROR_INVALID_PARAMETER);
            }
            subject.settings(|s| s.security_flags = flags)
        }))
        .default("0"),
    option!(WINHTTP_OPTION_SECURITY_CERTIFICATE_STRUCT: Shape::Struct("WINHTTP_CERTIFICATE_INFO", size_of::<WINHTTP_CERTIFICATE_INFO>()))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_SECURITY_KEY_BITNESS: Shape::Dword)
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_CLIENT_CERT_CONTEXT: Shape::Bytes("CERT_CONTEXT"))
        .set(REQUEST, Put::To(|subject, given| {
            if !subject.request()?.with(|machine| machine.site().secure) {
                return Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
            }
            // No client certificate is what we have in any case; one cannot be set yet.
            if given.pointer.is_null() { Ok(()) } else { Err(ERROR_WINHTTP_INVALID_OPTION) }
        })),
    option!(WINHTTP_OPTION_SERVER_CERT_CONTEXT: Shape::Pointer("PCCERT_CONTEXT"))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_ENABLE_FEATURE: Shape::Dword)
        .strict()
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_SECURE_PROTOCOLS: Shape::Dword)
        .set(SESSION, Put::Setting(|s, protocols| s.secure_protocols = protocols))
        .inherited()
        .default("10240"),
    option!(WINHTTP_OPTION_CLIENT_CERT_ISSUER_LIST: Shape::Pointer("pointer"))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_SERVER_CBT: Shape::Bytes("SecPkgContext_Bindings"))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_DISABLE_SECURE_PROTOCOL_FALLBACK: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT: Shape::Pointer("PCCERT_CHAIN_CONTEXT"))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_SECURITY_INFO: Shape::Struct("WINHTTP_SECURITY_INFO", size_of::<WINHTTP_SECURITY_INFO>()))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_TLS_FALSE_START: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_IGNORE_CERT_REVOCATION_OFFLINE: Shape::Bool)
        .absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_TLS_PROTOCOL_INSECURE_FALLBACK: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_DISABLE_CERT_CHAIN_BUILDING: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_REVERT_IMPERSONATION_SERVER_CERT: Shape::Bool)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_USE_SESSION_SCH_CRED: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
];
