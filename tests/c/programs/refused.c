/* Not to be compiled without -fshort-wchar. */
#include <winhttp.h>

int main(void)
{
    return WinHttpOpen(L"text", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0) == NULL;
}
