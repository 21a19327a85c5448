/* SPDX-License-Identifier: Apache-2.0 */
/* GBTRegressionModel: the weighted sum of the trees' predictions. */
#include "../trees/boosted.h"

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct boosted *x = u->params;

    FOR_ROWS(r, rows)
    f->columns[u->out].f64[r] = boosted_sum(x, &f->columns[u->in[0]].vec[r]);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct boosted *x = params;

    return boosted_load(l, x, m, e) && load_blas(l, m->name, &x->blas, e);
}

static const struct param params[] = {FOREST_PARAMS(struct boosted, forest.n_features)};

const struct op op_gbt_regression = {
    .name = "gbt_regression",
    .class_name = SPARK_ML("regression.GBTRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE), .optional = true}, LEAVES_PORT},
    OP_PARAMS(params),
    .size = sizeof(struct boosted),
    .prepare = prepare,
    .run = run,
};
