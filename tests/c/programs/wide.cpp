// std::wstring and the wide C functions with characters of 16 bits, and text that is printed as MSVC prints it.
#include "client.h"

#include <algorithm>
#include <cerrno>
#include <codecvt>
#include <cstdio>
#include <cstring>
#include <cwchar>
#if __cplusplus >= 201703L
#include <filesystem>
#endif
#include <iomanip>
#include <locale>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <strsafe.h>

template <class Thrown, class Call> static bool throws(Call call)
{
    try {
        call();
    } catch (const Thrown &) {
        return true;
    }
    return false;
}

static void numbers()
{
    CHECK(std::to_wstring(-42) == L"-42" && std::to_wstring(1L << 40) == L"1099511627776" && std::to_wstring(1.5) == L"1.500000");
    CHECK(std::to_wstring(18446744073709551615ull) == L"18446744073709551615");
    CHECK(std::stof(L"1.5x") == 1.5f && std::stold(L"-2.25") == -2.25L && std::stoi(std::wstring(L" 17")) == 17);
    CHECK(throws<std::out_of_range>([] { (void)std::stoi(std::wstring(L"99999999999999999999")); }));
    CHECK(throws<std::out_of_range>([] { (void)std::stoull(std::wstring(L"99999999999999999999")); }));
    CHECK(throws<std::out_of_range>([] { (void)std::stod(std::wstring(L"1e999")); }));
    CHECK(throws<std::invalid_argument>([] { (void)std::stoi(std::wstring(L"x")); }));
}

static void streams()
{
    std::wstringstream out;
    out << L"a" << 42 << L' ' << std::hex << std::showbase << std::setw(8) << std::setfill(L'.') << 255 << std::dec << L' ' << 2.5
        << std::boolalpha << true << "narrow" << std::setw(5) << std::left << -7l << L'|';
    CHECK(out.str() == L"a42 ....0xff 2.5truenarrow-7...|");
    std::wstringstream in(L"one\ntwo words\nthree");
    std::wstring line;
    CHECK(std::getline(in, line) && line == L"one" && in >> line && line == L"two");
    in.ignore(100, L'\n');
    wchar_t rest[8];
    CHECK(in.getline(rest, 8) && line == L"two" && std::wstring(rest) == L"three" && !std::getline(in, line));
}

static void conversions()
{
    const wchar_t all[] = L"a\u00e9\u20ac\U0001f600";
    const char bytes[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    wchar_t wide[16];
    char narrow[16];
    std::wstring_convert<std::codecvt_utf8<wchar_t>> conversion;
    CHECK(conversion.to_bytes(all) == bytes && conversion.from_bytes(bytes) == all);
    for (const char *wrong : {"\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"})
        CHECK(throws<std::range_error>([&] { conversion.from_bytes(wrong); }));
    CHECK(throws<std::range_error>([&] { conversion.to_bytes(static_cast<wchar_t>(0xd800)); }));
    CHECK(std::mbstowcs(wide, bytes, 16) == 5 && std::wstring(wide) == all && std::mbstowcs(nullptr, bytes, 0) == 5);
    CHECK(std::wcstombs(narrow, all, 16) == 10 && std::string(narrow) == bytes);
    CHECK(std::wcstombs(narrow, all, 5) == 3 && std::mbstowcs(wide, "\xff", 16) == static_cast<size_t>(-1));
}

static void paths()
{
#if __cplusplus >= 201703L
    std::filesystem::path path(L"\u00e9/\U0001f600");
    CHECK(path.string() == "\xc3\xa9/\xf0\x9f\x98\x80" && path.wstring() == L"\u00e9/\U0001f600");
    CHECK(path.filename().wstring() == L"\U0001f600" && (path / L"b\u20ac").filename() == "b\xe2\x82\xac");
    CHECK(throws<std::filesystem::filesystem_error>([] { (void)std::filesystem::path(L"\xd800"); }));
#endif
}

static void arrays()
{
    char narrow[8];
    WCHAR wide[8];
    CHECK(sprintf_s(narrow, "%d|%I64d", 7, 12ll) == 4 && std::string(narrow) == "7|12" && strcpy_s(narrow, "abc") == 0);
    CHECK(_snprintf_s(narrow, _TRUNCATE, "%s", "12345678") == -1 && std::string(narrow) == "1234567");
    CHECK(swprintf_s(wide, L"%d", 7) == 1 && wcsncpy_s(wide, L"abcdef", 3) == 0 && std::wstring(wide) == L"abc");
    CHECK(_snwprintf_s(wide, _TRUNCATE, L"%s", L"12345678") == -1 && std::wstring(wide) == L"1234567");
    CHECK((min)(1, 2) == 1 && (max)(1u, 2u) == 2u && min(3, 2l) == 2 && std::min(1, 2) == 1);
    GUID one = {1, 2, 3, {4}}, other = one;
    CHECK(IsEqualGUID(one, other) && IsEqualIID(one, other) && one == other);
}

int main()
{
    numbers();
    streams();
    conversions();
    paths();
    arrays();
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
    CHECK(std::snprintf(narrow, sizeof narrow, "%2$d %1$s", "no", 7) == 4 && std::string(narrow) == "7 no");
    CHECK(std::snprintf(narrow, sizeof narrow, "%2$d %1$S", L"no", 7) == -1 && errno == EINVAL);
    CHECK(std::sprintf(narrow, "%s%%%5s", "no", "wide") == 8);
    CHECK(std::string(narrow) == "no% wide" && std::snprintf(narrow, sizeof narrow, "%ls", nothing) == 6);

    URL_COMPONENTS parts = {};
    parts.dwStructSize = sizeof parts;
    parts.dwHostNameLength = parts.dwUrlPathLength = (DWORD)-1;
    CHECK(WinHttpCrackUrl(L"https://example.com/path", 0, 0, &parts) && parts.nScheme == INTERNET_SCHEME_HTTPS);
    CHECK(std::wstring(parts.lpszHostName, parts.dwHostNameLength) == L"example.com");
    std::puts("wide: good");
}
