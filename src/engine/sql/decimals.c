/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimals: results are exact, rounded half up to the scale of their type, and outside of it where
 * they have more digits. A product is rounded to 39 digits before, a quotient to a scale of 39, as
 * Spark does.
 */
#include "../jtext.h"
#include "sql.h"

#include "scored/number.h"
#include "scored/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LIMBS = 16, BILLION_DIGITS = 9, INNER_DIGITS = 39 };

__extension__ typedef unsigned __int128 uint128;

/* A magnitude of up to 512 bits, lowest limb first. */
struct big {
    uint32_t limbs[LIMBS];
};

static const uint32_t powers[] = {1,      10,      100,      1000,      10000,
                                  100000, 1000000, 10000000, 100000000, 1000000000};

static struct big big_of(uint128 n)
{
    struct big b = {{0}};

    for (unsigned i = 0; i < 4; i++)
        b.limbs[i] = (uint32_t)(n >> 32 * i);
    return b;
}

static void big_times(struct big *b, uint32_t factor)
{
    uint64_t carry = 0;

    for (unsigned i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->limbs[i] * factor;
        b->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static uint32_t big_divide(struct big *b, uint32_t divisor)
{
    uint64_t rest = 0;

    for (unsigned i = LIMBS; i-- > 0;) {
        rest = rest << 32 | b->limbs[i];
        b->limbs[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

static void big_add(struct big *b, const struct big *other)
{
    uint64_t carry = 0;

    for (unsigned i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->limbs[i] + other->limbs[i];
        b->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (unsigned i = LIMBS; i-- > 0;)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] > b->limbs[i] ? 1 : -1;
    return 0;
}

/* b must not be less than the other. */
static void big_subtract(struct big *b, const struct big *other)
{
    uint64_t borrow = 0;

    for (unsigned i = 0; i < LIMBS; i++) {
        uint64_t left = (uint64_t)b->limbs[i] - other->limbs[i] - borrow;
        b->limbs[i] = (uint32_t)left;
        borrow = left >> 63;
    }
}

static struct big big_product(uint128 a, uint128 b)
{
    struct big sum = {{0}}, x = big_of(a);

    for (unsigned i = 0; i < 4; i++) {
        struct big part = {{0}};
        memcpy(part.limbs + i, x.limbs, 4 * sizeof *x.limbs);
        big_times(&part, (uint32_t)(b >> 32 * i));
        big_add(&sum, &part);
    }
    return sum;
}

/* times 10^n */
static void big_up(struct big *b, unsigned n)
{
    for (; n; n -= n < BILLION_DIGITS ? n : BILLION_DIGITS)
        big_times(b, powers[n < BILLION_DIGITS ? n : BILLION_DIGITS]);
}

enum rounding { HALF_UP, HALF_EVEN, DOWN };

static bool big_is_zero(const struct big *b)
{
    const struct big zero = {{0}};

    return big_compare(b, &zero) == 0;
}

/* by 10^n, rounded; true where it was not exact */
static bool big_down(struct big *b, unsigned n, enum rounding how)
{
    uint32_t rest = 0, last;

    if (!n)
        return false;
    for (n--; n; n -= n < BILLION_DIGITS ? n : BILLION_DIGITS)
        rest |= big_divide(b, powers[n < BILLION_DIGITS ? n : BILLION_DIGITS]);
    last = big_divide(b, 10);
    bool tie = last == 5 && !rest;
    if (how != DOWN && last >= 5 && (how == HALF_UP || !tie || b->limbs[0] % 2)) {
        const struct big one = big_of(1);
        big_add(b, &one);
    }
    return rest || last;
}

static unsigned big_digits(struct big b)
{
    unsigned n = 0;

    for (; !big_is_zero(&b); n++)
        big_divide(&b, 10);
    return n;
}

/* By a divisor below 2^127: a bit at a time; half up. */
static struct big big_quotient(const struct big *b, uint128 divisor)
{
    struct big q = {{0}};
    uint128 rest = 0;

    for (unsigned i = 32 * LIMBS; i-- > 0;) {
        rest = rest << 1 | (b->limbs[i / 32] >> i % 32 & 1);
        if (rest < divisor)
            continue;
        rest -= divisor;
        q.limbs[i / 32] |= 1u << i % 32;
    }
    if (2 * rest >= divisor) {
        const struct big one = big_of(1);
        big_add(&q, &one);
    }
    return q;
}

static void big_bit_up(struct big *b, unsigned bit)
{
    for (unsigned i = LIMBS; i-- > 0;)
        b->limbs[i] = b->limbs[i] << 1 | (i ? b->limbs[i - 1] >> 31 : bit);
}

/* b becomes what is left of it; returns how often the divisor, not zero, is in it. */
static struct big big_rest(struct big *b, const struct big *divisor)
{
    struct big q = {{0}}, rest = {{0}};

    for (unsigned i = 32 * LIMBS; i-- > 0;) {
        big_bit_up(&rest, b->limbs[i / 32] >> i % 32 & 1);
        if (big_compare(&rest, divisor) < 0)
            continue;
        big_subtract(&rest, divisor);
        q.limbs[i / 32] |= 1u << i % 32;
    }
    *b = rest;
    return q;
}

/* -- values -- */

static uint128 magnitude(int128 n)
{
    return n < 0 ? -(uint128)n : (uint128)n;
}

static enum sql_got too_large(const struct sql_node *n, const struct sql_row *r)
{
    char type[TYPE_TEXT];

    return sql_outside(n, r, SQL_NULL, "the result is outside of %s",
                       type_write(n->type.type, n->type.digits, type));
}

/* A result before it is of a type. */
struct exact {
    struct big units;
    unsigned scale;
    bool negative;
};

/* The same in units of a type; false where it has more digits. */
static bool units_of(const struct exact *x, struct digits digits, enum rounding how, int128 *out)
{
    struct big b = x->units, limit = big_of(1);

    if (digits.scale < x->scale)
        big_down(&b, x->scale - digits.scale, how);
    else
        big_up(&b, digits.scale - x->scale);
    big_up(&limit, digits.precision);
    if (big_compare(&b, &limit) >= 0)
        return false;
    uint128 u = 0;
    for (unsigned i = 4; i-- > 0;)
        u = u << 32 | b.limbs[i];
    *out = x->negative ? -(int128)u : (int128)u;
    return true;
}

/* The same, as the node's type has it. */
static enum sql_got fit(const struct sql_node *n, const struct sql_row *r, struct exact x,
                        enum rounding how, union sql_value *out)
{
    return units_of(&x, n->type.digits, how, &out->n) ? SQL_VALUE : too_large(n, r);
}

static unsigned scale_of(const struct sql_node *n, unsigned i)
{
    return n->args[i]->type.digits.scale;
}

#define DECIMAL(name)                                                           \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)

static enum sql_got sum(const struct sql_node *n, const struct sql_row *r, int128 a, int128 b,
                        union sql_value *out)
{
    unsigned s = scale_of(n, 0), t = scale_of(n, 1), scale = s > t ? s : t;
    struct big x = big_of(magnitude(a)), y = big_of(magnitude(b));
    bool negative = a < 0;

    big_up(&x, scale - s);
    big_up(&y, scale - t);
    if ((a < 0) == (b < 0)) {
        big_add(&x, &y);
    } else if (big_compare(&x, &y) >= 0) {
        big_subtract(&x, &y);
    } else {
        big_subtract(&y, &x);
        x = y;
        negative = b < 0;
    }
    return fit(n, r, (struct exact){x, scale, negative}, HALF_UP, out);
}

DECIMAL(add)
{
    return sum(n, r, a[0].n, a[1].n, out);
}

DECIMAL(subtract)
{
    return sum(n, r, a[0].n, -a[1].n, out);
}

DECIMAL(multiply)
{
    struct big b = big_product(magnitude(a[0].n), magnitude(a[1].n));
    unsigned scale = scale_of(n, 0) + scale_of(n, 1), digits = big_digits(b);
    unsigned cut = digits > INNER_DIGITS ? digits - INNER_DIGITS : 0;

    big_down(&b, cut, HALF_UP);
    if (cut > scale) {
        big_up(&b, cut - scale);
        cut = scale;
    }
    return fit(n, r, (struct exact){b, scale - cut, (a[0].n < 0) != (a[1].n < 0)}, HALF_UP, out);
}

DECIMAL(divide)
{
    struct big b = big_of(magnitude(a[0].n));

    big_up(&b, INNER_DIGITS + scale_of(n, 1) - scale_of(n, 0));
    b = big_quotient(&b, magnitude(a[1].n));
    return fit(n, r, (struct exact){b, INNER_DIGITS, (a[0].n < 0) != (a[1].n < 0)}, HALF_UP, out);
}

/* Java's BigDecimal divides to 39 digits; false where the quotient has more. */
static bool rest_of(struct big *b, const struct big *divisor)
{
    struct big q = big_rest(b, divisor);
    unsigned digits = big_digits(q);

    return digits <= INNER_DIGITS || !big_down(&q, digits - INNER_DIGITS, DOWN);
}

static enum sql_got rest(const struct sql_node *n, const struct sql_row *r,
                         const union sql_value *a, bool modulo, union sql_value *out)
{
    unsigned s = scale_of(n, 0), t = scale_of(n, 1), scale = s > t ? s : t;
    struct big x = big_of(magnitude(a[0].n)), y = big_of(magnitude(a[1].n));
    bool negative = a[0].n < 0, good;

    big_up(&x, scale - s);
    big_up(&y, scale - t);
    good = rest_of(&x, &y);
    if (modulo && negative && !big_is_zero(&x)) {
        if (a[1].n < 0) {
            big_add(&x, &y);
        } else {
            struct big left = y;
            big_subtract(&left, &x);
            x = left;
            negative = false;
        }
        good = good && rest_of(&x, &y);
    }
    if (!good)
        return sql_fail(n, r, "the quotient has more than %d digits", INNER_DIGITS);
    return fit(n, r, (struct exact){x, scale, negative}, HALF_UP, out);
}

DECIMAL(remainder_of)
{
    return rest(n, r, a, false, out);
}

DECIMAL(modulo)
{
    return rest(n, r, a, true, out);
}

DECIMAL(negate)
{
    (void)n;
    (void)r;
    out->n = -a[0].n;
    return SQL_VALUE;
}

DECIMAL(absolute)
{
    (void)n;
    (void)r;
    out->n = a[0].n < 0 ? -a[0].n : a[0].n;
    return SQL_VALUE;
}

DECIMAL(round_up)
{
    return fit(n, r, (struct exact){big_of(magnitude(a[0].n)), scale_of(n, 0), a[0].n < 0}, HALF_UP,
               out);
}

DECIMAL(round_even)
{
    return fit(n, r, (struct exact){big_of(magnitude(a[0].n)), scale_of(n, 0), a[0].n < 0},
               HALF_EVEN, out);
}

/* floor of negative ones, and ceil of positive ones, go away from zero. */
static enum sql_got to_whole(const struct sql_node *n, const struct sql_row *r, int128 v, bool away,
                             union sql_value *out)
{
    struct big b = big_of(magnitude(v));
    const struct big one = big_of(1);

    if (big_down(&b, scale_of(n, 0), DOWN) && away)
        big_add(&b, &one);
    return fit(n, r, (struct exact){b, 0, v < 0}, DOWN, out);
}

DECIMAL(floor_decimal)
{
    return to_whole(n, r, a[0].n, a[0].n < 0, out);
}

DECIMAL(ceil_decimal)
{
    return to_whole(n, r, a[0].n, a[0].n > 0, out);
}

/* -- casts -- */

DECIMAL(integer_to_decimal)
{
    return fit(n, r, (struct exact){big_of(magnitude(a[0].i)), 0, a[0].i < 0}, HALF_UP, out);
}

/* By the digits that Java writes. */
bool decimal_of_double(double d, struct digits digits, int128 *out)
{
    char text[JTEXT_MAX];
    struct number number;
    unsigned size = jtext_double(fabs(d), text);

    if (!number_scan(text, text + size, &number) || number.exponent > DECIMAL_DIGITS)
        return false;
    struct exact x = {big_of(number.significand), 0, d < 0.0};
    if (number.exponent >= 0)
        big_up(&x.units, (unsigned)number.exponent);
    else
        x.scale = (unsigned)-number.exponent;
    return units_of(&x, digits, HALF_UP, out);
}

/* What is no number is null, under ANSI too. */
static enum sql_got real_to_decimal(const struct sql_node *n, const struct sql_row *r, double d,
                                    union sql_value *out)
{
    if (!isfinite(d))
        return SQL_NULL;
    return decimal_of_double(d, n->type.digits, &out->n) ? SQL_VALUE : too_large(n, r);
}

DECIMAL(double_to_decimal)
{
    return real_to_decimal(n, r, a[0].d, out);
}

DECIMAL(float_to_decimal)
{
    return real_to_decimal(n, r, (double)a[0].f, out);
}

static struct decimal decimal_of(const struct sql_node *n, int128 v)
{
    return (struct decimal){.unscaled = v, .scale = scale_of(n, 0)};
}

DECIMAL(decimal_to_double)
{
    const struct decimal d = decimal_of(n, a[0].n);

    (void)r;
    out->d = decimal_double(&d);
    return SQL_VALUE;
}

DECIMAL(decimal_to_float)
{
    const struct decimal d = decimal_of(n, a[0].n);
    char text[DECIMAL_TEXT];
    struct number number = decimal_number(&d, text);
    float f = number_to_float(&number);

    (void)r;
    out->f = a[0].n < 0 ? -f : f;
    return SQL_VALUE;
}

DECIMAL(decimal_to_integer)
{
    int128 unit = 1;

    for (unsigned i = 0; i < scale_of(n, 0); i++)
        unit *= 10;
    int128 whole = a[0].n / unit;
    out->i = sql_wrap(n->type.type, (int64_t)(uint64_t)whole);
    return out->i == whole
               ? SQL_VALUE
               : sql_outside(n, r, SQL_VALUE, "the value is no %s", type_name(n->type.type));
}

DECIMAL(decimal_to_boolean)
{
    (void)n;
    (void)r;
    out->i = a[0].n != 0;
    return SQL_VALUE;
}

/* Under ANSI without an exponent. */
DECIMAL(decimal_to_text)
{
    const struct decimal d = decimal_of(n, a[0].n);
    char text[DECIMAL_SHOWN];
    unsigned size = decimal_print(&d, n->mode != SQL_LEGACY, text);
    char *p = sql_text(r, size, out);

    if (!p)
        return SQL_STOP;
    memcpy(p, text, size);
    return SQL_VALUE;
}

static bool prove_digits(struct load *l, struct sql_node *n, struct err *e)
{
    (void)n;
    return load_digits(l, "", e);
}

#define TWO            2, 2, {SQL_DECIMAL, SQL_DECIMAL}, SQL_DECIMAL, .modes = true, .typed = true
#define ONE(type)      1, 1, {type}, SQL_DECIMAL, .modes = true, .typed = true
#define ROUNDED        2, 2, {SQL_DECIMAL, IS_INT}, SQL_DECIMAL, .modes = true, .typed = true
#define TO(name, type) "to_" name, 1, 1, {SQL_DECIMAL}, TYPE_BIT(type), .modes = true

static const struct sql_function functions[] = {
    {"+", TWO, .eager = add},
    {"-", TWO, .eager = subtract},
    {"*", TWO, .eager = multiply},
    {"/", TWO, .eager = divide, .lazy = sql_run_division},
    {"%", TWO, .eager = remainder_of, .lazy = sql_run_division},
    {"pmod", TWO, .eager = modulo, .lazy = sql_run_division},
    {"negative", 1, 1, {SQL_DECIMAL}, .modes = true, .eager = negate},
    {"abs", 1, 1, {SQL_DECIMAL}, .modes = true, .eager = absolute},
    {"round", ROUNDED, .eager = round_up},
    {"bround", ROUNDED, .eager = round_even},
    {"floor", ONE(SQL_DECIMAL), .eager = floor_decimal},
    {"ceil", ONE(SQL_DECIMAL), .eager = ceil_decimal},
    {"to_decimal", ONE(SQL_DECIMAL), .eager = round_up},
    {"to_decimal", ONE(SQL_INTEGERS | IS_BOOLEAN), .eager = integer_to_decimal},
    {"to_decimal", ONE(IS_DOUBLE), .eager = double_to_decimal, .prove = prove_digits},
    {"to_decimal", ONE(IS_FLOAT), .eager = float_to_decimal, .prove = prove_digits},
    {TO("double", DOUBLE), .eager = decimal_to_double},
    {TO("float", FLOAT), .eager = decimal_to_float},
    {TO("tinyint", TINYINT), .eager = decimal_to_integer},
    {TO("smallint", SMALLINT), .eager = decimal_to_integer},
    {TO("int", INT), .eager = decimal_to_integer},
    {TO("bigint", BIGINT), .eager = decimal_to_integer},
    {TO("boolean", BOOLEAN), .eager = decimal_to_boolean},
    {TO("string", STRING), .eager = decimal_to_text},
};

const struct sql_table sql_decimals = {functions, countof(functions)};
