/* SPDX-License-Identifier: Apache-2.0 */
#include "distance.h"

#include "scored/blas.h"

#include <float.h>
#include <math.h>

#define PRECISION 1e-6

double distance_norm(const struct vec *v)
{
    double sum = 0;

    for (uint32_t k = 0; k < v->n; k++)
        sum += v->values[k] * v->values[k];
    return sqrt(sum);
}

static double sum_of_squares(const struct vec *center, const struct vec *point)
{
    double sum = 0;
    uint32_t k = 0;

    for (uint32_t i = 0; i < center->size; i++) {
        double d = point->sparse ? 0.0 : point->values[i];
        if (point->sparse && k < point->n && point->indices[k] == i)
            d = point->values[k++];
        d = center->values[i] - d;
        sum += d * d;
    }
    return sum;
}

static double sparse_squared(const struct blas *b, const struct center *c, const struct vec *point,
                             double norms)
{
    double dot = blas_dot(b, &c->at, point), squared = norms - 2.0 * dot;

    if (!(squared >= 0)) /* Math.max keeps NaN */
        squared = isnan(squared) ? squared : 0.0;
    double bound = DBL_EPSILON * (norms + 2.0 * fabs(dot)) / (squared + DBL_EPSILON);
    return bound > PRECISION ? sum_of_squares(&c->at, point) : squared;
}

bool distance_squared(const struct blas *b, const struct center *c, const struct vec *point,
                      double norm, double *out)
{
    double norms = c->norm * c->norm + norm * norm, between = c->norm - norm;

    if (c->at.size != point->size || isnan(c->norm) || isnan(norm))
        return false;
    if (!point->sparse)
        *out = sum_of_squares(&c->at, point);
    else if (2.0 * DBL_EPSILON * norms / (between * between + DBL_EPSILON) < PRECISION)
        *out = norms - 2.0 * blas_dot(b, &c->at, point);
    else
        *out = sparse_squared(b, c, point, norms);
    return true;
}

bool distance_cosine(const struct blas *b, const struct center *c, const struct vec *point,
                     double norm, double *out)
{
    if (c->at.size != point->size || !(c->norm > 0) || !(norm > 0))
        return false;
    *out = 1.0 - blas_dot(b, &c->at, point) / c->norm / norm;
    return true;
}

const struct choice distance_names[] = {
    {"euclidean", DISTANCE_SQUARED}, {"cosine", DISTANCE_COSINE}, {NULL, 0}};
distance_of *const distances[] = {distance_squared, distance_cosine};

void distance_fail(const struct unit *u, struct frame *f, unsigned row, uint32_t n)
{
    frame_fail(f, row, u, u->in[0], PROBLEM_INVALID_VALUE,
               "the vector has no distance to the centers, of %u entries each", (unsigned)n);
}

const struct center *distance_centers(struct load *l, const struct matrix *m, const double *norms,
                                      struct err *e)
{
    struct center *all = load_new(l, struct center, m->rows);

    if (m->sparse || m->rows == 0) {
        err_set(e, ERR_BAD_BUNDLE, "params: the centers must be dense, at least one");
        return NULL;
    }
    if (!all) {
        err_memory(e);
        return NULL;
    }
    for (uint32_t i = 0; i < m->rows; i++) {
        double *row = (double *)(uintptr_t)(m->values + (size_t)i * m->cols);
        all[i].at = (struct vec){.size = m->cols, .n = m->cols, .values = row};
        all[i].norm = norms ? norms[i] : distance_norm(&all[i].at);
    }
    return all;
}
