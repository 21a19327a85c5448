/* SPDX-License-Identifier: Apache-2.0 */
/* FMRegressionModel: the sum of factorization.h. */
#include "../factorization.h"
#include "scored/blas.h"

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct factorization *x = u->params;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->linear.size))
    f->columns[u->out].f64[r] = factorization_sum(x, &f->columns[u->in[0]].vec[r]);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct factorization *x = params;

    return factorization_check(x, e) && load_blas(l, m->name, &x->blas, e);
}

static const struct param params[] = {
    {"intercept", PARAM_DOUBLE(struct factorization, intercept)},
    {"linear", PARAM_VEC(struct factorization, linear)},
    {"factors", PARAM_MATRIX(struct factorization, factors), .note = "dense, a row a factor"},
};

const struct op op_fm_regression = {
    .name = "fm_regression",
    .class_name = SPARK_ML("regression.FMRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct factorization),
    .prepare = prepare,
    .run = run,
};
