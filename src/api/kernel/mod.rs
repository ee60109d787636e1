//! The Win32 functions that WinHTTP programs call beside WinHTTP.

mod last_error;

pub use last_error::*;
