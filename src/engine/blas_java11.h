/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of Java11BLAS, compiled twice: blas_fma.c with fused multiply-add instructions,
 * blas_plain.c with the library's fma(). BLAS_TABLE names the table that is defined.
 */
#include "scored/blas.h"

#include <math.h>

static double ddot(const double *x, const double *y, uint32_t n)
{
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    uint32_t i = 0, whole = n & ~3U;

    for (; i < whole; i += 4) {
        s0 = fma(x[i], y[i], s0);
        s1 = fma(x[i + 1], y[i + 1], s1);
        s2 = fma(x[i + 2], y[i + 2], s2);
        s3 = fma(x[i + 3], y[i + 3], s3);
    }
    double sum = 0.0 + (s0 + s1 + s2 + s3);
    for (; i < n; i++)
        sum = fma(x[i], y[i], sum);
    return sum;
}

static void dgemv_rows(double alpha, const double *a, uint32_t rows, uint32_t cols, const double *x,
                       double beta, double *y)
{
    for (uint32_t r = 0; r < rows; r++, a += cols) {
        double sum = 0;
        for (uint32_t i = 0; i < cols; i++)
            sum = fma(x[i], a[i], sum);
        y[r] = beta == 0 ? alpha * sum : alpha * sum + beta * y[r];
    }
}

static void dgemv_columns(double alpha, const double *a, uint32_t rows, uint32_t cols,
                          const double *x, double beta, double *y)
{
    for (uint32_t r = 0; r < rows; r++, a += cols) {
        uint32_t i = 0, whole = cols & ~3U;
        double sum = beta == 0 ? 0.0 : beta * y[r];
        for (; i < whole; i += 4)
            sum = fma(alpha * x[i], a[i],
                      fma(alpha * x[i + 1], a[i + 1],
                          fma(alpha * x[i + 2], a[i + 2], fma(alpha * x[i + 3], a[i + 3], sum))));
        for (; i < cols; i++)
            sum = fma(alpha * x[i], a[i], sum);
        y[r] = sum;
    }
}

static void dgemm_column(const double *a, uint32_t rows, uint32_t n, const double *x, double *y)
{
    for (uint32_t r = 0; r < rows; r++) {
        double sum = 0;
        for (uint32_t i = 0; i < n; i++)
            sum = fma(a[(size_t)i * rows + r], x[i], sum);
        y[r] = sum + y[r];
    }
}

const struct blas BLAS_TABLE = {
    .ddot = ddot,
    .dgemv_rows = dgemv_rows,
    .dgemv_columns = dgemv_columns,
    .dgemm_column = dgemm_column,
};
