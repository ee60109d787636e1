//! Windows' error numbers, with their names and texts.

use std::fmt;

/// A Win32 error code: an open number, so that any value a caller invents survives.
///
/// ```
/// use portable_winhttp::win32::ERROR_WINHTTP_CANNOT_CONNECT;
/// assert_eq!(ERROR_WINHTTP_CANNOT_CONNECT.0, 12029);
/// assert!(ERROR_WINHTTP_CANNOT_CONNECT.to_string().starts_with("ERROR_WINHTTP_CANNOT_CONNECT (12029): "));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, thiserror::Error)]
#[error("{} ({}): {}", self.name().unwrap_or("unknown error"), self.0, self.text().unwrap_or("no text is known."))]
pub struct Win32Error(pub u32);

impl From<u32> for Win32Error {
    fn from(number: u32) -> Win32Error {
        Win32Error(number)
    }
}

impl fmt::Debug for Win32Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}({})", self.0),
            None => write!(f, "Win32Error({})", self.0),
        }
    }
}

macro_rules! errors {
    ($($name:ident = $value:literal, $text:literal;)*) => {
        $(#[doc = $text] pub const $name: Win32Error = Win32Error($value);)*

        /// Every error that has a name here, in the order of the numbers.
        pub const ALL: &[Win32Error] = &[$($name),*];

        impl Win32Error {
            /// Windows' name of the number.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// What it means, in one sentence.
            pub const fn text(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }

            /// The error with this name, as Windows spells it.
            pub fn from_name(name: &str) -> Option<Win32Error> {
                match name {
                    $(stringify!($name) => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

errors! {
    ERROR_SUCCESS = 0, "Success (same value as ERROR_SUCCESS).";
    ERROR_FILE_NOT_FOUND = 2, "No Internet Explorer proxy settings exist.";
    ERROR_PATH_NOT_FOUND = 3, "A folder of the path is not there.";
    ERROR_ACCESS_DENIED = 5, "SECURE_DEFAULTS session: attempt to weaken TLS or to use plain http.";
    ERROR_INVALID_HANDLE = 6, "Handle value unknown or already closed (also children of a closed parent, per hinternet page).";
    ERROR_NOT_ENOUGH_MEMORY = 8, "Allocation failed.";
    ERROR_NO_MORE_FILES = 18, "Listed on the error page without an API.";
    ERROR_GEN_FAILURE = 31, "The system reports a failure that has no number here.";
    ERROR_SHARING_VIOLATION = 32, "The file is open in a way that does not go with this.";
    ERROR_NOT_SUPPORTED = 50, "Protocol stack or WinSock not available.";
    ERROR_FILE_EXISTS = 80, "The file is there already.";
    ERROR_INVALID_PARAMETER = 87, "Bad argument, wrong option for this handle, bad length, contradictory Content-Length.";
    ERROR_BROKEN_PIPE = 109, "The other end of the pipe is closed.";
    ERROR_CALL_NOT_IMPLEMENTED = 120, "This function is not there on this system.";
    ERROR_INSUFFICIENT_BUFFER = 122, "Buffer too small; needed size stored in the length argument.";
    ERROR_MOD_NOT_FOUND = 126, "No such library is known here.";
    ERROR_PROC_NOT_FOUND = 127, "The library has no function of this name.";
    ERROR_NEGATIVE_SEEK = 131, "The place would lie before the beginning of the file.";
    ERROR_ALREADY_EXISTS = 183, "An object of this name is there already.";
    ERROR_ENVVAR_NOT_FOUND = 203, "The process has no such variable.";
    ERROR_NO_MORE_ITEMS = 259, "Listed on the error page without an API.";
    ERROR_NOT_OWNER = 288, "The thread does not hold the mutex.";
    ERROR_TOO_MANY_POSTS = 298, "The semaphore would let more waiters go than its maximum.";
    ERROR_MR_MID_NOT_FOUND = 317, "No text is known for this number.";
    ERROR_IO_PENDING = 997, "DWORD style async call was accepted; observed as the GetLastError value after a TRUE return that completes on another thread.";
    ERROR_INVALID_FLAGS = 1004, "A flag is unknown or does not go with another.";
    ERROR_NO_UNICODE_TRANSLATION = 1113, "A character has no form in the other encoding.";
    ERROR_TIMEOUT = 1460, "The time of a wait is over.";
    ERROR_INVALID_OPERATION = 4317, "Operation not allowed in this state (websocket already closing, same-side operation pending, no close frame yet; porting page: second async operation on a request).";
    ERROR_WINHTTP_OUT_OF_HANDLES = 12001, "Handle table exhausted; retired code.";
    ERROR_WINHTTP_TIMEOUT = 12002, "A configured or TCP-level time limit ran out.";
    ERROR_WINHTTP_INTERNAL_ERROR = 12004, "Unexpected failure inside the library.";
    ERROR_WINHTTP_INVALID_URL = 12005, "URL is malformed or refused (for example user:password rejected).";
    ERROR_WINHTTP_UNRECOGNIZED_SCHEME = 12006, "Scheme is neither http nor https.";
    ERROR_WINHTTP_NAME_NOT_RESOLVED = 12007, "Host name lookup failed.";
    ERROR_WINHTTP_INVALID_OPTION = 12009, "Unknown option id, or option not enabled (global creds without the registry value).";
    ERROR_WINHTTP_OPTION_NOT_SETTABLE = 12011, "Option is query only.";
    ERROR_WINHTTP_SHUTDOWN = 12012, "Library is being unloaded.";
    ERROR_WINHTTP_LOGIN_FAILURE = 12015, "Authentication did not succeed; the request handle must be closed and a new one made before a retry.";
    ERROR_WINHTTP_OPERATION_CANCELLED = 12017, "The operation was abandoned, normally because its handle was closed (or WebSocketClose cancelled a receive).";
    ERROR_WINHTTP_INCORRECT_HANDLE_TYPE = 12018, "Call or option does not fit this kind of handle.";
    ERROR_WINHTTP_INCORRECT_HANDLE_STATE = 12019, "Right kind of handle, wrong moment (not sent yet, already sent, another operation pending).";
    ERROR_WINHTTP_CANNOT_CONNECT = 12029, "TCP connection could not be made.";
    ERROR_WINHTTP_CONNECTION_ERROR = 12030, "Connection reset, or closed in mid-handshake or mid-body; or no common TLS version.";
    ERROR_WINHTTP_RESEND_REQUEST = 12032, "Call SendRequest again on the same handle (auth leg, or retry needed).";
    ERROR_WINHTTP_SECURE_CERT_DATE_INVALID = 12037, "Certificate outside its validity period.";
    ERROR_WINHTTP_SECURE_CERT_CN_INVALID = 12038, "Certificate name does not match the host.";
    ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED = 12044, "Server asks for a client certificate and none was configured.";
    ERROR_WINHTTP_SECURE_INVALID_CA = 12045, "Chain ends at an untrusted root.";
    ERROR_WINHTTP_SECURE_CERT_REV_FAILED = 12057, "Revocation state unavailable.";
    ERROR_WINHTTP_CANNOT_CALL_BEFORE_OPEN = 12100, "COM method used before Open.";
    ERROR_WINHTTP_CANNOT_CALL_BEFORE_SEND = 12101, "COM method used before Send.";
    ERROR_WINHTTP_CANNOT_CALL_AFTER_SEND = 12102, "COM method used after Send.";
    ERROR_WINHTTP_CANNOT_CALL_AFTER_OPEN = 12103, "COM option used after Open.";
    ERROR_WINHTTP_HEADER_NOT_FOUND = 12150, "Header (or that occurrence of it) is absent.";
    ERROR_WINHTTP_INVALID_SERVER_RESPONSE = 12152, "Reply cannot be parsed as HTTP, or ended before its head was complete (also bad websocket frames).";
    ERROR_WINHTTP_INVALID_HEADER = 12153, "Header supplied is malformed; no page entry. AddRequestHeaders page gives ERROR_INVALID_PARAMETER for bad headers.";
    ERROR_WINHTTP_INVALID_QUERY_REQUEST = 12154, "Retired.";
    ERROR_WINHTTP_HEADER_ALREADY_EXISTS = 12155, "Retired.";
    ERROR_WINHTTP_REDIRECT_FAILED = 12156, "Redirect limit exceeded or scheme change not allowed.";
    ERROR_WINHTTP_SECURE_CHANNEL_ERROR = 12157, "TLS library (SChannel) error.";
    ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT = 12166, "PAC script failed while running.";
    ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT = 12167, "PAC file could not be fetched.";
    ERROR_WINHTTP_SECURE_INVALID_CERT = 12169, "Certificate is invalid.";
    ERROR_WINHTTP_SECURE_CERT_REVOKED = 12170, "Certificate revoked.";
    ERROR_WINHTTP_NOT_INITIALIZED = 12172, "Retired.";
    ERROR_WINHTTP_SECURE_FAILURE = 12175, "Server certificate rejected; detail bits arrive in the SECURE_FAILURE callback.";
    ERROR_WINHTTP_UNHANDLED_SCRIPT_TYPE = 12176, "PAC content type or language not supported.";
    ERROR_WINHTTP_SCRIPT_EXECUTION_ERROR = 12177, "Script run failed.";
    ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR = 12178, "Automatic proxy lookup gave no usable answer.";
    ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE = 12179, "Certificate not meant for this use.";
    ERROR_WINHTTP_AUTODETECTION_FAILED = 12180, "WPAD found no PAC URL.";
    ERROR_WINHTTP_HEADER_COUNT_EXCEEDED = 12181, "Reply carries too many headers.";
    ERROR_WINHTTP_HEADER_SIZE_OVERFLOW = 12182, "Reply headers exceed MAX_RESPONSE_HEADER_SIZE.";
    ERROR_WINHTTP_CHUNKED_ENCODING_HEADER_SIZE_OVERFLOW = 12183, "Chunk header or extension too long.";
    ERROR_WINHTTP_RESPONSE_DRAIN_OVERFLOW = 12184, "Unread body larger than MAX_RESPONSE_DRAIN_SIZE (or another internal size limit).";
    ERROR_WINHTTP_CLIENT_CERT_NO_PRIVATE_KEY = 12185, "Client certificate has no private key.";
    ERROR_WINHTTP_CLIENT_CERT_NO_ACCESS_PRIVATE_KEY = 12186, "Private key of the client certificate is not readable by this process.";
    ERROR_WINHTTP_CLIENT_AUTH_CERT_NEEDED_PROXY = 12187, "Same as 12044 but for a TLS proxy.";
    ERROR_WINHTTP_SECURE_FAILURE_PROXY = 12188, "Same as 12175 but for a TLS proxy.";
    ERROR_WINHTTP_RESERVED_189 = 12189, "Reserved slot.";
    ERROR_WINHTTP_HTTP_PROTOCOL_MISMATCH = 12190, "Required HTTP version (WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED) was not negotiated.";
    ERROR_WINHTTP_GLOBAL_CALLBACK_FAILED = 12191, "Internal global-callback hook failed; not for applications.";
    ERROR_WINHTTP_FEATURE_DISABLED = 12192, "Feature switched off by policy.";
    ERROR_WINHTTP_FAST_FORWARDING_NOT_SUPPORTED = 12193, "Fast-forwarding of the response is not possible here.";
}
