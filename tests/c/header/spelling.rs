//! How Rust's types are spelled in C, and where the Windows headers have more than Rust's types say.

/// Whether a constant belongs to an enumeration.
type Belongs = fn(&str) -> bool;

/// Enumerations of winhttp.h, and the constants that belong to them.
pub const ENUMERATIONS: [(&str, Belongs); 13] = [
    ("WINHTTP_WEB_SOCKET_OPERATION", |name| web_socket(name, "_OPERATION")),
    ("WINHTTP_WEB_SOCKET_BUFFER_TYPE", |name| web_socket(name, "_BUFFER_TYPE")),
    ("WINHTTP_WEB_SOCKET_CLOSE_STATUS", |name| web_socket(name, "_CLOSE_STATUS")),
    ("WINHTTP_PROTOCOL_OPERATION", |name| name.starts_with("WINHTTP_PROTOCOL_") && name.ends_with("_OPERATION")),
    ("WINHTTP_SECURE_DNS_SETTING", |name| name.starts_with("WinHttpSecureDnsSetting")),
    ("WINHTTP_PROXY_SETTINGS_TYPE", |name| name.starts_with("WinHttpProxySettingsType")),
    ("WINHTTP_FAST_FORWARDING_STATE", |name| name.starts_with("WinHttpFastForwardingState")),
    ("WinHttpRequestAutoLogonPolicy", |name| name.starts_with("AutoLogonPolicy_")),
    ("WinHttpRequestSecureProtocols", |name| name.starts_with("SecureProtocol_")),
    ("WinHttpRequestSslErrorFlags", |name| name.starts_with("SslErrorFlag_")),
    ("WinHttpRequestOption", |name| name.starts_with("WinHttpRequestOption_")),
    ("WINHTTP_REQUEST_STAT_ENTRY", |name| {
        name.starts_with("WinHttp") && ["Size", "Count", "StatLast", "StatMax"].iter().any(|end| name.ends_with(end))
    }),
    ("WINHTTP_REQUEST_TIME_ENTRY", |name| {
        let ends = ["Start", "End", "Delta", "TimeLast", "TimeMax"];
        name.starts_with("WinHttp") && ends.iter().any(|end| name.ends_with(end))
    }),
];

fn web_socket(name: &str, end: &str) -> bool {
    name.starts_with("WINHTTP_WEB_SOCKET_") && name.ends_with(end)
}

/// Fields whose type has a name of its own.
const FIELDS: [(&str, &str, &str); 6] = [
    ("WINHTTP_WEB_SOCKET_ASYNC_RESULT", "Operation", "WINHTTP_WEB_SOCKET_OPERATION"),
    ("WINHTTP_WEB_SOCKET_STATUS", "eBufferType", "WINHTTP_WEB_SOCKET_BUFFER_TYPE"),
    ("WINHTTP_RESOLVER_CACHE_CONFIG", "SecureDnsSetting", "WINHTTP_SECURE_DNS_SETTING"),
    ("URL_COMPONENTS", "nScheme", "INTERNET_SCHEME"),
    ("URL_COMPONENTS", "nPort", "INTERNET_PORT"),
    ("WINHTTP_PROXY_RESULT_ENTRY", "ProxyScheme", "INTERNET_SCHEME"),
];

/// Parameters whose type is another than Rust's says: enumerations, and what Windows does not call const although it
/// only reads it. A program that passes a const pointer there does not compile on Windows.
const PARAMETERS: [(&str, &str, &str); 28] = [
    ("WinHttpWebSocketQueryCloseStatus", "pusstatus", "USHORT *"),
    ("CreateThreadpoolTimer", "pfnti", "PTP_TIMER_CALLBACK"),
    ("WinHttpConnect", "nserverport", "INTERNET_PORT"),
    ("WinHttpOpenRequest", "ppwszaccepttypes", "LPCWSTR *"),
    ("WinHttpSendRequest", "lpoptional", "LPVOID"),
    ("WinHttpSetOption", "lpbuffer", "LPVOID"),
    ("WinHttpCreateUrl", "lpurlcomponents", "LPURL_COMPONENTS"),
    ("WinHttpWebSocketSend", "ebuffertype", "WINHTTP_WEB_SOCKET_BUFFER_TYPE"),
    ("WinHttpWebSocketSend", "pvbuffer", "PVOID"),
    ("WinHttpWebSocketReceive", "pebuffertype", "WINHTTP_WEB_SOCKET_BUFFER_TYPE *"),
    ("WinHttpWebSocketShutdown", "pvreason", "PVOID"),
    ("WinHttpWebSocketClose", "pvreason", "PVOID"),
    ("WinHttpGetProxyForUrlEx", "pautoproxyoptions", "WINHTTP_AUTOPROXY_OPTIONS *"),
    ("WinHttpGetProxyForUrlEx2", "pautoproxyoptions", "WINHTTP_AUTOPROXY_OPTIONS *"),
    ("WinHttpGetProxyForUrlEx2", "pinterfaceselectioncontext", "BYTE *"),
    ("WinHttpGetProxySettingsEx", "proxysettingstype", "WINHTTP_PROXY_SETTINGS_TYPE"),
    ("WinHttpFreeProxySettingsEx", "proxysettingstype", "WINHTTP_PROXY_SETTINGS_TYPE"),
    ("WinHttpFreeProxySettingsEx", "pproxysettingsex", "PVOID"),
    ("WinHttpFreeProxySettings", "pwinhttpproxysettings", "WINHTTP_PROXY_SETTINGS *"),
    ("WinHttpWriteProxySettings", "pwinhttpproxysettings", "WINHTTP_PROXY_SETTINGS *"),
    ("WinHttpIsHostInProxyBypassList", "tscheme", "INTERNET_SCHEME"),
    ("WinHttpIsHostInProxyBypassList", "nport", "INTERNET_PORT"),
    ("WinHttpRegisterProxyChangeNotification", "pvcontext", "PVOID"),
    ("HeapFree", "lpmem", "LPVOID"),
    ("WaitOnAddress", "compareaddress", "PVOID"),
    ("WaitOnAddress", "address", "volatile void *"),
    ("WakeByAddressSingle", "address", "PVOID"),
    ("WakeByAddressAll", "address", "PVOID"),
];

/// Parameters of kernel32 whose type follows from their name.
const NAMED: [(&str, &str); 28] = [
    ("lpcriticalsection", "LPCRITICAL_SECTION"),
    ("criticalsection", "PCRITICAL_SECTION"),
    ("srwlock", "PSRWLOCK"),
    ("conditionvariable", "PCONDITION_VARIABLE"),
    ("lpsecurityattributes", "LPSECURITY_ATTRIBUTES"),
    ("lpeventattributes", "LPSECURITY_ATTRIBUTES"),
    ("lpthreadattributes", "LPSECURITY_ATTRIBUTES"),
    ("lpmutexattributes", "LPSECURITY_ATTRIBUTES"),
    ("lpsemaphoreattributes", "LPSECURITY_ATTRIBUTES"),
    ("initonce", "PINIT_ONCE"),
    ("lpinitonce", "LPINIT_ONCE"),
    ("pcs", "PCRITICAL_SECTION"),
    ("pci", "PTP_CALLBACK_INSTANCE"),
    ("ptpp", "PTP_POOL"),
    ("ptpcg", "PTP_CLEANUP_GROUP"),
    ("pwa", "PTP_WAIT"),
    ("pfttimeout", "PFILETIME"),
    ("status", "NTSTATUS"),
    ("lpoverlapped", "LPOVERLAPPED"),
    ("pwk", "PTP_WORK"),
    ("pti", "PTP_TIMER"),
    ("pcbe", "PTP_CALLBACK_ENVIRON"),
    ("pftduetime", "PFILETIME"),
    ("lpperformancecount", "LARGE_INTEGER *"),
    ("lpfrequency", "LARGE_INTEGER *"),
    ("lidistancetomove", "LARGE_INTEGER"),
    ("lpnewfilepointer", "PLARGE_INTEGER"),
    ("lpfilesize", "PLARGE_INTEGER"),
];

/// What these functions answer has a type of its own.
const ANSWERS: [(&str, &str); 6] = [
    ("GetProcAddress", "FARPROC"),
    ("CreateThreadpoolWork", "PTP_WORK"),
    ("CreateThreadpoolTimer", "PTP_TIMER"),
    ("CreateThreadpoolWait", "PTP_WAIT"),
    ("CreateThreadpool", "PTP_POOL"),
    ("CreateThreadpoolCleanupGroup", "PTP_CLEANUP_GROUP"),
];

/// The type of what a function answers.
pub fn answer(function: &str, rust: Option<&str>) -> String {
    let own = ANSWERS.iter().find(|row| row.0 == function);
    own.map_or_else(|| rust.map_or("void".to_owned(), kind), |row| row.1.to_owned())
}

/// The type of a field.
pub fn field(structure: &str, name: &str, rust: &str) -> String {
    let own = FIELDS.iter().find(|row| (row.0, row.1) == (structure, name));
    own.map_or_else(|| kind(rust), |row| row.2.to_owned())
}

/// The type of a parameter.
pub fn parameter(function: &str, name: &str, rust: &str) -> String {
    let own = PARAMETERS.iter().find(|row| (row.0, row.1) == (function, name));
    // Handles are never const.
    let handle = rust == "*const c_void" && name.starts_with('h') && function.starts_with("WinHttp");
    let named = NAMED.iter().find(|row| row.0 == name && !function.starts_with("WinHttp"));
    match own.map(|row| row.2).or(named.map(|row| row.1)) {
        Some(own) => own.to_owned(),
        None if handle => "HINTERNET".to_owned(),
        None => kind(rust),
    }
}

/// A type of Rust in C.
pub fn kind(rust: &str) -> String {
    let rust = rust.trim_start_matches("core::ffi::").trim_start_matches("std::ffi::");
    match rust {
        "!" => "__attribute__((noreturn)) void",
        "u8" => "BYTE",
        "u16" => "WORD",
        "u32" => "DWORD",
        "u64" => "ULONGLONG",
        "usize" => "DWORD_PTR",
        "isize" => "LONG_PTR",
        "i32" => "INT",
        "i64" => "LONGLONG",
        "f64" => "double",
        "c_void" => "void",
        "PCWSTR" | "*const u16" => "LPCWSTR",
        "PWSTR" | "*mut u16" => "LPWSTR",
        "PCSTR" => "LPCSTR",
        "PSTR" => "LPSTR",
        "*mut c_void" | "*mut core::ffi::c_void" => "LPVOID",
        "*const c_void" | "*const core::ffi::c_void" => "LPCVOID",
        "*mut u32" => "LPDWORD",
        "Option<RawStatusCallback>" => "WINHTTP_STATUS_CALLBACK",
        "Option<RawProxyChangeCallback>" => "WINHTTP_PROXY_CHANGE_CALLBACK",
        "Option<RawThreadStart>" => "LPTHREAD_START_ROUTINE",
        "Option<RawSimpleCallback>" => "PTP_SIMPLE_CALLBACK",
        "Option<RawObjectCallback>" => "PTP_WORK_CALLBACK",
        "Option<RawWaitOrTimerCallback>" => "WAITORTIMERCALLBACK",
        "Option<RawWaitCallback>" => "PTP_WAIT_CALLBACK",
        "Option<RawFindByIssuer>" => "PFN_CERT_CHAIN_FIND_BY_ISSUER_CALLBACK",
        "Option<RawInitOnce>" => "PINIT_ONCE_FN",
        "*const CERT_CONTEXT" | "*mut CERT_CONTEXT" => "PCCERT_CONTEXT",
        "*mut *mut CERT_CONTEXT" => "PCCERT_CONTEXT *",
        "*const CERT_CHAIN_CONTEXT" | "*mut CERT_CHAIN_CONTEXT" => "PCCERT_CHAIN_CONTEXT",
        "*mut *mut CERT_CHAIN_CONTEXT" => "PCCERT_CHAIN_CONTEXT *",
        _ => return compound(rust),
    }
    .to_owned()
}

fn compound(rust: &str) -> String {
    if let Some(pointee) = rust.strip_prefix("*mut ") {
        return format!("{} *", kind(pointee));
    }
    if let Some(pointee) = rust.strip_prefix("*const ") {
        return format!("const {} *", kind(pointee));
    }
    assert!(rust.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "a type without a spelling in C: {rust}");
    rust.to_owned()
}

/// A declaration of a name with a type of Rust, arrays included.
pub fn declared(kind_of: &str, name: &str, rust: &str) -> String {
    if let Some((element, count)) = rust.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')?.split_once("; ")) {
        let element = if element == "u16" { "WCHAR".to_owned() } else { kind(element) };
        return format!("{element} {name}[{count}]");
    }
    let space = if kind_of.ends_with('*') { "" } else { " " };
    format!("{kind_of}{space}{name}")
}
