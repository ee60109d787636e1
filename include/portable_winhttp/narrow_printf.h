/* %S, %ls and %ws of the narrow printf family, whose text the system's library would read with 32 bits, and %I64. A format that has
 * one of them is carried out here; every other goes to the system. wchar16.h brings it, and in C windows.h.
 * With wide text, arguments have no numbers (%1$S): -1 and EINVAL.
 *
 * The system's functions get other names; with _FORTIFY_SOURCE in C, where they are inline, calls of them do. */
#ifndef PORTABLE_WINHTTP_NARROW_PRINTF_H
#define PORTABLE_WINHTTP_NARROW_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/* FILE alone: best said before the functions are. */
#include <bits/types/FILE.h>

#ifndef PWH_C
#define PWH_C extern
#endif
#ifndef PWH_THROW_NL
#define PWH_THROW_NL
#endif

#if defined(__cplusplus) || !(__USE_FORTIFY_LEVEL > 0)
PWH_C int printf(const char *__restrict, ...) __asm__("Pwh_printf");
PWH_C int fprintf(FILE *__restrict, const char *__restrict, ...) __asm__("Pwh_fprintf");
PWH_C int sprintf(char *__restrict, const char *__restrict, ...) PWH_THROW_NL __asm__("Pwh_sprintf");
PWH_C int snprintf(char *__restrict, size_t, const char *__restrict, ...) PWH_THROW_NL __asm__("Pwh_snprintf");
PWH_C int vprintf(const char *__restrict, va_list) __asm__("Pwh_vprintf");
PWH_C int vfprintf(FILE *__restrict, const char *__restrict, va_list) __asm__("Pwh_vfprintf");
PWH_C int vsprintf(char *__restrict, const char *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_vsprintf");
PWH_C int vsnprintf(char *__restrict, size_t, const char *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_vsnprintf");
#endif

#include "narrow_format.h"

PWH_C __attribute__((weak)) int Pwh_vfprintf(FILE *file, const char *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_vfprintf(FILE *file, const char *format, va_list arguments)
{
    size_t length;
    char *text;
    if (!pwh_is_ours(format))
        return pwh_system_vfprintf(file, format, arguments);
    text = pwh_formatted(format, arguments, &length);
    if (!text)
        return -1;
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
    if (!pwh_is_ours(format))
        return pwh_system_vsnprintf(to, room, format, arguments);
    text = pwh_formatted(format, arguments, &length);
    if (!text)
        return -1;
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

#if !defined(__cplusplus) && __USE_FORTIFY_LEVEL > 0
#define printf(...) Pwh_printf(__VA_ARGS__)
#define fprintf(...) Pwh_fprintf(__VA_ARGS__)
#define sprintf(...) Pwh_sprintf(__VA_ARGS__)
#define snprintf(...) Pwh_snprintf(__VA_ARGS__)
#define vprintf(...) Pwh_vprintf(__VA_ARGS__)
#define vfprintf(...) Pwh_vfprintf(__VA_ARGS__)
#define vsprintf(...) Pwh_vsprintf(__VA_ARGS__)
#define vsnprintf(...) Pwh_vsnprintf(__VA_ARGS__)
#endif

#endif
