/* The functions of kernel32 that are here.
 *
 * Made from the crate's source by `PORTABLE_WINHTTP_HEADERS=write cargo test --test c headers`. */
#ifndef PORTABLE_WINHTTP_KERNEL_H
#define PORTABLE_WINHTTP_KERNEL_H

#include "portable_winhttp/types.h"
#include "portable_winhttp/kernel_types.h"

#ifdef __cplusplus
extern "C" {
#endif

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpeventattributes, BOOL bmanualreset, BOOL binitialstate, LPCWSTR lpname);
HANDLE WINAPI OpenEventW(DWORD dwdesiredaccess, BOOL binherithandle, LPCWSTR lpname);
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpeventattributes, BOOL bmanualreset, BOOL binitialstate, LPCSTR lpname);
HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpeventattributes, LPCWSTR lpname, DWORD dwflags, DWORD dwdesiredaccess);
BOOL WINAPI SetEvent(HANDLE hevent);
BOOL WINAPI ResetEvent(HANDLE hevent);
DWORD WINAPI WaitForSingleObject(HANDLE hhandle, DWORD dwmilliseconds);
DWORD WINAPI WaitForSingleObjectEx(HANDLE hhandle, DWORD dwmilliseconds, BOOL balertable);
DWORD WINAPI WaitForMultipleObjects(DWORD ncount, const HANDLE *lphandles, BOOL bwaitall, DWORD dwmilliseconds);
DWORD WINAPI WaitForMultipleObjectsEx(DWORD ncount, const HANDLE *lphandles, BOOL bwaitall, DWORD dwmilliseconds, BOOL balertable);
HANDLE WINAPI CreateFileW(LPCWSTR lpfilename, DWORD dwdesiredaccess, DWORD dwsharemode, LPSECURITY_ATTRIBUTES lpsecurityattributes, DWORD dwcreationdisposition, DWORD dwflagsandattributes, HANDLE htemplatefile);
HANDLE WINAPI CreateFileA(LPCSTR lpfilename, DWORD dwdesiredaccess, DWORD dwsharemode, LPSECURITY_ATTRIBUTES lpsecurityattributes, DWORD dwcreationdisposition, DWORD dwflagsandattributes, HANDLE htemplatefile);
BOOL WINAPI ReadFile(HANDLE hfile, LPVOID lpbuffer, DWORD nnumberofbytestoread, LPDWORD lpnumberofbytesread, LPOVERLAPPED lpoverlapped);
BOOL WINAPI WriteFile(HANDLE hfile, LPCVOID lpbuffer, DWORD nnumberofbytestowrite, LPDWORD lpnumberofbyteswritten, LPOVERLAPPED lpoverlapped);
BOOL WINAPI SetFilePointerEx(HANDLE hfile, LARGE_INTEGER lidistancetomove, PLARGE_INTEGER lpnewfilepointer, DWORD dwmovemethod);
DWORD WINAPI SetFilePointer(HANDLE hfile, INT ldistancetomove, INT *lpdistancetomovehigh, DWORD dwmovemethod);
BOOL WINAPI GetFileSizeEx(HANDLE hfile, PLARGE_INTEGER lpfilesize);
DWORD WINAPI GetFileSize(HANDLE hfile, LPDWORD lpfilesizehigh);
BOOL WINAPI FlushFileBuffers(HANDLE hfile);
BOOL WINAPI SetEndOfFile(HANDLE hfile);
DWORD WINAPI GetFileAttributesW(LPCWSTR lpfilename);
DWORD WINAPI GetFileAttributesA(LPCSTR lpfilename);
BOOL WINAPI DeleteFileW(LPCWSTR lpfilename);
BOOL WINAPI DeleteFileA(LPCSTR lpfilename);
BOOL WINAPI CloseHandle(HANDLE hobject);
BOOL WINAPI DuplicateHandle(HANDLE hsourceprocesshandle, HANDLE hsourcehandle, HANDLE htargetprocesshandle, HANDLE *lptargethandle, DWORD dwdesiredaccess, BOOL binherithandle, DWORD dwoptions);
BOOL WINAPI GetHandleInformation(HANDLE hobject, LPDWORD lpdwflags);
BOOL WINAPI SetHandleInformation(HANDLE hobject, DWORD dwmask, DWORD dwflags);
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwerrcode);
void WINAPI InitializeCriticalSection(LPCRITICAL_SECTION lpcriticalsection);
BOOL WINAPI InitializeCriticalSectionAndSpinCount(LPCRITICAL_SECTION lpcriticalsection, DWORD dwspincount);
BOOL WINAPI InitializeCriticalSectionEx(LPCRITICAL_SECTION lpcriticalsection, DWORD dwspincount, DWORD flags);
void WINAPI EnterCriticalSection(LPCRITICAL_SECTION lpcriticalsection);
BOOL WINAPI TryEnterCriticalSection(LPCRITICAL_SECTION lpcriticalsection);
void WINAPI LeaveCriticalSection(LPCRITICAL_SECTION lpcriticalsection);
void WINAPI DeleteCriticalSection(LPCRITICAL_SECTION lpcriticalsection);
void WINAPI InitializeSRWLock(PSRWLOCK srwlock);
void WINAPI AcquireSRWLockExclusive(PSRWLOCK srwlock);
void WINAPI AcquireSRWLockShared(PSRWLOCK srwlock);
BYTE WINAPI TryAcquireSRWLockExclusive(PSRWLOCK srwlock);
BYTE WINAPI TryAcquireSRWLockShared(PSRWLOCK srwlock);
void WINAPI ReleaseSRWLockExclusive(PSRWLOCK srwlock);
void WINAPI ReleaseSRWLockShared(PSRWLOCK srwlock);
void WINAPI InitializeConditionVariable(PCONDITION_VARIABLE conditionvariable);
BOOL WINAPI SleepConditionVariableSRW(PCONDITION_VARIABLE conditionvariable, PSRWLOCK srwlock, DWORD dwmilliseconds, DWORD flags);
BOOL WINAPI SleepConditionVariableCS(PCONDITION_VARIABLE conditionvariable, PCRITICAL_SECTION criticalsection, DWORD dwmilliseconds);
void WINAPI WakeConditionVariable(PCONDITION_VARIABLE conditionvariable);
void WINAPI WakeAllConditionVariable(PCONDITION_VARIABLE conditionvariable);
LPVOID WINAPI GlobalAlloc(DWORD uflags, DWORD_PTR dwbytes);
LPVOID WINAPI GlobalFree(LPVOID hmem);
LPVOID WINAPI LocalAlloc(DWORD uflags, DWORD_PTR ubytes);
LPVOID WINAPI LocalFree(LPVOID hmem);
HANDLE WINAPI GetProcessHeap(void);
LPVOID WINAPI HeapAlloc(HANDLE hheap, DWORD dwflags, DWORD_PTR dwbytes);
BOOL WINAPI HeapFree(HANDLE hheap, DWORD dwflags, LPVOID lpmem);
DWORD WINAPI FormatMessageW(DWORD dwflags, LPCVOID lpsource, DWORD dwmessageid, DWORD dwlanguageid, LPWSTR lpbuffer, DWORD nsize, LPVOID arguments);
DWORD WINAPI FormatMessageA(DWORD dwflags, LPCVOID lpsource, DWORD dwmessageid, DWORD dwlanguageid, LPSTR lpbuffer, DWORD nsize, LPVOID arguments);
HANDLE WINAPI GetModuleHandleW(LPCWSTR lpmodulename);
HANDLE WINAPI GetModuleHandleA(LPCSTR lpmodulename);
HANDLE WINAPI LoadLibraryW(LPCWSTR lplibfilename);
HANDLE WINAPI LoadLibraryA(LPCSTR lplibfilename);
HANDLE WINAPI LoadLibraryExW(LPCWSTR lplibfilename, HANDLE hfile, DWORD dwflags);
BOOL WINAPI FreeLibrary(HANDLE hlibmodule);
FARPROC WINAPI GetProcAddress(HANDLE hmodule, LPCSTR lpprocname);
DWORD WINAPI GetModuleFileNameW(HANDLE hmodule, LPWSTR lpfilename, DWORD nsize);
HANDLE WINAPI CreateMutexW(LPSECURITY_ATTRIBUTES lpmutexattributes, BOOL binitialowner, LPCWSTR lpname);
HANDLE WINAPI CreateMutexA(LPSECURITY_ATTRIBUTES lpmutexattributes, BOOL binitialowner, LPCSTR lpname);
HANDLE WINAPI CreateMutexExW(LPSECURITY_ATTRIBUTES lpmutexattributes, LPCWSTR lpname, DWORD dwflags, DWORD dwdesiredaccess);
HANDLE WINAPI OpenMutexW(DWORD dwdesiredaccess, BOOL binherithandle, LPCWSTR lpname);
BOOL WINAPI ReleaseMutex(HANDLE hmutex);
HANDLE WINAPI CreateSemaphoreW(LPSECURITY_ATTRIBUTES lpsemaphoreattributes, INT linitialcount, INT lmaximumcount, LPCWSTR lpname);
HANDLE WINAPI CreateSemaphoreA(LPSECURITY_ATTRIBUTES lpsemaphoreattributes, INT linitialcount, INT lmaximumcount, LPCSTR lpname);
HANDLE WINAPI CreateSemaphoreExW(LPSECURITY_ATTRIBUTES lpsemaphoreattributes, INT linitialcount, INT lmaximumcount, LPCWSTR lpname, DWORD dwflags, DWORD dwdesiredaccess);
HANDLE WINAPI OpenSemaphoreW(DWORD dwdesiredaccess, BOOL binherithandle, LPCWSTR lpname);
BOOL WINAPI ReleaseSemaphore(HANDLE hsemaphore, INT lreleasecount, INT *lppreviouscount);
DWORD WINAPI RtlNtStatusToDosError(NTSTATUS status);
void WINAPI InitOnceInitialize(PINIT_ONCE initonce);
BOOL WINAPI InitOnceExecuteOnce(PINIT_ONCE initonce, PINIT_ONCE_FN initfn, LPVOID parameter, LPVOID *context);
BOOL WINAPI InitOnceBeginInitialize(LPINIT_ONCE lpinitonce, DWORD dwflags, BOOL *fpending, LPVOID *lpcontext);
BOOL WINAPI InitOnceComplete(LPINIT_ONCE lpinitonce, DWORD dwflags, LPVOID lpcontext);
BOOL WINAPI WaitOnAddress(volatile void *address, PVOID compareaddress, DWORD_PTR addresssize, DWORD dwmilliseconds);
void WINAPI WakeByAddressSingle(PVOID address);
void WINAPI WakeByAddressAll(PVOID address);
BOOL WINAPI TrySubmitThreadpoolCallback(PTP_SIMPLE_CALLBACK pfns, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
BOOL WINAPI QueueUserWorkItem(LPTHREAD_START_ROUTINE function, LPVOID context, DWORD flags);
PTP_WORK WINAPI CreateThreadpoolWork(PTP_WORK_CALLBACK pfnwk, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
void WINAPI SubmitThreadpoolWork(PTP_WORK pwk);
void WINAPI WaitForThreadpoolWorkCallbacks(PTP_WORK pwk, BOOL fcancelpendingcallbacks);
void WINAPI CloseThreadpoolWork(PTP_WORK pwk);
PTP_POOL WINAPI CreateThreadpool(LPVOID reserved);
void WINAPI SetThreadpoolThreadMaximum(PTP_POOL ptpp, DWORD cthrdmost);
BOOL WINAPI SetThreadpoolThreadMinimum(PTP_POOL ptpp, DWORD cthrdmic);
void WINAPI CloseThreadpool(PTP_POOL ptpp);
PTP_CLEANUP_GROUP WINAPI CreateThreadpoolCleanupGroup(void);
void WINAPI CloseThreadpoolCleanupGroupMembers(PTP_CLEANUP_GROUP ptpcg, BOOL fcancelpendingcallbacks, LPVOID pvcleanupcontext);
void WINAPI CloseThreadpoolCleanupGroup(PTP_CLEANUP_GROUP ptpcg);
BOOL WINAPI CallbackMayRunLong(PTP_CALLBACK_INSTANCE pci);
void WINAPI DisassociateCurrentThreadFromCallback(PTP_CALLBACK_INSTANCE pci);
void WINAPI SetEventWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE evt);
void WINAPI ReleaseSemaphoreWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE sem, DWORD crel);
void WINAPI ReleaseMutexWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, HANDLE mutex);
void WINAPI LeaveCriticalSectionWhenCallbackReturns(PTP_CALLBACK_INSTANCE pci, PCRITICAL_SECTION pcs);
PTP_TIMER WINAPI CreateThreadpoolTimer(PTP_TIMER_CALLBACK pfnti, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
void WINAPI SetThreadpoolTimer(PTP_TIMER pti, PFILETIME pftduetime, DWORD msperiod, DWORD mswindowlength);
BOOL WINAPI SetThreadpoolTimerEx(PTP_TIMER pti, PFILETIME pftduetime, DWORD msperiod, DWORD mswindowlength);
BOOL WINAPI IsThreadpoolTimerSet(PTP_TIMER pti);
void WINAPI WaitForThreadpoolTimerCallbacks(PTP_TIMER pti, BOOL fcancelpendingcallbacks);
void WINAPI CloseThreadpoolTimer(PTP_TIMER pti);
HANDLE WINAPI CreateTimerQueue(void);
BOOL WINAPI CreateTimerQueueTimer(HANDLE *phnewtimer, HANDLE timerqueue, WAITORTIMERCALLBACK callback, LPVOID parameter, DWORD duetime, DWORD period, DWORD flags);
BOOL WINAPI ChangeTimerQueueTimer(HANDLE timerqueue, HANDLE timer, DWORD duetime, DWORD period);
BOOL WINAPI DeleteTimerQueueTimer(HANDLE timerqueue, HANDLE timer, HANDLE completionevent);
BOOL WINAPI DeleteTimerQueueEx(HANDLE timerqueue, HANDLE completionevent);
BOOL WINAPI RegisterWaitForSingleObject(HANDLE *phnewwaitobject, HANDLE hobject, WAITORTIMERCALLBACK callback, LPVOID context, DWORD dwmilliseconds, DWORD dwflags);
BOOL WINAPI UnregisterWait(HANDLE waithandle);
BOOL WINAPI UnregisterWaitEx(HANDLE waithandle, HANDLE completionevent);
PTP_WAIT WINAPI CreateThreadpoolWait(PTP_WAIT_CALLBACK pfnwa, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
void WINAPI SetThreadpoolWait(PTP_WAIT pwa, HANDLE h, PFILETIME pfttimeout);
void WINAPI WaitForThreadpoolWaitCallbacks(PTP_WAIT pwa, BOOL fcancelpendingcallbacks);
void WINAPI CloseThreadpoolWait(PTP_WAIT pwa);
HANDLE WINAPI GetStdHandle(DWORD nstdhandle);
DWORD WINAPI GetFileType(HANDLE hfile);
INT WINAPI MultiByteToWideChar(DWORD codepage, DWORD dwflags, LPCSTR lpmultibytestr, INT cbmultibyte, LPWSTR lpwidecharstr, INT cchwidechar);
INT WINAPI WideCharToMultiByte(DWORD codepage, DWORD dwflags, LPCWSTR lpwidecharstr, INT cchwidechar, LPSTR lpmultibytestr, INT cbmultibyte, LPCSTR lpdefaultchar, BOOL *lpuseddefaultchar);
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpthreadattributes, DWORD_PTR dwstacksize, LPTHREAD_START_ROUTINE lpstartaddress, LPVOID lpparameter, DWORD dwcreationflags, LPDWORD lpthreadid);
DWORD WINAPI ResumeThread(HANDLE hthread);
BOOL WINAPI GetExitCodeThread(HANDLE hthread, LPDWORD lpexitcode);
BOOL WINAPI SetThreadPriority(HANDLE hthread, INT npriority);
INT WINAPI GetThreadPriority(HANDLE hthread);
DWORD WINAPI GetThreadId(HANDLE thread);
HANDLE WINAPI GetCurrentProcess(void);
HANDLE WINAPI GetCurrentThread(void);
DWORD WINAPI GetCurrentProcessId(void);
void WINAPI Sleep(DWORD dwmilliseconds);
DWORD WINAPI SleepEx(DWORD dwmilliseconds, BOOL balertable);
ULONGLONG WINAPI GetTickCount64(void);
DWORD WINAPI GetTickCount(void);
void WINAPI GetSystemTimeAsFileTime(FILETIME *lpsystemtimeasfiletime);
void WINAPI GetSystemTime(SYSTEMTIME *lpsystemtime);
DWORD WINAPI GetCurrentThreadId(void);
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpperformancecount);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpfrequency);
INT WINAPI UrlCombineW(LPCWSTR pszbase, LPCWSTR pszrelative, LPWSTR pszcombined, LPDWORD pcchcombined, DWORD dwflags);
DWORD_PTR WINAPI Pwh_wcslen(LPCWSTR text);
DWORD_PTR WINAPI Pwh_wcsnlen(LPCWSTR text, DWORD_PTR most);
LPWSTR WINAPI Pwh_wmemcpy(LPWSTR to, LPCWSTR from, DWORD_PTR count);
LPWSTR WINAPI Pwh_wmemmove(LPWSTR to, LPCWSTR from, DWORD_PTR count);
LPWSTR WINAPI Pwh_wmemset(LPWSTR to, WORD unit, DWORD_PTR count);
INT WINAPI Pwh_wmemcmp(LPCWSTR one, LPCWSTR other, DWORD_PTR count);
LPWSTR WINAPI Pwh_wmemchr(LPCWSTR text, WORD unit, DWORD_PTR count);
LPWSTR WINAPI Pwh_wcscpy(LPWSTR to, LPCWSTR from);
LPWSTR WINAPI Pwh_wcsncpy(LPWSTR to, LPCWSTR from, DWORD_PTR count);
LPWSTR WINAPI Pwh_wcscat(LPWSTR to, LPCWSTR from);
LPWSTR WINAPI Pwh_wcsncat(LPWSTR to, LPCWSTR from, DWORD_PTR count);
LPWSTR WINAPI Pwh_wcsdup(LPCWSTR text);
INT WINAPI Pwh_wcscmp(LPCWSTR one, LPCWSTR other);
INT WINAPI Pwh_wcsncmp(LPCWSTR one, LPCWSTR other, DWORD_PTR count);
INT WINAPI Pwh_wcscasecmp(LPCWSTR one, LPCWSTR other);
INT WINAPI Pwh_wcsncasecmp(LPCWSTR one, LPCWSTR other, DWORD_PTR count);
LPWSTR WINAPI Pwh_wcschr(LPCWSTR text, WORD unit);
LPWSTR WINAPI Pwh_wcsrchr(LPCWSTR text, WORD unit);
DWORD_PTR WINAPI Pwh_wcsspn(LPCWSTR text, LPCWSTR set);
DWORD_PTR WINAPI Pwh_wcscspn(LPCWSTR text, LPCWSTR set);
LPWSTR WINAPI Pwh_wcspbrk(LPCWSTR text, LPCWSTR set);
LPWSTR WINAPI Pwh_wcsstr(LPCWSTR text, LPCWSTR part);
LPWSTR WINAPI Pwh_wcstok(LPWSTR text, LPCWSTR set, LPWSTR *next);
LONGLONG WINAPI Pwh_wcstoll(LPCWSTR text, LPWSTR *end, INT base);
ULONGLONG WINAPI Pwh_wcstoull(LPCWSTR text, LPWSTR *end, INT base);
double WINAPI Pwh_wcstod(LPCWSTR text, LPWSTR *end);

#ifdef __cplusplus
}
#endif

#endif
