/* SPDX-License-Identifier: Apache-2.0 */
/* Math.log1p, expm1, tanh and cbrt, which JDK 17 takes from fdlibm; see jmath.c. */
#include "jmath_priv.h"

#include <math.h>
#include <stdbool.h>

static const double fd_ln2_high = 0x1.62e42feep-1, fd_ln2_low = 0x1.a39ef35793c76p-33;

static inline uint32_t high_word(double x)
{
    return (uint32_t)(bits_of(x) >> 32);
}

static inline double with_high_word(double x, uint32_t high)
{
    return from_bits((uint64_t)high << 32 | (bits_of(x) & UINT64_C(0xffffffff)));
}

/* 1 + x as 2^k (1 + f), where c is what rounding 1 + x lost, relative to it. */
struct log1p_parts {
    double f;
    double c;
    int k;
    bool tiny; /* |f| < 2^-20 */
};

static struct log1p_parts split_log1p(double x)
{
    struct log1p_parts p = {x, 0.0, 0, false};
    int32_t top = (int32_t)high_word(x);
    if (top < 0x3fda827a &&
        (top > 0 || top <= (int32_t)0xbfd2bec3)) /* sqrt(2)/2 <= 1 + x < sqrt(2) */
        return p;
    double u = x;
    if (top < 0x43400000) {
        u = 1.0 + x;
        p.k = (int)(high_word(u) >> 20) - 1023;
        p.c = (p.k > 0 ? 1.0 - (u - x) : x - (u - 1.0)) / u;
    } else
        p.k = (int)(high_word(u) >> 20) - 1023;
    uint32_t fraction = high_word(u) & 0xfffff;
    if (fraction < 0x6a09e)
        u = with_high_word(u, fraction | 0x3ff00000);
    else {
        p.k++;
        u = with_high_word(u, fraction | 0x3fe00000);
        fraction = (0x100000 - fraction) >> 2;
    }
    p.f = u - 1.0;
    p.tiny = fraction == 0;
    return p;
}

double jm_log1p(double x)
{
    const double l1 = 0x1.5555555555593p-1, l2 = 0x1.999999997fa04p-2, l3 = 0x1.2492494229359p-2;
    const double l4 = 0x1.c71c51d8e78afp-3, l5 = 0x1.7466496cb03dep-3, l6 = 0x1.39a09d078c69fp-3;
    const double l7 = 0x1.2f112df3e5244p-3;
    uint32_t magnitude = high_word(x) & 0x7fffffff;
    if (magnitude >= 0x7ff00000 && !(signbit(x)))
        return x + x;
    if (signbit(x) && magnitude >= 0x3ff00000)
        return x == -1.0 ? -HUGE_VAL : x != x ? x + x : from_bits(DEFAULT_NAN_BITS);
    if (magnitude < 0x3e200000) /* |x| < 2^-29 */
        return magnitude < 0x3c900000 ? x : x - x * x * 0.5;

    struct log1p_parts p = split_log1p(x);
    double k = p.k, f = p.f, half_square = 0.5 * f * f;
    if (p.tiny) {
        if (f == 0)
            return p.k == 0 ? 0.0 : k * fd_ln2_high + (p.c + k * fd_ln2_low);
        double r = half_square * (1.0 - 0x1.5555555555555p-1 * f);
        return p.k == 0 ? f - r : k * fd_ln2_high - ((r - (k * fd_ln2_low + p.c)) - f);
    }
    double s = f / (2.0 + f), z = s * s;
    double r = z * (l1 + z * (l2 + z * (l3 + z * (l4 + z * (l5 + z * (l6 + z * l7))))));
    if (p.k == 0)
        return f - (half_square - s * (half_square + r));
    return k * fd_ln2_high - ((half_square - (s * (half_square + r) + (k * fd_ln2_low + p.c))) - f);
}

/* x = k ln 2 + (r - c), r being the reduced argument. */
struct expm1_parts {
    double r;
    double c;
    int k;
};

static struct expm1_parts reduce_expm1(double x)
{
    const double per_ln2 = 0x1.71547652b82fep+0;
    uint32_t magnitude = high_word(x) & 0x7fffffff;
    struct expm1_parts p = {x, 0.0, 0};
    if (magnitude <= 0x3fd62e42) /* |x| <= ln(2)/2 */
        return p;
    if (magnitude < 0x3ff0a2b2) /* |x| < 3 ln(2)/2 */
        p.k = signbit(x) ? -1 : 1;
    else
        p.k = (int)(per_ln2 * x + (signbit(x) ? -0.5 : 0.5));
    double high = x - p.k * fd_ln2_high, low = p.k * fd_ln2_low;
    p.r = high - low;
    p.c = (high - p.r) - low;
    return p;
}

/* 2^k (1 + r - e) - 1 in a form without cancellation for each range of k. */
static double finish_expm1(double r, double e, int k)
{
    if (k == -1)
        return 0.5 * (r - e) - 0.5;
    if (k == 1)
        return r < -0.25 ? -2.0 * (e - (r + 0.5)) : 1.0 + 2.0 * (r - e);
    if (k <= -2 || k > 56)
        return add_exponent(1.0 - (e - r), k) - 1.0;
    if (k < 20)
        return add_exponent((1.0 - power_of_two(-k)) - (e - r), k);
    return add_exponent((r - (e + power_of_two(-k))) + 1.0, k);
}

double jm_expm1(double x)
{
    const double q1 = -0x1.11111111110f4p-5, q2 = 0x1.a01a019fe5585p-10,
                 q3 = -0x1.4ce199eaadbb7p-14;
    const double q4 = 0x1.0cfca86e65239p-18, q5 = -0x1.afdb76e09c32dp-23;
    uint32_t magnitude = high_word(x) & 0x7fffffff;
    if (x != x)
        return x + x;
    if (x > 0x1.62e42fefa39efp+9)
        return HUGE_VAL;
    if (signbit(x) && magnitude >= 0x4043687a) /* x <= -56 ln 2 */
        return -1.0;
    if (magnitude < 0x3c900000) /* |x| < 2^-54 */
        return x;

    struct expm1_parts p = reduce_expm1(x);
    double half = 0.5 * p.r, square = p.r * half;
    double q = 1.0 + square * (q1 + square * (q2 + square * (q3 + square * (q4 + square * q5))));
    double t = 3.0 - q * half;
    double e = square * ((q - t) / (6.0 - p.r * t));
    if (p.k == 0)
        return p.r - (p.r * e - square);
    return finish_expm1(p.r, (p.r * (e - p.c) - p.c) - square, p.k);
}

double jm_tanh(double x)
{
    double magnitude = fabs(x), result;
    if (x != x)
        return x + x;
    if (magnitude < 0x1p-55)
        return x * (1.0 + x);
    if (magnitude >= 22.0)
        result = 1.0;
    else if (magnitude >= 1.0)
        result = 1.0 - 2.0 / (jm_expm1(2.0 * magnitude) + 2.0);
    else {
        double t = jm_expm1(-2.0 * magnitude);
        result = -t / (t + 2.0);
    }
    return signbit(x) ? -result : result;
}

/* A cube root good to about five bits: a third of the exponent, and of the fraction with it. */
static double rough_cbrt(double magnitude)
{
    if (biased_exponent(magnitude) != 0)
        return from_bits((uint64_t)(high_word(magnitude) / 3 + 715094163) << 32);
    return from_bits((uint64_t)(high_word(magnitude * 0x1p54) / 3 + 696219795) << 32);
}

double jm_cbrt(double x)
{
    const double c = 0x1.15f15f15f15f1p-1, d = -0x1.691de2532c834p-1, e = 0x1.6a0ea0ea0ea0fp+0;
    const double f = 0x1.9b6db6db6db6ep+0, g = 0x1.6db6db6db6db7p-2;
    double magnitude = fabs(x);
    if (x == 0 || x != x || isinf(x))
        return x;
    double t = rough_cbrt(magnitude);
    double s = c + t * t / magnitude * t;
    t *= g + f / (s + e + d / s);
    t = from_bits((bits_of(t) & UINT64_C(0xffffffff00000000)) + UINT64_C(0x100000000));
    double r = magnitude / (t * t);
    r = (r - t) / (t + t + r);
    t = t + t * r;
    return signbit(x) ? -t : t;
}
