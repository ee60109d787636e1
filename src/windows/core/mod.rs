//! What `windows::core` has for WinHTTP programs: errors, texts, parameters.

mod boolean;
mod error;
mod guid;
mod hresult;
mod hstring;
mod macros;
mod owned;
mod param;
mod text;

pub use boolean::BOOL;
pub use error::{Error, Result};
pub use guid::GUID;
pub use hresult::HRESULT;
pub use hstring::HSTRING;
#[doc(hidden)]
pub use macros::{utf16, utf16_len};
pub use owned::{Free, Owned};
pub use param::Param;
#[doc(hidden)]
pub use param::{CopyType, ParamValue, TypeKind, imp};
pub use text::{PCSTR, PCWSTR, PSTR, PWSTR};

#[doc(inline)]
pub use crate::{__windows_h as h, __windows_link as link, __windows_s as s, __windows_w as w};
