/* SPDX-License-Identifier: Apache-2.0 */
/* RandomForestClassificationModel: every tree gives one vote, shared by its leaf's class counts. */
#include "../classifier.h"
#include "../trees/forest.h"

#include <string.h>

/* Makes a leaf's class counts its vote. A leaf of no weight gives none: adding 0.0 to a sum that
 * began with 0.0 changes no bit. */
static void make_vote(double *stats, uint32_t n)
{
    double total = 0;

    for (uint32_t i = 0; i < n; i++)
        total += stats[i];
    for (uint32_t i = 0; i < n; i++)
        stats[i] = total == 0 ? 0.0 : stats[i] / total;
}

static void add_vote(const struct forest *x, uint32_t t, uint32_t leaf, double *votes)
{
    const double *vote = forest_stats(x, leaf);

    (void)t;
    for (uint32_t i = 0; i < x->n_stats; i++)
        votes[i] += vote[i];
}

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_dense(f, u->out, r, x->n_stats);
        if (!v)
            return;
        memset(v->values, 0, v->n * sizeof(double));
        const struct forest_row row = forest_row(x, u, f, r);
        if (!forest_each(x, &row, add_vote, v->values))
            forest_fail(x, u, f, r);
    }
}

struct votes {
    struct classifier classifier;
    struct forest forest;
};

static const struct classifier_way way = {.raw = run_raw, .probability = classifier_normalize};

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct votes *x = params;
    struct forest *forest = &x->forest;
    const struct forest_need need = {.n_stats = x->classifier.n_classes, .keep = KEEP_STATS};

    x->classifier.way = &way;
    if (!forest_load(l, &need, forest, m, e))
        return false;
    for (uint32_t leaf = 0; leaf < forest->n_leaves; leaf++)
        make_vote(forest_stats(forest, leaf), forest->n_stats);
    return true;
}

static const struct param params[] = {
    {"numClasses", PARAM_CLASSES(struct votes)},
    {"thresholds", PARAM_THRESHOLDS(struct votes)},
    FOREST_PARAMS(struct votes, forest.n_features),
};

const struct op op_random_forest_classification = {
    .name = "random_forest_classification",
    .class_name = SPARK_ML("classification.RandomForestClassificationModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS, LEAVES_PORT},
    OP_PARAMS(params),
    .size = sizeof(struct votes),
    .prepare = prepare,
};
