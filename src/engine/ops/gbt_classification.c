/* SPDX-License-Identifier: Apache-2.0 */
/* GBTClassificationModel: rawPrediction [-m, m] of the weighted sum m of the trees' predictions. */
#include "../classifier.h"
#include "../trees/boosted.h"

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct boosted *x = u->params;

    FOR_ROWS(r, rows)
    {
        double m = boosted_sum(x, &f->columns[u->in[0]].vec[r]);
        if (!classifier_margin(u, f, r, m))
            return;
    }
}

struct boosted_classes {
    struct classifier classifier;
    struct boosted boosted;
};

static const struct classifier_way way = {
    .raw = run_raw, .probability = classifier_sigmoid_double, .exp = true};

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct boosted_classes *x = params;

    x->classifier.way = &way;
    return boosted_load(l, &x->boosted, m, e) && classifier_load_blas(l, m, &x->boosted.blas, e);
}

static const struct param params[] = {
    {"numClasses", PARAM_INT(struct boosted_classes, classifier.n_classes), .low = 2, .high = 2},
    {"thresholds", PARAM_THRESHOLDS(struct boosted_classes)},
    FOREST_PARAMS(struct boosted_classes, boosted.forest.n_features),
};

const struct op op_gbt_classification = {
    .name = "gbt_classification",
    .class_name = SPARK_ML("classification.GBTClassificationModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS, LEAVES_PORT},
    OP_PARAMS(params),
    .size = sizeof(struct boosted_classes),
    .prepare = prepare,
};
