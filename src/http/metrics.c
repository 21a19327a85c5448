/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters. Each thread writes cells of its own, so that counting needs no atomic addition and
 * shares no cache line; a scrape sums them. Fields of rows are labels only as the models name them:
 * nobody outside can make a new series.
 */
#include "metrics_priv.h"

#include "scored/clock.h"

#include <stdalign.h>
#include <stdlib.h>

const uint64_t metrics_buckets_ns[METRICS_BUCKETS] = {
    50000,    100000,   250000,   500000,    1000000,   2500000,    5000000,    10000000,
    20000000, 30000000, 50000000, 100000000, 250000000, 1000000000, 5000000000,
};

const uint64_t metrics_stages_ns[METRICS_BUCKETS] = {
    1000,   2500,    5000,    10000,    25000,    50000,     100000,     200000,
    500000, 1000000, 2500000, 10000000, 50000000, 250000000, 1000000000,
};

const uint16_t metrics_statuses[METRICS_STATUSES] = {
    200, 202, 204, 400, 401, 403, 404, 405, 406, 408, 409,
    413, 414, 415, 422, 431, 500, 501, 503, 504, 505, 0,
};

/* Only its own thread writes a cell. */
static void add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static struct thread_errors *new_errors(const struct metrics *m)
{
    size_t n = m->n_threads * sizeof(struct thread_errors);
    struct thread_errors *errors = aligned_alloc(alignof(struct thread_errors), n);

    if (errors)
        memset(errors, 0, n);
    return errors;
}

static bool make_slot(const struct metrics *m, struct slot_metrics *s)
{
    pthread_mutex_init(&s->growing, NULL);
    s->first.name = strdup("");
    s->first.threads = new_errors(m);
    return s->first.name && s->first.threads;
}

/* Pages of routes that nobody asks for are never touched. */
static bool make_thread(const struct metrics *m, struct thread_cells *t)
{
    t->slots = calloc(m->n_slots, sizeof *t->slots);
    t->routes = calloc((size_t)ROUTE_COUNT * (m->n_slots + 1), sizeof *t->routes);
    return t->slots && t->routes;
}

struct metrics *metrics_new(const struct registry *r, unsigned threads)
{
    struct metrics *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->started_ms = clock_ms();
    m->n_slots = r->n_slots;
    m->n_threads = threads;
    m->slots = calloc(r->n_slots, sizeof *m->slots);
    m->threads = aligned_alloc(alignof(struct thread_cells), threads * sizeof *m->threads);
    bool ok = m->slots && m->threads;
    if (m->threads)
        memset(m->threads, 0, threads * sizeof *m->threads);
    for (unsigned i = 0; ok && i < r->n_slots; i++)
        ok = make_slot(m, &m->slots[i]);
    for (unsigned i = 0; ok && i < threads; i++)
        ok = make_thread(m, &m->threads[i]);
    if (ok)
        return m;
    metrics_free(m);
    return NULL;
}

static void free_field(struct field_errors *f)
{
    free(f->name);
    free(f->threads);
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (unsigned t = 0; m->threads && t < m->n_threads; t++) {
        free(m->threads[t].slots);
        free(m->threads[t].routes);
    }
    for (unsigned i = 0; m->slots && i < m->n_slots; i++) {
        struct field_errors *f = m->slots[i].first.next, *next;
        pthread_mutex_destroy(&m->slots[i].growing);
        free_field(&m->slots[i].first);
        for (; f; f = next) {
            next = f->next;
            free_field(f);
            free(f);
        }
    }
    free(m->threads);
    free(m->slots);
    free(m);
}

static unsigned bucket(const uint64_t bounds[METRICS_BUCKETS], uint64_t ns)
{
    unsigned b = 0;

    while (b < METRICS_BUCKETS && ns > bounds[b])
        b++;
    return b;
}

static unsigned add_duration(struct durations *d, const uint64_t bounds[METRICS_BUCKETS],
                             uint64_t ns)
{
    unsigned b = bucket(bounds, ns);

    add(&d->buckets[b], 1);
    add(&d->sum_ns, ns);
    return b;
}

static void put(counter *c, uint64_t value)
{
    atomic_store_explicit(c, value, memory_order_relaxed);
}

/* Who reads sees the count of changes move. */
static void keep_exemplar(struct exemplar *e, const char trace[TRACE_ID], uint64_t ns)
{
    uint64_t words[TRACE_WORDS], changes = metrics_get(&e->changes);

    memcpy(words, trace, sizeof words);
    put(&e->changes, changes + 1);
    atomic_thread_fence(memory_order_release);
    for (unsigned i = 0; i < TRACE_WORDS; i++)
        put(&e->trace[i], words[i]);
    put(&e->ns, ns);
    put(&e->at_ms, clock_ms());
    atomic_store_explicit(&e->changes, changes + 2, memory_order_release);
}

void metrics_begun(struct metrics *m, unsigned worker)
{
    add(&m->threads[worker].begun, 1);
}

void metrics_ended(struct metrics *m, unsigned worker)
{
    add(&m->threads[worker].ended, 1);
}

void metrics_wait(struct metrics *m, unsigned worker, uint64_t ns)
{
    add_duration(&m->threads[worker].waits, metrics_buckets_ns, ns);
}

void metrics_request(struct metrics *m, unsigned worker, const struct answered *a)
{
    struct route_cells *c = metrics_route(m, worker, a->route, a->place);
    unsigned s = 0;

    while (s < METRICS_STATUSES - 1 && metrics_statuses[s] != a->status)
        s++;
    add(&c->statuses[s], 1);
    unsigned b = add_duration(&c->durations, metrics_buckets_ns, a->ns);
    if (a->trace)
        keep_exemplar(&c->exemplars[b], a->trace, a->ns);
}

void metrics_stages(struct metrics *m, unsigned worker, unsigned slot,
                    const struct stage_times *times)
{
    struct slot_cells *c = &m->threads[worker].slots[slot];

    for (unsigned s = 0; s < STAGE_COUNT; s++)
        add_duration(&c->stages[s], metrics_stages_ns, times->ns[s]);
}

void metrics_rows(struct metrics *m, unsigned worker, unsigned slot, const struct counts *counts)
{
    struct slot_cells *c = &m->threads[worker].slots[slot];

    add(&c->rows, counts->rows);
    add(&c->failed, counts->failed);
    add(&c->skipped, counts->skipped);
    add(&c->unknown_fields, counts->unknown_fields);
}

/* The field, or the last one there is. */
static struct field_errors *find_field(struct field_errors *f, const char *name)
{
    struct field_errors *next;

    while (strcmp(f->name, name) != 0 && (next = atomic_load(&f->next)) != NULL)
        f = next;
    return f;
}

static struct field_errors *new_field(const struct metrics *m, const char *name)
{
    struct field_errors *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->name = strdup(name);
    f->threads = new_errors(m);
    if (f->name && f->threads)
        return f;
    free_field(f);
    free(f);
    return NULL;
}

/* NULL: it cannot be had. */
static struct field_errors *add_field(const struct metrics *m, struct slot_metrics *s,
                                      const char *name)
{
    pthread_mutex_lock(&s->growing);
    struct field_errors *last = find_field(&s->first, name), *found = last;
    if (strcmp(last->name, name) != 0) {
        found = s->n_fields < METRICS_FIELDS ? new_field(m, name) : NULL;
        s->n_fields += found != NULL;
        if (found)
            atomic_store(&last->next, found);
    }
    pthread_mutex_unlock(&s->growing);
    return found;
}

void metrics_row_error(struct metrics *m, unsigned worker, unsigned slot, const char *field,
                       enum problem problem)
{
    struct slot_metrics *s = &m->slots[slot];
    struct field_errors *f = find_field(&s->first, field);

    if (strcmp(f->name, field) != 0)
        f = add_field(m, s, field);
    add(&(f ? f : &s->first)->threads[worker].of[problem], 1);
}

void metrics_event(struct metrics *m, unsigned worker, enum event e)
{
    add(&m->threads[worker].events[e], 1);
}

uint64_t metrics_next_id(struct metrics *m, unsigned worker)
{
    add(&m->threads[worker].requests, 1);
    return atomic_load_explicit(&m->threads[worker].requests, memory_order_relaxed);
}
