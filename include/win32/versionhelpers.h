/* Which Windows it is: one of today. */
#ifndef PORTABLE_WINHTTP_VERSIONHELPERS_H
#define PORTABLE_WINHTTP_VERSIONHELPERS_H

#include "windows.h"

#define IsWindowsXPOrGreater() TRUE
#define IsWindowsXPSP1OrGreater() TRUE
#define IsWindowsXPSP2OrGreater() TRUE
#define IsWindowsXPSP3OrGreater() TRUE
#define IsWindowsVistaOrGreater() TRUE
#define IsWindowsVistaSP1OrGreater() TRUE
#define IsWindowsVistaSP2OrGreater() TRUE
#define IsWindows7OrGreater() TRUE
#define IsWindows7SP1OrGreater() TRUE
#define IsWindows8OrGreater() TRUE
#define IsWindows8Point1OrGreater() TRUE
#define IsWindows10OrGreater() TRUE
#define IsWindowsServer() FALSE

#endif
