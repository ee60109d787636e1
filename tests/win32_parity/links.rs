//! Every function that `windows_sys::Win32::Networking::WinHttp` declares, since 0.48, is one of ours.

use std::collections::BTreeSet;

use portable_winhttp::api::{self, surface};
use windows_sys::Win32::Networking::WinHttp as theirs;

macro_rules! functions {
    ($($name:ident)*) => {
        /// Name, our address, the address behind their declaration.
        const FUNCTIONS: &[(&str, *const (), *const ())] =
            &[$((stringify!($name), api::$name as *const (), theirs::$name as *const ())),*];
    };
}

functions! {
    WinHttpAddRequestHeaders
    WinHttpAddRequestHeadersEx
    WinHttpCheckPlatform
    WinHttpCloseHandle
    WinHttpConnect
    WinHttpCrackUrl
    WinHttpCreateProxyResolver
    WinHttpCreateUrl
    WinHttpDetectAutoProxyConfigUrl
    WinHttpFreeProxyResult
    WinHttpFreeProxyResultEx
    WinHttpFreeProxySettings
    WinHttpFreeProxySettingsEx
    WinHttpFreeQueryConnectionGroupResult
    WinHttpGetDefaultProxyConfiguration
    WinHttpGetIEProxyConfigForCurrentUser
    WinHttpGetProxyForUrl
    WinHttpGetProxyForUrlEx
    WinHttpGetProxyForUrlEx2
    WinHttpGetProxyResult
    WinHttpGetProxyResultEx
    WinHttpGetProxySettingsEx
    WinHttpGetProxySettingsResultEx
    WinHttpGetProxySettingsVersion
    WinHttpOpen
    WinHttpOpenRequest
    WinHttpQueryAuthSchemes
    WinHttpQueryConnectionGroup
    WinHttpQueryDataAvailable
    WinHttpQueryHeaders
    WinHttpQueryHeadersEx
    WinHttpQueryOption
    WinHttpReadData
    WinHttpReadDataEx
    WinHttpReadProxySettings
    WinHttpReceiveResponse
    WinHttpRegisterProxyChangeNotification
    WinHttpResetAutoProxy
    WinHttpSendRequest
    WinHttpSetCredentials
    WinHttpSetDefaultProxyConfiguration
    WinHttpSetOption
    WinHttpSetProxySettingsPerUser
    WinHttpSetStatusCallback
    WinHttpSetTimeouts
    WinHttpTimeFromSystemTime
    WinHttpTimeToSystemTime
    WinHttpUnregisterProxyChangeNotification
    WinHttpWebSocketClose
    WinHttpWebSocketCompleteUpgrade
    WinHttpWebSocketQueryCloseStatus
    WinHttpWebSocketReceive
    WinHttpWebSocketSend
    WinHttpWebSocketShutdown
    WinHttpWriteData
    WinHttpWriteProxySettings
}

#[test]
fn declared_functions_are_ours() {
    for (name, ours, theirs) in FUNCTIONS {
        assert_eq!(ours, theirs, "{name}");
    }
}

#[test]
fn declared_functions_are_in_the_surface() {
    let surface: BTreeSet<_> = surface::functions().into_iter().map(|entry| entry.name).collect();
    let declared: BTreeSet<_> = FUNCTIONS.iter().map(|(name, ..)| *name).collect();
    assert!(surface.is_superset(&declared), "{:?}", declared.difference(&surface));
}

#[test]
fn what_is_absent_says_so() {
    let absent = surface::functions().into_iter().filter(|entry| entry.status == "absent");
    let absent: Vec<_> =
        absent.map(|entry| entry.name).filter(|name| FUNCTIONS.iter().any(|row| row.0 == *name)).collect();
    assert_eq!(absent, ["WinHttpSetProxySettingsPerUser"]);
    // SAFETY: it has no pointers.
    let answers = [0, 1].map(|per_user| unsafe { theirs::WinHttpSetProxySettingsPerUser(per_user) });
    assert_eq!(answers, [windows_sys::Win32::Foundation::ERROR_CALL_NOT_IMPLEMENTED; 2]);
}
