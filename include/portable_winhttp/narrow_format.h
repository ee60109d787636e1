/* The narrow printf family with what the system's does not know: wide text of 16 bits (%S, %ls, %ws), and %I64, %I32 and %I. */
#ifndef PORTABLE_WINHTTP_NARROW_FORMAT_H
#define PORTABLE_WINHTTP_NARROW_FORMAT_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef va_copy
#define va_copy(to, from) __builtin_va_copy(to, from)
#endif
#if __WCHAR_MAX__ == 0xffff
#define PWH_UNIT wchar_t
#else
#define PWH_UNIT uint16_t
#endif
#ifndef PWH_C
#ifdef __cplusplus
#define PWH_C extern "C"
#else
#define PWH_C extern
#endif
#endif

PWH_C int pwh_system_snprintf(char *, size_t, const char *, ...) __asm__("snprintf");
PWH_C int pwh_system_vsnprintf(char *, size_t, const char *, va_list) __asm__("vsnprintf");
PWH_C int pwh_system_vfprintf(FILE *, const char *, va_list) __asm__("vfprintf");

/* Whether a format has wide text, or a length that only Windows has. */
static __inline int pwh_is_ours(const char *format)
{
    while ((format = strchr(format, '%')) != NULL) {
        int wide = 0;
        format++;
        format += strspn(format, "-+ #0'*.$123456789");
        for (; *format && strchr("hlqjztLw", *format); format++)
            wide |= *format == 'l' || *format == 'w';
        if (*format == 'I' || *format == 'S' || (wide && *format == 's'))
            return 1;
        if (*format)
            format++;
    }
    return 0;
}

/* Text that grows. */
typedef struct pwh_made {
    char *text;
    size_t length, room;
} pwh_made;

static __inline char *pwh_more(pwh_made *made, size_t more)
{
    if (made->room < made->length + more + 1) {
        char *larger = (char *)realloc(made->text, 2 * (made->length + more + 1));
        if (!larger)
            abort();
        made->text = larger;
        made->room = 2 * (made->length + more + 1);
    }
    return made->text + made->length;
}

/* UTF-16 as UTF-8, at most so many units; what is half a pair is U+FFFD. */
static __inline void pwh_put_wide(pwh_made *made, const PWH_UNIT *wide, int width, int precision, int left)
{
    static const PWH_UNIT none[] = {'(', 'n', 'u', 'l', 'l', ')', 0};
    int at, count = 0, pad;
    if (!wide)
        wide = none;
    while ((precision < 0 || count < precision) && wide[count])
        count++;
    pad = width > count ? width - count : 0;
    memset(pwh_more(made, (size_t)pad), ' ', (size_t)pad);
    if (!left)
        made->length += (size_t)pad;
    for (at = 0; at < count; at++) {
        unsigned long c = (unsigned short)wide[at];
        unsigned char *to = (unsigned char *)pwh_more(made, 4 + (size_t)pad);
        if (c >= 0xd800 && c < 0xdc00 && at + 1 < count && ((unsigned short)wide[at + 1] & 0xfc00) == 0xdc00)
            c = 0x10000 + ((c & 0x3ff) << 10) + ((unsigned short)wide[++at] & 0x3ff);
        else if ((c & 0xf800) == 0xd800)
            c = 0xfffd;
        if (c < 0x80) {
            to[0] = (unsigned char)c;
            made->length += 1;
        } else if (c < 0x800) {
            to[0] = (unsigned char)(0xc0 | c >> 6);
            to[1] = (unsigned char)(0x80 | (c & 0x3f));
            made->length += 2;
        } else if (c < 0x10000) {
            to[0] = (unsigned char)(0xe0 | c >> 12);
            to[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
            to[2] = (unsigned char)(0x80 | (c & 0x3f));
            made->length += 3;
        } else {
            to[0] = (unsigned char)(0xf0 | c >> 18);
            to[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
            to[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
            to[3] = (unsigned char)(0x80 | (c & 0x3f));
            made->length += 4;
        }
    }
    if (left) {
        memset(pwh_more(made, (size_t)pad), ' ', (size_t)pad);
        made->length += (size_t)pad;
    }
}

/* One conversion, by the system. */
#define PWH_ONE(value) \
    do { \
        int size = pwh_system_snprintf(NULL, 0, spec, value); \
        if (size > 0) { \
            pwh_system_snprintf(pwh_more(&made, (size_t)size), (size_t)size + 1, spec, value); \
            made.length += (size_t)size; \
        } \
    } while (0)

/* The text of a format, which the caller frees; NULL with EINVAL for numbered arguments. */
static __inline char *pwh_formatted(const char *format, va_list arguments, size_t *length)
{
    pwh_made made = {NULL, 0, 0};
    va_list list;
    va_copy(list, arguments);
    while (*format) {
        const char *start = format;
        char spec[96];
        int at = 0, width = -1, precision = -1, left = 0, big = 0, longer = 0, real = 0, star;
        size_t plain = strcspn(format, "%");
        memcpy(pwh_more(&made, plain), format, plain);
        made.length += plain;
        format += plain;
        if (!*format)
            break;
        start = format++;
        spec[at++] = '%';
        for (; *format && strchr("-+ #0'", *format); format++) {
            left |= *format == '-';
            if (at < 16)
                spec[at++] = *format;
        }
        for (star = 0; star < 2; star++) {
            int number = -1;
            if (star && *format != '.')
                break;
            if (star)
                format++, number = 0;
            if (*format == '*')
                number = va_arg(list, int), format++;
            else
                for (; *format >= '0' && *format <= '9'; format++)
                    number = (number < 0 ? 0 : number) * 10 + (*format - '0');
            if (star)
                precision = number;
            else if (number < -1)
                width = -number, left = 1, spec[at++] = '-';
            else
                width = number;
        }
        if (*format == '$') {
            va_end(list);
            free(made.text);
            errno = EINVAL;
            return NULL;
        }
        if (width >= 0)
            at += pwh_system_snprintf(spec + at, 16, "%d", width);
        if (precision >= 0)
            at += pwh_system_snprintf(spec + at, 16, ".%d", precision);
        if (*format == 'I') {
            int size = format[1] == '3' && format[2] == '2' ? 32 : 64;
            format += (format[1] == '6' && format[2] == '4') || size == 32 ? 3 : 1;
            if (size == 64)
                big = 1, spec[at++] = 'l', spec[at++] = 'l';
        }
        for (; *format && strchr("hlqjztLw", *format); format++) {
            longer |= *format == 'l' || *format == 'w';
            big |= *format == 'q' || *format == 'j' || *format == 'z' || *format == 't' || *format == 'l';
            real |= *format == 'L';
            if (at < 80 && *format != 'w')
                spec[at++] = *format;
        }
        spec[at++] = *format;
        spec[at] = 0;
        switch (*format) {
        case 0:
            format--;
            break;
        case '%':
            *pwh_more(&made, 1) = '%';
            made.length++;
            break;
        case 'S':
            pwh_put_wide(&made, va_arg(list, const PWH_UNIT *), width, precision, left);
            break;
        case 's':
            if (longer)
                pwh_put_wide(&made, va_arg(list, const PWH_UNIT *), width, precision, left);
            else {
                const char *value = va_arg(list, const char *);
                PWH_ONE(value);
            }
            break;
        case 'p': {
            void *value = va_arg(list, void *);
            PWH_ONE(value);
            break;
        }
        case 'm':
            PWH_ONE(0);
            break;
        case 'n':
            (void)va_arg(list, void *);
            break;
        default:
            if (strchr("fFeEgGaA", *format) && real) {
                long double value = va_arg(list, long double);
                PWH_ONE(value);
            } else if (strchr("fFeEgGaA", *format)) {
                double value = va_arg(list, double);
                PWH_ONE(value);
            } else if (strchr("diouxXcC", *format) && big) {
                /* All of them have the bits of long, or 64 as that has. */
                long value = va_arg(list, long);
                PWH_ONE(value);
            } else if (strchr("diouxXcC", *format)) {
                int value = va_arg(list, int);
                PWH_ONE(value);
            } else {
                size_t size = (size_t)(format - start) + 1;
                memcpy(pwh_more(&made, size), start, size);
                made.length += size;
            }
        }
        format++;
    }
    va_end(list);
    *pwh_more(&made, 0) = 0;
    *length = made.length;
    return made.text;
}
#undef PWH_ONE

/* The text of a format, which the caller frees; NULL if it cannot be made. */
static __inline char *pwh_printed(const char *format, va_list arguments, size_t *length)
{
    va_list again;
    char *text;
    int size;
    if (pwh_is_ours(format))
        return pwh_formatted(format, arguments, length);
    va_copy(again, arguments);
    size = pwh_system_vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = size < 0 ? NULL : (char *)malloc((size_t)size + 1);
    if (!text)
        return NULL;
    va_copy(again, arguments);
    pwh_system_vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    *length = (size_t)size;
    return text;
}

#endif
