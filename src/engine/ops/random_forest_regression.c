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
        const struct forest_row row = forest_row(x, u, f, r);
        if (forest_each(x, &row, add, &sum))
            f->columns[u->out].f64[r] = sum / x->n_trees;
        else
            forest_fail(x, u, f, r);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct forest_need need = {.n_stats = 3, .keep = KEEP_PREDICTION};

    return forest_load(l, &need, params, m, e);
}

static const struct param params[] = {FOREST_PARAMS(struct forest, n_features)};

const struct op op_random_forest_regression = {
    .name = "random_forest_regression",
    .class_name = SPARK_ML("regression.RandomForestRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE), .optional = true}, LEAVES_PORT},
    OP_PARAMS(params),
    .size = sizeof(struct forest),
    .prepare = prepare,
    .run = run,
};
