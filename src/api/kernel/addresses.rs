//! The addresses of all functions, by their names.

use crate::api::*;

macro_rules! addresses {
    ($($name:ident)*) => {
        /// The address of a function.
        pub(super) fn find(name: &str) -> Option<*const ()> {
            match name {
                $(stringify!($name) => Some($name as *const ()),)*
                _ => None,
            }
        }
    };
}

#[rustfmt::skip]
addresses! {
    AcquireSRWLockExclusive AcquireSRWLockShared CertAddCertificateContextToStore CertAddEncodedCertificateToStore
    CertCloseStore CertCreateCertificateContext CertDeleteCertificateFromStore CertDuplicateCertificateChain
    CertDuplicateCertificateContext CertDuplicateStore CertEnumCertificatesInStore CertFindCertificateInStore
    CertFreeCertificateChain CertFreeCertificateContext CertGetCertificateContextProperty CertGetNameStringA
    CertGetNameStringW CertNameToStrW CertOpenStore CertOpenSystemStoreW CertSetCertificateContextProperty
    ChangeTimerQueueTimer CloseHandle CloseThreadpoolTimer CloseThreadpoolWork CreateEventA CreateEventExW
    CreateEventW CreateFileA CreateFileW CreateThread CreateThreadpoolTimer CreateThreadpoolWork CreateTimerQueue
    CreateTimerQueueTimer DeleteCriticalSection DeleteFileA DeleteFileW DeleteTimerQueueEx DeleteTimerQueueTimer
    EnterCriticalSection FlushFileBuffers FormatMessageA FormatMessageW FreeLibrary GetCurrentProcess
    GetCurrentProcessId GetCurrentThread GetCurrentThreadId GetExitCodeThread GetFileAttributesA GetFileAttributesW
    GetFileSize GetFileSizeEx GetLastError GetModuleFileNameW GetModuleHandleA GetModuleHandleW GetProcAddress
    GetProcessHeap GetSystemTime GetSystemTimeAsFileTime GetThreadId GetTickCount GetTickCount64 GlobalAlloc
    GlobalFree HeapAlloc HeapFree InitializeConditionVariable InitializeCriticalSection
    InitializeCriticalSectionAndSpinCount InitializeCriticalSectionEx InitializeSRWLock IsThreadpoolTimerSet
    LeaveCriticalSection LoadLibraryA LoadLibraryExW LoadLibraryW LocalAlloc LocalFree MultiByteToWideChar
    PFXImportCertStore PortableWinHttpClientCertificateFromPem QueryPerformanceCounter QueryPerformanceFrequency
    ReadFile RegisterWaitForSingleObject ReleaseSRWLockExclusive ReleaseSRWLockShared ResetEvent ResumeThread
    SetEndOfFile SetEvent SetFilePointer SetFilePointerEx SetLastError SetThreadpoolTimer Sleep
    SleepConditionVariableCS SleepConditionVariableSRW SubmitThreadpoolWork TryAcquireSRWLockExclusive
    TryAcquireSRWLockShared TryEnterCriticalSection TrySubmitThreadpoolCallback UnregisterWait UnregisterWaitEx
    UrlCombineW WaitForMultipleObjects WaitForSingleObject WaitForSingleObjectEx WaitForThreadpoolTimerCallbacks
    WaitForThreadpoolWorkCallbacks WakeAllConditionVariable WakeConditionVariable WideCharToMultiByte
    WinHttpAddRequestHeaders WinHttpAddRequestHeadersEx WinHttpCheckPlatform WinHttpCloseHandle WinHttpConnect
    WinHttpConnectionDeletePolicyEntries WinHttpConnectionDeleteProxyInfo WinHttpConnectionSetPolicyEntries
    WinHttpConnectionSetProxyInfo WinHttpConnectionUpdateIfIndexTable WinHttpCrackUrl WinHttpCreateProxyResolver
    WinHttpCreateUrl WinHttpDetectAutoProxyConfigUrl WinHttpFreeProxyResult WinHttpFreeProxyResultEx
    WinHttpFreeProxySettings WinHttpFreeProxySettingsEx WinHttpFreeQueryConnectionGroupResult
    WinHttpGetDefaultProxyConfiguration WinHttpGetIEProxyConfigForCurrentUser WinHttpGetProxyForUrl
    WinHttpGetProxyForUrlEx WinHttpGetProxyForUrlEx2 WinHttpGetProxyResult WinHttpGetProxyResultEx
    WinHttpGetProxySettingsEx WinHttpGetProxySettingsResultEx WinHttpGetProxySettingsVersion
    WinHttpIsHostInProxyBypassList WinHttpOpen WinHttpOpenRequest WinHttpProtocolCompleteUpgrade
    WinHttpProtocolReceive WinHttpProtocolSend WinHttpQueryAuthParams WinHttpQueryAuthSchemes
    WinHttpQueryConnectionGroup WinHttpQueryDataAvailable WinHttpQueryHeaders WinHttpQueryHeadersEx
    WinHttpQueryOption WinHttpReadData WinHttpReadDataEx WinHttpReadProxySettings WinHttpReceiveResponse
    WinHttpRegisterProxyChangeNotification WinHttpResetAutoProxy WinHttpSendRequest WinHttpSetCredentials
    WinHttpSetDefaultProxyConfiguration WinHttpSetOption WinHttpSetProxySettingsPerUser WinHttpSetStatusCallback
    WinHttpSetTimeouts WinHttpTimeFromSystemTime WinHttpTimeToSystemTime WinHttpUnregisterProxyChangeNotification
    WinHttpWebSocketClose WinHttpWebSocketCompleteUpgrade WinHttpWebSocketQueryCloseStatus WinHttpWebSocketReceive
    WinHttpWebSocketSend WinHttpWebSocketShutdown WinHttpWriteData WinHttpWriteProxySettings WriteFile
}
