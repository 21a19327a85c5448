/* SPDX-License-Identifier: Apache-2.0 */
#include "records.h"

#include "scored/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <time.h>

enum {
    RING = 2048, /* records */
    LINE = 64,   /* bytes that processors share */
    PAUSE_MS = 5,
    END_MS = 1000, /* for what is left */
};

/* One thread puts and one takes, each with a count of its own; a record's place is its number
 * modulo RING. */
struct ring {
    _Alignas(LINE) _Atomic uint64_t put;
    _Atomic uint64_t dropped;
    _Alignas(LINE) _Atomic uint64_t taken;
    struct record *records;
};

struct records {
    const char *name; /* of the thread */
    struct ring *rings;
    unsigned n;
    struct reader_of_records reader;
    pthread_t thread;
    atomic_bool ends;
};

static void free_records(struct records *r)
{
    for (unsigned i = 0; r->rings && i < r->n; i++)
        free(r->rings[i].records);
    free(r->rings);
    free(r);
}

/* Memory that no record was put into is never touched. */
static struct records *new_records(unsigned workers)
{
    struct records *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->n = workers;
    r->rings = aligned_alloc(alignof(struct ring), workers * sizeof *r->rings);
    if (r->rings)
        memset(r->rings, 0, workers * sizeof *r->rings);
    bool ok = r->rings != NULL;
    for (unsigned i = 0; ok && i < workers; i++)
        ok = (r->rings[i].records = calloc(RING, sizeof(struct record))) != NULL;
    if (ok)
        return r;
    free_records(r);
    return NULL;
}

/* -- a worker's side -- */

struct record *records_next(struct records *r, unsigned worker)
{
    struct ring *ring = &r->rings[worker];
    uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);

    if (put - atomic_load_explicit(&ring->taken, memory_order_acquire) < RING)
        return &ring->records[put % RING];
    atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
    return NULL;
}

void records_put(struct records *r, unsigned worker)
{
    struct ring *ring = &r->rings[worker];

    atomic_store_explicit(&ring->put, atomic_load_explicit(&ring->put, memory_order_relaxed) + 1,
                          memory_order_release);
}

uint64_t records_dropped(const struct records *r)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < r->n; i++)
        n += atomic_load_explicit(&r->rings[i].dropped, memory_order_relaxed);
    return n;
}

/* -- the reader's side -- */

bool records_ends(const struct records *r)
{
    return atomic_load_explicit(&r->ends, memory_order_relaxed);
}

/* At most a ring, so that each gets its turn. */
static bool take_some(struct records *r, struct ring *ring)
{
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t put = atomic_load_explicit(&ring->put, memory_order_acquire);
    bool some = taken != put;

    for (; taken != put; taken++) {
        r->reader.take(r->reader.context, &ring->records[taken % RING]);
        atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
    }
    return some;
}

static void *read_records(void *context)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    struct records *r = context;

    pthread_setname_np(pthread_self(), r->name);
    for (bool ends = false, some = true; !ends || some;) {
        ends = records_ends(r);
        some = false;
        for (unsigned i = 0; i < r->n; i++)
            some |= take_some(r, &r->rings[i]);
        r->reader.flush(r->reader.context, ends);
        if (!ends)
            nanosleep(&pause, NULL);
    }
    return NULL;
}

/* Signals are for others. */
static int start_thread(struct records *r)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&r->thread, NULL, read_records, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

struct records *records_start(const char *name, unsigned workers,
                              const struct reader_of_records *reader, struct err *e)
{
    struct records *r = new_records(workers);

    if (!r) {
        err_memory(e);
        return NULL;
    }
    r->name = name;
    r->reader = *reader;
    errno = start_thread(r);
    if (!errno)
        return r;
    free_records(r);
    err_errno(e, "cannot start a thread");
    return NULL;
}

void records_end(struct records *r)
{
    atomic_store(&r->ends, true);
}

bool records_stop(struct records *r)
{
    uint64_t until = clock_ms() + END_MS;
    const struct timespec end = {.tv_sec = (time_t)(until / 1000),
                                 .tv_nsec = (long)(until % 1000) * 1000000L};

    if (!r)
        return true;
    records_end(r);
    if (pthread_timedjoin_np(r->thread, NULL, &end)) {
        pthread_detach(r->thread); /* it ends with the process */
        return false;
    }
    free_records(r);
    return true;
}
