//! Error: a code, and perhaps a text.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::TryFromIntError;
use std::string::{FromUtf8Error, FromUtf16Error};
use std::sync::Arc;

use super::HRESULT;

/// What functions answer that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// ERROR_INVALID_DATA
const INVALID_DATA: HRESULT = HRESULT::from_win32(13);
/// ERROR_NO_UNICODE_TRANSLATION
const NO_UNICODE_TRANSLATION: HRESULT = HRESULT::from_win32(1113);
/// E_UNEXPECTED
const UNEXPECTED: HRESULT = HRESULT(0x8000_FFFF_u32 as i32);

/// An [`HRESULT`] with, perhaps, a text; errors are compared by their code.
#[derive(Clone)]
pub struct Error {
    code: HRESULT,
    text: Option<Arc<str>>,
}

impl Error {
    /// An error without any information: code 0.
    pub const fn empty() -> Error {
        Error { code: HRESULT(0), text: None }
    }

    /// An error with a text; an empty one is none.
    pub fn new<T: AsRef<str>>(code: HRESULT, message: T) -> Error {
        let message = message.as_ref();
        Error { code, text: (!message.is_empty()).then(|| message.into()) }
    }

    /// An error with this code.
    pub fn from_hresult(code: HRESULT) -> Error {
        Error { code, text: None }
    }

    /// The last error of this thread.
    pub fn from_thread() -> Error {
        Error::from_hresult(HRESULT::from_thread())
    }

    /// Its code.
    pub const fn code(&self) -> HRESULT {
        self.code
    }

    /// Its text, else that of its code, else nothing.
    pub fn message(&self) -> String {
        self.text.as_deref().map_or_else(|| self.code.message(), str::to_owned)
    }
}

impl std::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("code", &self.code).field("message", &self.message()).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message().as_str() {
            "" => self.code.fmt(f),
            message => write!(f, "{message} ({})", self.code),
        }
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        self.code == other.code
    }
}

impl Eq for Error {}

impl PartialOrd for Error {
    fn partial_cmp(&self, other: &Error) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Error {
    fn cmp(&self, other: &Error) -> Ordering {
        self.code.cmp(&other.code)
    }
}

impl Hash for Error {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.code.hash(state);
    }
}

impl From<HRESULT> for Error {
    fn from(code: HRESULT) -> Error {
        Error::from_hresult(code)
    }
}

impl From<Error> for HRESULT {
    fn from(error: Error) -> HRESULT {
        error.code
    }
}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> std::io::Error {
        std::io::Error::from_raw_os_error(error.code.0)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        let code = error.raw_os_error().map(|number| HRESULT::from_win32(number as u32));
        code.unwrap_or(UNEXPECTED).into()
    }
}

impl From<FromUtf16Error> for Error {
    fn from(_: FromUtf16Error) -> Error {
        NO_UNICODE_TRANSLATION.into()
    }
}

impl From<FromUtf8Error> for Error {
    fn from(_: FromUtf8Error) -> Error {
        NO_UNICODE_TRANSLATION.into()
    }
}

impl From<TryFromIntError> for Error {
    fn from(_: TryFromIntError) -> Error {
        INVALID_DATA.into()
    }
}
