/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include "intake.h"
#include "worker.h"

#include "scored/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    NEW_BYTES = 2 * 1024,                 /* of a connection, the kernel's part included */
    SERVED_BYTES = POOL_BYTES + 8 * 1024, /* with the library's and an exchange */
    STALE_MS = 500,                       /* of unread bytes whose sender has gone */
};

#define SECOND UINT64_C(1000000000)
#define MS     UINT64_C(1000000)

static const struct config *config_of(const struct connection *c)
{
    return c->worker->app->config;
}

void connection_deadline(struct connection *c, uint64_t ns_from_now)
{
    c->deadline_ns = worker_now(c->worker) + ns_from_now;
}

/* Operators and probes are answered whatever memory there is; who is not is told so. */
static bool charge(struct connection *c, size_t bytes)
{
    struct budget *b = &c->worker->app->budget;
    bool anyway = bytes <= NEW_BYTES || c->worker->listener->side != SIDE_PUBLIC;

    if (bytes > c->charged && !budget_take(b, bytes - c->charged, anyway))
        return false;
    if (bytes < c->charged)
        budget_give(b, c->charged - bytes);
    c->charged = bytes;
    return true;
}

static void bury(struct connection *c)
{
    if (c->state == CONNECTION_DEAD)
        return;
    c->state = CONNECTION_DEAD;
    buf_done(&c->early);
    charge(c, 0);
    worker_remove(c->worker, c);
}

void connection_close(struct connection *c)
{
    if (c->twin) { /* else the socket lives on by the library's descriptor, and so would its events
                    */
        epoll_ctl(c->worker->events.connections, EPOLL_CTL_DEL, c->fd, NULL);
        shutdown(c->fd, SHUT_RDWR);
    }
    close(c->fd);
    bury(c);
}

struct connection *connection_new(struct worker *w, int fd)
{
    struct connection *c = calloc(1, sizeof *c);

    if (!c) {
        close(fd);
        return NULL;
    }
    c->worker = w;
    c->fd = fd;
    return c;
}

/* -- serving -- */

/* Its client has sent a request, waited, and gone before anybody looked. */
static bool is_stale(const struct connection *c)
{
    struct tcp_info info;
    socklen_t n = sizeof info;

    return c->half_closed && !getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &n) &&
           info.tcpi_last_data_recv > STALE_MS;
}

/* The library watches itself what it serves (library_events), but not whether its client leaves. */
static bool watch(struct connection *c, int change)
{
    uint32_t coming = c->state == CONNECTION_SERVED ? 0 : EPOLLIN;
    struct epoll_event event = {.events = coming | EPOLLRDHUP | EPOLLET, .data.ptr = c};

    c->watched = !epoll_ctl(c->worker->events.connections, change, c->fd, &event);
    return c->watched;
}

void connection_serve(struct connection *c)
{
    struct worker *w = c->worker;

    if (is_stale(c)) {
        metrics_event(w->app->metrics, w->index, EVENT_ABANDONED);
        connection_close(c);
        return;
    }
    if (!charge(c, SERVED_BYTES)) {
        worker_shed(w);
        metrics_event(w->app->metrics, w->index, EVENT_NO_ROOM);
        connection_refuse(c, PROBLEM_OVERLOADED, 503, "there is no memory for one more connection");
        return;
    }
    c->exchange = intake_watch(c) ? exchange_new(w->app, c, w->listener->side) : NULL;
    if (!c->exchange) {
        intake_forget(c);
        connection_refuse(c, PROBLEM_OUT_OF_MEMORY, 503, "try again");
        return;
    }
    c->state = CONNECTION_SERVED;
    if (c->watched)
        watch(c, EPOLL_CTL_MOD);
    if (!library_add(w->library, c))
        connection_released(c);
    else if (c->half_closed)
        worker_look_again(w, c); /* no other event will tell */
}

bool connection_join(struct connection *c, bool look)
{
    struct worker *w = c->worker;
    worker_add(w, c);
    c->accepted_ns = c->quiet_ns = worker_now(w);
    connection_deadline(c, config_of(c)->idle_timeout * MS);
    charge(c, NEW_BYTES);
    if (look)
        intake_look(c); /* most have sent it by now */
    if (c->state == CONNECTION_DEAD)
        return false;
    if (watch(c, EPOLL_CTL_ADD))
        return true;
    if (c->state == CONNECTION_SERVED)
        shutdown(c->fd, SHUT_RDWR);
    else
        connection_close(c);
    return false;
}

/* -- events -- */

bool connection_idles(const struct connection *c)
{
    if (c->state != CONNECTION_SERVED)
        return false;
    return c->begun > c->judged ? c->exchange->phase == PHASE_HEAD
                                : c->begun == c->judged && c->exchange->phase == PHASE_IDLE;
}

/* One that says that it has no more to send, right behind its request, waits for the answer; one
 * that says so while it waits has gone. */
static void client_left(struct connection *c, uint32_t events)
{
    struct exchange *x = c->exchange;
    const uint64_t patience = 50 * MS;

    if (x->phase != PHASE_WORK) {
        worker_look_again(c->worker, c);
    } else if (events & (EPOLLHUP | EPOLLERR) ||
               (x->complete_ns && clock_ns() - x->complete_ns > patience)) {
        atomic_store_explicit(&x->job.gone, true, memory_order_relaxed);
    }
}

static void event_served(struct connection *c, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        c->half_closed = true;
        client_left(c, events);
    }
}

static void drop_input(struct connection *c)
{
    for (unsigned i = 0; i < 16; i++) {
        ssize_t n = recv(c->fd, c->worker->peeked, HEAD_BYTES, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            connection_close(c);
            return;
        }
    }
    worker_look_again(c->worker, c);
}

void connection_event(struct connection *c, uint32_t events)
{
    switch ((enum connection_state)c->state) {
    case CONNECTION_NEW:
    case CONNECTION_HEAD:
        c->half_closed |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        intake_look(c);
        break;
    case CONNECTION_SERVED: event_served(c, events); break;
    case CONNECTION_LINGER: drop_input(c); break;
    case CONNECTION_DEAD: break;
    }
}

void connection_look_again(struct connection *c)
{
    if (c->state == CONNECTION_LINGER) {
        drop_input(c);
        return;
    }
    if (c->state != CONNECTION_SERVED || c->refused)
        return;
    enum phase phase = c->exchange->phase;
    if (phase == PHASE_WORK || phase == PHASE_ANSWERED)
        return; /* comes back when that is over */
    bool ended = c->half_closed && intake_is_over(c);
    c->wrong |= ended && intake_has_begun(c); /* the library may never hear of the end behind it */
    if (c->wrong && connection_idles(c))
        intake_refuse(c);
    else if (ended && c->begun >= c->judged)
        shutdown(c->fd, SHUT_RDWR);
    else if (c->half_closed)
        worker_look_again(c->worker, c);
}

void connection_overdue(struct connection *c)
{
    struct worker *w = c->worker;
    bool idles = connection_idles(c),
         in_head = c->state == CONNECTION_HEAD || (idles && intake_has_begun(c));
    bool waits = c->state == CONNECTION_NEW || (idles && !in_head);

    if (waits && !intake_is_empty(c) && !c->half_closed) {
        connection_deadline(c, config_of(c)->head_timeout * MS); /* it came in the last moment */
        if (c->state == CONNECTION_NEW)
            c->state = CONNECTION_HEAD;
        return;
    }
    if (!waits && c->state != CONNECTION_LINGER)
        metrics_event(w->app->metrics, w->index, EVENT_OVERDUE);
    if (in_head) {
        intake_overdue(c);
    } else if (c->state == CONNECTION_SERVED) {
        c->deadline_ns = UINT64_MAX;
        atomic_store_explicit(&c->exchange->job.gone, true, memory_order_relaxed);
        shutdown(c->fd, SHUT_RDWR);
    } else {
        connection_close(c);
    }
}

void connection_unstick(struct connection *c)
{
    if (c->state != CONNECTION_SERVED || c->refused || intake_is_empty(c))
        return;
    struct exchange *x = c->exchange;
    if (!x->head.chunked || (x->phase != PHASE_BODY && x->phase != PHASE_DROP))
        return;
    if (c->stuck_at != x->received + 1) {
        c->stuck_at = x->received + 1;
        return;
    }
    connection_refuse(c, PROBLEM_TOO_LARGE, 413, "what stands between the chunks is too long");
}

/* What is held for nothing: a reply that is not read, a body that does not come on, else only the
 * connection itself. */
static bool holds_much(const struct connection *c)
{
    return c->charged > SERVED_BYTES;
}

bool connection_is_stuck(const struct connection *c)
{
    uint64_t patience = holds_much(c) ? 2 * SECOND : 5 * SECOND;

    if (c->state == CONNECTION_DEAD ||
        (c->state == CONNECTION_SERVED && c->exchange->phase == PHASE_WORK))
        return false;
    return worker_now(c->worker) - c->quiet_ns > patience;
}

static unsigned shed_rank(const struct connection *c)
{
    return holds_much(c) ? 2 : c->state != CONNECTION_SERVED;
}

bool connection_goes_first(const struct connection *a, const struct connection *b)
{
    unsigned rank_a = shed_rank(a), rank_b = shed_rank(b);

    if (rank_a != rank_b)
        return rank_a > rank_b;
    return rank_a == 2 ? a->charged > b->charged : a->quiet_ns < b->quiet_ns;
}

/* A request may be on its way where something moved a moment ago. */
static bool is_quiet(const struct connection *c)
{
    bool waits = c->state == CONNECTION_NEW || connection_idles(c);

    return waits && worker_now(c->worker) - c->quiet_ns > SECOND && intake_is_empty(c);
}

void connection_leave(struct connection *c, bool now)
{
    if (!now && !is_quiet(c))
        return;
    if (c->state == CONNECTION_SERVED) {
        if (now)
            atomic_store_explicit(&c->exchange->job.gone, true, memory_order_relaxed);
        shutdown(c->fd, SHUT_RDWR);
    } else {
        connection_close(c);
    }
}

bool connection_hold(struct connection *c, size_t bytes)
{
    return charge(c, SERVED_BYTES + c->partial.cap + bytes);
}

bool connection_hold_more(struct connection *c, size_t bytes)
{
    return charge(c, c->charged + bytes);
}

void connection_released(struct connection *c)
{
    intake_forget(c);
    buf_done(&c->partial);
    exchange_free(c->exchange);
    c->exchange = NULL;
    bury(c);
}
