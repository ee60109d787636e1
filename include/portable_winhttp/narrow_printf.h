/* %S, %ls and %ws of the narrow printf family, whose text the system's library would read with 32 bits, and %I64. A format that has
 * one of them is carried out here; every other goes to the system. wchar16.h brings it, and in C windows.h.
 *
 * What stays with the system: formats with numbered arguments (%1$s), the wide ones among them included, and programs that are
 * compiled with _FORTIFY_SOURCE. */
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

PWH_C int printf(const char *__restrict, ...) __asm__("Pwh_printf");
PWH_C int fprintf(FILE *__restrict, const char *__restrict, ...) __asm__("Pwh_fprintf");
PWH_C int sprintf(char *__restrict, const char *__restrict, ...) PWH_THROW_NL __asm__("Pwh_sprintf");
PWH_C int snprintf(char *__restrict, size_t, const char *__restrict, ...) PWH_THROW_NL __asm__("Pwh_snprintf");
PWH_C int vprintf(const char *__restrict, va_list) __asm__("Pwh_vprintf");
PWH_C int vfprintf(FILE *__restrict, const char *__restrict, va_list) __asm__("Pwh_vfprintf");
PWH_C int vsprintf(char *__restrict, const char *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_vsprintf");
PWH_C int vsnprintf(char *__restrict, size_t, const char *__restrict, va_list) PWH_THROW_NL __asm__("Pwh_vsnprintf");

#include "narrow_format.h"

PWH_C __attribute__((weak)) int Pwh_vfprintf(FILE *file, const char *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_vfprintf(FILE *file, const char *format, va_list arguments)
{
    size_t length;
    char *text;
    if (!pwh_is_ours(format))
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
    if (!pwh_is_ours(format))
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
