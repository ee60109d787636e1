//! HTTP/2 and HTTP/3.

use super::row::*;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL: Shape::Dword)
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP_PROTOCOL_USED: Shape::Dword)
        .query(REQUEST, Get::Of(|_| Ok(Value::Dword(0))))
        .default("0"),
    option!(WINHTTP_OPTION_DISABLE_STREAM_QUEUE: Shape::Bool)
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED: Shape::Bool)
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_STREAM_ERROR_CODE: Shape::Dword)
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_REQUIRE_STREAM_END: Shape::Bool)
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_ENABLE_HTTP2_PLUS_CLIENT_CERT: Shape::Bool)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP2_KEEPALIVE: Shape::Dword)
        .absent(0, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP2_PLUS_TRANSFER_ENCODING: Shape::Bool)
        .absent(0, SESSION | REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP2_RECEIVE_WINDOW: Shape::Struct("WINHTTP_HTTP2_RECEIVE_WINDOW", size_of::<WINHTTP_HTTP2_RECEIVE_WINDOW>()))
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_QUIC_STATS: Shape::Bytes("QUIC_STATISTICS"))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP3_KEEPALIVE: Shape::Dword)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP3_HANDSHAKE_TIMEOUT: Shape::Dword)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP3_INITIAL_RTT: Shape::Dword)
        .absent(0, 0, "Not here yet."),
    option!(WINHTTP_OPTION_HTTP3_STREAM_ERROR_CODE: Shape::Unknown)
        .absent(REQUEST, 0, "Not here yet."),
];
