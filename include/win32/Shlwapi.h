/* Functions of shlwapi.h that are here are in windows.h. */
#include "windows.h"
