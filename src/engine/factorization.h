/* SPDX-License-Identifier: Apache-2.0 */
/* Factorization machines: (intercept + dot) plus, a factor after the other, half of
 * (sum of factor * entry)^2 less the sum of (factor * entry)^2, over entries that are not zero. */
#ifndef SCORED_FACTORIZATION_H
#define SCORED_FACTORIZATION_H

#include "engine_priv.h"

struct blas;

struct factorization {
    const struct blas *blas;
    double intercept;
    struct vec linear;
    struct matrix factors; /* a row a factor */
};

#define FACTORIZATION_PARAMS(op, field)                                                        \
    {"intercept", PARAM_DOUBLE(op, field.intercept)}, {"linear", PARAM_VEC(op, field.linear)}, \
    {                                                                                          \
        "factors", PARAM_MATRIX(op, field.factors), .note = "dense, a row a factor"            \
    }

bool factorization_check(const struct factorization *x, struct err *e);
double factorization_sum(const struct factorization *x, const struct vec *features);

#endif
