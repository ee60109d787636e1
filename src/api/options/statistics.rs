//! What was measured.

use super::row::*;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_REQUEST_TIMES: Shape::Struct("WINHTTP_REQUEST_TIMES", size_of::<WINHTTP_REQUEST_TIMES>()))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_REQUEST_STATS: Shape::Struct("WINHTTP_REQUEST_STATS", size_of::<WINHTTP_REQUEST_STATS>()))
        .absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_CONNECTION_STATS_V0: Shape::Struct("TCP_INFO_v0", 88)).absent(REQUEST, 0, "Not here yet."),
    option!(WINHTTP_OPTION_CONNECTION_STATS_V1: Shape::Struct("TCP_INFO_v1", 136)).absent(REQUEST, 0, "Not here yet."),
];
