//! What is sent, and how replies are taken.

use std::sync::atomic::{AtomicU8, Ordering};

use super::row::*;
use crate::api::session::header_value;
use crate::http::{Encoding, Version};
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_URL: Shape::Text)
        .query(REQUEST, Get::Of(|subject| Ok(Value::Text(subject.request()?.with(|machine| machine.url())))))
        .note("After redirects the last one."),
    option!(WINHTTP_OPTION_USER_AGENT: Shape::Text)
        .query(
            SESSION,
            Get::Of(|subject| {
                let agent = subject.session()?.agent.lock().clone();
                Ok(Value::Text(agent.unwrap_or_default().into()))
            }),
        )
        .set(
            SESSION,
            Put::To(|subject, given| {
                let agent = header_value(given.text)?;
                *subject.session()?.agent.lock() = Some(agent.into());
                Ok(())
            }),
        )
        .inherited(),
    option!(WINHTTP_OPTION_HTTP_VERSION: Shape::Struct("HTTP_VERSION_INFO", size_of::<HTTP_VERSION_INFO>()))
        .query(
            PROCESS,
            Get::Of(|_| {
                let version = default_version();
                let words = [u32::from(version.major), u32::from(version.minor)];
                Ok(Value::Bytes(words.iter().flat_map(|word| word.to_ne_bytes()).collect()))
            }),
        )
        .set(
            PROCESS,
            Put::To(|_, given| {
                let (major, minor) = given.bytes.split_at(4);
                match (
                    major.first_chunk().map(|m| u32::from_ne_bytes(*m)),
                    minor.first_chunk().map(|m| u32::from_ne_bytes(*m)),
                ) {
                    (Some(1), Some(minor)) if minor <= NEWEST_MINOR.into() => {
                        DEFAULT_MINOR.store(minor as u8, Ordering::Relaxed);
                        Ok(())
                    }
                    _ => Err(ERROR_INVALID_PARAMETER),
                }
            }),
        )
        .default_made(|| format!("1.{NEWEST_MINOR}"))
        .note("Of requests that are opened without a version: 1.0 or 1.1."),
    option!(WINHTTP_OPTION_DISABLE_FEATURE: Shape::Dword)
        .set(REQUEST, Put::Setting(|s, bits| s.disabled |= bits))
        .default_setting(|s| s.disabled),
    option!(WINHTTP_OPTION_CODEPAGE: Shape::Dword)
        .set(
            SESSION,
            Put::To(|subject, given| {
                let encoding = Encoding::of_code_page(given.dword()).ok_or(ERROR_INVALID_PARAMETER)?;
                subject.settings(|s| s.code_page = encoding)
            }),
        )
        .inherited()
        .default_setting(|s| s.code_page.code_page())
        .note("Of the query in WinHttpOpenRequest: 0, 65001, 1252, 28591, 20127."),
    option!(WINHTTP_OPTION_REDIRECT_POLICY: Shape::Dword)
        .query(SESSION | REQUEST, Get::Setting(|s| s.redirect_policy))
        .set(SESSION | REQUEST, Put::Setting(|s, policy| s.redirect_policy = policy))
        .inherited(),
    option!(WINHTTP_OPTION_DECOMPRESSION: Shape::Dword)
        .set(SESSION | REQUEST, Put::Setting(|s, bits| s.decompression = bits))
        .inherited()
        .default_setting(|s| s.decompression),
    option!(WINHTTP_OPTION_REJECT_USERPWD_IN_URL: Shape::Bool)
        .set(REQUEST, Put::Setting(|s, on| s.reject_user = on != 0))
        .default_setting(|s| s.reject_user.into())
        .note("A redirect to such a URL ends with ERROR_WINHTTP_INVALID_URL."),
    option!(WINHTTP_OPTION_ENCODE_EXTRA: Shape::Bool).absent(
        0,
        SESSION | REQUEST,
        "What it encodes beside the flags of WinHttpOpenRequest is not documented.",
    ),
    option!(WINHTTP_OPTION_REQUEST_ANNOTATION: Shape::WideBytes)
        .query(REQUEST, Get::Of(|subject| subject.settings(|s| Value::Text(s.annotation.clone()))))
        .set(
            REQUEST,
            Put::To(|subject, given| {
                if given.text.len() > WINHTTP_OPTION_REQUEST_ANNOTATION_MAX_LENGTH as usize {
                    return Err(ERROR_INVALID_PARAMETER);
                }
                subject.settings(|s| s.annotation = given.string())
            }),
        )
        .note("Kept for the application; 64000 characters at most."),
    option!(WINHTTP_OPTION_READ_BUFFER_SIZE: Shape::Dword)
        .query(REQUEST, Get::Of(|_| Ok(Value::Dword(0))))
        .ignored(REQUEST, "Deprecated: Windows ignores it."),
    option!(WINHTTP_OPTION_WRITE_BUFFER_SIZE: Shape::Dword)
        .query(REQUEST, Get::Of(|_| Ok(Value::Dword(0))))
        .ignored(REQUEST, "Deprecated: Windows ignores it."),
    option!(WINHTTP_OPTION_REQUEST_PRIORITY: Shape::Dword)
        .query(REQUEST, Get::Of(|_| Ok(Value::Dword(0))))
        .ignored(REQUEST, "Deprecated: Windows ignores it."),
    option!(WINHTTP_OPTION_UNSAFE_HEADER_PARSING: Shape::Dword).absent(0, REQUEST, "Windows keeps it to itself."),
];

/// The newest HTTP/1.
const NEWEST_MINOR: u8 = 1;
/// HTTP_VERSION, which belongs to the process.
static DEFAULT_MINOR: AtomicU8 = AtomicU8::new(NEWEST_MINOR);

/// The version of requests that are opened without one.
pub(crate) fn default_version() -> Version {
    Version { major: 1, minor: DEFAULT_MINOR.load(Ordering::Relaxed) }
}
