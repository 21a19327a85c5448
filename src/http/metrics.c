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
    50000,    100000,   250000,   500000,    1000000,   2500000,    5000000,
    10000000, 25000000, 50000000, 100000000, 250000000, 1000000000, 5000000000,
};

const uint16_t metrics_statuses[METRICS_STATUSES] = {
    200, 202, 204, 400, 403, 404, 405, 406, 408, 409, 413,
    414, 415, 422, 431, 500, 501, 503, 504, 505, 0,
};

/* Only its own thread writes a cell. */
static void add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static bool take_fields(struct slot_metrics *s, struct slot *slot)
{
    struct model *m = slot_acquire(slot);
    bool ok = true;

    s->n_fields = m ? m->plan.n_inputs : 0;
    s->fields = calloc(s->n_fields + 1, sizeof *s->fields);
    for (unsigned i = 0; s->fields && i < s->n_fields; i++)
        ok &= (s->fields[i] = strdup(m->plan.columns[i].name)) != NULL;
    model_release(m);
    return ok && s->fields;
}

static bool make_cells(struct metrics *m, struct thread_cells *t)
{
    t->slots = calloc(m->n_slots, sizeof *t->slots);
    for (unsigned i = 0; t->slots && i < m->n_slots; i++) {
        t->slots[i].errors = calloc(m->slots[i].n_fields + 1, sizeof *t->slots[i].errors);
        if (!t->slots[i].errors)
            return false;
    }
    return t->slots != NULL;
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
        ok = take_fields(&m->slots[i], &r->slots[i]);
    for (unsigned i = 0; ok && i < threads; i++)
        ok = make_cells(m, &m->threads[i]);
    if (ok)
        return m;
    metrics_free(m);
    return NULL;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (unsigned t = 0; m->threads && t < m->n_threads; t++) {
        for (unsigned i = 0; m->threads[t].slots && i < m->n_slots; i++)
            free(m->threads[t].slots[i].errors);
        free(m->threads[t].slots);
    }
    for (unsigned i = 0; m->slots && i < m->n_slots; i++) {
        for (unsigned f = 0; m->slots[i].fields && f < m->slots[i].n_fields; f++)
            free(m->slots[i].fields[f]);
        free(m->slots[i].fields);
    }
    free(m->threads);
    free(m->slots);
    free(m);
}

void metrics_request(struct metrics *m, unsigned worker, enum route_id route, unsigned status,
                     uint64_t ns)
{
    struct route_cells *c = &m->threads[worker].routes[route];
    unsigned s = 0, b = 0;

    while (s < METRICS_STATUSES - 1 && metrics_statuses[s] != status)
        s++;
    while (b < METRICS_BUCKETS && ns > metrics_buckets_ns[b])
        b++;
    add(&c->statuses[s], 1);
    add(&c->buckets[b], 1);
    add(&c->sum_ns, ns);
}

void metrics_rows(struct metrics *m, unsigned worker, unsigned slot, const struct counts *counts)
{
    struct slot_cells *c = &m->threads[worker].slots[slot];

    add(&c->rows, counts->rows);
    add(&c->failed, counts->failed);
    add(&c->skipped, counts->skipped);
    add(&c->unknown_fields, counts->unknown_fields);
}

void metrics_row_error(struct metrics *m, unsigned worker, unsigned slot, const char *field,
                       enum problem problem)
{
    const struct slot_metrics *s = &m->slots[slot];
    unsigned f = 0;

    while (f < s->n_fields && strcmp(s->fields[f], field) != 0)
        f++;
    add(&m->threads[worker].slots[slot].errors[f][problem], 1);
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
