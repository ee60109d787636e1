//! HSTRING: a UTF-16 text that is not changed and ends with NUL.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::path::Path;
use std::string::FromUtf16Error;
use std::sync::Arc;

/// A UTF-16 text; its clones share it. As a slice it is without the NUL that follows.
#[derive(Clone, Default)]
pub struct HSTRING(Option<Arc<[u16]>>);

/// What an empty one points to.
static EMPTY: [u16; 1] = [0];

impl HSTRING {
    /// An empty one.
    pub const fn new() -> HSTRING {
        HSTRING(None)
    }

    /// A copy of a text.
    pub fn from_wide(text: &[u16]) -> HSTRING {
        HSTRING((!text.is_empty()).then(|| text.iter().copied().chain([0]).collect()))
    }

    /// The text; what is not UTF-16 is replaced.
    pub fn to_string_lossy(&self) -> String {
        String::from_utf16_lossy(self)
    }

    /// The text as the system has it; what is not UTF-16 is replaced.
    pub fn to_os_string(&self) -> OsString {
        self.to_string_lossy().into()
    }

    fn is(&self, text: &str) -> bool {
        self.iter().copied().eq(text.encode_utf16())
    }
}

impl Deref for HSTRING {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        let with_nul = self.0.as_deref().unwrap_or(&EMPTY);
        &with_nul[..with_nul.len() - 1]
    }
}

impl fmt::Display for HSTRING {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_string_lossy())
    }
}

impl fmt::Debug for HSTRING {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl From<&str> for HSTRING {
    fn from(text: &str) -> HSTRING {
        HSTRING::from_wide(&text.encode_utf16().collect::<Vec<_>>())
    }
}

impl From<String> for HSTRING {
    fn from(text: String) -> HSTRING {
        text.as_str().into()
    }
}

impl From<&String> for HSTRING {
    fn from(text: &String) -> HSTRING {
        text.as_str().into()
    }
}

impl From<&OsStr> for HSTRING {
    fn from(text: &OsStr) -> HSTRING {
        text.to_string_lossy().as_ref().into()
    }
}

impl From<OsString> for HSTRING {
    fn from(text: OsString) -> HSTRING {
        text.as_os_str().into()
    }
}

impl From<&OsString> for HSTRING {
    fn from(text: &OsString) -> HSTRING {
        text.as_os_str().into()
    }
}

impl From<&Path> for HSTRING {
    fn from(path: &Path) -> HSTRING {
        path.as_os_str().into()
    }
}

impl TryFrom<&HSTRING> for String {
    type Error = FromUtf16Error;

    fn try_from(text: &HSTRING) -> Result<String, FromUtf16Error> {
        String::from_utf16(text)
    }
}

impl TryFrom<HSTRING> for String {
    type Error = FromUtf16Error;

    fn try_from(text: HSTRING) -> Result<String, FromUtf16Error> {
        String::try_from(&text)
    }
}

impl From<&HSTRING> for OsString {
    fn from(text: &HSTRING) -> OsString {
        text.to_os_string()
    }
}

impl From<HSTRING> for OsString {
    fn from(text: HSTRING) -> OsString {
        text.to_os_string()
    }
}

impl PartialEq for HSTRING {
    fn eq(&self, other: &HSTRING) -> bool {
        **self == **other
    }
}

impl Eq for HSTRING {}

impl PartialOrd for HSTRING {
    fn partial_cmp(&self, other: &HSTRING) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for HSTRING {
    fn cmp(&self, other: &HSTRING) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for HSTRING {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

macro_rules! equal {
    ($($text:ty)*) => {$(
        impl PartialEq<$text> for HSTRING {
            fn eq(&self, other: &$text) -> bool {
                self.is(other)
            }
        }

        impl PartialEq<$text> for &HSTRING {
            fn eq(&self, other: &$text) -> bool {
                self.is(other)
            }
        }

        impl PartialEq<HSTRING> for $text {
            fn eq(&self, other: &HSTRING) -> bool {
                other.is(self)
            }
        }
    )*};
}

equal! { str String }

impl PartialEq<&str> for HSTRING {
    fn eq(&self, other: &&str) -> bool {
        self.is(other)
    }
}

impl PartialEq<HSTRING> for &str {
    fn eq(&self, other: &HSTRING) -> bool {
        other.is(self)
    }
}
