/* SPDX-License-Identifier: Apache-2.0 */
/* FMRegressionModel: the sum of factorization.h. */
#include "../factorization.h"
#include "scored/blas.h"

struct machine {
    struct factorization sum;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct machine *x = u->params;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->sum.linear.size))
    f->columns[u->out].f64[r] = factorization_sum(&x->sum, &f->columns[u->in[0]].vec[r]);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct machine *x = params;

    return factorization_check(&x->sum, e) && load_blas(l, m->name, &x->sum.blas, e);
}

static const struct param params[] = {FACTORIZATION_PARAMS(struct machine, sum)};

const struct op op_fm_regression = {
    .name = "fm_regression",
    .class_name = SPARK_ML("regression.FMRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct machine),
    .prepare = prepare,
    .run = run,
};
