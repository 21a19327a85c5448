/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_relay.h"

#include "scored/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 64,
    ACCEPTS = 2,    /* a round: who is there already waits behind them */
    LOOK_MS = 20,   /* between two looks at deadlines */
    REST_MS = 1000, /* where there is nothing to look at */
    RETRY_MS = 100, /* to accept, where there was no descriptor */
};

#define MS UINT64_C(1000000)

/* -- queues -- */

static void enqueue(struct relay_queue *q, struct relayed *c)
{
    if (c->queued)
        return;
    c->queued = true;
    c->link = NULL;
    *(q->last ? &q->last->link : &q->first) = c;
    q->last = c;
}

/* The dead, which stayed until nothing named them, go. */
static struct relayed *dequeue(struct relay_queue *q)
{
    struct relayed *c;

    while ((c = q->first)) {
        q->first = c->link;
        if (!q->first)
            q->last = NULL;
        c->queued = false;
        if (!c->dead)
            return c;
        c->link = c->relay->dead;
        c->relay->dead = c;
    }
    return NULL;
}

static void enqueue_by_stage(struct relayed *c)
{
    if (!c->dead)
        enqueue(c->stage == RELAY_SHAKES ? &c->relay->shaking : &c->relay->flowing, c);
}

static void shake_one(struct relay *r)
{
    struct relayed *c = dequeue(&r->shaking);

    if (!c)
        return;
    relayed_shake(c);
    if (c->stage != RELAY_SHAKES)
        enqueue_by_stage(c);
}

/* Each that waits has its turn once. */
static void flow_all(struct relay *r)
{
    struct relay_queue turn = r->flowing;
    struct relayed *c;

    r->flowing = (struct relay_queue){0};
    while ((c = dequeue(&turn)))
        if (relayed_flow(c))
            enqueue(&r->flowing, c);
}

static void free_dead(struct relay *r)
{
    for (struct relayed *c = r->dead, *next; c; c = next) {
        next = c->link;
        free(c);
    }
    r->dead = NULL;
}

/* -- accepting -- */

static bool accept_from(struct relay *r, bool watch)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = r->listener};

    if (r->accepting == watch)
        return true;
    if (epoll_ctl(r->epoll, watch ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, r->listener->fd, &event))
        return false;
    r->accepting = watch;
    return true;
}

static void rest_from_accepting(struct relay *r)
{
    accept_from(r, false);
    r->accept_at_ns = r->now_ns + RETRY_MS * MS;
}

/* True: there may be more. */
static bool accept_some(struct relay *r)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        struct relayed from;
        socklen_t n = sizeof from.peer;
        int fd = accept4(r->listener->fd, &from.peer.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == ECONNABORTED || errno == EINTR))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                rest_from_accepting(r);
            return false;
        }
        relayed_welcome(r, fd, &from.peer, n);
    }
    return true;
}

/* The last to stop closes the listener, so that clients are refused, not left waiting. */
static void stop_accepting(struct relay *r)
{
    while (accept_some(r))
        ;
    accept_from(r, false);
    r->accept_at_ns = UINT64_MAX;
    if (atomic_fetch_sub(&r->listener->open, 1) == 1) {
        close(r->listener->fd);
        r->listener->fd = -1;
    }
}

/* -- rounds -- */

static void take_event(const struct epoll_event *e)
{
    struct relayed *c = (struct relayed *)(uintptr_t)(e->data.u64 & ~(uint64_t)RELAY_INNER);
    bool ends = e->events & (EPOLLHUP | EPOLLERR),
         reads = ends || e->events & (EPOLLIN | EPOLLRDHUP);

    if (c->dead)
        return;
    if (e->data.u64 & RELAY_INNER) {
        c->inner_reads |= reads;
        c->inner_writes |= (e->events & EPOLLOUT) || ends;
        c->inner_ended |= ends || e->events & EPOLLRDHUP;
        if (c->inner_ended && c->stage == RELAY_FLOWS)
            relayed_enter(c, RELAY_ENDS);
    } else {
        c->client_reads |= reads;
        c->client_writes |= (e->events & EPOLLOUT) != 0;
        if (ends && (c->stage == RELAY_FLOWS || c->stage == RELAY_ENDS))
            relayed_close(c); /* whom would it reach? */
    }
    enqueue_by_stage(c);
}

static void drain_wake(struct relay *r)
{
    uint64_t n;
    ssize_t got = read(r->wake, &n, sizeof n);

    (void)got;
}

static void take_events(struct relay *r, const struct epoll_event *events, int n)
{
    for (int i = 0; i < n; i++) {
        void *p = events[i].data.ptr;
        if (p == r)
            drain_wake(r);
        else if (p == r->listener)
            accept_some(r);
        else
            take_event(&events[i]);
    }
}

static void look_at_deadlines(struct relay *r)
{
    for (unsigned s = 0; s < RELAY_STAGES; s++)
        while (r->stages[s].first && r->stages[s].first->deadline_ns < r->now_ns)
            relayed_overdue(r->stages[s].first);
    relayed_make_room(r);
    if (r->accept_at_ns && r->accept_at_ns < r->now_ns && accept_from(r, true))
        r->accept_at_ns = 0;
}

/* Milliseconds to wait for events. */
static int rest(const struct relay *r)
{
    if (r->shaking.first || r->flowing.first)
        return 0;
    bool looks = r->stages[RELAY_SHAKES].first || r->stages[RELAY_ENDS].first ||
                 r->stages[RELAY_LINGERS].first ||
                 (r->accept_at_ns && r->accept_at_ns != UINT64_MAX);
    return looks ? LOOK_MS : REST_MS;
}

static void cut_all(struct relay *r)
{
    for (unsigned s = 0; s < RELAY_STAGES; s++)
        while (r->stages[s].first)
            relayed_close(r->stages[s].first);
    while (dequeue(&r->shaking) || dequeue(&r->flowing))
        ;
    free_dead(r);
}

/* Listeners beside the public one answer to the end. Handshakes and what flows go on meanwhile. */
static bool is_over(struct relay *r)
{
    enum life life = app_life(r->app);

    if (life < LIFE_CLOSING || (r->listener->side != SIDE_PUBLIC && life != LIFE_OVER))
        return false;
    if (r->accept_at_ns != UINT64_MAX)
        stop_accepting(r);
    return life == LIFE_OVER;
}

/* A thread's own name: that of another would be written into a file, which the sandbox refuses. */
static void take_name(const struct relay *r)
{
    char name[16];

    snprintf(name, sizeof name, "scored-tls-%u", r->index % 1000);
    pthread_setname_np(pthread_self(), name);
}

static void *run(void *context)
{
    struct relay *r = context;
    struct epoll_event events[EVENTS];

    take_name(r);
    while (!is_over(r)) {
        int n = epoll_wait(r->epoll, events, EVENTS, rest(r));
        r->now_ns = clock_ns();
        take_events(r, events, n);
        flow_all(r);
        shake_one(r);
        look_at_deadlines(r);
        free_dead(r);
    }
    cut_all(r);
    return NULL;
}

/* -- life -- */

struct relay *relay_new(struct app *app, struct listener *l, unsigned index, struct err *e)
{
    struct relay *r = calloc(1, sizeof *r);

    if (!r) {
        err_memory(e);
        return NULL;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
    r->app = app;
    r->listener = l;
    r->index = index;
    r->now_ns = clock_ns();
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->epoll >= 0 && r->wake >= 0 && !epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &event) &&
        accept_from(r, true))
        return r;
    err_errno(e, "cannot watch sockets");
    relay_free(r);
    return NULL;
}

bool relay_start(struct relay *r, struct err *e)
{
    atomic_fetch_add(&r->listener->open, 1);
    errno = pthread_create(&r->thread, NULL, run, r);
    if (errno) {
        atomic_fetch_sub(&r->listener->open, 1);
        return err_errno(e, "cannot start a thread");
    }
    r->started = true;
    return true;
}

void relay_join(struct relay *r)
{
    if (r->started)
        pthread_join(r->thread, NULL);
}

void relay_free(struct relay *r)
{
    if (!r)
        return;
    if (r->epoll >= 0)
        close(r->epoll);
    if (r->wake >= 0)
        close(r->wake);
    free(r);
}

void relay_wake(struct relay *r)
{
    uint64_t one = 1;
    ssize_t n = write(r->wake, &one, sizeof one);

    (void)n; /* it can only be that it is awake anyway */
}
