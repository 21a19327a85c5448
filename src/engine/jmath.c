/* SPDX-License-Identifier: Apache-2.0 */
/*
 * java.lang.Math on x86-64 HotSpot, bit for bit.
 *
 * Why. A C library's exp is not Java's: about one result in five hundred differs by one unit in the
 * last place (ulp). Who has to return exactly what a JVM returned must follow the JVM's arithmetic,
 * operation by operation.
 *
 * Which arithmetic. HotSpot replaces exp, log, log10, pow, sin, cos and tan by routines of Intel's
 * LIBM (algorithms as published); interpreter and both compilers call the same ones. log1p, expm1,
 * tanh and cbrt come, in JDK 17, from StrictMath, that is from fdlibm (Sun Microsystems 1993,
 * freely usable). This is an independent writing-down of these algorithms: the order of every
 * addition and multiplication is the reference's, because each one rounds; everything else is ours.
 * The tables are computed from their definitions by jmath_tables.py, which also lists the few
 * entries where the reference is an ulp off its own definition. The reference has no path that
 * depends on AVX, AVX-512 or FMA: it never fuses, so neither may the compiler (-ffp-contract=off),
 * and nothing here may be reassociated.
 *
 * Notation. x = 2^k m with 1 <= m < 2; "high" and "low" are two doubles whose unevaluated sum is
 * the better value.
 *
 * exp. With m = round(64 x / ln 2), e = m >> 6 and j = m & 63, x = m ln2/64 + r and
 * exp x = 2^e 2^(j/64) exp r. The product m ln2/64 is subtracted in two parts. The table has
 * 2^(j/64) cut to 53 bits and what is missing relative to it; exp r - 1 is a polynomial of degree
 * 6, its two halves (r^3, r^4 and r^5, r^6) evaluated apart, with a coefficient of r^2 two ulps
 * under a half. Result: p T + T. Near the ends of the range 2^e is applied as two powers; a
 * subnormal result is rounded once more per part, as in the reference. |x| < 2^-54 gives 1 + x;
 * overflow gives infinity, underflow +0, NaN a quiet NaN, -infinity +0.
 *
 * The reciprocal estimate. log, log10 and pow begin with the processor's 12-bit estimate of 1/m
 * (rcpps), of which no standard says more than its largest error: so the JVM's results depend,
 * rarely, on who made its processor. The exponent of the argument only shifts the estimate, and
 * both makers' estimates are multiples of 2^-13; here they are tables, and the maker is an
 * argument. All 2^23 mantissas were measured on each.
 *
 * Intel: the reciprocal of the middle of each of 2048 slices, rounded to nearest.
 *
 * AMD (family 25 model 1): constant on each of 4096 slices. Cut the slice's twelve bits into three
 * fours a, b and c: the estimate is P(a, b) - Q(a, c), a bipartite table, linear interpolation with
 * a slope that depends on a alone. P and Q follow no formula that we found, so they stand in
 * jmath_tables.py as measured.
 *
 * The two differ in half of the slices, by at most two units. That moves the choice of b below for
 * some arguments, and then the last bit of a few results: of 25 million arguments for each function
 * (a mixture, see tests/jmath) 2 of log, 18 of log10 and 455 of pow. Other models of either maker
 * are taken to agree with the one measured; the golden rows of a bundle would tell.
 *
 * log. b = the estimate rounded to a multiple of 1/256; r = b m - 1, exact but for its last
 * operation because m is multiplied in two parts; ln x = k ln2 - ln b + ln(1 + r), with -ln b from
 * a table in two parts and a polynomial of degree 7. log10 is the same with b scaled by a short
 * log10 e (111/256), so that the polynomial's first coefficient is nearly 1. Subnormal x is scaled
 * by 2^128. log of +-0 is -infinity, of a negative number NaN, of NaN that NaN, quiet.
 *
 * pow. log2 |x| is computed like log10, with b the estimate times 185/128 rounded to 10 bits, 513
 * table entries and a polynomial of degree 8, as high + low with about 65 good bits. Then
 * y log2 x = m/256 + z, where y and high are split so that the leading product is exact, and 2^z is
 * a polynomial of degree 5. Four cases by a bound of |y log2 x|: so small that the result is 1,
 * small (two terms), the main path, and wide (results near overflow or underflow: high is split
 * anew, the power of two applied in two steps, a subnormal result rounded apart). For |x| in [1 -
 * 1/32, 1 + 1/16) and |y| >= 4096 the first two terms of the logarithm are summed with
 * compensation. y = 2 is x x, y = 0.5 is sqrt x for x >= 0. Odd ends that are kept: a negative x
 * cuts its mantissa as if its exponent were one less; 0 and infinity to a positive odd y in [2^51,
 * 2^52) are taken for an even power. Specials: y = 0 gives 1 even for NaN; otherwise a NaN argument
 * gives NaN, also for x = 1; |x| = 1 to an infinite power is NaN; a finite negative x to a
 * non-integer is NaN; zeros and infinities follow java.lang.Math.
 *
 * sin and cos. n = round(32 x / pi), r = x - n pi/32 with pi/32 in three parts (the lost part c is
 * kept apart); with b = n pi/32, sin x = sin b + cos b r + small: sin b has two parts, cos b is a
 * power of two (sigma) plus a rest, so that sigma r is exact; the leading terms are summed with
 * compensation. From 90112 on x is multiplied by the right 160 bits of 2/pi first, giving octants
 * and a rest in two parts. Infinities give NaN; |x| < 2^-252 gives x or 1.
 *
 * tan. The same reduction into 32 steps per pi. Up to pi/4 from a multiple of pi the row holds the
 * Taylor series of the tangent at b (up to r^15); else the series of tan x + 1/u at b, u being x
 * less the pole, and 1/u is subtracted in two parts. |x| < 0.1015625 has its own odd polynomial;
 * from 12800 on the reduction by 2/pi is taken.
 *
 * log1p, expm1, tanh, cbrt. fdlibm's: log1p by ln(1 + f) = f - f^2/2 + s(f^2/2 + R(s^2)), s = f/(2
 * + f), with a correction for what rounding 1 + x lost; expm1 by a rational function of r^2 after
 * taking off k ln2, finished by a form that suits k; tanh by expm1(2|x|); cbrt by a third of the
 * exponent's bits, a rational step to 20 bits and a Newton step.
 *
 * NaNs. Where an operation is invalid the result has the bits the processor gives; a NaN argument
 * keeps its payload.
 */
#include "jmath_priv.h"

#include <math.h>
#include <stdbool.h>

/* exp(r) - 1 plus the table's relative low part, in the order in which the reference adds up. */
static inline double exp_minus_one(double r, double table_low)
{
    const double c3 = 0x1.5555555548ba1p-3, c4 = 0x1.55555555b9e25p-5;
    const double c5 = 0x1.11115c090cf0fp-7, c6 = 0x1.6c15ce3289860p-10;
    const double half = 0x1.ffffffffffffep-2;
    double r2 = r * r, r3 = r * r2;
    double far = r3 * r2 * (c5 + c6 * r);
    double near = r3 * (c3 + c4 * r);
    return (near + ((r + table_low) + far)) + r2 * half;
}

/* (1 + p) * 2^e * m, where 2^e leaves the normal range or comes near its ends. */
static double exp_at_the_edge(double p, double m, int e)
{
    int half = e >> 1;
    double scale = power_of_two(half);
    double high = add_exponent(m, e - half);
    int shift = -1022 - e; /* how many bits a subnormal result loses */
    p *= high;
    if (shift > 52)
        return (p + high) * scale;
    double kept = shift < 0 ? 0.0 : keep(high, UINT64_MAX << shift);
    p += high - kept;
    double result = (p + kept) * scale;
    if (biased_exponent(result) != 0 || e >= 1023 || (shift == 0 && !signbit(p)))
        return result;
    /* A subnormal result: both parts are rounded to it apart and added as integers. */
    uint64_t magnitude = bits_of(p * scale) & MAGNITUDE_BITS;
    uint64_t base = bits_of(kept * scale);
    return from_bits(signbit(p) ? base - magnitude : base + magnitude);
}

static double exp_outside(double x)
{
    uint64_t magnitude = bits_of(x) & MAGNITUDE_BITS;
    if (magnitude < UINT64_C(0x4090000000000000)) /* tiny */
        return x + 1.0;
    if (magnitude > EXPONENT_BITS) /* NaN */
        return x + x;
    return signbit(x) ? 0.0 : HUGE_VAL;
}

double jm_exp(double x)
{
    const double per_step = 0x1.71547652b82fep+6; /* 64 / ln 2 */
    const double step_high = 0x1.62e42fefa0000p-7, step_low = 0x1.cf79abc9e3b3ap-46;
    const double shifter = 0x1.8p52;
    uint32_t top = top16(x) & 0x7fff;
    if (top < 0x3c90 || top > 0x408f) /* |x| < 2^-54 or |x| >= 1024 */
        return exp_outside(x);

    double shifted = x * per_step + shifter;
    double steps = shifted - shifter;
    int m = (int)(uint32_t)bits_of(shifted);
    int e = m >> 6;
    const struct jm_pair *entry = &jm_exp64[m & 63];
    double p = exp_minus_one((x - steps * step_high) - steps * step_low, entry->lo);
    if (e < -894 || e > 1022)
        return exp_at_the_edge(p, entry->hi, e);
    double high = add_exponent(entry->hi, e);
    return p * high + high;
}

/* log and log10 of what is not a positive normal number; false: x was subnormal and has been scaled
 * to a normal one. */
static bool log_special(double *x, int *k, double *result)
{
    uint64_t bits = bits_of(*x);
    uint64_t magnitude = bits & MAGNITUDE_BITS;
    if (magnitude > EXPONENT_BITS)
        *result = *x + *x;
    else if (magnitude == 0)
        *result = -HUGE_VAL;
    else if (bits & SIGN_BIT)
        *result = from_bits(DEFAULT_NAN_BITS);
    else if (magnitude == EXPONENT_BITS)
        *result = HUGE_VAL;
    else {
        *x *= 0x1p128;
        *k = -128;
        return false;
    }
    return true;
}

static inline bool positive_normal(double x)
{
    return (bits_of(x) >> 52) - 1 < 0x7fe;
}

/* The mantissa of x in [1,2), split after seven fraction bits. */
static inline void split_mantissa(double x, uint64_t mask, double *high, double *low)
{
    double mantissa = from_bits((bits_of(x) & FRACTION_BITS) | ONE_BITS);
    *high = keep(mantissa, mask);
    *low = mantissa - *high;
}

double jm_log(double x, enum jmath_cpu cpu)
{
    const double ln2_high = 0x1.62e42fefa3800p-1, ln2_low = 0x1.ef35793c76730p-45;
    const double c2 = -0.5, c3 = 0x1.5555555555555p-2, c4 = -0.25, c5 = 0x1.999999999999ap-3;
    const double c6 = -0x1.5555e3d6fb175p-3, c7 = 0x1.2492492492492p-3;
    int scaled = 0;
    double result;
    if (!positive_normal(x) && log_special(&x, &scaled, &result))
        return result;

    double k = biased_exponent(x) - 1023 + scaled;
    uint32_t estimate = rounded_reciprocal(bits_of(x) & FRACTION_BITS, 1.0f, 16, cpu);
    double b = float_from_bits(estimate), high, low;
    split_mantissa(x, UINT64_C(0xffffe00000000000), &high, &low);
    const struct jm_pair *entry = &jm_log_table[estimate >> 16 & 0xff];

    double r = low * b + (high * b - 1.0);
    double base = entry->hi + k * ln2_high;
    double sum = base + r;
    double rest = (r + (base - sum)) + (k * ln2_low + entry->lo);
    double r2 = r * r;
    double far = (((c5 + c6 * r) * r) + (c7 * r) * r2) * (r2 * r2);
    double near = ((c2 + c3 * r) + c4 * r2) * r2;
    return sum + ((rest + far) + near);
}

double jm_log10(double x, enum jmath_cpu cpu)
{
    const double log2_high = 0x1.34413509f7800p-2, log2_low = 0x1.fef311f12b358p-46;
    const double e_short = 0x1.bcp-2, e_rest = 0x1.a7a6cbf2e4108p-10;
    const double c2 = -0x1.27af2dc77b115p+0, c3 = 0x1.c6a02dc963467p+0, c4 = -0x1.8930964d4ef0dp+1;
    const double c5 = 0x1.6ab9f7f9d3aa1p+2, c6 = -0x1.5c917385593b1p+3, c7 = 0x1.58874c1a5f12ep+4;
    int scaled = 0;
    double result;
    if (!positive_normal(x) && log_special(&x, &scaled, &result))
        return result;

    double k = biased_exponent(x) - 1023 + scaled;
    uint32_t estimate = rounded_reciprocal(bits_of(x) & FRACTION_BITS, 0x1.bcp-2f, 16, cpu);
    double b = float_from_bits(estimate), high, low;
    split_mantissa(x, UINT64_C(0xfffffffff8000000), &high, &low);
    const struct jm_pair *entry = &jm_log10_table[(estimate >> 16 & 0xff) - 94];

    double r = low * b + (high * b - e_short);
    double base = entry->hi + k * log2_high;
    double sum = base + r;
    double rest = ((r + (base - sum)) + e_rest * r) + (k * log2_low + entry->lo);
    double r2 = r * r;
    double far = (((c5 + c6 * r) * r) + (c7 * r) * r2) * (r2 * r2);
    double near = ((c2 + c3 * r) + c4 * r2) * r2;
    return sum + ((rest + far) + near);
}
