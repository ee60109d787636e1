/* Text into buffers of a told size, as MSVC has it: what has no room ends the process, unless _TRUNCATE allows to cut it. */
#ifndef PORTABLE_WINHTTP_BOUNDED_TEXT_H
#define PORTABLE_WINHTTP_BOUNDED_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define _TRUNCATE ((size_t)-1)
#define STRUNCATE 80

static __inline int vsprintf_s(char *buffer, size_t size, const char *format, va_list arguments)
{
    int made = pwh_fitted(buffer, size, format, arguments);
    if (made < 0 || (size_t)made >= size)
        abort();
    return made;
}
/* At most `count` characters and a NUL; -1 if it was cut. */
static __inline int _vsnprintf_s(char *buffer, size_t size, size_t count, const char *format, va_list arguments)
{
    size_t room = count < size ? count + 1 : size;
    int made = pwh_fitted(buffer, room, format, arguments);
    if (made >= 0 && (size_t)made < room)
        return made;
    if (count != _TRUNCATE && count >= size)
        abort();
    return -1;
}
static __inline int sprintf_s(char *buffer, size_t size, const char *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = vsprintf_s(buffer, size, format, arguments);
    va_end(arguments);
    return made;
}
static __inline int _snprintf_s(char *buffer, size_t size, size_t count, const char *format, ...)
{
    int made;
    va_list arguments;
    va_start(arguments, format);
    made = _vsnprintf_s(buffer, size, count, format, arguments);
    va_end(arguments);
    return made;
}

static __inline int strncpy_s(char *to, size_t size, const char *from, size_t count)
{
    size_t length = 0;
    while (length < count && from[length])
        length++;
    if (size == 0 || (length >= size && count != _TRUNCATE))
        abort();
    memcpy(to, from, length < size ? length : size - 1);
    to[length < size ? length : size - 1] = 0;
    return length < size ? 0 : STRUNCATE;
}
static __inline int strcpy_s(char *to, size_t size, const char *from)
{
    return strncpy_s(to, size, from, strlen(from));
}
static __inline int strcat_s(char *to, size_t size, const char *from)
{
    size_t length = 0;
    while (length < size && to[length])
        length++;
    return strcpy_s(to + length, size - length, from);
}
static __inline int memcpy_s(void *to, size_t size, const void *from, size_t count)
{
    if (count > size)
        abort();
    memcpy(to, from, count);
    return 0;
}
static __inline int wcsncpy_s(WCHAR *to, size_t size, const WCHAR *from, size_t count)
{
    size_t length = 0;
    while (length < count && from[length])
        length++;
    if (size == 0 || (length >= size && count != _TRUNCATE))
        abort();
    memcpy(to, from, (length < size ? length : size - 1) * sizeof *to);
    to[length < size ? length : size - 1] = 0;
    return length < size ? 0 : STRUNCATE;
}
static __inline int wcscpy_s(WCHAR *to, size_t size, const WCHAR *from)
{
    return wcsncpy_s(to, size, from, _TRUNCATE - 1);
}
static __inline int wcscat_s(WCHAR *to, size_t size, const WCHAR *from)
{
    size_t length = 0;
    while (length < size && to[length])
        length++;
    return wcscpy_s(to + length, size - length, from);
}

#ifdef __cplusplus
/* An array knows its size. */
template <size_t Size> int strcpy_s(char (&to)[Size], const char *from)
{
    return strcpy_s(to, Size, from);
}
template <size_t Size> int strcat_s(char (&to)[Size], const char *from)
{
    return strcat_s(to, Size, from);
}
template <size_t Size> int strncpy_s(char (&to)[Size], const char *from, size_t count)
{
    return strncpy_s(to, Size, from, count);
}
template <size_t Size> int wcscpy_s(WCHAR (&to)[Size], const WCHAR *from)
{
    return wcscpy_s(to, Size, from);
}
template <size_t Size> int wcscat_s(WCHAR (&to)[Size], const WCHAR *from)
{
    return wcscat_s(to, Size, from);
}
template <size_t Size> int wcsncpy_s(WCHAR (&to)[Size], const WCHAR *from, size_t count)
{
    return wcsncpy_s(to, Size, from, count);
}
template <size_t Size> int vsprintf_s(char (&to)[Size], const char *format, va_list arguments)
{
    return vsprintf_s(to, Size, format, arguments);
}
template <size_t Size> int sprintf_s(char (&to)[Size], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int made = vsprintf_s(to, Size, format, arguments);
    va_end(arguments);
    return made;
}
template <size_t Size> int _vsnprintf_s(char (&to)[Size], size_t count, const char *format, va_list arguments)
{
    return _vsnprintf_s(to, Size, count, format, arguments);
}
template <size_t Size> int _snprintf_s(char (&to)[Size], size_t count, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int made = _vsnprintf_s(to, Size, count, format, arguments);
    va_end(arguments);
    return made;
}
#endif

#endif
