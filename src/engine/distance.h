/* SPDX-License-Identifier: Apache-2.0 */
/* Distances of Spark's clustering, between a dense centre and any vector, with their norms. */
#ifndef SCORED_DISTANCE_H
#define SCORED_DISTANCE_H

#include "engine_priv.h"

struct blas;

struct center {
    struct vec at; /* dense */
    double norm;
};

/* sqrt of the sum of squares over stored entries. */
double distance_norm(const struct vec *v);

/* Of a point and its norm. False where Spark throws: sizes differ, a norm is NaN. */
typedef bool distance_of(const struct blas *b, const struct center *c, const struct vec *point,
                         double norm, double *out);

enum { DISTANCE_SQUARED, DISTANCE_COSINE };
extern const struct choice distance_names[];
extern distance_of *const distances[];
#define PARAM_DISTANCE(op, field) \
    .kind = &kind_choice, .at = FIELD(op, field, int), .choices = distance_names

/* The squared distance; of a sparse point by the dot product where the norms tell that this is
 * precise enough. It needs no kernel. */
distance_of distance_squared;
/* 1 - dot / norm / norm, by the kernels; fails for a norm of 0 too. */
distance_of distance_cosine;

/* The centres that a matrix has as its rows; `norms`: theirs, NULL where they are to be made. */
const struct center *distance_centers(struct load *l, const struct matrix *m, const double *norms,
                                      struct err *e);

/* The row fails: its vector has no distance to what has n entries. */
void distance_fail(const struct unit *u, struct frame *f, unsigned row, uint32_t n);

/* The kernels for a measure, as load_blas. */
static inline bool distance_load_blas(struct load *l, int measure, const char *name,
                                      const struct blas **out, struct err *e)
{
    return load_blas(l, measure == DISTANCE_COSINE ? name : NULL, out, e);
}

/* What a column of vectors or lists of doubles has in a row. */
static inline struct vec distance_point(const struct column *c, enum type type, unsigned row)
{
    if (type == TYPE_VECTOR)
        return c->vec[row];
    const struct list *list = &c->list[row];
    return (struct vec){.size = list->n, .n = list->n, .values = list->items};
}

#endif
