//! What can be pending on a handle.

use std::fmt;

use super::{Api, AsyncResult, Notification};
use crate::win32::{
    WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE, WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE,
    WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE,
    WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE, WINHTTP_CALLBACK_STATUS_READ_COMPLETE,
    WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE,
    WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE, WINHTTP_WEB_SOCKET_CLOSE_OPERATION, WINHTTP_WEB_SOCKET_RECEIVE_OPERATION,
    WINHTTP_WEB_SOCKET_SEND_OPERATION, WINHTTP_WEB_SOCKET_SHUTDOWN_OPERATION, Win32Error,
};

/// An operation of a handle: it is started by a call and ends once, with its completion or with REQUEST_ERROR.
///
/// ```
/// use portable_winhttp::record::{Api, Operation, WebSocketOperation};
/// assert_eq!(Operation::from(Api::READ_DATA).to_string(), "API_READ_DATA");
/// assert_eq!(Operation::from(WebSocketOperation::Close).to_string(), "WINHTTP_WEB_SOCKET_CLOSE_OPERATION");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Operation {
    /// Of a request or a resolver.
    Api(Api),
    /// Of a web socket.
    WebSocket(WebSocketOperation),
}

/// An operation of a web socket, as `WINHTTP_WEB_SOCKET_ASYNC_RESULT.Operation` numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i32)]
#[non_exhaustive]
pub enum WebSocketOperation {
    /// `WinHttpWebSocketSend`.
    Send = WINHTTP_WEB_SOCKET_SEND_OPERATION,
    /// `WinHttpWebSocketReceive`.
    Receive = WINHTTP_WEB_SOCKET_RECEIVE_OPERATION,
    /// `WinHttpWebSocketClose`.
    Close = WINHTTP_WEB_SOCKET_CLOSE_OPERATION,
    /// `WinHttpWebSocketShutdown`.
    Shutdown = WINHTTP_WEB_SOCKET_SHUTDOWN_OPERATION,
}

impl WebSocketOperation {
    /// Every operation, in the order of the numbers.
    pub const ALL: [WebSocketOperation; 4] = [
        WebSocketOperation::Send,
        WebSocketOperation::Receive,
        WebSocketOperation::Close,
        WebSocketOperation::Shutdown,
    ];

    /// Windows' name of the number.
    pub const fn name(self) -> &'static str {
        match self {
            WebSocketOperation::Send => "WINHTTP_WEB_SOCKET_SEND_OPERATION",
            WebSocketOperation::Receive => "WINHTTP_WEB_SOCKET_RECEIVE_OPERATION",
            WebSocketOperation::Close => "WINHTTP_WEB_SOCKET_CLOSE_OPERATION",
            WebSocketOperation::Shutdown => "WINHTTP_WEB_SOCKET_SHUTDOWN_OPERATION",
        }
    }
}

impl Operation {
    /// The function that begins it.
    pub fn function(self) -> &'static str {
        match self {
            Operation::Api(api) => api.function().unwrap_or("an unknown function"),
            Operation::WebSocket(WebSocketOperation::Send) => "WinHttpWebSocketSend",
            Operation::WebSocket(WebSocketOperation::Receive) => "WinHttpWebSocketReceive",
            Operation::WebSocket(WebSocketOperation::Close) => "WinHttpWebSocketClose",
            Operation::WebSocket(WebSocketOperation::Shutdown) => "WinHttpWebSocketShutdown",
        }
    }

    /// Whether it is one of the write side; the others read.
    pub fn writes(self) -> bool {
        use WebSocketOperation::{Close, Send, Shutdown};
        matches!(
            self,
            Operation::Api(Api::SEND_REQUEST | Api::WRITE_DATA) | Operation::WebSocket(Send | Close | Shutdown)
        )
    }

    /// The status that tells of its success.
    pub fn completion(self) -> u32 {
        match self {
            Operation::Api(Api::SEND_REQUEST) => WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE,
            Operation::Api(Api::WRITE_DATA) => WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE,
            Operation::Api(Api::RECEIVE_RESPONSE) => WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE,
            Operation::Api(Api::QUERY_DATA_AVAILABLE) => WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE,
            Operation::Api(Api::GET_PROXY_FOR_URL) => WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE,
            Operation::Api(Api::GET_PROXY_SETTINGS) => WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE,
            Operation::Api(_) | Operation::WebSocket(WebSocketOperation::Receive) => {
                WINHTTP_CALLBACK_STATUS_READ_COMPLETE
            }
            Operation::WebSocket(WebSocketOperation::Send) => WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE,
            Operation::WebSocket(WebSocketOperation::Close) => WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE,
            Operation::WebSocket(WebSocketOperation::Shutdown) => WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE,
        }
    }

    /// The operation that a notification is the end of.
    pub fn ended_by(notification: &Notification) -> Option<Operation> {
        let web_socket = |number| WebSocketOperation::ALL.into_iter().find(|operation| *operation as i32 == number);
        Some(match notification {
            Notification::SendRequestComplete { .. } => Api::SEND_REQUEST.into(),
            Notification::WriteComplete { .. } => Api::WRITE_DATA.into(),
            Notification::HeadersAvailable => Api::RECEIVE_RESPONSE.into(),
            Notification::DataAvailable { .. } => Api::QUERY_DATA_AVAILABLE.into(),
            Notification::ReadComplete { .. } => Api::READ_DATA.into(),
            Notification::GetProxyForUrlComplete => Api::GET_PROXY_FOR_URL.into(),
            Notification::GetProxySettingsComplete => Api::GET_PROXY_SETTINGS.into(),
            Notification::RequestError(result) => result.api.into(),
            Notification::WebSocketReadComplete { .. } => WebSocketOperation::Receive.into(),
            Notification::WebSocketWriteComplete { .. } => WebSocketOperation::Send.into(),
            Notification::CloseComplete => WebSocketOperation::Close.into(),
            Notification::ShutdownComplete => WebSocketOperation::Shutdown.into(),
            Notification::WebSocketError { operation, .. } => web_socket(*operation)?.into(),
            _ => return None,
        })
    }

    /// The notification that it ends with: its completion, else REQUEST_ERROR in the shape of its handle
    /// (sources notify.payload, notify.web-socket: `dwResult` of a web socket is 0).
    pub fn ending(self, result: Result<Notification, Win32Error>) -> Notification {
        result.unwrap_or_else(|error| match self {
            Operation::Api(api) => Notification::RequestError(AsyncResult { api, error }),
            Operation::WebSocket(operation) => {
                Notification::WebSocketError { result: AsyncResult { api: Api(0), error }, operation: operation as i32 }
            }
        })
    }
}

impl From<Api> for Operation {
    fn from(api: Api) -> Operation {
        Operation::Api(api)
    }
}

impl From<WebSocketOperation> for Operation {
    fn from(operation: WebSocketOperation) -> Operation {
        Operation::WebSocket(operation)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Api(api) => api.fmt(f),
            Operation::WebSocket(operation) => f.write_str(operation.name()),
        }
    }
}
