/* What is here of it is in winver.h. */
#include "winver.h"
