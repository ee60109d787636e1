/* Against a server of the real world, whose port is the argument: GET, POST, and a storm of cancelled requests. */
#include "client.h"

#define STORM 64

int main(int count, char **arguments)
{
    static Client clients[STORM];
    Client client;
    INTERNET_PORT port;
    int number;
    CHECK(count == 2);
    port = (INTERNET_PORT)atoi(arguments[1]);

    client_start(&client, L"127.0.0.1", port, L"GET", L"/hello", "", 0);
    client_finish(&client);
    CHECK(client.error == 0 && client.status == 200 && strcmp(client.text, "GET /hello ") == 0);

    client_start(&client, L"127.0.0.1", port, L"POST", L"/there", "some data", 0);
    client_finish(&client);
    CHECK(client.error == 0 && client.status == 200 && strcmp(client.text, "POST /there some data") == 0);

    for (number = 0; number < STORM; number++)
        client_start(&clients[number], L"127.0.0.1", port, L"GET", L"/never", "", 0);
    for (number = 0; number < STORM; number++)
        CHECK(WinHttpCloseHandle(clients[number].request));
    for (number = 0; number < STORM; number++) {
        client_finish(&clients[number]);
        CHECK(clients[number].done == 1 && clients[number].status == 0);
    }
    puts("real: good");
    return 0;
}
