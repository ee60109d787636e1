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
    AcquireSRWLockExclusive AcquireSRWLockShared CallbackMayRunLong CertAddCertificateContextToStore
    CertAddEncodedCertificateToStore CertCloseStore CertCreateCertificateChainEngine CertCreateCertificateContext
    CertDeleteCertificateFromStore CertDuplicateCertificateChain CertDuplicateCertificateContext CertDuplicateStore
    CertEnumCertificatesInStore CertFindCertificateInStore CertFindChainInStore CertFreeCertificateChain
    CertFreeCertificateChainEngine CertFreeCertificateContext CertGetCertificateChain CertGetCertificateContextProperty
    CertGetNameStringA CertGetNameStringW CertNameToStrW CertOpenStore CertOpenSystemStoreA CertOpenSystemStoreW
    CertSetCertificateContextProperty CertVerifyCertificateChainPolicy ChangeTimerQueueTimer CloseHandle CloseThreadpool
    CloseThreadpoolCleanupGroup CloseThreadpoolCleanupGroupMembers CloseThreadpoolTimer CloseThreadpoolWait
    CloseThreadpoolWork CreateEventA CreateEventExW CreateEventW CreateFileA CreateFileW CreateMutexA CreateMutexExW
    CreateMutexW CreateSemaphoreA CreateSemaphoreExW CreateSemaphoreW CreateThread CreateThreadpool
    CreateThreadpoolCleanupGroup CreateThreadpoolTimer CreateThreadpoolWait CreateThreadpoolWork CreateTimerQueue
    CreateTimerQueueTimer DeleteCriticalSection DeleteFileA DeleteFileW DeleteTimerQueueEx DeleteTimerQueueTimer
    DisassociateCurrentThreadFromCallback DuplicateHandle EnterCriticalSection ExitProcess FlushFileBuffers
    FormatMessageA FormatMessageW FreeLibrary GetCurrentProcess GetCurrentProcessId GetCurrentThread GetCurrentThreadId
    GetEnvironmentVariableA GetEnvironmentVariableW GetExitCodeThread GetFileAttributesA GetFileAttributesW GetFileSize
    GetFileSizeEx GetFileType GetHandleInformation GetLastError GetModuleFileNameW GetModuleHandleA GetModuleHandleW
    GetProcAddress GetProcessHeap GetStdHandle GetSystemInfo GetSystemTime GetSystemTimeAsFileTime GetThreadId
    GetThreadPriority GetTickCount GetTickCount64 GlobalAlloc GlobalFree HeapAlloc HeapFree HeapReAlloc HeapSize
    InitOnceBeginInitialize InitOnceComplete InitOnceExecuteOnce InitOnceInitialize InitializeConditionVariable
    InitializeCriticalSection InitializeCriticalSectionAndSpinCount InitializeCriticalSectionEx InitializeSRWLock
    IsThreadpoolTimerSet LeaveCriticalSection LeaveCriticalSectionWhenCallbackReturns LoadLibraryA LoadLibraryExW
    LoadLibraryW LocalAlloc LocalFree MultiByteToWideChar OpenEventW OpenMutexW OpenSemaphoreW PFXImportCertStore
    PortableWinHttpClientCertificateFromPem QueryPerformanceCounter QueryPerformanceFrequency QueueUserWorkItem ReadFile
    RegisterWaitForSingleObject ReleaseMutex ReleaseMutexWhenCallbackReturns ReleaseSRWLockExclusive
    ReleaseSRWLockShared ReleaseSemaphore ReleaseSemaphoreWhenCallbackReturns ResetEvent ResumeThread
    RtlNtStatusToDosError SetEndOfFile SetEnvironmentVariableW SetEvent SetEventWhenCallbackReturns SetFilePointer
    SetFilePointerEx SetHandleInformation SetLastError SetThreadPriority SetThreadpoolThreadMaximum
    SetThreadpoolThreadMinimum SetThreadpoolTimer SetThreadpoolTimerEx SetThreadpoolWait Sleep SleepConditionVariableCS
    SleepConditionVariableSRW SleepEx SubmitThreadpoolWork TryAcquireSRWLockExclusive TryAcquireSRWLockShared
    TryEnterCriticalSection TrySubmitThreadpoolCallback UnregisterWait UnregisterWaitEx UrlCombineW
    WaitForMultipleObjects WaitForMultipleObjectsEx WaitForSingleObject WaitForSingleObjectEx
    WaitForThreadpoolTimerCallbacks WaitForThreadpoolWaitCallbacks WaitForThreadpoolWorkCallbacks WaitOnAddress
    WakeAllConditionVariable WakeByAddressAll WakeByAddressSingle WakeConditionVariable WideCharToMultiByte
    WinHttpAddRequestHeaders WinHttpAddRequestHeadersEx WinHttpCheckPlatform WinHttpCloseHandle WinHttpConnect
    WinHttpConnectionDeletePolicyEntries WinHttpConnectionDeleteProxyInfo WinHttpConnectionSetPolicyEntries
    WinHttpConnectionSetProxyInfo WinHttpConnectionUpdateIfIndexTable WinHttpCrackUrl WinHttpCreateProxyResolver
    WinHttpCreateUrl WinHttpDetectAutoProxyConfigUrl WinHttpFreeProxyResult WinHttpFreeProxyResultEx
    WinHttpFreeProxySettings WinHttpFreeProxySettingsEx WinHttpFreeQueryConnectionGroupResult
    WinHttpGetDefaultProxyConfiguration WinHttpGetIEProxyConfigForCurrentUser WinHttpGetProxyForUrl
    WinHttpGetProxyForUrlEx WinHttpGetProxyForUrlEx2 WinHttpGetProxyResult WinHttpGetProxyResultEx
    WinHttpGetProxySettingsEx WinHttpGetProxySettingsResultEx WinHttpGetProxySettingsVersion
    WinHttpIsHostInProxyBypassList WinHttpOpen WinHttpOpenRequest WinHttpProtocolCompleteUpgrade WinHttpProtocolReceive
    WinHttpProtocolSend WinHttpQueryAuthParams WinHttpQueryAuthSchemes WinHttpQueryConnectionGroup
    WinHttpQueryDataAvailable WinHttpQueryHeaders WinHttpQueryHeadersEx WinHttpQueryOption WinHttpReadData
    WinHttpReadDataEx WinHttpReadProxySettings WinHttpReceiveResponse WinHttpRegisterProxyChangeNotification
    WinHttpResetAutoProxy WinHttpSendRequest WinHttpSetCredentials WinHttpSetDefaultProxyConfiguration WinHttpSetOption
    WinHttpSetProxySettingsPerUser WinHttpSetStatusCallback WinHttpSetTimeouts WinHttpTimeFromSystemTime
    WinHttpTimeToSystemTime WinHttpUnregisterProxyChangeNotification WinHttpWebSocketClose
    WinHttpWebSocketCompleteUpgrade WinHttpWebSocketQueryCloseStatus WinHttpWebSocketReceive WinHttpWebSocketSend
    WinHttpWebSocketShutdown WinHttpWriteData WinHttpWriteProxySettings WriteFile
}
