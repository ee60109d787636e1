//! Web sockets.

use super::row::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET: Shape::Nothing).absent(0, REQUEST, "Not here yet."),
    option!(WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT: Shape::Dword).absent(WEB_SOCKET, WEB_SOCKET, "Not here yet."),
    option!(WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL: Shape::Dword).absent(WEB_SOCKET, WEB_SOCKET, "Not here yet."),
    option!(WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE: Shape::Dword).absent(
        SESSION | REQUEST,
        SESSION | REQUEST,
        "Not here yet.",
    ),
    option!(WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE: Shape::Dword).absent(
        SESSION | REQUEST,
        SESSION | REQUEST,
        "Not here yet.",
    ),
];
