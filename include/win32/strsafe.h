/* Text into buffers of a known size. */
#ifndef PORTABLE_WINHTTP_STRSAFE_H
#define PORTABLE_WINHTTP_STRSAFE_H

#include "windows.h"

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)

static __inline HRESULT StringCchVPrintfW(WCHAR *to, size_t room, const WCHAR *format, va_list arguments)
{
    if (room == 0)
        return STRSAFE_E_INVALID_PARAMETER;
    return pwh_vswprintf(to, room, format, arguments) < 0 ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
static __inline HRESULT StringCchPrintfW(WCHAR *to, size_t room, const WCHAR *format, ...)
{
    HRESULT result;
    va_list arguments;
    va_start(arguments, format);
    result = StringCchVPrintfW(to, room, format, arguments);
    va_end(arguments);
    return result;
}
static __inline HRESULT StringCchVPrintfA(char *to, size_t room, const char *format, va_list arguments)
{
    int length;
    if (room == 0)
        return STRSAFE_E_INVALID_PARAMETER;
    length = pwh_fitted(to, room, format, arguments);
    return length < 0 || (size_t)length >= room ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
static __inline HRESULT StringCchPrintfA(char *to, size_t room, const char *format, ...)
{
    HRESULT result;
    va_list arguments;
    va_start(arguments, format);
    result = StringCchVPrintfA(to, room, format, arguments);
    va_end(arguments);
    return result;
}
static __inline HRESULT StringCchCopyW(WCHAR *to, size_t room, const WCHAR *from)
{
    static const WCHAR format[] = {'%', 's', 0};
    return StringCchPrintfW(to, room, format, from);
}
static __inline HRESULT StringCchCopyNW(WCHAR *to, size_t room, const WCHAR *from, size_t count)
{
    static const WCHAR format[] = {'%', '.', '*', 's', 0};
    return StringCchPrintfW(to, room, format, (int)count, from);
}
static __inline HRESULT StringCchCopyA(char *to, size_t room, const char *from)
{
    return StringCchPrintfA(to, room, "%s", from);
}
static __inline HRESULT StringCchCatW(WCHAR *to, size_t room, const WCHAR *from)
{
    size_t length = Pwh_wcsnlen(to, room);
    return length < room ? StringCchCopyW(to + length, room - length, from) : STRSAFE_E_INVALID_PARAMETER;
}
static __inline HRESULT StringCchLengthW(const WCHAR *text, size_t most, size_t *length)
{
    size_t found = text ? Pwh_wcsnlen(text, most) : most;
    if (found >= most)
        return STRSAFE_E_INVALID_PARAMETER;
    if (length)
        *length = found;
    return S_OK;
}
static __inline HRESULT StringCchCatNW(WCHAR *to, size_t room, const WCHAR *from, size_t count)
{
    size_t length = Pwh_wcsnlen(to, room);
    return length < room ? StringCchCopyNW(to + length, room - length, from, count) : STRSAFE_E_INVALID_PARAMETER;
}
static __inline HRESULT StringCchCopyNA(char *to, size_t room, const char *from, size_t count)
{
    return StringCchPrintfA(to, room, "%.*s", (int)count, from);
}
static __inline HRESULT StringCchLengthA(const char *text, size_t most, size_t *length)
{
    const char *end = text ? (const char *)memchr(text, 0, most) : NULL;
    if (!end)
        return STRSAFE_E_INVALID_PARAMETER;
    if (length)
        *length = (size_t)(end - text);
    return S_OK;
}
static __inline HRESULT StringCchCatA(char *to, size_t room, const char *from)
{
    size_t length;
    return StringCchLengthA(to, room, &length) == S_OK ? StringCchCopyA(to + length, room - length, from)
                                                       : STRSAFE_E_INVALID_PARAMETER;
}
static __inline HRESULT StringCchCatNA(char *to, size_t room, const char *from, size_t count)
{
    size_t length;
    return StringCchLengthA(to, room, &length) == S_OK ? StringCchCopyNA(to + length, room - length, from, count)
                                                       : STRSAFE_E_INVALID_PARAMETER;
}

/* The same with sizes in bytes. */
static __inline HRESULT StringCbVPrintfW(WCHAR *to, size_t size, const WCHAR *format, va_list arguments)
{
    return StringCchVPrintfW(to, size / sizeof *to, format, arguments);
}
static __inline HRESULT StringCbPrintfW(WCHAR *to, size_t size, const WCHAR *format, ...)
{
    HRESULT result;
    va_list arguments;
    va_start(arguments, format);
    result = StringCbVPrintfW(to, size, format, arguments);
    va_end(arguments);
    return result;
}
static __inline HRESULT StringCbCopyW(WCHAR *to, size_t size, const WCHAR *from)
{
    return StringCchCopyW(to, size / sizeof *to, from);
}
static __inline HRESULT StringCbCopyNW(WCHAR *to, size_t size, const WCHAR *from, size_t bytes)
{
    return StringCchCopyNW(to, size / sizeof *to, from, bytes / sizeof *from);
}
static __inline HRESULT StringCbCatW(WCHAR *to, size_t size, const WCHAR *from)
{
    return StringCchCatW(to, size / sizeof *to, from);
}
static __inline HRESULT StringCbLengthW(const WCHAR *text, size_t most, size_t *bytes)
{
    HRESULT result = StringCchLengthW(text, most / sizeof *text, bytes);
    if (bytes && result == S_OK)
        *bytes *= sizeof *text;
    return result;
}
#define StringCbVPrintfA StringCchVPrintfA
#define StringCbPrintfA StringCchPrintfA
#define StringCbCopyA StringCchCopyA
#define StringCbCopyNA StringCchCopyNA
#define StringCbCatA StringCchCatA
#define StringCbLengthA StringCchLengthA

#define StringCchPrintf StringCchPrintfW
#define StringCchVPrintf StringCchVPrintfW
#define StringCchCopy StringCchCopyW
#define StringCchCopyN StringCchCopyNW
#define StringCchCat StringCchCatW
#define StringCchCatN StringCchCatNW
#define StringCchLength StringCchLengthW
#define StringCbPrintf StringCbPrintfW
#define StringCbVPrintf StringCbVPrintfW
#define StringCbCopy StringCbCopyW
#define StringCbCopyN StringCbCopyNW
#define StringCbCat StringCbCatW
#define StringCbLength StringCbLengthW

#endif
