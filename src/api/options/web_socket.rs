//! Web sockets.

use super::row::*;
use crate::machine::WebSocketSettings;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET: Shape::Nothing)
        .set(REQUEST, Put::To(|subject, _| subject.settings(|settings| settings.web_socket = true)))
        .default_setting(|s| s.web_socket.into()),
    option!(WINHTTP_OPTION_WEB_SOCKET_CLOSE_TIMEOUT: Shape::Dword)
        .query(WEB_SOCKET, Get::Of(|subject| Ok(Value::Dword(settings(subject)?.close_timeout))))
        .set(WEB_SOCKET, Put::To(|subject, given| change(subject, |settings| settings.close_timeout = given.dword())))
        .default_made(|| WebSocketSettings::default().close_timeout.to_string()),
    option!(WINHTTP_OPTION_WEB_SOCKET_KEEPALIVE_INTERVAL: Shape::Dword)
        .set(WEB_SOCKET, Put::To(set_keep_alive))
        .strict()
        .default_made(|| WebSocketSettings::default().keep_alive.to_string())
        .note("Microsoft's table says that it can be queried; Windows answers 87."),
    option!(WINHTTP_OPTION_WEB_SOCKET_RECEIVE_BUFFER_SIZE: Shape::Dword)
        .query(SESSION | REQUEST, Get::Setting(|settings| settings.web_socket_receive_buffer))
        .set(SESSION | REQUEST, Put::Setting(|settings, value| settings.web_socket_receive_buffer = value))
        .inherited(),
    option!(WINHTTP_OPTION_WEB_SOCKET_SEND_BUFFER_SIZE: Shape::Dword)
        .query(SESSION | REQUEST, Get::Setting(|settings| settings.web_socket_send_buffer))
        .set(SESSION | REQUEST, Put::Setting(|settings, value| settings.web_socket_send_buffer = value))
        .inherited()
        .note("Below 16 the SendRequest that asks for a web socket fails with 8."),
];

fn settings(subject: &Subject) -> Result<WebSocketSettings, Win32Error> {
    Ok(subject.handle()?.as_web_socket()?.with(|machine| machine.settings()))
}

fn change(subject: &Subject, change: impl FnOnce(&mut WebSocketSettings)) -> Result<(), Win32Error> {
    let mut settings = settings(subject)?;
    change(&mut settings);
    subject.handle()?.set_web_socket(settings)
}

fn set_keep_alive(subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
    let interval = given.dword();
    if interval < WINHTTP_WEB_SOCKET_MIN_KEEPALIVE_VALUE {
        return Err(ERROR_INVALID_PARAMETER);
    }
    change(subject, |settings| settings.keep_alive = interval)
}
