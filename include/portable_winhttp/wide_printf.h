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

/* The length of the text, or -1 if it and its NUL do not fit; what fits is there, with a NUL. */
static __inline int pwh_vswprintf(WCHAR *text, size_t room, const WCHAR *format, va_list arguments)
{
    pwh_out out = {text, room, 0};
    va_list list;
    va_copy(list, arguments);
    while (*format) {
        char narrow[32], made[512];
        int at = 0, left = 0, width = -1, precision = -1, half = 0, wide = 0, big = 0, real = 0, length = 0;
        if (*format != '%') {
            pwh_put(&out, *format++);
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
            pwh_put_string(&out, va_arg(list, const void *), !half, width, precision, left);
            break;
        case 'S':
            pwh_put_string(&out, va_arg(list, const void *), wide, width, precision, left);
            break;
        case 'c':
        case 'C': {
            WCHAR unit = (WCHAR)va_arg(list, int);
            pwh_put_text(&out, &unit, NULL, 1, width, left);
            break;
        }
        case 0:
            format--;
            break;
        case '%':
            pwh_put(&out, '%');
            break;
        default:
            if (left && width < 0)
                width = 0;
            at += snprintf(narrow + at, sizeof narrow - (size_t)at, "%s", width < 0 ? (precision < 0 ? "" : ".*") : precision < 0 ? "*" : "*.*");
            if (strchr("diuxXo", (char)*format) && *format < 128) {
                /* Narrower ones come as int: they are widened with their sign, or without. */
                long long number = big ? va_arg(list, long long) : va_arg(list, int);
                if (!big && *format != 'd' && *format != 'i')
                    number = (unsigned)number;
                if (half)
                    number = *format == 'd' || *format == 'i' ? (short)number : (unsigned short)number;
                at += snprintf(narrow + at, sizeof narrow - (size_t)at, "ll%c", (char)*format);
                length = width < 0 ? (precision < 0 ? snprintf(made, sizeof made, narrow, number)
                                                    : snprintf(made, sizeof made, narrow, precision, number))
                                   : (precision < 0 ? snprintf(made, sizeof made, narrow, width, number)
                                                    : snprintf(made, sizeof made, narrow, width, precision, number));
            } else if (*format == 'p') {
                length = snprintf(made, sizeof made, "%016llX", (unsigned long long)(uintptr_t)va_arg(list, void *));
            } else {
                double number = real ? (double)va_arg(list, long double) : va_arg(list, double);
                at += snprintf(narrow + at, sizeof narrow - (size_t)at, "%c", (char)*format);
                length = width < 0 ? (precision < 0 ? snprintf(made, sizeof made, narrow, number)
                                                    : snprintf(made, sizeof made, narrow, precision, number))
                                   : (precision < 0 ? snprintf(made, sizeof made, narrow, width, number)
                                                    : snprintf(made, sizeof made, narrow, width, precision, number));
            }
            if (length > (int)sizeof made - 1)
                length = (int)sizeof made - 1;
            pwh_put_text(&out, NULL, made, length, 0, 0);
        }
        format++;
    }
    va_end(list);
    if (room)
        text[out.length < room ? out.length : room - 1] = 0;
    return out.length < room ? (int)out.length : -1;
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
    WCHAR wide[4096];
    char narrow[3 * 4096];
    int length = pwh_vswprintf(wide, 4096, format, arguments);
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, narrow, (int)sizeof narrow, NULL, NULL) > 0)
        fputs(narrow, file);
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

#define _snwprintf pwh_snwprintf
#define _vsnwprintf pwh_vsnwprintf
#define _snwprintf_s pwh_snwprintf_s
#define _vsnwprintf_s pwh_vsnwprintf_s
#define swprintf pwh_swprintf
#define vswprintf pwh_vswprintf
#define wcstok_s Pwh_wcstok
#define wprintf pwh_wprintf
#define fwprintf pwh_fwprintf
#ifdef __cplusplus
/* There they are names of std as well. */
namespace std {
using ::pwh_fwprintf;
using ::pwh_swprintf;
using ::pwh_vswprintf;
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
#define wcstol(text, end, base) ((LONG)Pwh_wcstoll((text), (end), (base)))
#define wcstoul(text, end, base) ((ULONG)Pwh_wcstoull((text), (end), (base)))
#endif
#define _wcsicmp Pwh_wcscasecmp
#define _wcsnicmp Pwh_wcsncasecmp
#define _wcsdup Pwh_wcsdup
#define _wtoi(text) ((int)Pwh_wcstoll((text), NULL, 10))
#define _wtoi64(text) Pwh_wcstoll((text), NULL, 10)
/* It ends the process when there is no room. */
static __inline int swprintf_s(WCHAR *text, size_t room, const WCHAR *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = pwh_vswprintf(text, room, format, arguments);
    va_end(arguments);
    if (made < 0)
        abort();
    return made;
}

#endif
