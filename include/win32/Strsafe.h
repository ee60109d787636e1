/* For programs that write it so. */
#include "strsafe.h"
