/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing numbers. The shortest digits are found as Raffaello Giulietti's Schubfach describes:
 * scale the value and the ends of the interval that rounds to it by one power of ten, such that the
 * interval is at least one and less than ten integers wide; then at most one multiple of ten, or
 * else one of the two nearest integers, is the answer.
 */
#include "scored/number.h"

#include "number_tables.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* significand * 2^exponent */
struct binary {
    uint64_t significand;
    int exponent;
    bool lower_is_closer; /* the neighbour below is half as far as the one above */
};

/* The top 64 of 192 bits of g * c, its last bit set if anything below the next bit is lost: this
 * keeps comparisons with even integers exact. */
static uint64_t round_to_odd(const struct pow10 *g, uint64_t c)
{
    u128 low = (u128)g->lo * c;
    u128 sum = (u128)g->hi * c + (uint64_t)(low >> 64);

    return (uint64_t)(sum >> 64) | ((uint64_t)sum > 1);
}

/* The shortest decimal in the interval that rounds to `b`; of several the closest. Everything is
 * times four, so that the interval's ends are integers. */
static struct decimal shortest(const struct binary *b)
{
    uint64_t c = b->significand * 4, odd = b->significand & 1; /* ends belong to an even one */
    int k = (b->exponent * 1262611 - (b->lower_is_closer ? 524031 : 0)) >> 22;
    int h = b->exponent + pow10_log2(-k) + 1;
    const struct pow10 *g = &number_pow10[-k - POW10_MIN];
    uint64_t lower = round_to_odd(g, (c - 2 + b->lower_is_closer) << h) + odd;
    uint64_t value = round_to_odd(g, c << h);
    uint64_t upper = round_to_odd(g, (c + 2) << h) - odd;
    uint64_t s = value / 4;

    if (s >= 10) {
        uint64_t tens = s / 10;
        bool under = lower <= 40 * tens, over = 40 * tens + 40 <= upper;
        if (under != over)
            return (struct decimal){tens + over, k + 1};
    }
    bool under = lower <= 4 * s, over = 4 * s + 4 <= upper;
    if (under == over) {
        uint64_t middle = 4 * s + 2;
        over = value > middle || (value == middle && (s & 1) != 0);
    }
    return (struct decimal){s + over, k};
}

/* Integers below 2^53 (2^24 for floats) are their own shortest digits, zeros at the end apart. */
static struct decimal to_decimal(const struct binary *b)
{
    int shift = -b->exponent;

    if (shift >= 0 && shift < 53 && (b->significand & ((UINT64_C(1) << shift) - 1)) == 0)
        return (struct decimal){b->significand >> shift, 0};
    return shortest(b);
}

static const uint64_t powers_of_ten[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

/* 1 for 0. */
static unsigned count_digits(uint64_t v)
{
    unsigned n = ((64 - (unsigned)__builtin_clzll(v | 1)) * 1233) >> 12; /* about log10 */

    return n + (n == 0 || v >= powers_of_ten[n]);
}

static void put_digits(char *out, uint64_t v, unsigned n)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";

    for (; n >= 2; n -= 2, v /= 100)
        memcpy(out + n - 2, pairs + v % 100 * 2, 2);
    if (n == 1)
        *out = (char)('0' + v);
}

static struct decimal without_zeros(struct decimal d)
{
    static const int steps[] = {8, 4, 2};

    for (int i = 0; i < 3; i++) {
        if (d.digits % powers_of_ten[steps[i]] == 0) {
            d.digits /= powers_of_ten[steps[i]];
            d.exponent += steps[i];
        }
    }
    for (; d.digits % 10 == 0; d.exponent++)
        d.digits /= 10;
    return d;
}

/* Puts a point after the first `point` of `n` digits, which stand at out + 1. */
static unsigned put_point(char *out, unsigned n, unsigned point)
{
    memmove(out, out + 1, point);
    out[point] = '.';
    return n + 1;
}

static unsigned put_scientific(char *out, uint64_t digits, unsigned n, int exponent)
{
    unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    unsigned width = count_digits(magnitude);

    put_digits(out + 1, digits, n);
    if (n == 1)
        out[1 + n++] = '0';
    n = put_point(out, n, 1);
    out[n++] = 'e';
    if (exponent < 0)
        out[n++] = '-';
    put_digits(out + n, magnitude, width);
    return n + width;
}

/* Writes d, which is not zero. The first of its n digits stands for the place 10^(point - 1). */
static unsigned put_decimal(char *out, struct decimal d)
{
    d = without_zeros(d);
    unsigned n = count_digits(d.digits);
    int point = (int)n + d.exponent;

    if (point < -4 || point > 17)
        return put_scientific(out, d.digits, n, point - 1);
    if (point <= 0) {
        unsigned start = (unsigned)(2 - point);
        memcpy(out, "0.0000", 6);
        put_digits(out + start, d.digits, n);
        return start + n;
    }
    if (d.exponent < 0) {
        put_digits(out + 1, d.digits, n);
        return put_point(out, n, (unsigned)point);
    }
    put_digits(out, d.digits * powers_of_ten[d.exponent], (unsigned)point);
    memcpy(out + point, ".0", 2);
    return (unsigned)point + 2;
}

static unsigned put_text(char *out, const char *text)
{
    unsigned n = (unsigned)strlen(text);

    memcpy(out, text, n);
    return n;
}

static unsigned put_special(char *out, bool is_nan, bool negative)
{
    return put_text(out, is_nan ? "\"NaN\"" : negative ? "\"-Infinity\"" : "\"Infinity\"");
}

/* Writes a number of a format with a fraction of `fraction_bits`: sign, biased exponent and
 * fraction. */
static unsigned put_binary(char *out, bool negative, int biased, uint64_t fraction,
                           int fraction_bits)
{
    int least = fraction_bits == 52 ? -1074 : -149;
    struct binary b = {fraction, least, false};

    out[0] = '-';
    if (biased == 0 && fraction == 0)
        return negative + put_text(out + negative, "0.0");
    if (biased != 0) {
        b.significand |= UINT64_C(1) << fraction_bits;
        b.exponent += biased - 1;
        b.lower_is_closer = fraction == 0 && biased > 1;
    }
    return negative + put_decimal(out + negative, to_decimal(&b));
}

unsigned number_put_double(char *out, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    bool negative = bits >> 63;
    int biased = (int)(bits >> 52 & 0x7ff);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    if (biased == 0x7ff)
        return put_special(out, fraction != 0, negative);
    return put_binary(out, negative, biased, fraction, 52);
}

unsigned number_put_float(char *out, float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    bool negative = bits >> 31;
    int biased = (int)(bits >> 23 & 0xff);
    uint32_t fraction = bits & 0x7fffff;
    if (biased == 0xff)
        return put_special(out, fraction != 0, negative);
    return put_binary(out, negative, biased, fraction, 23);
}

unsigned number_put_int64(char *out, int64_t x)
{
    uint64_t v = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    unsigned sign = x < 0, n = count_digits(v);

    out[0] = '-';
    put_digits(out + sign, v, n);
    return sign + n;
}
