//! The status numbers of the callback: their names, and which of them end an operation.

use std::fmt;

use crate::win32::*;

/// A `WINHTTP_CALLBACK_STATUS_*` number: open, so that any value survives.
///
/// ```
/// use portable_winhttp::{record::Status, win32::WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE};
/// let status = Status(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
/// assert_eq!((status.to_string().as_str(), status.is_completion()), ("HEADERS_AVAILABLE", true));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Status(pub u32);

const PREFIX: &str = "WINHTTP_CALLBACK_STATUS_";

macro_rules! statuses {
    (progress: $($progress:ident)* ; completions: $($completion:ident)*) => {
        impl Status {
            /// Every status that has a name: the progress statuses, then the completions.
            pub const ALL: &[Status] = &[$(Status($progress),)* $(Status($completion),)*];

            /// Windows' name of the number, without `WINHTTP_CALLBACK_STATUS_`.
            pub fn name(self) -> Option<&'static str> {
                let constant = match self.0 {
                    $($progress => stringify!($progress),)*
                    $($completion => stringify!($completion),)*
                    _ => return None,
                };
                constant.strip_prefix(PREFIX)
            }

            /// Whether the status ends an asynchronous operation, well or not.
            pub const fn is_completion(self) -> bool {
                matches!(self.0, $($completion)|*)
            }
        }
    };
}

statuses! {
    progress:
        WINHTTP_CALLBACK_STATUS_RESOLVING_NAME
        WINHTTP_CALLBACK_STATUS_NAME_RESOLVED
        WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER
        WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER
        WINHTTP_CALLBACK_STATUS_SENDING_REQUEST
        WINHTTP_CALLBACK_STATUS_REQUEST_SENT
        WINHTTP_CALLBACK_STATUS_RECEIVING_RESPONSE
        WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED
        WINHTTP_CALLBACK_STATUS_CLOSING_CONNECTION
        WINHTTP_CALLBACK_STATUS_CONNECTION_CLOSED
        WINHTTP_CALLBACK_STATUS_HANDLE_CREATED
        WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING
        WINHTTP_CALLBACK_STATUS_DETECTING_PROXY
        WINHTTP_CALLBACK_STATUS_REDIRECT
        WINHTTP_CALLBACK_STATUS_INTERMEDIATE_RESPONSE
        WINHTTP_CALLBACK_STATUS_SECURE_FAILURE;
    completions:
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE
        WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE
        WINHTTP_CALLBACK_STATUS_READ_COMPLETE
        WINHTTP_CALLBACK_STATUS_WRITE_COMPLETE
        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE
        WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE
        WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE
        WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE
        WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE
        WINHTTP_CALLBACK_STATUS_SETTINGS_WRITE_COMPLETE
        WINHTTP_CALLBACK_STATUS_SETTINGS_READ_COMPLETE
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "STATUS_({})", self.0),
        }
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
