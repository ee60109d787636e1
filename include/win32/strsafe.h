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
static __inline HRESULT StringCchPrintfA(char *to, size_t room, const char *format, ...)
{
    int length;
    va_list arguments;
    va_start(arguments, format);
    length = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    return length < 0 || (size_t)length >= room ? STRSAFE_E_INSUFFICIENT_BUFFER : S_OK;
}
static __inline HRESULT StringCchCopyW(WCHAR *to, size_t room, const WCHAR *from)
{
    return StringCchPrintfW(to, room, L"%s", from);
}
static __inline HRESULT StringCchCopyNW(WCHAR *to, size_t room, const WCHAR *from, size_t count)
{
    return StringCchPrintfW(to, room, L"%.*s", (int)count, from);
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
#define StringCchPrintf StringCchPrintfW
#define StringCchCopy StringCchCopyW
#define StringCchCopyN StringCchCopyNW
#define StringCchCat StringCchCatW
#define StringCchLength StringCchLengthW

#endif
