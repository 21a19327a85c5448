/* SPDX-License-Identifier: Apache-2.0 */
#include "http_priv.h"

#include "scored/clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

enum { PERIOD_MS = 250 };

/* shutdown() wakes the connection's own thread, which then closes it. The descriptor cannot have
 * been used again: a connection leaves the table before it is closed. */
static void close_overdue(struct watchdog *w)
{
    uint64_t now = clock_ns();

    for (struct exchange *x = w->first; x; x = x->next) {
        if (atomic_load_explicit(&x->deadline_ns, memory_order_relaxed) > now)
            continue;
        atomic_store_explicit(&x->deadline_ns, UINT64_MAX, memory_order_relaxed);
        shutdown(x->fd, SHUT_RDWR);
        metrics_overdue(w->metrics);
    }
}

static void *watch(void *context)
{
    struct watchdog *w = context;
    struct timespec next;

    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        clock_gettime(CLOCK_MONOTONIC, &next);
        next.tv_nsec += PERIOD_MS * 1000000L;
        next.tv_sec += next.tv_nsec / 1000000000L;
        next.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&w->stop, &w->lock, &next) == ETIMEDOUT)
            close_overdue(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

bool watchdog_start(struct watchdog *w, struct metrics *m, struct err *e)
{
    pthread_condattr_t attributes;

    w->metrics = m;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->stop, &attributes);
    pthread_condattr_destroy(&attributes);
    errno = pthread_create(&w->thread, NULL, watch, w);
    return !errno || err_errno(e, "cannot start a thread");
}

void watchdog_stop(struct watchdog *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->stop);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->stop);
    pthread_mutex_destroy(&w->lock);
}

void watchdog_add(struct watchdog *w, struct exchange *x)
{
    pthread_mutex_lock(&w->lock);
    x->prev = NULL;
    x->next = w->first;
    if (w->first)
        w->first->prev = x;
    w->first = x;
    pthread_mutex_unlock(&w->lock);
}

void watchdog_remove(struct watchdog *w, struct exchange *x)
{
    pthread_mutex_lock(&w->lock);
    if (x->prev)
        x->prev->next = x->next;
    else
        w->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    pthread_mutex_unlock(&w->lock);
}
