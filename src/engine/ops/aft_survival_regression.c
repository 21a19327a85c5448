/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AFTSurvivalRegressionModel: the prediction is exp(dot + intercept); quantiles are that times
 * exp(log(-log1p(-p)) * scale) of each probability p.
 */
#include "../engine_priv.h"
#include "scored/blas.h"

struct survival {
    const struct blas *blas;
    struct vec coefficients;
    double intercept, scale;
    struct doubles probabilities;
    const double *quantiles; /* of a prediction of 1 */
    enum jmath_cpu cpu;
};

static double predict(const struct survival *x, const struct vec *features)
{
    return jm_exp(blas_dot(x->blas, features, &x->coefficients) + x->intercept);
}

static uint64_t fitting(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct survival *x = u->params;

    return fail_sizes(u, f, fail_nulls(u, f, rows), x->coefficients.size);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, fitting(u, f, rows))
    f->columns[u->out].f64[r] = predict(u->params, &f->columns[u->in[0]].vec[r]);
}

static void run_quantiles(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct survival *x = u->params;

    FOR_ROWS(r, fitting(u, f, rows))
    {
        double lambda = predict(x, &f->columns[u->in[0]].vec[r]);
        struct vec *v = frame_dense(f, u->out, r, x->probabilities.size);
        if (!v)
            return;
        for (uint32_t i = 0; i < v->n; i++)
            v->values[i] = x->quantiles[i] * lambda;
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct survival *x = params;
    uint32_t n = x->probabilities.size;
    double *quantiles = load_new(l, double, n);

    if (!quantiles)
        return err_memory(e);
    for (unsigned i = 0; i < 2; i++)
        if (!load_blas(l, m[i].name, &x->blas, e) || !load_libm(l, m[i].name, e))
            return false;
    if (!load_pow(l, m[1].name, &x->cpu, e))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        double q = jm_log1p(-x->probabilities.values[i]);
        quantiles[i] = jm_exp(jm_log(-q, x->cpu) * x->scale);
    }
    x->quantiles = quantiles;
    m[1].shape = shape_vector(n, n);
    return true;
}

static const struct param params[] = {
    {"intercept", PARAM_DOUBLE(struct survival, intercept)},
    {"scale", PARAM_DOUBLE(struct survival, scale)},
    {"coefficients", PARAM_VEC(struct survival, coefficients)},
    {"quantileProbabilities", PARAM_VECTOR(struct survival, probabilities)},
};

const struct op op_aft_survival_regression = {
    .name = "aft_survival_regression",
    .class_name = SPARK_ML("regression.AFTSurvivalRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("predictionCol", IS_DOUBLE), .optional = true},
            {PORT("quantilesCol", IS_VECTOR), .optional = true, .run = run_quantiles}},
    OP_PARAMS(params),
    .size = sizeof(struct survival),
    .prepare = prepare,
    .run = run,
};
