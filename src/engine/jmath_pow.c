/* SPDX-License-Identifier: Apache-2.0 */
/* Math.pow as the Intel LIBM in HotSpot has it; see jmath.c. */
#include "jmath_priv.h"

#include <math.h>
#include <stdbool.h>

#define POW_SHIFTER     0x1.8p44     /* adding it rounds to a multiple of 1/256 */
#define POW_STEPS_LIMIT (1152 * 256) /* results of 2^1152 and more need no computing */

/* A logarithm to base 2 as high + low. */
struct log2_sum {
    double high;
    double low;
};

/* The base of a power, |x| = 2^k * mantissa, and the pieces its logarithm is made of. */
struct pow_base {
    double mantissa;             /* in [1,2) */
    double high;                 /* its leading bits */
    double reciprocal;           /* few bits, about 1.445 / mantissa */
    const struct jm_pair *entry; /* -log2(reciprocal / 1.445) */
    int k;
    bool near_one; /* |x| in [1 - 1/32, 1 + 1/16) */
};

static const double short_log2e = 0x1.72p+0;
static const double log2_c3 = 0x1.4635e486ececcp-3, log2_c4 = -0x1.528db9f95985ap-4;
static const double log2_c5 = 0x1.76c9bac8349bbp-5, log2_c6 = -0x1.b0301ee241472p-6;
static const double log2_c7 = 0x1.004f2518775e3p-6, log2_c8 = -0x1.365786dc96112p-7;
static const double ln2 = 0x1.62e42fefa39efp-1;

static inline int floor_log2(int positive)
{
    return 31 - __builtin_clz((unsigned)positive);
}

/* Cuts the mantissa 20 - narrower bits after the point; near one it is rounded to there (half up at
 * bit 31). */
static void split_base(struct pow_base *base, double magnitude, int scaled, int narrower,
                       enum jmath_cpu cpu)
{
    uint64_t fraction = bits_of(magnitude) & FRACTION_BITS;
    uint64_t mantissa = fraction | ONE_BITS;
    uint64_t round = base->near_one ? UINT64_C(0x80000000) : 0;
    uint32_t estimate = rounded_reciprocal(fraction, (float)short_log2e, 14, cpu);
    base->k = biased_exponent(magnitude) - 1023 + scaled;
    base->mantissa = from_bits(mantissa);
    base->high = from_bits((mantissa + round) & UINT64_MAX << (32 + narrower));
    base->reciprocal = float_from_bits(estimate);
    base->entry = &jm_log2_table[(estimate >> 14 & 0x3ff) - 228];
}

/*
 * |x| normal or subnormal. The more bits the exponent takes, the fewer the leading part of the
 * mantissa has; for a negative x the reference counts them from the exponent less one.
 */
static void prepare_base(struct pow_base *base, double x, enum jmath_cpu cpu)
{
    double magnitude = fabs(x);
    uint32_t top = top16(magnitude);
    base->near_one = top == 0x3fef || top == 0x3ff0;
    if (biased_exponent(magnitude) == 0) {
        split_base(base, magnitude * 0x1p128, -128, 10, cpu);
        return;
    }
    int k = biased_exponent(magnitude) - 1023 - (signbit(x) ? 1 : 0);
    split_base(base, magnitude, 0, floor_log2((k < 0 ? -k : k) + 1), cpu);
}

/* log2 of the base with about 65 good bits; the polynomial's two halves are summed apart, even and
 * odd pairs. */
static inline struct log2_sum log2_of(const struct pow_base *base)
{
    const double c1 = -0x1.dabe1161bb241p-10, c2 = -0x1.619b6b3841d2ap-2;
    double r_low = (base->mantissa - base->high) * base->reciprocal;
    double r_high = base->high * base->reciprocal - short_log2e;
    double r = r_low + r_high, r2 = r * r, r3 = r * r2, r4 = r2 * r2;
    double tail = (log2_c3 + log2_c4 * r) * r3 + (r_low + base->entry->lo);
    double odd = (log2_c7 + log2_c8 * r) * r3 * r4 + tail;
    double even = (log2_c5 + log2_c6 * r) * r * r4 + (c1 + c2 * r) * r;
    return (struct log2_sum){(r_high + base->entry->hi) + base->k, even + odd};
}

/* Adds term to *sum and returns what the rounded sum lost; |*sum| >= |term| is assumed. */
static inline double add_exactly(double *sum, double term)
{
    double before = *sum;
    *sum = before + term;
    return (before - *sum) + term;
}

/* The same for a base near one and a large exponent: the first two terms of the polynomial are
 * summed without loss. */
static struct log2_sum log2_near_one(const struct pow_base *base)
{
    const double c1_short = -0x1.dabe1p-10, c2_short = -0x1.61ap-2;
    const double c1_rest = -0x1.61bb2412055ccp-34, c2_rest = 0x1.2531ef8b5787dp-16,
                 c3 = 0x1.4635e486ececbp-3;
    double r_low = (base->mantissa - base->high) * base->reciprocal;
    double r_high = base->high * base->reciprocal - short_log2e;
    double r = r_low + r_high, r2 = r * r, r3 = r * r2, r4 = r2 * r2;

    double high = base->k + base->entry->hi;
    double square = c2_short * r_high * r_high;
    double lost_first = add_exactly(&high, r_high + c1_short * r_high);
    double lost = add_exactly(&high, square) + lost_first;
    double rest = c2_short * r_low * (r_high + r) + lost;
    rest += add_exactly(&high, r_low);
    rest += add_exactly(&high, c1_short * r_low);
    rest += add_exactly(&high, base->entry->lo);

    double odd = ((c3 + log2_c4 * r) * r3 + rest) + (log2_c7 + log2_c8 * r) * r3 * r4;
    double even = (c1_rest + c2_rest * r) * r + (log2_c5 + log2_c6 * r) * r * r4;
    struct log2_sum sum = {keep(high, UINT64_C(0xfffffffff8000000)), 0.0};
    sum.low = (high - sum.high) + (odd + even);
    return sum;
}

/* A power of two in the making: 2^(m/256) * 2^z, with m an integer and |z| at most about 1/512. */
struct exp2_parts {
    int m;
    double z;
};

/* The integer nearest to 256 * product, and the rest of product. */
static inline int take_steps(double product, double *rest)
{
    double shifted = product + POW_SHIFTER;
    *rest = product - (shifted - POW_SHIFTER);
    return (int)(uint32_t)bits_of(shifted);
}

/* high * (2^z - 1) + low, where high + low is the table's value. */
static inline double exp2_rest(double z, double high, double low)
{
    const double c2 = 0x1.ebfbdff82c58fp-3, c3 = 0x1.c6b08d704a0c0p-5;
    const double c4 = 0x1.3b2ab6fba4e77p-7, c5 = 0x1.5d87fe78a6731p-10;
    double z2 = z * z;
    double linear = ln2 * z * high + low;
    double far = z2 * z2 * (c4 + c5 * z) * high;
    double near = z2 * (c2 + c3 * z) * high;
    return (far + linear) + near;
}

/* 2^(m/256 + z) where the result may leave the normal range. */
static double exp2_scaled(struct exp2_parts p)
{
    int e = p.m >> 8;
    int half = e >> 1;
    double high = add_exponent(jm_exp256[p.m & 255].hi, half);
    double low = add_exponent(jm_exp256[p.m & 255].lo, half);
    double scale = power_of_two(e - half);
    double rest = exp2_rest(p.z, high, low);
    double result = (rest + high) * scale;
    int lost_bits = -1054 - e;
    if (biased_exponent(result) != 0 || lost_bits > 20)
        return result;
    /* A subnormal result: the part that survives is scaled without rounding. */
    double kept = keep(high, UINT64_MAX << (32 + (lost_bits > 0 ? lost_bits : 0)));
    return kept * scale + ((high - kept) + rest) * scale;
}

/* y * log is far from the ends of the range. */
static inline double pow_main(struct log2_sum log, double y)
{
    double y_high = keep(y, UINT64_C(0xfffffff800000000));
    double rest;
    int m = take_steps(y_high * log.high, &rest);
    double z = y * log.low + (rest + (y - y_high) * log.high);
    double high = add_exponent(jm_exp256[m & 255].hi, m >> 8);
    double low = add_exponent(jm_exp256[m & 255].lo, m >> 8);
    return exp2_rest(z, high, low) + high;
}

/* y * log is so small that two terms of the series do. */
static double pow_tiny(struct log2_sum log, double y)
{
    return 1.0 + (log.high * y + y * log.low) * ln2;
}

/* y * log may leave the range: infinity or zero when it is far out. */
static double pow_wide(struct log2_sum log, double y, bool grows)
{
    const uint64_t half_mask = UINT64_C(0xfffffffff8000000);
    double sum = log.high + log.low;
    double high = keep(sum, half_mask);
    double low = (log.low + (log.high - sum)) + (sum - high);
    double y_high = keep(y, half_mask);
    struct exp2_parts p;
    double rest;
    p.m = take_steps(y_high * high, &rest);
    if (p.m >= POW_STEPS_LIMIT || p.m <= -POW_STEPS_LIMIT)
        return grows ? HUGE_VAL : 0.0;
    p.z = (y * low + (y - y_high) * high) + rest;
    return exp2_scaled(p);
}

/* The base lies near one and |y| >= 4096. */
static double pow_near_one(struct log2_sum log, double y, bool grows)
{
    if (biased_exponent(y) + biased_exponent(log.high) - 1023 >= 1036)
        return signbit(y) == signbit(log.high) ? HUGE_VAL : 0.0;
    double y_high = keep(y, UINT64_C(0xffffffff00000000));
    struct exp2_parts p;
    double rest;
    p.m = take_steps(y_high * log.high, &rest);
    if (p.m >= POW_STEPS_LIMIT || p.m <= -POW_STEPS_LIMIT)
        return grows ? HUGE_VAL : 0.0;
    p.z = rest + ((y - y_high) * log.high + y * log.low);
    return exp2_scaled(p);
}

/* |x|^y for a prepared base and a finite y that is not zero. */
static double pow_prepared(const struct pow_base *base, double magnitude, double y)
{
    bool grows = (magnitude >= 1.0) == !signbit(y);
    if (base->near_one && (top16(y) & 0x7ff0) >= 0x40b0)
        return pow_near_one(log2_near_one(base), y, grows);
    /* A cheap bound of log2|y * log2 x|, less the 31 below which the result is 1 + something tiny.
     */
    int size = floor_log2((base->k < 0 ? -base->k : base->k) + 1) + biased_exponent(y) - 992;
    if (size < -24)
        return 1.0;
    if (size >= 47)
        return grows ? HUGE_VAL : 0.0;
    struct log2_sum log = log2_of(base);
    if (size < 0)
        return pow_tiny(log, y);
    return size < 39 ? pow_main(log, y) : pow_wide(log, y, grows);
}

enum parity { NOT_INTEGER, EVEN, ODD };

/*
 * Odd, even or neither, for a zero or infinite base. As in the reference, a positive odd y of 2^51
 * up to 2^52 passes for even: the number added to find out is too large there. (For a finite base
 * it looks at the bits instead.)
 */
static enum parity parity_beside_infinity(double y)
{
    const double shifter = 0x1.8p52;
    int exponent = biased_exponent(y);
    if (exponent < 1023)
        return NOT_INTEGER;
    if (exponent >= 1075)
        return exponent == 1075 && (bits_of(y) & 1) ? ODD : EVEN;
    double shifted = y + shifter;
    if (y + (shifter - shifted) != 0)
        return NOT_INTEGER;
    return bits_of(shifted) & 1 ? ODD : EVEN;
}

/* The same for a finite negative base; exact. */
static enum parity parity_of(double y)
{
    uint64_t mantissa = (bits_of(y) & FRACTION_BITS) | UINT64_C(1) << 52;
    int point = 1075 - biased_exponent(y); /* so many of its bits stand behind the point */

    if (point <= 0)
        return point == 0 && (mantissa & 1) ? ODD : EVEN;
    if (point > 52 || (mantissa & ((UINT64_C(1) << point) - 1)) != 0)
        return NOT_INTEGER;
    return mantissa >> point & 1 ? ODD : EVEN;
}

/* x is zero or infinite, y neither zero nor NaN. */
static double pow_zero_or_infinity(double x, double y)
{
    bool odd = parity_beside_infinity(y) == ODD;
    bool zero_result = (x == 0) != (bool)signbit(y);
    double magnitude = zero_result ? 0.0 : HUGE_VAL;
    return odd && signbit(x) ? -magnitude : magnitude;
}

/* y is infinite, x finite and not zero. */
static double pow_of_infinity(double x, double y)
{
    double magnitude = fabs(x);
    if (magnitude == 1.0)
        return from_bits(QUIET_NAN_BITS);
    return (magnitude > 1.0) == (y > 0) ? HUGE_VAL : 0.0;
}

double jm_pow(double x, double y, enum jmath_cpu cpu)
{
    if (y == 2.0)
        return x * x;
    if (y == 0.5 && !signbit(x))
        return sqrt(x);
    if (y == 0)
        return 1.0;
    if (x != x)
        return x + x;
    if (y != y)
        return x == 1.0 ? from_bits(QUIET_NAN_BITS) : y + y;
    if (x == 0 || isinf(x))
        return pow_zero_or_infinity(x, y);
    if (isinf(y))
        return pow_of_infinity(x, y);
    enum parity parity = signbit(x) ? parity_of(y) : EVEN;
    if (parity == NOT_INTEGER)
        return from_bits(DEFAULT_NAN_BITS);
    struct pow_base base;
    prepare_base(&base, x, cpu);
    double result = pow_prepared(&base, fabs(x), y);
    return parity == ODD ? -result : result;
}
