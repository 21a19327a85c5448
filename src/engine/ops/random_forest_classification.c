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
        if (!forest_each(x, &f->columns[u->in[0]].vec[r], add_vote, v->values))
            forest_fail(u, f, r);
    }
}

static bool load(struct load *l, struct err *e)
{
    struct forest *x = load_new(l, struct forest, 1);
    uint16_t *in = load_new(l, uint16_t, 1);

    if (!x || !in)
        return err_memory(e);
    struct classifier c = {
        .raw = run_raw, .raw_params = x, .raw_in = in, .probability = classifier_normalize};
    if (!load_input(l, "featuresCol", TYPE_VECTOR, in, e) || !classifier_load_classes(l, 1, &c, e))
        return false;
    const struct forest_need need = {.n_stats = c.n_classes, .keep = KEEP_STATS};
    if (!forest_load(l, &need, x, in, e))
        return false;
    for (uint32_t leaf = 0; leaf < x->n_leaves; leaf++)
        make_vote(forest_stats(x, leaf), x->n_stats);
    return classifier_load(l, &c, e) && forest_load_leaf_column(l, x, in, false, e);
}

const struct op op_random_forest_classification = {
    .name = "random_forest_classification",
    .class_name = "classification.RandomForestClassificationModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"rawPredictionCol", "probabilityCol", "predictionCol",
                                     "leafCol", NULL},
    .params =
        (const char *const[]){"numFeatures", "numClasses", "numCategories", "thresholds", NULL},
    .load = load,
};
