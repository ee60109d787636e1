/* What WinHTTP programs use of windows.h. */
#ifndef PORTABLE_WINHTTP_WINDOWS_H
#define PORTABLE_WINHTTP_WINDOWS_H

#include "../portable_winhttp/types.h"
#include "../portable_winhttp/kernel_types.h"
#include "../portable_winhttp/kernel.h"
#include <wchar.h>

#include "../portable_winhttp/macros.h"
#include "../portable_winhttp/wide_printf.h"
#include "../winhttp.h"
#include "winver.h"

#endif
