/* All of it is in windows.h. */
#include "windows.h"
