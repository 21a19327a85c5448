/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of what comes in and goes out of models, beside their training. Versions have counts of
 * their own, which go with them. */
#include "metrics_text.h"

#include "scored/number.h"

#include <stdio.h>

/* What is served by a slot, or NULL. */
struct served {
    struct model *model;
    const char *name;
};

static struct served serve(const struct text_of *t, unsigned i)
{
    struct slot *s = registry_slot(t->app->registry, i);

    return (struct served){slot_acquire(s), slot_name(s)};
}

static void put_version(const struct text_of *t, const char *series, const struct served *s)
{
    char name[80];

    snprintf(name, sizeof name, "%s{model", series);
    put_label(t, name, s->name);
    put_label(t, ",version", s->model->bundle->version);
}

/* -- inputs -- */

enum kind { MISSING, UNSEEN, OUTSIDE, KIND_COUNT };

static const struct {
    const char *name, *help;
} families[KIND_COUNT] = {
    [MISSING] = {"scored_feature_missing", "Rows whose value of an input is null or not there."},
    [UNSEEN] = {"scored_feature_unseen_category",
                "Rows whose value of an input was never seen in training."},
    [OUTSIDE] = {"scored_feature_out_of_range",
                 "Rows whose value of an input is outside of training's range."},
};

/* False: it is not counted. */
static bool count_of(const struct watch_field *f, enum kind kind, uint64_t *n)
{
    *n = kind == MISSING ? f->missing : f->unlike;
    return kind == MISSING || (kind == UNSEEN ? f->has_categories : f->has_range);
}

static void put_fields(const struct text_of *t, enum kind kind, const struct served *s)
{
    struct watch_field f;
    char name[64];
    uint64_t n;

    snprintf(name, sizeof name, "%s_total", families[kind].name);
    for (unsigned i = 0; i < watch_fields(s->model->watch); i++) {
        watch_field(s->model->watch, i, &f);
        if (!count_of(&f, kind, &n))
            continue;
        put_version(t, name, s);
        put_label(t, ",feature", f.name);
        put_value(t, n);
    }
}

static void put_counts(const struct text_of *t, enum kind kind)
{
    put_family(t, families[kind].name, "counter", families[kind].help);
    for (unsigned i = 0; i < t->m->n_slots; i++) {
        struct served s = serve(t, i);
        if (s.model)
            put_fields(t, kind, &s);
        model_release(s.model);
    }
}

static void put_shares_of(const struct text_of *t, const struct served *s)
{
    struct watch_field f;

    for (unsigned i = 0; i < watch_fields(s->model->watch); i++) {
        watch_field(s->model->watch, i, &f);
        if (f.missing_share < 0)
            continue;
        put_version(t, "scored_feature_trained_missing_ratio", s);
        put_label(t, ",feature", f.name);
        put_real(t, f.missing_share);
    }
}

static void put_shares(const struct text_of *t)
{
    put_family(t, "scored_feature_trained_missing_ratio", "gauge",
               "Share of training's rows whose value of an input was null.");
    for (unsigned i = 0; i < t->m->n_slots; i++) {
        struct served s = serve(t, i);
        if (s.model)
            put_shares_of(t, &s);
        model_release(s.model);
    }
}

/* -- predictions -- */

/* All digits: bounds that differ look different. */
static const char *exact(double x, char out[NUMBER_MAX + 1])
{
    out[number_put_double(out, x)] = '\0';
    return out;
}

static void put_prediction(const struct text_of *t, const struct served *s,
                           const struct watch_predictions *p)
{
    char le[NUMBER_MAX + 1];
    uint64_t below = 0;

    for (unsigned b = 0; b <= p->n_bounds; b++) {
        put_version(t, "scored_prediction_bucket", s);
        put_label(t, ",le", b < p->n_bounds ? exact(p->bounds[b], le) : "+Inf");
        put_value(t, below += p->counts[b]);
    }
    put_version(t, "scored_prediction_sum", s);
    put_real(t, p->sum);
    put_version(t, "scored_prediction_count", s);
    put_value(t, below);
}

/* What of training's is in the buckets up to each bound. */
static void put_trained(const struct text_of *t, const struct served *s,
                        const struct watch_predictions *p)
{
    char number[NUMBER_MAX + 1];

    for (unsigned b = 0; b < p->n_bounds; b++) {
        put_version(t, "scored_prediction_trained_ratio", s);
        put_label(t, ",at_most", exact(p->bounds[b], number));
        put_real(t, p->shares[b]);
    }
}

/* A family, of all models whose predictions are counted. */
static void put_predictions(const struct text_of *t,
                            void (*put)(const struct text_of *, const struct served *,
                                        const struct watch_predictions *))
{
    struct watch_predictions p;

    for (unsigned i = 0; i < t->m->n_slots; i++) {
        struct served s = serve(t, i);
        if (s.model)
            watch_predictions(s.model->watch, &p);
        if (s.model && p.column)
            put(t, &s, &p);
        model_release(s.model);
    }
}

void put_watch_metrics(const struct text_of *t)
{
    for (enum kind kind = MISSING; kind < KIND_COUNT; kind++)
        put_counts(t, kind);
    put_shares(t);
    put_family(t, "scored_prediction", "histogram",
               "Values predicted; the bounds are twentieths of training's predictions.");
    put_predictions(t, put_prediction);
    put_family(t, "scored_prediction_trained_ratio", "gauge",
               "Share of training's predictions that were at most so much.");
    put_predictions(t, put_trained);
}
