/* For programs that write it so. */
#include "ws2tcpip.h"
