/* The library, whose path is the argument, is loaded, used against a server that does not answer (its port is the second
   argument), and unloaded while a request is pending and a thread is in a callback. What is pending goes on. */
#define WIN32_LEAN_AND_MEAN
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <winhttp.h>

#define CHECK(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            exit(1); \
        } \
    } while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static atomic_int sent, unloaded, cancelled, closed;

static void set(atomic_int *what)
{
    pthread_mutex_lock(&lock);
    *what = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(atomic_int *what)
{
    pthread_mutex_lock(&lock);
    while (!*what)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void CALLBACK told(HINTERNET handle, DWORD_PTR context, DWORD status, LPVOID information, DWORD length)
{
    (void)handle, (void)context, (void)length;
    if (status == WINHTTP_CALLBACK_STATUS_REQUEST_SENT) {
        set(&sent);
        wait_for(&unloaded);
    }
    if (status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR)
        cancelled = ((WINHTTP_ASYNC_RESULT *)information)->dwError == ERROR_WINHTTP_OPERATION_CANCELLED;
    if (status == WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING)
        set(&closed);
}

static BOOL(WINAPI *send_request)(HINTERNET, LPCWSTR, DWORD, LPVOID, DWORD, DWORD, DWORD_PTR);

/* The callback may come inside the call, and waits there. */
static void *sends(void *request)
{
    CHECK(send_request(request, NULL, 0, NULL, 0, 0, 1));
    return NULL;
}

#define FUNCTION(name) __typeof__(&name) p##name = (__typeof__(&name))dlsym(library, #name)

int main(int count, char **arguments)
{
    void *library;
    pthread_t sender;
    HINTERNET session, connection, request;
    CHECK(count == 3);
    library = dlopen(arguments[1], RTLD_NOW);
    CHECK(library);
    FUNCTION(WinHttpOpen);
    FUNCTION(WinHttpConnect);
    FUNCTION(WinHttpOpenRequest);
    FUNCTION(WinHttpSetStatusCallback);
    FUNCTION(WinHttpSendRequest);
    FUNCTION(WinHttpCloseHandle);
    session = pWinHttpOpen(NULL, WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, WINHTTP_FLAG_ASYNC);
    connection = pWinHttpConnect(session, L"127.0.0.1", (INTERNET_PORT)atoi(arguments[2]), 0);
    request = pWinHttpOpenRequest(connection, NULL, L"/never", NULL, NULL, NULL, 0);
    CHECK(request);
    pWinHttpSetStatusCallback(request, told, WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
    send_request = pWinHttpSendRequest;
    CHECK(pthread_create(&sender, NULL, sends, request) == 0);
    wait_for(&sent);
    CHECK(dlclose(library) == 0);
    set(&unloaded);
    pthread_join(sender, NULL);
    /* The functions are still there. */
    CHECK(pWinHttpCloseHandle(request));
    wait_for(&closed);
    CHECK(cancelled);
    CHECK(pWinHttpCloseHandle(connection) && pWinHttpCloseHandle(session));
    puts("unload: good");
    return 0;
}
