/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include "replies.h"
#include "scored/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, HOSTS = 200 };

#define SECOND_NS UINT64_C(1000000000)

void streams_die(const char *what)
{
    fprintf(stderr, "overload: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* -- timetables -- */

/* Exponential with mean 1, from a generator of its own: the same in each run. */
static double gap(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return -log((double)((*state >> 11) + 1) / 9007199254740993.0);
}

/* Requests first to end of a phase that lasts from `from` on. Random ones fill it exactly, too: the
 * rate offered is the rate asked for. */
static void fill(struct stream *s, size_t first, const struct phase *p, uint64_t from,
                 uint64_t *random)
{
    size_t n = p->end - first;
    double at = s->poisson ? gap(random) : 0, *times = calloc(n + 1, sizeof *times);

    if (!times)
        streams_die("no memory");
    for (size_t i = 0; i < n; i++) {
        times[i] = at;
        at += s->poisson ? gap(random) : 1.0;
    }
    for (size_t i = 0; i < n; i++)
        s->records[first + i].due = from + (uint64_t)(times[i] / at * (double)p->ns);
    free(times);
}

static uint64_t length(const struct stream *s)
{
    uint64_t ns = 0;

    for (unsigned i = 0; i < s->n_phases; i++)
        ns += s->phases[i].ns;
    return ns;
}

static void make_timetable(struct stream *s)
{
    uint64_t from = 0, random = 88172645463325252U;
    size_t n = 0;

    for (unsigned i = 0; i < s->n_phases; i++) {
        struct phase *p = &s->phases[i];
        n += (size_t)((double)p->rate * (double)p->ns / 1e9);
        p->end = n;
    }
    s->n = n;
    s->records = calloc(n + 1, sizeof *s->records);
    if (!s->records)
        streams_die("no memory");
    for (unsigned i = 0; s->mode != LOOP && i < s->n_phases; i++) {
        fill(s, i ? s->phases[i - 1].end : 0, &s->phases[i], from, &random);
        from += s->phases[i].ns;
    }
}

/* -- lines -- */

static void put_free(struct line *l)
{
    l->request = NULL;
    l->next = l->stream->free;
    l->stream->free = l;
}

static void hang_up(struct line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

static void finish(struct line *l, enum outcome outcome)
{
    struct record *r = l->request;

    if (!r)
        return;
    r->done = clock_ns();
    r->outcome = (uint8_t)outcome;
    l->stream->open--;
    l->request = NULL;
}

static void watch(struct streams *all, struct line *l, int how, bool room)
{
    struct epoll_event event = {.events = EPOLLIN | (room ? EPOLLOUT : 0), .data.ptr = l};

    l->awaits_room = room;
    if (epoll_ctl(all->epoll, how, l->fd, &event))
        streams_die("epoll_ctl");
}

/* Clients come from many addresses, as a system has only 28,000 ports for one. */
static bool dial(struct streams *all, struct line *l)
{
    static unsigned turn;
    struct stream *s = l->stream;
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(s->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                             from = {.sin_family = AF_INET,
                                     .sin_addr.s_addr =
                                         htonl(INADDR_LOOPBACK + 1 + turn++ % HOSTS)};
    int on = 1;

    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        streams_die("socket");
    setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(l->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(l->fd, (const struct sockaddr *)(const void *)&from, sizeof from))
        streams_die("bind");
    s->connects++;
    if (connect(l->fd, (const struct sockaddr *)(const void *)&to, sizeof to) &&
        errno != EINPROGRESS) {
        hang_up(l);
        return false;
    }
    l->closes = false;
    watch(all, l, EPOLL_CTL_ADD, true);
    return true;
}

/* -- requests -- */

static void send_rest(struct streams *all, struct line *l)
{
    const struct buf *request = &l->stream->request;

    while (l->request && l->sent < request->len) {
        ssize_t n = send(l->fd, request->data + l->sent, request->len - l->sent, MSG_NOSIGNAL);
        if (n < 0)
            break; /* no room; or it ended, which reading tells */
        l->sent += (size_t)n;
    }
    bool room = l->request && l->sent < request->len && (errno == EAGAIN || errno == ENOTCONN);
    if (room != l->awaits_room)
        watch(all, l, EPOLL_CTL_MOD, room);
}

static void ask(struct streams *all, struct line *l, struct record *r)
{
    l->request = r;
    r->line = (uint32_t)(l - l->stream->lines);
    l->sent = l->got = l->size = 0;
    r->sent = clock_ns();
    l->stream->open++;
    if (l->fd < 0) {
        if (!dial(all, l)) {
            finish(l, OUTCOME_REFUSED);
            put_free(l);
        }
        return; /* its first bytes go when the connection is there */
    }
    if (!l->awaits_room)
        send_rest(all, l);
}

static void send_waiting(struct streams *all, struct stream *s)
{
    while (s->sent < s->taken && s->free) {
        struct line *l = s->free;
        s->free = l->next;
        ask(all, l, &s->records[s->sent++]);
    }
}

static void take_due(struct streams *all, struct stream *s)
{
    uint64_t now = clock_ns();

    if (s->mode == LOOP) {
        while (s->free && s->taken < s->n && now < all->end) {
            s->records[s->taken].due = s->records[s->taken].taken = now;
            s->taken++;
            send_waiting(all, s);
        }
        return;
    }
    while (s->taken < s->n && s->records[s->taken].due <= now)
        s->records[s->taken++].taken = now;
    send_waiting(all, s);
}

static enum outcome outcome_of(unsigned status)
{
    return status == 200                    ? OUTCOME_ACCEPTED
           : status == 503 || status == 429 ? OUTCOME_BUSY
           : status == 504                  ? OUTCOME_LATE
                                            : OUTCOME_OTHER;
}

/* -- answers -- */

/* The line has ended; a request that had no whole answer was reset, or never had a connection. */
static void ended(struct line *l, int error)
{
    struct stream *s = l->stream;
    bool had = l->request;

    s->closed++;
    finish(l, error == ECONNREFUSED ? OUTCOME_REFUSED : OUTCOME_RESET);
    hang_up(l);
    if (had)
        put_free(l);
}

static void answered(struct line *l)
{
    unsigned status = (unsigned)strtoul(l->head + sizeof "HTTP/1.1", NULL, 10);

    l->request->status = (uint16_t)status;
    finish(l, outcome_of(status));
    if (l->stream->mode == FRESH || l->closes || l->sent < l->stream->request.len)
        hang_up(l);
    put_free(l);
}

/* Keeps the head, counts the rest. */
static void note(struct line *l, const char *p, size_t n)
{
    size_t head = 0;

    if (!l->size) {
        size_t kept = l->got < HEAD_MAX - 1 ? HEAD_MAX - 1 - l->got : 0;
        memcpy(l->head + l->got, p, n < kept ? n : kept);
        size_t have = l->got + n < HEAD_MAX - 1 ? l->got + n : HEAD_MAX - 1;
        l->head[have] = '\0';
        l->size = reply_length(l->head, have, &head);
        if (l->size)
            l->closes = memmem(l->head, head, "\r\nConnection: close", 19) != NULL;
    }
    l->got += n;
}

static uint64_t clock_of_day(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

/* When the system had the last of what was read, by its own stamp; now, where there is none. */
static uint64_t came_at(struct msghdr *m)
{
    uint64_t now = clock_ns(), ago = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec t;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        ago = clock_of_day() - ((uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec);
    }
    return now - ago;
}

static ssize_t receive_some(struct line *l, void *bytes, size_t size, uint64_t *came)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec v = {bytes, size};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(l->fd, &m, 0);

    if (n > 0)
        *came = came_at(&m);
    return n;
}

static void receive(struct line *l)
{
    static char bytes[1 << 18];
    uint64_t came = 0;

    for (;;) {
        ssize_t n = receive_some(l, bytes, sizeof bytes, &came);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 || !l->request) {
            ended(l, n < 0 ? errno : 0);
            return;
        }
        note(l, bytes, (size_t)n);
        if (l->size && l->got >= l->size) {
            l->request->came = came;
            answered(l);
            return;
        }
    }
}

static void serve(struct streams *all, struct line *l, uint32_t events)
{
    if (l->fd < 0)
        return; /* ended by an event before this one */
    if (events & EPOLLOUT && !(events & EPOLLERR))
        send_rest(all, l);
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        receive(l);
}

/* -- patience -- */

/* All of a stream wait equally long: who gives up first was due first. */
static void give_up(struct stream *s)
{
    uint64_t now = clock_ns();

    for (; s->looked_at < s->sent; s->looked_at++) {
        const struct record *r = &s->records[s->looked_at];
        if (r->due + s->give_up > now)
            return;
        struct line *l = &s->lines[r->line];
        if (l->request != r)
            continue;
        finish(l, OUTCOME_GAVE_UP);
        hang_up(l);
        put_free(l);
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_event(const struct streams *all)
{
    uint64_t at = clock_ns() + SECOND_NS / 100;

    for (unsigned i = 0; i < all->n; i++) {
        const struct stream *s = &all->list[i];
        if (s->mode != LOOP && s->taken < s->n)
            at = sooner(at, s->records[s->taken].due);
    }
    return at;
}

static bool over(const struct streams *all)
{
    uint64_t now = clock_ns();
    size_t open = 0;

    for (unsigned i = 0; i < all->n; i++) {
        const struct stream *s = &all->list[i];
        open += s->open + (s->mode == LOOP ? s->taken : s->n) - s->sent;
    }
    return now >= all->end && (!open || now >= all->end + all->grace);
}

void streams_run(struct streams *all)
{
    struct epoll_event events[EVENTS];
    while (!over(all)) {
        for (unsigned i = 0; i < all->n; i++)
            take_due(all, &all->list[i]);
        uint64_t now = clock_ns(), until = next_event(all);
        struct timespec time = {0, until > now ? (long)(until - now) : 0};
        int n = epoll_pwait2(all->epoll, events, EVENTS, &time, NULL);
        if (n < 0 && errno != EINTR)
            streams_die("epoll_pwait2");
        for (int i = 0; i < n; i++)
            serve(all, events[i].data.ptr, events[i].events);
        for (unsigned i = 0; i < all->n; i++)
            if (all->list[i].give_up)
                give_up(&all->list[i]);
    }
}

/* -- before -- */

static void open_lines(struct streams *all, struct stream *s)
{
    s->lines = calloc(s->n_lines, sizeof *s->lines);
    if (!s->lines)
        streams_die("no memory");
    for (unsigned i = s->n_lines; i-- > 0;) {
        s->lines[i].fd = -1;
        s->lines[i].stream = s;
        if (s->mode != FRESH && !dial(all, &s->lines[i]))
            streams_die("connect");
        put_free(&s->lines[i]);
    }
}

/* Opened connections get a moment, so that the server is not found busy with them. */
void streams_open(struct streams *all)
{
    const struct timespec moment = {0, 200 * 1000000L};

    all->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (all->epoll < 0)
        streams_die("epoll");
    for (unsigned i = 0; i < all->n; i++) {
        make_timetable(&all->list[i]);
        open_lines(all, &all->list[i]);
    }
    nanosleep(&moment, NULL);
    all->start = all->end = clock_ns();
    for (unsigned i = 0; i < all->n; i++) {
        struct stream *s = &all->list[i];
        for (size_t j = 0; s->mode != LOOP && j < s->n; j++)
            s->records[j].due += all->start;
        if (all->start + length(s) > all->end)
            all->end = all->start + length(s);
    }
}
