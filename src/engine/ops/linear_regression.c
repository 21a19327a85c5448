/* SPDX-License-Identifier: Apache-2.0 */
/* LinearRegressionModel: BLAS.dot(features, coefficients) + intercept. */
#include "../engine_priv.h"
#include "scored/blas.h"

struct linear {
    const struct blas *blas;
    struct vec coefficients;
    double intercept;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct linear *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;
    double *out = f->columns[u->out].f64;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->coefficients.size))
    out[r] = blas_dot(x->blas, &features[r], &x->coefficients) + x->intercept;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    return load_blas(l, m->name, &((struct linear *)params)->blas, e);
}

static const struct param params[] = {
    {"intercept", PARAM_DOUBLE(struct linear, intercept)},
    {"coefficients", PARAM_VEC(struct linear, coefficients)},
};

const struct op op_linear_regression = {
    .name = "linear_regression",
    .class_name = SPARK_ML("regression.LinearRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct linear),
    .prepare = prepare,
    .run = run,
};
