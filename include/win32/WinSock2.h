/* For programs that write it so. */
#include "winsock2.h"
