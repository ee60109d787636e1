//! Every constant of WinHTTP, by Windows' name. Values were generated from `windows-sys` and the SDK header; a test
//! compares each of them with `windows-sys`.

macro_rules! constants {
    ($($name:ident: $type:ty = $value:expr, $doc:literal;)*) => {
        $(#[doc = $doc] pub const $name: $type = $value;)*
    };
}

mod callbacks;
mod com;
mod flags;
mod http;
mod nulls;
mod numbers;
mod options;

pub use callbacks::*;
pub use com::*;
pub use flags::*;
pub use http::*;
pub use nulls::*;
pub use numbers::*;
pub use options::*;
