/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DecisionTreeClassificationModel: the leaf's class counts. Where neither rawPrediction nor
 * probability has a name, the prediction is the leaf's own, without regard to thresholds.
 */
#include "../classifier.h"
#include "../trees/forest.h"

#include <string.h>

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        uint32_t leaf = forest_leaf(x, 0, &f->columns[u->in[0]].vec[r]);
        if (leaf == LEAF_NONE) {
            forest_fail(u, f, r);
            continue;
        }
        struct vec *v = frame_dense(f, u->out, r, x->n_stats);
        if (!v)
            return;
        memcpy(v->values, forest_stats(x, leaf), v->n * sizeof(double));
    }
}

static bool load(struct load *l, struct err *e)
{
    struct forest *x = load_new(l, struct forest, 1);
    uint16_t *in = load_new(l, uint16_t, 1);

    if (!x || !in)
        return err_memory(e);
    struct classifier c = {.raw = run_raw,
                           .raw_params = x,
                           .raw_in = in,
                           .probability = classifier_normalize,
                           .alone = forest_run_prediction,
                           .alone_in = in,
                           .params = x};
    if (!load_input(l, "featuresCol", TYPE_VECTOR, in, e) || !classifier_load_classes(l, 1, &c, e))
        return false;
    const struct forest_need need = {
        .n_stats = c.n_classes, .single = true, .keep = KEEP_PREDICTION | KEEP_STATS};
    return forest_load(l, &need, x, in, e) && classifier_load(l, &c, e) &&
           forest_load_leaf_column(l, x, in, true, e);
}

const struct op op_decision_tree_classification = {
    .name = "decision_tree_classification",
    .class_name = "classification.DecisionTreeClassificationModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"rawPredictionCol", "probabilityCol", "predictionCol",
                                     "leafCol", NULL},
    .params =
        (const char *const[]){"numFeatures", "numClasses", "numCategories", "thresholds", NULL},
    .load = load,
};
