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
        const struct forest_row row = forest_row(x, u, f, r);
        uint32_t leaf = forest_leaf(x, 0, &row);
        if (leaf == LEAF_NONE) {
            forest_fail(x, u, f, r);
            continue;
        }
        struct vec *v = frame_dense(f, u->out, r, x->n_stats);
        if (!v)
            return;
        memcpy(v->values, forest_stats(x, leaf), v->n * sizeof(double));
    }
}

struct tree {
    struct classifier classifier;
    struct forest forest;
};

static const struct classifier_way way = {
    .raw = run_raw,
    .probability = classifier_normalize,
    .alone = forest_run_prediction,
    .alone_from_input = true,
};

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct tree *x = params;
    const struct forest_need need = {
        .n_stats = x->classifier.n_classes, .single = true, .keep = KEEP_PREDICTION | KEEP_STATS};

    x->classifier.way = &way;
    return forest_load(l, &need, &x->forest, m, e);
}

static const struct param params[] = {
    {"numClasses", PARAM_CLASSES(struct tree)},
    {"thresholds", PARAM_THRESHOLDS(struct tree)},
    FOREST_PARAMS(struct tree, forest.n_features),
};

const struct op op_decision_tree_classification = {
    .name = "decision_tree_classification",
    .class_name = SPARK_ML("classification.DecisionTreeClassificationModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS, LEAF_PORT},
    OP_PARAMS(params),
    .size = sizeof(struct tree),
    .prepare = prepare,
};
