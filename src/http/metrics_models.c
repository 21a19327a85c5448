/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of models: rows, what is served, and where it comes from. */
#include "metrics_text.h"

#include <stdio.h>

static struct counts sum_rows(const struct metrics *m, unsigned slot)
{
    struct counts sum = {0};

    for (unsigned i = 0; i < m->n_threads; i++) {
        const struct slot_cells *c = &m->threads[i].slots[slot];
        sum.rows += metrics_get(&c->rows);
        sum.failed += metrics_get(&c->failed);
        sum.skipped += metrics_get(&c->skipped);
        sum.unknown_fields += metrics_get(&c->unknown_fields);
    }
    return sum;
}

static void put_row_counter(const struct text_of *t, const char *name, const char *help,
                            uint64_t (*pick)(const struct counts *c))
{
    char series[64];

    put_family(t, name, "counter", help);
    snprintf(series, sizeof series, "%s_total{model", name);
    for (unsigned i = 0; i < t->m->n_slots; i++) {
        struct counts sum = sum_rows(t->m, i);
        put_label(t, series, slot_name(registry_slot(t->app->registry, i)));
        put_value(t, pick(&sum));
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
    put_row_counter(t, "scored_rows", "Rows taken.", pick_rows);
    put_row_counter(t, "scored_rows_failed", "Rows answered by an error.", pick_failed);
    put_row_counter(t, "scored_rows_skipped", "Rows that the pipeline drops.", pick_skipped);
    put_row_counter(t, "scored_unknown_fields", "Fields in rows that the model does not know.",
                    pick_unknown);
}

static void put_field_errors(const struct text_of *t, unsigned slot, const struct field_errors *f)
{
    for (unsigned p = 0; p < PROBLEM_COUNT; p++) {
        uint64_t n = 0;
        for (unsigned i = 0; i < t->m->n_threads; i++)
            n += metrics_get(&f->threads[i].of[p]);
        if (!n)
            continue;
        put_label(t, "scored_row_errors_total{model",
                  slot_name(registry_slot(t->app->registry, slot)));
        put_label(t, ",field", f->name);
        put_label(t, ",type", problem_urn((enum problem)p));
        put_value(t, n);
    }
}

static void put_row_errors(const struct text_of *t)
{
    put_family(t, "scored_row_errors", "counter",
               "Errors of rows, by the model's field (\"\" for none) and the type of problem.");
    for (unsigned s = 0; s < t->m->n_slots; s++)
        for (const struct field_errors *f = &t->m->slots[s].first; f; f = atomic_load(&f->next))
            put_field_errors(t, s, f);
}

static void put_models(const struct text_of *t)
{
    struct registry *r = t->app->registry;

    put_family(t, "scored_model_ready", "gauge", "1 where a version of the model is loaded.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        put_label(t, "scored_model_ready{model", slot_name(registry_slot(r, i)));
        put_value(t, m != NULL);
        model_release(m);
    }
    put_family(t, "scored_model_info", "gauge", "The model that a name is answered by: always 1.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        if (m) {
            put_label(t, "scored_model_info{model", slot_name(registry_slot(r, i)));
            put_label(t, ",version", m->bundle->version);
            put_label(t, ",sha256", m->bundle->sha256);
            put_value(t, 1);
        }
        model_release(m);
    }
    put_family(t, "scored_model_loaded_timestamp_seconds", "gauge", "When the model was loaded.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        struct model *m = slot_acquire(registry_slot(r, i));
        if (m) {
            put_label(t, "scored_model_loaded_timestamp_seconds{model",
                      slot_name(registry_slot(r, i)));
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

    put_family(t, "scored_model_loads", "counter",
               "Loads of new versions, by result: published, or the phase that failed.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        slot_status(registry_slot(r, i), &status);
        put_label(t, "scored_model_loads_total{model", slot_name(registry_slot(r, i)));
        put_label(t, ",result", "published");
        put_value(t, status.published);
        for (unsigned p = 0; p < PHASE_COUNT; p++) {
            if (!status.failed[p])
                continue;
            put_label(t, "scored_model_loads_total{model", slot_name(registry_slot(r, i)));
            put_label(t, ",result", load_phase_name((enum load_phase)p));
            put_value(t, status.failed[p]);
        }
    }
    put_family(t, "scored_model_source_success_timestamp_seconds", "gauge",
               "When the model's source was last read; what is served is at least this fresh.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        slot_status(registry_slot(r, i), &status);
        put_label(t, "scored_model_source_success_timestamp_seconds{model",
                  slot_name(registry_slot(r, i)));
        buf_printf(t->out, "} %.3f\n", (double)status.success_ms / 1e3);
    }
    put_family(t, "scored_model_failing", "gauge",
               "1 where the last look at the source failed or was refused.");
    for (unsigned i = 0; i < r->n_slots; i++) {
        slot_status(registry_slot(r, i), &status);
        put_label(t, "scored_model_failing{model", slot_name(registry_slot(r, i)));
        put_value(t, status.has_error);
    }
}

void put_model_metrics(const struct text_of *t)
{
    put_rows(t);
    put_row_errors(t);
    put_models(t);
    put_reloads(t);
}
