//! WinHTTP without Windows.

pub mod record;
pub mod win32;

pub mod http;
