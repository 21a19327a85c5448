/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NaiveBayesModel. rawPrediction: multinomial pi + theta . x; complement theta . x less the
 * logarithm of the sum of its exponentials; bernoulli as multinomial with the constants of entries
 * that are 0 taken out; gaussian pi - (sum of (x - theta)^2 / sigma + the logarithms of sigma) / 2.
 * The probability is the softmax.
 */
#include "../classifier.h"
#include "scored/blas.h"

#include <math.h>
#include <string.h>

struct bayes {
    struct classifier classifier;
    const struct blas *blas;
    int type;
    enum jmath_cpu cpu;
    struct doubles pi;
    struct matrix theta, sigma;
    const double *start;   /* what sums begin with: pi, what bernoulli makes of it, or 0 */
    const double *log_var; /* gaussian: sums of the logarithms of sigma */
};

enum { MULTINOMIAL, COMPLEMENT, BERNOULLI, GAUSSIAN };
static const struct choice types[] = {{"multinomial", MULTINOMIAL},
                                      {"complement", COMPLEMENT},
                                      {"bernoulli", BERNOULLI},
                                      {"gaussian", GAUSSIAN},
                                      {NULL, 0}};

/* Entries that are not zero must be positive, or 1. */
static bool check_entries(const struct bayes *x, const struct unit *u, struct frame *f, unsigned r,
                          const struct vec *v)
{
    for (uint32_t k = 0; k < v->n; k++) {
        double d = v->values[k];
        if (d == 0 || (x->type == BERNOULLI ? d == 1 : d > 0))
            continue;
        frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE, "an entry is %.17g, which must be %s",
                   d, x->type == BERNOULLI ? "0 or 1" : "at least 0");
        return false;
    }
    return true;
}

static void subtract_log_sum(const struct bayes *x, struct vec *v)
{
    double max = v->values[0], sum = 0;

    for (uint32_t i = 1; i < v->n; i++)
        max = max >= v->values[i] ? max : v->values[i];
    for (uint32_t i = 0; i < v->n; i++)
        sum += jm_exp(v->values[i] - max);
    double all = jm_log(sum, x->cpu) + max;
    for (uint32_t i = 0; i < v->n; i++)
        v->values[i] -= all;
}

static void run_sums(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct bayes *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;
    bool complement = x->type == COMPLEMENT;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->theta.cols))
    {
        if (!check_entries(x, u, f, r, &features[r]))
            continue;
        struct vec *v = frame_dense(f, u->out, r, x->theta.rows);
        if (!v)
            return;
        memcpy(v->values, x->start, v->n * sizeof(double));
        blas_gemv(x->blas, 1.0, &x->theta, &features[r], complement ? 0.0 : 1.0, v->values);
        if (complement)
            subtract_log_sum(x, v);
    }
}

static double gaussian(const struct bayes *x, const struct vec *features, uint32_t c)
{
    const double *theta = x->theta.values + (size_t)c * x->theta.cols;
    const double *sigma = x->sigma.values + (size_t)c * x->theta.cols;
    double sum = 0;
    uint32_t k = 0;

    for (uint32_t i = 0; i < x->theta.cols; i++) {
        double d = features->sparse ? 0.0 : features->values[i];
        if (features->sparse && k < features->n && features->indices[k] == i)
            d = features->values[k++];
        d -= theta[i];
        sum += d * d / sigma[i];
    }
    return x->pi.values[c] - (sum + x->log_var[c]) / 2.0;
}

/* What a vector has beyond the model's features is not looked at. */
static void run_gaussian(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct bayes *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        if (f->columns[u->in[0]].vec[r].size < x->theta.cols) {
            fail_short(u, f, r, x->theta.cols);
            continue;
        }
        struct vec *v = frame_dense(f, u->out, r, x->theta.rows);
        if (!v)
            return;
        for (uint32_t c = 0; c < v->n; c++)
            v->values[c] = gaussian(x, &f->columns[u->in[0]].vec[r], c);
    }
}

#define WAY(run)                                                     \
    {                                                                \
        .raw = (run), .probability = classifier_softmax, .exp = true \
    }
static const struct classifier_way ways[] = {
    [MULTINOMIAL] = WAY(run_sums),
    [COMPLEMENT] = WAY(run_sums),
    [BERNOULLI] = WAY(run_sums),
    [GAUSSIAN] = WAY(run_gaussian),
};

/* -- loading -- */

static uint32_t stored(const struct matrix *m)
{
    return m->sparse ? m->indptr[m->transposed ? m->rows : m->cols] : m->rows * m->cols;
}

static double negative(double theta)
{
    return jm_log1p(-jm_exp(theta));
}

/* theta becomes theta less the logarithms of the opposite, whose sums go to the start. */
static bool prepare_bernoulli(struct load *l, struct bayes *x, struct err *e)
{
    uint32_t n = stored(&x->theta);
    double *negatives = load_new(l, double, n), *less = load_new(l, double, n);
    double *start = load_new(l, double, x->pi.size), *ones = load_new(l, double, x->theta.cols);

    if (!negatives || !less || !start || !ones)
        return err_memory(e);
    for (uint32_t i = 0; i < n; i++) {
        negatives[i] = negative(x->theta.values[i]);
        less[i] = x->theta.values[i] - negatives[i];
    }
    for (uint32_t i = 0; i < x->theta.cols; i++)
        ones[i] = 1.0;
    struct matrix m = x->theta;
    m.values = negatives;
    memcpy(start, x->pi.values, x->pi.size * sizeof(double));
    blas_gemv(x->blas, 1.0, &m, &(struct vec){.size = m.cols, .n = m.cols, .values = ones}, 1.0,
              start);
    x->theta.values = less;
    x->start = start;
    return true;
}

static bool prepare_gaussian(struct load *l, struct bayes *x, struct err *e)
{
    double *sums = load_new(l, double, x->pi.size);

    if (!sums)
        return err_memory(e);
    if (x->theta.sparse || x->sigma.sparse)
        return err_set(e, ERR_BAD_BUNDLE, "params.theta, sigma: must be dense of a gaussian model");
    for (uint32_t c = 0; c < x->pi.size; c++)
        for (uint32_t i = 0; i < x->sigma.cols; i++)
            sums[c] += jm_log(x->sigma.values[(size_t)c * x->sigma.cols + i], x->cpu);
    x->log_var = sums;
    return true;
}

static bool check_sizes(const struct bayes *x, struct err *e)
{
    const struct matrix *sigma = &x->sigma;
    bool gaussian = x->type == GAUSSIAN;

    if (x->theta.rows != x->pi.size || (uint64_t)x->theta.rows * x->theta.cols > UINT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "params.theta.rows: must be pi's size, %u",
                       (unsigned)x->pi.size);
    if (gaussian ? sigma->rows != x->theta.rows || sigma->cols != x->theta.cols
                 : sigma->rows + sigma->cols != 0)
        return err_set(e, ERR_BAD_BUNDLE, "params.sigma: must have %s shape",
                       gaussian ? "theta's" : "no");
    return x->pi.size || err_set(e, ERR_BAD_BUNDLE, "params.pi: must not be empty");
}

static bool uses_log(struct load *l, struct bayes *x, const struct made *m, struct err *e)
{
    bool log = x->type == GAUSSIAN || x->type == COMPLEMENT;

    for (unsigned i = RAW; i <= PREDICTION; i++)
        if ((x->type != MULTINOMIAL && !load_libm(l, m[i].name, e)) ||
            (log && !load_pow(l, m[i].name, &x->cpu, e)))
            return false;
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct bayes *x = params;

    if (!check_sizes(x, e) || !classifier_load_blas(l, m, &x->blas, e) || !uses_log(l, x, m, e))
        return false;
    x->classifier.n_classes = x->pi.size;
    x->classifier.way = &ways[x->type];
    x->start = x->type == COMPLEMENT ? load_new(l, double, x->pi.size) : x->pi.values;
    if (!x->start)
        return err_memory(e);
    if (x->type == BERNOULLI)
        return prepare_bernoulli(l, x, e);
    return x->type != GAUSSIAN || prepare_gaussian(l, x, e);
}

static const struct param params[] = {
    {"modelType", .kind = &kind_choice, .at = FIELD(struct bayes, type, int), .choices = types},
    {"thresholds", PARAM_THRESHOLDS(struct bayes)},
    {"pi", PARAM_VECTOR(struct bayes, pi)},
    {"theta", PARAM_MATRIX(struct bayes, theta)},
    {"sigma", PARAM_MATRIX(struct bayes, sigma), .note = "of 0 rows unless gaussian"},
};

const struct op op_naive_bayes = {
    .name = "naive_bayes",
    .class_name = SPARK_ML("classification.NaiveBayesModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS},
    OP_PARAMS(params),
    .size = sizeof(struct bayes),
    .prepare = prepare,
};
