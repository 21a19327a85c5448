/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LogisticRegressionModel. Binomial: the margin m = dot + intercept, rawPrediction [-m, m], and a
 * threshold on the second class, even if it was fitted on the first alone. Multinomial: a row of
 * the matrix a class, softmax, thresholds as other classifiers have.
 */
#include "../classifier.h"
#include "scored/blas.h"
#include "scored/jmath.h"

#include <string.h>

struct logistic {
    struct classifier classifier;
    const struct blas *blas;
    uint32_t n_features;
    bool multinomial;
    struct matrix matrix;
    struct doubles intercepts;
    struct vec coefficients; /* binomial: the matrix's row */
    struct optional_double threshold, raw_threshold;
};

static void run_margin(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct logistic *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->matrix.cols))
    {
        double m = blas_dot(x->blas, &features[r], &x->coefficients) + x->intercepts.values[0];
        if (!classifier_margin(u, f, r, m))
            return;
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
        memcpy(v->values, x->intercepts.values, v->n * sizeof(double));
        blas_gemv(x->blas, 1.0, &x->matrix, &features[r], 1.0, v->values);
    }
}

/* The second entry against a bound; NaN is the first class. */
static void compare(const struct unit *u, struct frame *f, uint64_t rows, double bound)
{
    FOR_ROWS(r, rows)
    f->columns[u->out].f64[r] = f->columns[u->in[0]].vec[r].values[1] > bound;
}

static void run_from_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    compare(u, f, rows, ((const struct logistic *)u->params)->raw_threshold.value);
}

static void run_from_probability(const struct unit *u, struct frame *f, uint64_t rows)
{
    compare(u, f, rows, ((const struct logistic *)u->params)->threshold.value);
}

/* The probability of the second class made directly: other last bits than 1 - probability of the
 * first. */
static void run_alone(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct logistic *x = u->params;

    FOR_ROWS(r, rows)
    {
        double m = f->columns[u->in[0]].vec[r].values[1];
        f->columns[u->out].f64[r] = 1.0 / (1.0 + jm_exp(-m)) > x->threshold.value;
    }
}

static const struct classifier_way binomial = {
    .raw = run_margin,
    .probability = classifier_sigmoid,
    .from_raw = run_from_raw,
    .from_probability = run_from_probability,
    .alone = run_alone,
    .exp = true,
};
static const struct classifier_way multinomial = {
    .raw = run_margins, .probability = classifier_softmax, .exp = true};

/* Which params are null depends on isMultinomial. */
static bool expect_null(const char *name, bool want, bool null, struct err *e)
{
    return want == null || err_set(e, ERR_BAD_BUNDLE, "params.%s: must %sbe null by isMultinomial",
                                   name, want ? "" : "not ");
}

static bool check_nulls(const struct logistic *x, struct err *e)
{
    bool many = x->multinomial;

    return expect_null("threshold", many, x->threshold.null, e) &&
           expect_null("rawThreshold", many, x->raw_threshold.null, e) &&
           (many || expect_null("thresholds", true, !x->classifier.thresholds.values, e));
}

static bool check_sizes(const struct logistic *x, struct err *e)
{
    if (x->matrix.cols != x->n_features)
        return err_set(e, ERR_BAD_BUNDLE, "params.coefficientMatrix.cols: must be numFeatures, %u",
                       (unsigned)x->n_features);
    if (x->matrix.rows != x->intercepts.size)
        return err_set(e, ERR_BAD_BUNDLE,
                       "params.interceptVector.size: must be the matrix's rows, %u",
                       (unsigned)x->matrix.rows);
    if (x->multinomial && x->matrix.rows != x->classifier.n_classes)
        return err_set(e, ERR_BAD_BUNDLE, "params.coefficientMatrix.rows: must be numClasses, %u",
                       (unsigned)x->classifier.n_classes);
    if (!x->multinomial && (x->classifier.n_classes > 2 || x->matrix.rows != 1))
        return err_set(e, ERR_BAD_BUNDLE,
                       "params: a binomial model has at most 2 classes and a matrix of 1 row");
    return x->multinomial || x->matrix.transposed ||
           err_set(e, ERR_BAD_BUNDLE,
                   "params.coefficientMatrix: a binomial model's must be transposed");
}

static struct vec only_row(const struct matrix *m)
{
    return (struct vec){
        .size = m->cols,
        .n = m->sparse ? m->indptr[1] : m->cols,
        .sparse = m->sparse,
        .values = (double *)(uintptr_t)m->values,
        .indices = (uint32_t *)(uintptr_t)m->indices,
    };
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct logistic *x = params;

    if (!check_sizes(x, e) || !check_nulls(x, e) || !classifier_load_blas(l, m, &x->blas, e))
        return false;
    x->classifier.way = x->multinomial ? &multinomial : &binomial;
    if (x->multinomial)
        return true;
    x->classifier.n_classes = 2; /* of a model that saw one class, too: it answers for both */
    x->coefficients = only_row(&x->matrix);
    return true;
}

static const struct param params[] = {
    {"numClasses", PARAM_CLASSES(struct logistic)},
    {"numFeatures", PARAM_INT(struct logistic, n_features), .high = BOUND_FEATURES},
    {"isMultinomial", PARAM_BOOL(struct logistic, multinomial)},
    {"threshold", PARAM_OPTIONAL(struct logistic, threshold)},
    {"rawThreshold", PARAM_OPTIONAL(struct logistic, raw_threshold)},
    {"thresholds", PARAM_THRESHOLDS(struct logistic)},
    {"coefficientMatrix", PARAM_MATRIX(struct logistic, matrix)},
    {"interceptVector", PARAM_VECTOR(struct logistic, intercepts)},
};

const struct op op_logistic_regression = {
    .name = "logistic_regression",
    .class_name = SPARK_ML("classification.LogisticRegressionModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS},
    OP_PARAMS(params),
    .size = sizeof(struct logistic),
    .prepare = prepare,
};
