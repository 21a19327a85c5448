/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Java's conversions and comparisons, which C's are not: C's cast of NaN or 1e300 to an integer is
 * undefined. The only place of the engine that casts a double to an integer.
 */
#ifndef SCORED_JAVA_H
#define SCORED_JAVA_H

#include <float.h>
#include <stdint.h>
#include <string.h>

#if FLT_EVAL_METHOD != 0
#error "doubles must be evaluated as doubles"
#endif

/* (int) d: truncates, saturates, NaN is 0 (JLS 5.1.3). */
static inline int32_t j_d2i(double d)
{
    if (!(d > (double)INT32_MIN))
        return d <= (double)INT32_MIN ? INT32_MIN : 0;
    return d >= (double)INT32_MAX ? INT32_MAX : (int32_t)d;
}

/* (long) d */
static inline int64_t j_d2l(double d)
{
    if (!(d > (double)INT64_MIN))
        return d <= (double)INT64_MIN ? INT64_MIN : 0;
    return d >= 0x1p63 ? INT64_MAX : (int64_t)d;
}

/* (float) d: to nearest even; overflow is infinity. */
static inline float j_d2f(double d)
{
    return (float)d;
}

static inline uint64_t j_bits(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* Double.doubleToLongBits: every NaN is one. */
static inline uint64_t j_bits_of(double d)
{
    return d != d ? UINT64_C(0x7ff8000000000000) : j_bits(d);
}

/* The same of Float.floatToIntBits. */
static inline uint32_t j_float_bits_of(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return f != f ? UINT32_C(0x7fc00000) : bits;
}

/* Double.compare: -0.0 < 0.0, and NaN is above all and equal to itself. */
static inline int j_compare(double a, double b)
{
    if (a < b)
        return -1;
    if (a > b)
        return 1;
    int64_t x = (int64_t)j_bits_of(a), y = (int64_t)j_bits_of(b);
    return x == y ? 0 : x < y ? -1 : 1;
}

#endif
