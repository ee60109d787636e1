/* What is here of kernel32: files, text, messages, modules, locks, the thread pool. The argument is a folder. */
#include "client.h"

#include <wincrypt.h>
#include <strsafe.h>
#include <tchar.h>
#include <winsock2.h>

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static CRITICAL_SECTION section;
static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE condition = CONDITION_VARIABLE_INIT;
static LONG counted, ready;

static DWORD WINAPI counts(LPVOID context)
{
    int number;
    (void)context;
    for (number = 0; number < 10000; number++) {
        EnterCriticalSection(&section);
        EnterCriticalSection(&section);
        counted++;
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    AcquireSRWLockExclusive(&lock);
    ready++;
    ReleaseSRWLockExclusive(&lock);
    WakeAllConditionVariable(&condition);
    return 0;
}

static void locks(void)
{
    HANDLE threads[4];
    int number;
    InitializeCriticalSection(&section);
    for (number = 0; number < 4; number++)
        threads[number] = CreateThread(NULL, 0, counts, NULL, 0, NULL);
    AcquireSRWLockExclusive(&lock);
    while (ready < 4)
        CHECK(SleepConditionVariableSRW(&condition, &lock, INFINITE, 0));
    ReleaseSRWLockExclusive(&lock);
    CHECK(WaitForMultipleObjects(4, threads, TRUE, INFINITE) == WAIT_OBJECT_0 && counted == 40000);
    for (number = 0; number < 4; number++)
        CHECK(CloseHandle(threads[number]));
    CHECK(!CloseHandle(threads[0]) && GetLastError() == ERROR_INVALID_HANDLE);
    DeleteCriticalSection(&section);
    AcquireSRWLockExclusive(&lock);
    CHECK(!SleepConditionVariableSRW(&condition, &lock, 1, 0) && GetLastError() == ERROR_TIMEOUT);
    ReleaseSRWLockExclusive(&lock);
}

/* Whether it ends the process, as text without room does. */
static int ends(void (*call)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        call();
        _exit(0);
    }
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void too_long(void)
{
    char narrow[4];
    strcpy_s(narrow, sizeof narrow, "four");
}

static void too_long_by_format(void)
{
    char narrow[4];
    sprintf_s(narrow, sizeof narrow, "%d", 1234);
}

static void too_long_and_wide(void)
{
    WCHAR wide[4] = L"abc";
    wcscat_s(wide, 4, L"d");
}

/* How long it is, and what it is: a va_list is used twice. */
static int printed(char *text, size_t size, const char *format, ...)
{
    int count, made;
    va_list arguments;
    va_start(arguments, format);
    count = _vscprintf(format, arguments);
    made = vsprintf_s(text, size, format, arguments);
    va_end(arguments);
    return count == made ? count : -1;
}

static void bounded_text(void)
{
    char narrow[8];
    WCHAR wide[8];
    CHECK(sprintf_s(narrow, sizeof narrow, "%d", 1234567) == 7 && strcmp(narrow, "1234567") == 0);
    CHECK(_snprintf_s(narrow, sizeof narrow, _TRUNCATE, "%s", "12345678") == -1 && strcmp(narrow, "1234567") == 0);
    CHECK(_snprintf_s(narrow, sizeof narrow, 3, "%s", "12345678") == -1 && strcmp(narrow, "123") == 0);
    CHECK(strcpy_s(narrow, sizeof narrow, "seven77") == 0 && strcmp(narrow, "seven77") == 0);
    CHECK(strncpy_s(narrow, sizeof narrow, "eight888", _TRUNCATE) == STRUNCATE && strcmp(narrow, "eight88") == 0);
    CHECK(strcpy_s(narrow, sizeof narrow, "one") == 0 && strcat_s(narrow, sizeof narrow, "two") == 0);
    CHECK(strcmp(narrow, "onetwo") == 0);
    CHECK(wcscpy_s(wide, 8, L"one") == 0 && wcscat_s(wide, 8, L"two") == 0 && wcsncpy_s(wide, 8, L"abcdefgh", 2) == 0);
    CHECK(wide[1] == 'b' && wide[2] == 0);
    CHECK(printed(narrow, sizeof narrow, "%d%s", 12, "345") == 5 && strcmp(narrow, "12345") == 0);
    CHECK(_snwprintf_s(wide, 8, 3, L"%d", 12345) == -1 && wide[2] == '3' && wide[3] == 0);
    CHECK(_snwprintf_s(wide, 8, _TRUNCATE, L"%d", 123456789) == -1 && wide[6] == '7' && wide[7] == 0);
    CHECK(_snwprintf(wide, 5, L"hello") == 5 && _snwprintf(wide, 5, L"%.*hs|%*d", 2, "no NUL", -2, 7) == 5 && wide[4] == ' ');
    CHECK(_snwprintf(wide, 5, L"too long") == -1 && wide[4] == 'l' && wide[5] != 0);
    CHECK(MultiByteToWideChar(CP_UTF8, 0, "\xc3\xa9\xff", 3, wide, 8) == 2 && wide[0] == 0xe9 && wide[1] == 0xfffd);
    CHECK(wcsncmp(L"abc", L"abd", 2) == 0 && _wcsnicmp(L"ABC", L"abd", 2) == 0 && wcsncpy(wide, L"xyz", 3) == wide);
    CHECK(wide[2] == 'z');
    CHECK(ends(too_long) && ends(too_long_by_format) && ends(too_long_and_wide));
}

/* MSVC's lengths, numbers out of range, text of any length. */
static void formats(const char *folder)
{
    static WCHAR wide[6000];
    char narrow[700], path[512];
    FILE *file;
    LARGE_INTEGER big;
    int units = 0, number;
    CHECK(_snprintf(narrow, 64, "%I64d|%I64u|%I64x|%I32d|%Iu|%5I64d|%S|%ls", -(1LL << 40), 1ULL << 40, 255LL, -7, (size_t)9, 8LL,
              L"\x20ac", L"w")
        == 48);
    CHECK(strcmp(narrow, "-1099511627776|1099511627776|ff|-7|9|    8|\xe2\x82\xac|w") == 0);
    CHECK(snprintf(narrow, 64, "%S|%ls|%d", L"\x20ac", L"w", 7) == 7 && strcmp(narrow, "\xe2\x82\xac|w|7") == 0);
    CHECK(_set_errno(7) == 0 && errno == 7 && _get_errno(&number) == 0 && number == 7);
    CHECK(_scprintf("%I64d", 1LL << 40) == 13 && sprintf_s(narrow, 64, "%I64d", 1LL << 40) == 13);
    CHECK(StringCchPrintfA(narrow, 64, "%I64u", 1ULL << 40) == S_OK && strcmp(narrow, "1099511627776") == 0);
    CHECK(swprintf(wide, 6000, L"%600d|%.550d", 1, 2) == 1151 && wide[599] == '1' && wide[600] == '|' && wide[1150] == '2');
    CHECK(_scwprintf(L"%.600f", 0.5) == 602);
    snprintf(path, sizeof path, "%s/wide.txt", folder);
    file = fopen(path, "w");
    CHECK(file && fwprintf(file, L"%5000d%s", 1, L"\xe9") == 5001 && fputws(L"end", file) >= 0 && fclose(file) == 0);
    file = fopen(path, "r");
    for (number = fgetc(file); number != EOF; number = fgetc(file))
        units++;
    CHECK(units == 5005 && fclose(file) == 0 && remove(path) == 0);
    errno = 0;
    CHECK(wcstol(L"2147483647", NULL, 10) == 2147483647 && wcstoul(L"-1", NULL, 10) == 0xffffffff && errno == 0);
    CHECK(wcstol(L"2147483648", NULL, 10) == 2147483647 && errno == ERANGE);
    errno = 0;
    CHECK(wcstol(L"-2147483649", NULL, 10) == -2147483647 - 1 && errno == ERANGE);
    errno = 0;
    CHECK(wcstoul(L"4294967296", NULL, 10) == 0xffffffff && errno == ERANGE && _wtoi(L"9999999999") == 2147483647);
    CHECK(mbstowcs(wide, "\xc3\xa9x", 9) == 2 && wide[0] == 0xe9 && wcstombs(narrow, L"\xe9", 9) == 2);
    CHECK(StringCchCopyA(narrow, 8, "one") == S_OK && StringCchCatA(narrow, 8, "two") == S_OK && strcmp(narrow, "onetwo") == 0);
    CHECK(StringCchCatA(narrow, 8, "three") == STRSAFE_E_INSUFFICIENT_BUFFER && strcmp(narrow, "onetwot") == 0);
    CHECK(StringCchCopyW(wide, 8, L"one") == S_OK && StringCbCatW(wide, 16, L"two") == S_OK && wcscmp(wide, L"onetwo") == 0);
    big.QuadPart = (1LL << 32) + 5;
    CHECK(big.LowPart == 5 && big.HighPart == 1 && WSAETIMEDOUT == ETIMEDOUT);
}

/* Blocks, variables, the system, and names that programs have in their interfaces. */
static void process(void)
{
    static const GUID one = {1, 2, 3, {4}}, other = {1, 2, 3, {5}};
    HWND window = NULL;
    HKEY key = NULL;
    LRESULT result = 0;
    WPARAM first = 0;
    LPARAM second = 0;
    TCHAR name[] = TEXT("PWH_TEST_VARIABLE"), value[16];
    char narrow[16];
    SYSTEM_INFO system;
    int status = 0;
    pid_t child;
    char *block = (char *)HeapAlloc(GetProcessHeap(), 0, 4);
    memcpy(block, "abc", 4);
    CHECK(HeapSize(GetProcessHeap(), 0, block) == 4);
    block = (char *)HeapReAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, block, 4000);
    CHECK(block && strcmp(block, "abc") == 0 && block[3999] == 0 && HeapSize(GetProcessHeap(), 0, block) == 4000);
    CHECK(!HeapReAlloc(GetProcessHeap(), HEAP_REALLOC_IN_PLACE_ONLY, block, 5000) && HeapFree(GetProcessHeap(), 0, block));
    CHECK(GetEnvironmentVariable(name, value, 16) == 0 && GetLastError() == 203);
    CHECK(SetEnvironmentVariable(name, L"\xe9" L"x") && GetEnvironmentVariable(name, value, 16) == 2 && value[0] == 0xe9);
    CHECK(GetEnvironmentVariable(name, value, 2) == 3 && GetEnvironmentVariableA("PWH_TEST_VARIABLE", narrow, 16) == 3);
    CHECK(SetEnvironmentVariable(name, NULL) && GetEnvironmentVariable(name, value, 16) == 0);
    CHECK(!SetEnvironmentVariable(L"a=b", L"c") && GetLastError() == ERROR_INVALID_PARAMETER);
    GetSystemInfo(&system);
    CHECK(system.dwNumberOfProcessors >= 1 && system.dwPageSize == 4096);
    CHECK(IsEqualGUID(&one, &one) && !IsEqualIID(&one, &other) && !window && !key && !result && !first && !second);
    child = fork();
    if (child == 0)
        ExitProcess(7);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void devices(void)
{
    HANDLE output = GetStdHandle(STD_OUTPUT_HANDLE);
    DWORD count, size;
    BOOL wow64 = TRUE;
    SYSTEMTIME local;
    CHECK(output != INVALID_HANDLE_VALUE && output == GetStdHandle(STD_OUTPUT_HANDLE));
    CHECK(output != GetStdHandle(STD_ERROR_HANDLE) && GetFileType(output) != FILE_TYPE_UNKNOWN);
    CHECK(WriteFile(output, "to standard output\n", 19, &count, NULL) && count == 19);
    CHECK(GetStdHandle(1) == INVALID_HANDLE_VALUE && GetLastError() == ERROR_INVALID_HANDLE);
    CHECK(GetFileType(NULL) == FILE_TYPE_UNKNOWN && GetLastError() == ERROR_INVALID_HANDLE);
    CHECK(GetFileVersionInfoSizeW(L"winhttp.dll", &size) == 0 && GetLastError() == ERROR_RESOURCE_TYPE_NOT_FOUND);
    GetLocalTime(&local);
    CHECK(local.wYear > 2000 && local.wMonth >= 1 && local.wMonth <= 12 && local.wDay >= 1 && local.wHour < 24);
    CHECK(IsWow64Process(GetCurrentProcess(), &wow64) && !wow64);
}

static void files(const char *folder)
{
    char path[512], buffer[8];
    DWORD count;
    LARGE_INTEGER size;
    HANDLE file;
    snprintf(path, sizeof path, "%s\\one.txt", folder);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    CHECK(file != INVALID_HANDLE_VALUE && GetLastError() == 0);
    CHECK(WriteFile(file, "0123456789", 10, &count, NULL) && count == 10);
    CHECK(GetFileSizeEx(file, &size) && size.QuadPart == 10 && GetFileSize(file, NULL) == 10);
    CHECK(GetFileType(file) == FILE_TYPE_DISK);
    CHECK(SetFilePointer(file, -4, NULL, FILE_END) == 6);
    CHECK(ReadFile(file, buffer, sizeof buffer, &count, NULL) && count == 4 && memcmp(buffer, "6789", 4) == 0);
    CHECK(SetFilePointer(file, -1, NULL, FILE_BEGIN) == INVALID_SET_FILE_POINTER && GetLastError() == ERROR_NEGATIVE_SEEK);
    CHECK(CloseHandle(file) && !ReadFile(file, buffer, 1, &count, NULL) && GetLastError() == ERROR_INVALID_HANDLE);
    CHECK(CreateFileA(path, GENERIC_READ, 0, NULL, CREATE_NEW, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK(GetLastError() == ERROR_FILE_EXISTS && GetFileAttributesA(path) == FILE_ATTRIBUTE_NORMAL);
    file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(!WriteFile(file, "x", 1, &count, NULL) && GetLastError() == ERROR_ACCESS_DENIED && CloseHandle(file));
    CHECK(DeleteFileA(path) && GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES);
    CHECK(GetLastError() == ERROR_FILE_NOT_FOUND && GetFileAttributesA(folder) == FILE_ATTRIBUTE_DIRECTORY);
}

/* How two handles of this process have a file: what each may do, and lets others. */
static void sharing(const char *folder)
{
    static const struct {
        DWORD access, share, other_access, other_share;
        int goes;
    } rows[] = {
        {GENERIC_READ, 0, GENERIC_READ, FILE_SHARE_READ, 0},
        {GENERIC_READ, FILE_SHARE_READ, GENERIC_READ, FILE_SHARE_READ, 1},
        {GENERIC_READ, FILE_SHARE_READ, GENERIC_READ, 0, 0},
        {GENERIC_READ, FILE_SHARE_READ, GENERIC_WRITE, FILE_SHARE_READ, 0},
        {GENERIC_WRITE, FILE_SHARE_READ, GENERIC_READ, FILE_SHARE_READ, 0},
        {GENERIC_WRITE, FILE_SHARE_READ, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, 1},
        {GENERIC_READ | GENERIC_WRITE, 0, 0, 0, 1},
    };
    char path[512];
    HANDLE one, other, copy;
    size_t at;
    snprintf(path, sizeof path, "%s/shared.txt", folder);
    for (at = 0; at < sizeof rows / sizeof *rows; at++) {
        one = CreateFileA(path, rows[at].access, rows[at].share, NULL, OPEN_ALWAYS, 0, NULL);
        CHECK(one != INVALID_HANDLE_VALUE);
        other = CreateFileA(path, rows[at].other_access, rows[at].other_share, NULL, OPEN_EXISTING, 0, NULL);
        CHECK((other != INVALID_HANDLE_VALUE) == rows[at].goes && (rows[at].goes || GetLastError() == ERROR_SHARING_VIOLATION));
        CHECK(!DeleteFileA(path) && GetLastError() == ERROR_SHARING_VIOLATION);
        CHECK(!rows[at].goes || CloseHandle(other));
        /* A copy has the file as well. */
        CHECK(DuplicateHandle(GetCurrentProcess(), one, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
        CHECK(CloseHandle(one) && !DeleteFileA(path) && CloseHandle(copy));
    }
    one = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_DELETE, NULL, CREATE_ALWAYS, 0, NULL);
    CHECK(one != INVALID_HANDLE_VALUE && CreateFileA(path, GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL) == INVALID_HANDLE_VALUE);
    CHECK(DeleteFileA(path) && CloseHandle(one) && GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES);
}

/* Handles that stand for the process and the thread that uses them. */
static DWORD WINAPI opens(LPVOID path)
{
    HANDLE end = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    return end != INVALID_HANDLE_VALUE && CloseHandle(end);
}

/* Devices and pipes are nobody's alone; the ends of a pipe wait for each other, and nobody else waits. */
static void pipes(const char *folder)
{
    char path[512];
    DWORD opened = 0;
    HANDLE other, one = CreateFileA("/dev/null", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    other = CreateFileA("/dev/null", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(one != INVALID_HANDLE_VALUE && other != INVALID_HANDLE_VALUE && CloseHandle(one) && CloseHandle(other));
    snprintf(path, sizeof path, "%s/pipe", folder);
    CHECK(mkfifo(path, 0600) == 0);
    other = CreateThread(NULL, 0, opens, path, 0, NULL);
    one = CreateFileA(path, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(one != INVALID_HANDLE_VALUE && WaitForSingleObject(other, INFINITE) == WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(other, &opened) && opened && CloseHandle(one) && CloseHandle(other) && unlink(path) == 0);
}

static void pseudo_handles(void)
{
    HANDLE thread, process, twice[2], self = GetCurrentProcess();
    DWORD code;
    CHECK(WaitForSingleObject(GetCurrentThread(), 0) == WAIT_TIMEOUT && WaitForSingleObject(GetCurrentProcess(), 1) == WAIT_TIMEOUT);
    CHECK(DuplicateHandle(self, GetCurrentThread(), self, &thread, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK(DuplicateHandle(self, self, self, &process, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK(GetThreadId(thread) == GetCurrentThreadId() && GetThreadId(GetCurrentThread()) == GetCurrentThreadId());
    CHECK(GetExitCodeThread(thread, &code) && code == STILL_ACTIVE && WaitForSingleObject(thread, 0) == WAIT_TIMEOUT);
    twice[0] = twice[1] = thread;
    CHECK(WaitForMultipleObjects(2, twice, TRUE, 0) == WAIT_FAILED && GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(WaitForMultipleObjects(1, twice, TRUE, 0) == WAIT_TIMEOUT);
    CHECK(DuplicateHandle(process, thread, process, &twice[1], 0, FALSE, DUPLICATE_SAME_ACCESS) && CloseHandle(twice[1]));
    CHECK(CloseHandle(thread) && CloseHandle(process));
}

static void text(void)
{
    WCHAR wide[8];
    char narrow[8];
    LPWSTR message = NULL;
    char said[128];
    size_t at;
    static const struct {
        DWORD error;
        const char *text;
    } system[] = {
        {ERROR_SUCCESS, "The operation completed successfully.\r\n"},
        {ERROR_FILE_NOT_FOUND, "The system cannot find the file specified.\r\n"},
        {ERROR_ACCESS_DENIED, "Access is denied.\r\n"},
        {ERROR_NO_MORE_FILES, "There are no more files.\r\n"},
        {ERROR_INVALID_PARAMETER, "The parameter is incorrect.\r\n"},
        {ERROR_IO_PENDING, "Overlapped I/O operation is in progress.\r\n"},
    };
    CHECK(MultiByteToWideChar(CP_UTF8, 0, "a\xc3\xa4", -1, wide, 8) == 3 && wide[1] == 0xe4);
    CHECK(MultiByteToWideChar(CP_UTF8, 0, "abc", 3, NULL, 0) == 3);
    CHECK(!MultiByteToWideChar(CP_UTF8, 0, "abc", 3, wide, 2) && GetLastError() == ERROR_INSUFFICIENT_BUFFER);
    CHECK(!MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "\xff", 1, wide, 8));
    CHECK(GetLastError() == ERROR_NO_UNICODE_TRANSLATION);
    CHECK(!MultiByteToWideChar(CP_UTF8, MB_PRECOMPOSED, "a", 1, wide, 8) && GetLastError() == 1004);
    CHECK(!MultiByteToWideChar(CP_UTF8, MB_COMPOSITE, "a", 1, wide, 8) && GetLastError() == 1004);
    CHECK(!MultiByteToWideChar(CP_UTF8, MB_USEGLYPHCHARS, "a", 1, wide, 8) && GetLastError() == 1004);
    CHECK(MultiByteToWideChar(CP_ACP, MB_PRECOMPOSED, "a", 1, wide, 8) == 1);
    CHECK(WideCharToMultiByte(CP_UTF8, 0, L"\x20ac", -1, narrow, 8, NULL, NULL) == 4);
    CHECK(memcmp(narrow, "\xe2\x82\xac", 4) == 0);
    CHECK(FormatMessage(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_HMODULE, GetModuleHandle(_T("winhttp.dll")),
              ERROR_WINHTTP_TIMEOUT, 0, (LPWSTR)&message, 0, NULL)
        > 2);
    CHECK(lstrlenW(message) > 2 && message[lstrlenW(message) - 1] == '\n' && !LocalFree(message));
    CHECK(!FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, ERROR_WINHTTP_TIMEOUT, 0, narrow, 8, NULL));
    CHECK(GetLastError() == ERROR_MR_MID_NOT_FOUND);
    for (at = 0; at < sizeof system / sizeof *system; at++) {
        CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, system[at].error, 0, said, 128, NULL));
        CHECK(strcmp(said, system[at].text) == 0);
    }
    CHECK(_snprintf(narrow, 4, "%s", "abcdef") == -1 && memcmp(narrow, "abcd", 4) == 0);
}

static void modules(void)
{
    HMODULE library = LoadLibraryW(L"C:\\Windows\\System32\\WinHTTP.dll");
    CHECK(library && (void *)GetProcAddress(library, "WinHttpOpen") == (void *)WinHttpOpen);
    CHECK(!GetProcAddress(library, "WinHttpNothing") && GetLastError() == ERROR_PROC_NOT_FOUND && FreeLibrary(library));
    CHECK(!GetProcAddress(library, "CreateEventW") && GetLastError() == ERROR_PROC_NOT_FOUND);
    CHECK((void *)GetProcAddress(GetModuleHandle(_T("kernel32")), "CreateEventW") == (void *)CreateEventW);
    CHECK(!GetProcAddress(GetModuleHandle(_T("kernel32")), "WinHttpOpen") && GetProcAddress(GetModuleHandle(_T("KERNELBASE")), "Sleep"));
    CHECK(GetProcAddress(GetModuleHandle(_T("api-ms-win-core-synch-l1-2-0.dll")), "SleepConditionVariableCS"));
    CHECK(CloseHandle(GetCurrentThread()) && CloseHandle(GetCurrentProcess()));
    CHECK(GetProcAddress(GetModuleHandle(_T("ntdll.dll")), "RtlNtStatusToDosError"));
    CHECK(GetProcAddress(GetModuleHandle(_T("crypt32.dll")), "CertCloseStore") && !GetProcAddress(GetModuleHandle(NULL), "Sleep"));
    CHECK(!LoadLibraryA("nothing.dll") && GetLastError() == ERROR_MOD_NOT_FOUND);
}

static void CALLBACK adds(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WORK work)
{
    (void)instance;
    (void)work;
    InterlockedIncrement((LONG *)context);
}

static void CALLBACK signals(PVOID context, BOOLEAN timed_out)
{
    (void)timed_out;
    SetEvent((HANDLE)context);
}

static void pool(void)
{
    LONG sum = 0;
    int number;
    HANDLE timer, waited, event = CreateEvent(NULL, FALSE, FALSE, NULL), source = CreateEvent(NULL, FALSE, FALSE, NULL);
    PTP_WORK work = CreateThreadpoolWork(adds, &sum, NULL);
    for (number = 0; number < 100; number++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    CHECK(sum == 100);
    CloseThreadpoolWork(work);
    CHECK(CreateTimerQueueTimer(&timer, NULL, signals, event, 1, 0, WT_EXECUTEONLYONCE));
    CHECK(WaitForSingleObject(event, INFINITE) == WAIT_OBJECT_0);
    CHECK(DeleteTimerQueueTimer(NULL, timer, INVALID_HANDLE_VALUE));
    CHECK(RegisterWaitForSingleObject(&waited, source, signals, event, INFINITE, WT_EXECUTEDEFAULT));
    CHECK(SetEvent(source) && WaitForSingleObject(event, INFINITE) == WAIT_OBJECT_0);
    CHECK(UnregisterWaitEx(waited, INVALID_HANDLE_VALUE) && CloseHandle(source) && CloseHandle(event));
}

static BOOL CALLBACK initializes(PINIT_ONCE once, PVOID times, PVOID *context)
{
    (void)once;
    *context = times;
    return InterlockedIncrement((LONG *)times) == 1;
}

static void CALLBACK told(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_WAIT wait, TP_WAIT_RESULT result)
{
    (void)wait;
    CHECK(result == WAIT_OBJECT_0);
    SetEventWhenCallbackReturns(instance, (HANDLE)context);
}

static void CALLBACK posts(PTP_CALLBACK_INSTANCE instance, PVOID context)
{
    ReleaseSemaphoreWhenCallbackReturns(instance, (HANDLE)context, 1);
}

static void objects(void)
{
    INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    TP_CALLBACK_ENVIRON environment = {0};
    LONG times = 0, before;
    PVOID context = NULL;
    DWORD flags;
    PTP_WAIT wait;
    HANDLE copy, event = CreateEvent(NULL, FALSE, FALSE, NULL);
    HANDLE mutex = CreateMutex(NULL, TRUE, NULL), semaphore = CreateSemaphore(NULL, 0, 8, NULL);
    CHECK(WaitForSingleObject(mutex, 0) == WAIT_OBJECT_0 && ReleaseMutex(mutex) && ReleaseMutex(mutex));
    CHECK(!ReleaseMutex(mutex) && GetLastError() == ERROR_NOT_OWNER && CloseHandle(mutex));
    CHECK(InitOnceExecuteOnce(&once, initializes, &times, &context) && context == &times);
    CHECK(InitOnceExecuteOnce(&once, initializes, &times, NULL) && times == 1);
    CHECK(GetHandleInformation(event, &flags) && flags == 0);
    CHECK(DuplicateHandle(GetCurrentProcess(), event, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    wait = CreateThreadpoolWait(told, copy, NULL);
    SetThreadpoolWait(wait, semaphore, NULL);
    CHECK(ReleaseSemaphore(semaphore, 1, &before) && before == 0);
    CHECK(WaitForSingleObject(event, INFINITE) == WAIT_OBJECT_0);
    WaitForThreadpoolWaitCallbacks(wait, FALSE);
    CloseThreadpoolWait(wait);
    environment.Version = 3;
    environment.Pool = CreateThreadpool(NULL);
    environment.CleanupGroup = CreateThreadpoolCleanupGroup();
    SetThreadpoolThreadMaximum(environment.Pool, 1);
    CHECK(SetThreadpoolThreadMinimum(environment.Pool, 1));
    CHECK(TrySubmitThreadpoolCallback(posts, semaphore, &environment));
    CloseThreadpoolCleanupGroupMembers(environment.CleanupGroup, FALSE, NULL);
    CHECK(WaitForSingleObject(semaphore, 0) == WAIT_OBJECT_0 && CloseHandle(semaphore));
    CloseThreadpoolCleanupGroup(environment.CleanupGroup);
    CloseThreadpool(environment.Pool);
    CHECK(CloseHandle(copy) && CloseHandle(event) && RtlNtStatusToDosError((NTSTATUS)0xC0000022) == 5);
}

static void urls(void)
{
    WCHAR url[32];
    DWORD size = 32;
    CHECK(UrlCombine(L"http://a.test/b/c", L"../d", url, &size, 0) == S_OK && size == 15);
    size = 3;
    CHECK(UrlCombine(L"http://a.test/b/c", L"../d", url, &size, 0) == E_POINTER && size == 16);
}

int main(int count, char **arguments)
{
    CHECK(count == 2);
    locks();
    devices();
    bounded_text();
    formats(arguments[1]);
    process();
    files(arguments[1]);
    sharing(arguments[1]);
    pipes(arguments[1]);
    pseudo_handles();
    text();
    modules();
    pool();
    objects();
    urls();
    puts("kernel: good");
    return 0;
}
