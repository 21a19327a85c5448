/* SPDX-License-Identifier: Apache-2.0 */
/* Comparison in SQL's order, and what is chosen by it. */
#include "sql.h"

#include <math.h>
#include <string.h>

static int compare_doubles(double a, double b)
{
    if (a == b)
        return 0;
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return a < b ? -1 : 1;
}

static int compare_texts(struct text a, struct text b)
{
    uint32_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? (order > 0) - (order < 0) : (a.len > b.len) - (a.len < b.len);
}

int sql_compare(enum type type, const union sql_value *a, const union sql_value *b)
{
    return type == TYPE_DOUBLE    ? compare_doubles(a->d, b->d)
           : type == TYPE_FLOAT   ? compare_doubles((double)a->f, (double)b->f)
           : type == TYPE_STRING  ? compare_texts(a->t, b->t)
           : type == TYPE_DECIMAL ? (a->n > b->n) - (a->n < b->n)
                                  : (a->i > b->i) - (a->i < b->i);
}

static int order(const struct sql_node *n, const union sql_value *a)
{
    return sql_compare(n->args[0]->type.type, &a[0], &a[1]);
}

#define COMPARISON(name, condition)                                             \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        (void)r;                                                                \
        out->i = order(n, a) condition 0;                                       \
        return SQL_VALUE;                                                       \
    }
COMPARISON(equal, ==)
COMPARISON(less, <)
COMPARISON(less_equal, <=)
COMPARISON(greater, >)
COMPARISON(greater_equal, >=)

static enum sql_got run_same(const struct sql_node *n, const struct sql_row *r,
                             union sql_value *out)
{
    union sql_value a[2];
    enum sql_got left = sql_run(n->args[0], r, &a[0]);
    enum sql_got right = left == SQL_STOP ? left : sql_run(n->args[1], r, &a[1]);

    if (left == SQL_STOP || right == SQL_STOP)
        return SQL_STOP;
    out->i = left == right && (left == SQL_NULL || order(n, a) == 0);
    return SQL_VALUE;
}

static enum sql_got run_in(const struct sql_node *n, const struct sql_row *r, union sql_value *out)
{
    union sql_value a[2];
    enum sql_got got = sql_run(n->args[0], r, &a[0]);
    bool null = false;

    if (got != SQL_VALUE)
        return got;
    for (uint32_t i = 1; i < n->n_args; i++) {
        got = sql_run(n->args[i], r, &a[1]);
        if (got == SQL_STOP)
            return got;
        null |= got == SQL_NULL;
        out->i = got == SQL_VALUE && order(n, a) == 0;
        if (out->i)
            return SQL_VALUE;
    }
    out->i = false;
    return null ? SQL_NULL : SQL_VALUE;
}

/* greatest, least: of those that are not null; of equal ones the first */
static enum sql_got choose(const struct sql_node *n, const struct sql_row *r, int sign,
                           union sql_value *out)
{
    enum sql_got found = SQL_NULL;

    for (uint32_t i = 0; i < n->n_args; i++) {
        union sql_value v;
        enum sql_got got = sql_run(n->args[i], r, &v);
        if (got == SQL_STOP)
            return got;
        if (got == SQL_NULL ||
            (found == SQL_VALUE && sql_compare(n->type.type, &v, out) * sign <= 0))
            continue;
        *out = v;
        found = SQL_VALUE;
    }
    return found;
}

static enum sql_got run_greatest(const struct sql_node *n, const struct sql_row *r,
                                 union sql_value *out)
{
    return choose(n, r, 1, out);
}

static enum sql_got run_least(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out)
{
    return choose(n, r, -1, out);
}

#define TWO {SQL_SCALARS, SQL_SCALARS}, IS_BOOLEAN, .alike = true
#define ANY_NUMBER                            \
    {                                         \
        SQL_SCALARS, SQL_SCALARS, SQL_SCALARS \
    }

static const struct sql_function functions[] = {
    {"=", 2, 2, TWO, .eager = equal},
    {"<", 2, 2, TWO, .eager = less},
    {"<=", 2, 2, TWO, .eager = less_equal},
    {">", 2, 2, TWO, .eager = greater},
    {">=", 2, 2, TWO, .eager = greater_equal},
    {"<=>", 2, 2, TWO, .lazy = run_same},
    {"in", 2, 0, ANY_NUMBER, IS_BOOLEAN, .alike = true, .lazy = run_in},
    {"greatest", 2, 0, ANY_NUMBER, .alike = true, .lazy = run_greatest},
    {"least", 2, 0, ANY_NUMBER, .alike = true, .lazy = run_least},
};

const struct sql_table sql_comparisons = {functions, countof(functions)};
