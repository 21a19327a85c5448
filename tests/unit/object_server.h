/* SPDX-License-Identifier: Apache-2.0 */
/* A server of objects inside a test: enough of S3 for a client that reads. Its threads allocate
 * nothing that a test counts. */
#ifndef OBJECT_SERVER_H
#define OBJECT_SERVER_H

#include "versions.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

enum { OBJECT_BYTES = 18 << 20, OBJECT_HEAD = 16384, OBJECT_NAME = 128 };

struct object_server {
    _Atomic(const char *) published; /* the version that bundle.json is */
    void (*thread_begins)(void);
    int fd;
    unsigned port;
    unsigned char *large; /* the object "large", OBJECT_BYTES */
};

struct object_connection {
    struct object_server *server;
    int fd;
};

struct object {
    const unsigned char *bytes;
    size_t n;
    unsigned char file[1 << 16];
    char etag[80];
};

static inline bool object_put(int fd, const void *p, size_t n, int more)
{
    const char *from = p;

    while (n) {
        ssize_t put = send(fd, from, n, MSG_NOSIGNAL | more);
        if (put <= 0)
            return false;
        from += put;
        n -= (size_t)put;
    }
    return true;
}

/* Bytes and ETag of the object that a head asks for. */
static inline bool object_find(struct object_server *s, const char *head, struct object *o)
{
    char name[OBJECT_NAME], path[PATH_MAX];
    const char *end = strstr(head + 4, " HTTP/"), *at = end;

    while (at > head && at[-1] != '/')
        at--;
    snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
    snprintf(o->etag, sizeof o->etag, "\"%.64s\"", name);
    if (strcmp(name, "large") == 0) {
        o->bytes = s->large;
        o->n = OBJECT_BYTES;
        return true;
    }
    if (strcmp(name, "bundle.json") == 0) {
        snprintf(name, sizeof name, "%s.json", atomic_load(&s->published));
        snprintf(o->etag, sizeof o->etag, "\"%.64s\"", name);
    }
    snprintf(path, sizeof path, VERSIONS_DIR "/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, o->file, sizeof o->file);
    close(fd);
    o->bytes = o->file;
    o->n = n > 0 ? (size_t)n : 0;
    return n >= 0;
}

static inline bool object_answer(struct object_server *s, int fd, const char *head,
                                 struct object *o)
{
    char line[512];
    unsigned long from = 0, last = 0;
    const char *range = strcasestr(head, "\nrange: bytes="),
               *unless = strcasestr(head, "\nif-none-match: ");
    int n;

    if (!object_find(s, head, o)) {
        static const char none[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        return object_put(fd, none, sizeof none - 1, 0);
    }
    unless = unless ? strchr(unless, '"') : NULL;
    if (unless && strncmp(unless, o->etag, strlen(o->etag)) == 0) {
        n = snprintf(line, sizeof line, "HTTP/1.1 304 Not Modified\r\nETag: %s\r\n\r\n", o->etag);
        return object_put(fd, line, (size_t)n, 0);
    }
    last = o->n ? o->n - 1 : 0;
    if (range) {
        char *dash;
        from = strtoul(range + sizeof "\nrange: bytes=" - 1, &dash, 10);
        unsigned long asked = strtoul(dash + 1, NULL, 10);
        last = asked < last ? asked : last;
    }
    n = range
            ? snprintf(line, sizeof line,
                       "HTTP/1.1 206 Partial Content\r\nETag: %s\r\nContent-Length: %lu\r\n"
                       "Content-Range: bytes %lu-%lu/%zu\r\n\r\n",
                       o->etag, last - from + 1, from, last, o->n)
            : snprintf(line, sizeof line,
                       "HTTP/1.1 200 OK\r\nETag: %s\r\nContent-Length: %zu\r\n\r\n", o->etag, o->n);
    return object_put(fd, line, (size_t)n, MSG_MORE) &&
           object_put(fd, o->bytes + from, o->n ? last - from + 1 : 0, 0);
}

static inline void *object_connection_main(void *argument)
{
    static _Thread_local struct object object;
    static _Thread_local char head[OBJECT_HEAD];
    struct object_connection c = *(struct object_connection *)argument;
    size_t n = 0;

    c.server->thread_begins();
    __real_free(argument);
    for (ssize_t got; (got = recv(c.fd, head + n, sizeof head - 1 - n, 0)) > 0;) {
        n += (size_t)got;
        head[n] = '\0';
        if (n < 4 || strcmp(head + n - 4, "\r\n\r\n") != 0) /* never two at once */
            continue;
        if (!object_answer(c.server, c.fd, head, &object))
            break;
        n = 0;
    }
    close(c.fd);
    return NULL;
}

static inline void *object_server_main(void *argument)
{
    struct object_server *s = argument;
    pthread_t thread;

    s->thread_begins();
    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;) {
        struct object_connection *c = __real_malloc(sizeof *c);
        must(c != NULL);
        *c = (struct object_connection){s, fd};
        must(pthread_create(&thread, NULL, object_connection_main, c) == 0);
        pthread_detach(thread);
    }
    return NULL;
}

/* Runs to the process' end. */
static inline void object_server_start(struct object_server *s, void (*thread_begins)(void))
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    pthread_t thread;

    s->thread_begins = thread_begins;
    s->large = __real_calloc(1, OBJECT_BYTES);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(s->large && s->fd >= 0);
    must(bind(s->fd, (struct sockaddr *)&a, n) == 0 && listen(s->fd, 64) == 0);
    must(getsockname(s->fd, (struct sockaddr *)&a, &n) == 0);
    s->port = ntohs(a.sin_port);
    must(pthread_create(&thread, NULL, object_server_main, s) == 0);
    pthread_detach(thread);
}

#endif
