/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LinearSVCModel: the margin m = dot + intercept, rawPrediction [-m, m], and the second class where
 * m is above a threshold. Other than classifiers that tell probabilities, it predicts the same from
 * the features and from rawPrediction.
 */
#include "../classifier.h"
#include "scored/blas.h"

struct svc {
    const struct blas *blas;
    struct vec coefficients;
    double intercept, threshold;
};

static double margin(const struct svc *x, const struct vec *features)
{
    return blas_dot(x->blas, features, &x->coefficients) + x->intercept;
}

static uint64_t fitting(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct svc *x = u->params;

    return fail_sizes(u, f, fail_nulls(u, f, rows), x->coefficients.size);
}

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, fitting(u, f, rows))
    {
        double m = margin(u->params, &f->columns[u->in[0]].vec[r]);
        if (!classifier_margin(u, f, r, m))
            return;
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct svc *x = u->params;

    FOR_ROWS(r, fitting(u, f, rows))
    f->columns[u->out].f64[r] = margin(x, &f->columns[u->in[0]].vec[r]) > x->threshold;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct svc *x = params;

    m[0].shape = shape_vector(2, 2);
    return load_blas(l, m[0].name, &x->blas, e) && load_blas(l, m[1].name, &x->blas, e);
}

static const struct param params[] = {
    {"intercept", PARAM_DOUBLE(struct svc, intercept)},
    {"threshold", PARAM_DOUBLE(struct svc, threshold)},
    {"coefficients", PARAM_VEC(struct svc, coefficients)},
};

const struct op op_linear_svc = {
    .name = "linear_svc",
    .class_name = SPARK_ML("classification.LinearSVCModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("rawPredictionCol", IS_VECTOR), .optional = true, .run = run_raw},
            {PORT("predictionCol", IS_DOUBLE), .optional = true}},
    OP_PARAMS(params),
    .size = sizeof(struct svc),
    .prepare = prepare,
    .run = run,
};
