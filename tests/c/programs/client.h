/* A small asynchronous client: one request, its answer, and the end of its handles. C and C++. */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <windows.h>
#include <winhttp.h>

typedef struct Client {
    HINTERNET session, connection, request;
    const char *body;
    HANDLE closed;
    char text[4096];
    DWORD length, status, error;
    volatile LONG done;
} Client;

static inline void client_end(Client *client, DWORD error)
{
    client->error = error;
    WinHttpCloseHandle(client->request);
}

static inline void CALLBACK client_callback(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    Client *client = (Client *)context;
    DWORD size = sizeof client->status;
    (void)handle;
    switch (status) {
    case WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE:
        if (!WinHttpReceiveResponse(client->request, NULL))
            client_end(client, GetLastError());
        break;
    case WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE:
        if (!WinHttpQueryHeaders(client->request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER,
                WINHTTP_HEADER_NAME_BY_INDEX, &client->status, &size, WINHTTP_NO_HEADER_INDEX)
            || !WinHttpReadData(client->request, client->text, sizeof client->text - 1, NULL))
            client_end(client, GetLastError());
        break;
    case WINHTTP_CALLBACK_STATUS_READ_COMPLETE:
        client->length += length;
        if (length == 0)
            client_end(client, 0);
        else if (!WinHttpReadData(
                     client->request, client->text + client->length, (DWORD)sizeof client->text - 1 - client->length, NULL))
            client_end(client, GetLastError());
        break;
    case WINHTTP_CALLBACK_STATUS_REQUEST_ERROR:
        if (((WINHTTP_ASYNC_RESULT *)information)->dwError != ERROR_WINHTTP_OPERATION_CANCELLED)
            client_end(client, ((WINHTTP_ASYNC_RESULT *)information)->dwError);
        break;
    case WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING:
        InterlockedIncrement(&client->done);
        SetEvent(client->closed);
        break;
    default:
        break;
    }
}

/* Starts a request to `host`; NULL session: a new one. */
static inline void client_start(
    Client *client, LPCWSTR host, INTERNET_PORT port, LPCWSTR verb, LPCWSTR path, const char *body, DWORD flags)
{
    memset(client, 0, sizeof *client);
    client->closed = CreateEventW(NULL, TRUE, FALSE, NULL);
    client->session = WinHttpOpen(L"client/1", WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_NO_PROXY_NAME, WINHTTP_NO_PROXY_BYPASS,
        WINHTTP_FLAG_ASYNC);
    client->connection = WinHttpConnect(client->session, host, port, 0);
    client->request = WinHttpOpenRequest(
        client->connection, verb, path, NULL, WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES, flags);
    WinHttpSetStatusCallback(client->request, client_callback, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    client->body = body;
    if (!WinHttpSendRequest(client->request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, (LPVOID)body, (DWORD)strlen(body),
            (DWORD)strlen(body), (DWORD_PTR)client))
        client_end(client, GetLastError());
}

static inline int client_done(void *client)
{
    return ((Client *)client)->done != 0;
}

static inline void client_finish(Client *client)
{
    WaitForSingleObject(client->closed, INFINITE);
    client->text[client->length] = 0;
    WinHttpCloseHandle(client->connection);
    WinHttpCloseHandle(client->session);
    CloseHandle(client->closed);
}

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s, last error %u\n", __FILE__, __LINE__, #condition, (unsigned)GetLastError()); \
            exit(1); \
        } \
    } while (0)

#endif
