//! A notification as a trace keeps it: names and text instead of numbers and addresses.

use serde::{Deserialize, Serialize};

use super::{AsyncResult, Names, Notification, Status};
use crate::win32::*;

/// What a notification said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Which status.
    pub status: Status,
    /// Its payload for people: `127.0.0.1`, `74 bytes`, `R1`, `buf1, 12 bytes`; `None` if it has none, or only a
    /// [`result`](Record::result).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Of REQUEST_ERROR: the operation and its error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<AsyncResult>,
}

impl Record {
    /// Reads a notification; `names` stand for its addresses.
    pub fn new(notification: &Notification, names: &mut Names) -> Record {
        let result = match notification {
            Notification::RequestError(result) | Notification::WebSocketError { result, .. } => Some(*result),
            _ => None,
        };
        Record { status: Status(notification.status()), value: value(notification, names), result }
    }
}

fn value(notification: &Notification, names: &mut Names) -> Option<String> {
    let text = match notification {
        Notification::IntermediateResponse { status } => format!("status {status}"),
        Notification::SecureFailure { flags } => secure_failure(*flags),
        Notification::WebSocketError { operation, .. } => format!("operation {}", web_socket_operation(*operation)),
        Notification::Other { payload, .. } => return undocumented(payload, names),
        Notification::RequestError(_) => return None,
        other => match other.payload() {
            Payload::Text(text) => super::url(&text.to_string()),
            Payload::Dword(count) => bytes(count),
            Payload::Handle(handle) => names.handle(handle),
            Payload::Buffer { address, length } => format!("{}, {}", names.buffer(address), bytes(length)),
            Payload::WebSocketStatus { bytes: count, buffer_type: kind } => {
                format!("{}, {}", bytes(count), buffer_type(kind))
            }
            _ => return None,
        },
    };
    Some(text)
}

/// The payload of [`Notification::Other`], with its shape, because the status does not tell it.
fn undocumented(payload: &Payload, names: &mut Names) -> Option<String> {
    Some(match payload {
        Payload::None => return None,
        Payload::Dword(value) => format!("DWORD {value}"),
        Payload::Text(text) => format!("text {text:?}"),
        Payload::Handle(handle) => format!("handle {}", names.handle(*handle)),
        Payload::Buffer { address, length } => format!("{}, {}", names.buffer(*address), bytes(*length)),
        Payload::AsyncResult { api, error } => format!("dwResult {api}, dwError {error}"),
        Payload::WebSocketAsyncResult { api, error, operation } => {
            format!("dwResult {api}, dwError {error}, operation {}", web_socket_operation(*operation))
        }
        Payload::WebSocketStatus { bytes: count, buffer_type: kind } => {
            format!("{}, {}", bytes(*count), buffer_type(*kind))
        }
        Payload::Unknown { address: 0, length } => format!("NULL, length {length}"),
        Payload::Unknown { length, .. } => format!("unknown information, length {length}"),
    })
}

fn bytes(count: u32) -> String {
    format!("{count} {}", if count == 1 { "byte" } else { "bytes" })
}

/// `INVALID_CA | CERT_CN_INVALID`; bits without a name as one hexadecimal number.
fn secure_failure(flags: u32) -> String {
    const NAMES: [(u32, &str); 8] = [
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, "CERT_REV_FAILED"),
        (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT, "INVALID_CERT"),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED, "CERT_REVOKED"),
        (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, "INVALID_CA"),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, "CERT_CN_INVALID"),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, "CERT_DATE_INVALID"),
        (WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, "CERT_WRONG_USAGE"),
        (WINHTTP_CALLBACK_STATUS_FLAG_SECURITY_CHANNEL_ERROR, "SECURITY_CHANNEL_ERROR"),
    ];
    let known = NAMES.iter().filter(|(bit, _)| flags & bit != 0);
    let rest = flags & !NAMES.iter().fold(0, |all, (bit, _)| all | bit);
    let mut words: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
    if rest != 0 || words.is_empty() {
        words.push(format!("{rest:#x}"));
    }
    words.join(" | ")
}

fn web_socket_operation(operation: i32) -> String {
    match operation {
        WINHTTP_WEB_SOCKET_SEND_OPERATION => "SEND".into(),
        WINHTTP_WEB_SOCKET_RECEIVE_OPERATION => "RECEIVE".into(),
        WINHTTP_WEB_SOCKET_CLOSE_OPERATION => "CLOSE".into(),
        WINHTTP_WEB_SOCKET_SHUTDOWN_OPERATION => "SHUTDOWN".into(),
        other => other.to_string(),
    }
}

fn buffer_type(kind: i32) -> String {
    match kind {
        WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE => "BINARY_MESSAGE".into(),
        WINHTTP_WEB_SOCKET_BINARY_FRAGMENT_BUFFER_TYPE => "BINARY_FRAGMENT".into(),
        WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE => "UTF8_MESSAGE".into(),
        WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE => "UTF8_FRAGMENT".into(),
        WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE => "CLOSE".into(),
        other => format!("buffer type {other}"),
    }
}
