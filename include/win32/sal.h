/* The annotations of the Windows SDK that sources use beside parameters: they say what a compiler of Microsoft checks, and mean
 * nothing here. Older ones (__in, __out) are left out, for libstdc++ has names like them. */
#ifndef PORTABLE_WINHTTP_SAL_H
#define PORTABLE_WINHTTP_SAL_H

#include "windows.h"

#endif
