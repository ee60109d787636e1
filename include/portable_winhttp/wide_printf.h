/* The printf family for wide text, as MSVC has it: %s is wide there, %S and %hs are narrow (UTF-8), %l has 32 bits, and
 * %I64 is known. Inline, for the compiler of the program has the variable arguments. */
#ifndef PORTABLE_WINHTTP_WIDE_PRINTF_H
#define PORTABLE_WINHTTP_WIDE_PRINTF_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#include <cwchar>
#endif

#include "kernel.h"
#include "narrow_format.h"

/* Where the text goes: what does not fit is only counted. */
typedef struct pwh_out {
    WCHAR *text;
    size_t room, length;
} pwh_out;

static __inline void pwh_put(pwh_out *out, WCHAR unit)
{
    if (out->length + 1 < out->room)
        out->text[out->length] = unit;
    out->length++;
}

/* `count` units between spaces up to `width`. */
static __inline void pwh_put_text(pwh_out *out, const WCHAR *wide, const char *narrow, int count, int width, int left)
{
    int pad = width > count ? width - count : 0, at;
    for (at = 0; !left && at < pad; at++)
        pwh_put(out, ' ');
    for (at = 0; at < count; at++)
        pwh_put(out, wide ? wide[at] : (WCHAR)(unsigned char)narrow[at]);
    for (at = 0; left && at < pad; at++)
        pwh_put(out, ' ');
}

/* Of narrow text, which is UTF-8, `precision` is the bytes that are looked at: it need not end there. */
static __inline void pwh_put_string(pwh_out *out, const void *text, int is_wide, int width, int precision, int left)
{
    const WCHAR *wide = (const WCHAR *)text;
    const char *narrow = text ? (const char *)text : "(null)";
    WCHAR *widened;
    int count = 0;
    if (text && is_wide) {
        while ((precision < 0 || count < precision) && wide[count])
            count++;
        pwh_put_text(out, wide, NULL, count, width, left);
        return;
    }
    while ((precision < 0 || count < precision) && narrow[count])
        count++;
    /* A byte makes at most one unit. */
    widened = (WCHAR *)malloc(((size_t)count + 1) * sizeof *widened);
    if (!widened)
        return;
    if (count)
        count = MultiByteToWideChar(CP_UTF8, 0, narrow, count, widened, count);
    pwh_put_text(out, widened, NULL, count, width, left);
    free(widened);
}

/* One number, as the narrow functions write it, however long. */
#define PWH_PUT_ONE(value) \
    do { \
        char made[128], *all = made; \
        int length = pwh_system_snprintf(made, sizeof made, narrow, value); \
        if (length >= (int)sizeof made) { \
            all = (char *)malloc((size_t)length + 1); \
            if (!all) \
                abort(); \
            pwh_system_snprintf(all, (size_t)length + 1, narrow, value); \
        } \
        pwh_put_text(out, NULL, all, length, 0, 0); \
        if (all != made) \
            free(all); \
    } while (0)

static __inline void pwh_put_format(pwh_out *out, const WCHAR *format, va_list arguments)
{
    va_list list;
    va_copy(list, arguments);
    while (*format) {
        char narrow[64];
        int at = 0, left = 0, width = -1, precision = -1, half = 0, wide = 0, big = 0, real = 0;
        if (*format != '%') {
            pwh_put(out, *format++);
            continue;
        }
        format++;
        narrow[at++] = '%';
        for (; *format && *format < 128 && strchr("-+ #0", (char)*format); format++) {
            left |= *format == '-';
            if (at < 8)
                narrow[at++] = (char)*format;
        }
        if (*format == '*') {
            width = va_arg(list, int), format++;
            if (width < 0) {
                width = -width, left = 1;
                if (at < 8)
                    narrow[at++] = '-';
            }
        } else
            for (; *format >= '0' && *format <= '9'; format++)
                width = (width < 0 ? 0 : width) * 10 + (*format - '0');
        if (*format == '.') {
            precision = 0;
            if (*++format == '*')
                precision = va_arg(list, int), format++;
            else
                for (; *format >= '0' && *format <= '9'; format++)
                    precision = precision * 10 + (*format - '0');
        }
        for (;; format++) {
            if (*format == 'h')
                half = 1;
            else if (*format == 'w' || (*format == 'l' && format[1] != 'l'))
                wide = 1;
            else if (*format == 'l' && format[1] == 'l')
                big = 1, format++;
            else if (*format == 'I' && format[1] == '6' && format[2] == '4')
                big = 1, format += 2;
            else if (*format == 'I' && format[1] == '3' && format[2] == '2')
                format += 2;
            else if (*format == 'z' || *format == 'j' || *format == 't' || *format == 'I')
                big = 1;
            else if (*format == 'L')
                real = 1;
            else
                break;
        }
        switch (*format) {
        case 's':
            pwh_put_string(out, va_arg(list, const void *), !half, width, precision, left);
            break;
        case 'S':
            pwh_put_string(out, va_arg(list, const void *), wide, width, precision, left);
            break;
        case 'c':
        case 'C': {
            WCHAR unit = (WCHAR)va_arg(list, int);
            pwh_put_text(out, &unit, NULL, 1, width, left);
            break;
        }
        case 0:
            format--;
            break;
        case '%':
            pwh_put(out, '%');
            break;
        default:
            if (width >= 0)
                at += pwh_system_snprintf(narrow + at, sizeof narrow - (size_t)at, "%d", width);
            if (precision >= 0)
                at += pwh_system_snprintf(narrow + at, sizeof narrow - (size_t)at, ".%d", precision);
            if (*format < 128 && strchr("diuxXo", (char)*format)) {
                /* Narrower ones come as int: they are widened with their sign, or without. */
                long long number = big ? va_arg(list, long long) : va_arg(list, int);
                if (!big && *format != 'd' && *format != 'i')
                    number = (unsigned)number;
                if (half)
                    number = *format == 'd' || *format == 'i' ? (short)number : (unsigned short)number;
                pwh_system_snprintf(narrow + at, sizeof narrow - (size_t)at, "ll%c", (char)*format);
                PWH_PUT_ONE(number);
            } else if (*format == 'p') {
                unsigned long long number = (unsigned long long)(uintptr_t)va_arg(list, void *);
                strcpy(narrow, "%016llX");
                PWH_PUT_ONE(number);
            } else if (*format < 128 && strchr("eEfFgGaA", (char)*format)) {
                double number = real ? (double)va_arg(list, long double) : va_arg(list, double);
                pwh_system_snprintf(narrow + at, sizeof narrow - (size_t)at, "%c", (char)*format);
                PWH_PUT_ONE(number);
            } else if (*format == 'n') {
                (void)va_arg(list, void *);
            } else {
                pwh_put(out, *format);
            }
        }
        format++;
    }
    va_end(list);
}
#undef PWH_PUT_ONE

/* The length of the text, or -1 if it and its NUL do not fit; what fits is there, with a NUL. */
static __inline int pwh_vswprintf(WCHAR *text, size_t room, const WCHAR *format, va_list arguments)
{
    pwh_out out;
    out.text = text;
    out.room = room;
    out.length = 0;
    pwh_put_format(&out, format, arguments);
    if (room)
        text[out.length < room ? out.length : room - 1] = 0;
    return out.length < room ? (int)out.length : -1;
}

/* The length of the text, whatever that is. */
static __inline int _vscwprintf(const WCHAR *format, va_list arguments)
{
    pwh_out out = {NULL, 0, 0};
    pwh_put_format(&out, format, arguments);
    return (int)out.length;
}

static __inline int _scwprintf(const WCHAR *format, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = _vscwprintf(format, arguments);
    va_end(arguments);
    return length;
}

static __inline int pwh_swprintf(WCHAR *text, size_t room, const WCHAR *format, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = pwh_vswprintf(text, room, format, arguments);
    va_end(arguments);
    return length;
}

static __inline int pwh_vfwprintf(FILE *file, const WCHAR *format, va_list arguments)
{
    int length = _vscwprintf(format, arguments), size;
    WCHAR *wide = (WCHAR *)malloc(((size_t)length + 1) * sizeof *wide);
    char *narrow;
    if (!wide)
        return -1;
    pwh_vswprintf(wide, (size_t)length + 1, format, arguments);
    size = WideCharToMultiByte(CP_UTF8, 0, wide, length + 1, NULL, 0, NULL, NULL);
    narrow = (char *)malloc((size_t)size + 1);
    if (!narrow || WideCharToMultiByte(CP_UTF8, 0, wide, length + 1, narrow, size, NULL, NULL) == 0
        || fwrite(narrow, 1, (size_t)size - 1, file) != (size_t)size - 1)
        length = -1;
    free(narrow);
    free(wide);
    return length;
}

static __inline int pwh_fwprintf(FILE *file, const WCHAR *format, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = pwh_vfwprintf(file, format, arguments);
    va_end(arguments);
    return length;
}

static __inline int pwh_wprintf(const WCHAR *format, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = pwh_vfwprintf(stdout, format, arguments);
    va_end(arguments);
    return length;
}

/* -1 and no NUL if there is no room for the text, and no NUL if there is none for that. */
static __inline int pwh_vsnwprintf(WCHAR *text, size_t room, const WCHAR *format, va_list arguments)
{
    int made;
    WCHAR *whole = (WCHAR *)malloc((room + 1) * sizeof *whole);
    if (!whole)
        return -1;
    made = pwh_vswprintf(whole, room + 1, format, arguments);
    memcpy(text, whole, (made < 0 || (size_t)made == room ? room : (size_t)made + 1) * sizeof *whole);
    free(whole);
    return made;
}

static __inline int pwh_snwprintf(WCHAR *text, size_t room, const WCHAR *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = pwh_vsnwprintf(text, room, format, arguments);
    va_end(arguments);
    return made;
}

/* At most `count` characters and a NUL; -1 if it was cut. */
static __inline int pwh_vsnwprintf_s(WCHAR *text, size_t room, size_t count, const WCHAR *format, va_list arguments)
{
    int made = pwh_vswprintf(text, count < room ? count + 1 : room, format, arguments);
    if (made < 0 && count != (size_t)-1 && count >= room)
        abort();
    return made;
}

static __inline int pwh_snwprintf_s(WCHAR *text, size_t room, size_t count, const WCHAR *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = pwh_vsnwprintf_s(text, room, count, format, arguments);
    va_end(arguments);
    return made;
}

static __inline int pwh_vwprintf(const WCHAR *format, va_list arguments)
{
    return pwh_vfwprintf(stdout, format, arguments);
}

#define _snwprintf pwh_snwprintf
#define _vsnwprintf pwh_vsnwprintf
#define _snwprintf_s pwh_snwprintf_s
#define _vsnwprintf_s pwh_vsnwprintf_s
#define swprintf pwh_swprintf
#define vswprintf pwh_vswprintf
#define wcstok_s Pwh_wcstok
#define wprintf pwh_wprintf
#define fwprintf pwh_fwprintf
#define vwprintf pwh_vwprintf
#define vfwprintf pwh_vfwprintf
#ifdef __cplusplus
/* There they are names of std as well. */
namespace std {
using ::pwh_fwprintf;
using ::pwh_swprintf;
using ::pwh_vfwprintf;
using ::pwh_vswprintf;
using ::pwh_vwprintf;
using ::pwh_wprintf;
}
#else
#define wcslen Pwh_wcslen
#define wcsnlen Pwh_wcsnlen
#define wcscpy Pwh_wcscpy
#define wcsncpy Pwh_wcsncpy
#define wcscat Pwh_wcscat
#define wcsncat Pwh_wcsncat
#define wcscmp Pwh_wcscmp
#define wcsncmp Pwh_wcsncmp
#define wcschr Pwh_wcschr
#define wcsrchr Pwh_wcsrchr
#define wcsstr Pwh_wcsstr
#define wcspbrk Pwh_wcspbrk
#define wcsspn Pwh_wcsspn
#define wcscspn Pwh_wcscspn
#define wcstok Pwh_wcstok
#define wcsdup Pwh_wcsdup
#define wmemcpy Pwh_wmemcpy
#define wmemcmp Pwh_wmemcmp
#define wmemset Pwh_wmemset
#define wmemchr Pwh_wmemchr
#define wmemmove Pwh_wmemmove
#define wcscoll Pwh_wcscmp
#define wcscasecmp Pwh_wcscasecmp
#define wcsncasecmp Pwh_wcsncasecmp
#define wcstol Pwh_wcstol
#define wcstoul Pwh_wcstoul
#define wcstoll Pwh_wcstoll
#define wcstoull Pwh_wcstoull
#define wcstod Pwh_wcstod
#define wcstof(text, end) ((float)Pwh_wcstod((text), (end)))
#define wcstold(text, end) ((long double)Pwh_wcstod((text), (end)))
#define mbstowcs Pwh_mbstowcs
#define wcstombs Pwh_wcstombs
static __inline int pwh_fputws(const WCHAR *text, FILE *file)
{
    static const WCHAR format[] = {'%', 's', 0};
    return pwh_fwprintf(file, format, text);
}
#define fputws pwh_fputws
/* What is not made here is refused, for the system's would read or write 32 bits. */
#define PWH_REFUSED(name) \
    extern int pwh_refused_##name(const void *, ...) __attribute__((error(#name ": that of the system has wide text of 32 bits")))
PWH_REFUSED(fgetws);
PWH_REFUSED(fwscanf);
PWH_REFUSED(swscanf);
PWH_REFUSED(wscanf);
PWH_REFUSED(mbrtowc);
PWH_REFUSED(mbsrtowcs);
PWH_REFUSED(wcsrtombs);
PWH_REFUSED(mbtowc);
PWH_REFUSED(wcsxfrm);
PWH_REFUSED(wcsftime);
PWH_REFUSED(wcpcpy);
PWH_REFUSED(vfwscanf);
PWH_REFUSED(vswscanf);
PWH_REFUSED(vwscanf);
PWH_REFUSED(mbsnrtowcs);
PWH_REFUSED(wcsnrtombs);
PWH_REFUSED(wcpncpy);
#undef PWH_REFUSED
#define fgetws pwh_refused_fgetws
#define fwscanf pwh_refused_fwscanf
#define swscanf pwh_refused_swscanf
#define wscanf pwh_refused_wscanf
#define mbrtowc pwh_refused_mbrtowc
#define mbsrtowcs pwh_refused_mbsrtowcs
#define wcsrtombs pwh_refused_wcsrtombs
#define mbtowc pwh_refused_mbtowc
#define wcsxfrm pwh_refused_wcsxfrm
#define wcsftime pwh_refused_wcsftime
#define wcpcpy pwh_refused_wcpcpy
#define vfwscanf pwh_refused_vfwscanf
#define vswscanf pwh_refused_vswscanf
#define vwscanf pwh_refused_vwscanf
#define mbsnrtowcs pwh_refused_mbsnrtowcs
#define wcsnrtombs pwh_refused_wcsnrtombs
#define wcpncpy pwh_refused_wcpncpy
#endif
#define _wcsicmp Pwh_wcscasecmp
#define _wcsnicmp Pwh_wcsncasecmp
#define _wcsdup Pwh_wcsdup
#define _wtoi(text) Pwh_wcstol((text), NULL, 10)
#define _wtol(text) Pwh_wcstol((text), NULL, 10)
#define _wtoi64(text) Pwh_wcstoll((text), NULL, 10)
/* They end the process when there is no room. */
static __inline int vswprintf_s(WCHAR *text, size_t room, const WCHAR *format, va_list arguments)
{
    int made = pwh_vswprintf(text, room, format, arguments);
    if (made < 0)
        abort();
    return made;
}
static __inline int swprintf_s(WCHAR *text, size_t room, const WCHAR *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = vswprintf_s(text, room, format, arguments);
    va_end(arguments);
    return made;
}

#ifdef __cplusplus
/* An array knows its size. */
template <size_t Size> int vswprintf_s(WCHAR (&to)[Size], const WCHAR *format, va_list arguments)
{
    return vswprintf_s(to, Size, format, arguments);
}
template <size_t Size> int swprintf_s(WCHAR (&to)[Size], const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int made = vswprintf_s(to, Size, format, arguments);
    va_end(arguments);
    return made;
}
template <size_t Size> int pwh_vsnwprintf_s(WCHAR (&to)[Size], size_t count, const WCHAR *format, va_list arguments)
{
    return pwh_vsnwprintf_s(to, Size, count, format, arguments);
}
template <size_t Size> int pwh_snwprintf_s(WCHAR (&to)[Size], size_t count, const WCHAR *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int made = pwh_vsnwprintf_s(to, Size, count, format, arguments);
    va_end(arguments);
    return made;
}
#endif

#endif
