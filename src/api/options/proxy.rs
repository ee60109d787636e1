//! Proxies.

use super::row::*;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_PROXY: Shape::Struct("WINHTTP_PROXY_INFO", size_of::<WINHTTP_PROXY_INFO>()))
        .set(SESSION | REQUEST, Put::To(|_, given| match given.dword() {
            // A proxy cannot be used yet.
            WINHTTP_ACCESS_TYPE_NAMED_PROXY => Err(ERROR_WINHTTP_INVALID_OPTION),
            _ => Ok(()),
        }))
        .inherited(),
    option!(WINHTTP_OPTION_PROXY_RESULT_ENTRY: Shape::Struct("WINHTTP_PROXY_RESULT_ENTRY", size_of::<WINHTTP_PROXY_RESULT_ENTRY>()))
        .absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE: Shape::Bool)
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE: Shape::Bool)
        .absent(SESSION | REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES: Shape::Dword)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS: Shape::Dword)
        .absent(0, 0, "Not here yet."),
];
