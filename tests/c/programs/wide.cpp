// std::wstring and the wide C functions with characters of 16 bits, and text that is printed as MSVC prints it.
#include "client.h"

#include <algorithm>
#include <cwchar>
#include <map>
#include <string>
#include <strsafe.h>

int main()
{
    std::wstring text = L"hello, world";
    text += L" and more, so that it does not fit into the object itself";
    CHECK(text.size() == 69 && text.find(L"world") == 7 && text.substr(7, 5) == L"world");
    CHECK(std::wcslen(text.c_str()) == text.size() && std::wcschr(text.c_str(), L'w') == text.c_str() + 7);
    CHECK(std::stol(L"42") == 42 && std::stod(L"1.5") == 1.5 && std::wstring(3, L'x') == L"xxx");
    std::map<std::wstring, int> map{{L"a", 1}, {L"b", 2}};
    CHECK(map[L"b"] == 2 && std::count(text.begin(), text.end(), L'o') == 8);
    CHECK(_wcsicmp(L"ABC", L"abc") == 0 && _wtoi(L"-7") == -7);

    WCHAR made[64];
    CHECK(StringCchPrintfW(made, 64, L"%s|%S|%5d|%-4u|%08lX|%.2f|%I64d|%ls%c%%", L"wide", "narrow", 42, 7u, 0xbeefu, 1.25,
              1LL << 40, L"l", L'!')
        == S_OK);
    CHECK(std::wstring(made) == L"wide|narrow|   42|7   |0000BEEF|1.25|1099511627776|l!%");
    CHECK(StringCchCopyW(made, 4, L"abcdef") == STRSAFE_E_INSUFFICIENT_BUFFER && std::wstring(made) == L"abc");

    URL_COMPONENTS parts = {};
    parts.dwStructSize = sizeof parts;
    parts.dwHostNameLength = parts.dwUrlPathLength = (DWORD)-1;
    CHECK(WinHttpCrackUrl(L"https://example.com/path", 0, 0, &parts) && parts.nScheme == INTERNET_SCHEME_HTTPS);
    CHECK(std::wstring(parts.lpszHostName, parts.dwHostNameLength) == L"example.com");
    std::puts("wide: good");
}
