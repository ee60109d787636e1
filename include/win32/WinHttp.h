/* For programs that write it so. */
#include "../winhttp.h"
