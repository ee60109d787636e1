//! What can be pending on a handle.

use std::fmt;

use super::{Api, AsyncResult, Notification};
use crate::win32::{
    WINHTTP_WEB_SOCKET_CLOSE_OPERATION, WINHTTP_WEB_SOCKET_RECEIVE_OPERATION, WINHTTP_WEB_SOCKET_SEND_OPERATION,
    WINHTTP_WEB_SOCKET_SHUTDOWN_OPERATION, Win32Error,
};

/// An operation of a handle: it is started by a call and ends once, with its completion or with REQUEST_ERROR.
///
/// ```
/// use portable_winhttp::record::{Api, Operation, WebSocketOperation};
/// assert_eq!(Operation::from(Api::READ_DATA).to_string(), "API_READ_DATA");
/// assert_eq!(Operation::from(WebSocketOperation::Close).to_string(), "WINHTTP_WEB_SOCKET_CLOSE_OPERATION");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// Of a request or a resolver.
    Api(Api),
    /// Of a web socket.
    WebSocket(WebSocketOperation),
}

/// An operation of a web socket, as `WINHTTP_WEB_SOCKET_ASYNC_RESULT.Operation` numbers it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(i32)]
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
    /// The notification that it ends with: its completion, else REQUEST_ERROR in the shape of its handle (semantics
    /// 1.1, 7.5: `dwResult` of a web socket is 0).
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
