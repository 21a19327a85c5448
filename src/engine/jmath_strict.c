/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exp, log, log10 and pow of java.lang.StrictMath, which are fdlibm's on every machine: each step
 * is a rounding of its own, in this order. SQL's functions of these names are StrictMath's, not
 * Math's.
 */
#include "jmath_priv.h"
#include "scored/java.h"

#include <math.h>
#include <stdbool.h>

static const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33,
                    per_ln2 = 0x1.71547652b82fep+0;

static inline int32_t high_word(double x)
{
    return (int32_t)(uint32_t)(bits_of(x) >> 32);
}

static inline double with_high_word(double x, int32_t high)
{
    return from_bits((uint64_t)(uint32_t)high << 32 | (bits_of(x) & UINT64_C(0xffffffff)));
}

/* x without its lower word */
static inline double upper(double x)
{
    return keep(x, UINT64_C(0xffffffff00000000));
}

/* -- exp -- */

/* x - x^2 P(x^2), of which exp is made */
static double exp_core(double x)
{
    const double p1 = 0x1.555555555553ep-3, p2 = -0x1.6c16c16bebd93p-9, p3 = 0x1.1566aaf25de2cp-14,
                 p4 = -0x1.bbd41c5d26bf1p-20, p5 = 0x1.6376972bea4d0p-25;
    double t = x * x;

    return x - t * (p1 + t * (p2 + t * (p3 + t * (p4 + t * p5))));
}

static double exp_outside(double x)
{
    if (isnan(x))
        return x + x;
    return x > 0.0 ? HUGE_VAL : 0.0;
}

double jm_strict_exp(double x)
{
    int32_t top = high_word(x) & 0x7fffffff;
    double high = 0.0, low = 0.0;
    int k = 0;

    if (isnan(x) || x > 0x1.62e42fefa39efp+9 || x < -0x1.74910d52d3051p+9)
        return exp_outside(x);
    if (top < 0x3e300000)
        return 1.0 + x;
    if (top > 0x3fd62e42) {
        k = top < 0x3ff0a2b2 ? (signbit(x) ? -1 : 1)
                             : j_d2i(per_ln2 * x + (signbit(x) ? -0.5 : 0.5));
        high = x - k * ln2_high;
        low = k * ln2_low;
        x = high - low;
    }
    double c = exp_core(x);
    if (k == 0)
        return 1.0 - ((x * c) / (c - 2.0) - x);
    double y = 1.0 - ((low - (x * c) / (2.0 - c)) - high);
    return k >= -1021 ? add_exponent(y, k) : add_exponent(y, k + 1000) * 0x1p-1000;
}

/* -- log -- */

/* A positive number made normal; its exponent in *k is 0, or -54 where it was subnormal. */
static double normal(double x, int *k)
{
    *k = biased_exponent(x) == 0 ? -54 : 0;
    return *k ? x * 0x1p54 : x;
}

static bool log_outside(double x)
{
    return isnan(x) || x <= 0.0 || isinf(x);
}

static double log_of_outside(double x)
{
    if (x == 0.0)
        return -HUGE_VAL;
    return x < 0.0 ? from_bits(QUIET_NAN_BITS) : x + x;
}

/* log(1 + f) + k ln 2 where |f| < 2^-20 */
static double log_near_one(double f, int k)
{
    if (f == 0.0)
        return k == 0 ? 0.0 : k * ln2_high + k * ln2_low;
    double r = f * f * (0.5 - 0.33333333333333333 * f);
    return k == 0 ? f - r : k * ln2_high - ((r - k * ln2_low) - f);
}

static double log_of_parts(double f, int k, int32_t fraction)
{
    const double g1 = 0x1.5555555555593p-1, g2 = 0x1.999999997fa04p-2, g3 = 0x1.2492494229359p-2,
                 g4 = 0x1.c71c51d8e78afp-3, g5 = 0x1.7466496cb03dep-3, g6 = 0x1.39a09d078c69fp-3,
                 g7 = 0x1.2f112df3e5244p-3;
    double s = f / (2.0 + f), z = s * s, w = z * z;
    double even = w * (g2 + w * (g4 + w * g6));
    double odd = z * (g1 + w * (g3 + w * (g5 + w * g7)));
    double r = odd + even;

    if (((fraction - 0x6147a) | (0x6b851 - fraction)) > 0) {
        double half = 0.5 * f * f;
        return k == 0 ? f - (half - s * (half + r))
                      : k * ln2_high - ((half - (s * (half + r) + k * ln2_low)) - f);
    }
    return k == 0 ? f - s * (f - r) : k * ln2_high - ((s * (f - r) - k * ln2_low) - f);
}

double jm_strict_log(double x)
{
    int k;

    if (log_outside(x))
        return log_of_outside(x);
    x = normal(x, &k);
    int32_t top = high_word(x), fraction = top & 0xfffff;
    int32_t above = (fraction + 0x95f64) & 0x100000; /* 1 + f is halved */
    k += (top >> 20) - 1023 + (above >> 20);
    double f = with_high_word(x, fraction | (above ^ 0x3ff00000)) - 1.0;
    return (0xfffff & (2 + fraction)) < 3 ? log_near_one(f, k) : log_of_parts(f, k, fraction);
}

double jm_strict_log10(double x)
{
    const double per_ln10 = 0x1.bcb7b1526e50ep-2, log10_2_high = 0x1.34413509f6p-2,
                 log10_2_low = 0x1.9fef311f12b36p-42;
    int k;

    if (log_outside(x))
        return log_of_outside(x);
    x = normal(x, &k);
    k += (high_word(x) >> 20) - 1023;
    int below = k < 0;
    double y = k + below;
    x = with_high_word(x, (high_word(x) & 0xfffff) | (0x3ff - below) << 20);
    double z = y * log10_2_low + per_ln10 * jm_strict_log(x);
    return z + y * log10_2_high;
}

/* -- pow -- */

struct two {
    double high, low;
};

/* log2 of x near 1, for |y| > 2^31 */
static struct two log2_near_one(double x)
{
    const double high = 0x1.715476p+0, low = 0x1.4ae0bf85ddf44p-26;
    double t = x - 1.0;
    double w = (t * t) * (0.5 - t * (0.3333333333333333333333 - t * 0.25));
    double u = high * t, v = t * low - w * per_ln2;
    double first = upper(u + v);

    return (struct two){first, v - (first - u)};
}

/* 2 / (3 ln 2) times (s + s^3 ...) in two parts, of s = (x - base) / (x + base) */
static struct two log2_of_ratio(double x, double base, int k)
{
    const double l1 = 0x1.3333333333303p-1, l2 = 0x1.b6db6db6fabffp-2, l3 = 0x1.55555518f264dp-2,
                 l4 = 0x1.17460a91d4101p-2, l5 = 0x1.d864a93c9db65p-3, l6 = 0x1.a7e284a454eefp-3;
    double u = x - base, v = 1.0 / (x + base), s = u * v, s_high = upper(s);
    double t_high =
        with_high_word(0.0, ((high_word(x) >> 1) | 0x20000000) + 0x00080000 + (k << 18));
    double t_low = x - (t_high - base);
    double s_low = v * ((u - s_high * t_high) - s_high * t_low);

    double square = s * s;
    double r = square * square *
               (l1 + square * (l2 + square * (l3 + square * (l4 + square * (l5 + square * l6)))));
    r += s_low * (s_high + s);
    square = s_high * s_high;
    t_high = upper(3.0 + square + r);
    t_low = r - ((t_high - 3.0) - square);

    u = s_high * t_high;
    v = s_low * t_high + t_low * s;
    double high = upper(u + v);
    return (struct two){high, v - (high - u)};
}

static struct two log2_in_two(double x)
{
    const double c = 0x1.ec709dc3a03fdp-1, c_high = 0x1.ec709ep-1, c_low = -0x1.e2fe0145b01f5p-28;
    const double base_high[] = {0.0, 0x1.2b8034p-1}, base_low[] = {0.0, 0x1.cfdeb43cfd006p-27};
    int n = 0, k = 0;

    if (biased_exponent(x) == 0) {
        x *= 0x1p53;
        n = -53;
    }
    n += (high_word(x) >> 20) - 1023;
    int32_t fraction = high_word(x) & 0xfffff, top = fraction | 0x3ff00000;
    if (fraction > 0x3988e && fraction < 0xbb67a) {
        k = 1;
    } else if (fraction >= 0xbb67a) {
        n++;
        top -= 0x00100000;
    }
    struct two p = log2_of_ratio(with_high_word(x, top), k ? 1.5 : 1.0, k);
    double z_high = c_high * p.high, z_low = c_low * p.high + p.low * c + base_low[k];
    double first = upper(((z_high + z_low) + base_high[k]) + n);
    return (struct two){first, z_low - (((first - n) - base_high[k]) - z_high)};
}

/* 2^(p.high + p.low), where `sum` is both together */
static double exp2_of_two(struct two p, double sum)
{
    const double lg2 = 0x1.62e42fefa39efp-1, lg2_high = 0x1.62e43p-1,
                 lg2_low = -0x1.05c610ca86c39p-29;
    int32_t top = high_word(sum), n = 0;

    if ((top & 0x7fffffff) > 0x3fe00000) {
        int k = ((top & 0x7fffffff) >> 20) - 1023;
        n = (int32_t)((uint32_t)top + (0x00100000u >> (k + 1)));
        k = ((n & 0x7fffffff) >> 20) - 1023;
        p.high -= with_high_word(0.0, n & ~(0x000fffff >> k));
        n = ((n & 0xfffff) | 0x00100000) >> (20 - k);
        n = top < 0 ? -n : n;
    }
    double t = upper(p.low + p.high), u = t * lg2_high;
    double v = (p.low - (t - p.high)) * lg2 + t * lg2_low;
    double z = u + v, w = v - (z - u);
    double c = exp_core(z);
    double r = (z * c) / (c - 2.0) - (w + z * w);
    z = 1.0 - (r - z);
    return high_word(z) + n * (1 << 20) < 1 << 20 ? ldexp(z, n) : add_exponent(z, n);
}

enum parity { NOT_WHOLE, ODD, EVEN };

static enum parity parity(double y)
{
    if (fabs(y) >= 0x1p53)
        return EVEN;
    if (y != trunc(y))
        return NOT_WHOLE;
    return fmod(y, 2.0) != 0.0 ? ODD : EVEN;
}

static double pow_of_infinite(double x, double y)
{
    if (fabs(x) == 1.0)
        return from_bits(QUIET_NAN_BITS);
    return (fabs(x) > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0;
}

/* Of x = 0, 1 and infinity, of either sign. */
static double pow_of_simple(double x, double y)
{
    double z = y < 0.0 ? 1.0 / fabs(x) : fabs(x);

    if (!signbit(x))
        return z;
    if (x == -1.0 && parity(y) == NOT_WHOLE)
        return from_bits(QUIET_NAN_BITS);
    return parity(y) == ODD ? -z : z;
}

/* |x|^y of what is left */
static double pow_of_magnitude(double x, double y)
{
    double largest = y > 0.0 ? HUGE_VAL : 0.0, smallest = y > 0.0 ? 0.0 : HUGE_VAL;
    int32_t top = high_word(x), y_top = high_word(y) & 0x7fffffff;

    if (y_top > 0x43f00000)
        return top <= 0x3fefffff ? smallest : largest;
    if (y_top > 0x41e00000 && (top < 0x3fefffff || top > 0x3ff00000))
        return top < 0x3fefffff ? smallest : largest;
    struct two log = y_top > 0x41e00000 ? log2_near_one(x) : log2_in_two(x);
    double y_high = upper(y);
    struct two p = {y_high * log.high, (y - y_high) * log.high + y * log.low};
    double sum = p.low + p.high;
    if (sum >= 1024.0 && (sum > 1024.0 || p.low + 0x1.71547652b82fep-54 > sum - p.high))
        return HUGE_VAL;
    if (sum <= -1075.0 && (sum < -1075.0 || p.low <= sum - p.high))
        return 0.0;
    return exp2_of_two(p, sum);
}

double jm_strict_pow(double x, double y)
{
    if (y == 0.0)
        return 1.0;
    if (isnan(x) || isnan(y))
        return x + y;
    if (isinf(y))
        return pow_of_infinite(x, y);
    if (y == 1.0 || y == -1.0)
        return y > 0.0 ? x : 1.0 / x;
    if (y == 2.0)
        return x * x;
    if (y == 0.5 && x >= -DBL_MAX)
        return sqrt(x + 0.0);
    if (x == 0.0 || isinf(x) || fabs(x) == 1.0)
        return pow_of_simple(x, y);
    if (x < 0.0 && parity(y) == NOT_WHOLE)
        return from_bits(QUIET_NAN_BITS);
    double z = pow_of_magnitude(fabs(x), y);
    return x < 0.0 && parity(y) == ODD ? -z : z;
}
