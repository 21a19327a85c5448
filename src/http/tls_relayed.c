/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_relay.h"

#include "scored/clock.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINGER_MS = 2000,
    PATIENCE_MS = 1000, /* with a handshake, where others need its place */
    MORE = 64,          /* connections above the cap: idle ones are making room for them */
};

#define MS UINT64_C(1000000)

/* -- stages -- */

static void append(struct relay_queue *q, struct relayed *c)
{
    c->next = NULL;
    c->prev = q->last;
    *(q->last ? &q->last->next : &q->first) = c;
    q->last = c;
}

static void take_out(struct relay_queue *q, struct relayed *c)
{
    *(c->prev ? &c->prev->next : &q->first) = c->next;
    *(c->next ? &c->next->prev : &q->last) = c->prev;
}

static uint64_t time_for(const struct relay *r, enum relay_stage stage)
{
    const struct config *config = r->app->config;
    const uint64_t ms[RELAY_STAGES] = {
        [RELAY_SHAKES] = config->head_timeout,
        [RELAY_ENDS] = config->write_timeout,
        [RELAY_LINGERS] = LINGER_MS,
    };

    return ms[stage] ? r->now_ns + ms[stage] * MS : UINT64_MAX;
}

static void count_own(struct relay *r, int change)
{
    atomic_fetch_add(&r->app->connections, (unsigned)change);
    atomic_fetch_add(&r->listener->relayed, (unsigned)change);
}

/* What flows is counted by its worker, from before it is not by us. */
void relayed_enter(struct relayed *c, enum relay_stage stage)
{
    take_out(&c->relay->stages[c->stage], c);
    count_own(c->relay, (stage != RELAY_FLOWS) - (c->stage != RELAY_FLOWS));
    c->stage = (uint8_t)stage;
    c->deadline_ns = time_for(c->relay, stage);
    append(&c->relay->stages[stage], c);
}

/* What is held already is counted, whatever the limit: workers make room. */
void relayed_charge(struct relayed *c, size_t bytes)
{
    struct budget *b = &c->relay->app->budget;

    if (bytes > c->charged)
        budget_take(b, bytes - c->charged, true);
    else if (bytes < c->charged)
        budget_give(b, c->charged - bytes);
    c->charged = bytes;
}

/* -- the beginning -- */

static void count(struct relay *r, int change)
{
    atomic_fetch_add(&r->connections, (unsigned)change);
}

/* Closes one that is only waited for, or whose handshake takes long, before there is no place left:
 * one that comes then may be another relay's, which has none to close. */
void relayed_make_room(struct relay *r)
{
    struct relayed *lingers = r->stages[RELAY_LINGERS].first;
    struct relayed *shakes = r->stages[RELAY_SHAKES].first;
    unsigned most = atomic_load_explicit(&r->app->most_connections, memory_order_relaxed);
    unsigned open = atomic_load_explicit(&r->app->connections, memory_order_relaxed);

    if (r->listener->side != SIDE_PUBLIC || open + most / 16 + 2 < most)
        return;
    if (lingers) {
        relayed_close(lingers);
    } else if (shakes && time_for(r, RELAY_SHAKES) - shakes->deadline_ns > PATIENCE_MS * MS) {
        metrics_event(r->app->metrics, r->index, EVENT_SHED);
        relayed_close(shakes);
    }
}

/* Where there is none the newcomer is closed without a word: to refuse it would cost a handshake.
 */
static bool has_place(struct relay *r)
{
    unsigned most = atomic_load_explicit(&r->app->most_connections, memory_order_relaxed);

    if (r->listener->side != SIDE_PUBLIC)
        return true;
    relayed_make_room(r);
    if (atomic_load(&r->app->connections) < most + MORE)
        return true;
    metrics_event(r->app->metrics, r->index, EVENT_REFUSED);
    return false;
}

static bool has_memory(struct relay *r)
{
    if (budget_take(&r->app->budget, SHAKING_BYTES, r->listener->side != SIDE_PUBLIC))
        return true;
    metrics_event(r->app->metrics, r->index, EVENT_NO_ROOM);
    return false;
}

static bool watch_client(struct relayed *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

    return !epoll_ctl(c->relay->epoll, EPOLL_CTL_ADD, c->client, &event);
}

/* A socket of a pair can be written to each time that its other end has been read: that is told
 * only while it is waited for. */
bool relayed_watch(struct relayed *c, int change, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLRDHUP | EPOLLET,
                                .data.u64 = (uintptr_t)c | RELAY_INNER};

    return !epoll_ctl(c->relay->epoll, change, c->inner, &event);
}

void relayed_welcome(struct relay *r, int fd, const void *peer, socklen_t n)
{
    const int one = 1;
    struct relayed *c = has_place(r) ? calloc(1, sizeof *c) : NULL;

    if (!c || !has_memory(r)) {
        free(c);
        close(fd);
        return;
    }
    c->relay = r;
    c->client = fd;
    c->inner = -1;
    c->charged = SHAKING_BYTES;
    memcpy(&c->peer, peer, n < sizeof c->peer ? n : sizeof c->peer);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    count(r, 1);
    count_own(r, 1);
    c->deadline_ns = time_for(r, RELAY_SHAKES);
    append(&r->stages[RELAY_SHAKES], c);
    if (!watch_client(c))
        relayed_close(c);
}

/* -- to a worker -- */

/* The worker's connection, with its socket, whose other end becomes `inner`. NULL: there is none.
 */
static struct connection *open_inner(struct relayed *c, struct worker *to)
{
    const int bytes = SOCKET_BYTES;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair))
        return NULL;
    for (unsigned i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    c->inner = pair[0];
    struct connection *other = connection_new(to, pair[1]);
    if (!other)
        return NULL;
    other->relayed = true;
    memcpy(&other->peer, &c->peer, sizeof other->peer);
    return other;
}

void relayed_join(struct relayed *c)
{
    struct relay *r = c->relay;
    struct worker *to = worker_choose(r->app, r->listener);
    struct connection *other = open_inner(c, to);

    tls_count(r->app->tls, HANDSHAKE_DONE);
    if (!other) {
        metrics_event(r->app->metrics, r->index, EVENT_NO_ROOM);
        relayed_close(c);
        return;
    }
    c->client_reads = c->client_writes = c->inner_reads = c->inner_writes = true;
    worker_count(to, 1);
    relayed_enter(c, RELAY_FLOWS);
    relayed_charge(c, FLOWING_BYTES);
    worker_hand_over(to, other);
    if (!relayed_watch(c, EPOLL_CTL_ADD, EPOLLIN))
        relayed_close(c);
}

/* -- the end -- */

void relayed_close(struct relayed *c)
{
    struct relay *r = c->relay;

    if (c->dead)
        return;
    c->dead = true;
    if (c->stage != RELAY_FLOWS)
        count_own(r, -1);
    session_over(&c->session);
    close(c->client);
    if (c->inner >= 0)
        close(c->inner);
    take_out(&r->stages[c->stage], c);
    relayed_charge(c, 0);
    count(r, -1);
    if (!c->queued) {
        c->link = r->dead;
        r->dead = c;
    }
}

void relayed_overdue(struct relayed *c)
{
    if (c->stage == RELAY_SHAKES)
        tls_count(c->relay->app->tls, HANDSHAKE_LATE);
    relayed_close(c);
}
