/* For programs that write it so. */
#include "winerror.h"
