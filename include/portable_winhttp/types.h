/* The basic types of Windows: fixed widths, whatever the platform's `long` is.
 *
 * A program's own `typedef unsigned long DWORD` cannot be reconciled with this header: on 64-bit Linux and macOS that is
 * 8 bytes, in every interface of Windows it is 4.
 */
#ifndef PORTABLE_WINHTTP_TYPES_H
#define PORTABLE_WINHTTP_TYPES_H

#ifdef _WIN32
#error "portable-winhttp's headers are for systems other than Windows; the Windows SDK has its own"
#endif
#if defined(__WINE__) || defined(__WINE_WINDEF_H) || defined(__WINE_WINBASE_H) || defined(__WINE_WINHTTP_H) \
    || defined(_WINDEF_) || defined(_WINNT_) || defined(_WINHTTPX_)
#error "other Windows headers (Wine's?) come before portable-winhttp's: they have another calling convention"
#endif

#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <assert.h>
#endif

#ifdef __cplusplus
#define PWH_ASSERT(condition, text) static_assert(condition, text)
#include <cstddef>
#if defined(__WCHAR_MAX__) && __WCHAR_MAX__ == 0xffff && defined(__GLIBC__) && defined(__GLIBCXX__)
/* Wide text of the system's libraries has 32 bits, and nobody would say so. */
#include "wchar16.h"
#endif
#else
#define PWH_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* Text is UTF-16. With -fshort-wchar L"" is; without it only u"" is. */
#if defined(__WCHAR_MAX__) && __WCHAR_MAX__ == 0xffff
typedef wchar_t WCHAR;
PWH_ASSERT(sizeof(wchar_t) == 2, "wchar_t is UTF-16");
#elif defined(__cplusplus)
/* A type of its own: L"" does not become it without a word. */
typedef char16_t WCHAR;
#elif defined(PORTABLE_WINHTTP_CHAR16)
typedef uint16_t WCHAR;
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#else
#error "compile with -fshort-wchar, so that L\"\" is UTF-16; or define PORTABLE_WINHTTP_CHAR16 and write u\"\""
/* Only to keep the compiler from saying it many times. */
typedef uint16_t WCHAR;
#endif
PWH_ASSERT(sizeof(WCHAR) == 2, "WCHAR is UTF-16");

typedef int32_t BOOL;
typedef uint8_t BYTE;
typedef uint8_t UCHAR;
typedef uint8_t BOOLEAN;
typedef char CHAR;
typedef int8_t INT8;
typedef uint8_t UINT8;
typedef int16_t SHORT;
typedef int16_t INT16;
typedef uint16_t WORD;
typedef uint16_t USHORT;
typedef uint16_t UINT16;
typedef int32_t INT;
typedef int32_t LONG;
typedef int32_t INT32;
typedef int32_t LONG32;
typedef uint32_t UINT;
typedef uint32_t DWORD;
typedef uint32_t ULONG;
typedef uint32_t UINT32;
typedef uint32_t DWORD32;
typedef uint32_t ULONG32;
typedef int64_t LONGLONG;
typedef int64_t LONG64;
typedef int64_t INT64;
typedef uint64_t ULONGLONG;
typedef uint64_t DWORDLONG;
typedef uint64_t DWORD64;
typedef uint64_t ULONG64;
typedef uint64_t UINT64;
typedef float FLOAT;
typedef intptr_t INT_PTR;
typedef intptr_t LONG_PTR;
typedef intptr_t SSIZE_T;
typedef uintptr_t UINT_PTR;
typedef uintptr_t ULONG_PTR;
typedef uintptr_t DWORD_PTR;
typedef size_t SIZE_T;
typedef int32_t HRESULT;
typedef int32_t NTSTATUS;
#ifndef VOID
#define VOID void
#endif

typedef void *PVOID, *LPVOID, *HANDLE;
typedef const void *LPCVOID, *PCVOID;
typedef HANDLE *PHANDLE, *LPHANDLE;
typedef BOOL *PBOOL, *LPBOOL;
typedef BYTE *PBYTE, *LPBYTE;
typedef const BYTE *LPCBYTE;
typedef UCHAR *PUCHAR;
typedef CHAR *PCHAR, *PSTR, *LPSTR;
typedef const CHAR *PCSTR, *LPCSTR;
typedef SHORT *PSHORT;
typedef WORD *PWORD, *LPWORD;
typedef USHORT *PUSHORT;
typedef INT *PINT, *LPINT;
typedef LONG *PLONG, *LPLONG;
typedef UINT *PUINT, *LPUINT;
typedef DWORD *PDWORD, *LPDWORD;
typedef ULONG *PULONG;
typedef LONGLONG *PLONGLONG;
typedef ULONGLONG *PULONGLONG;
typedef DWORD_PTR *PDWORD_PTR;
typedef ULONG_PTR *PULONG_PTR;
typedef SIZE_T *PSIZE_T;
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *PWSTR, *LPWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR, *LPCWCH;

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

/* One calling convention. */
#undef WINAPI
#undef CALLBACK
#undef APIENTRY
#define WINAPI
#define CALLBACK
#define APIENTRY

#ifndef GUID_DEFINED
#define GUID_DEFINED
typedef struct _GUID {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID;
#endif
#ifndef _FILETIME_
#define _FILETIME_
typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;
#endif
#ifndef _SYSTEMTIME_
#define _SYSTEMTIME_
typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek;
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds;
} SYSTEMTIME, *PSYSTEMTIME, *LPSYSTEMTIME;
#endif

PWH_ASSERT(sizeof(DWORD) == 4, "DWORD has 4 bytes: no other header may define it");
PWH_ASSERT(sizeof(BOOL) == 4, "BOOL has 4 bytes: no other header may define it");
PWH_ASSERT(sizeof(GUID) == 16 && sizeof(FILETIME) == 8 && sizeof(SYSTEMTIME) == 16, "structures of Windows' size");

#endif
