/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /metrics: the Prometheus text format 0.0.4, or OpenMetrics 1.0, whose counters are named
 * without "_total" in TYPE and HELP, and whose text ends in "# EOF".
 */
#include "metrics_priv.h"

#include "scored/clock.h"
#include "scored/log.h"
#include "scored/server.h"
#include "scored/version.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

struct text_of {
    struct buf *out;
    struct app *app;
    const struct metrics *m;
    bool open; /* OpenMetrics */
};

static uint64_t get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

static void head(const struct text_of *t, const char *name, const char *type, const char *help)
{
    const char *suffix = !t->open && !strcmp(type, "counter") ? "_total" : "";

    buf_printf(t->out, "# HELP scored_%s%s %s\n# TYPE scored_%s%s %s\n", name, suffix, help, name,
               suffix, type);
}

/* Quotes, backslashes and newlines are escaped. */
static void label(const struct text_of *t, const char *before, const char *value)
{
    buf_text(t->out, before);
    buf_lit(t->out, "=\"");
    for (const char *p = value; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_char(t->out, '\\');
        if (*p == '\n')
            buf_lit(t->out, "\\n");
        else
            buf_char(t->out, *p);
    }
    buf_char(t->out, '"');
}

static void end(const struct text_of *t, uint64_t value)
{
    buf_lit(t->out, "} ");
    buf_u64(t->out, value);
    buf_char(t->out, '\n');
}

static void put_statuses(const struct text_of *t)
{
    head(t, "requests", "counter", "Requests answered, by route and status.");
    for (unsigned r = 0; r < ROUTE_COUNT; r++) {
        for (unsigned s = 0; s < METRICS_STATUSES; s++) {
            uint64_t n = 0;
            for (unsigned i = 0; i < t->m->n_threads; i++)
                n += get(&t->m->threads[i].routes[r].statuses[s]);
            if (!n)
                continue;
            const struct route *route = r < ROUTE_NONE ? &routes[r] : NULL;
            label(t, "scored_requests_total{route", route_path(route));
            char status[8] = "other";
            if (metrics_statuses[s])
                snprintf(status, sizeof status, "%u", metrics_statuses[s]);
            label(t, ",status", status);
            end(t, n);
        }
    }
}

static void put_histogram(const struct text_of *t, unsigned r)
{
    uint64_t counts[METRICS_BUCKETS + 1] = {0}, sum = 0, below = 0;
    const char *path = route_path(r < ROUTE_NONE ? &routes[r] : NULL);

    for (unsigned i = 0; i < t->m->n_threads; i++) {
        const struct route_cells *c = &t->m->threads[i].routes[r];
        for (unsigned b = 0; b <= METRICS_BUCKETS; b++)
            counts[b] += get(&c->buckets[b]);
        sum += get(&c->sum_ns);
    }
    for (unsigned b = 0; b <= METRICS_BUCKETS; b++) {
        char bound[32] = "+Inf";
        below += counts[b];
        if (b < METRICS_BUCKETS)
            snprintf(bound, sizeof bound, "%.5g", (double)metrics_buckets_ns[b] / 1e9);
        if (b < METRICS_BUCKETS && !strpbrk(bound, ".e"))
            memcpy(bound + strlen(bound), ".0", sizeof ".0");
        label(t, "scored_request_duration_seconds_bucket{route", path);
        label(t, ",le", bound);
        end(t, below);
    }
    label(t, "scored_request_duration_seconds_sum{route", path);
    buf_printf(t->out, "} %.9f\n", (double)sum / 1e9);
    label(t, "scored_request_duration_seconds_count{route", path);
    end(t, below);
}

/* Routes that were never asked for have no series. */
static void put_durations(const struct text_of *t)
{
    head(t, "request_duration_seconds", "histogram",
         "Seconds from a request's head to its reply, by route.");
    for (unsigned r = 0; r < ROUTE_COUNT; r++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < t->m->n_threads; i++)
            for (unsigned b = 0; b <= METRICS_BUCKETS; b++)
                n += get(&t->m->threads[i].routes[r].buckets[b]);
        if (n || r == ROUTE_PREDICT)
            put_histogram(t, r);
    }
}

static struct counts sum_rows(const struct metrics *m, unsigned slot)
{
    struct counts sum = {0};

    for (unsigned i = 0; i < m->n_threads; i++) {
        const struct slot_cells *c = &m->threads[i].slots[slot];
        sum.rows += get(&c->rows);
        sum.failed += get(&c->failed);
        sum.skipped += get(&c->skipped);
        sum.unknown_fields += get(&c->unknown_fields);
    }
    return sum;
}

static void put_row_counter(const struct text_of *t, const char *name, const char *help,
                            uint64_t (*pick)(const struct counts *c))
{
    char series[64];

    head(t, name, "counter", help);
    snprintf(series, sizeof series, "scored_%s_total{model", name);
    for (unsigned i = 0; i < t->m->n_slots; i++) {
        struct counts sum = sum_rows(t->m, i);
        label(t, series, slot_name(registry_slot(t->app->registry, i)));
        end(t, pick(&sum));
    }
}

static uint64_t pick_rows(const struct counts *c)
{
    return c->rows;
}

static uint64_t pick_skipped(const struct counts *c)
{
    return c->skipped;
}

static uint64_t pick_failed(const struct counts *c)
{
    return c->failed;
}

static uint64_t pick_unknown(const struct counts *c)
{
    return c->unknown_fields;
}

static void put_rows(const struct text_of *t)
{
    put_row_counter(t, "rows", "Rows taken.", pick_rows);
    put_row_counter(t, "rows_failed", "Rows answered by an error.", pick_failed);
    put_row_counter(t, "rows_skipped", "Rows that the pipeline drops.", pick_skipped);
    put_row_counter(t, "unknown_fields", "Fields in rows that the model does not know.",
                    pick_unknown);
}

static void put_field_errors(const struct text_of *t, unsigned slot, const struct field_errors *f)
{
    for (unsigned p = 0; p < PROBLEM_COUNT; p++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < t->m->n_threads; i++)
            n += get(&f->threads[i].of[p]);
        if (!n)
            continue;
        label(t, "scored_row_errors_total{model", slot_name(registry_slot(t->app->registry, slot)));
        label(t, ",field", f->name);
        label(t, ",type", problem_urn((enum problem)p));
        end(t, n);
    }
}

static void put_row_errors(const struct text_of *t)
{
    head(t, "row_errors", "counter",
         "Errors of rows, by the model's field (\"\" for none) and the type of problem.");
    for (unsigned s = 0; s < t->m->n_slots; s++)
        for (const struct field_errors *f = &t->m->slots[s].first; f; f = atomic_load(&f->next))
            put_field_errors(t, s, f);
}

static void put_models(const struct text_of *t)
{
    struct registry *r = t->app->registry;

    head(t, "model_info", "gauge", "The model that a name is answered by: always 1.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        if (m) {
            label(t, "scored_model_info{model", slot_name(registry_slot(r, i)));
            label(t, ",version", m->bundle->version);
            label(t, ",sha256", m->bundle->sha256);
            end(t, 1);
        }
        model_release(m);
    }
    head(t, "model_loaded_timestamp_seconds", "gauge", "When the model was loaded.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        if (m) {
            label(t, "scored_model_loaded_timestamp_seconds{model", slot_name(registry_slot(r, i)));
            buf_printf(t->out, "} %.3f\n", (double)m->loaded_ms / 1e3);
        }
        model_release(m);
    }
}

/* Looks at the sources, and what came of them. */
static void put_reloads(const struct text_of *t)
{
    struct registry *r = t->app->registry;
    struct reload_status status;

    head(t, "model_loads", "counter",
         "Loads of new versions, by result: published, or the phase that failed.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        slot_status(registry_slot(r, i), &status);
        label(t, "scored_model_loads_total{model", slot_name(registry_slot(r, i)));
        label(t, ",result", "published");
        end(t, status.published);
        for (unsigned p = 0; p < PHASE_COUNT; p++) {
            if (!status.failed[p])
                continue;
            label(t, "scored_model_loads_total{model", slot_name(registry_slot(r, i)));
            label(t, ",result", load_phase_name((enum load_phase)p));
            end(t, status.failed[p]);
        }
    }
    head(t, "model_source_success_timestamp_seconds", "gauge",
         "When the model's source was last read; what is served is at least this fresh.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        slot_status(registry_slot(r, i), &status);
        label(t, "scored_model_source_success_timestamp_seconds{model",
              slot_name(registry_slot(r, i)));
        buf_printf(t->out, "} %.3f\n", (double)status.success_ms / 1e3);
    }
    head(t, "model_failing", "gauge", "1 where the last look at the source failed or was refused.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        slot_status(registry_slot(r, i), &status);
        label(t, "scored_model_failing{model", slot_name(registry_slot(r, i)));
        end(t, status.has_error);
    }
}

static void put_gauge(const struct text_of *t, const char *name, const char *help, double value)
{
    head(t, name, "gauge", help);
    buf_printf(t->out, "scored_%s %.15g\n", name, value);
}

static void put_counter(const struct text_of *t, const char *name, const char *help, double value)
{
    head(t, name, "counter", help);
    buf_printf(t->out, "scored_%s_total %.15g\n", name, value);
}

static double resident_bytes(void)
{
    unsigned long long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers that fit */
    if (fscanf(f, "%19llu %19llu", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void put_events(const struct text_of *t)
{
    static const struct {
        const char *name, *help;
    } events[] = {
#define X(id, name, help) {name, help},
        EVENTS(X)
#undef X
    };

    for (unsigned e = 0; e < EVENT_COUNT; e++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < t->m->n_threads; i++)
            n += get(&t->m->threads[i].events[e]);
        put_counter(t, events[e].name, events[e].help, (double)n);
    }
}

/* What is used of what there is. */
static void put_use(const struct text_of *t)
{
    struct app *app = t->app;

    put_gauge(t, "connections", "Connections that are open.", atomic_load(&app->connections));
    put_gauge(t, "connections_max", "Connections that may be open.",
              atomic_load(&app->most_connections));
    put_gauge(t, "requests_waiting", "Long requests that wait for a turn.",
              atomic_load(&app->queue.waiting));
    put_gauge(t, "requests_waiting_max", "Long requests that may wait.", app->queue.most);
    put_gauge(t, "request_memory_bytes", "Memory of connections, bodies and replies.",
              (double)atomic_load(&app->budget.used));
    put_gauge(t, "request_memory_max_bytes", "Memory that they may take.",
              (double)atomic_load(&app->budget.limit));
}

static void put_process(const struct text_of *t)
{
    struct rusage used;

    put_counter(t, "log_lines_dropped", "Lines of the log that nobody read in time.",
                (double)log_dropped());
    put_counter(t, "access_log_lines_dropped",
                "Lines of the access log that were not read in time, or by nobody.",
                (double)access_log_dropped(t->app->access_log));
    put_gauge(t, "workers", "Threads that score.", t->app->workers);
    put_gauge(t, "start_timestamp_seconds", "When the server started.",
              (double)t->m->started_ms / 1e3);
    put_gauge(t, "resident_memory_bytes", "Memory of the process.", resident_bytes());
    put_gauge(t, "credentials_expiry_timestamp_seconds",
              "When the credentials for S3 expire; 0: never, or none are used.",
              (double)registry_credentials_expiry(t->app->registry) / 1e3);
    if (!getrusage(RUSAGE_SELF, &used))
        put_counter(t, "cpu_seconds", "Processor time of the process.",
                    seconds(used.ru_utime) + seconds(used.ru_stime));
    head(t, "build_info", "gauge", "What runs: always 1.");
    label(t, "scored_build_info{version", scored_version);
    label(t, ",commit", scored_commit);
    label(t, ",libmicrohttpd", t->app->library);
    end(t, 1);
}

void answer_metrics(struct exchange *x)
{
    static const char plain[] = "text/plain", open[] = "application/openmetrics-text";
    unsigned wanted = media_accepts(x->head.accept, open, false);
    struct text_of t = {
        .out = &x->reply,
        .app = x->app,
        .m = x->app->metrics,
        .open = wanted && wanted >= media_accepts(x->head.accept, plain, true),
    };

    x->status = 200;
    x->content_type = t.open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                             : "text/plain; version=0.0.4; charset=utf-8";
    put_statuses(&t);
    put_durations(&t);
    put_rows(&t);
    put_row_errors(&t);
    put_models(&t);
    put_reloads(&t);
    put_use(&t);
    put_events(&t);
    put_process(&t);
    if (t.open)
        buf_lit(&x->reply, "# EOF\n");
}
