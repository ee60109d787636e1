// Headers of the C++ library before windows.h, and no flag but -fshort-wchar: what there is is right all the same.
#include <map>
#include <mutex>
#include <string>
#include <vector>

static std::wstring before(const std::wstring &text)
{
    return text + L", made before windows.h";
}

#include "client.h"

#include <cwchar>

int main()
{
    std::wstring text = before(L"text that does not fit into the object itself");
    WCHAR copy[128];
    std::map<std::wstring, std::vector<std::wstring>> map;
    wcscpy(copy, text.c_str());
    CHECK(text.size() == 68 && std::wcslen(copy) == 68 && text == copy && text.find(L"windows") == 59);
    map[text].push_back(std::to_wstring(7) + L"!");
    CHECK(map[copy].front() == L"7!" && std::stoi(map[copy].front()) == 7 && wcsstr(copy, L"fit") == copy + 19);
    std::puts("late: good");
}
