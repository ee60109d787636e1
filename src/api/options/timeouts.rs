//! Timeouts, in milliseconds; 0 and 0xFFFFFFFF mean no limit. Any value is kept (source option.timeouts).

use super::row::*;

const QUERY: Handles = SESSION | CONNECTION | REQUEST;
const SET: Handles = SESSION | REQUEST;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_RESOLVE_TIMEOUT: Shape::Dword)
        .query(QUERY, Get::Setting(|s| s.timeouts.resolve))
        .set(SET, Put::Setting(|s, value| s.timeouts.resolve = value))
        .inherited(),
    option!(WINHTTP_OPTION_CONNECT_TIMEOUT: Shape::Dword)
        .query(QUERY, Get::Setting(|s| s.timeouts.connect))
        .set(SET, Put::Setting(|s, value| s.timeouts.connect = value))
        .inherited(),
    option!(WINHTTP_OPTION_SEND_TIMEOUT: Shape::Dword)
        .query(QUERY, Get::Setting(|s| s.timeouts.send))
        .set(SET, Put::Setting(|s, value| s.timeouts.send = value))
        .inherited(),
    option!(WINHTTP_OPTION_RECEIVE_TIMEOUT: Shape::Dword)
        .query(QUERY, Get::Setting(|s| s.timeouts.receive))
        .set(SET, Put::Setting(|s, value| s.timeouts.receive = value))
        .inherited(),
    option!(WINHTTP_OPTION_RECEIVE_RESPONSE_TIMEOUT: Shape::Dword)
        .query(QUERY, Get::Setting(|s| s.timeouts.response_as_read()))
        .set(SET, Put::Setting(|s, value| s.timeouts.response = Some(value)))
        .inherited()
        .note("Reads as the greater one of itself and RECEIVE_TIMEOUT; 90 seconds until it is set."),
];
