/* SPDX-License-Identifier: Apache-2.0 */
/* round and bround: by the decimal digits that Java writes of a number. */
#include "../jtext.h"
#include "sql.h"

#include "scored/java.h"
#include "scored/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIGITS = JTEXT_MAX, WIDEST = 20 };

/* 0.d1d2d3... times 10^point */
struct decimals {
    char digits[DIGITS];
    int n, point;
};

/* What jtext_double writes: 12.5, 1.25E10. */
static struct decimals decimals_of(double d)
{
    struct decimals x = {.n = 0};
    char text[JTEXT_MAX];
    unsigned size = jtext_double(fabs(d), text);
    int whole = -1, exponent = 0;

    for (unsigned i = 0; i < size; i++) {
        if (text[i] == '.') {
            whole = x.n;
        } else if (text[i] == 'E') {
            bool negative = text[i + 1] == '-';
            for (i += 1 + negative; i < size; i++)
                exponent = exponent * 10 + (text[i] - '0');
            exponent = negative ? -exponent : exponent;
        } else {
            x.digits[x.n++] = text[i];
        }
    }
    x.point = whole + exponent;
    return x;
}

/* Whether what is cut off behind `keep` digits rounds up. */
static bool rounds_up(const struct decimals *x, int keep, bool even)
{
    if (keep < 0 || keep >= x->n || x->digits[keep] != '5')
        return keep >= 0 && keep < x->n && x->digits[keep] > '5';
    for (int i = keep + 1; i < x->n; i++)
        if (x->digits[i] != '0')
            return true;
    return !even || (keep > 0 && (x->digits[keep - 1] - '0') % 2 == 1);
}

/* Keeps so many digits. One more may come in front. */
static void cut(struct decimals *x, int keep, bool even)
{
    bool up = rounds_up(x, keep, even);

    x->n = keep < 0 ? 0 : keep;
    for (int i = x->n - 1; up && i >= 0; i--) {
        up = x->digits[i] == '9';
        x->digits[i] = (char)(up ? '0' : x->digits[i] + 1);
    }
    if (!up)
        return;
    memmove(x->digits + 1, x->digits, (size_t)x->n);
    x->digits[0] = '1';
    x->n++;
    x->point++;
}

/* Without a sign; zero where no digit is left. */
static struct number number_of(const struct decimals *x, char text[2 * DIGITS])
{
    struct number number = {.start = text};
    int zeros = 0;

    while (zeros < x->n && x->digits[zeros] == '0')
        zeros++;
    int size = snprintf(text, (size_t)2 * DIGITS, "%.*se%d", x->n - zeros, x->digits + zeros,
                        x->point - x->n);
    if (zeros < x->n && size > 0)
        number_scan(text, text + size, &number);
    return number;
}

/* The digits of d that are left, true where some are cut off. */
static bool round_digits(const struct sql_node *n, double d, int64_t scale, struct decimals *x)
{
    *x = decimals_of(d);
    if (scale >= x->n - x->point)
        return false;
    int64_t keep = x->point + scale;
    cut(x, keep < -1 ? -1 : (int)keep, n->function->name[0] == 'b');
    return true;
}

/* A rounded zero has no sign, for BigDecimal has none. */
static enum sql_got round_double(const struct sql_node *n, const struct sql_row *r,
                                 const union sql_value *a, union sql_value *out)
{
    char text[2 * DIGITS];
    struct decimals x;

    (void)r;
    out->d = a[0].d;
    if (!isfinite(a[0].d))
        return SQL_VALUE;
    if (round_digits(n, a[0].d, a[1].i, &x)) {
        struct number number = number_of(&x, text);
        double d = x.n ? number_to_double(&number) : 0.0;
        out->d = a[0].d < 0.0 ? -d : d;
    }
    out->d = out->d == 0.0 ? 0.0 : out->d;
    return SQL_VALUE;
}

/* A float's digits are those of the double that it is. */
static enum sql_got round_float(const struct sql_node *n, const struct sql_row *r,
                                const union sql_value *a, union sql_value *out)
{
    char text[2 * DIGITS];
    struct decimals x;

    (void)r;
    out->f = a[0].f;
    if (!isfinite(a[0].f))
        return SQL_VALUE;
    if (round_digits(n, (double)a[0].f, a[1].i, &x)) {
        struct number number = number_of(&x, text);
        float f = x.n ? number_to_float(&number) : 0.0f;
        out->f = a[0].f < 0.0f ? -f : f;
    }
    out->f = out->f == 0.0f ? 0.0f : out->f;
    return SQL_VALUE;
}

static enum sql_got round_integer(const struct sql_node *n, const struct sql_row *r,
                                  const union sql_value *a, union sql_value *out)
{
    bool even = n->function->name[0] == 'b';
    int128 v = a[0].i, unit = 1;

    out->i = a[0].i;
    if (a[1].i >= 0)
        return SQL_VALUE;
    for (int64_t i = 0; i < (a[1].i < -WIDEST ? WIDEST : -a[1].i); i++)
        unit *= 10;
    int128 whole = v / unit, rest = v % unit, twice = rest < 0 ? -2 * rest : 2 * rest;
    if (twice > unit || (twice == unit && (!even || whole % 2 != 0)))
        whole += v < 0 ? -1 : 1;
    v = whole * unit;
    out->i = sql_wrap(n->type.type, (int64_t)(uint64_t)v);
    return out->i == v ? SQL_VALUE
                       : sql_outside(n, r, SQL_VALUE, "%lld is rounded out of the range of %s",
                                     (long long)a[0].i, type_name(n->type.type));
}

static bool prove(struct load *l, struct sql_node *n, struct err *e)
{
    const struct sql_node *scale = n->args[1];

    n->type = n->args[0]->type;
    if (1u << n->type.type & (IS_DOUBLE | IS_FLOAT) && !load_digits(l, "", e))
        return false;
    return (sql_is_literal(scale) && !scale->null) ||
           err_set(e, ERR_BAD_BUNDLE, "params: the scale of %s is a literal", n->function->name);
}

#define ROUND(name, type, function)                                                  \
    {                                                                                \
        name, 2, 2, {type, IS_INT}, .modes = true, .eager = function, .prove = prove \
    }

static const struct sql_function functions[] = {
    ROUND("round", IS_DOUBLE, round_double),     ROUND("bround", IS_DOUBLE, round_double),
    ROUND("round", IS_FLOAT, round_float),       ROUND("bround", IS_FLOAT, round_float),
    ROUND("round", SQL_INTEGERS, round_integer), ROUND("bround", SQL_INTEGERS, round_integer),
};

const struct sql_table sql_rounding = {functions, countof(functions)};
