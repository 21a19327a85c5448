/* SPDX-License-Identifier: Apache-2.0 */
/* DecisionTreeRegressionModel: the leaf's prediction, and the variance of what it was fitted to. */
#include "../trees/forest.h"

enum { COUNT, SUM, SUM_SQUARES, STATS };

static double variance(const double *stats)
{
    double n = stats[COUNT];

    return n == 0 ? 0.0 : (stats[SUM_SQUARES] - (stats[SUM] * stats[SUM]) / n) / n;
}

static void run_variance(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct forest *x = u->params;

    FOR_ROWS(r, forest_rows(x, u, f, rows))
    {
        uint32_t leaf = forest_leaf(x, 0, &f->columns[u->in[0]].vec[r]);
        if (leaf == LEAF_NONE)
            forest_fail(u, f, r);
        else
            f->columns[u->out].f64[r] = variance(forest_stats(x, leaf));
    }
}

static bool load(struct load *l, struct err *e)
{
    struct forest *x = load_new(l, struct forest, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    const char *prediction_name, *variance_name;

    if (!x || !in)
        return err_memory(e);
    if (!load_input(l, "featuresCol", TYPE_VECTOR, in, e) ||
        !load_output(l, "predictionCol", &prediction_name, e) ||
        !load_output(l, "varianceCol", &variance_name, e))
        return false;
    const struct forest_need need = {.n_stats = STATS,
                                     .single = true,
                                     .keep = KEEP_PREDICTION | (variance_name ? KEEP_STATS : 0)};
    if (!forest_load(l, &need, x, in, e))
        return false;
    const struct unit prediction = {.run = forest_run_prediction, .params = x, .in = in, .n_in = 1};
    const struct unit v = {.run = run_variance, .params = x, .in = in, .n_in = 1};
    return (!prediction_name ||
            load_unit(l, prediction_name, shape_double, false, &prediction, e)) &&
           (!variance_name || load_unit(l, variance_name, shape_double, false, &v, e)) &&
           forest_load_leaf_column(l, x, in, true, e);
}

const struct op op_decision_tree_regression = {
    .name = "decision_tree_regression",
    .class_name = "regression.DecisionTreeRegressionModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"predictionCol", "varianceCol", "leafCol", NULL},
    .params = (const char *const[]){"numFeatures", "numCategories", NULL},
    .load = load,
};
