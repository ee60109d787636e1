//! Every structure of winhttp.h, with the layout of the Windows SDK (pack 8 on 64-bit, pack 4 on 32-bit x86).
//!
//! Fields carry Windows' names and meaning; their pages are named `ns-winhttp-...`. Tests compare sizes and offsets with `windows-sys`.
#![allow(non_camel_case_types, non_snake_case, missing_docs)]

use std::ffi::c_void;

/// A Windows boolean: 0 is FALSE, anything else is TRUE.
pub type BOOL = i32;
/// A handle of WinHTTP.
pub type HINTERNET = *mut c_void;
/// A handle of the Win32 kernel functions.
pub type HANDLE = *mut c_void;
/// NUL-terminated UTF-16, writable.
pub type PWSTR = *mut u16;
/// NUL-terminated UTF-16.
pub type PCWSTR = *const u16;
/// NUL-terminated 8-bit text, writable.
pub type PSTR = *mut u8;
/// NUL-terminated 8-bit text.
pub type PCSTR = *const u8;

/// 128 bytes that hold any socket address, laid out as the platform's Windows headers do: family first.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct SOCKADDR_STORAGE {
    pub ss_family: u16,
    pub data: [u8; 126],
}
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct GUID {
    pub data1: u32,
    pub data2: u16,
    pub data3: u16,
    pub data4: [u8; 8],
}
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct FILETIME {
    pub dwLowDateTime: u32,
    pub dwHighDateTime: u32,
}
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct SYSTEMTIME {
    pub wYear: u16,
    pub wMonth: u16,
    pub wDayOfWeek: u16,
    pub wDay: u16,
    pub wHour: u16,
    pub wMinute: u16,
    pub wSecond: u16,
    pub wMilliseconds: u16,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_ASYNC_RESULT {
    pub dwResult: usize,
    pub dwError: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_WEB_SOCKET_ASYNC_RESULT {
    pub AsyncResult: WINHTTP_ASYNC_RESULT,
    pub Operation: i32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_WEB_SOCKET_STATUS {
    pub dwBytesTransferred: u32,
    pub eBufferType: i32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct URL_COMPONENTS {
    pub dwStructSize: u32,
    pub lpszScheme: PWSTR,
    pub dwSchemeLength: u32,
    pub nScheme: i32,
    pub lpszHostName: PWSTR,
    pub dwHostNameLength: u32,
    pub nPort: u16,
    pub lpszUserName: PWSTR,
    pub dwUserNameLength: u32,
    pub lpszPassword: PWSTR,
    pub dwPasswordLength: u32,
    pub lpszUrlPath: PWSTR,
    pub dwUrlPathLength: u32,
    pub lpszExtraInfo: PWSTR,
    pub dwExtraInfoLength: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_INFO {
    pub dwAccessType: u32,
    pub lpszProxy: PWSTR,
    pub lpszProxyBypass: PWSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_AUTOPROXY_OPTIONS {
    pub dwFlags: u32,
    pub dwAutoDetectFlags: u32,
    pub lpszAutoConfigUrl: PCWSTR,
    pub lpvReserved: *mut c_void,
    pub dwReserved: u32,
    pub fAutoLogonIfChallenged: BOOL,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_CURRENT_USER_IE_PROXY_CONFIG {
    pub fAutoDetect: BOOL,
    pub lpszAutoConfigUrl: PWSTR,
    pub lpszProxy: PWSTR,
    pub lpszProxyBypass: PWSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_RESULT_ENTRY {
    pub fProxy: BOOL,
    pub fBypass: BOOL,
    pub ProxyScheme: i32,
    pub pwszProxy: PWSTR,
    pub ProxyPort: u16,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_RESULT {
    pub cEntries: u32,
    pub pEntries: *mut WINHTTP_PROXY_RESULT_ENTRY,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_RESULT_EX {
    pub cEntries: u32,
    pub pEntries: *mut WINHTTP_PROXY_RESULT_ENTRY,
    pub hProxyDetectionHandle: HANDLE,
    pub dwProxyInterfaceAffinity: u32,
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_REQUEST_TIMES {
    pub cTimes: u32,
    pub rgullTimes: [u64; 64],
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_REQUEST_STATS {
    pub ullFlags: u64,
    pub ulIndex: u32,
    pub cStats: u32,
    pub rgullStats: [u64; 32],
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_CONNECTION_INFO {
    pub cbSize: u32,
    pub LocalAddress: SOCKADDR_STORAGE,
    pub RemoteAddress: SOCKADDR_STORAGE,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_CERTIFICATE_INFO {
    pub ftExpiry: FILETIME,
    pub ftStart: FILETIME,
    pub lpszSubjectInfo: PWSTR,
    pub lpszIssuerInfo: PWSTR,
    pub lpszProtocolName: PWSTR,
    pub lpszSignatureAlgName: PWSTR,
    pub lpszEncryptionAlgName: PWSTR,
    pub dwKeySize: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HTTP_VERSION_INFO {
    pub dwMajorVersion: u32,
    pub dwMinorVersion: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_EXTENDED_HEADER {
    pub Anonymous1: WINHTTP_EXTENDED_HEADER_0,
    pub Anonymous2: WINHTTP_EXTENDED_HEADER_1,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub union WINHTTP_EXTENDED_HEADER_0 {
    pub pwszName: PCWSTR,
    pub pszName: PCSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub union WINHTTP_EXTENDED_HEADER_1 {
    pub pwszValue: PCWSTR,
    pub pszValue: PCSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub union WINHTTP_HEADER_NAME {
    pub pwszName: PCWSTR,
    pub pszName: PCSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_CREDS {
    pub lpszUserName: PSTR,
    pub lpszPassword: PSTR,
    pub lpszRealm: PSTR,
    pub dwAuthScheme: u32,
    pub lpszHostName: PSTR,
    pub dwPort: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_CREDS_EX {
    pub lpszUserName: PSTR,
    pub lpszPassword: PSTR,
    pub lpszRealm: PSTR,
    pub dwAuthScheme: u32,
    pub lpszHostName: PSTR,
    pub dwPort: u32,
    pub lpszUrl: PSTR,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_FAILED_CONNECTION_RETRIES {
    pub dwMaxRetries: u32,
    pub dwAllowedRetryConditions: u32,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_HTTP2_RECEIVE_WINDOW {
    pub ulStreamWindow: u32,
    pub ulStreamWindowUpdateDelta: u32,
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_MATCH_CONNECTION_GUID {
    pub ConnectionGuid: GUID,
    pub ullFlags: u64,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_CONNECTION_GROUP {
    pub cConnections: u32,
    pub guidGroup: GUID,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_HOST_CONNECTION_GROUP {
    pub pwszHost: PCWSTR,
    pub cConnectionGroups: u32,
    pub pConnectionGroups: *mut WINHTTP_CONNECTION_GROUP,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_QUERY_CONNECTION_GROUP_RESULT {
    pub cHosts: u32,
    pub pHostConnectionGroups: *mut WINHTTP_HOST_CONNECTION_GROUP,
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_RESOLVER_CACHE_CONFIG {
    pub ulMaxResolverCacheEntries: u32,
    pub ulMaxCacheEntryAge: u32,
    pub ulMinCacheEntryTtl: u32,
    pub SecureDnsSetting: i32,
    pub ullConnResolutionWaitTime: u64,
    pub ullFlags: u64,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_SETTINGS {
    pub dwStructSize: u32,
    pub dwFlags: u32,
    pub dwCurrentSettingsVersion: u32,
    pub pwszConnectionName: PWSTR,
    pub pwszProxy: PWSTR,
    pub pwszProxyBypass: PWSTR,
    pub pwszAutoconfigUrl: PWSTR,
    pub pwszAutoconfigSecondaryUrl: PWSTR,
    pub dwAutoDiscoveryFlags: u32,
    pub pwszLastKnownGoodAutoConfigUrl: PWSTR,
    pub dwAutoconfigReloadDelayMins: u32,
    pub ftLastKnownDetectTime: FILETIME,
    pub dwDetectedInterfaceIpCount: u32,
    pub pdwDetectedInterfaceIp: *mut u32,
    pub cNetworkKeys: u32,
    pub pNetworkKeys: *mut WINHTTP_PROXY_NETWORKING_KEY,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_NETWORKING_KEY {
    pub pbBuffer: [u8; 128],
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_SETTINGS_EX {
    pub ullGenerationId: u64,
    pub ullFlags: u64,
    pub pcwszAutoconfigUrl: PCWSTR,
    pub pcwszProxy: PCWSTR,
    pub pcwszSecureProxy: PCWSTR,
    pub cProxyBypasses: u32,
    pub rgpcwszProxyBypasses: *const PCWSTR,
    pub dwInterfaceIndex: u32,
    pub pcwszConnectionName: PCWSTR,
}
#[cfg_attr(target_arch = "x86", repr(C, packed(4)))]
#[cfg_attr(not(target_arch = "x86"), repr(C))]
#[derive(Clone, Copy)]
pub struct WINHTTP_PROXY_SETTINGS_PARAM {
    pub ullFlags: u64,
    pub pcwszConnectionName: PCWSTR,
    pub pcwszProbeHost: PCWSTR,
}
/// Sizes on 32-bit x86, where the headers pack to 4 bytes; elsewhere a test compares with `windows-sys`.
#[cfg(target_arch = "x86")]
const _: () = {
    assert!(size_of::<WINHTTP_ASYNC_RESULT>() == 8);
    assert!(size_of::<WINHTTP_WEB_SOCKET_ASYNC_RESULT>() == 12);
    assert!(size_of::<WINHTTP_WEB_SOCKET_STATUS>() == 8);
    assert!(size_of::<URL_COMPONENTS>() == 60);
    assert!(size_of::<WINHTTP_PROXY_INFO>() == 12);
    assert!(size_of::<WINHTTP_AUTOPROXY_OPTIONS>() == 24);
    assert!(size_of::<WINHTTP_CURRENT_USER_IE_PROXY_CONFIG>() == 16);
    assert!(size_of::<WINHTTP_PROXY_RESULT_ENTRY>() == 20);
    assert!(size_of::<WINHTTP_PROXY_RESULT>() == 8);
    assert!(size_of::<WINHTTP_PROXY_RESULT_EX>() == 16);
    assert!(size_of::<WINHTTP_REQUEST_TIMES>() == 516);
    assert!(size_of::<WINHTTP_REQUEST_STATS>() == 272);
    assert!(size_of::<WINHTTP_CONNECTION_INFO>() == 260);
    assert!(size_of::<WINHTTP_CERTIFICATE_INFO>() == 40);
    assert!(size_of::<HTTP_VERSION_INFO>() == 8);
    assert!(size_of::<WINHTTP_EXTENDED_HEADER>() == 8);
    assert!(size_of::<WINHTTP_EXTENDED_HEADER_0>() == 4);
    assert!(size_of::<WINHTTP_EXTENDED_HEADER_1>() == 4);
    assert!(size_of::<WINHTTP_HEADER_NAME>() == 4);
    assert!(size_of::<WINHTTP_CREDS>() == 24);
    assert!(size_of::<WINHTTP_CREDS_EX>() == 28);
    assert!(size_of::<WINHTTP_FAILED_CONNECTION_RETRIES>() == 8);
    assert!(size_of::<WINHTTP_HTTP2_RECEIVE_WINDOW>() == 8);
    assert!(size_of::<WINHTTP_MATCH_CONNECTION_GUID>() == 24);
    assert!(size_of::<WINHTTP_CONNECTION_GROUP>() == 20);
    assert!(size_of::<WINHTTP_HOST_CONNECTION_GROUP>() == 12);
    assert!(size_of::<WINHTTP_QUERY_CONNECTION_GROUP_RESULT>() == 8);
    assert!(size_of::<WINHTTP_RESOLVER_CACHE_CONFIG>() == 32);
    assert!(size_of::<WINHTTP_PROXY_SETTINGS>() == 68);
    assert!(size_of::<WINHTTP_PROXY_NETWORKING_KEY>() == 128);
    assert!(size_of::<WINHTTP_PROXY_SETTINGS_EX>() == 44);
    assert!(size_of::<WINHTTP_PROXY_SETTINGS_PARAM>() == 16);
};
