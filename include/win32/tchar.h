/* TCHAR is WCHAR. */
#ifndef PORTABLE_WINHTTP_TCHAR_H
#define PORTABLE_WINHTTP_TCHAR_H

#include "windows.h"

typedef WCHAR _TCHAR;
#define __T(text) L##text
#define _T(text) __T(text)
#define _tmain wmain
#define _tcslen Pwh_wcslen
#define _tcscmp Pwh_wcscmp
#define _tcsicmp Pwh_wcscasecmp
#define _tprintf pwh_wprintf
#define _TEXT(text) __T(text)

#endif
