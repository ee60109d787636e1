/* SOCKADDR_STORAGE. On Linux it is the system's. WinHTTP fills ss_family with Windows' numbers: AF_INET is 2 everywhere,
 * AF_INET6 is 23 there (WINHTTP_AF_INET6). */
#ifndef PORTABLE_WINHTTP_ADDRESSES_H
#define PORTABLE_WINHTTP_ADDRESSES_H

#include "types.h"

#if defined(__linux__)
#include <sys/socket.h>
typedef struct sockaddr_storage SOCKADDR_STORAGE, *PSOCKADDR_STORAGE;
#else
typedef struct pwh_sockaddr_storage {
    uint16_t ss_family;
    uint16_t data[3];
    uint64_t more[15];
} SOCKADDR_STORAGE, *PSOCKADDR_STORAGE;
#endif
PWH_ASSERT(sizeof(SOCKADDR_STORAGE) == 128, "SOCKADDR_STORAGE");

#define WINHTTP_AF_INET6 23

#endif
