/* Against a server over TLS, whose port is the first argument, and the file of its authority the second. */
#include "client.h"

int main(int count, char **arguments)
{
    static char large[3000];
    Client client;
    INTERNET_PORT port;
    int number;
    CHECK(count == 3 && setenv("SSL_CERT_FILE", arguments[2], 1) == 0);
    port = (INTERNET_PORT)atoi(arguments[1]);
    memset(large, 'x', sizeof large - 1);

    for (number = 0; number < 3; number++) {
        client_start(&client, L"localhost", port, L"GET", L"/hello", "", WINHTTP_FLAG_SECURE);
        client_finish(&client);
        CHECK(client.error == 0 && client.status == 200 && strcmp(client.text, "GET /hello ") == 0);

        client_start(&client, L"localhost", port, L"POST", L"/there", large, WINHTTP_FLAG_SECURE);
        client_finish(&client);
        CHECK(client.error == 0 && client.status == 200 && strcmp(client.text + 12, large) == 0);
    }

    client_start(&client, L"localhost", port, L"GET", L"/never", "", WINHTTP_FLAG_SECURE);
    CHECK(WinHttpCloseHandle(client.request));
    client_finish(&client);
    CHECK(client.done == 1 && client.status == 0);

    /* The certificate is for another name. */
    client_start(&client, L"127.0.0.1", port, L"GET", L"/hello", "", WINHTTP_FLAG_SECURE);
    client_finish(&client);
    CHECK(client.error == ERROR_WINHTTP_SECURE_FAILURE && client.status == 0);
    puts("secure: good");
    return 0;
}
