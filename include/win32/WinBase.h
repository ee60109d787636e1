/* For programs that write it so. */
#include "winbase.h"
