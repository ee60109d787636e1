//! Limits.

use super::row::*;

const BOTH: Handles = SESSION | REQUEST;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_CONNECT_RETRIES: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.connect_retries))
        .set(BOTH, Put::Setting(|s, value| s.connect_retries = value))
        .inherited()
        .default("5"),
    option!(WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_redirects))
        .set(BOTH, Put::Setting(|s, value| s.max_redirects = value))
        .inherited()
        .default("10"),
    option!(WINHTTP_OPTION_MAX_HTTP_STATUS_CONTINUE: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_interim))
        .set(BOTH, Put::Setting(|s, value| s.max_interim = value))
        .inherited()
        .default("10"),
    option!(WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_head))
        .set(BOTH, Put::Setting(|s, value| s.max_head = value))
        .inherited()
        .default("65536"),
    option!(WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_drain))
        .set(BOTH, Put::Setting(|s, value| s.max_drain = value))
        .inherited()
        .default("1048576"),
    option!(WINHTTP_OPTION_MAX_CONNS_PER_SERVER: Shape::Dword).absent(SESSION, SESSION, "Not here yet."),
    option!(WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER: Shape::Dword).absent(SESSION, SESSION, "Not here yet."),
];
