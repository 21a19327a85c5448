/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digits by exact arithmetic: value = B / S, half the distance to the neighbours = M / S; digits
 * are taken until what is left is below M, or within M of the next digit. Java has faults that are
 * kept: the estimate of a power of two's neighbours, at least two digits where it writes an
 * exponent, comparisons that differ by the width of its integers, and products that wrap in them.
 */
#include "jtext.h"

#include "scored/java.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FRACTION = 52, DIGITS = 32, LIMBS = 48 };

struct digits {
    char at[DIGITS];
    unsigned n;
    int exponent; /* of 0.digits */
};

/* -- natural numbers -- */

struct natural {
    uint32_t limb[LIMBS]; /* lowest first; above n they are 0 */
    unsigned n;
};

static void times(struct natural *x, uint32_t factor)
{
    uint64_t carry = 0;

    for (unsigned i = 0; i < x->n; i++) {
        carry += (uint64_t)x->limb[i] * factor;
        x->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        x->limb[x->n++] = (uint32_t)carry;
}

static void shift(struct natural *x, unsigned bits)
{
    for (; bits >= 31; bits -= 31)
        times(x, (uint32_t)1 << 31);
    times(x, (uint32_t)1 << bits);
}

/* value * 5^fives * 2^twos */
static struct natural natural(uint64_t value, int fives, int twos)
{
    struct natural x = {{(uint32_t)value, (uint32_t)(value >> 32)}, value >> 32 ? 2 : 1};

    for (int i = 0; i < fives; i++)
        times(&x, 5);
    shift(&x, (unsigned)twos);
    return x;
}

static int compare(const struct natural *a, const struct natural *b)
{
    for (unsigned i = LIMBS; i-- > 0;)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static void add(struct natural *a, const struct natural *b)
{
    uint64_t carry = 0;
    unsigned n = a->n > b->n ? a->n : b->n;

    for (unsigned i = 0; i < n; i++) {
        carry += (uint64_t)a->limb[i] + b->limb[i];
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    a->n = n;
    if (carry)
        a->limb[a->n++] = (uint32_t)carry;
}

static void subtract(struct natural *a, const struct natural *b)
{
    int64_t borrow = 0;

    for (unsigned i = 0; i < a->n; i++) {
        borrow += (int64_t)a->limb[i] - b->limb[i];
        a->limb[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    while (a->n > 1 && a->limb[a->n - 1] == 0)
        a->n--;
}

/* A digit: how often s goes into b, which becomes ten times the rest. */
static int next_digit(struct natural *b, const struct natural *s)
{
    int q = 0;

    for (; compare(b, s) >= 0; q++)
        subtract(b, s);
    times(b, 10);
    return q;
}

/* -- the two ways that Java takes -- */

/* A number and its place between powers. */
struct ratio {
    uint64_t fraction;
    int b2, b5, s2, s5, m2, m5;
    bool ints; /* Java's are 32 bits wide */
};

/* How the digits end. */
struct end {
    bool low, high;
    int beyond; /* of the half of the last digit: compare of what is left */
};

static void put(struct digits *d, int q)
{
    if (d->n < DIGITS)
        d->at[d->n++] = (char)('0' + q);
}

/* The first digit may be 0; then it is none, and the exponent one less. */
static void put_first(struct digits *d, int q, const struct end *e, int *exponent)
{
    if (q == 0 && !e->high)
        --*exponent;
    else
        put(d, q);
}

static bool needs_more(int exponent)
{
    return exponent < -3 || exponent >= 8;
}

static int64_t wrap(const struct ratio *x, uint64_t value)
{
    return x->ints ? (int32_t)(uint32_t)value : (int64_t)value;
}

static uint64_t power_of_5(int n)
{
    uint64_t p = 1;

    while (n-- > 0)
        p *= 5;
    return p;
}

static struct end digits_of_words(const struct ratio *x, struct digits *d, int *exponent)
{
    int64_t b = wrap(x, (x->fraction * power_of_5(x->b5)) << x->b2);
    int64_t s = wrap(x, power_of_5(x->s5) << x->s2), tens = wrap(x, (uint64_t)s * 10);
    int64_t m = wrap(x, power_of_5(x->m5) << x->m2);
    int q = (int)(b / s);

    b = wrap(x, 10 * (uint64_t)(b % s));
    m = wrap(x, 10 * (uint64_t)m);
    struct end e = {b<m, wrap(x, (uint64_t)b + (uint64_t)m)> tens, 0};
    put_first(d, q, &e, exponent);
    if (needs_more(*exponent))
        e.low = e.high = false;
    while (!e.low && !e.high) {
        q = (int)(b / s);
        b = wrap(x, 10 * (uint64_t)(b % s));
        m = wrap(x, 10 * (uint64_t)m);
        e.low = m <= 0 || b < m;
        e.high = m <= 0 || wrap(x, (uint64_t)b + (uint64_t)m) > tens;
        put(d, q);
    }
    int64_t beyond = wrap(x, ((uint64_t)b << 1) - (uint64_t)tens);
    e.beyond = (beyond > 0) - (beyond < 0);
    return e;
}

static bool reaches(const struct natural *tens, const struct natural *b, const struct natural *m)
{
    struct natural sum = *b;

    add(&sum, m);
    return compare(tens, &sum) <= 0;
}

static struct end digits_of_naturals(const struct ratio *x, struct digits *d, int *exponent)
{
    struct natural s = natural(1, x->s5, x->s2), b = natural(x->fraction, x->b5, x->b2);
    struct natural m = natural(1, x->m5 + 1, x->m2 + 1), tens = natural(1, x->s5 + 1, x->s2 + 1);
    int q = next_digit(&b, &s);
    struct end e = {compare(&b, &m) < 0, reaches(&tens, &b, &m), 0};

    put_first(d, q, &e, exponent);
    if (needs_more(*exponent))
        e.low = e.high = false;
    while (!e.low && !e.high) {
        q = next_digit(&b, &s);
        times(&m, 10);
        e.low = compare(&b, &m) < 0;
        e.high = reaches(&tens, &b, &m);
        put(d, q);
    }
    shift(&b, 1);
    e.beyond = compare(&b, &tens);
    return e;
}

/* -- digits -- */

static void round_up(struct digits *d)
{
    unsigned i = d->n - 1;

    while (i > 0 && d->at[i] == '9')
        d->at[i--] = '0';
    if (d->at[i]++ != '9')
        return;
    d->at[i] = '1';
    d->exponent++;
}

/* Bits of 5^n, as Java counts them. */
static int bits_of_5(int n)
{
    static const unsigned char bits[] = {0,  3,  5,  7,  10, 12, 14, 17, 19, 21, 24, 26, 28, 31,
                                         33, 35, 38, 40, 42, 45, 47, 49, 52, 54, 56, 59, 61};

    return n >= 0 && n < (int)sizeof bits ? bits[n] : 3 * n;
}

/* floor(log10 of the value), or one more, by Java's line. */
static int estimate(uint64_t fraction, int exponent)
{
    uint64_t bits = (fraction & ((UINT64_C(1) << FRACTION) - 1)) | UINT64_C(1023) << FRACTION;
    double d;

    memcpy(&d, &bits, sizeof d);
    return j_d2i(floor((d - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981));
}

/* Digits of a whole number that fits 64 bits, less the last ones that the value does not tell. */
static void whole_digits(uint64_t value, int untold, struct digits *d)
{
    char text[JTEXT_MAX];
    uint64_t power = 1;

    for (int i = 0; i < untold; i++)
        power *= 10;
    if (untold)
        value = value / power + (value % power >= power / 2);
    d->n = (unsigned)snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    d->exponent = (int)d->n + untold;
    while (d->n > 1 && text[d->n - 1] == '0')
        d->n--;
    memcpy(d->at, text, d->n);
}

static struct ratio ratio_of(uint64_t fraction, int bits, int tiny, int exponent, int significant,
                             int decimal)
{
    struct ratio x = {.b5 = decimal < 0 ? -decimal : 0, .s5 = decimal > 0 ? decimal : 0};

    x.fraction = fraction;
    x.b2 = x.b5 + tiny + exponent;
    x.s2 = x.s5 + tiny;
    x.m5 = x.b5;
    x.m2 = x.b2 - significant;
    x.b2 -= bits - 1;
    int common = x.b2 < x.s2 ? x.b2 : x.s2;
    x.b2 -= common;
    x.s2 -= common;
    x.m2 -= common + (bits == 1);
    if (x.m2 < 0) {
        x.b2 -= x.m2;
        x.s2 -= x.m2;
        x.m2 = 0;
    }
    return x;
}

/* 1.fraction * 2^exponent, the fraction's highest bit at FRACTION. */
static void develop(uint64_t fraction, int exponent, int significant, struct digits *d)
{
    int zeros = __builtin_ctzll(fraction), bits = FRACTION + 1 - zeros;
    int tiny = bits - exponent - 1 > 0 ? bits - exponent - 1 : 0;

    if (exponent <= 62 && exponent >= -21 && tiny == 0) {
        int spare = exponent > significant ? exponent - significant - 1 : 0;
        whole_digits(exponent >= FRACTION ? fraction << (exponent - FRACTION)
                                          : fraction >> (FRACTION - exponent),
                     spare > 1 ? spare * 30103 / 100000 : 0, d);
        return;
    }
    int decimal = estimate(fraction, exponent);
    struct ratio x = ratio_of(fraction >> zeros, bits, tiny, exponent, significant, decimal);
    int b_bits = bits + x.b2 + bits_of_5(x.b5), tens_bits = x.s2 + 1 + bits_of_5(x.s5 + 1);
    x.ints = b_bits < 32 && tens_bits < 32;
    bool words = b_bits < 64 && tens_bits < 64;
    struct end e = (words ? digits_of_words : digits_of_naturals)(&x, d, &decimal);
    d->exponent = decimal + 1;
    bool odd = (d->at[d->n - 1] - '0') & 1;
    if (e.high && (!e.low || e.beyond > 0 || (e.beyond == 0 && odd)))
        round_up(d);
}

/* -- texts -- */

static unsigned plain(const struct digits *d, char *out)
{
    int whole = d->exponent > 0 ? d->exponent : 0;
    char *p = out;

    for (int i = 0; i < whole; i++)
        *p++ = (char)(i < (int)d->n ? d->at[i] : '0');
    if (whole == 0)
        *p++ = '0';
    *p++ = '.';
    for (int i = d->exponent; i < 0; i++)
        *p++ = '0';
    for (int i = whole; i < (int)d->n; i++)
        *p++ = d->at[i];
    if (whole >= (int)d->n)
        *p++ = '0';
    return (unsigned)(p - out);
}

static unsigned scientific(const struct digits *d, char *out)
{
    int n = snprintf(out, JTEXT_MAX - 1, "%c.%.*sE%d", d->at[0], d->n > 1 ? (int)d->n - 1 : 1,
                     d->n > 1 ? d->at + 1 : "0", d->exponent - 1);

    return n < 0 ? 0 : (unsigned)n;
}

static unsigned write_digits(bool negative, const struct digits *d, char *out)
{
    bool small = d->exponent > -3 && d->exponent < 8;

    *out = '-';
    return negative + (small ? plain : scientific)(d, out + negative);
}

/* What has no digits. */
static unsigned special(double d, char *out)
{
    const char *text = d != d   ? "NaN"
                       : d == 0 ? (signbit(d) ? "-0.0" : "0.0")
                       : d < 0  ? "-Infinity"
                                : "Infinity";
    size_t n = strlen(text);

    memcpy(out, text, n);
    return (unsigned)n;
}

unsigned jtext_double(double d, char out[JTEXT_MAX])
{
    uint64_t bits = j_bits(d), fraction = bits & ((UINT64_C(1) << FRACTION) - 1);
    int exponent = (int)(bits >> FRACTION & 0x7ff), lost = 0;
    struct digits digits = {{0}, 0, 0};

    if (exponent == 0x7ff || d == 0)
        return special(d, out);
    if (exponent == 0) {
        lost = __builtin_clzll(fraction) - (63 - FRACTION);
        exponent = 1 - lost;
    } else {
        fraction |= UINT64_C(1) << FRACTION;
    }
    develop(fraction << lost, exponent - 1023, FRACTION + 1 - lost, &digits);
    return write_digits(signbit(d), &digits, out);
}

unsigned jtext_float(float f, char out[JTEXT_MAX])
{
    enum { FLOAT_FRACTION = 23 };
    uint32_t bits;
    struct digits digits = {{0}, 0, 0};

    memcpy(&bits, &f, sizeof bits);
    uint32_t fraction = bits & ((1U << FLOAT_FRACTION) - 1);
    int exponent = (int)(bits >> FLOAT_FRACTION & 0xff), lost = 0;
    if (exponent == 0xff || f == 0)
        return special((double)f, out);
    if (exponent == 0) {
        lost = __builtin_clz(fraction) - (31 - FLOAT_FRACTION);
        exponent = 1 - lost;
    } else {
        fraction |= 1U << FLOAT_FRACTION;
    }
    develop((uint64_t)fraction << lost << (FRACTION - FLOAT_FRACTION), exponent - 127,
            FLOAT_FRACTION + 1 - lost, &digits);
    return write_digits(signbit(f), &digits, out);
}

unsigned jtext_long(int64_t i, char out[JTEXT_MAX])
{
    int n = snprintf(out, JTEXT_MAX, "%lld", (long long)i);

    return n < 0 ? 0 : (unsigned)n;
}
