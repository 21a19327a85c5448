/* SPDX-License-Identifier: Apache-2.0 */
#include "scored/value.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef bool equal_fn(enum type type, const void *a, const void *b, uint32_t ulps);

static bool equal_integer(enum type type, const void *a, const void *b, uint32_t ulps)
{
    (void)type;
    (void)ulps;
    return *(const int64_t *)a == *(const int64_t *)b;
}

static bool equal_float(enum type type, const void *a, const void *b, uint32_t ulps)
{
    float x = *(const float *)a, y = *(const float *)b;
    uint32_t p, q;

    (void)type;
    (void)ulps;
    memcpy(&p, &x, sizeof p);
    memcpy(&q, &y, sizeof q);
    return (isnan(x) && isnan(y)) || p == q;
}

/* Bits as integers in the numbers' order, so that neighbours differ by one. */
static uint64_t ordered(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static bool equal_double(enum type type, const void *a, const void *b, uint32_t ulps)
{
    double x = *(const double *)a, y = *(const double *)b;

    (void)type;
    if (isnan(x) || isnan(y))
        return isnan(x) && isnan(y);
    uint64_t p = ordered(x), q = ordered(y);
    return (p > q ? p - q : q - p) <= ulps;
}

static bool equal_decimal(enum type type, const void *a, const void *b, uint32_t ulps)
{
    const struct decimal *x = a, *y = b;

    (void)type;
    (void)ulps;
    return x->unscaled == y->unscaled && x->scale == y->scale;
}

static bool equal_text(enum type type, const void *a, const void *b, uint32_t ulps)
{
    const struct text *x = a, *y = b;

    (void)type;
    (void)ulps;
    return x->len == y->len && memcmp(x->p, y->p, x->len) == 0;
}

static bool equal_vector(enum type type, const void *a, const void *b, uint32_t ulps)
{
    const struct vec *x = a, *y = b;

    (void)type;
    if (x->size != y->size || x->sparse != y->sparse || x->n != y->n)
        return false;
    if (x->sparse && x->n && memcmp(x->indices, y->indices, x->n * sizeof *x->indices) != 0)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!equal_double(TYPE_DOUBLE, &x->values[i], &y->values[i], ulps))
            return false;
    return true;
}

static bool equal_list(enum type type, const void *a, const void *b, uint32_t ulps)
{
    const struct list *x = a, *y = b;
    enum type element = type_element(type);

    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++) {
        bool null = list_null(x, i);
        if (null != list_null(y, i))
            return false;
        if (!null && !value_equal(element, value_at(x->items, element, i),
                                  value_at(y->items, element, i), ulps))
            return false;
    }
    return true;
}

/* X(type, what a cell is, what compares two) */
#define KINDS(X)                              \
    X(BOOLEAN, int64_t, equal_integer)        \
    X(TINYINT, int64_t, equal_integer)        \
    X(SMALLINT, int64_t, equal_integer)       \
    X(INT, int64_t, equal_integer)            \
    X(BIGINT, int64_t, equal_integer)         \
    X(FLOAT, float, equal_float)              \
    X(DOUBLE, double, equal_double)           \
    X(STRING, struct text, equal_text)        \
    X(DATE, int64_t, equal_integer)           \
    X(TIMESTAMP, int64_t, equal_integer)      \
    X(DECIMAL, struct decimal, equal_decimal) \
    X(VECTOR, struct vec, equal_vector)       \
    X(ARRAY_STRING, struct list, equal_list)  \
    X(ARRAY_INT, struct list, equal_list)     \
    X(ARRAY_FLOAT, struct list, equal_list)   \
    X(ARRAY_DOUBLE, struct list, equal_list)  \
    X(ARRAY_VECTOR, struct list, equal_list)

const unsigned char value_sizes[TYPE_COUNT] = {
#define X(id, cell, equal) [TYPE_##id] = sizeof(cell),
    KINDS(X)
#undef X
};

static equal_fn *const equals[] = {
#define X(id, cell, equal) [TYPE_##id] = equal,
    KINDS(X)
#undef X
};
static_assert(countof(equals) == TYPE_COUNT, "each type has its cell and its equality");

bool value_equal(enum type type, const void *a, const void *b, uint32_t ulps)
{
    return equals[type](type, a, b, ulps);
}

bool column_equal(enum type type, const struct column *a, unsigned row_a, const struct column *b,
                  unsigned row_b, uint32_t ulps)
{
    bool null = a->nulls & row_bit(row_a);

    if (null || b->nulls & row_bit(row_b))
        return null && b->nulls & row_bit(row_b);
    return value_equal(type, column_cell(a, type, row_a), column_cell(b, type, row_b), ulps);
}

/* -- decimals -- */

unsigned decimal_digits(int128 unscaled, char to[DECIMAL_DIGITS + 1])
{
    char text[DECIMAL_DIGITS + 1];
    unsigned n = 0;

    do
        text[n++] = (char)('0' + abs((int)(unscaled % 10)));
    while ((unscaled /= 10) != 0);
    for (unsigned i = 0; i < n; i++)
        to[i] = text[n - 1 - i];
    return n;
}

unsigned decimal_print(const struct decimal *from, bool plain, char to[DECIMAL_SHOWN])
{
    char digits[DECIMAL_DIGITS + 1];
    unsigned places = from->scale;
    int scale = (int)places, size = (int)decimal_digits(from->unscaled, digits), n;
    int exponent = size - 1 - scale;
    const char *sign = from->unscaled < 0 ? "-" : "";

    if (exponent < -6 && !plain)
        n = snprintf(to, DECIMAL_SHOWN, "%s%c%s%.*sE%d", sign, digits[0], size > 1 ? "." : "",
                     size - 1, digits + 1, exponent);
    else if (size > scale)
        n = snprintf(to, DECIMAL_SHOWN, "%s%.*s%s%.*s", sign, size - scale, digits,
                     scale ? "." : "", scale, digits + size - scale);
    else
        n = snprintf(to, DECIMAL_SHOWN, "%s0.%.*s%.*s", sign, scale - size,
                     "00000000000000000000000000000000000000", size, digits);
    return n < 0 ? 0 : (unsigned)n;
}

struct number decimal_number(const struct decimal *d, char text[DECIMAL_TEXT])
{
    struct number number = {.start = text};
    unsigned n = decimal_digits(d->unscaled, text);
    int more = snprintf(text + n, DECIMAL_TEXT - n, "e-%u", d->scale);

    number_scan(text, text + n + (more < 0 ? 0 : more), &number);
    return number;
}

double decimal_double(const struct decimal *d)
{
    char text[DECIMAL_TEXT];
    struct number number = decimal_number(d, text);
    double magnitude = number_to_double(&number);

    return d->unscaled < 0 ? -magnitude : magnitude;
}
