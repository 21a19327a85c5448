/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels with and without fused multiply-add instructions give the same bits; and their order
 * is the reference's. */
#include "cmocka_all.h"

#include "../../src/engine/load.h"
#include "scored/blas.h"
#include "scored/java.h"

#include <math.h>
#include <string.h>

static uint64_t seed = 88172645463325252U;

static double random_double(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return ((double)(seed >> 11) * 0x1p-53 - 0.5) * ldexp(1, (int)(seed & 31) - 16);
}

static void same_with_and_without_instructions(void **state)
{
    enum { ROWS = 5, MAX = 40 };
    double x[MAX], a[ROWS * MAX], y[2][ROWS];
    const struct blas *kernels[] = {blas_java11(), &blas_java11_plain};

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        uint32_t n = round % MAX;
        double dot[2];
        for (uint32_t i = 0; i < n; i++)
            x[i] = random_double();
        for (uint32_t i = 0; i < ROWS * n; i++)
            a[i] = random_double();
        for (unsigned k = 0; k < 2; k++) {
            dot[k] = kernels[k]->ddot(x, a, n);
            for (unsigned r = 0; r < ROWS; r++)
                y[k][r] = (double)r - 2;
            (round & 1 ? kernels[k]->dgemv_rows : kernels[k]->dgemv_columns)(
                round % 3 - 1.0, a, ROWS, n, x, round % 5 / 2.0, y[k]);
        }
        assert_true(j_bits(dot[0]) == j_bits(dot[1]));
        assert_memory_equal(y[0], y[1], sizeof y[0]);
    }
}

/* 1 + 2^-53 in four accumulators: each order of summing gives other bits. */
static void dot_keeps_four_accumulators(void **state)
{
    const double tiny = 0x1p-53;
    const double x[] = {1, tiny, tiny, tiny, tiny}, ones[] = {1, 1, 1, 1, 1};

    (void)state;
    /* ((1 + tiny) + tiny) + tiny stays 1, and so does the tail; from the right it would be 1 + 2 *
     * tiny */
    assert_true(blas_java11()->ddot(x, ones, 5) == 1);
    const double y[] = {tiny, tiny, tiny, 1, tiny};
    assert_true(blas_java11()->ddot(y, ones, 5) == 1 + 4 * tiny);
    const double f = 1 + 0x1p-30, g[] = {f, f}, minus[] = {f, -f};
    assert_true(blas_java11()->ddot(g, minus, 2) != 0); /* the second product is not rounded */
}

static void sparse_sums_do_not_fuse(void **state)
{
    const double f = 1 + 0x1p-30;
    double values[] = {f, f}, dense[] = {f, 5, -f};
    uint32_t indices[] = {0, 2};
    const struct vec x = {.size = 3, .n = 2, .sparse = true, .values = values, .indices = indices};
    const struct vec y = {.size = 3, .n = 3, .values = dense};

    (void)state;
    assert_true(blas_dot(blas_java11(), &x, &y) == 0);
    assert_true(blas_dot(blas_java11(), &y, &x) == 0);
}

static void java_converts(void **state)
{
    (void)state;
    assert_int_equal(j_d2i((double)NAN), 0);
    assert_int_equal(j_d2i(1e300), INT32_MAX);
    assert_int_equal(j_d2i(-1e300), INT32_MIN);
    assert_int_equal(j_d2i(-0.99), 0);
    assert_int_equal(j_d2i(2147483647.5), INT32_MAX);
    assert_true(j_d2l(9.3e18) == INT64_MAX && j_d2l(-9.3e18) == INT64_MIN && j_d2l(-1.9) == -1);
    assert_int_equal(j_compare(-0.0, 0.0), -1);
    assert_int_equal(j_compare((double)NAN, (double)INFINITY), 1);
    assert_int_equal(j_compare((double)NAN, -(double)NAN), 0);
    assert_true(compressed_sparse(COMPRESSED_OLD, 0, 2) && !compressed_sparse(COMPRESSED_41, 0, 2));
    assert_true(compressed_sparse(COMPRESSED_OLD, 4, 8) && !compressed_sparse(COMPRESSED_41, 4, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_with_and_without_instructions),
        cmocka_unit_test(dot_keeps_four_accumulators),
        cmocka_unit_test(sparse_sums_do_not_fuse),
        cmocka_unit_test(java_converts),
    };
    return cmocka_run_group_tests_name("blas", tests, NULL, NULL);
}
