/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include "scored/decimal.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,
    /* Bytes unsent above which the system takes no more of an answer. To one who offers a window of
       some bytes it would otherwise cut all its send buffer holds into as many segments: 0.3 ms and
       40 KB for nothing. */
    UNSENT = 4096,
};

/* Splits at the last colon; brackets of IPv6 go. */
static bool split(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');

    if (!colon || !colon[1] || colon - address > 250)
        return false;
    size_t n = (size_t)(colon - address);
    bool brackets = n > 1 && address[0] == '[' && address[n - 1] == ']';
    if (brackets)
        n -= 2;
    memcpy(host, address + brackets, n);
    host[n] = '\0';
    *port = colon + 1;
    return true;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = {0};
    socklen_t len = sizeof a;

    if (getsockname(fd, &a.any, &len))
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static int open_one(const struct addrinfo *a)
{
    const int one = 1, unsent = UNSENT; /* what accepts takes over */
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, BACKLOG))
        return fd;
    close(fd);
    return -1;
}

/* To be freed by freeaddrinfo. NULL on failure. */
static struct addrinfo *find(const char *address, int flags, struct err *e)
{
    const struct addrinfo hints = {.ai_flags = flags | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char host[256];
    const char *service;
    uint16_t number;

    if (!split(address, host, &service) || !decimal_port(service, &number)) {
        err_set(e, ERR_USAGE, "\"%.200s\" is no ADDRESS:PORT, as 127.0.0.1:8080 is", address);
        return NULL;
    }
    int failed = getaddrinfo(*host ? host : NULL, service, &hints, &found);
    if (!failed)
        return found;
    enum err_code code = failed == EAI_MEMORY ? ERR_NO_MEMORY : ERR_USAGE;
    err_set(e, code, "\"%.200s\": the address is not known: %s", address, gai_strerror(failed));
    return NULL;
}

int listen_open(const char *address, uint16_t *port, struct err *e)
{
    struct addrinfo *found = find(address, AI_PASSIVE, e);

    if (!found)
        return -1;
    int fd = open_one(found);
    if (fd < 0) {
        err_errno(e, "cannot listen");
        err_wrap(e, "%.200s", address);
    } else {
        *port = port_of(fd);
    }
    freeaddrinfo(found);
    return fd;
}

int listen_dial(const char *address, const struct timeval *most, struct err *e)
{
    struct addrinfo *a = find(address, 0, e);

    if (!a)
        return -1;
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, most, sizeof *most); /* of connect() too */
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, most, sizeof *most);
    }
    if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen)) {
        err_errno(e, "cannot connect");
        err_wrap(e, "%.200s", address);
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(a);
    return fd;
}
