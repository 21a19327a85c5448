/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KMeansModel: the closest centre. Of few and small centres Spark knows half of their distances to
 * each other, which bound what can be closer, and returns early: other centres than the first
 * closest may win by that, so the same is done here, step by step.
 */
#include "../distance.h"
#include "scored/blas.h"

#include <math.h>

struct k_means {
    const struct blas *blas;
    struct matrix matrix;
    int measure;
    const struct center *centers;
    uint32_t k;
    enum type type;
    distance_of *distance;
    const double *bounds; /* [k, k]; NULL: not known */
};

enum { BOUNDS_K = 1000, BOUNDS_WORK = 1000000, NONE = -1 };

/* Whether the norms alone tell that centre i is not closer. */
static bool is_far(const struct k_means *x, uint32_t i, double norm, double best)
{
    double between = x->centers[i].norm - norm;

    return x->measure == DISTANCE_SQUARED && !(between * between < best);
}

static int64_t closest_plain(const struct k_means *x, const struct vec *point, double norm)
{
    double best = (double)INFINITY, d;
    int64_t found = 0;

    for (uint32_t i = 0; i < x->k; i++) {
        if (is_far(x, i, norm, best))
            continue;
        if (!x->distance(x->blas, &x->centers[i], point, norm, &d))
            return NONE;
        if (d < best) {
            best = d;
            found = i;
        }
    }
    return found;
}

static int64_t closest_bounded(const struct k_means *x, const struct vec *point, double norm)
{
    double best, d;
    uint32_t found = 0;

    if (!x->distance(x->blas, &x->centers[0], point, norm, &best))
        return NONE;
    if (best < x->bounds[0])
        return 0;
    for (uint32_t i = 1; i < x->k; i++) {
        const double *bounds = x->bounds + (size_t)i * x->k;
        if (is_far(x, i, norm, best) || !(bounds[found] < best))
            continue;
        if (!x->distance(x->blas, &x->centers[i], point, norm, &d))
            return NONE;
        if (d < bounds[i])
            return i;
        if (d < best) {
            best = d;
            found = i;
        }
    }
    return found;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct k_means *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        struct vec point = distance_point(c, x->type, r);
        int64_t found =
            (x->bounds ? closest_bounded : closest_plain)(x, &point, distance_norm(&point));
        if (found == NONE)
            distance_fail(u, f, r, x->matrix.cols);
        else
            f->columns[u->out].i64[r] = found;
    }
}

/* -- loading -- */

static bool half_distance(const struct k_means *x, const struct center *a, const struct center *b,
                          double *out)
{
    double d;

    if (!x->distance(x->blas, a, &b->at, b->norm, &d))
        return false;
    d = x->measure == DISTANCE_SQUARED ? sqrt(d) : d;
    *out = x->measure == DISTANCE_SQUARED ? 0.25 * d * d : 1.0 - sqrt(1.0 - d / 2.0);
    return true;
}

static bool load_bounds(struct load *l, struct k_means *x, struct err *e)
{
    double *bounds = load_new(l, double, (size_t)x->k * x->k);

    if (!bounds)
        return err_memory(e);
    for (uint32_t i = 0; i < x->k; i++)
        bounds[(size_t)i * x->k + i] = x->k == 1 ? (double)NAN : (double)INFINITY;
    for (uint32_t i = 0; i < x->k; i++) {
        for (uint32_t j = i + 1; j < x->k; j++) {
            double *own_i = &bounds[(size_t)i * x->k + i], *own_j = &bounds[(size_t)j * x->k + j];
            double half;
            if (!half_distance(x, &x->centers[i], &x->centers[j], &half))
                return err_set(e, ERR_BAD_BUNDLE, "params.clusterCenters: %u has no distance to %u",
                               (unsigned)i, (unsigned)j);
            bounds[(size_t)i * x->k + j] = bounds[(size_t)j * x->k + i] = half;
            *own_i = half < *own_i ? half : *own_i;
            *own_j = half < *own_j ? half : *own_j;
        }
    }
    x->bounds = bounds;
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct k_means *x = params;
    uint64_t k = x->matrix.rows;

    x->k = x->matrix.rows;
    x->type = load_input(l)->shape.type;
    x->distance = distances[x->measure];
    x->centers = distance_centers(l, &x->matrix, NULL, e);
    if (!x->centers || !distance_load_blas(l, x->measure, m->name, &x->blas, e))
        return false;
    return k >= BOUNDS_K || k * k * x->matrix.cols >= BOUNDS_WORK || load_bounds(l, x, e);
}

static const struct param params[] = {
    {"distanceMeasure", PARAM_DISTANCE(struct k_means, measure)},
    {"clusterCenters", PARAM_MATRIX(struct k_means, matrix), .note = "dense, a row each"},
};

const struct op op_k_means = {
    .name = "k_means",
    .class_name = SPARK_ML("clustering.KMeansModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_POINT)},
    .out = {{PORT("predictionCol", IS_INT)}},
    OP_PARAMS(params),
    .size = sizeof(struct k_means),
    .prepare = prepare,
    .run = run,
};
