/* What the C library has for wide text and is made here of its functions for narrow text, which is UTF-8; and what is refused,
 * for the system's would read or write 32 bits. It is a part of wchar16.h. */
#ifndef PORTABLE_WINHTTP_C_WIDE_H
#define PORTABLE_WINHTTP_C_WIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A number that begins a text, by the function for narrow text: what is no ASCII is in no number. */
#define PWH_NUMBER(type, name, narrow) \
    PWH_C __attribute__((weak)) type name(const wchar_t *__restrict, wchar_t **__restrict); \
    PWH_C __attribute__((weak)) type name(const wchar_t *__restrict text, wchar_t **__restrict end) \
    { \
        size_t length = 0, at; \
        char *copy, *stop; \
        type number = 0; \
        while (text[length] && text[length] < 128) \
            length++; \
        copy = (char *)malloc(length + 1); \
        if (!copy) \
            abort(); \
        for (at = 0; at < length; at++) \
            copy[at] = (char)text[at]; \
        copy[length] = 0; \
        number = narrow(copy, &stop); \
        if (end) \
            *end = (wchar_t *)text + (stop - copy); \
        free(copy); \
        return number; \
    }
#if defined(__USE_ISOC99) || defined(__cplusplus)
PWH_NUMBER(float, Pwh_c_wcstof, strtof)
PWH_NUMBER(long double, Pwh_c_wcstold, strtold)
#endif
PWH_NUMBER(double, Pwh_c_wcstod, strtod)
#undef PWH_NUMBER

PWH_C size_t Pwh_mbstowcs(wchar_t *, const char *, size_t);

/* As the C standard has it: %s is narrow, %ls wide, %l has the bits of long. */
PWH_C __attribute__((weak)) int Pwh_c_vswprintf(wchar_t *to, size_t room, const wchar_t *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_c_vswprintf(wchar_t *to, size_t room, const wchar_t *format, va_list arguments)
{
    pwh_made narrow = {NULL, 0, 0};
    size_t length, count;
    char *text;
    pwh_put_wide(&narrow, format, -1, -1, 0);
    *pwh_more(&narrow, 0) = 0;
    text = pwh_formatted(narrow.text, arguments, &length);
    free(narrow.text);
    if (!text)
        return -1;
    count = room ? mbstowcs(to, text, room) : 0;
    free(text);
    if (count < room)
        return (int)count;
    if (room)
        to[room - 1] = 0;
    return -1;
}

PWH_C __attribute__((weak)) int Pwh_c_vfwprintf(FILE *file, const wchar_t *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_c_vfwprintf(FILE *file, const wchar_t *format, va_list arguments)
{
    pwh_made narrow = {NULL, 0, 0};
    size_t length, written;
    char *text;
    pwh_put_wide(&narrow, format, -1, -1, 0);
    *pwh_more(&narrow, 0) = 0;
    text = pwh_formatted(narrow.text, arguments, &length);
    free(narrow.text);
    if (!text)
        return -1;
    written = fwrite(text, 1, length, file);
    free(text);
    return written == length ? (int)length : -1;
}

PWH_C __attribute__((weak)) int Pwh_c_vwprintf(const wchar_t *format, va_list arguments);
PWH_C __attribute__((weak)) int Pwh_c_vwprintf(const wchar_t *format, va_list arguments)
{
    return Pwh_c_vfwprintf(stdout, format, arguments);
}

PWH_C __attribute__((weak)) int Pwh_c_fputws(const wchar_t *text, FILE *file);
PWH_C __attribute__((weak)) int Pwh_c_fputws(const wchar_t *text, FILE *file)
{
    pwh_made narrow = {NULL, 0, 0};
    size_t written;
    pwh_put_wide(&narrow, text, -1, -1, 0);
    written = fwrite(narrow.text, 1, narrow.length, file);
    free(narrow.text);
    return written == narrow.length ? 0 : -1;
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
PWH_PRINTS(Pwh_c_swprintf, (wchar_t * to, size_t room, const wchar_t *format, ...), Pwh_c_vswprintf(to, room, format, arguments))
PWH_PRINTS(Pwh_c_fwprintf, (FILE * file, const wchar_t *format, ...), Pwh_c_vfwprintf(file, format, arguments))
PWH_PRINTS(Pwh_c_wprintf, (const wchar_t *format, ...), Pwh_c_vfwprintf(stdout, format, arguments))
#undef PWH_PRINTS

#define PWH_NOTHING
#define PWH_REFUSED(answer, name, parameters, throws) \
    PWH_C answer name parameters throws __attribute__((PWH_ERROR(#name ": that of the system has wide text of 32 bits")))
PWH_REFUSED(wchar_t *, fgetws, (wchar_t *__restrict, int, FILE *__restrict), PWH_NOTHING);
PWH_REFUSED(int, wscanf, (const wchar_t *__restrict, ...), PWH_NOTHING);
PWH_REFUSED(int, fwscanf, (FILE *__restrict, const wchar_t *__restrict, ...), PWH_NOTHING);
PWH_REFUSED(int, swscanf, (const wchar_t *__restrict, const wchar_t *__restrict, ...), PWH_THROW_NL);
#if defined(__USE_ISOC99) || defined(__cplusplus)
PWH_REFUSED(int, vwscanf, (const wchar_t *__restrict, va_list), PWH_NOTHING);
PWH_REFUSED(int, vfwscanf, (FILE *__restrict, const wchar_t *__restrict, va_list), PWH_NOTHING);
PWH_REFUSED(int, vswscanf, (const wchar_t *__restrict, const wchar_t *__restrict, va_list), PWH_THROW_NL);
#endif
PWH_REFUSED(size_t, mbrtowc, (wchar_t *__restrict, const char *__restrict, size_t, mbstate_t *__restrict), PWH_THROW);
PWH_REFUSED(size_t, mbsrtowcs, (wchar_t *__restrict, const char **__restrict, size_t, mbstate_t *__restrict), PWH_THROW);
PWH_REFUSED(size_t, wcsrtombs, (char *__restrict, const wchar_t **__restrict, size_t, mbstate_t *__restrict), PWH_THROW);
PWH_REFUSED(int, mbtowc, (wchar_t *__restrict, const char *__restrict, size_t), PWH_THROW);
PWH_REFUSED(size_t, wcsxfrm, (wchar_t *__restrict, const wchar_t *__restrict, size_t), PWH_THROW);
PWH_REFUSED(size_t, wcsftime, (wchar_t *__restrict, size_t, const wchar_t *__restrict, const struct tm *__restrict), PWH_THROW);
#if defined(__USE_XOPEN2K8) || defined(__cplusplus)
PWH_REFUSED(size_t, mbsnrtowcs, (wchar_t *__restrict, const char **__restrict, size_t, size_t, mbstate_t *__restrict), PWH_THROW);
PWH_REFUSED(size_t, wcsnrtombs, (char *__restrict, const wchar_t **__restrict, size_t, size_t, mbstate_t *__restrict), PWH_THROW);
PWH_REFUSED(wchar_t *, wcpcpy, (wchar_t *__restrict, const wchar_t *__restrict), PWH_THROW);
PWH_REFUSED(wchar_t *, wcpncpy, (wchar_t *__restrict, const wchar_t *__restrict, size_t), PWH_THROW);
#endif
#undef PWH_REFUSED
#undef PWH_NOTHING

#endif
