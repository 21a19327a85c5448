/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MultilayerPerceptronClassificationModel: layers of weights times what is below plus a bias, the
 * sigmoid between them; rawPrediction is the last layer's, the probability its softmax, here
 * divided by the sum. Where neither has a name the prediction is the largest probability, whatever
 * thresholds say.
 */
#include "../classifier.h"
#include "../vectors.h"
#include "scored/blas.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct perceptron {
    struct classifier classifier;
    const struct blas *blas;
    struct ints layers;
    struct doubles weights;
    uint32_t widest;
};

/* Larger products are made in blocks of inputs, each summed by itself. */
enum { SMALL_PRODUCT = 1000000, BLOCK = 500 };

static void layer(const struct perceptron *x, uint32_t i, const double *weights, const double *in,
                  double *out)
{
    uint32_t n = x->layers.values[i], m = x->layers.values[i + 1];
    uint32_t block = (uint64_t)n * m < SMALL_PRODUCT ? n : n < BLOCK ? (n + 3) & ~3U : BLOCK;

    memcpy(out, weights + (size_t)n * m, m * sizeof(double));
    for (uint32_t begin = 0; begin < n; begin += block) {
        uint32_t end = n - begin < block ? n : begin + block;
        x->blas->dgemm_column(weights + (size_t)begin * m, m, end - begin, in + begin, out);
    }
}

static void sigmoids(double *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        v[i] = 1.0 / (1.0 + jm_exp(-v[i]));
}

/* The layers' values take turns in two halves of the room; the last are put to its begin. */
static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct perceptron *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->layers.values[0]))
    {
        struct vec *v = frame_dense(f, u->out, r, 2 * x->widest);
        if (!v)
            return;
        double *in = v->values, *out = in + x->widest;
        const double *weights = x->weights.values;
        vec_spread(&features[r], &(struct vec){.values = in});
        for (uint32_t i = 0; i + 1 < x->layers.size; i++) {
            uint32_t below = x->layers.values[i], n = x->layers.values[i + 1];
            layer(x, i, weights, in, out);
            if (i + 2 < x->layers.size)
                sigmoids(out, n);
            weights += ((size_t)below + 1) * n;
            double *other = in;
            in = out;
            out = other;
        }
        v->size = v->n = x->classifier.n_classes;
        memmove(v->values, in, v->n * sizeof(double));
    }
}

static double largest(const struct vec *v)
{
    double max = -DBL_MAX;

    for (uint32_t i = 0; i < v->n; i++)
        if (v->values[i] > max)
            max = v->values[i];
    return max;
}

static double sum_of_exp(const struct vec *v, double max)
{
    double sum = 0;

    for (uint32_t i = 0; i < v->n; i++)
        sum += jm_exp(v->values[i] - max);
    return sum;
}

static void run_probability(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    {
        const struct vec *raw = &f->columns[u->in[0]].vec[r];
        double max = largest(raw), sum = sum_of_exp(raw, max);
        struct vec *v = frame_dense(f, u->out, r, raw->n);
        if (!v)
            return;
        for (uint32_t i = 0; i < v->n; i++)
            v->values[i] = jm_exp(raw->values[i] - max) / sum;
    }
}

/* The first largest probability, made of rawPrediction. */
static void run_alone(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    {
        const struct vec *raw = &f->columns[u->in[0]].vec[r];
        double max = largest(raw), sum = sum_of_exp(raw, max);
        double best = jm_exp(raw->values[0] - max) / sum;
        uint32_t found = 0;
        for (uint32_t i = 1; i < raw->n; i++) {
            double p = jm_exp(raw->values[i] - max) / sum;
            if (p > best) {
                best = p;
                found = i;
            }
        }
        f->columns[u->out].f64[r] = found;
    }
}

static const struct classifier_way way = {
    .raw = run_raw,
    .probability = run_probability,
    .alone = run_alone,
    .alone_plain = true,
    .exp = true,
};

static bool check_layers(struct perceptron *x, struct err *e)
{
    uint64_t n = 0, below = 0;

    if (x->layers.size < 2)
        return err_set(e, ERR_BAD_BUNDLE, "params.layers: at least 2 are needed");
    for (uint32_t i = 0; i < x->layers.size; i++) {
        uint32_t width = x->layers.values[i];
        x->widest = width > x->widest ? width : x->widest;
        n += i ? (below + 1) * width : 0;
        below = width;
    }
    if (n != x->weights.size)
        return err_set(e, ERR_BAD_BUNDLE, "params.weights.size: must be %llu by the layers",
                       (unsigned long long)n);
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct perceptron *x = params;

    if (!check_layers(x, e) || !classifier_load_blas(l, m, &x->blas, e))
        return false;
    x->classifier.way = &way;
    x->classifier.n_classes = x->layers.values[x->layers.size - 1];
    x->classifier.room = 2 * x->widest;
    for (unsigned i = RAW; i <= PREDICTION; i++)
        if (!load_libm(l, m[i].name, e))
            return false;
    return true;
}

static const struct param params[] = {
    {"layers", PARAM_INTS(struct perceptron, layers), .low = 1, .high = 1 << 20},
    {"thresholds", PARAM_THRESHOLDS(struct perceptron)},
    {"weights", PARAM_VECTOR(struct perceptron, weights)},
};

const struct op op_multilayer_perceptron = {
    .name = "multilayer_perceptron",
    .class_name = SPARK_ML("classification.MultilayerPerceptronClassificationModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS},
    OP_PARAMS(params),
    .size = sizeof(struct perceptron),
    .prepare = prepare,
};
