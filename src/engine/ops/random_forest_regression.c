/* SPDX-License-Identifier: Apache-2.0 */
/* RandomForestRegressionModel: the trees' predictions added from the left, divided by their number.
 */
#include "../trees/forest.h"

static void add(const struct forest *x, uint32_t t, uint32_t leaf, double *sum)
{
    (void)t;
    *sum += x->prediction[leaf];
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        double sum = 0;
        if (forest_each(x, &f->columns[u->in[0]].vec[r], add, &sum))
            f->columns[u->out].f64[r] = sum / x->n_trees;
        else
            forest_fail(u, f, r);
    }
}

static bool load(struct load *l, struct err *e)
{
    struct forest *x = load_new(l, struct forest, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    const struct forest_need need = {.n_stats = 3, .keep = KEEP_PREDICTION};
    const char *name;

    if (!x || !in)
        return err_memory(e);
    if (!load_input(l, "featuresCol", TYPE_VECTOR, in, e) ||
        !load_output(l, "predictionCol", &name, e) || !forest_load(l, &need, x, in, e))
        return false;
    const struct unit u = {.run = run, .params = x, .in = in, .n_in = 1};
    return (!name || load_unit(l, name, shape_double, false, &u, e)) &&
           forest_load_leaf_column(l, x, in, false, e);
}

const struct op op_random_forest_regression = {
    .name = "random_forest_regression",
    .class_name = "regression.RandomForestRegressionModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"predictionCol", "leafCol", NULL},
    .params = (const char *const[]){"numFeatures", "numCategories", NULL},
    .load = load,
};
