/* SPDX-License-Identifier: Apache-2.0 */
/* Logic of three values, and what chooses between values: as much of it runs as Spark evaluates. */
#include "sql.h"

#include <math.h>

static enum sql_got boolean(bool b, union sql_value *out)
{
    out->i = b;
    return SQL_VALUE;
}

/* and, or: what decides ends it, a null that nothing decides stays. */
static enum sql_got decide(const struct sql_node *n, const struct sql_row *r, bool decides,
                           union sql_value *out)
{
    bool null = false;

    for (uint32_t i = 0; i < n->n_args; i++) {
        enum sql_got got = sql_run(n->args[i], r, out);
        if (got == SQL_STOP || (got == SQL_VALUE && out->i == decides))
            return got;
        null |= got == SQL_NULL;
    }
    return null ? SQL_NULL : boolean(!decides, out);
}

static enum sql_got run_and(const struct sql_node *n, const struct sql_row *r, union sql_value *out)
{
    return decide(n, r, false, out);
}

static enum sql_got run_or(const struct sql_node *n, const struct sql_row *r, union sql_value *out)
{
    return decide(n, r, true, out);
}

static enum sql_got eager_not(const struct sql_node *n, const struct sql_row *r,
                              const union sql_value *a, union sql_value *out)
{
    (void)n;
    (void)r;
    return boolean(!a[0].i, out);
}

static enum sql_got run_is_null(const struct sql_node *n, const struct sql_row *r,
                                union sql_value *out)
{
    union sql_value ignored;
    enum sql_got got = sql_run(n->args[0], r, &ignored);

    return got == SQL_STOP ? got : boolean(got == SQL_NULL, out);
}

static enum sql_got run_is_nan(const struct sql_node *n, const struct sql_row *r,
                               union sql_value *out)
{
    union sql_value v;
    enum sql_got got = sql_run(n->args[0], r, &v);
    bool is_float = n->args[0]->type.type == TYPE_FLOAT;

    return got == SQL_STOP ? got
                           : boolean(got == SQL_VALUE && (is_float ? isnan(v.f) : isnan(v.d)), out);
}

/* condition, value, condition, value, ..., and what else */
static enum sql_got run_case(const struct sql_node *n, const struct sql_row *r,
                             union sql_value *out)
{
    uint32_t i = 0;

    for (; i + 1 < n->n_args; i += 2) {
        union sql_value condition;
        enum sql_got got = sql_run(n->args[i], r, &condition);
        if (got == SQL_STOP)
            return got;
        if (got == SQL_VALUE && condition.i)
            return sql_run(n->args[i + 1], r, out);
    }
    return sql_run(n->args[i], r, out);
}

static bool prove_case(struct load *l, struct sql_node *n, struct err *e)
{
    const struct sql_type *last = &n->type;

    (void)l;
    bool good = n->n_args % 2 == 1;
    for (uint32_t i = 0; good && i < n->n_args - 1; i += 2) {
        const struct sql_type *value = &n->args[i + 1]->type;
        good = n->args[i]->type.type == TYPE_BOOLEAN && value->type == last->type &&
               value->digits.precision == last->digits.precision &&
               value->digits.scale == last->digits.scale;
    }
    return good || err_set(e, ERR_BAD_BUNDLE,
                           "params: case takes conditions and values of one type in turn, and a "
                           "last value");
}

static enum sql_got run_coalesce(const struct sql_node *n, const struct sql_row *r,
                                 union sql_value *out)
{
    enum sql_got got = SQL_NULL;

    for (uint32_t i = 0; i < n->n_args && got == SQL_NULL; i++)
        got = sql_run(n->args[i], r, out);
    return got;
}

/* The last value; those before it are evaluated for their errors. */
static enum sql_got run_first(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out)
{
    uint32_t i = 0;

    for (; i + 1 < n->n_args; i++)
        if (sql_run(n->args[i], r, out) == SQL_STOP)
            return SQL_STOP;
    return sql_run(n->args[i], r, out);
}

static enum sql_got run_nanvl(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out)
{
    enum sql_got got = sql_run(n->args[0], r, out);
    bool nan = got == SQL_VALUE && (n->type.type == TYPE_FLOAT ? isnan(out->f) : isnan(out->d));

    return nan ? sql_run(n->args[1], r, out) : got;
}

static const struct sql_function functions[] = {
    {"and", 1, 0, {IS_BOOLEAN, IS_BOOLEAN, IS_BOOLEAN}, IS_BOOLEAN, .lazy = run_and},
    {"or", 1, 0, {IS_BOOLEAN, IS_BOOLEAN, IS_BOOLEAN}, IS_BOOLEAN, .lazy = run_or},
    {"not", 1, 1, {IS_BOOLEAN}, IS_BOOLEAN, .eager = eager_not},
    {"is_null", 1, 1, {IS_ANY}, IS_BOOLEAN, .lazy = run_is_null},
    {"is_nan", 1, 1, {IS_DOUBLE | IS_FLOAT}, IS_BOOLEAN, .lazy = run_is_nan},
    {"case", 3, 0, {IS_BOOLEAN, SQL_SCALARS, SQL_SCALARS}, .lazy = run_case, .prove = prove_case},
    {"coalesce",
     1,
     0,
     {SQL_SCALARS, SQL_SCALARS, SQL_SCALARS},
     .alike = true,
     .lazy = run_coalesce},
    {"first", 2, 0, {SQL_SCALARS, SQL_SCALARS, SQL_SCALARS}, .lazy = run_first},
    {"nanvl", 2, 2, {IS_DOUBLE | IS_FLOAT, IS_DOUBLE | IS_FLOAT}, .alike = true, .lazy = run_nanvl},
};

const struct sql_table sql_logic = {functions, countof(functions)};
