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
        const struct forest_row row = forest_row(x, u, f, r);
        uint32_t leaf = forest_leaf(x, 0, &row);
        if (leaf == LEAF_NONE)
            forest_fail(x, u, f, r);
        else
            f->columns[u->out].f64[r] = variance(forest_stats(x, leaf));
    }
}

enum { TREE_PREDICTION, TREE_VARIANCE };

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct forest_need need = {.n_stats = STATS,
                                     .single = true,
                                     .keep = KEEP_PREDICTION |
                                             (m[TREE_VARIANCE].name ? KEEP_STATS : 0)};

    return forest_load(l, &need, params, m, e);
}

static const struct param params[] = {FOREST_PARAMS(struct forest, n_features)};

const struct op op_decision_tree_regression = {
    .name = "decision_tree_regression",
    .class_name = SPARK_ML("regression.DecisionTreeRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE), .optional = true},
            {PORT("varianceCol", IS_DOUBLE), .optional = true, .run = run_variance},
            LEAF_PORT},
    OP_PARAMS(params),
    .size = sizeof(struct forest),
    .prepare = prepare,
    .run = forest_run_prediction,
};
