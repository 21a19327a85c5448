/* SPDX-License-Identifier: Apache-2.0 */
/* RandomForestClassificationModel: every tree gives one vote, shared by its leaf's class counts. */
#include "../classifier.h"
#include "../trees/forest.h"

#include <string.h>

/* A leaf of no weight gives no vote. */
static void vote(struct vec *votes, const double *stats)
{
    double total = 0;

    for (uint32_t i = 0; i < votes->n; i++)
        total += stats[i];
    if (total == 0)
        return;
    for (uint32_t i = 0; i < votes->n; i++)
        votes->values[i] += stats[i] / total;
}

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        struct vec *v = frame_vec(f, u->out, r);
        v->size = v->n = x->n_stats;
        v->sparse = false;
        memset(v->values, 0, v->n * sizeof(double));
        for (uint32_t t = 0; t < x->n_trees; t++) {
            uint32_t leaf = forest_leaf(x, t, &f->columns[u->in[0]].vec[r]);
            if (leaf == NODE_NONE) {
                forest_fail(u, f, r);
                break;
            }
            vote(v, forest_stats(x, leaf));
        }
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
    return load_input(l, "featuresCol", TYPE_VECTOR, in, e) &&
           classifier_load_classes(l, 1, &c, e) && forest_load(l, c.n_classes, false, x, in, e) &&
           classifier_load(l, &c, e) && forest_load_leaf_column(l, x, in, false, e);
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
