/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/blas.h"

const struct blas *blas_java11(void)
{
    return __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2") ? &blas_java11_fma
                                                                           : &blas_java11_plain;
}

/* Over the stored entries of x, ascending, multiply and add. */
static double dot_sparse_dense(const struct vec *x, const double *y)
{
    double sum = 0;

    for (uint32_t k = 0; k < x->n; k++)
        sum += x->values[k] * y[x->indices[k]];
    return sum;
}

static double dot_entries(const double *xv, const uint32_t *xi, uint32_t xn, const struct vec *y)
{
    double sum = 0;
    uint32_t j = 0;

    for (uint32_t k = 0; k < xn && j < y->n; k++) {
        while (j < y->n && y->indices[j] < xi[k])
            j++;
        if (j < y->n && y->indices[j] == xi[k])
            sum += xv[k] * y->values[j++];
    }
    return sum;
}

double blas_dot(const struct blas *b, const struct vec *x, const struct vec *y)
{
    if (x->sparse && y->sparse)
        return dot_entries(x->values, x->indices, x->n, y);
    if (x->sparse)
        return dot_sparse_dense(x, y->values);
    if (y->sparse)
        return dot_sparse_dense(y, x->values);
    return b->ddot(x->values, y->values, x->size);
}

static void scale(double beta, double *y, uint32_t n)
{
    for (uint32_t r = 0; beta != 1 && r < n; r++)
        y[r] *= beta;
}

/* Compressed rows. */
static void gemv_by_rows(double alpha, const struct matrix *m, const struct vec *x, double beta,
                         double *y)
{
    for (uint32_t r = 0; r < m->rows; r++) {
        uint32_t from = m->indptr[r], n = m->indptr[r + 1] - from;
        const struct vec row = {.size = m->cols,
                                .n = n,
                                .sparse = true,
                                .values = (double *)(uintptr_t)(m->values + from),
                                .indices = (uint32_t *)(uintptr_t)(m->indices + from)};
        double sum = x->sparse ? dot_entries(row.values, row.indices, n, x)
                               : dot_sparse_dense(&row, x->values);
        y[r] = beta * y[r] + sum * alpha;
    }
}

/* Compressed columns: column by column, each scaled by x's entry. */
static void gemv_by_columns(double alpha, const struct matrix *m, const struct vec *x, double beta,
                            double *y)
{
    scale(beta, y, m->rows);
    for (uint32_t k = 0; k < x->n; k++) {
        uint32_t c = x->sparse ? x->indices[k] : k;
        for (uint32_t i = m->indptr[c]; i < m->indptr[c + 1]; i++)
            y[m->indices[i]] += m->values[i] * (x->values[k] * alpha);
    }
}

void blas_gemv(const struct blas *b, double alpha, const struct matrix *m, const struct vec *x,
               double beta, double *y)
{
    if (alpha == 0) {
        scale(beta, y, m->rows);
    } else if (m->sparse) {
        (m->transposed ? gemv_by_rows : gemv_by_columns)(alpha, m, x, beta, y);
    } else if (!x->sparse) {
        (m->transposed ? b->dgemv_rows : b->dgemv_columns)(alpha, m->values, m->rows, m->cols,
                                                           x->values, beta, y);
    } else {
        for (uint32_t r = 0; r < m->rows; r++)
            y[r] = dot_sparse_dense(x, m->values + (size_t)r * m->cols) * alpha + beta * y[r];
    }
}
