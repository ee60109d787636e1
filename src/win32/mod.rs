//! The vocabulary of Windows: numbers, names, layouts, UTF-16, the last error.

mod buffer;
mod callback;
mod certificates;
mod constants;
mod error;
mod last_error;
pub mod memory;
mod payload;
pub(crate) mod probe;
pub(crate) mod process;
#[cfg(feature = "net")]
pub(crate) mod socket;
mod structs;
mod tcp_info;
mod text;

pub use buffer::{CallerBuf, CallerBytes};
pub use callback::{ProxyChangeCallback, RawProxyChangeCallback, RawStatusCallback, StatusCallback, in_callback};
pub use certificates::*;
pub use constants::*;
pub use error::*;
pub use last_error::{extended_error, last_error, set_extended_error, set_last_error};
pub(crate) use last_error::{keep, kept};
pub use payload::Payload;
pub use structs::*;
pub use tcp_info::TcpInfo;
pub use text::{Wide, wide_z};
