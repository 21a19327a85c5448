/* SPDX-License-Identifier: Apache-2.0 */
/* GBTClassificationModel: rawPrediction [-m, m] of the weighted sum m of the trees' predictions. */
#include "../classifier.h"
#include "../trees/boosted.h"

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct boosted *x = u->params;

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        double m = boosted_sum(x, &f->columns[u->in[0]].vec[r]);
        struct vec *v = frame_dense(f, u->out, r, 2);
        if (!v)
            return;
        v->values[0] = -m;
        v->values[1] = m;
    }
}

static bool load(struct load *l, struct err *e)
{
    struct boosted *x = load_new(l, struct boosted, 1);

    if (!x)
        return err_memory(e);
    struct classifier c = {.exp = true,
                           .raw = run_raw,
                           .raw_params = x,
                           .raw_in = &x->predictions,
                           .probability = classifier_sigmoid_double};
    if (!classifier_load_classes(l, 2, &c, e))
        return false;
    if (c.n_classes != 2)
        return err_set(e, ERR_BAD_BUNDLE, "params.numClasses: must be 2");
    return boosted_load(l, x, e) && classifier_load_blas(l, &x->blas, e) &&
           classifier_load(l, &c, e) &&
           forest_load_leaf_column(l, &x->forest, &x->features, false, e);
}

const struct op op_gbt_classification = {
    .name = "gbt_classification",
    .class_name = "classification.GBTClassificationModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"rawPredictionCol", "probabilityCol", "predictionCol",
                                     "leafCol", NULL},
    .params =
        (const char *const[]){"numFeatures", "numClasses", "numCategories", "thresholds", NULL},
    .load = load,
};
