//! The functions of WinHTTP, by Windows' names, one file a family. Each checks its arguments in Windows' order, calls
//! the engine and sets the last error; none knows how a request is carried.
#![allow(non_snake_case)]

mod absent;
mod auth;
#[cfg(feature = "win32")]
mod crypt;
mod data;
pub(crate) mod edge;
mod functions;
mod groups;
mod headers;
mod headers_ex;
mod kernel;
mod options;
mod proxy;
mod proxy_settings;
mod proxy_settings_ex;
mod request;
mod resolver;
mod session;
pub mod surface;
mod time;
mod url;
mod web_socket;

pub use absent::*;
pub use auth::*;
#[cfg(feature = "win32")]
pub use crypt::*;
#[cfg(feature = "win32")]
pub(crate) use crypt::{client_identity, of_server};
pub use data::*;
pub use groups::*;
pub use headers::*;
pub use headers_ex::*;
pub use kernel::*;
pub use options::*;
pub use proxy::*;
pub use proxy_settings::*;
pub use proxy_settings_ex::*;
pub use request::*;
pub use resolver::*;
pub use session::*;
pub use time::*;
pub use url::*;
pub use web_socket::*;
