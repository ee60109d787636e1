/* For programs that use wide strings of the C and C++ libraries: `-fshort-wchar -include portable_winhttp/wchar16.h`.
 *
 * With -fshort-wchar wchar_t has 16 bits, but the system's libraries were compiled for 32. This header, which must come
 * before all others, puts functions of this library in the place of theirs, and lets std::wstring be made anew in the
 * program. It is for GCC and Clang with glibc and libstdc++.
 *
 * What stays wrong: wide streams, std::wcout and fputws among them, beyond text in a std::wstringstream; the scanf
 * family; std::to_wstring, std::stof and std::stold; mbstowcs, wcstombs, wcsftime and what else goes through a locale;
 * codecvt and std::filesystem paths made of wide text; and every library whose interface has wchar_t and that was not
 * compiled so.
 */
#ifndef PORTABLE_WINHTTP_WCHAR16_H
#define PORTABLE_WINHTTP_WCHAR16_H

#if __WCHAR_MAX__ != 0xffff
#error "compile with -fshort-wchar"
#endif
#ifdef _WCHAR_H
#error "portable_winhttp/wchar16.h must come first: pass it with -include"
#endif

#include <features.h>
/* The checked forms of _FORTIFY_SOURCE are the system's, with 32 bits. */
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#include <stddef.h>
#ifdef __cplusplus
/* The configuration of libstdc++ sets it. */
#include <cstddef>
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
PWH_C double wcstod(const wchar_t *__restrict, wchar_t **__restrict) PWH_THROW __asm__("Pwh_wcstod");
__extension__ PWH_C long long wcstoll(const wchar_t *__restrict, wchar_t **__restrict, int) PWH_THROW __asm__("Pwh_wcstoll");
__extension__ PWH_C unsigned long long wcstoull(const wchar_t *__restrict, wchar_t **__restrict, int)
    PWH_THROW __asm__("Pwh_wcstoull");
#include <wchar.h>

#if defined(__cplusplus) && defined(__GLIBC__)
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

#include "narrow_printf.h"

#endif
