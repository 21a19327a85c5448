/* SPDX-License-Identifier: Apache-2.0 */
/* New connections: who takes them, and what where there is no place for one more. */
#include "worker.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS = 2,      /* a round: whoever asks on an open connection waits behind them */
    LINGERING = 8192, /* connections above the cap, being told so; they cost little */
    RETRY_MS = 100,
};

#define MS UINT64_C(1000000)

bool worker_shed(struct worker *w)
{
    struct connection *best = NULL, *c = w->ring;

    for (unsigned i = 0; c && i < GIVE_UP; i++, c = c->next)
        if (connection_is_stuck(c) && (!best || connection_goes_first(c, best)))
            best = c;
    if (!best)
        return false;
    metrics_event(w->app->metrics, w->index, EVENT_SHED);
    connection_leave(best, true);
    return true;
}

bool worker_accept(struct worker *w, bool watch)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = w->listener};

    if (w->accepting == watch)
        return true;
    if (epoll_ctl(w->events.all, watch ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, w->listener->fd, &event))
        return false;
    w->accepting = watch;
    return true;
}

/* The last to stop accepting closes the listener, so that clients are refused, not left waiting. */
void worker_stop_accepting(struct worker *w)
{
    worker_accept(w, false);
    w->accept_at_ns = UINT64_MAX;
    if (atomic_fetch_sub(&w->listener->open, 1) == 1) {
        close(w->listener->fd);
        w->listener->fd = -1;
    }
}

/* The worker with the fewest connections, itself where others have no fewer. */
static struct worker *choose(struct worker *w)
{
    struct app *app = w->app;
    struct worker *best = w;
    unsigned least = atomic_load_explicit(&w->connections, memory_order_relaxed);

    for (unsigned i = 0; w->listener->side == SIDE_PUBLIC && i < app->workers; i++) {
        unsigned n = atomic_load_explicit(&app->all[i]->connections, memory_order_relaxed);
        if (n < least) {
            least = n;
            best = app->all[i];
        }
    }
    return best;
}

struct worker *worker_choose(struct app *app, struct listener *l)
{
    unsigned first = 0;

    while (app->all[first]->listener != l)
        first++;
    return choose(app->all[first]);
}

/* Above the cap a newcomer takes the place of an idle one, or is told that there is none. */
static bool has_place(struct worker *w, unsigned open)
{
    unsigned most = atomic_load_explicit(&w->app->most_connections, memory_order_relaxed);

    return w->listener->side != SIDE_PUBLIC || open < most || worker_shed(w);
}

static void refuse(struct worker *w, struct connection *c, unsigned open)
{
    unsigned most = atomic_load_explicit(&w->app->most_connections, memory_order_relaxed);

    metrics_event(w->app->metrics, w->index, EVENT_REFUSED);
    if (connection_join(c, false))
        connection_refuse_over(c, open >= most + LINGERING);
}

static void take(struct worker *w, struct connection *c)
{
    unsigned open = atomic_load_explicit(&w->app->connections, memory_order_relaxed);
    bool placed = has_place(w, open);
    struct worker *to = placed ? choose(w) : w;

    worker_count(to, 1);
    if (to != w)
        worker_hand_over(to, c);
    else if (placed)
        connection_join(c, true);
    else
        refuse(w, c, open);
}

/* A relay sees no idle connections: whether there is a place is asked here. */
void worker_receive(struct worker *w, struct connection *c)
{
    unsigned open = atomic_load_explicit(&w->app->connections, memory_order_relaxed) - 1;

    if (c->relayed && !has_place(w, open))
        refuse(w, c, open);
    else
        connection_join(c, true);
}

static void no_descriptor(struct worker *w)
{
    if (worker_shed(w))
        return;
    worker_accept(w, false);
    w->accept_at_ns = w->round_ns + RETRY_MS * MS;
}

bool worker_accept_some(struct worker *w)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        struct connection peer;
        socklen_t n = sizeof peer.peer;
        int fd = accept4(w->listener->fd, &peer.peer.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                no_descriptor(w);
            return false;
        }
        struct connection *c = connection_new(w, fd);
        if (!c)
            continue;
        c->peer = peer.peer;
        take(w, c);
    }
    return true;
}
