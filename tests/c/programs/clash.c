/* A program with its own last error, CloseHandle and Sleep: it links, and the engine's errors are in its pair. */
#include <stdio.h>

#include <winhttp.h>

static unsigned mine, asked, set;

uint32_t GetLastError(void)
{
    asked++;
    return mine;
}
void SetLastError(uint32_t error)
{
    set++;
    mine = error;
}
int CloseHandle(void *handle)
{
    return handle == &mine ? 77 : 0;
}
void Sleep(uint32_t milliseconds)
{
    mine = milliseconds;
}

int main(void)
{
    if (WinHttpConnect(NULL, L"host", 80, 0) || GetLastError() != ERROR_INVALID_HANDLE || set == 0)
        return 1;
    if (WinHttpCrackUrl(L"http://", 0, 0, NULL) || GetLastError() != ERROR_INVALID_PARAMETER)
        return 2;
    if (CloseHandle(&mine) != 77)
        return 3;
    puts("clash: good");
    return 0;
}
