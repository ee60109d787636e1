/* For programs that write it so. */
#include "versionhelpers.h"
