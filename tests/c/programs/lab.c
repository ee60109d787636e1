/* The lab from C: an answer, a time limit that passes in no time, a web socket, a planted bug that is found, certificates. */
#include "client.h"

#include <wincrypt.h>
#include <winhttp_lab.h>

/* The verdict on a chain for this name: an error of crypt32, or 0. */
static DWORD verdict(PCCERT_CHAIN_CONTEXT chain, LPWSTR name, DWORD ignored)
{
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA extra = {{sizeof extra}, AUTHTYPE_SERVER, ignored, name};
    CERT_CHAIN_POLICY_PARA policy = {sizeof policy, 0, &extra};
    CERT_CHAIN_POLICY_STATUS status = {sizeof status, 0, 0, 0, NULL};
    CHECK(CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &policy, &status));
    return status.dwError;
}

/* What clients do with the certificate of a server that was answered, or refused. */
static void certificates(void)
{
    WCHAR right[] = L"api.test", wrong[] = L"api.other";
    char usage[] = szOID_PKIX_KP_SERVER_AUTH, *usages[] = {usage};
    int refused;
    for (refused = 0; refused < 2; refused++) {
        HINTERNET session, connection, request;
        PCCERT_CONTEXT context = NULL;
        PCCERT_CHAIN_CONTEXT chain = NULL;
        CERT_CHAIN_PARA para = {0};
        DWORD size = sizeof context;
        WinHttpLab *lab = WinHttpLabBegin(NULL);
        CHECK(WinHttpLabPeer(lab, refused ? "{\"origin\": \"https://api.test\", \"rules\": [{\"replies\": [{\"body\": \"x\"}]}],"
                                            "\"faults\": [{\"at\": \"tls\", \"secure\": 8}]}"
                                          : "{\"origin\": \"https://api.test\", \"rules\": [{\"replies\": [{\"body\": \"x\"}]}]}"));
        session = WinHttpOpen(L"lab", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
        connection = WinHttpConnect(session, L"api.test", 443, 0);
        request = WinHttpOpenRequest(connection, L"GET", L"/", NULL, NULL, NULL, WINHTTP_FLAG_SECURE);
        CHECK(!!WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) == !refused);
        CHECK(WinHttpQueryOption(request, WINHTTP_OPTION_SERVER_CERT_CONTEXT, &context, &size) && context);
        para.cbSize = sizeof para;
        para.RequestedUsage.dwType = USAGE_MATCH_TYPE_OR;
        para.RequestedUsage.Usage.cUsageIdentifier = 1;
        para.RequestedUsage.Usage.rgpszUsageIdentifier = usages;
        CHECK(CertGetCertificateChain(
            HCCE_CURRENT_USER, context, NULL, context->hCertStore, &para, CERT_CHAIN_CACHE_END_CERT, NULL, &chain));
        CertFreeCertificateContext(context);
        CHECK(chain->TrustStatus.dwErrorStatus == (refused ? CERT_TRUST_IS_UNTRUSTED_ROOT : CERT_TRUST_NO_ERROR));
        CHECK(verdict(chain, right, 0) == (refused ? (DWORD)CERT_E_UNTRUSTEDROOT : 0));
        CHECK(verdict(chain, right, SECURITY_FLAG_IGNORE_UNKNOWN_CA) == 0);
        CHECK(verdict(chain, wrong, SECURITY_FLAG_IGNORE_UNKNOWN_CA) == (DWORD)CERT_E_CN_NO_MATCH);
        CertFreeCertificateChain(chain);
        CHECK(WinHttpCloseHandle(request) && WinHttpCloseHandle(connection) && WinHttpCloseHandle(session));
        CHECK(WinHttpLabEnd(lab, NULL));
    }
}

static void get(void)
{
    Client client;
    char *received;
    WinHttpLab *lab = WinHttpLabBegin(NULL);
    CHECK(lab);
    CHECK(WinHttpLabPeer(lab, "{\"origin\": \"https://api.test\", \"rules\": [{\"method\": \"GET\", \"path\": \"/items\","
                              "\"expect\": 1, \"replies\": [{\"body\": \"hello\", \"chunks\": [3, 2]}]}]}"));
    client_start(&client, L"api.test", 443, L"GET", L"/items", "", WINHTTP_FLAG_SECURE);
    CHECK(WinHttpLabBlockUntil(lab, client_done, &client));
    client_finish(&client);
    CHECK(client.error == 0 && client.status == 200 && strcmp(client.text, "hello") == 0);
    received = WinHttpLabReceived(lab, "https://api.test");
    CHECK(strcmp(received, "GET /items\n") == 0);
    WinHttpLabFree(received);
    CHECK(WinHttpLabEnd(lab, NULL));
}

static void time_limit(void)
{
    Client client;
    WinHttpLab *lab = WinHttpLabBegin("{\"seed\": 7}");
    CHECK(WinHttpLabPeer(lab, "{\"origin\": \"http://api.test\", \"rules\": [{\"replies\": [{\"never\": true}]}]}"));
    client_start(&client, L"api.test", 80, L"GET", L"/", "", 0);
    CHECK(WinHttpLabBlockUntil(lab, client_done, &client));
    client_finish(&client);
    CHECK(client.error == ERROR_WINHTTP_TIMEOUT && WinHttpLabElapsed(lab) == 30000);
    CHECK(WinHttpLabEnd(lab, NULL));
}

static void web_socket(void)
{
    char buffer[16];
    DWORD length;
    WINHTTP_WEB_SOCKET_BUFFER_TYPE type;
    WinHttpLab *lab = WinHttpLabBegin(NULL);
    HINTERNET session, connection, request, socket;
    CHECK(WinHttpLabPeer(lab, "{\"origin\": \"http://api.test\", \"rules\": [{\"replies\": [{\"web_socket\":"
                              "[{\"expect_text\": \"ping\"}, {\"text\": \"pong\"}, {\"expect_close\": 1000}]}]}]}"));
    session = WinHttpOpen(L"lab", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    connection = WinHttpConnect(session, L"api.test", 80, 0);
    request = WinHttpOpenRequest(connection, L"GET", L"/chat", NULL, NULL, NULL, 0);
    CHECK(WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, NULL, 0));
    CHECK(WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) && WinHttpReceiveResponse(request, NULL));
    socket = WinHttpWebSocketCompleteUpgrade(request, 0);
    CHECK(socket);
    CHECK(WinHttpWebSocketSend(socket, WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, (PVOID)"ping", 4) == NO_ERROR);
    CHECK(WinHttpWebSocketReceive(socket, buffer, sizeof buffer, &length, &type) == NO_ERROR);
    CHECK(length == 4 && memcmp(buffer, "pong", 4) == 0 && type == WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE);
    CHECK(WinHttpWebSocketClose(socket, WINHTTP_WEB_SOCKET_SUCCESS_CLOSE_STATUS, NULL, 0) == NO_ERROR);
    CHECK(WinHttpCloseHandle(socket) && WinHttpCloseHandle(request));
    CHECK(WinHttpCloseHandle(connection) && WinHttpCloseHandle(session));
    CHECK(WinHttpLabEnd(lab, NULL));
}

/* The bug: a handle is closed twice when the request fails. */
static int buggy(WinHttpLab *lab, void *context)
{
    Client client;
    (void)context;
    CHECK(WinHttpLabPeer(lab, "{\"origin\": \"http://api.test\", \"rules\": [{\"replies\": [{\"body\": \"x\"}]}]}"));
    CHECK(WinHttpLabFault(lab, "{\"at\": \"connect\", \"fail\": 12029, \"maybe\": true}"));
    client_start(&client, L"api.test", 80, L"GET", L"/", "", 0);
    WinHttpLabBlockUntil(lab, client_done, &client);
    if (client.error)
        WinHttpCloseHandle(client.request);
    client_finish(&client);
    return 1;
}

static void planted_bug(void)
{
    char *report = NULL;
    CHECK(!WinHttpLabExplore(100, buggy, NULL, &report));
    CHECK(report && strncmp(report, "schedule ", 9) == 0 && strstr(report, "WINHTTP_REPLAY="));
    WinHttpLabFree(report);
}

/* A timer and a thread of the program pass in the time of the lab. */
static void CALLBACK fired(PTP_CALLBACK_INSTANCE instance, PVOID context, PTP_TIMER timer)
{
    (void)instance;
    (void)timer;
    InterlockedIncrement((LONG *)context);
}

static DWORD WINAPI sleeps(LPVOID context)
{
    Sleep(60000);
    InterlockedIncrement((LONG *)context);
    return 5;
}

static void virtual_time(void)
{
    LONG ticks = 0, slept = 0;
    DWORD code = 0;
    FILETIME due;
    HANDLE thread;
    LONGLONG second = -10000000;
    WinHttpLab *lab = WinHttpLabBegin(NULL);
    PTP_TIMER timer = CreateThreadpoolTimer(fired, &ticks, NULL);
    due.dwLowDateTime = (DWORD)second;
    due.dwHighDateTime = (DWORD)(second >> 32);
    SetThreadpoolTimer(timer, &due, 1000, 0);
    CHECK(WinHttpLabAdvance(lab, 3500));
    CHECK(ticks == 3);
    SetThreadpoolTimer(timer, NULL, 0, 0);
    WaitForThreadpoolTimerCallbacks(timer, TRUE);
    CloseThreadpoolTimer(timer);
    thread = CreateThread(NULL, 0, sleeps, &slept, 0, NULL);
    CHECK(WaitForSingleObject(thread, 1000) == WAIT_TIMEOUT);
    CHECK(WaitForSingleObject(thread, INFINITE) == WAIT_OBJECT_0 && slept == 1);
    CHECK(GetExitCodeThread(thread, &code) && code == 5 && CloseHandle(thread));
    CHECK(WinHttpLabElapsed(lab) == 63500);
    CHECK(WinHttpLabEnd(lab, NULL));
}

static void profiles(void)
{
    static const char *const names[] = {"windows-8", "windows-10-22h2", "windows-server-2022", "windows-11-24h2", "newest"};
    DWORD tls_1_3 = WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3;
    char text[64];
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        HINTERNET session;
        WinHttpLab *lab;
        snprintf(text, sizeof text, "{\"profile\": \"%s\"}", names[i]);
        lab = WinHttpLabBegin(text);
        CHECK(lab);
        session = WinHttpOpen(L"lab", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
        CHECK(WinHttpSetOption(session, WINHTTP_OPTION_SECURE_PROTOCOLS, &tls_1_3, sizeof tls_1_3) == (i >= 2));
        CHECK(WinHttpCloseHandle(session));
        CHECK(WinHttpLabEnd(lab, NULL));
    }
    CHECK(!WinHttpLabBegin("{\"profile\": \"windows-95\"}") && GetLastError() == ERROR_INVALID_PARAMETER);
}

int main(void)
{
    get();
    time_limit();
    web_socket();
    planted_bug();
    virtual_time();
    profiles();
    certificates();
    puts("lab: good");
    return 0;
}
