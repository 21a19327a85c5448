/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of requests: how many, how they ended, how long what of them took. */
#include "metrics_text.h"

#include <stdio.h>

/* By model, "" where it is of none: which Prometheus takes as no label at all. */
static const char *model_at(const struct text_of *t, unsigned place)
{
    return place ? slot_name(registry_slot(t->app->registry, place - 1)) : NULL;
}

/* name{route="...",model="..." */
static void put_place(const struct text_of *t, const char *name, unsigned route, unsigned place)
{
    const char *model = model_at(t, place);
    char series[64];

    snprintf(series, sizeof series, "%s{route", name);
    put_label(t, series, route_path(route < ROUTE_NONE ? &routes[route] : NULL));
    if (model)
        put_label(t, ",model", model);
}

static void put_statuses_at(const struct text_of *t, unsigned route, unsigned place)
{
    for (unsigned s = 0; s < METRICS_STATUSES; s++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < t->m->n_threads; i++)
            n += metrics_get(&metrics_route(t->m, i, route, place)->statuses[s]);
        if (!n)
            continue;
        put_place(t, "scored_requests_total", route, place);
        char status[8] = "other";
        if (metrics_statuses[s])
            snprintf(status, sizeof status, "%u", metrics_statuses[s]);
        put_label(t, ",status", status);
        put_value(t, n);
    }
}

static void put_statuses(const struct text_of *t)
{
    put_family(t, "scored_requests", "counter", "Requests answered, by route, model and status.");
    for (unsigned r = 0; r < ROUTE_COUNT; r++)
        for (unsigned place = 0; place <= t->m->n_slots; place++)
            put_statuses_at(t, r, place);
}

/* -- histograms -- */

struct histogram {
    uint64_t counts[METRICS_BUCKETS + 1], sum_ns;
};

static void add_durations(struct histogram *h, const struct durations *d)
{
    for (unsigned b = 0; b <= METRICS_BUCKETS; b++)
        h->counts[b] += metrics_get(&d->buckets[b]);
    h->sum_ns += metrics_get(&d->sum_ns);
}

static uint64_t count_of(const struct histogram *h)
{
    uint64_t n = 0;

    for (unsigned b = 0; b <= METRICS_BUCKETS; b++)
        n += h->counts[b];
    return n;
}

static const char *seconds_text(const uint64_t bounds[METRICS_BUCKETS], unsigned b,
                                char out[BOUND_TEXT])
{
    return b < METRICS_BUCKETS ? bound_text((double)bounds[b] / 1e9, out) : "+Inf";
}

/* Of one histogram: who calls puts its name and labels. */
static void put_bucket(const struct text_of *t, const char *le, bool labelled, uint64_t below)
{
    put_label(t, labelled ? ",le" : "{le", le);
    buf_lit(t->out, "} ");
    buf_u64(t->out, below);
}

/* -- exemplars -- */

struct example {
    char trace[TRACE_ID];
    uint64_t ns, at_ms; /* 0: there is none */
};

/* False: it changed meanwhile. */
static bool read_exemplar(const struct exemplar *e, struct example *out)
{
    uint64_t words[TRACE_WORDS], changes = atomic_load_explicit(&e->changes, memory_order_acquire);

    for (unsigned i = 0; i < TRACE_WORDS; i++)
        words[i] = metrics_get(&e->trace[i]);
    out->ns = metrics_get(&e->ns);
    out->at_ms = metrics_get(&e->at_ms);
    atomic_thread_fence(memory_order_acquire);
    memcpy(out->trace, words, sizeof words);
    out->trace[TRACE_ID - 1] = '\0';
    return changes && changes % 2 == 0 && metrics_get(&e->changes) == changes;
}

/* The latest of all threads. */
static void put_exemplar(const struct text_of *t, unsigned route, unsigned place, unsigned b)
{
    struct example e, latest = {.at_ms = 0};

    for (unsigned i = 0; t->open && i < t->m->n_threads; i++)
        if (read_exemplar(&metrics_route(t->m, i, route, place)->exemplars[b], &e) &&
            e.at_ms >= latest.at_ms)
            latest = e;
    if (latest.at_ms)
        buf_printf(t->out, " # {trace_id=\"%s\"} %.9f %.3f", latest.trace, (double)latest.ns / 1e9,
                   (double)latest.at_ms / 1e3);
}

/* -- families -- */

static const char duration[] = "scored_request_duration_seconds";

static void put_duration(const struct text_of *t, unsigned route, unsigned place,
                         const struct histogram *h)
{
    uint64_t below = 0;
    char le[BOUND_TEXT], name[64];

    snprintf(name, sizeof name, "%s_bucket", duration);
    for (unsigned b = 0; b <= METRICS_BUCKETS; b++) {
        put_place(t, name, route, place);
        put_bucket(t, seconds_text(metrics_buckets_ns, b, le), true, below += h->counts[b]);
        put_exemplar(t, route, place, b);
        buf_char(t->out, '\n');
    }
    snprintf(name, sizeof name, "%s_sum", duration);
    put_place(t, name, route, place);
    buf_printf(t->out, "} %.9f\n", (double)h->sum_ns / 1e9);
    snprintf(name, sizeof name, "%s_count", duration);
    put_place(t, name, route, place);
    put_value(t, below);
}

/* Predictions of the default model: alerts and dashboards find them from the start. */
static bool is_always_there(const struct text_of *t, unsigned route, unsigned place)
{
    const struct slot *first = registry_default(t->app->registry);

    return route == ROUTE_PREDICT && first && place == slot_index(t->app->registry, first) + 1;
}

/* Others that were never asked for have no series. */
static void put_durations(const struct text_of *t)
{
    put_family(t, duration, "histogram",
               "Seconds from a request's head to its reply, by route and model.");
    for (unsigned r = 0; r < ROUTE_COUNT; r++) {
        for (unsigned place = 0; place <= t->m->n_slots; place++) {
            struct histogram h = {0};
            for (unsigned i = 0; i < t->m->n_threads; i++)
                add_durations(&h, &metrics_route(t->m, i, r, place)->durations);
            if (count_of(&h) || is_always_there(t, r, place))
                put_duration(t, r, place, &h);
        }
    }
}

static void put_stage(const struct text_of *t, unsigned slot, enum stage stage)
{
    static const char *const names[] = {
        [STAGE_PARSE] = "parse", [STAGE_SCORE] = "score", [STAGE_ENCODE] = "encode"};
    static const char *const series[] = {"bucket", "sum", "count"};
    struct histogram h = {0};
    uint64_t below = 0;
    char le[BOUND_TEXT], name[64];

    for (unsigned i = 0; i < t->m->n_threads; i++)
        add_durations(&h, &t->m->threads[i].slots[slot].stages[stage]);
    for (unsigned b = 0; b < METRICS_BUCKETS + 3; b++) {
        unsigned kind = b <= METRICS_BUCKETS ? 0 : b - METRICS_BUCKETS;
        snprintf(name, sizeof name, "scored_stage_duration_seconds_%s{model", series[kind]);
        put_label(t, name, slot_name(registry_slot(t->app->registry, slot)));
        put_label(t, ",stage", names[stage]);
        if (kind == 0) {
            put_bucket(t, seconds_text(metrics_stages_ns, b, le), true, below += h.counts[b]);
            buf_char(t->out, '\n');
        } else if (kind == 1) {
            buf_printf(t->out, "} %.9f\n", (double)h.sum_ns / 1e9);
        } else {
            put_value(t, below);
        }
    }
}

static void put_stages(const struct text_of *t)
{
    put_family(t, "scored_stage_duration_seconds", "histogram",
               "Seconds that a request's rows took to be parsed, scored and encoded, by model.");
    for (unsigned slot = 0; slot < t->m->n_slots; slot++)
        for (enum stage s = STAGE_PARSE; s < STAGE_COUNT; s++)
            put_stage(t, slot, s);
}

static void put_waits(const struct text_of *t)
{
    struct histogram h = {0};
    uint64_t below = 0;
    char le[BOUND_TEXT];

    put_family(t, "scored_queue_wait_seconds", "histogram",
               "Seconds that long requests waited for turns, each in all.");
    for (unsigned i = 0; i < t->m->n_threads; i++)
        add_durations(&h, &t->m->threads[i].waits);
    for (unsigned b = 0; b <= METRICS_BUCKETS; b++) {
        buf_lit(t->out, "scored_queue_wait_seconds_bucket");
        put_bucket(t, seconds_text(metrics_buckets_ns, b, le), false, below += h.counts[b]);
        buf_char(t->out, '\n');
    }
    buf_printf(t->out, "scored_queue_wait_seconds_sum %.9f\nscored_queue_wait_seconds_count %llu\n",
               (double)h.sum_ns / 1e9, (unsigned long long)below);
}

/* Ends are read first: so there are never more of them. */
static void put_in_flight(const struct text_of *t)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < t->m->n_threads; i++)
        n -= metrics_get(&t->m->threads[i].ended);
    atomic_thread_fence(memory_order_acquire);
    for (unsigned i = 0; i < t->m->n_threads; i++)
        n += metrics_get(&t->m->threads[i].begun);
    put_gauge(t, "scored_requests_in_flight",
              "Requests that have begun and not ended, this one among them.", (double)n);
}

void put_request_metrics(const struct text_of *t)
{
    put_statuses(t);
    put_durations(t);
    put_stages(t);
    put_waits(t);
    put_in_flight(t);
}
