/* %S, %ls and %ws of the narrow printf family, whose text the system's library would read with 32 bits. A format that has one of
 * them is carried out here; every other goes to the system. It is a part of wchar16.h.
 *
 * What stays with the system: formats with numbered arguments (%1$s), the wide ones among them included, and programs that are
 * compiled with _FORTIFY_SOURCE. */
#ifndef PORTABLE_WINHTTP_NARROW_PRINTF_H
#define PORTABLE_WINHTTP_NARROW_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* FILE alone: what follows must be said before the functions are. */
#include <bits/types/FILE.h>

#ifdef __cplusplus
#define PWH_THROW_NL __THROWNL
#else
#define PWH_THROW_NL
#endif
PWH_C int printf(const char *__restrict, ...) __asm__("Pwh_printf");
PWH_C int fprintf(FILE *__restrict, const char *__restrict, ...) __asm__("Pwh_fprintf");
PWH_C int sprintf(char *__restrict, const char *__restrict, ...) PWH_THROW_NL __asm__("Pwh_sprintf");
PWH_C int snprintf(char *__restrict, size_t, const char *__restrict, ...) PWH_THROW_NL __asm__("Pwh_snprintf");
PWH_C int vprintf(const char *__restrict, va_list) __asm__("Pwh_vprintf");
PWH_C int vfprintf(FILE *__restrict, const char *__restrict, va_list) __asm__("Pwh_vfprintf");
PWH_C int vsprintf(char *__restrict, const char *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_vsprintf");
PWH_C int vsnprintf(char *__restrict, size_t, const char *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_vsnprintf");

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PWH_C int pwh_system_snprintf(char *, size_t, const char *, ...) __asm__("snprintf");
PWH_C int pwh_system_vsnprintf(char *, size_t, const char *, va_list) __asm__("vsnprintf");
PWH_C int pwh_system_vfprintf(FILE *, const char *, va_list) __asm__("vfprintf");

/* Whether a format has wide text. */
static __inline int pwh_has_wide(const char *format)
{
    while ((format = strchr(format, '%')) != NULL) {
        int wide = 0;
        format++;
        format += strspn(format, "-+ #0'*.123456789");
        for (; *format && strchr("hlqjztLw", *format); format++)
            wide |= *format == 'l' || *format == 'w';
        if (*format == '$')
            return 0;
        if (*format == 'S' || (wide && *format == 's'))
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
static __inline void pwh_put_wide(pwh_made *made, const wchar_t *wide, int width, int precision, int left)
{
    static const wchar_t none[] = {'(', 'n', 'u', 'l', 'l', ')', 0};
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

/* The text of a format, which the caller frees. */
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
        if (width >= 0)
            at += pwh_system_snprintf(spec + at, 16, "%d", width);
        if (precision >= 0)
            at += pwh_system_snprintf(spec + at, 16, ".%d", precision);
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
            pwh_put_wide(&made, va_arg(list, const wchar_t *), width, precision, left);
            break;
        case 's':
            if (longer)
                pwh_put_wide(&made, va_arg(list, const wchar_t *), width, precision, left);
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
                /* All of them have 64 bits, where long has. */
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

PWH_C __attribute__((weak)) int Pwh_vfprintf(FILE *file, const char *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_vfprintf(FILE *file, const char *format, va_list arguments)
{
    size_t length;
    char *text;
    if (!pwh_has_wide(format))
        return pwh_system_vfprintf(file, format, arguments);
    text = pwh_formatted(format, arguments, &length);
    if (fwrite(text, 1, length, file) != length)
        length = (size_t)-1;
    free(text);
    return (int)length;
}

PWH_C __attribute__((weak)) int Pwh_vsnprintf(char *to, size_t room, const char *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_vsnprintf(char *to, size_t room, const char *format, va_list arguments)
{
    size_t length, fits;
    char *text;
    if (!pwh_has_wide(format))
        return pwh_system_vsnprintf(to, room, format, arguments);
    text = pwh_formatted(format, arguments, &length);
    fits = length < room ? length : room - 1;
    if (room) {
        memcpy(to, text, fits);
        to[fits] = 0;
    }
    free(text);
    return (int)length;
}

#define PWH_PRINTS(name, parameters, call) \
    PWH_C __attribute__((weak)) int name parameters; \
    PWH_C __attribute__((weak)) int name parameters \
    { \
        int length; \
        va_list arguments; \
        va_start(arguments, format); \
        length = call; \
        va_end(arguments); \
        return length; \
    }
PWH_PRINTS(Pwh_printf, (const char *format, ...), Pwh_vfprintf(stdout, format, arguments))
PWH_PRINTS(Pwh_fprintf, (FILE *file, const char *format, ...), Pwh_vfprintf(file, format, arguments))
PWH_PRINTS(Pwh_snprintf, (char *to, size_t room, const char *format, ...), Pwh_vsnprintf(to, room, format, arguments))
PWH_PRINTS(Pwh_sprintf, (char *to, const char *format, ...), Pwh_vsnprintf(to, (size_t)1 << 30, format, arguments))
#undef PWH_PRINTS

PWH_C __attribute__((weak)) int Pwh_vprintf(const char *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_vprintf(const char *format, va_list arguments)
{
    return Pwh_vfprintf(stdout, format, arguments);
}
PWH_C __attribute__((weak)) int Pwh_vsprintf(char *to, const char *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_vsprintf(char *to, const char *format, va_list arguments)
{
    return Pwh_vsnprintf(to, (size_t)1 << 30, format, arguments);
}

#endif
