/* Versions of modules. Those that are here have no version resource, and say so. */
#ifndef PORTABLE_WINHTTP_WINVER_H
#define PORTABLE_WINHTTP_WINVER_H

#include "windows.h"

#define VS_FFI_SIGNATURE 0xFEEF04BD
#define VOS_NT_WINDOWS32 0x00040004

typedef struct tagVS_FIXEDFILEINFO {
    DWORD dwSignature;
    DWORD dwStrucVersion;
    DWORD dwFileVersionMS;
    DWORD dwFileVersionLS;
    DWORD dwProductVersionMS;
    DWORD dwProductVersionLS;
    DWORD dwFileFlagsMask;
    DWORD dwFileFlags;
    DWORD dwFileOS;
    DWORD dwFileType;
    DWORD dwFileSubtype;
    DWORD dwFileDateMS;
    DWORD dwFileDateLS;
} VS_FIXEDFILEINFO;

static __inline DWORD GetFileVersionInfoSizeW(LPCWSTR name, LPDWORD unused)
{
    (void)name;
    if (unused)
        *unused = 0;
    SetLastError(ERROR_RESOURCE_TYPE_NOT_FOUND);
    return 0;
}
static __inline BOOL GetFileVersionInfoW(LPCWSTR name, DWORD unused, DWORD length, LPVOID data)
{
    (void)name, (void)unused, (void)length, (void)data;
    SetLastError(ERROR_RESOURCE_TYPE_NOT_FOUND);
    return FALSE;
}
static __inline BOOL VerQueryValueW(LPCVOID data, LPCWSTR part, LPVOID *value, PUINT length)
{
    (void)data, (void)part, (void)value;
    if (length)
        *length = 0;
    SetLastError(ERROR_RESOURCE_TYPE_NOT_FOUND);
    return FALSE;
}
#define GetFileVersionInfoSize GetFileVersionInfoSizeW
#define GetFileVersionInfo GetFileVersionInfoW
#define VerQueryValue VerQueryValueW

#endif
