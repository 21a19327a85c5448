/* SPDX-License-Identifier: Apache-2.0 */
/* Casts between numbers and booleans. In legacy mode as Java narrows, under ANSI within the range.
 */
#include "sql.h"

#include "scored/java.h"

#include <math.h>

/* (byte), (short) and (int) of a double go by int. */
static int64_t narrowed(enum type type, double d)
{
    return type == TYPE_BIGINT ? j_d2l(d) : sql_wrap(type, j_d2i(d));
}

/* 2^63 is in the range of bigint, for Spark compares with Long.MaxValue as a double. */
static bool in_range(enum type type, double d)
{
    int bits = type == TYPE_TINYINT ? 7 : type == TYPE_SMALLINT ? 15 : type == TYPE_INT ? 31 : 63;
    double most = type == TYPE_BIGINT ? 0x1p63 : ldexp(1.0, bits) - 1.0;

    return floor(d) <= most && ceil(d) >= -ldexp(1.0, bits);
}

static enum sql_got real_to_integer(const struct sql_node *n, const struct sql_row *r, double d,
                                    union sql_value *out)
{
    out->i = narrowed(n->type.type, d);
    return n->mode == SQL_LEGACY || in_range(n->type.type, d)
               ? SQL_VALUE
               : sql_outside(n, r, SQL_VALUE, "%.17g is no %s", d, type_name(n->type.type));
}

static enum sql_got double_to_integer(const struct sql_node *n, const struct sql_row *r,
                                      const union sql_value *a, union sql_value *out)
{
    return real_to_integer(n, r, a[0].d, out);
}

static enum sql_got float_to_integer(const struct sql_node *n, const struct sql_row *r,
                                     const union sql_value *a, union sql_value *out)
{
    return real_to_integer(n, r, (double)a[0].f, out);
}

static enum sql_got integer_to_integer(const struct sql_node *n, const struct sql_row *r,
                                       const union sql_value *a, union sql_value *out)
{
    out->i = sql_wrap(n->type.type, a[0].i);
    return out->i == a[0].i ? SQL_VALUE
                            : sql_outside(n, r, SQL_VALUE, "%lld is no %s", (long long)a[0].i,
                                          type_name(n->type.type));
}

#define CAST(name, field, result)                                               \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        (void)n;                                                                \
        (void)r;                                                                \
        out->field = result;                                                    \
        return SQL_VALUE;                                                       \
    }
CAST(integer_to_double, d, (double)a[0].i)
CAST(integer_to_float, f, (float)a[0].i)
CAST(integer_to_boolean, i, a[0].i != 0)
CAST(float_to_double, d, (double)a[0].f)
CAST(float_to_boolean, i, a[0].f != 0.0f)
CAST(double_to_float, f, j_d2f(a[0].d))
CAST(double_to_boolean, i, a[0].d != 0.0)

#define TO(name, from, type, function)                                             \
    {                                                                              \
        "to_" name, 1, 1, {from}, TYPE_BIT(type), .modes = true, .eager = function \
    }
#define TO_INTEGERS(from, function)                                                   \
    TO("tinyint", from, TINYINT, function), TO("smallint", from, SMALLINT, function), \
        TO("int", from, INT, function), TO("bigint", from, BIGINT, function)

static const struct sql_function functions[] = {
    TO_INTEGERS(IS_BOOLEAN | SQL_INTEGERS, integer_to_integer),
    TO_INTEGERS(IS_FLOAT, float_to_integer),
    TO_INTEGERS(IS_DOUBLE, double_to_integer),
    TO("float", IS_BOOLEAN | SQL_INTEGERS, FLOAT, integer_to_float),
    TO("float", IS_DOUBLE, FLOAT, double_to_float),
    TO("double", IS_BOOLEAN | SQL_INTEGERS, DOUBLE, integer_to_double),
    TO("double", IS_FLOAT, DOUBLE, float_to_double),
    TO("boolean", SQL_INTEGERS, BOOLEAN, integer_to_boolean),
    TO("boolean", IS_FLOAT, BOOLEAN, float_to_boolean),
    TO("boolean", IS_DOUBLE, BOOLEAN, double_to_boolean),
};

const struct sql_table sql_casts = {functions, countof(functions)};
