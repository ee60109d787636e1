//! The status callback, typed: one variant per status and documented payload (source notify.payload).

use super::{AsyncResult, Status};
use crate::win32::*;

/// One status callback: what happened, with the payload that belongs to it.
///
/// `status`, `payload` and `from_payload` agree: `from_payload(n.status(), n.payload()) == n` for every notification
/// that has a variant of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Notification {
    /// A host name is about to be resolved.
    ResolvingName {
        /// The name that is looked up.
        host: Wide,
    },
    /// The host name was resolved.
    NameResolved {
        /// The address as text, `127.0.0.1`.
        address: Wide,
    },
    /// A connection is about to be made.
    ConnectingToServer {
        /// The address as text.
        address: Wide,
    },
    /// The connection was made.
    ConnectedToServer {
        /// The address as text.
        address: Wide,
    },
    /// The request is about to be sent.
    SendingRequest,
    /// The request was sent.
    RequestSent {
        /// Bytes of the head and of the optional data, without later WinHttpWriteData.
        bytes: u32,
    },
    /// WinHTTP begins to wait for the reply.
    ReceivingResponse,
    /// The head of the reply is there.
    ResponseReceived {
        /// Bytes received so far for this reply.
        bytes: u32,
    },
    /// The connection is about to be closed.
    ClosingConnection,
    /// The connection was closed.
    ConnectionClosed,
    /// A connection, request or web socket handle was made.
    HandleCreated {
        /// The new handle.
        handle: usize,
    },
    /// The handle is gone: the last notification for it.
    HandleClosing {
        /// The handle that was destroyed.
        handle: usize,
    },
    /// The proxy is being looked for.
    DetectingProxy,
    /// The request follows a redirect.
    Redirect {
        /// Where to.
        url: Wide,
    },
    /// A 1xx reply came before the final one.
    IntermediateResponse {
        /// The HTTP status code, 100 to 199.
        status: u32,
    },
    /// The server's certificate was refused.
    SecureFailure {
        /// `WINHTTP_CALLBACK_STATUS_FLAG_*` bits.
        flags: u32,
    },
    /// WinHttpReceiveResponse is complete.
    HeadersAvailable,
    /// WinHttpQueryDataAvailable is complete.
    DataAvailable {
        /// Bytes that can be read; 0 at the end of the body.
        bytes: u32,
    },
    /// WinHttpReadData is complete.
    ReadComplete {
        /// Address of the caller's buffer.
        buffer: usize,
        /// Bytes read into it; 0 at the end of the body.
        bytes: u32,
    },
    /// WinHttpWriteData is complete.
    WriteComplete {
        /// Bytes written.
        bytes: u32,
    },
    /// An operation of a request or a resolver failed.
    RequestError(AsyncResult),
    /// An operation of a web socket failed.
    WebSocketError {
        /// `AsyncResult`.
        result: AsyncResult,
        /// `Operation`: `WINHTTP_WEB_SOCKET_*_OPERATION`.
        operation: i32,
    },
    /// WinHttpSendRequest is complete.
    SendRequestComplete {
        /// lpOptional, as an address; 0 for NULL.
        optional: usize,
        /// dwOptionalLength
        bytes: u32,
    },
    /// WinHttpGetProxyForUrlEx is complete.
    GetProxyForUrlComplete,
    /// WinHttpWebSocketClose is complete.
    CloseComplete,
    /// WinHttpWebSocketShutdown is complete.
    ShutdownComplete,
    /// WinHttpWebSocketReceive is complete.
    WebSocketReadComplete {
        /// Bytes received.
        bytes: u32,
        /// `WINHTTP_WEB_SOCKET_*_BUFFER_TYPE`.
        buffer_type: i32,
    },
    /// WinHttpWebSocketSend is complete.
    WebSocketWriteComplete {
        /// Bytes sent.
        bytes: u32,
        /// `WINHTTP_WEB_SOCKET_*_BUFFER_TYPE`.
        buffer_type: i32,
    },
    /// WinHttpGetProxySettingsEx is complete.
    GetProxySettingsComplete,
    /// WinHttpReadProxySettings is complete.
    SettingsReadComplete,
    /// WinHttpWriteProxySettings is complete.
    SettingsWriteComplete,
    /// A status without a name, or a payload that its status does not document.
    Other {
        /// The status number.
        status: u32,
        /// What came with it.
        payload: Payload,
    },
}

/// Each row reads both ways: `[payload]` is the pattern that makes the variant and the expression that it gives back.
macro_rules! variants {
    ($($variant:ident $({ $($field:ident),* })? = $status:ident [$($payload:tt)*];)*) => {
        impl Notification {
            /// The `WINHTTP_CALLBACK_STATUS_*` number.
            pub fn status(&self) -> u32 {
                match self {
                    $(Notification::$variant { .. } => $status,)*
                    Notification::SendRequestComplete { .. } => WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE,
                    Notification::RequestError(_) | Notification::WebSocketError { .. } => {
                        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR
                    }
                    Notification::Other { status, .. } => *status,
                }
            }

            /// The information that crosses the boundary.
            pub fn payload(&self) -> Payload {
                match self.clone() {
                    $(Notification::$variant $({ $($field),* })? => $($payload)*,)*
                    // NULL and 0, where there is no lpOptional, have no shape of their own.
                    Notification::SendRequestComplete { optional: 0, bytes: 0 } => Payload::None,
                    Notification::SendRequestComplete { optional, bytes } => {
                        Payload::Buffer { address: optional, length: bytes }
                    }
                    Notification::RequestError(result) => result.payload(),
                    Notification::WebSocketError { result: AsyncResult { api, error }, operation } => {
                        Payload::WebSocketAsyncResult { api: api.0 as usize, error: error.0, operation }
                    }
                    Notification::Other { payload, .. } => payload,
                }
            }

            /// The notification that `status` and `payload` document together, else [`Notification::Other`].
            ///
            /// [`Payload::read`] cannot tell a web socket's READ_COMPLETE from a request's, and gives the
            /// [`Payload::Buffer`] of a request. Who knows that the handle is a web socket passes
            /// [`Payload::WebSocketStatus`] instead, or builds [`Notification::WebSocketReadComplete`].
            pub fn from_payload(status: u32, payload: Payload) -> Notification {
                let documented = match (status, payload.clone()) {
                    $(($status, $($payload)*) => Some(Notification::$variant $({ $($field),* })?),)*
                    (WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, Payload::None) => {
                        Some(Notification::SendRequestComplete { optional: 0, bytes: 0 })
                    }
                    (WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE, Payload::Buffer { address, length }) => {
                        Some(Notification::SendRequestComplete { optional: address, bytes: length })
                    }
                    (WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, Payload::AsyncResult { api, error }) => {
                        AsyncResult::from_fields(api, error).map(Notification::RequestError)
                    }
                    (
                        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR,
                        Payload::WebSocketAsyncResult { api, error, operation },
                    ) => AsyncResult::from_fields(api, error)
                        .map(|result| Notification::WebSocketError { result, operation }),
                    _ => None,
                };
                documented.unwrap_or(Notification::Other { status, payload })
            }
        }
    };
}

variants! {
    ResolvingName { host } = WINHTTP_CALLBACK_STATUS_RESOLVING_NAME [Payload::Text(host)];
    NameResolved { address } = WINHTTP_CALLBACK_STATUS_NAME_RESOLVED [Payload::Text(address)];
    ConnectingToServer { address } = WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER [Payload::Text(address)];
    ConnectedToServer { address } = WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER [Payload::Text(address)];
    SendingRequest = WINHTTP_CALLBACK_STATUS_SENDING_REQUEST [Payload::None];
    RequestSent { bytes } = WINHTTP_CALLBACK_STATUS_REQUEST_SENT [Payload::Dword(bytes)];
    ReceivingResponse = WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE [Payload::None];
    ResponseReceived { bytes } = WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED [Payload::Dword(bytes)];
    ClosingConnection = WINHTTP_CALLBACK_STATUS_CLOSING_CONNECTION [Payload::None];
    ConnectionClosed = WINHTTP_CALLBACK_STATUS_CONNECTION_CLOSED [Payload::None];
    HandleCreated { handle } = WINHTTP_CALLBACK_STATUS_HANDLE_CREATED [Payload::Handle(handle)];
    HandleClosing { handle } = WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING [Payload::Handle(handle)];
    DetectingProxy = WINHTTP_CALLBACK_STATUS_DETECTING_PROXY [Payload::None];
    Redirect { url } = WINHTTP_CALLBACK_STATUS_REDIRECT [Payload::Text(url)];
    IntermediateResponse { status } = WINHTTP_CALLBACK_STATUS_INTERMEDIATE_RESPONSE [Payload::Dword(status)];
    SecureFailure { flags } = WINHTTP_CALLBACK_STATUS_SECURE_FAILURE [Payload::Dword(flags)];
    HeadersAvailable = WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE [Payload::None];
    DataAvailable { bytes } = WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE [Payload::Dword(bytes)];
    ReadComplete { buffer, bytes } = WINHTTP_CALLBACK_STATUS_READ_COMPLETE
        [Payload::Buffer { address: buffer, length: bytes }];
    WriteComplete { bytes } = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE [Payload::Dword(bytes)];
    GetProxyForUrlComplete = WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE [Payload::None];
    CloseComplete = WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE [Payload::None];
    ShutdownComplete = WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE [Payload::None];
    WebSocketReadComplete { bytes, buffer_type } = WINHTTP_CALLBACK_STATUS_READ_COMPLETE
        [Payload::WebSocketStatus { bytes, buffer_type }];
    WebSocketWriteComplete { bytes, buffer_type } = WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE
        [Payload::WebSocketStatus { bytes, buffer_type }];
    GetProxySettingsComplete = WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE [Payload::None];
    SettingsReadComplete = WINHTTP_CALLBACK_STATUS_SETTINGS_READ_COMPLETE [Payload::None];
    SettingsWriteComplete = WINHTTP_CALLBACK_STATUS_SETTINGS_WRITE_COMPLETE [Payload::None];
}

impl Notification {
    /// Windows' name of the status without `WINHTTP_CALLBACK_STATUS_`: `SENDREQUEST_COMPLETE`; `UNKNOWN` for a
    /// number that Windows does not name.
    pub fn name(&self) -> &'static str {
        Status(self.status()).name().unwrap_or("UNKNOWN")
    }

    /// Whether a redirect is followed when its callback has returned.
    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self, Notification::Redirect { .. })
    }

    /// Whether it ends an asynchronous operation, well or not.
    pub fn is_completion(&self) -> bool {
        Status(self.status()).is_completion()
    }
}
