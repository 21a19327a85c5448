/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCORED_HTTP_METRICS_PRIV_H
#define SCORED_HTTP_METRICS_PRIV_H

#include "http_priv.h"

enum { METRICS_BUCKETS = 15, METRICS_STATUSES = 22, CACHE_LINE = 64, TRACE_WORDS = 4 };

/* Upper bounds of histograms: of whole requests and waits, and of what is done with rows. */
extern const uint64_t metrics_buckets_ns[METRICS_BUCKETS];
extern const uint64_t metrics_stages_ns[METRICS_BUCKETS];
extern const uint16_t metrics_statuses[METRICS_STATUSES]; /* the last, 0, is any other */

typedef _Atomic uint64_t counter;

/* The last request of a bucket whose trace is kept. */
struct exemplar {
    counter changes; /* odd while it is written */
    counter trace[TRACE_WORDS], ns, at_ms;
};

struct durations {
    counter buckets[METRICS_BUCKETS + 1]; /* not cumulative; the last is above all bounds */
    counter sum_ns;
};

struct route_cells {
    counter statuses[METRICS_STATUSES];
    struct durations durations;
    struct exemplar exemplars[METRICS_BUCKETS + 1];
};

struct slot_cells {
    counter rows, failed, skipped, unknown_fields;
    struct durations stages[STAGE_COUNT];
};

struct thread_errors {
    _Alignas(CACHE_LINE) counter of[PROBLEM_COUNT];
};

/* Errors that a field of rows was blamed for, by thread. Made with the field's first error, under
 * the slot's lock; it stays where it is from then on, whatever versions come. */
struct field_errors {
    struct field_errors *_Atomic next;
    struct thread_errors *threads;
    char *name; /* "" for errors of no field */
};

struct thread_cells {
    _Alignas(CACHE_LINE) counter requests;
    counter events[EVENT_COUNT];
    counter begun, ended;
    struct durations waits;
    struct slot_cells *slots;
    struct route_cells *routes; /* by route, and slot: first of those without one */
};

/* At most so many fields a slot: what is beyond, or finds no memory, counts as of no field. */
enum { METRICS_FIELDS = 4096 };

struct slot_metrics {
    pthread_mutex_t growing;   /* held to add a field */
    struct field_errors first; /* of no field */
    unsigned n_fields;
};

struct metrics {
    uint64_t started_ms;
    unsigned n_slots, n_threads;
    struct slot_metrics *slots;
    struct thread_cells *threads;
};

static inline uint64_t metrics_get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* `place` is 0 for requests of no model, else a slot's index and one. */
static inline struct route_cells *metrics_route(const struct metrics *m, unsigned thread,
                                                enum route_id route, unsigned place)
{
    return &m->threads[thread].routes[(size_t)route * (m->n_slots + 1) + place];
}

#endif
