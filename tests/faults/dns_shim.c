/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A resolver for tests, loaded in front of the program: every name is 127.0.0.1, and while the file
 * that DNS_DOWN names is there, no name can be looked up. Numeric addresses are themselves.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static bool is_numeric(const char *node)
{
    struct in6_addr address;

    return inet_pton(AF_INET, node, &address) == 1 || inet_pton(AF_INET6, node, &address) == 1;
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found)
{
    const char *down = getenv("DNS_DOWN");
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    lookup *next;

    memcpy(&next, &symbol, sizeof next);
    if (!node || is_numeric(node))
        return next(node, service, hints, found);
    if (down && access(down, F_OK) == 0)
        return EAI_AGAIN;
    return next("127.0.0.1", service, hints, found);
}
