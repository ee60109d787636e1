//! Limits.

use super::row::*;

const BOTH: Handles = SESSION | REQUEST;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_CONNECT_RETRIES: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.network.addresses))
        .set(BOTH, Put::Setting(|s, value| s.network.addresses = value))
        .inherited(),
    option!(WINHTTP_OPTION_MAX_HTTP_AUTOMATIC_REDIRECTS: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_redirects))
        .set(BOTH, Put::Setting(|s, value| s.max_redirects = value))
        .inherited(),
    option!(WINHTTP_OPTION_MAX_HTTP_STATUS_CONTINUE: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_interim))
        .set(BOTH, Put::Setting(|s, value| s.max_interim = value))
        .inherited(),
    option!(WINHTTP_OPTION_MAX_RESPONSE_HEADER_SIZE: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_head))
        .set(BOTH, Put::Setting(|s, value| s.max_head = value))
        .inherited(),
    option!(WINHTTP_OPTION_MAX_RESPONSE_DRAIN_SIZE: Shape::Dword)
        .query(BOTH, Get::Setting(|s| s.max_drain))
        .set(BOTH, Put::Setting(|s, value| s.max_drain = value))
        .inherited(),
    option!(WINHTTP_OPTION_MAX_CONNS_PER_SERVER: Shape::Dword)
        .query(SESSION, Get::Setting(|s| s.pool_rules.limit))
        .set(
            SESSION,
            Put::To(|subject, given| {
                let owner = subject.handle()?.value();
                subject.settings(|s| (s.pool_rules.owner, s.pool_rules.limit) = (owner, given.dword()))
            }),
        )
        .inherited()
        .note("0 means 2. A request that comes late waits until a connection is free or its handle is closed."),
    option!(WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER: Shape::Dword)
        .query(SESSION, Get::Setting(|s| s.pool_rules.limit_1_0))
        .set(
            SESSION,
            Put::To(|subject, given| {
                let owner = subject.handle()?.value();
                subject.settings(|s| (s.pool_rules.owner, s.pool_rules.limit_1_0) = (owner, given.dword()))
            }),
        )
        .inherited()
        .note("For servers whose last reply was HTTP/1.0; 0 means 2."),
];
