/* What the Windows headers have as macros and inline functions. */
#ifndef PORTABLE_WINHTTP_MACROS_H
#define PORTABLE_WINHTTP_MACROS_H

#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "kernel.h"
#include "narrow_format.h"

#ifndef WINVER
#define WINVER 0x0A00
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#define NTDDI_WIN10 0x0A000000
#ifndef MAX_PATH
#define MAX_PATH 260
#endif
#define MAXDWORD 0xffffffffu
#ifndef UNICODE
#define UNICODE 1
#endif
#ifndef _UNICODE
#define _UNICODE 1
#endif

#define IN
#define OUT
#define OPTIONAL
#define CONST const
#define NTAPI
#define STDMETHODCALLTYPE
#define FORCEINLINE static __inline
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define __stdcall
#define __cdecl
#define _cdecl
#define __fastcall
/* What means something is said in the compiler's words, what means nothing here is left out; anything else does not compile. */
#define __declspec(what) pwh_declspec_##what
#define pwh_declspec_thread __thread
#define pwh_declspec_align(bytes) __attribute__((aligned(bytes)))
#define pwh_declspec_noreturn __attribute__((noreturn))
#define pwh_declspec_noinline __attribute__((noinline))
#define pwh_declspec_selectany __attribute__((weak))
#define pwh_declspec_deprecated __attribute__((deprecated))
#define pwh_declspec_dllexport
#define pwh_declspec_dllimport
#define pwh_declspec_novtable
#define pwh_declspec_nothrow
#define pwh_declspec_noalias
#define pwh_declspec_restrict
#define pwh_declspec_allocator
#define pwh_declspec_empty_bases
#define pwh_declspec_uuid(text)
#ifndef __forceinline
#define __forceinline __inline
#endif
#define __int64 long long
#define __pragma(what)
#define UNREFERENCED_PARAMETER(parameter) ((void)(parameter))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(variable) ((void)(variable))

/* Annotations: of SAL 2 only, whose names no C++ library uses. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(size)
#define _In_reads_opt_(size)
#define _In_reads_bytes_(size)
#define _In_reads_bytes_opt_(size)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(size)
#define _Inout_updates_bytes_(size)
#define _Out_
#define _Out_opt_
#define _Out_writes_(size)
#define _Out_writes_opt_(size)
#define _Out_writes_z_(size)
#define _Out_writes_bytes_(size)
#define _Out_writes_bytes_to_(size, count)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Ret_maybenull_
#define _Check_return_
#define _Must_inspect_result_
#define _Success_(what)
#define _Printf_format_string_
#define _Use_decl_annotations_
#define _Pre_maybenull_
#define _Null_terminated_
#define _Frees_ptr_opt_
#define _Reserved_
#define _When_(condition, annotations)
#define _Field_size_(size)
#define _Field_size_bytes_(size)
#define _Analysis_assume_(what)
#define __analysis_assume(what)

#define LOBYTE(word) ((BYTE)((DWORD_PTR)(word) & 0xff))
#define HIBYTE(word) ((BYTE)(((DWORD_PTR)(word) >> 8) & 0xff))
#define LOWORD(dword) ((WORD)((DWORD_PTR)(dword) & 0xffff))
#define HIWORD(dword) ((WORD)(((DWORD_PTR)(dword) >> 16) & 0xffff))
#define MAKEWORD(low, high) ((WORD)(((BYTE)(low)) | (((WORD)(BYTE)(high)) << 8)))
#define MAKELONG(low, high) ((LONG)(((WORD)(low)) | (((DWORD)(WORD)(high)) << 16)))
#define MAKELANGID(primary, sub) ((WORD)(((WORD)(sub) << 10) | (WORD)(primary)))
#define LANG_NEUTRAL 0
#define LANG_ENGLISH 9
#define SUBLANG_DEFAULT 1
#define SUBLANG_ENGLISH_US 1
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))
#define _countof(array) (sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ZeroMemory(destination, length) memset((destination), 0, (length))
#define FillMemory(destination, length, fill) memset((destination), (fill), (length))
#define CopyMemory(destination, source, length) memcpy((destination), (source), (length))
#define MoveMemory(destination, source, length) memmove((destination), (source), (length))
#define SecureZeroMemory(destination, length) explicit_bzero((destination), (length))
#define RtlZeroMemory ZeroMemory
#define Int32x32To64(a, b) ((LONGLONG)(LONG)(a) * (LONGLONG)(LONG)(b))
#define UInt32x32To64(a, b) ((ULONGLONG)(UINT)(a) * (ULONGLONG)(UINT)(b))
#define CONTAINING_RECORD(address, type, field) ((type *)((char *)(address) - offsetof(type, field)))
#if !defined(NOMINMAX) && defined(__cplusplus) && __cplusplus >= 201103L
/* Not macros, which the standard library's headers could not bear. */
#ifndef max
template <class One, class Other> constexpr auto max(const One &one, const Other &other) -> decltype(one > other ? one : other)
{
    return one > other ? one : other;
}
#endif
#ifndef min
template <class One, class Other> constexpr auto min(const One &one, const Other &other) -> decltype(one < other ? one : other)
{
    return one < other ? one : other;
}
#endif
#endif
#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#define NO_ERROR 0
#define ERROR_OPEN_FAILED 110
#define ERROR_HANDLE_EOF 38
#define ERROR_SEM_TIMEOUT 121
#define ERROR_BUFFER_OVERFLOW 111
#define ERROR_NOT_FOUND 1168
#define ERROR_CANCELLED 1223
#define ERROR_INVALID_DATA 13
#define ERROR_OUTOFMEMORY 14
#define ERROR_BAD_FORMAT 11
#define ERROR_INVALID_STATE 5023
#define ERROR_UNHANDLED_EXCEPTION 574
#define ERROR_ARITHMETIC_OVERFLOW 534
#define ERROR_OPERATION_ABORTED 995
#define ERROR_INTERNAL_ERROR 1359
#define ERROR_INVALID_NAME 123
#define ERROR_BAD_ARGUMENTS 160
#ifndef ERROR_MORE_DATA
#define ERROR_MORE_DATA 234
#endif

/* Numbers of winerror.h that none of the headers above has, for those who compare with them. */
#define ERROR_INVALID_FUNCTION 1
#define ERROR_TOO_MANY_OPEN_FILES 4
#define ERROR_NOT_READY 21
#define ERROR_WRITE_FAULT 29
#define ERROR_READ_FAULT 30
#define ERROR_SHARING_VIOLATION 32
#define ERROR_LOCK_VIOLATION 33
#define ERROR_HANDLE_DISK_FULL 39
#define ERROR_DEV_NOT_EXIST 55
#define ERROR_NETNAME_DELETED 64
#define ERROR_CANNOT_MAKE 82
#define ERROR_DISK_FULL 112
#define ERROR_DIR_NOT_EMPTY 145
#define ERROR_BUSY 170
#define ERROR_FILENAME_EXCED_RANGE 206
#define ERROR_BAD_PIPE 230
#define ERROR_PIPE_BUSY 231
#define ERROR_NO_DATA 232
#define ERROR_PIPE_NOT_CONNECTED 233
#define ERROR_DIRECTORY 267
#define ERROR_IO_INCOMPLETE 996
#define ERROR_NOACCESS 998
#define ERROR_STACK_OVERFLOW 1001
#define ERROR_NO_TOKEN 1008
#define ERROR_SERVICE_DOES_NOT_EXIST 1060
#define ERROR_DLL_INIT_FAILED 1114
#define ERROR_SHUTDOWN_IN_PROGRESS 1115
#define ERROR_NO_NETWORK 1222
#define ERROR_CONNECTION_REFUSED 1225
#define ERROR_GRACEFUL_DISCONNECT 1226
#define ERROR_NETWORK_UNREACHABLE 1231
#define ERROR_HOST_UNREACHABLE 1232
#define ERROR_PORT_UNREACHABLE 1234
#define ERROR_REQUEST_ABORTED 1235
#define ERROR_CONNECTION_ABORTED 1236
#define ERROR_RETRY 1237
#define ERROR_NOT_ALL_ASSIGNED 1300
#define ERROR_PRIVILEGE_NOT_HELD 1314
#define ERROR_INVALID_WINDOW_HANDLE 1400
#define ERROR_RESOURCE_TYPE_NOT_FOUND 1813
#define ERROR_RESOURCE_NAME_NOT_FOUND 1814

#define S_OK ((HRESULT)0)
#define S_FALSE ((HRESULT)1)
#define E_FAIL ((HRESULT)0x80004005)
#define E_ABORT ((HRESULT)0x80004004)
#define E_POINTER ((HRESULT)0x80004003)
#define E_NOTIMPL ((HRESULT)0x80004001)
#define E_UNEXPECTED ((HRESULT)0x8000ffff)
#define E_OUTOFMEMORY ((HRESULT)0x8007000e)
#define E_PENDING ((HRESULT)0x8000000a)
#define E_BOUNDS ((HRESULT)0x8000000b)
#define E_ACCESSDENIED ((HRESULT)0x80070005)
#define E_HANDLE ((HRESULT)0x80070006)
#ifndef E_INVALIDARG
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif
#define FACILITY_WIN32 7
#define SUCCEEDED(result) (((HRESULT)(result)) >= 0)
#define FAILED(result) (((HRESULT)(result)) < 0)
#define HRESULT_CODE(result) ((result) & 0xffff)
#define HRESULT_FACILITY(result) (((result) >> 16) & 0x1fff)
#define __HRESULT_FROM_WIN32(error) HRESULT_FROM_WIN32(error)
static __inline HRESULT HRESULT_FROM_WIN32(unsigned long error)
{
    return (HRESULT)error <= 0 ? (HRESULT)error : (HRESULT)((error & 0xffff) | (FACILITY_WIN32 << 16) | 0x80000000u);
}

#define CreateEvent CreateEventW
#define CreateEventEx CreateEventExW
#define CreateMutex CreateMutexW
#define CreateMutexEx CreateMutexExW
#define CreateSemaphore CreateSemaphoreW
#define CreateSemaphoreEx CreateSemaphoreExW
#define OpenEvent OpenEventW
#define OpenMutex OpenMutexW
#define OpenSemaphore OpenSemaphoreW
#define CreateFile CreateFileW
#define DeleteFile DeleteFileW
#define GetFileAttributes GetFileAttributesW
#define FormatMessage FormatMessageW
#define GetModuleHandle GetModuleHandleW
#define LoadLibrary LoadLibraryW
#define LoadLibraryEx LoadLibraryExW
#define GetModuleFileName GetModuleFileNameW
#define UrlCombine UrlCombineW
#define OutputDebugString OutputDebugStringW

#define GetEnvironmentVariable GetEnvironmentVariableW
#define SetEnvironmentVariable SetEnvironmentVariableW

/* Types of windows and the registry, which programs name in their interfaces. */
typedef struct HWND__ *HWND;
typedef struct HKEY__ *HKEY, **PHKEY;
typedef struct HMENU__ *HMENU;
typedef struct HICON__ *HICON;
typedef LONG_PTR LRESULT;
typedef UINT_PTR WPARAM;
typedef LONG_PTR LPARAM;
typedef LONG LSTATUS;
typedef WORD ATOM;
typedef DWORD LCID;
typedef WORD LANGID;
#ifndef _TCHAR_DEFINED
#define _TCHAR_DEFINED
typedef WCHAR TCHAR, *PTSTR, *LPTSTR;
typedef const WCHAR *PCTSTR, *LPCTSTR;
#endif

typedef GUID IID, CLSID, *LPGUID;
#ifdef __cplusplus
typedef const GUID &REFGUID, &REFIID, &REFCLSID;
static __inline int IsEqualGUID(REFGUID one, REFGUID other)
{
    return memcmp(&one, &other, sizeof(GUID)) == 0;
}
static __inline bool operator==(REFGUID one, REFGUID other)
{
    return IsEqualGUID(one, other) != 0;
}
static __inline bool operator!=(REFGUID one, REFGUID other)
{
    return IsEqualGUID(one, other) == 0;
}
#else
typedef const GUID *REFGUID, *REFIID, *REFCLSID;
#define IsEqualGUID(one, other) (memcmp((one), (other), sizeof(GUID)) == 0)
#endif
#define IsEqualIID(one, other) IsEqualGUID(one, other)
#define IsEqualCLSID(one, other) IsEqualGUID(one, other)

#define pwh_TEXT(text) L##text
#define TEXT(text) pwh_TEXT(text)

#define THREAD_PRIORITY_IDLE (-15)
#define THREAD_PRIORITY_LOWEST (-2)
#define THREAD_PRIORITY_BELOW_NORMAL (-1)
#define THREAD_PRIORITY_NORMAL 0
#define THREAD_PRIORITY_ABOVE_NORMAL 1
#define THREAD_PRIORITY_HIGHEST 2
#define THREAD_PRIORITY_TIME_CRITICAL 15
#define THREAD_PRIORITY_ERROR_RETURN INT_MAX

#ifdef LC_ALL_MASK
/* A locale of the C library, which MSVC calls by other names. A category is one of locale.h. */
typedef locale_t _locale_t;
static __inline _locale_t _create_locale(int category, const char *name)
{
    return newlocale(category == LC_ALL ? LC_ALL_MASK : 1 << category, name, (locale_t)0);
}
static __inline void _free_locale(_locale_t locale)
{
    freelocale(locale);
}
#endif

/* Nothing here makes them: exceptions of Windows are signals on other systems. */
typedef struct _EXCEPTION_POINTERS {
    struct _EXCEPTION_RECORD *ExceptionRecord;
    struct _CONTEXT *ContextRecord;
} EXCEPTION_POINTERS, *PEXCEPTION_POINTERS, *LPEXCEPTION_POINTERS;

static __inline void OutputDebugStringA(LPCSTR text)
{
    fputs(text, stderr);
}
static __inline void OutputDebugStringW(LPCWSTR text)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *narrow = (char *)malloc((size_t)size + 1);
    if (narrow && WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, size, NULL, NULL) > 0)
        fputs(narrow, stderr);
    free(narrow);
}
static __inline void DebugBreak(void)
{
    __builtin_trap();
}
static __inline BOOL IsDebuggerPresent(void)
{
    return FALSE;
}
/* The world's time, by the zone of the process. */
static __inline void GetLocalTime(SYSTEMTIME *time)
{
    FILETIME now;
    ULONGLONG ticks;
    time_t seconds;
    struct tm local;
    GetSystemTimeAsFileTime(&now);
    ticks = ((ULONGLONG)now.dwHighDateTime << 32) + now.dwLowDateTime;
    seconds = (time_t)(ticks / 10000000 - 11644473600);
/* What glibc, Apple's library and musl declare it for. */
#if defined(__USE_POSIX) || defined(__APPLE__) || defined(_POSIX_C_SOURCE) || defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
    localtime_r(&seconds, &local);
#else
    local = *localtime(&seconds);
#endif
    time->wYear = (WORD)(local.tm_year + 1900);
    time->wMonth = (WORD)(local.tm_mon + 1);
    time->wDayOfWeek = (WORD)local.tm_wday;
    time->wDay = (WORD)local.tm_mday;
    time->wHour = (WORD)local.tm_hour;
    time->wMinute = (WORD)local.tm_min;
    time->wSecond = (WORD)local.tm_sec;
    time->wMilliseconds = (WORD)(ticks / 10000 % 1000);
}
static __inline BOOL IsWow64Process(HANDLE process, BOOL *is)
{
    (void)process;
    *is = FALSE;
    return TRUE;
}
static __inline int lstrlenW(LPCWSTR text)
{
    int length = 0;
    while (text && text[length])
        length++;
    return length;
}
static __inline int lstrlenA(LPCSTR text)
{
    return text ? (int)strlen(text) : 0;
}

#define InterlockedIncrement(target) __atomic_add_fetch((target), 1, __ATOMIC_SEQ_CST)
#define InterlockedDecrement(target) __atomic_sub_fetch((target), 1, __ATOMIC_SEQ_CST)
#define InterlockedIncrement64 InterlockedIncrement
#define InterlockedDecrement64 InterlockedDecrement
#define InterlockedExchangeAdd(target, value) __atomic_fetch_add((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedExchangeAdd64 InterlockedExchangeAdd
#define InterlockedAdd(target, value) __atomic_add_fetch((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedAnd(target, value) __atomic_fetch_and((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedOr(target, value) __atomic_fetch_or((target), (value), __ATOMIC_SEQ_CST)
#define InterlockedXor(target, value) __atomic_fetch_xor((target), (value), __ATOMIC_SEQ_CST)
static __inline LONG InterlockedExchange(LONG volatile *target, LONG value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}
static __inline LONG64 InterlockedExchange64(LONG64 volatile *target, LONG64 value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}
static __inline PVOID InterlockedExchangePointer(PVOID volatile *target, PVOID value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}
static __inline LONG InterlockedCompareExchange(LONG volatile *target, LONG value, LONG comparand)
{
    __atomic_compare_exchange_n(target, &comparand, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return comparand;
}
static __inline LONG64 InterlockedCompareExchange64(LONG64 volatile *target, LONG64 value, LONG64 comparand)
{
    __atomic_compare_exchange_n(target, &comparand, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return comparand;
}
static __inline PVOID InterlockedCompareExchangePointer(PVOID volatile *target, PVOID value, PVOID comparand)
{
    __atomic_compare_exchange_n(target, &comparand, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return comparand;
}
#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define YieldProcessor() ((void)0)

static __inline uintptr_t _beginthreadex(
    void *security, unsigned stack, unsigned (*start)(void *), void *argument, unsigned flags, unsigned *id)
{
    return (uintptr_t)CreateThread((LPSECURITY_ATTRIBUTES)security, stack, (LPTHREAD_START_ROUTINE)start, argument, flags, id);
}

#define _stricmp strcasecmp
#define _strnicmp strncasecmp
#define _strdup strdup
#define _set_errno(value) (errno = (value), 0)
#define _get_errno(value) (*(value) = errno, 0)
/* As MSVC has it: -1 and no NUL if there is no room; %I64 and %S are known, so that the compiler does not check formats. A
 * va_list stays as it was, here and below. */
static __inline int pwh_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
    size_t length = 0;
    char *whole = pwh_printed(format, arguments, &length);
    if (!whole)
        return -1;
    memcpy(buffer, whole, length < size ? length + 1 : size);
    free(whole);
    return length <= size ? (int)length : -1;
}
static __inline int pwh_snprintf(char *buffer, size_t size, const char *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = pwh_vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return made;
}
#define _snprintf pwh_snprintf
#define _vsnprintf pwh_vsnprintf
static __inline int _vscprintf(const char *format, va_list arguments)
{
    size_t length = 0;
    char *whole = pwh_printed(format, arguments, &length);
    free(whole);
    return whole ? (int)length : -1;
}
static __inline int _scprintf(const char *format, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = _vscprintf(format, arguments);
    va_end(arguments);
    return length;
}
/* As the C standard has it: what fits, with a NUL, and the length of all. */
static __inline int pwh_fitted(char *buffer, size_t size, const char *format, va_list arguments)
{
    size_t length = 0, fits;
    char *whole = pwh_printed(format, arguments, &length);
    if (!whole)
        return -1;
    fits = length < size ? length : size ? size - 1 : 0;
    if (size) {
        memcpy(buffer, whole, fits);
        buffer[fits] = 0;
    }
    free(whole);
    return (int)length;
}
/* Arguments by position are taken by all of the family here. */
#define _vscprintf_p _vscprintf
static __inline int _vsprintf_p(char *buffer, size_t size, const char *format, va_list arguments)
{
    int made = pwh_fitted(buffer, size, format, arguments);
    return made >= 0 && (size_t)made < size ? made : -1;
}
#include "bounded_text.h"

#endif
