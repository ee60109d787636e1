/* What WinHTTP programs use of schannel.h and sspi.h. */
#include "wincrypt.h"
