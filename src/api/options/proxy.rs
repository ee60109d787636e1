//! Proxies.
#![allow(unsafe_code)]

use super::row::*;
use crate::api::edge::text;
use crate::api::proxy::{access, proxy_info, world};
use crate::http::proxy::{Access, Hop, Scheme, Server};
use crate::win32::memory::free;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_PROXY: Shape::Struct("WINHTTP_PROXY_INFO", size_of::<WINHTTP_PROXY_INFO>()))
        .query(PROCESS | SESSION | REQUEST, Get::Of(read))
        .set(SESSION | REQUEST, Put::To(write))
        .inherited()
        .default("the access type of WinHttpOpen")
        .note("NULL: what DEFAULT_PROXY means. The strings are freed with GlobalFree."),
    option!(WINHTTP_OPTION_PROXY_RESULT_ENTRY: Shape::Struct("WINHTTP_PROXY_RESULT_ENTRY", size_of::<WINHTTP_PROXY_RESULT_ENTRY>()))
        .set(REQUEST, Put::To(write_entry)),
    option!(WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE: Shape::Bool)
        .set(
            SESSION | REQUEST,
            Put::To(|subject, given| {
                let receive = given.is_true();
                subject.settings(|settings| settings.receive_connect_response = receive)
            }),
        )
        .inherited()
        .default_setting(|s| s.receive_connect_response.into()),
    option!(WINHTTP_OPTION_IS_PROXY_CONNECT_RESPONSE: Shape::Bool)
        .query(
            SESSION | REQUEST,
            Get::Of(|subject| {
                let is = subject.request().is_ok_and(|request| request.with(|machine| machine.is_connect_response()));
                Ok(Value::Dword(is.into()))
            }),
        )
        .default("FALSE"),
    option!(WINHTTP_OPTION_DISABLE_PROXY_AUTH_SCHEMES: Shape::Dword)
        .set(SESSION, Put::Setting(|settings, schemes| settings.disabled_proxy_schemes = schemes))
        .inherited()
        .default_setting(|s| s.disabled_proxy_schemes),
    option!(WINHTTP_OPTION_PROXY_DISABLE_SERVICE_CALLS: Shape::Dword)
        .absent(0, 0, "There is no service."),
];

fn read(subject: &Subject) -> Result<Value, Win32Error> {
    let access = match &subject.handle {
        Some(_) => subject.settings(|settings| settings.proxy.clone())?,
        None => world()?.proxies.default_proxy().map_or(Access::None, Access::Named),
    };
    let info = proxy_info(&access)?;
    let mut bytes = vec![0; size_of::<WINHTTP_PROXY_INFO>()];
    // SAFETY: the structure is plain data, and there is room for it.
    unsafe { bytes.as_mut_ptr().cast::<WINHTTP_PROXY_INFO>().write_unaligned(info) };
    let strings = [info.lpszProxy, info.lpszProxyBypass].map(|text| text.expose_provenance());
    Ok(Value::BorrowedBuffer(
        bytes,
        Box::new(move || {
            for text in strings {
                // SAFETY: nobody has heard of the blocks.
                unsafe { free(std::ptr::with_exposed_provenance_mut(text)) };
            }
        }),
    ))
}

fn write(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    // SAFETY: the size was checked; any bytes are such a structure.
    let info = unsafe { given.bytes.as_ptr().cast::<WINHTTP_PROXY_INFO>().read_unaligned() };
    let world = subject.handle()?.world();
    // SAFETY: the application's promise of WinHttpSetOption: the strings are NULL or NUL-terminated.
    let access = unsafe { access(world, info.dwAccessType, info.lpszProxy, info.lpszProxyBypass) }?;
    subject.settings(|settings| settings.proxy = access)
}

fn write_entry(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    // SAFETY: the size was checked; any bytes are such a structure.
    let entry = unsafe { given.bytes.as_ptr().cast::<WINHTTP_PROXY_RESULT_ENTRY>().read_unaligned() };
    let hop = if entry.fProxy == 0 {
        Hop::Direct
    } else {
        // SAFETY: the application's promise of WinHttpSetOption: the string is NULL or NUL-terminated.
        let host = unsafe { text(entry.pwszProxy) }.ok_or(ERROR_INVALID_PARAMETER)?;
        let scheme = match entry.ProxyScheme {
            WINHTTP_INTERNET_SCHEME_HTTP => Scheme::Http,
            WINHTTP_INTERNET_SCHEME_HTTPS => Scheme::Https,
            WINHTTP_INTERNET_SCHEME_SOCKS => Scheme::Socks4,
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        let host = String::from_utf16_lossy(&host);
        let bare = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        let server = Server::parse(scheme, &bare).map_err(|_| ERROR_INVALID_PARAMETER)?;
        let port = if entry.ProxyPort == 0 { server.port } else { entry.ProxyPort };
        Hop::Via(Server { port, ..server })
    };
    subject.settings(|settings| settings.proxy = Access::Entry(hop))
}
