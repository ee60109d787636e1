/* For programs that use wide strings of the C and C++ libraries: `-fshort-wchar -include portable_winhttp/wchar16.h`.
 *
 * With -fshort-wchar wchar_t has 16 bits, but the system's libraries were compiled for 32. This header puts functions of this
 * library in the place of theirs, and lets std::wstring be made anew in the program. It is for GCC and Clang with glibc and
 * libstdc++. The headers of C++ programs bring it; it comes first where the flag names it, as it must with _FORTIFY_SOURCE
 * and for wide streams.
 *
 * What is not there does not compile: wide files and std::wcout, numbers out of wide streams, the scanf family, wcsftime,
 * fgetws, std::wregex, and conversions with a mbstate_t. What stays wrong: wide facets of locales that a program asks for
 * itself, and every library whose interface has wchar_t and that was not compiled so.
 */
#ifndef PORTABLE_WINHTTP_WCHAR16_H
#define PORTABLE_WINHTTP_WCHAR16_H

#if __WCHAR_MAX__ != 0xffff
#error "compile with -fshort-wchar"
#endif

#include <features.h>
#ifdef _WCHAR_H
/* The system's functions are declared: what they are called can still be said, unless they are inline. */
#define PWH_LATE
#ifdef __clang__
#error "Clang renames no function that was used: wide text of 16 bits needs -include portable_winhttp/wchar16.h"
#endif
#if __USE_FORTIFY_LEVEL > 0
#error "with _FORTIFY_SOURCE, wide text of 16 bits needs -include portable_winhttp/wchar16.h"
#endif
#endif
/* The checked forms of _FORTIFY_SOURCE are the system's, with 32 bits. */
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#include <stddef.h>
#ifdef __cplusplus
/* The configuration of libstdc++ sets it. */
#include <cstddef>
#ifdef _LIBCPP_VERSION
#error "wide text of 16 bits is for libstdc++: std::wstring of libc++ has functions for 32"
#endif
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE 0
#endif

#ifdef __cplusplus
#define PWH_C extern "C"
#define PWH_THROW __THROW
#else
#define PWH_C extern
#define PWH_THROW
#endif
#define PWH_WIDE(answer, name, parameters) PWH_C answer name parameters PWH_THROW __asm__("Pwh_" #name)

PWH_WIDE(size_t, wcslen, (const wchar_t *));
PWH_WIDE(size_t, wcsnlen, (const wchar_t *, size_t));
PWH_WIDE(wchar_t *, wcscpy, (wchar_t *__restrict, const wchar_t *__restrict));
PWH_WIDE(wchar_t *, wcsncpy, (wchar_t *__restrict, const wchar_t *__restrict, size_t));
PWH_WIDE(wchar_t *, wcscat, (wchar_t *__restrict, const wchar_t *__restrict));
PWH_WIDE(wchar_t *, wcsncat, (wchar_t *__restrict, const wchar_t *__restrict, size_t));
PWH_WIDE(wchar_t *, wcsdup, (const wchar_t *));
PWH_WIDE(int, wcscmp, (const wchar_t *, const wchar_t *));
PWH_WIDE(int, wcsncmp, (const wchar_t *, const wchar_t *, size_t));
PWH_WIDE(int, wcscasecmp, (const wchar_t *, const wchar_t *));
PWH_WIDE(int, wcsncasecmp, (const wchar_t *, const wchar_t *, size_t));
PWH_WIDE(size_t, wcsspn, (const wchar_t *, const wchar_t *));
PWH_WIDE(size_t, wcscspn, (const wchar_t *, const wchar_t *));
PWH_WIDE(wchar_t *, wcstok, (wchar_t *__restrict, const wchar_t *__restrict, wchar_t **__restrict));
PWH_WIDE(wchar_t *, wmemcpy, (wchar_t *__restrict, const wchar_t *__restrict, size_t));
PWH_WIDE(wchar_t *, wmemmove, (wchar_t *, const wchar_t *, size_t));
PWH_WIDE(wchar_t *, wmemset, (wchar_t *, wchar_t, size_t));
PWH_WIDE(int, wmemcmp, (const wchar_t *, const wchar_t *, size_t));
PWH_C int wcscoll(const wchar_t *, const wchar_t *) PWH_THROW __asm__("Pwh_wcscmp");
PWH_C long wcstol(const wchar_t *__restrict, wchar_t **__restrict, int) PWH_THROW __asm__("Pwh_wcstoll");
PWH_C unsigned long wcstoul(const wchar_t *__restrict, wchar_t **__restrict, int) PWH_THROW __asm__("Pwh_wcstoull");
PWH_C float wcstof(const wchar_t *__restrict, wchar_t **__restrict) PWH_THROW __asm__("Pwh_c_wcstof");
PWH_C double wcstod(const wchar_t *__restrict, wchar_t **__restrict) PWH_THROW __asm__("Pwh_c_wcstod");
PWH_C long double wcstold(const wchar_t *__restrict, wchar_t **__restrict) PWH_THROW __asm__("Pwh_c_wcstold");
PWH_WIDE(size_t, mbstowcs, (wchar_t *__restrict, const char *__restrict, size_t));
PWH_WIDE(size_t, wcstombs, (char *__restrict, const wchar_t *__restrict, size_t));
__extension__ PWH_C long long wcstoll(const wchar_t *__restrict, wchar_t **__restrict, int) PWH_THROW __asm__("Pwh_wcstoll");
__extension__ PWH_C unsigned long long wcstoull(const wchar_t *__restrict, wchar_t **__restrict, int)
    PWH_THROW __asm__("Pwh_wcstoull");
#include <bits/types/FILE.h>
#include <stdarg.h>
#ifdef __cplusplus
#define PWH_THROW_NL __THROWNL
#else
#define PWH_THROW_NL
#endif
PWH_C int vswprintf(wchar_t *__restrict, size_t, const wchar_t *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_c_vswprintf");
PWH_C int swprintf(wchar_t *__restrict, size_t, const wchar_t *__restrict, ...) PWH_THROW_NL __asm__("Pwh_c_swprintf");
PWH_C int vfwprintf(FILE *__restrict, const wchar_t *__restrict, va_list) __asm__("Pwh_c_vfwprintf");
PWH_C int fwprintf(FILE *__restrict, const wchar_t *__restrict, ...) __asm__("Pwh_c_fwprintf");
PWH_C int vwprintf(const wchar_t *__restrict, va_list) __asm__("Pwh_c_vwprintf");
PWH_C int wprintf(const wchar_t *__restrict, ...) __asm__("Pwh_c_wprintf");
PWH_C int fputws(const wchar_t *__restrict, FILE *__restrict) __asm__("Pwh_c_fputws");
#include <wchar.h>

#ifdef __CORRECT_ISO_CPP_WCHAR_H_PROTO
/* Overloads in C++, which have labels there already: the last one counts. */
#define PWH_BOTH(name, rest) \
    extern "C++" wchar_t *name(wchar_t *, rest) PWH_THROW __asm__("Pwh_" #name); \
    extern "C++" const wchar_t *name(const wchar_t *, rest) PWH_THROW __asm__("Pwh_" #name)
PWH_BOTH(wcschr, wchar_t);
PWH_BOTH(wcsrchr, wchar_t);
PWH_BOTH(wcspbrk, const wchar_t *);
PWH_BOTH(wcsstr, const wchar_t *);
extern "C++" wchar_t *wmemchr(wchar_t *, wchar_t, size_t) PWH_THROW __asm__("Pwh_wmemchr");
extern "C++" const wchar_t *wmemchr(const wchar_t *, wchar_t, size_t) PWH_THROW __asm__("Pwh_wmemchr");
#else
PWH_WIDE(wchar_t *, wcschr, (const wchar_t *, wchar_t));
PWH_WIDE(wchar_t *, wcsrchr, (const wchar_t *, wchar_t));
PWH_WIDE(wchar_t *, wcspbrk, (const wchar_t *, const wchar_t *));
PWH_WIDE(wchar_t *, wcsstr, (const wchar_t *, const wchar_t *));
PWH_WIDE(wchar_t *, wmemchr, (const wchar_t *, wchar_t, size_t));
#endif

#ifdef __clang__
/* Its attribute `error` must be on the first declaration. */
#define PWH_ERROR unavailable
#else
#define PWH_ERROR error
#endif
#include "narrow_printf.h"
#include "c_wide.h"
#ifdef __cplusplus
#include "wide_streams.h"
#endif

#endif
