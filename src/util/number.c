/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading numbers. A few digits with a small power of ten are one exact operation of the processor.
 * Everything else is multiplied by a 128-bit power of ten, whose error is known: unless the middle
 * between two neighbouring results lies within that error, the nearest is certain. If it does, all
 * digits are compared with that middle in exact integers.
 */
#include "scored/number.h"

#include "number_tables.h"

#include <assert.h>
#include <float.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "eight digits are joined from the lowest byte on");

#if FLT_EVAL_METHOD != 0
#error "doubles must be evaluated as doubles"
#endif

__extension__ typedef unsigned __int128 u128;

enum { SIGNIFICAND_DIGITS = 19 };

/* A binary format of IEEE 754, in terms of its bits. */
struct format {
    int fraction_bits;
    int least_exponent; /* of the smallest subnormal */
    uint64_t infinity;
};

static const struct format binary64 = {52, -1074, UINT64_C(0x7ff0000000000000)};
static const struct format binary32 = {23, -149, UINT64_C(0x7f800000)};

/* Scanning. */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many of eight bytes are digits, from the lowest one on. */
static unsigned count_digits(uint64_t eight)
{
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0), six = UINT64_C(0x0606060606060606);
    uint64_t digits = ((eight + six) & high) >> 4 | (eight & high); /* 0x33 each; sums carry up */
    uint64_t others = digits ^ UINT64_C(0x3333333333333333);

    return others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
}

/* The value of the first n digits, 1..8: eight with zeros in front, of which neighbours are joined
 * to pairs, pairs to fours. */
static uint64_t join_digits(uint64_t eight, unsigned n)
{
    eight = (eight - UINT64_C(0x3030303030303030)) << (64 - 8 * n);
    eight = (eight * 10 + (eight >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    eight = (eight * 100 + (eight >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (eight * 10000 + (eight >> 32)) & UINT64_C(0xffffffff);
}

/* Of more than seven digits, or at the end of the text. */
static const char *scan_many_digits(const char *p, const char *end, uint64_t *value)
{
    uint64_t v = *value, eight;

    for (; end - p >= 8; p += 8) {
        memcpy(&eight, p, sizeof eight);
        if (count_digits(eight) < 8)
            break;
        v = v * 100000000 + join_digits(eight, 8);
    }
    for (; p < end && is_digit(*p); p++)
        v = v * 10 + (uint64_t)(*p - '0');
    *value = v;
    return p;
}

/* Reads digits into `value`, which wraps around if there are too many; the caller counts. */
static inline const char *scan_digits(const char *p, const char *end, uint64_t *value)
{
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t eight = 0;
    unsigned n = 8;

    if (end - p >= 8) {
        memcpy(&eight, p, sizeof eight);
        n = count_digits(eight);
    }
    if (n == 8)
        return scan_many_digits(p, end, value);
    if (n)
        *value = *value * powers[n] + join_digits(eight, n);
    return p + n;
}

/* Reads the exponent after its `e`. It saturates beyond any length that a text in memory could make
 * up for. */
static const char *scan_exponent(const char *p, const char *end, int64_t *exponent)
{
    const int64_t enough = INT64_C(100000000000000000);
    bool negative = p < end && *p == '-';
    int64_t e = 0;

    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end || !is_digit(*p))
        return NULL;
    for (; p < end && is_digit(*p); p++)
        e = e < enough ? e * 10 + (*p - '0') : e;
    *exponent = negative ? -e : e;
    return p;
}

/* Takes the significand anew from text with so many digits that leading zeros and a tail may have
 * to go. */
static void scan_long(const char *p, const char *end, struct number *n)
{
    int taken = 0;

    n->significand = 0;
    for (; p < end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.' || (*p == '0' && taken == 0))
            continue;
        if (taken < SIGNIFICAND_DIGITS) {
            n->significand = n->significand * 10 + (uint64_t)(*p - '0');
            taken++;
        } else {
            n->exponent++;
            n->truncated |= *p != '0';
        }
    }
}

const char *number_scan(const char *start, const char *end, struct number *out)
{
    bool negative = start < end && *start == '-';
    const char *first = start + negative;
    int64_t exponent = 0;

    out->significand = 0;
    const char *p = scan_digits(first, end, &out->significand);
    ptrdiff_t digits = p - first;

    if (digits == 0 || (digits > 1 && *first == '0'))
        return NULL;
    if (p < end && *p == '.') {
        const char *fraction = p + 1;
        p = scan_digits(fraction, end, &out->significand);
        if (p == fraction)
            return NULL;
        exponent = fraction - p;
        digits += p - fraction;
    }
    if (p < end && (*p | 0x20) == 'e') {
        int64_t e = 0;
        p = scan_exponent(p + 1, end, &e);
        if (!p)
            return NULL;
        exponent += e;
    }
    out->start = start;
    out->len = (size_t)(p - start);
    out->exponent = exponent;
    out->negative = negative;
    out->truncated = false;
    if (digits > SIGNIFICAND_DIGITS)
        scan_long(first, p, out);
    return p;
}

/* Integers. */

bool number_to_int64(const struct number *n, int64_t *out)
{
    uint64_t v = n->significand;
    int64_t exponent = v == 0 ? 0 : n->exponent;

    /* With 20 digits from the first to the last that is not zero it is too large, or no integer. */
    if (n->truncated || exponent < -SIGNIFICAND_DIGITS || exponent >= SIGNIFICAND_DIGITS)
        return false;
    for (; exponent < 0; exponent++, v /= 10)
        if (v % 10 != 0)
            return false;
    for (; exponent > 0; exponent--)
        if (__builtin_mul_overflow(v, 10, &v))
            return false;
    if (v > (uint64_t)INT64_MAX + n->negative)
        return false;
    *out = (int64_t)(n->negative ? 0 - v : v);
    return true;
}

/* The exact way: unsigned integers, the least significant limb first. */

enum {
    /* A middle between two doubles has at most 767 digits: 800 and whether more follow decide any
       comparison. */
    BIG_DIGITS = 800,
    /* 5^(342 + 800) times a significand of 54 bits, or 801 digits, each take less than 2,800 bits.
     */
    BIG_LIMBS = 48,
};

struct big {
    uint64_t limb[BIG_LIMBS];
    int n;
};

static void big_push(struct big *b, uint64_t limb)
{
    if (limb == 0)
        return;
    assert(b->n < BIG_LIMBS);
    b->limb[b->n++] = limb;
}

static void big_multiply_add(struct big *b, uint64_t factor, uint64_t addend)
{
    uint64_t carry = addend;

    for (int i = 0; i < b->n; i++) {
        u128 v = (u128)b->limb[i] * factor + carry;
        b->limb[i] = (uint64_t)v;
        carry = (uint64_t)(v >> 64);
    }
    big_push(b, carry);
}

static void big_multiply_pow5(struct big *b, int64_t exponent)
{
    const uint64_t five27 = UINT64_C(7450580596923828125);

    for (; exponent >= 27; exponent -= 27)
        big_multiply_add(b, five27, 0);
    for (; exponent > 0; exponent--)
        big_multiply_add(b, 5, 0);
}

static void big_shift_left(struct big *b, int64_t bits)
{
    int limbs = (int)(bits / 64);

    big_multiply_add(b, UINT64_C(1) << bits % 64, 0);
    assert(b->n + limbs <= BIG_LIMBS);
    memmove(b->limb + limbs, b->limb, (size_t)b->n * sizeof *b->limb);
    memset(b->limb, 0, (size_t)limbs * sizeof *b->limb);
    b->n += limbs;
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

/* All significant digits of the text as an integer; returns the power of ten that it is to be
 * multiplied by. Of more than BIG_DIGITS digits the rest becomes a final 1 if there is anything in
 * it. */
static int64_t big_read(struct big *b, const struct number *n)
{
    const char *end = n->start + n->len;
    int taken = 0;
    bool more = false;

    for (const char *p = n->start; p < end && *p != 'e' && *p != 'E'; p++) {
        if (!is_digit(*p) || (*p == '0' && taken == 0))
            continue;
        if (taken < BIG_DIGITS) {
            big_multiply_add(b, 10, (uint64_t)(*p - '0'));
            taken++;
        } else {
            more |= *p != '0';
        }
    }
    if (more)
        big_multiply_add(b, 10, 1);
    return n->exponent - (taken + more - SIGNIFICAND_DIGITS);
}

/* Compares the exact value with (m + 1/2) * 2^exponent: below 0, 0 or above 0. */
static int compare_with_middle(const struct number *n, uint64_t m, int exponent)
{
    struct big value = {.n = 0}, middle = {.n = 0};
    int64_t power = n->exponent;

    if (n->truncated)
        power = big_read(&value, n);
    else
        big_push(&value, n->significand);
    big_push(&middle, 2 * m + 1);
    big_multiply_pow5(power < 0 ? &middle : &value, power < 0 ? -power : power);
    int64_t shift = power - (exponent - 1);
    big_shift_left(shift < 0 ? &middle : &value, shift < 0 ? -shift : shift);
    return big_compare(&value, &middle);
}

/* The fast way. */

/* How a significand of m * 2^exponent, m without its fraction `low` of `width` bits, has to be
 * rounded: up or not. The exact fraction lies within 2 below and `slack` above `low`; with a slack
 * of 0 it is `low`, and more if `sticky`.
 */
struct fraction {
    u128 low, slack;
    int width;
    bool sticky;
};

static bool rounds_up(const struct fraction *f, const struct number *n, uint64_t m, int exponent)
{
    u128 half = (u128)1 << (f->width - 1);
    int side;

    if (f->slack == 0)
        side = f->low != half ? (f->low < half ? -1 : 1) : f->sticky;
    else if (f->low + f->slack < half)
        side = -1;
    else if (f->low > half + 2)
        side = 1;
    else
        side = compare_with_middle(n, m, exponent);
    return side > 0 || (side == 0 && (m & 1) != 0);
}

/* The bits of the magnitude of `n` in a format. */
static uint64_t nearest(const struct number *n, const struct format *format)
{
    if (n->significand == 0 || n->exponent < POW10_MIN)
        return 0;
    if (n->exponent > DBL_MAX_10_EXP)
        return format->infinity;

    int q = (int)n->exponent, zeros = __builtin_clzll(n->significand);
    const struct pow10 *power = &number_pow10[q - POW10_MIN];
    u128 w = n->significand << zeros, tail = w * power->lo;
    u128 t = w * power->hi + (tail >> 64); /* the value is about t * 2^exponent */
    int exponent = pow10_log2(q) - 63 - zeros;
    int top = 126 + (int)(t >> 127) + exponent;
    if (top < format->least_exponent - 2)
        return 0;

    int last = top - format->fraction_bits; /* exponent of the result's last bit */
    if (last < format->least_exponent)
        last = format->least_exponent;
    struct fraction f = {.width = last - exponent, .sticky = (uint64_t)tail != 0};
    if (n->truncated)
        f.slack = (u128)2 << (64 + zeros);
    else if (q < 0 || q > POW10_EXACT)
        f.slack = 2;
    if (f.width > 127) { /* below half of the smallest subnormal, or nearly */
        t >>= f.width - 127;
        f.width = 127;
    }
    uint64_t m = (uint64_t)(t >> f.width);
    f.low = t & (((u128)1 << f.width) - 1);
    uint64_t bits = ((uint64_t)(last - format->least_exponent) << format->fraction_bits) + m;
    bits += rounds_up(&f, n, m, last);
    return bits < format->infinity ? bits : format->infinity;
}

double number_to_double(const struct number *n)
{
    static const double exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

    /* A truncated significand is larger. */
    if (n->significand <= UINT64_C(1) << 53 && n->exponent >= -22 && n->exponent <= 22) {
        double v = (double)n->significand;
        v = n->exponent < 0 ? v / exact[-n->exponent] : v * exact[n->exponent];
        return n->negative ? -v : v;
    }
    uint64_t bits = nearest(n, &binary64) | (uint64_t)n->negative << 63;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

float number_to_float(const struct number *n)
{
    static const float exact[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f,
                                  1e6f, 1e7f, 1e8f, 1e9f, 1e10f};

    if (n->significand <= UINT64_C(1) << 24 && n->exponent >= -10 && n->exponent <= 10) {
        float v = (float)n->significand;
        v = n->exponent < 0 ? v / exact[-n->exponent] : v * exact[n->exponent];
        return n->negative ? -v : v;
    }
    uint32_t bits = (uint32_t)nearest(n, &binary32) | (uint32_t)n->negative << 31;
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
