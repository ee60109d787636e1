/* What WinHTTP programs use of windows.h. */
#ifndef PORTABLE_WINHTTP_WINDOWS_H
#define PORTABLE_WINHTTP_WINDOWS_H

#include "../portable_winhttp/types.h"
#include "../portable_winhttp/kernel_types.h"
#include "../portable_winhttp/kernel.h"
#include <wchar.h>

#include "../portable_winhttp/macros.h"
#include "../portable_winhttp/wide_printf.h"
#if !defined(__cplusplus) && defined(__GLIBC__) && __WCHAR_MAX__ == 0xffff
#include "../portable_winhttp/narrow_printf.h"
#endif
#include "../winhttp.h"
#include "winver.h"

#endif
