//! The Win32 functions that WinHTTP programs call beside WinHTTP. All but the last error are the feature `win32`.

#[cfg(feature = "win32")]
mod addresses;
#[cfg(feature = "win32")]
mod environment;
#[cfg(feature = "win32")]
mod event;
#[cfg(feature = "win32")]
mod file;
#[cfg(feature = "win32")]
mod handle;
mod last_error;
#[cfg(feature = "win32")]
mod lock;
#[cfg(feature = "win32")]
mod memory;
#[cfg(feature = "win32")]
mod message;
#[cfg(feature = "win32")]
mod module;
#[cfg(feature = "win32")]
mod mutex;
#[cfg(feature = "win32")]
mod nt_status;
#[cfg(feature = "win32")]
mod once;
#[cfg(feature = "win32")]
mod pool;
#[cfg(feature = "win32")]
mod pool_environment;
#[cfg(feature = "win32")]
mod pool_instance;
#[cfg(feature = "win32")]
mod pool_object;
#[cfg(feature = "win32")]
mod pool_timer;
#[cfg(feature = "win32")]
mod pool_wait;
#[cfg(feature = "win32")]
mod standard;
#[cfg(feature = "win32")]
pub(super) mod sync;
#[cfg(feature = "win32")]
mod text;
#[cfg(feature = "win32")]
mod thread;
#[cfg(feature = "win32")]
mod time;
#[cfg(feature = "win32")]
mod url;
#[cfg(feature = "win32")]
mod wide;

#[cfg(feature = "win32")]
pub use environment::*;
#[cfg(feature = "win32")]
pub use event::*;
#[cfg(feature = "win32")]
pub use file::*;
#[cfg(feature = "win32")]
pub use handle::*;
pub use last_error::*;
#[cfg(feature = "win32")]
pub use lock::*;
#[cfg(feature = "win32")]
pub use memory::*;
#[cfg(feature = "win32")]
pub use message::*;
#[cfg(feature = "win32")]
pub use module::*;
#[cfg(feature = "win32")]
pub use mutex::*;
#[cfg(feature = "win32")]
pub use nt_status::*;
#[cfg(feature = "win32")]
pub use once::*;
#[cfg(feature = "win32")]
pub use pool::*;
#[cfg(feature = "win32")]
pub use pool_environment::*;
#[cfg(feature = "win32")]
pub use pool_instance::*;
#[cfg(feature = "win32")]
pub use pool_object::{
    RawCleanupCallback, RawObjectCallback, RawSimpleCallback, RawWaitCallback, RawWaitOrTimerCallback,
};
#[cfg(feature = "win32")]
pub use pool_timer::*;
#[cfg(feature = "win32")]
pub use pool_wait::*;
#[cfg(feature = "win32")]
pub use standard::*;
#[cfg(feature = "win32")]
pub use text::*;
#[cfg(feature = "win32")]
pub use thread::*;
#[cfg(feature = "win32")]
pub use time::*;
#[cfg(feature = "win32")]
pub use url::*;
#[cfg(feature = "win32")]
pub use wide::*;

/// No limit to a wait, in milliseconds.
#[cfg(feature = "win32")]
const INFINITE: u32 = u32::MAX;
/// INVALID_HANDLE_VALUE
#[cfg(feature = "win32")]
const INVALID_HANDLE_VALUE: usize = usize::MAX;

/// Whether it is an open handle of an event.
#[cfg(feature = "win32")]
pub(crate) fn is_event(handle: usize) -> bool {
    sync::event::is_event(handle)
}

/// Signals an event if there is one.
#[cfg(feature = "win32")]
pub(crate) fn signal_event(handle: usize) {
    sync::event::signal(handle);
}
