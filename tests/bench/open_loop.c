/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_loop [-s] [-o HISTORY] PORT CONNECTIONS REQUESTS RATE BODY...: posts the bytes of the files
 * BODY in turn to /predict on loopback, over kept connections.
 *
 * RATE requests are due a second, on a fixed timetable. A latency runs from the moment that the
 * timetable names to the end of the reply: a server that stalls is charged for the requests that
 * had to wait, too. Waiting is busy, for a sender that sleeps is late; -s sleeps, for a processor
 * that others use. RATE 0 is a closed loop instead: each connection asks again when it was
 * answered. SIGTERM ends it early. Prints one JSON object, in which each different reply stands
 * once; -o writes what became of each request, as an array of struct record.
 */
#include "replies.h"

#include "scored/clock.h"
#include "scored/err.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { REPLY_MAX = 1 << 16, EVENTS = 256, CONNECTIONS_MAX = 4096, BODIES_MAX = 16 };

#define SECOND_NS UINT64_C(1000000000)
#define GRACE_NS  (10 * SECOND_NS) /* for answers after the last request */

/* Nanoseconds on the monotonic clock. */
struct record {
    uint64_t due, sent, received; /* received is 0 where no answer came */
    int32_t reply;                /* place in "replies", or NO_REPLY */
    uint16_t connection, body;
};
static_assert(sizeof(struct record) == 32, "as it stands in the file");

struct connection {
    int fd;
    uint16_t number;
    struct record *request; /* that waits for its answer, or NULL */
    size_t got;
    char reply[REPLY_MAX];
};

struct load {
    struct connection *connections;
    unsigned n_connections;
    struct connection **queue; /* of free connections, a ring: all are used evenly */
    unsigned queue_from, n_free;
    int epoll;
    uint16_t port;
    bool sleeps;
    const char *history;
    uint64_t start, rate;
    unsigned long planned, sent, answered, lost, closed;
    struct buf requests[BODIES_MAX];
    unsigned n_bodies;
    struct record *records;
    struct replies replies;
};

static volatile sig_atomic_t stopped;

static void die(const char *what)
{
    fprintf(stderr, "open_loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

/* -- what is sent -- */

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

static void make_request(struct load *l, const char *path)
{
    struct buf body = {0}, *request = &l->requests[l->n_bodies++];

    read_file(&body, path);
    buf_printf(request,
               "POST /predict HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n",
               l->port, body.len);
    buf_put(request, body.data, body.len);
    if (request->failed)
        die(path);
    buf_done(&body);
}

/* -- connections -- */

static void connect_it(struct load *l, struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(l->port)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)(void *)&to, sizeof to))
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(c->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event))
        die("epoll");
}

static void put_free(struct load *l, struct connection *c)
{
    c->request = NULL;
    l->queue[(l->queue_from + l->n_free++) % l->n_connections] = c;
}

static struct connection *take_free(struct load *l)
{
    struct connection *c = l->queue[l->queue_from];

    l->queue_from = (l->queue_from + 1) % l->n_connections;
    l->n_free--;
    return c;
}

/* The server ended it; a request that was under way has no answer. */
static void replace(struct load *l, struct connection *c)
{
    close(c->fd);
    connect_it(l, c);
    l->closed++;
    if (!c->request)
        return;
    l->lost++;
    put_free(l, c);
}

/* -- requests -- */

static void send_request(struct load *l, uint64_t due)
{
    struct connection *c = take_free(l);
    uint16_t body = (uint16_t)(l->sent % l->n_bodies);
    const struct buf *request = &l->requests[body];

    c->request = &l->records[l->sent++];
    *c->request = (struct record){
        .due = due, .sent = clock_ns(), .reply = NO_REPLY, .connection = c->number, .body = body};
    c->got = 0;
    if (send(c->fd, request->data, request->len, MSG_NOSIGNAL) != (ssize_t)request->len)
        replace(l, c);
}

static void receive(struct load *l, struct connection *c)
{
    size_t head = 0;
    ssize_t n = read(c->fd, c->reply + c->got, REPLY_MAX - 1 - c->got);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || !c->request) {
        replace(l, c);
        return;
    }
    c->got += (size_t)n;
    c->reply[c->got] = '\0';
    size_t size = reply_length(c->reply, c->got, &head);
    if (!size || c->got < size)
        return;
    c->request->received = clock_ns();
    c->request->reply = replies_note(&l->replies, c->reply, c->got, head);
    if (c->request->reply == NO_REPLY)
        die("too many different replies");
    l->answered++;
    put_free(l, c);
}

static uint64_t next_due(const struct load *l)
{
    return l->rate ? l->start + l->sent * SECOND_NS / l->rate : clock_ns();
}

static bool may_send(const struct load *l)
{
    return l->n_free && l->sent < l->planned && !stopped;
}

static void send_due(struct load *l)
{
    while (may_send(l)) {
        uint64_t due = next_due(l);
        if (due > clock_ns())
            return;
        send_request(l, due);
    }
}

/* Until something happens or a request is due. */
static int wait_for(struct load *l, struct epoll_event *events)
{
    uint64_t now = clock_ns(), until = may_send(l) ? next_due(l) : now + SECOND_NS;
    struct timespec time = {0};

    if ((l->sleeps || !l->rate) && until > now)
        time = (struct timespec){(time_t)((until - now) / SECOND_NS),
                                 (long)((until - now) % SECOND_NS)};
    int n = epoll_pwait2(l->epoll, events, EVENTS, &time, NULL);
    if (n < 0 && errno != EINTR)
        die("epoll_pwait2");
    return n;
}

static void run(struct load *l)
{
    struct epoll_event events[EVENTS];
    uint64_t last;

    last = l->start = clock_ns();
    while (l->answered + l->lost < l->sent || (l->sent < l->planned && !stopped)) {
        send_due(l);
        int n = wait_for(l, events);
        for (int i = 0; i < n; i++)
            receive(l, events[i].data.ptr);
        if (l->sent < l->planned && !stopped)
            last = clock_ns();
        else if (clock_ns() - last > GRACE_NS)
            return;
    }
}

/* -- what is said -- */

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Microseconds of the answered, ascending. */
static uint32_t *latencies(const struct load *l)
{
    uint32_t *us = calloc(l->answered + 1, sizeof *us);
    unsigned long n = 0;

    for (unsigned long i = 0; us && i < l->sent; i++)
        if (l->records[i].received)
            us[n++] = (uint32_t)((l->records[i].received - l->records[i].due) / 1000);
    if (us)
        qsort(us, n, sizeof *us, compare);
    return us;
}

static unsigned long over(const uint32_t *us, unsigned long n, uint32_t limit)
{
    unsigned long slow = 0;

    while (slow < n && us[n - 1 - slow] > limit)
        slow++;
    return slow;
}

static void print(const struct load *l)
{
    double seconds = (double)(clock_ns() - l->start) / 1e9;
    uint32_t *us = latencies(l);
    unsigned long n = l->answered;
    struct buf out = {0};

    if (!us)
        die("latencies");
    buf_printf(&out, "{\"requests\":%lu,\"answered\":%lu,\"closed\":%lu,\"seconds\":%.3f,", l->sent,
               n, l->closed, seconds);
    buf_printf(&out, "\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u,", us[n / 2],
               us[n * 99 / 100], us[n * 999 / 1000], us[n ? n - 1 : 0]);
    buf_printf(&out, "\"over_5_ms\":%lu,\"over_30_ms\":%lu,\"replies\":", over(us, n, 5000),
               over(us, n, 30000));
    replies_print(&l->replies, &out);
    buf_lit(&out, "}\n");
    if (out.failed || fwrite(out.data, 1, out.len, stdout) != out.len)
        die("stdout");
    free(us);
    buf_done(&out);
}

static void write_history(const struct load *l)
{
    FILE *f = fopen(l->history, "we");

    if (!f || fwrite(l->records, sizeof *l->records, l->sent, f) != l->sent || fclose(f))
        die(l->history);
}

/* -- the command -- */

static int usage(void)
{
    fprintf(stderr, "usage: open_loop [-s] [-o HISTORY] PORT CONNECTIONS REQUESTS RATE BODY...\n");
    return 2;
}

static bool parse(struct load *l, int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "so:")) != -1) {
        if (option == 's')
            l->sleeps = true;
        else if (option == 'o')
            l->history = optarg;
        else
            return false;
    }
    if (argc - optind < 5 || argc - optind > 4 + BODIES_MAX)
        return false;
    l->port = (uint16_t)strtoul(argv[optind], NULL, 10);
    l->n_connections = (unsigned)strtoul(argv[optind + 1], NULL, 10);
    l->planned = strtoul(argv[optind + 2], NULL, 10);
    l->rate = strtoul(argv[optind + 3], NULL, 10);
    for (int i = optind + 4; i < argc; i++)
        make_request(l, argv[i]);
    return l->planned && l->n_connections && l->n_connections <= CONNECTIONS_MAX;
}

static void open_all(struct load *l)
{
    l->connections = calloc(l->n_connections, sizeof *l->connections);
    l->queue = calloc(l->n_connections, sizeof(struct connection *));
    l->records = calloc(l->planned, sizeof *l->records);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!l->connections || !l->queue || !l->records || l->epoll < 0)
        die("no memory");
    for (unsigned i = 0; i < l->n_connections; i++) {
        l->connections[i].number = (uint16_t)i;
        connect_it(l, &l->connections[i]);
        put_free(l, &l->connections[i]);
    }
}

int main(int argc, char **argv)
{
    static struct load l;
    const struct sigaction on_term = {.sa_handler = stop};

    if (!parse(&l, argc, argv))
        return usage();
    sigaction(SIGTERM, &on_term, NULL);
    prctl(PR_SET_TIMERSLACK, 1);
    open_all(&l);
    run(&l);
    if (l.history)
        write_history(&l);
    print(&l);
    replies_done(&l.replies);
    return 0;
}
