/* SPDX-License-Identifier: Apache-2.0 */
#include "factorization.h"

#include "scored/blas.h"

bool factorization_check(const struct factorization *x, struct err *e)
{
    return (!x->factors.sparse && x->factors.cols == x->linear.size) ||
           err_set(e, ERR_BAD_BUNDLE, "params.factors.cols: must be the size of linear, %u",
                   (unsigned)x->linear.size);
}

double factorization_sum(const struct factorization *x, const struct vec *features)
{
    double found = x->intercept + blas_dot(x->blas, features, &x->linear);

    for (uint32_t i = 0; i < x->factors.rows; i++) {
        const double *factor = x->factors.values + (size_t)i * x->factors.cols;
        double squares = 0, sum = 0;
        for (uint32_t k = 0; k < features->n; k++) {
            double value = features->values[k];
            if (value == 0)
                continue;
            double product = factor[features->sparse ? features->indices[k] : k] * value;
            squares += product * product;
            sum += product;
        }
        found += 0.5 * (sum * sum - squares);
    }
    return found;
}
