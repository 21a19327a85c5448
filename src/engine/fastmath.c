/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commons-math's FastMath and Erf. Every operation stands in the reference's order; nothing may be
 * fused or moved. Values in two parts (hi, lo) are unevaluated sums, hi having few enough bits for
 * products of two to be exact.
 *
 * exp. x = n + i/1024 + r: e^n and e^(i/1024) from tables, e^r - 1 by a polynomial of degree 4.
 * What would be a subnormal is computed larger, and divided.
 *
 * log. Beside 1 a series in (x - 1), each step in two parts; else x = 2^k m, m = (1 + i/1024)(1 +
 * r), the logarithm of the first from a table, of 1 + r by a polynomial; the five terms are added
 * up with what each addition loses.
 *
 * sin, cos. Quarters of a circle are taken off in three parts; then the nearest eighth by a table,
 * and the rest by polynomials of the sum's two terms. Arguments from 0 to 3e6, as Spark has them.
 *
 * erf. The regularised incomplete gamma function P(1/2, x^2): below 3/2 by its series, else one
 * less a continued fraction, by Lentz's method as modified by Thompson and Barnett.
 *
 * digamma. From 49 on the asymptotic series, below by digamma x = digamma (x + 1) - 1/x.
 */
#include "scored/fastmath.h"

#include "fastmath_tables.h"
#include "jmath_priv.h"
#include "scored/java.h"

#include <math.h>
#include <stdbool.h>

#define countof(a) (sizeof(a) / sizeof *(a))

/* The leading 23 bits. */
static inline double leading(double x)
{
    double far = x * 0x1p30;

    return x + far - far;
}

static double exp_in_range(double x, int whole)
{
    const struct fm_pair *w = &fm_exp_of_whole[whole - FM_EXP_LEAST];
    int part = j_d2i((x - whole) * 1024.0);
    const struct fm_pair *p = &fm_exp_of_part[part];
    double r = x - (whole + part / 1024.0);
    double z = 0.04168701738764507;

    z = z * r + 0.1666666505023083;
    z = z * r + 0.5000000000042687;
    z = z * r + 1.0;
    z = z * r + -3.940510424527919E-20;
    double high = w->hi * p->hi;
    double low = w->hi * p->lo + w->lo * p->hi + w->lo * p->lo;
    double both = low + high;
    return isinf(both) ? both : both * z + low + high;
}

double fm_exp(double x)
{
    int whole = j_d2i(x);

    if (x < -746.0)
        return 0.0;
    if (whole < -709)
        return fm_exp(x + 40.19140625) / 285040095144011776.0;
    if (whole == -709)
        return fm_exp(x + 1.494140625) / 4.455505956692757;
    if (whole > 709)
        return HUGE_VAL;
    return exp_in_range(x, x < 0.0 ? whole - 1 : whole);
}

/* ln(1 + x)/x by powers of x. */
static const struct fm_pair log_beside_1[] = {
    {0x1.0000000000000p+0, 0x1.b6a1c267a4b13p-78}, {-0x1.0000000000000p-2, -0x1.0000000000000p-2},
    {0x1.5555540000000p-2, 0x1.55555554bc4dfp-26}, {-0x1.0000000000000p-2, -0x1.2c196b42e1dd8p-44},
    {0x1.9999980000000p-3, 0x1.999ab97c05f95p-27}, {-0x1.5555540000000p-3, -0x1.0c052c208b46cp-27},
    {0x1.2492480000000p-3, 0x1.8443f9cfb0f62p-28}, {-0x1.000d440000000p-3, -0x1.475b22245ddfdp-34},
    {0x1.c738b80000000p-4, 0x1.3cc7f8d7f1d27p-27},
};

static struct fm_pair in_parts(double high, double low)
{
    double cut = leading(high);

    return (struct fm_pair){cut, high - cut + low};
}

static struct fm_pair times(struct fm_pair y, struct fm_pair x)
{
    return in_parts(y.hi * x.hi, y.hi * x.lo + y.lo * x.hi + y.lo * x.lo);
}

/* 0.99 < x < 1.01 */
static double log_of_about_1(double x)
{
    struct fm_pair d = in_parts(x - 1.0, 0.0);
    struct fm_pair y = log_beside_1[countof(log_beside_1) - 1];

    for (size_t i = countof(log_beside_1) - 1; i-- > 0;) {
        y = times(y, d);
        y = in_parts(y.hi + log_beside_1[i].hi, y.lo + log_beside_1[i].lo);
    }
    y = times(y, d);
    return y.hi + y.lo;
}

/* Adds to a sum, and to what its additions have lost. */
static void add(struct fm_pair *sum, double term)
{
    double c = sum->hi + term;

    sum->lo += -(c - sum->hi - term);
    sum->hi = c;
}

static double log_in_range(uint64_t bits, int k)
{
    const struct fm_pair *m = &fm_log_of_part[bits >> 42 & 0x3ff];
    double r = (double)(bits & UINT64_C(0x3ffffffffff)) /
               (0x1p52 + (double)(bits & UINT64_C(0xffc0000000000)));
    double z = -0.16624882440418567;
    struct fm_pair sum = {0.6931470632553101 * k, 0.0};

    z = z * r + 0.19999954120254515;
    z = z * r + -0.2499999997677497;
    z = z * r + 0.3333333333332802;
    z = z * r + -0.5;
    z = z * r + 1.0;
    add(&sum, m->hi);
    add(&sum, z * r);
    add(&sum, 1.1730463525082348E-7 * k);
    add(&sum, m->lo);
    return sum.hi + sum.lo;
}

double fm_log(double x)
{
    uint64_t bits = bits_of(x);
    int k = biased_exponent(x) - 1023;

    if (x == 0.0)
        return -HUGE_VAL;
    if (signbit(x) || x != x)
        return from_bits(QUIET_NAN_BITS);
    if (isinf(x))
        return x;
    if (x > 0.99 && x < 1.01)
        return log_of_about_1(x);
    if (biased_exponent(x) == 0) {
        for (bits <<= 1; !(bits & UINT64_C(1) << 52); bits <<= 1)
            k--;
    }
    return log_in_range(bits, k);
}

/* The sine of hi + lo, 0 <= hi < 13.5/8: of the nearest eighth from a table, of the rest by a
 * polynomial. */
static double sine_of(struct fm_pair x)
{
    int i = j_d2i(x.hi * 8.0 + 0.5);
    const struct fm_pair *s = &fm_sine_of_part[i], *c = &fm_cosine_of_part[i];
    double r = x.hi - i * 0.125, r2 = r * r;
    double sine = 2.7553817452272217E-6, cosine = 2.479773539153719E-5;

    sine = sine * r2 + -1.9841269659586505E-4;
    sine = sine * r2 + 0.008333333333329196;
    sine = sine * r2 + -0.16666666666666666;
    sine = sine * r2 * r;
    cosine = cosine * r2 + -0.0013888888689039883;
    cosine = cosine * r2 + 0.041666666666621166;
    cosine = cosine * r2 + -0.49999999999999994;
    cosine *= r2;
    double cut = leading(r);
    sine += r - cut;
    struct fm_pair sum = {s->hi, 0.0};
    add(&sum, c->hi * cut);
    double low = sum.lo + s->hi * cosine + c->hi * sine;
    sum.lo = low + s->lo + c->lo * cut + s->lo * cosine + c->lo * sine;
    if (x.lo != 0.0)
        add(&sum, ((c->hi + c->lo) * (1.0 + cosine) - (s->hi + s->lo) * (cut + sine)) * x.lo);
    return sum.hi + sum.lo;
}

#define HALF_PI_HIGH 1.5707963267948966
#define HALF_PI_LOW  6.123233995736766E-17

static double cosine_of(struct fm_pair x)
{
    double a = HALF_PI_HIGH - x.hi, b = -(a - HALF_PI_HIGH + x.hi);

    return sine_of((struct fm_pair){a, b + (HALF_PI_LOW - x.lo)});
}

/* x less k quarters of a circle, k as large as leaves something above 0; returns k. */
static int reduce(double x, struct fm_pair *rest)
{
    static const double quarter[] = {1.570796251296997, 7.549789948768648E-8,
                                     6.123233995736766E-17};
    int k = x > HALF_PI_HIGH ? j_d2i(x * 0.6366197723675814) : 0;

    *rest = (struct fm_pair){x, 0.0};
    for (; k > 0; k--) {
        *rest = (struct fm_pair){x, 0.0};
        for (unsigned i = 0; i < 3; i++)
            add(rest, -k * quarter[i]);
        if (rest->hi > 0.0)
            break;
    }
    return k;
}

/* The sine, turned on by so many quarters. */
static double turned(double x, int quarters)
{
    struct fm_pair rest;
    int k = reduce(x, &rest) + quarters;
    double value = k & 1 ? cosine_of(rest) : sine_of(rest);

    return k & 2 ? -value : value;
}

double fm_sin(double x)
{
    return turned(x, 0);
}

double fm_cos(double x)
{
    return turned(x, 1);
}

#define LN_SQRT_PI 0x1.250d048e7a1bdp-1 /* ln Gamma(1/2) as commons-math has it */
#define CLOSE      1e-15
#define TINY       1e-50
#define TERMS_MOST 10000 /* where the reference gives up; some hundred are enough for any y */

static double at_least_tiny(double x)
{
    return fabs(x) <= TINY ? TINY : x;
}

/* Of the terms 2n + 1 - a + y over n (a - n), a = 1/2. */
static double continued_fraction(double y)
{
    double h = at_least_tiny(1.0 - 0.5 + y), d = 0.0, c = h;

    for (int n = 1; n < TERMS_MOST; n++) {
        double a = 2.0 * n + 1.0 - 0.5 + y, b = n * (0.5 - n);
        d = 1.0 / at_least_tiny(a + b * d);
        c = at_least_tiny(a + b / c);
        double step = c * d;
        h *= step;
        if (fabs(step - 1.0) < CLOSE)
            break;
    }
    return h;
}

static double gamma_series(double y)
{
    double n = 0.0, term = 1.0 / 0.5, sum = term;

    while (fabs(term / sum) > CLOSE) {
        n += 1.0;
        term *= y / (0.5 + n);
        sum += term;
    }
    return sum;
}

/* P(1/2, y), 0 <= y <= 1600. */
static double half_gamma(double y)
{
    if (y == 0.0)
        return 0.0;
    bool far = y >= 0.5 + 1.0;
    double factor = far ? 1.0 / continued_fraction(y) : gamma_series(y);
    double p = fm_exp(-y + 0.5 * fm_log(y) - LN_SQRT_PI) * factor;
    return far ? 1.0 - p : p;
}

double fm_erf(double x)
{
    if (x != x)
        return from_bits(QUIET_NAN_BITS);
    if (fabs(x) > 40.0)
        return x > 0.0 ? 1.0 : -1.0;
    double p = half_gamma(x * x);
    return x < 0.0 ? -p : p;
}

enum { STEPS_MOST = 4096 }; /* a JVM's stack holds more, but not many times as many */

bool fm_digamma(double x, double *out)
{
    double below[STEPS_MOST], value;
    unsigned n = 0;

    while (x < 49.0 && !(x > 0.0 && x <= 1e-5) && !isinf(x)) {
        if (n == STEPS_MOST)
            return false;
        below[n++] = x;
        x += 1.0;
    }
    double inverse = 1.0 / (x * x);
    if (isnan(x) || isinf(x))
        value = x;
    else if (x < 49.0)
        value = -0.5772156649015329 - 1.0 / x;
    else
        value =
            fm_log(x) - 0.5 / x - inverse * (1.0 / 12 + inverse * (1.0 / 120 - inverse / 252.0));
    while (n > 0)
        value -= 1.0 / below[--n];
    *out = value;
    return true;
}
