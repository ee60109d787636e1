//! Which operation failed, and why: `WINHTTP_ASYNC_RESULT`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::win32::{
    API_GET_PROXY_FOR_URL, API_GET_PROXY_SETTINGS, API_QUERY_DATA_AVAILABLE, API_READ_DATA, API_RECEIVE_RESPONSE,
    API_SEND_REQUEST, API_WRITE_DATA, Payload, Win32Error,
};

/// An asynchronous operation, as `WINHTTP_ASYNC_RESULT.dwResult` numbers it: an open number, because web sockets
/// report 0 (source notify.web-socket).
///
/// ```
/// use portable_winhttp::record::Api;
/// assert_eq!(Api::SEND_REQUEST.to_string(), "API_SEND_REQUEST");
/// assert_eq!(Api(99).to_string(), "API_(99)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Api(pub u32);

macro_rules! apis {
    ($($name:ident = $constant:ident, $function:literal;)*) => {
        impl Api {
            $(#[doc = concat!("`", $function, "`.")] pub const $name: Api = Api($constant);)*

            /// Every API that has a name, in the order of the numbers.
            pub const ALL: &[Api] = &[$(Api::$name),*];

            /// Windows' name of the number.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($constant => Some(stringify!($constant)),)*
                    _ => None,
                }
            }

            /// The function that begins it.
            pub const fn function(self) -> Option<&'static str> {
                match self.0 {
                    $($constant => Some($function),)*
                    _ => None,
                }
            }
        }
    };
}

apis! {
    RECEIVE_RESPONSE = API_RECEIVE_RESPONSE, "WinHttpReceiveResponse";
    QUERY_DATA_AVAILABLE = API_QUERY_DATA_AVAILABLE, "WinHttpQueryDataAvailable";
    READ_DATA = API_READ_DATA, "WinHttpReadData";
    WRITE_DATA = API_WRITE_DATA, "WinHttpWriteData";
    SEND_REQUEST = API_SEND_REQUEST, "WinHttpSendRequest";
    GET_PROXY_FOR_URL = API_GET_PROXY_FOR_URL, "WinHttpGetProxyForUrlEx";
    GET_PROXY_SETTINGS = API_GET_PROXY_SETTINGS, "WinHttpGetProxySettingsEx";
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "API_({})", self.0),
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The failure of an asynchronous operation: the information of REQUEST_ERROR (source notify.payload).
///
/// ```
/// use portable_winhttp::{record::{Api, AsyncResult}, win32::ERROR_WINHTTP_CANNOT_CONNECT};
/// let result = AsyncResult { api: Api::SEND_REQUEST, error: ERROR_WINHTTP_CANNOT_CONNECT };
/// assert_eq!(result.to_string(), "{API_SEND_REQUEST, ERROR_WINHTTP_CANNOT_CONNECT (12029)}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsyncResult {
    /// `dwResult`: the operation that failed.
    pub api: Api,
    /// `dwError`: why.
    pub error: Win32Error,
}

impl AsyncResult {
    /// Reads the two fields of the structure; `None` when `dwResult` is larger than any API id can be.
    pub fn from_fields(api: usize, error: u32) -> Option<AsyncResult> {
        let api = u32::try_from(api).ok()?;
        Some(AsyncResult { api: Api(api), error: Win32Error(error) })
    }

    /// The structure as it crosses the boundary.
    pub fn payload(self) -> Payload {
        Payload::AsyncResult { api: self.api.0 as usize, error: self.error.0 }
    }
}

impl fmt::Display for AsyncResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}, {}}}", self.api, brief(self.error))
    }
}

/// Name and number of an error, without its sentence.
pub(super) fn brief(error: Win32Error) -> String {
    format!("{} ({})", error.name().unwrap_or("unknown error"), error.0)
}
