/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server inside a test: a thread per connection, each request answered by the test's own
 * function, which writes what it likes. */
#ifndef SCORED_SCRIPT_SERVER_H
#define SCORED_SCRIPT_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRIPT_CONNECTIONS = 256, SCRIPT_HEAD = 16384 };

struct script_server;

struct script_connection {
    struct script_server *server;
    pthread_t thread;
    int fd;
};

struct script_server {
    /* Answers the n-th request (from 0) of the server; false: then the connection is closed. */
    bool (*answer)(struct script_server *s, int fd, const char *head, unsigned n);
    void *context;
    int fd;
    unsigned port;
    atomic_uint requests;
    pthread_t thread;
    unsigned n;
    struct script_connection connections[SCRIPT_CONNECTIONS];
};

static inline bool script_put(int fd, const void *p, size_t n)
{
    const char *from = p;

    while (n) {
        ssize_t put = send(fd, from, n, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        from += put;
        n -= (size_t)put;
    }
    return true;
}

__attribute__((format(printf, 2, 3))) static inline bool script_send(int fd, const char *fmt, ...)
{
    char text[4096];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert(n >= 0 && n < (int)sizeof text);
    return script_put(fd, text, (size_t)n);
}

/* The value of a request's header, up to its line's end; "" where there is none. */
static inline const char *script_header(const char *head, const char *name, char out[512])
{
    char mark[128];

    snprintf(mark, sizeof mark, "\n%s: ", name);
    const char *at = strcasestr(head, mark);
    out[0] = '\0';
    if (at) {
        at += strlen(mark);
        snprintf(out, 512, "%.*s", (int)strcspn(at, "\r\n"), at);
    }
    return out;
}

static inline bool script_read_head(int fd, char *head)
{
    size_t n = 0;

    while (n + 1 < SCRIPT_HEAD) {
        ssize_t got = recv(fd, head + n, 1, 0);
        if (got <= 0)
            return false;
        head[++n] = '\0';
        if (n >= 4 && strcmp(head + n - 4, "\r\n\r\n") == 0)
            return true;
    }
    return false;
}

static inline void *script_connection_main(void *p)
{
    struct script_connection *c = p;
    char head[SCRIPT_HEAD], length[512];
    bool open = true;

    while (open && script_read_head(c->fd, head)) {
        size_t n = strtoul(script_header(head, "content-length", length), NULL, 10);
        char byte;
        while (n && recv(c->fd, &byte, 1, 0) == 1)
            n--;
        unsigned number = atomic_fetch_add(&c->server->requests, 1);
        open = c->server->answer(c->server, c->fd, head, number);
    }
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static inline void *script_main(void *p)
{
    struct script_server *s = p;

    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        assert(s->n < SCRIPT_CONNECTIONS);
        struct script_connection *c = &s->connections[s->n];
        *c = (struct script_connection){.server = s, .fd = fd};
        assert(pthread_create(&c->thread, NULL, script_connection_main, c) == 0);
        s->n++;
    }
}

static inline void script_start(struct script_server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&a, n) == 0 && listen(s->fd, 64) == 0);
    assert(getsockname(s->fd, (struct sockaddr *)&a, &n) == 0);
    s->port = ntohs(a.sin_port);
    s->n = 0;
    s->requests = 0;
    assert(pthread_create(&s->thread, NULL, script_main, s) == 0);
}

static inline void script_stop(struct script_server *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
    for (unsigned i = 0; i < s->n; i++) {
        shutdown(s->connections[i].fd, SHUT_RDWR);
        pthread_join(s->connections[i].thread, NULL);
        close(s->connections[i].fd);
    }
}

#endif
