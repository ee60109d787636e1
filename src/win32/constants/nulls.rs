//! The names that winhttp.h gives to NULL pointers.

use std::ffi::c_void;
use std::ptr::null_mut;

/// NULL for WinHttpOpen.
pub const WINHTTP_NO_PROXY_NAME: *mut c_void = null_mut();
/// NULL for WinHttpOpen.
pub const WINHTTP_NO_PROXY_BYPASS: *mut c_void = null_mut();
/// NULL for SetOption CLIENT_CERT_CONTEXT (length 0).
pub const WINHTTP_NO_CLIENT_CERT_CONTEXT: *mut c_void = null_mut();
/// NULL for WinHttpOpenRequest.
pub const WINHTTP_NO_REFERER: *mut c_void = null_mut();
/// NULL for WinHttpOpenRequest.
pub const WINHTTP_DEFAULT_ACCEPT_TYPES: *mut c_void = null_mut();
/// NULL for WinHttpSendRequest.
pub const WINHTTP_NO_ADDITIONAL_HEADERS: *mut c_void = null_mut();
/// NULL for WinHttpSendRequest.
pub const WINHTTP_NO_REQUEST_DATA: *mut c_void = null_mut();
/// NULL for WinHttpQueryHeaders.
pub const WINHTTP_HEADER_NAME_BY_INDEX: *mut c_void = null_mut();
/// NULL for WinHttpQueryHeaders.
pub const WINHTTP_NO_OUTPUT_BUFFER: *mut c_void = null_mut();
/// NULL for WinHttpQueryHeaders.
pub const WINHTTP_NO_HEADER_INDEX: *mut c_void = null_mut();
