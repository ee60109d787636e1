/* For the source of a program that begins at wmain or _tmain: `-include portable_winhttp/wmain.h`. One whose wmain has no
 * parameters is compiled with -DPORTABLE_WINHTTP_WMAIN_VOID, too. */
#ifndef PORTABLE_WINHTTP_WMAIN_H
#define PORTABLE_WINHTTP_WMAIN_H

#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#ifdef PORTABLE_WINHTTP_WMAIN_VOID
int wmain(void);

int main(void)
{
    return wmain();
}
#else
int wmain(int count, WCHAR *arguments[]);

int main(int count, char *arguments[])
{
    WCHAR **wide = (WCHAR **)calloc((size_t)count + 1, sizeof *wide);
    int at, answer;
    for (at = 0; at < count; at++) {
        int room = (int)strlen(arguments[at]) + 1;
        wide[at] = (WCHAR *)calloc((size_t)room, sizeof **wide);
        MultiByteToWideChar(CP_UTF8, 0, arguments[at], -1, wide[at], room);
    }
    answer = wmain(count, wide);
    for (at = 0; at < count; at++)
        free(wide[at]);
    free(wide);
    return answer;
}
#endif

#endif
