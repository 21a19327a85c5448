/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LogisticRegressionModel. Binomial: the margin m = dot + intercept, rawPrediction [-m, m], and a
 * threshold on the second class, even if it was fitted on the first alone. Multinomial: a row of
 * the matrix a class, softmax, thresholds as other classifiers have.
 */
#include "../classifier.h"
#include "scored/blas.h"
#include "scored/bounds.h"
#include "scored/jmath.h"

#include <string.h>

struct logistic {
    const struct blas *blas;
    struct matrix matrix;
    const double *intercepts;
    struct vec coefficients; /* binomial: the matrix's row */
    double threshold, raw_threshold;
};

static void run_margin(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct logistic *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->matrix.cols))
    {
        double m = blas_dot(x->blas, &features[r], &x->coefficients) + x->intercepts[0];
        struct vec *v = frame_dense(f, u->out, r, 2);
        if (!v)
            return;
        v->values[0] = -m;
        v->values[1] = m;
    }
}

static void run_margins(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct logistic *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->matrix.cols))
    {
        struct vec *v = frame_dense(f, u->out, r, x->matrix.rows);
        if (!v)
            return;
        memcpy(v->values, x->intercepts, v->n * sizeof(double));
        blas_gemv(x->blas, &x->matrix, &features[r], v->values);
    }
}

/* The second entry against a bound; NaN is the first class. */
static void compare(const struct unit *u, struct frame *f, uint64_t rows, double bound)
{
    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    f->columns[u->out].f64[r] = f->columns[u->in[0]].vec[r].values[1] > bound;
}

static void run_from_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    compare(u, f, rows, ((const struct logistic *)u->params)->raw_threshold);
}

static void run_from_probability(const struct unit *u, struct frame *f, uint64_t rows)
{
    compare(u, f, rows, ((const struct logistic *)u->params)->threshold);
}

/* The probability of the second class made directly: other last bits than 1 - probability of the
 * first. */
static void run_alone(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct logistic *x = u->params;

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        double m = f->columns[u->in[0]].vec[r].values[1];
        f->columns[u->out].f64[r] = 1.0 / (1.0 + jm_exp(-m)) > x->threshold;
    }
}

static bool expect_null(struct load *l, const char *key, struct err *e)
{
    struct json v;

    return json_get(&l->params, key, &v, e) &&
           (json_is_null(&v) || json_fail(&v, e, "must be null by isMultinomial"));
}

static bool load_binomial(struct load *l, struct logistic *x, struct classifier *c, struct err *e)
{
    struct matrix *m = &x->matrix;

    c->raw = run_margin;
    c->probability = classifier_sigmoid;
    c->from_raw = run_from_raw;
    c->from_probability = run_from_probability;
    c->alone = run_alone;
    if (c->n_classes > 2 || m->rows != 1)
        return err_set(e, ERR_BAD_BUNDLE,
                       "params: a binomial model has at most 2 classes and a matrix of 1 row");
    c->n_classes = 2; /* of a model that saw one class, too: it answers for both */
    if (!m->transposed)
        return err_set(e, ERR_BAD_BUNDLE,
                       "params.coefficientMatrix: a binomial model's must be transposed");
    x->coefficients = (struct vec){
        .size = m->cols,
        .n = m->sparse ? m->indptr[1] : m->cols,
        .sparse = m->sparse,
        .values = (double *)(uintptr_t)m->values,
        .indices = (uint32_t *)(uintptr_t)m->indices,
    };
    return expect_null(l, "thresholds", e) &&
           json_get_double(&l->params, "threshold", &x->threshold, e) &&
           json_get_double(&l->params, "rawThreshold", &x->raw_threshold, e);
}

static bool load_multinomial(struct load *l, struct logistic *x, struct classifier *c,
                             struct err *e)
{
    c->raw = run_margins;
    c->probability = classifier_softmax;
    if (x->matrix.rows != c->n_classes)
        return err_set(e, ERR_BAD_BUNDLE, "params.coefficientMatrix.rows: must be numClasses, %u",
                       (unsigned)c->n_classes);
    return expect_null(l, "threshold", e) && expect_null(l, "rawThreshold", e);
}

static bool load(struct load *l, struct err *e)
{
    struct logistic *x = load_new(l, struct logistic, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    uint32_t n_features, n_intercepts;
    bool multinomial;

    if (!x || !in)
        return err_memory(e);
    struct classifier c = {.exp = true, .raw_params = x, .raw_in = in, .params = x};
    if (!load_input(l, "featuresCol", TYPE_VECTOR, in, e) ||
        !classifier_load_classes(l, 1, &c, e) || !classifier_load_blas(l, &x->blas, e) ||
        !json_get_u32(&l->params, "numFeatures", BOUND_FEATURES, &n_features, e) ||
        !json_get_bool(&l->params, "isMultinomial", &multinomial, e) ||
        !load_matrix(l, "coefficientMatrix", &x->matrix, e) ||
        !load_vector(l, "interceptVector", &x->intercepts, &n_intercepts, NULL, e))
        return false;
    if (x->matrix.cols != n_features)
        return err_set(e, ERR_BAD_BUNDLE, "params.coefficientMatrix.cols: must be numFeatures, %u",
                       (unsigned)n_features);
    if (x->matrix.rows != n_intercepts)
        return err_set(e, ERR_BAD_BUNDLE,
                       "params.interceptVector.size: must be the matrix's rows, %u",
                       (unsigned)x->matrix.rows);
    return (multinomial ? load_multinomial : load_binomial)(l, x, &c, e) &&
           classifier_load(l, &c, e);
}

const struct op op_logistic_regression = {
    .name = "logistic_regression",
    .class_name = "classification.LogisticRegressionModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"rawPredictionCol", "probabilityCol", "predictionCol", NULL},
    .params = (const char *const[]){"numClasses", "numFeatures", "isMultinomial", "threshold",
                                    "rawThreshold", "thresholds", "coefficientMatrix",
                                    "interceptVector", NULL},
    .load = load,
};
