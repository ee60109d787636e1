//! The Win32 functions that WinHTTP programs call beside WinHTTP. All but the last error are the feature `win32`.

#[cfg(feature = "win32")]
mod event;
mod last_error;
#[cfg(feature = "win32")]
mod memory;
#[cfg(feature = "win32")]
mod time;

#[cfg(feature = "win32")]
pub use event::*;
pub use last_error::*;
#[cfg(feature = "win32")]
pub use memory::*;
#[cfg(feature = "win32")]
pub use time::*;
