/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_loop PORT CONNECTIONS REQUESTS RATE ROW ANSWER: posts the bytes of the file ROW to /predict
 * on loopback, over kept connections, and compares each reply with the bytes of the file ANSWER.
 *
 * RATE requests are due a second, on a fixed timetable. A latency runs from the moment that the
 * timetable names to the end of the reply: a server that stalls is charged for the requests that
 * had to wait, too. Waiting is busy, for a sender that sleeps is late. RATE 0 is a closed loop
 * instead: each connection asks again when it was answered. Prints one JSON object.
 */
#include "scored/buf.h"
#include "scored/clock.h"
#include "scored/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { REPLY_MAX = 1 << 16, EVENTS = 256, SLOW_US = 30000 };

struct connection {
    int fd;
    uint64_t since; /* what its latency is counted from */
    size_t got;
    char reply[REPLY_MAX];
};

struct load {
    struct connection *connections;
    unsigned n_connections;
    struct connection **idle; /* a stack */
    unsigned n_idle;
    int epoll;
    uint64_t start, rate;
    unsigned long planned, sent, done, wrong;
    struct buf request, answer;
    uint32_t *latency_us;
};

static void die(const char *what)
{
    fprintf(stderr, "open_loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_file(struct buf *b, const char *path)
{
    FILE *f = fopen(path, "re");
    size_t n;

    if (!f)
        die(path);
    do {
        char *to = buf_reserve(b, REPLY_MAX);
        n = to ? fread(to, 1, REPLY_MAX, f) : 0;
        b->len += n;
    } while (n);
    fclose(f);
}

static void make_request(struct load *l, const char *port, const char *path)
{
    struct buf row = {0};

    read_file(&row, path);
    buf_printf(&l->request,
               "POST /predict HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               port, row.len);
    buf_put(&l->request, row.data, row.len);
    buf_done(&row);
}

static void open_connection(struct load *l, struct connection *c, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)(void *)&to, sizeof to))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event))
        die("epoll");
    l->idle[l->n_idle++] = c;
}

static void send_request(struct load *l, uint64_t since)
{
    struct connection *c = l->idle[--l->n_idle];

    c->since = since;
    c->got = 0;
    if (write(c->fd, l->request.data, l->request.len) != (ssize_t)l->request.len)
        die("write");
    l->sent++;
}

/* The reply's length once its head is there, else 0. */
static size_t reply_size(const struct connection *c, size_t *head)
{
    static const char end[] = "\r\n\r\n", length[] = "\r\nContent-Length: ";
    const char *stop = memmem(c->reply, c->got, end, sizeof end - 1);

    if (!stop)
        return 0;
    *head = (size_t)(stop - c->reply) + sizeof end - 1;
    const char *at = memmem(c->reply, *head, length, sizeof length - 1);
    return *head + (at ? strtoul(at + sizeof length - 1, NULL, 10) : 0);
}

static bool is_right(const struct load *l, const struct connection *c, size_t head)
{
    static const char ok[] = "HTTP/1.1 200 ";

    return memcmp(c->reply, ok, sizeof ok - 1) == 0 && c->got - head == l->answer.len &&
           memcmp(c->reply + head, l->answer.data, l->answer.len) == 0;
}

static void receive(struct load *l, struct connection *c)
{
    size_t head = 0;
    ssize_t n = read(c->fd, c->reply + c->got, REPLY_MAX - 1 - c->got);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the server closed a connection");
    c->got += (size_t)n;
    c->reply[c->got] = '\0';
    size_t size = reply_size(c, &head);
    if (!size || c->got < size)
        return;
    l->latency_us[l->done++] = (uint32_t)((clock_ns() - c->since) / 1000);
    l->wrong += !is_right(l, c, head);
    l->idle[l->n_idle++] = c;
}

/* Sends what is due and can be sent. */
static void send_due(struct load *l)
{
    while (l->n_idle && l->sent < l->planned) {
        uint64_t now = clock_ns();
        uint64_t due = l->rate ? l->start + l->sent * UINT64_C(1000000000) / l->rate : now;
        if (due > now)
            return;
        send_request(l, due);
    }
}

static void run(struct load *l)
{
    struct epoll_event events[EVENTS];

    l->start = clock_ns();
    while (l->done < l->planned) {
        send_due(l);
        int n = epoll_wait(l->epoll, events, EVENTS, l->rate ? 0 : 1000);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++)
            receive(l, events[i].data.ptr);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print(struct load *l)
{
    double seconds = (double)(clock_ns() - l->start) / 1e9;
    unsigned long slow = 0;

    qsort(l->latency_us, l->done, sizeof *l->latency_us, compare);
    for (unsigned long i = 0; i < l->done; i++)
        slow += l->latency_us[i] > SLOW_US;
    printf("{\"requests\":%lu,\"wrong\":%lu,\"seconds\":%.3f,\"p50_us\":%u,\"p99_us\":%u,"
           "\"p999_us\":%u,\"max_us\":%u,\"over_30_ms\":%lu}\n",
           l->done, l->wrong, seconds, (unsigned)l->latency_us[l->done / 2],
           (unsigned)l->latency_us[l->done * 99 / 100],
           (unsigned)l->latency_us[l->done * 999 / 1000], (unsigned)l->latency_us[l->done - 1],
           slow);
}

int main(int argc, char **argv)
{
    struct load l = {0};

    if (argc != 7) {
        fprintf(stderr, "usage: open_loop PORT CONNECTIONS REQUESTS RATE ROW ANSWER\n");
        return 2;
    }
    l.n_connections = (unsigned)strtoul(argv[2], NULL, 10);
    l.planned = strtoul(argv[3], NULL, 10);
    l.rate = strtoul(argv[4], NULL, 10);
    make_request(&l, argv[1], argv[5]);
    read_file(&l.answer, argv[6]);
    l.connections = calloc(l.n_connections, sizeof *l.connections);
    l.idle = calloc(l.n_connections, sizeof(struct connection *));
    l.latency_us = calloc(l.planned, sizeof *l.latency_us);
    l.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!l.n_connections || !l.planned || !l.connections || !l.idle || !l.latency_us || l.epoll < 0)
        die("nothing to do, or no memory");
    for (unsigned i = 0; i < l.n_connections; i++)
        open_connection(&l, &l.connections[i], (uint16_t)strtoul(argv[1], NULL, 10));
    run(&l);
    print(&l);
    return l.wrong != 0;
}
