/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends one request again and again over keep-alive connections, one thread and epoll; a new one
 * when its answer is there. http_load PORT CONNECTIONS REQUESTS < REQUEST      prints the seconds
 * it took, p50 and p99 in microseconds
 */
#include "scored/clock.h"
#include "scored/err.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1024, MAX_REQUEST = 1 << 20, MAX_REPLY = 1 << 20 };

struct connection {
    int fd;
    size_t got;
    uint64_t sent_ns;
    char *in;
};

static char request[MAX_REQUEST];
static size_t request_len;
static struct connection connections[MAX_CONNECTIONS];
static uint32_t *latencies; /* ns */

static int connect_to(unsigned port)
{
    const int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void send_one(struct connection *c)
{
    c->got = 0;
    c->sent_ns = clock_ns();
    if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len)
        fail("send");
}

/* True where the whole reply, a 200, is there. */
static bool receive(struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->got, MAX_REPLY - 1 - c->got, 0);

    if (n <= 0)
        fail("recv");
    c->got += (size_t)n;
    c->in[c->got] = '\0';
    const char *end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return false;
    const char *length = strstr(c->in, "Content-Length: ");
    if (strncmp(c->in, "HTTP/1.1 200", 12) != 0 || !length)
        fail("reply");
    return c->got == (size_t)(end - c->in) + 4 + strtoul(length + 16, NULL, 10);
}

static void run(int epoll, unsigned n, uint64_t requests)
{
    uint64_t sent = 0, answered = 0;

    for (unsigned i = 0; i < n && sent < requests; i++, sent++)
        send_one(&connections[i]);
    while (answered < requests) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, countof(events), -1);
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            if (!receive(c))
                continue;
            latencies[answered++] = (uint32_t)(clock_ns() - c->sent_ns);
            if (sent < requests) {
                sent++;
                send_one(c);
            }
        }
    }
}

static int ascending(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    unsigned port = (unsigned)strtoul(argv[1], NULL, 10);
    unsigned n = (unsigned)strtoul(argv[2], NULL, 10) % MAX_CONNECTIONS;
    uint64_t requests = strtoull(argv[3], NULL, 10);
    int epoll = epoll_create1(0);

    request_len = fread(request, 1, sizeof request, stdin);
    latencies = calloc(requests + 1, sizeof *latencies);
    for (unsigned i = 0; i < n; i++) {
        struct connection *c = &connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = connect_to(port);
        c->in = malloc(MAX_REPLY);
        if (c->fd < 0 || !c->in || !latencies || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event))
            fail("connect");
    }
    uint64_t start = clock_ns();
    run(epoll, n, requests);
    uint64_t took = clock_ns() - start;
    qsort(latencies, requests, sizeof *latencies, ascending);
    printf("%.6f %.1f %.1f\n", (double)took / 1e9, latencies[requests / 2] / 1e3,
           latencies[requests * 99 / 100] / 1e3);
    return 0;
}
