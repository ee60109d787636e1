//! `windows` 0.62 as far as portable-winhttp has it, under its own name.
#[cfg(windows)]
compile_error!("on Windows the real `windows` is there: leave this patch out");

#[cfg(not(windows))]
pub use portable_winhttp::{Win32, core};
