/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums in the order of the reference's BLAS. Implemented: java11, dev.ludovic.netlib's Java11BLAS,
 * which Spark 3.5 uses on JDK 11 and 17 without libblas and the vector module. Vectors of a call
 * have equal sizes.
 */
#ifndef SCORED_BLAS_H
#define SCORED_BLAS_H

#include "scored/frame.h"

struct blas {
    /* x . y: four accumulators by fused multiply-add, ((s0+s1)+s2)+s3, then the tail */
    double (*ddot)(const double *x, const double *y, uint32_t n);
    /* y[r] = alpha * (a[r] . x) + beta * y[r], a row-major [rows, cols]: each dot one accumulator,
     * by fused multiply-add; what is times a beta of 0 is left out */
    void (*dgemv_rows)(double alpha, const double *a, uint32_t rows, uint32_t cols, const double *x,
                       double beta, double *y);
    /* the same sums as Spark makes them when it holds the matrix by columns: beta * y[r] first,
     * then four columns at a time */
    void (*dgemv_columns)(double alpha, const double *a, uint32_t rows, uint32_t cols,
                          const double *x, double beta, double *y);
    /* y[r] += a[r] . x, a [rows, n] by columns, each dot one accumulator: what dgemm makes of a
     * vector */
    void (*dgemm_column)(const double *a, uint32_t rows, uint32_t n, const double *x, double *y);
};

/* The kernels for this CPU: with fused multiply-add instructions, or the library's fma(); the same
 * bits. */
const struct blas *blas_java11(void);
extern const struct blas blas_java11_fma,
    blas_java11_plain; /* the first only on CPUs with FMA and AVX2 */

/* Spark's BLAS.dot of two vectors of equal size: dense . dense by ddot, else a plain loop over
 * stored entries. */
double blas_dot(const struct blas *b, const struct vec *x, const struct vec *y);

/* Spark's BLAS.gemv: y = alpha * m . x + beta * y, x of m->cols entries. */
void blas_gemv(const struct blas *b, double alpha, const struct matrix *m, const struct vec *x,
               double beta, double *y);

#endif
