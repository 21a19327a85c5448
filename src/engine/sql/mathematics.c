/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL's functions of doubles: exponentials and logarithms are those of StrictMath. A logarithm
 * is null at and below the end of its range.
 */
#include "sql.h"

#include "scored/java.h"
#include "scored/jmath.h"

#include <math.h>

/* -- of one double -- */

#define UNARY(name, result)                                                     \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        double x = a[0].d;                                                      \
        (void)n;                                                                \
        (void)r;                                                                \
        out->d = result;                                                        \
        return SQL_VALUE;                                                       \
    }
UNARY(run_sqrt, sqrt(x))
UNARY(run_exp, jm_strict_exp(x))
UNARY(run_expm1, jm_expm1(x))
UNARY(run_rint, rint(x))
UNARY(run_sign, x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x)
UNARY(run_degrees, x * 57.29577951308232)
UNARY(run_radians, x * 0.017453292519943295)
UNARY(run_sin, jm_sin(x))
UNARY(run_cos, jm_cos(x))
UNARY(run_tan, jm_tan(x))
UNARY(run_cot, 1.0 / jm_tan(x))
UNARY(run_csc, 1.0 / jm_sin(x))
UNARY(run_sec, 1.0 / jm_cos(x))
UNARY(run_tanh, jm_tanh(x))
UNARY(run_cbrt, jm_cbrt(x))

#define LOGARITHM(name, end, result)                                            \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        double x = a[0].d;                                                      \
        (void)n;                                                                \
        (void)r;                                                                \
        if (x <= (end))                                                         \
            return SQL_NULL;                                                    \
        out->d = result;                                                        \
        return SQL_VALUE;                                                       \
    }
LOGARITHM(run_ln, 0.0, jm_strict_log(x))
LOGARITHM(run_log2, 0.0, jm_strict_log(x) / jm_strict_log(2.0))
LOGARITHM(run_log10, 0.0, jm_strict_log10(x))
LOGARITHM(run_log1p, -1.0, jm_log1p(x))

/* -- of two -- */

static enum sql_got run_log(const struct sql_node *n, const struct sql_row *r,
                            const union sql_value *a, union sql_value *out)
{
    (void)n;
    (void)r;
    if (a[0].d <= 0.0 || a[1].d <= 0.0)
        return SQL_NULL;
    out->d = jm_strict_log(a[1].d) / jm_strict_log(a[0].d);
    return SQL_VALUE;
}

static enum sql_got run_pow(const struct sql_node *n, const struct sql_row *r,
                            const union sql_value *a, union sql_value *out)
{
    (void)n;
    (void)r;
    out->d = jm_strict_pow(a[0].d, a[1].d);
    return SQL_VALUE;
}

/* -- to whole numbers -- */

#define WHOLE(name, function)                                                   \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        (void)n;                                                                \
        (void)r;                                                                \
        out->i = j_d2l(function(a[0].d));                                       \
        return SQL_VALUE;                                                       \
    }
WHOLE(run_floor, floor)
WHOLE(run_ceil, ceil)

#define OF_DOUBLE \
    1, 1,         \
    {             \
        IS_DOUBLE \
    }
#define OF_DOUBLES           \
    2, 2,                    \
    {                        \
        IS_DOUBLE, IS_DOUBLE \
    }

/* These are java.lang.Math's. */
#define OF_MATH OF_DOUBLE, .prove = prove_math

static bool prove_math(struct load *l, struct sql_node *n, struct err *e)
{
    (void)n;
    return load_libm(l, "", e);
}

static const struct sql_function functions[] = {
    {"sqrt", OF_DOUBLE, .eager = run_sqrt},
    {"exp", OF_DOUBLE, .eager = run_exp},
    {"expm1", OF_DOUBLE, .eager = run_expm1},
    {"ln", OF_DOUBLE, .eager = run_ln},
    {"log2", OF_DOUBLE, .eager = run_log2},
    {"log10", OF_DOUBLE, .eager = run_log10},
    {"log1p", OF_DOUBLE, .eager = run_log1p},
    {"log", OF_DOUBLES, .eager = run_log},
    {"pow", OF_DOUBLES, .eager = run_pow},
    {"rint", OF_DOUBLE, .eager = run_rint},
    {"sign", OF_DOUBLE, .eager = run_sign},
    {"degrees", OF_DOUBLE, .eager = run_degrees},
    {"radians", OF_DOUBLE, .eager = run_radians},
    {"sin", OF_MATH, .eager = run_sin},
    {"cos", OF_MATH, .eager = run_cos},
    {"tan", OF_MATH, .eager = run_tan},
    {"cot", OF_MATH, .eager = run_cot},
    {"csc", OF_MATH, .eager = run_csc},
    {"sec", OF_MATH, .eager = run_sec},
    {"tanh", OF_MATH, .eager = run_tanh},
    {"cbrt", OF_MATH, .eager = run_cbrt},
    {"floor", OF_DOUBLE, SQL_LONG, .eager = run_floor},
    {"ceil", OF_DOUBLE, SQL_LONG, .eager = run_ceil},
};

const struct sql_table sql_mathematics = {functions, countof(functions)};
