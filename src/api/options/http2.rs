//! HTTP/2 and HTTP/3.

use super::row::*;
use crate::transport::Http2;
use crate::win32::*;
use std::time::Duration;

const BOTH: Handles = SESSION | REQUEST;
/// HTTP2_KEEPALIVE in milliseconds.
const SHORTEST_SILENCE: u32 = 5000;

fn enable(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let protocols = given.dword();
    if protocols & !subject.handle()?.world().choices.known_protocols() != 0 {
        return Err(ERROR_INVALID_PARAMETER);
    }
    subject.settings(|settings| settings.protocols = protocols)
}

fn keep_alive(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let silence = match given.dword() {
        0 => None,
        1..SHORTEST_SILENCE => return Err(ERROR_INVALID_PARAMETER),
        milliseconds => Some(Duration::from_millis(milliseconds.into())),
    };
    subject.settings(|settings| settings.http2.keepalive = silence)
}

/// ulStreamWindow, ulStreamWindowUpdateDelta.
fn window(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let number = |at: usize| given.bytes.get(at..at + 4).map_or(0, |bytes| Given { bytes, ..*given }.dword());
    let (window, delta) = (number(0), number(4));
    if window == 0 || window > i32::MAX as u32 || delta > window {
        return Err(ERROR_INVALID_PARAMETER);
    }
    subject.settings(|settings| {
        settings.http2.window = window;
        settings.http2.window_update = delta;
    })
}

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL: Shape::Dword)
        .set(BOTH, Put::To(enable))
        .strict()
        .inherited()
        .default_setting(|s| s.protocols)
        .note("HTTP/2 over TLS, by ALPN. WINHTTP_PROTOCOL_FLAG_HTTP3 is taken as by Windows 11, and never spoken: HTTP/3 alone, and required, is ERROR_WINHTTP_CANNOT_CONNECT."),
    option!(WINHTTP_OPTION_HTTP_PROTOCOL_USED: Shape::Dword)
        .query(REQUEST, Get::Of(|subject| Ok(Value::Dword(subject.request()?.with(|request| request.protocol_used())))))
        .default("0")
        .note("0 is HTTP/1, and what it is before there is a reply."),
    option!(WINHTTP_OPTION_DISABLE_STREAM_QUEUE: Shape::Bool)
        .set(BOTH, Put::Setting(|s, value| s.http2.queue = value == 0))
        .inherited()
        .default_setting(|s| u32::from(!s.http2.queue)),
    option!(WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED: Shape::Bool)
        .set(BOTH, Put::Setting(|s, value| s.http2.required = value != 0))
        .inherited()
        .default_setting(|s| s.http2.required.into())
        .note("Only beside ENABLE_HTTP_PROTOCOL. A server that does not speak it: ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH."),
    option!(WINHTTP_OPTION_STREAM_ERROR_CODE: Shape::Dword)
        .query(REQUEST, Get::Of(|subject| Ok(Value::Dword(subject.request()?.with(|request| request.stream_error())))))
        .default("0")
        .note("Of the RST_STREAM that ended the last exchange, RFC 9113 7."),
    option!(WINHTTP_OPTION_REQUIRE_STREAM_END: Shape::Bool)
        .set(BOTH, Put::Setting(|s, value| s.http2.require_end = value != 0))
        .inherited()
        .default_setting(|s| s.http2.require_end.into())
        .note("A body that ends with RST_STREAM(NO_ERROR) is one that broke."),
    option!(WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT: Shape::Bool)
        .set(SESSION, Put::Setting(|s, value| s.http2_with_certificate = value != 0))
        .inherited()
        .default_setting(|s| s.http2_with_certificate.into())
        .note("While it is FALSE, a request with CLIENT_CERT_CONTEXT speaks HTTP/1.1."),
    option!(WINHTTP_OPTION_HTTP2_KEEPALIVE: Shape::Dword)
        .set(SESSION, Put::To(keep_alive))
        .inherited()
        .default_setting(|s| s.http2.keepalive.map_or(0, |silence| silence.as_millis() as u32))
        .note("Milliseconds of silence before a PING, 5000 at least; 0 is off. As long again without an answer: 12030."),
    option!(WINHTTP_OPTION_HTTP2_PLUS_TRANSFER_ENCODING: Shape::Bool)
        .absent(0, BOTH, "A Transfer-Encoding in a reply over HTTP/2 is ERROR_WINHTTP_INVALID_SERVER_RESPONSE."),
    option!(WINHTTP_OPTION_HTTP2_RECEIVE_WINDOW: Shape::Struct("WINHTTP_HTTP2_RECEIVE_WINDOW", size_of::<WINHTTP_HTTP2_RECEIVE_WINDOW>()))
        .set(BOTH, Put::To(window))
        .inherited()
        .default_made(|| {
            let Http2 { window, window_update, .. } = Http2::default();
            format!("{window}, {window_update}")
        })
        .note("Windows of 1 to 2^31 - 1 bytes; the delta is at most the window."),
    option!(WINHTTP_OPTION_QUIC_STATS: Shape::Bytes("QUIC_STATISTICS"))
        .absent(REQUEST, 0, "HTTP/3 is not spoken."),
    option!(WINHTTP_OPTION_HTTP3_KEEPALIVE: Shape::Dword)
        .absent(0, 0, "HTTP/3 is not spoken."),
    option!(WINHTTP_OPTION_HTTP3_HANDSHAKE_TIMEOUT: Shape::Dword)
        .absent(0, 0, "HTTP/3 is not spoken."),
    option!(WINHTTP_OPTION_HTTP3_INITIAL_RTT: Shape::Dword)
        .absent(0, 0, "HTTP/3 is not spoken."),
    option!(WINHTTP_OPTION_HTTP3_STREAM_ERROR_CODE: Shape::Unknown)
        .absent(REQUEST, 0, "HTTP/3 is not spoken."),
];
