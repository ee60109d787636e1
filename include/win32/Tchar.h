/* For programs that write it so. */
#include "tchar.h"
