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
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpeventattributes, BOOL bmanualreset, BOOL binitialstate, LPCSTR lpname);
HANDLE WINAPI CreateEventExW(LPSECURITY_ATTRIBUTES lpeventattributes, LPCWSTR lpname, DWORD dwflags, DWORD dwdesiredaccess);
BOOL WINAPI SetEvent(HANDLE hevent);
BOOL WINAPI ResetEvent(HANDLE hevent);
BOOL WINAPI CloseHandle(HANDLE hobject);
DWORD WINAPI WaitForSingleObject(HANDLE hhandle, DWORD dwmilliseconds);
DWORD WINAPI WaitForSingleObjectEx(HANDLE hhandle, DWORD dwmilliseconds, BOOL balertable);
DWORD WINAPI WaitForMultipleObjects(DWORD ncount, const HANDLE *lphandles, BOOL bwaitall, DWORD dwmilliseconds);
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
BOOL WINAPI TrySubmitThreadpoolCallback(PTP_SIMPLE_CALLBACK pfns, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
PTP_WORK WINAPI CreateThreadpoolWork(PTP_WORK_CALLBACK pfnwk, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
void WINAPI SubmitThreadpoolWork(PTP_WORK pwk);
void WINAPI WaitForThreadpoolWorkCallbacks(PTP_WORK pwk, BOOL fcancelpendingcallbacks);
void WINAPI CloseThreadpoolWork(PTP_WORK pwk);
PTP_TIMER WINAPI CreateThreadpoolTimer(PTP_TIMER_CALLBACK pfnti, LPVOID pv, PTP_CALLBACK_ENVIRON pcbe);
void WINAPI SetThreadpoolTimer(PTP_TIMER pti, PFILETIME pftduetime, DWORD msperiod, DWORD mswindowlength);
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
INT WINAPI MultiByteToWideChar(DWORD codepage, DWORD dwflags, LPCSTR lpmultibytestr, INT cbmultibyte, LPWSTR lpwidecharstr, INT cchwidechar);
INT WINAPI WideCharToMultiByte(DWORD codepage, DWORD dwflags, LPCWSTR lpwidecharstr, INT cchwidechar, LPSTR lpmultibytestr, INT cbmultibyte, LPCSTR lpdefaultchar, BOOL *lpuseddefaultchar);
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpthreadattributes, DWORD_PTR dwstacksize, LPTHREAD_START_ROUTINE lpstartaddress, LPVOID lpparameter, DWORD dwcreationflags, LPDWORD lpthreadid);
DWORD WINAPI ResumeThread(HANDLE hthread);
BOOL WINAPI GetExitCodeThread(HANDLE hthread, LPDWORD lpexitcode);
DWORD WINAPI GetThreadId(HANDLE thread);
HANDLE WINAPI GetCurrentProcess(void);
HANDLE WINAPI GetCurrentThread(void);
DWORD WINAPI GetCurrentProcessId(void);
void WINAPI Sleep(DWORD dwmilliseconds);
ULONGLONG WINAPI GetTickCount64(void);
DWORD WINAPI GetTickCount(void);
void WINAPI GetSystemTimeAsFileTime(FILETIME *lpsystemtimeasfiletime);
void WINAPI GetSystemTime(SYSTEMTIME *lpsystemtime);
DWORD WINAPI GetCurrentThreadId(void);
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *count);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *frequency);
INT WINAPI UrlCombineW(LPCWSTR pszbase, LPCWSTR pszrelative, LPWSTR pszcombined, LPDWORD pcchcombined, DWORD dwflags);
DWORD_PTR WINAPI Pwh_wcslen(LPCWSTR text);
DWORD_PTR WINAPI Pwh_wcsnlen(LPCWSTR text, DWORD_PTR most);
LPWSTR WINAPI Pwh_wmemcpy(LPWSTR to, LPCWSTR from, LARGE_INTEGER *count);
LPWSTR WINAPI Pwh_wmemmove(LPWSTR to, LPCWSTR from, LARGE_INTEGER *count);
LPWSTR WINAPI Pwh_wmemset(LPWSTR to, WORD unit, LARGE_INTEGER *count);
INT WINAPI Pwh_wmemcmp(LPCWSTR one, LPCWSTR other, LARGE_INTEGER *count);
LPWSTR WINAPI Pwh_wmemchr(LPCWSTR text, WORD unit, LARGE_INTEGER *count);
LPWSTR WINAPI Pwh_wcscpy(LPWSTR to, LPCWSTR from);
LPWSTR WINAPI Pwh_wcsncpy(LPWSTR to, LPCWSTR from, LARGE_INTEGER *count);
LPWSTR WINAPI Pwh_wcscat(LPWSTR to, LPCWSTR from);
LPWSTR WINAPI Pwh_wcsncat(LPWSTR to, LPCWSTR from, LARGE_INTEGER *count);
LPWSTR WINAPI Pwh_wcsdup(LPCWSTR text);
INT WINAPI Pwh_wcscmp(LPCWSTR one, LPCWSTR other);
INT WINAPI Pwh_wcsncmp(LPCWSTR one, LPCWSTR other, LARGE_INTEGER *count);
INT WINAPI Pwh_wcscasecmp(LPCWSTR one, LPCWSTR other);
INT WINAPI Pwh_wcsncasecmp(LPCWSTR one, LPCWSTR other, LARGE_INTEGER *count);
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
