/* SPDX-License-Identifier: Apache-2.0 */
#include "worker.h"

#include "scored/clock.h"
#include "scored/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LOOK_MS = 20,   /* between two looks at deadlines */
    REST_MS = 1000, /* where there is nothing to look at */
    STALL_MS = 500,
    OVERDUE_NS = 20 * 1000, /* for those whose time is over, in one round */
};

#define MS UINT64_C(1000000)

/* Those of the other listeners do not: they are there when all that do are at work. */
static bool scores(const struct worker *w)
{
    return w->index < w->app->workers;
}

/* -- time -- */

uint64_t worker_now(const struct worker *w)
{
    return w->round_ns - w->lost_ns;
}

static void begin_round(struct worker *w, int waited_ms)
{
    uint64_t now = clock_ns(), usual = ((uint64_t)waited_ms + STALL_MS) * MS;

    if (w->round_ns && now - w->round_ns > usual) {
        w->lost_ns += now - w->round_ns - (uint64_t)waited_ms * MS;
        metrics_event(w->app->metrics, w->index, EVENT_STALLS);
    }
    w->round_ns = now;
}

/* -- connections -- */

void worker_count(struct worker *w, int change)
{
    atomic_fetch_add_explicit(&w->connections, (unsigned)change, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->app->connections, (unsigned)change, memory_order_relaxed);
}

void worker_add(struct worker *w, struct connection *c)
{
    if (w->ring) {
        c->next = w->ring;
        c->prev = w->ring->prev;
        c->prev->next = c;
        c->next->prev = c;
    } else {
        w->ring = c->next = c->prev = c;
    }
}

/* Events of this round may still name it, so it is freed behind them. */
void worker_remove(struct worker *w, struct connection *c)
{
    if (c->next == c) {
        w->ring = NULL;
    } else {
        c->next->prev = c->prev;
        c->prev->next = c->next;
        if (w->ring == c)
            w->ring = c->next;
    }
    worker_count(w, -1);
    if (!c->looked_for) {
        c->link = w->dead;
        w->dead = c;
    }
}

static void free_dead(struct worker *w)
{
    for (struct connection *c = w->dead, *next; c; c = next) {
        next = c->link;
        free(c);
    }
    w->dead = NULL;
}

void worker_look_again(struct worker *w, struct connection *c)
{
    if (c->looked_for)
        return;
    c->looked_for = true;
    c->link = w->again;
    w->again = c;
}

static void look_again(struct worker *w)
{
    struct connection *list = w->again;

    w->again = NULL;
    for (struct connection *c = list, *next; c; c = next) {
        next = c->link;
        c->looked_for = false;
        if (c->state == CONNECTION_DEAD) {
            c->link = w->dead;
            w->dead = c;
        } else {
            connection_look_again(c);
        }
    }
}

/* -- mail from other workers -- */

void worker_hand_over(struct worker *to, struct connection *c)
{
    c->worker = to;
    pthread_mutex_lock(&to->lock);
    c->link = to->new_mail;
    to->new_mail = c;
    pthread_mutex_unlock(&to->lock);
    worker_wake(to);
}

void worker_wake(struct worker *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->wake, &one, sizeof one);

    (void)n; /* it can only be that it is awake anyway */
}

static void finish(struct worker *w, struct exchange *x)
{
    x->worker = w->index;
    library_resume(x);
}

static void take_mail(struct worker *w)
{
    uint64_t n;
    ssize_t got = read(w->wake, &n, sizeof n);

    (void)got;
    pthread_mutex_lock(&w->lock);
    struct connection *c = w->new_mail;
    struct exchange *x = w->done_mail;
    w->new_mail = NULL;
    w->done_mail = NULL;
    pthread_mutex_unlock(&w->lock);
    for (struct connection *next; c; c = next) {
        next = c->link;
        worker_receive(w, c);
    }
    for (struct exchange *next; x; x = next) {
        next = x->job.next;
        finish(w, x);
    }
}

/* -- long work -- */

static void wake_another(struct worker *w)
{
    for (unsigned i = 0; i < w->app->workers; i++) {
        struct worker *other = w->app->all[i];
        if (other != w && atomic_load(&other->asleep) && atomic_exchange(&other->asleep, false)) {
            worker_wake(other);
            return;
        }
    }
}

bool worker_queue(struct worker *w, struct exchange *x)
{
    struct metrics *m = w->app->metrics;
    bool was_admitted = x->job.admitted;

    switch (queue_put(&w->app->queue, x)) {
    case ADMITTED:
        if (!was_admitted)
            metrics_event(m, w->index, EVENT_SUSPENDED);
        wake_another(w);
        return true;
    case REFUSED_LENGTH:
        metrics_event(m, w->index, EVENT_QUEUE_FULL);
        reply_overloaded(x, "too many requests wait for a turn");
        return false;
    case REFUSED_WAIT:
        metrics_event(m, w->index, EVENT_QUEUE_WAIT);
        reply_overloaded(x, "the requests before this one take too long");
        return false;
    }
    return false;
}

static void done(struct worker *w, struct exchange *x)
{
    struct worker *home = x->connection->worker;

    x->job.step = NULL;
    if (home == w) {
        finish(w, x);
        return;
    }
    pthread_mutex_lock(&home->lock);
    x->job.next = home->done_mail;
    home->done_mail = x;
    pthread_mutex_unlock(&home->lock);
    worker_wake(home);
}

/* Nobody waits for it any more, or it comes too late. */
static bool is_vain(struct worker *w, struct exchange *x, uint64_t now)
{
    if (atomic_load_explicit(&x->job.gone, memory_order_relaxed)) {
        metrics_event(w->app->metrics, w->index, EVENT_ABANDONED);
    } else if (now > x->late_ns) {
        metrics_event(w->app->metrics, w->index, EVENT_LATE);
    } else {
        return false;
    }
    reply_problem(x, PROBLEM_TOO_LATE, NULL, "the answer would have come after the request's time");
    return true;
}

static void work_some(struct worker *w)
{
    struct queue *q = &w->app->queue;

    if (!w->job && scores(w) && queue_waits(q))
        w->job = queue_take(q, w->index);
    if (!w->job)
        return;
    struct exchange *x = w->job;
    uint64_t begin = clock_ns(), now = begin, worked = clock_thread_ns();
    bool more = !is_vain(w, x, now);

    x->worker = w->index;
    while (more && now - begin < STEP_NS) {
        more = x->job.step(x);
        now = clock_ns();
    }
    worked = clock_thread_ns() - worked;
    w->turn_ns += now - begin;
    w->worked_ns += worked;
    x->job.left_ns = x->job.left_ns > worked ? x->job.left_ns - worked : 0;
    if (more && (w->turn_ns < TURN_NS || !queue_waits(q)))
        return;
    queue_yield(q, w->index, more ? x : NULL, w->worked_ns, w->turn_ns);
    w->job = NULL;
    w->turn_ns = w->worked_ns = 0;
    if (!more)
        done(w, x);
}

/* -- rounds -- */

/* Thousands may be over at one moment, and to tell one so takes as long as a few answers. */
static void look_at_deadlines(struct worker *w)
{
    enum life life = app_life(w->app);

    if (!w->hurries && w->round_ns - w->looked_ns < LOOK_MS * MS)
        return;
    w->looked_ns = w->round_ns;
    w->hurries = false;
    struct connection *c = w->ring;
    uint64_t begin = clock_ns();
    unsigned n = atomic_load_explicit(&w->connections, memory_order_relaxed);
    for (unsigned i = 0; c && i < n && i < GIVE_UP && w->ring && !w->hurries; i++) {
        w->ring = c->next;
        struct connection *next = c->next;
        if (c->deadline_ns < worker_now(w)) {
            connection_overdue(c);
            w->hurries = clock_ns() - begin > OVERDUE_NS;
        } else if (life >= LIFE_CLOSING) {
            connection_leave(c, life == LIFE_OVER);
        }
        c = next;
    }
    if (w->accept_at_ns && w->accept_at_ns != UINT64_MAX && w->accept_at_ns < w->round_ns &&
        worker_accept(w, true))
        w->accept_at_ns = 0;
}

static void unstick(struct worker *w)
{
    struct connection *c = w->ring;
    unsigned n = atomic_load_explicit(&w->connections, memory_order_relaxed);

    for (unsigned i = 0; c && i < n; i++) {
        struct connection *next = c->next;
        connection_unstick(c);
        c = next;
    }
}

/* Milliseconds to wait for events. */
static int rest(struct worker *w)
{
    if (w->job || w->again || w->hurries || library_has_more(w->library))
        return 0;
    atomic_store(&w->asleep, scores(w));
    if (scores(w) && queue_waits(&w->app->queue))
        return 0;
    return w->ring || w->accept_at_ns        ? LOOK_MS
           : app_life(w->app) > LIFE_SERVING ? LOOK_MS
                                             : REST_MS;
}

static void handle_events(struct worker *w, int n)
{
    for (int i = 0; i < n; i++) {
        const struct epoll_event *event = &w->events.own[i];
        if (event->data.ptr == w)
            take_mail(w);
        else if (event->data.ptr == w->listener)
            worker_accept_some(w);
        else
            connection_event(event->data.ptr, event->events);
    }
}

/* The other listeners answer to the end. */
static bool is_over(struct worker *w)
{
    enum life life = app_life(w->app);

    if (life < LIFE_CLOSING || (!scores(w) && life != LIFE_OVER))
        return false;
    if (!w->listener->tls && w->accept_at_ns != UINT64_MAX) {
        while (worker_accept_some(w))
            ;
        worker_stop_accepting(w);
    }
    return !atomic_load(&w->listener->open) && !atomic_load(&w->listener->relayed) &&
           !atomic_load(&w->connections) && !w->job && (!scores(w) || !queue_waits(&w->app->queue));
}

/* A thread's own name: that of another would be written into a file, which the sandbox refuses. */
static void take_name(const struct worker *w)
{
    char name[16];

    snprintf(name, sizeof name, "scored-%u", w->index);
    pthread_setname_np(pthread_self(), name);
}

static void *work(void *context)
{
    struct worker *w = context;

    take_name(w);
    while (!is_over(w)) {
        int wait = rest(w);
        int n = events_wait(&w->events, wait);
        atomic_store(&w->asleep, false);
        begin_round(w, wait);
        handle_events(w, n);
        library_run(w->library);
        if (library_is_stuck(w->library))
            unstick(w);
        look_again(w);
        work_some(w);
        look_at_deadlines(w);
        free_dead(w);
    }
    free_dead(w);
    return NULL;
}

/* -- life -- */

static bool open_descriptors(struct worker *w, struct err *e)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};

    if (!events_open(&w->events, library_events(w->library), w, w->listener, e))
        return false;
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->wake < 0 || epoll_ctl(w->events.all, EPOLL_CTL_ADD, w->wake, &event) ||
        (!w->listener->tls && !worker_accept(w, true)))
        return err_errno(e, "cannot watch sockets");
    return true;
}

struct worker *worker_new(struct app *app, struct listener *l, unsigned index, struct err *e)
{
    struct worker *w = calloc(1, sizeof *w);

    if (!w) {
        err_memory(e);
        return NULL;
    }
    w->app = app;
    w->listener = l;
    w->index = index;
    w->events.connections = w->wake = -1;
    w->round_ns = clock_ns();
    pthread_mutex_init(&w->lock, NULL);
    w->library = library_new(w, e);
    bool scores = index < app->workers;
    if (w->library && open_descriptors(w, e) &&
        (!scores || scratch_init(&w->scratch, app->config->scratch, e)))
        return w;
    worker_free(w);
    return NULL;
}

bool worker_start(struct worker *w, struct err *e)
{
    errno = pthread_create(&w->thread, NULL, work, w);
    return !errno || err_errno(e, "cannot start a thread");
}

void worker_join(struct worker *w)
{
    pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    library_free(w->library);
    free_dead(w);
    for (struct connection *c = w->new_mail, *next; c; c = next) {
        next = c->link;
        close(c->fd);
        free(c);
    }
    events_close(&w->events);
    if (w->wake >= 0)
        close(w->wake);
    free(w->served);
    scratch_done(&w->scratch);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
