//! What is sent, and how replies are taken.

use std::sync::PoisonError;

use super::row::*;
use crate::api::session::header_value;
use crate::win32::*;

pub(super) const ROWS: &[Row] =
    &[
        option!(WINHTTP_OPTION_URL: Shape::Text)
            .query(REQUEST, Get::Of(|subject| Ok(Value::Text(subject.request()?.with(|machine| machine.url())))))
            .note("After redirects the last one."),
        option!(WINHTTP_OPTION_USER_AGENT: Shape::Text)
            .query(
                SESSION,
                Get::Of(|subject| {
                    let agent = subject.session()?.agent.lock().unwrap_or_else(PoisonError::into_inner).clone();
                    Ok(Value::Text(agent.unwrap_or_default()))
                }),
            )
            .set(
                SESSION,
                Put::To(|subject, given| {
                    let agent = header_value(given.text)?;
                    *subject.session()?.agent.lock().unwrap_or_else(PoisonError::into_inner) = Some(agent);
                    Ok(())
                }),
            )
            .inherited(),
        option!(WINHTTP_OPTION_HTTP_VERSION: Shape::Struct("HTTP_VERSION_INFO", size_of::<HTTP_VERSION_INFO>()))
            .absent(PROCESS, PROCESS, "Not here yet."),
        option!(WINHTTP_OPTION_DISABLE_FEATURE: Shape::Dword)
            .set(REQUEST, Put::Setting(|s, bits| s.disabled |= bits))
            .default("0"),
        option!(WINHTTP_OPTION_CODEPAGE: Shape::Dword).absent(0, SESSION, "Not here yet."),
        option!(WINHTTP_OPTION_REDIRECT_POLICY: Shape::Dword)
            .query(SESSION | REQUEST, Get::Setting(|s| s.redirect_policy))
            .set(SESSION | REQUEST, Put::Setting(|s, policy| s.redirect_policy = policy))
            .inherited()
            .default("1"),
        option!(WINHTTP_OPTION_DECOMPRESSION: Shape::Dword)
            .set(SESSION | REQUEST, Put::Setting(|s, bits| s.decompression = bits))
            .inherited()
            .default("0"),
        option!(WINHTTP_OPTION_REJECT_USERPWD_IN_URL: Shape::Bool).absent(0, REQUEST, "Not here yet."),
        option!(WINHTTP_OPTION_ENCODE_EXTRA: Shape::Bool).absent(0, SESSION | REQUEST, "Not here yet."),
        option!(WINHTTP_OPTION_REQUEST_ANNOTATION: Shape::Unknown).absent(REQUEST, REQUEST, "Not here yet."),
        option!(WINHTTP_OPTION_READ_BUFFER_SIZE: Shape::Dword).ignored(REQUEST, "Deprecated: Windows ignores it."),
        option!(WINHTTP_OPTION_WRITE_BUFFER_SIZE: Shape::Dword).ignored(REQUEST, "Deprecated: Windows ignores it."),
        option!(WINHTTP_OPTION_REQUEST_PRIORITY: Shape::Dword).ignored(REQUEST, "Deprecated: Windows ignores it."),
        option!(WINHTTP_OPTION_UNSAFE_HEADER_PARSING: Shape::Dword).absent(0, REQUEST, "Not here yet."),
    ];
