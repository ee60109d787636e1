// std::wstring and the wide C functions with characters of 16 bits, and text that is printed as MSVC prints it.
#include "client.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
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
    CHECK(_wcsicmp(L"ABC", L"abc") == 0 && _wcsnicmp(L"ABC", L"abd", 2) == 0 && _wtoi(L"-7") == -7);

    WCHAR made[64];
    CHECK(StringCchPrintfW(made, 64, L"%s|%S|%5d|%-4u|%08lX|%.2f|%I64d|%ls%c%%", L"wide", "narrow", 42, 7u, 0xbeefu, 1.25,
              1LL << 40, L"l", L'!')
        == S_OK);
    CHECK(std::wstring(made) == L"wide|narrow|   42|7   |0000BEEF|1.25|1099511627776|l!%");
    CHECK(StringCchCopyW(made, 4, L"abcdef") == STRSAFE_E_INSUFFICIENT_BUFFER && std::wstring(made) == L"abc");

    CHECK(std::swprintf(made, 64, L"%s %d", L"\u00e9", 7) == 3 && std::wstring(made) == L"\u00e9 7");

    char narrow[128];
    const wchar_t *volatile nothing = nullptr;
    const wchar_t *pair = L"\U0001f600";
    int length = std::snprintf(narrow, sizeof narrow, "%S|%ls|%-4S|%4ls|%.2S|%d|%s|%6.2f|%zu|%lld|%c|%*d|%p|%x%%", L"wide", L"\u00e9",
        L"l", L"r", L"cut", -5, "thin", 1.25, sizeof(int), 1LL << 40, '!', 4, 7, static_cast<void *>(nullptr), 255u);
    CHECK(std::string(narrow) == "wide|\xc3\xa9|l   |   r|cu|-5|thin|  1.25|4|1099511627776|!|   7|(nil)|ff%");
    CHECK(length == static_cast<int>(std::strlen(narrow)));
    CHECK(std::snprintf(narrow, 4, "%ls", pair) == 4 && std::string(narrow) == "\xf0\x9f\x98");
    CHECK(std::snprintf(nullptr, 0, "%S", L"abc") == 3 && std::sprintf(narrow, "%s%%%5s", "no", "wide") == 8);
    CHECK(std::string(narrow) == "no% wide" && std::snprintf(narrow, sizeof narrow, "%ls", nothing) == 6);

    URL_COMPONENTS parts = {};
    parts.dwStructSize = sizeof parts;
    parts.dwHostNameLength = parts.dwUrlPathLength = (DWORD)-1;
    CHECK(WinHttpCrackUrl(L"https://example.com/path", 0, 0, &parts) && parts.nScheme == INTERNET_SCHEME_HTTPS);
    CHECK(std::wstring(parts.lpszHostName, parts.dwHostNameLength) == L"example.com");
    std::puts("wide: good");
}
