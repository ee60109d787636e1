/* For programs that write it so. */
#include "wincrypt.h"
