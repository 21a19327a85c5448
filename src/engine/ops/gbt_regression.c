/* SPDX-License-Identifier: Apache-2.0 */
/* GBTRegressionModel: the weighted sum of the trees' predictions. */
#include "../trees/boosted.h"

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct boosted *x = u->params;

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    f->columns[u->out].f64[r] = boosted_sum(x, &f->columns[u->in[0]].vec[r]);
}

static bool load(struct load *l, struct err *e)
{
    struct boosted *x = load_new(l, struct boosted, 1);
    const char *name;

    if (!x)
        return err_memory(e);
    if (!boosted_load(l, x, e) || !load_output(l, "predictionCol", &name, e))
        return false;
    const struct unit u = {.run = run, .params = x, .in = &x->predictions, .n_in = 1};
    return (!name ||
            (load_blas(l, name, &x->blas, e) && load_unit(l, name, shape_double, false, &u, e))) &&
           forest_load_leaf_column(l, &x->forest, &x->features, false, e);
}

const struct op op_gbt_regression = {
    .name = "gbt_regression",
    .class_name = "regression.GBTRegressionModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"predictionCol", "leafCol", NULL},
    .params = (const char *const[]){"numFeatures", "numCategories", NULL},
    .load = load,
};
