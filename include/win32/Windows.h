/* For programs that write it so. */
#include "windows.h"
