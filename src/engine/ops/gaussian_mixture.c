/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GaussianMixtureModel: p_i = 2^-52 + weight_i * exp(u_i - |root_i x - root_i mean_i|^2 / 2),
 * divided by their sum; the prediction is the first largest. The roots of the inverse covariances,
 * their products with the means, and u are as Spark's LAPACK made them at export.
 */
#include "../distance.h"
#include "../vectors.h"
#include "scored/blas.h"

#include <float.h>
#include <string.h>

struct mixture {
    const struct blas *blas;
    struct doubles weights, constants;
    struct matrix roots, products; /* a root: as many rows as columns */
    enum type type;
};

static double density(const struct mixture *x, uint32_t i, const struct vec *point, double *v)
{
    uint32_t n = x->roots.cols;
    struct matrix root = x->roots;

    root.rows = n;
    root.values += (size_t)i * n * n;
    memcpy(v, x->products.values + (size_t)i * n, n * sizeof(double));
    blas_gemv(x->blas, -1.0, &root, point, 1.0, v);
    return jm_exp(x->constants.values[i] - 0.5 * x->blas->ddot(v, v, n));
}

/* Into v->values, which have room for the features' number too. */
static void probabilities(const struct mixture *x, const struct vec *point, struct vec *v)
{
    double *room = v->values + x->weights.size, sum = 0;

    v->size = v->n = x->weights.size;
    for (uint32_t i = 0; i < v->n; i++) {
        v->values[i] = DBL_EPSILON + x->weights.values[i] * density(x, i, point, room);
        sum += v->values[i];
    }
    for (uint32_t i = 0; i < v->n; i++)
        v->values[i] /= sum;
}

static void run_probability(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct mixture *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        struct vec point = distance_point(c, x->type, r);
        if (point.size != x->roots.cols) {
            distance_fail(u, f, r, x->roots.cols);
            continue;
        }
        struct vec *v = frame_dense(f, u->out, r, x->weights.size + x->roots.cols);
        if (!v)
            return;
        probabilities(x, &point, v);
    }
}

static void run_prediction(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    f->columns[u->out].i64[r] = vec_argmax(&f->columns[u->in[0]].vec[r]);
}

static bool check_sizes(const struct mixture *x, struct err *e)
{
    uint64_t k = x->weights.size, n = x->roots.cols;

    if (k == 0 || x->constants.size != k || x->roots.sparse || x->products.sparse ||
        x->roots.rows != k * n || x->products.rows != k || x->products.cols != n)
        return err_set(e, ERR_BAD_BUNDLE, "params: must be of %u components, dense", (unsigned)k);
    return true;
}

static bool load(struct load *l, struct err *e)
{
    uint16_t *probability = load_new(l, uint16_t, 1);
    struct made m[OUTPUTS_MAX];
    void *params;

    if (!probability)
        return err_memory(e);
    if (!load_columns_of_one(l, &params, m, e))
        return false;
    if (!load_unit(l, m[0].name, m[0].shape, false, &m[0].unit, e))
        return false;
    *probability = load_last(l);
    m[1].unit.in = probability;
    return load_made(l, &m[1], e);
}

/* The prediction is made of the probability, which is hidden where it has no name. */
static const struct form form_mixture = {.name = "mixture", .one_input = true, .load = load};

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct mixture *x = params;

    x->type = load_input(l)->shape.type;
    if (!check_sizes(x, e))
        return false;
    m[0].shape = shape_vector(x->weights.size, x->weights.size + x->roots.cols);
    for (unsigned i = 0; i < 2; i++)
        if (!load_blas(l, m[i].name, &x->blas, e) || !load_libm(l, m[i].name, e))
            return false;
    return true;
}

static const struct param params[] = {
    {"weights", PARAM_VECTOR(struct mixture, weights)},
    {"constants", PARAM_VECTOR(struct mixture, constants)},
    {"roots", PARAM_MATRIX(struct mixture, roots), .note = "one below the other"},
    {"products", PARAM_MATRIX(struct mixture, products), .note = "a row each"},
};

const struct op op_gaussian_mixture = {
    .name = "gaussian_mixture",
    .class_name = SPARK_ML("clustering.GaussianMixtureModel"),
    .form = &form_mixture,
    .in = {PORT("featuresCol", IS_POINT)},
    .out = {{PORT("probabilityCol", IS_VECTOR), .optional = true, .run = run_probability},
            {PORT("predictionCol", IS_INT), .optional = true, .run = run_prediction}},
    OP_PARAMS(params),
    .size = sizeof(struct mixture),
    .prepare = prepare,
};
