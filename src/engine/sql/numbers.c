/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of integers, floats and doubles, as Java has it; and what Spark does at its edges. */
#include "sql.h"

#include "scored/java.h"

#include <math.h>

int64_t sql_wrap(enum type type, int64_t i)
{
    return type == TYPE_TINYINT    ? (int8_t)(uint64_t)i
           : type == TYPE_SMALLINT ? (int16_t)(uint64_t)i
           : type == TYPE_INT      ? (int32_t)(uint64_t)i
                                   : i;
}

/* -- integers -- */

static enum sql_got whole(const struct sql_node *n, const struct sql_row *r, bool overflow,
                          int64_t i, const union sql_value *a, union sql_value *out)
{
    out->i = sql_wrap(n->type.type, i);
    if (!overflow && out->i == i)
        return SQL_VALUE;
    return sql_outside(n, r, SQL_VALUE, "the result for %lld and %lld is no %s", (long long)a[0].i,
                       (long long)a[n->n_args - 1].i, type_name(n->type.type));
}

#define INTEGERS(name, operation)                                               \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        int64_t i;                                                              \
        bool overflow = operation(a[0].i, a[1].i, &i);                          \
        return whole(n, r, overflow, i, a, out);                                \
    }
INTEGERS(add_integers, __builtin_add_overflow)
INTEGERS(subtract_integers, __builtin_sub_overflow)
INTEGERS(multiply_integers, __builtin_mul_overflow)

static enum sql_got negate_integer(const struct sql_node *n, const struct sql_row *r,
                                   const union sql_value *a, union sql_value *out)
{
    int64_t i;
    bool overflow = __builtin_sub_overflow((int64_t)0, a[0].i, &i);

    return whole(n, r, overflow, i, a, out);
}

static enum sql_got abs_integer(const struct sql_node *n, const struct sql_row *r,
                                const union sql_value *a, union sql_value *out)
{
    if (a[0].i < 0)
        return negate_integer(n, r, a, out);
    out->i = a[0].i;
    return SQL_VALUE;
}

static enum sql_got divide_integers(const struct sql_node *n, const struct sql_row *r,
                                    const union sql_value *a, union sql_value *out)
{
    if (a[1].i == -1)
        return negate_integer(n, r, a, out);
    out->i = a[0].i / a[1].i;
    return SQL_VALUE;
}

static int64_t rest(int64_t a, int64_t b)
{
    return b == -1 ? 0 : a % b;
}

static enum sql_got rest_integers(const struct sql_node *n, const struct sql_row *r,
                                  const union sql_value *a, union sql_value *out)
{
    (void)n;
    (void)r;
    out->i = rest(a[0].i, a[1].i);
    return SQL_VALUE;
}

/* Java adds tinyint and smallint as ints, int and bigint in their own width. */
static enum sql_got modulo_integers(const struct sql_node *n, const struct sql_row *r,
                                    const union sql_value *a, union sql_value *out)
{
    enum type width = n->type.type == TYPE_BIGINT ? TYPE_BIGINT : TYPE_INT;
    int64_t i = rest(a[0].i, a[1].i);

    (void)r;
    if (i < 0)
        i = rest(sql_wrap(width, (int64_t)((uint64_t)i + (uint64_t)a[1].i)), a[1].i);
    out->i = sql_wrap(n->type.type, i);
    return SQL_VALUE;
}

#define BITS(name, operation)                                                   \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        (void)n;                                                                \
        (void)r;                                                                \
        out->i = a[0].i operation a[1].i;                                       \
        return SQL_VALUE;                                                       \
    }
BITS(and_bits, &)
BITS(or_bits, |)
BITS(xor_bits, ^)

static enum sql_got not_bits(const struct sql_node *n, const struct sql_row *r,
                             const union sql_value *a, union sql_value *out)
{
    (void)n;
    (void)r;
    out->i = ~a[0].i;
    return SQL_VALUE;
}

/* -- floats and doubles -- */

#define REAL(name, double_result, float_result)                                           \
    static enum sql_got name##_doubles(const struct sql_node *n, const struct sql_row *r, \
                                       const union sql_value *a, union sql_value *out)    \
    {                                                                                     \
        (void)n;                                                                          \
        (void)r;                                                                          \
        out->d = double_result;                                                           \
        return SQL_VALUE;                                                                 \
    }                                                                                     \
    static enum sql_got name##_floats(const struct sql_node *n, const struct sql_row *r,  \
                                      const union sql_value *a, union sql_value *out)     \
    {                                                                                     \
        (void)n;                                                                          \
        (void)r;                                                                          \
        out->f = float_result;                                                            \
        return SQL_VALUE;                                                                 \
    }

static double modulo(double a, double b)
{
    double d = fmod(a, b);

    return d < 0.0 ? fmod(d + b, b) : d;
}

static float modulof(float a, float b)
{
    float f = fmodf(a, b);

    return f < 0.0f ? fmodf(f + b, b) : f;
}

REAL(add, a[0].d + a[1].d, a[0].f + a[1].f)
REAL(subtract, a[0].d - a[1].d, a[0].f - a[1].f)
REAL(multiply, a[0].d *a[1].d, a[0].f *a[1].f)
REAL(divide, a[0].d / a[1].d, a[0].f / a[1].f)
REAL(rest, fmod(a[0].d, a[1].d), fmodf(a[0].f, a[1].f))
REAL(modulo, modulo(a[0].d, a[1].d), modulof(a[0].f, a[1].f))
REAL(negate, -a[0].d, -a[0].f)
REAL(abs, fabs(a[0].d), fabsf(a[0].f))

/* -- division -- */

bool sql_is_zero(enum type type, const union sql_value *v)
{
    return type == TYPE_DOUBLE    ? v->d == 0.0
           : type == TYPE_FLOAT   ? v->f == 0.0f
           : type == TYPE_DECIMAL ? v->n == 0
                                  : v->i == 0;
}

/* The divisor is evaluated first: where it is null, or zero and no error, the other is not. */
enum sql_got sql_run_division(const struct sql_node *n, const struct sql_row *r,
                              union sql_value *out)
{
    union sql_value a[2];
    enum sql_got got = sql_run(n->args[1], r, &a[1]);

    if (got != SQL_VALUE)
        return got;
    bool zero = sql_is_zero(n->args[1]->type.type, &a[1]);
    if (zero && n->mode != SQL_ANSI)
        return SQL_NULL;
    got = sql_run(n->args[0], r, &a[0]);
    if (got != SQL_VALUE)
        return got;
    return zero ? sql_fail(n, r, "division by zero") : n->function->eager(n, r, a, out);
}

#define TWO_INTEGERS {SQL_INTEGERS, SQL_INTEGERS}, .alike = true
#define TWO_LONGS          \
    {                      \
        SQL_LONG, SQL_LONG \
    }
#define TWO_DOUBLES          \
    {                        \
        IS_DOUBLE, IS_DOUBLE \
    }
#define TWO_FLOATS         \
    {                      \
        IS_FLOAT, IS_FLOAT \
    }
#define DIVISION .modes = true, .lazy = sql_run_division

/* -- shifts: by as many bits as the width leaves of the second argument, as Java has them -- */

#define SHIFT(name, type, expression)                                           \
    static enum sql_got name(const struct sql_node *n, const struct sql_row *r, \
                             const union sql_value *a, union sql_value *out)    \
    {                                                                           \
        type i = (type)a[0].i;                                                  \
        unsigned by = (unsigned)a[1].i & (8 * sizeof i - 1);                    \
        (void)n;                                                                \
        (void)r;                                                                \
        out->i = expression;                                                    \
        return SQL_VALUE;                                                       \
    }
SHIFT(shift_int_left, uint32_t, (int32_t)(i << by))
SHIFT(shift_int_right, int32_t, i >> by)
SHIFT(shift_int_unsigned, uint32_t, (int32_t)(i >> by))
SHIFT(shift_long_left, uint64_t, (int64_t)(i << by))
SHIFT(shift_long_right, int64_t, i >> by)
SHIFT(shift_long_unsigned, uint64_t, (int64_t)(i >> by))

#define INT_SHIFT  2, 2, {IS_INT, IS_INT}, IS_INT
#define LONG_SHIFT 2, 2, {SQL_LONG, IS_INT}, SQL_LONG

static const struct sql_function functions[] = {
    {"+", 2, 2, TWO_INTEGERS, .modes = true, .eager = add_integers},
    {"+", 2, 2, TWO_DOUBLES, .modes = true, .eager = add_doubles},
    {"+", 2, 2, TWO_FLOATS, .modes = true, .eager = add_floats},
    {"-", 2, 2, TWO_INTEGERS, .modes = true, .eager = subtract_integers},
    {"-", 2, 2, TWO_DOUBLES, .modes = true, .eager = subtract_doubles},
    {"-", 2, 2, TWO_FLOATS, .modes = true, .eager = subtract_floats},
    {"*", 2, 2, TWO_INTEGERS, .modes = true, .eager = multiply_integers},
    {"*", 2, 2, TWO_DOUBLES, .modes = true, .eager = multiply_doubles},
    {"*", 2, 2, TWO_FLOATS, .modes = true, .eager = multiply_floats},
    {"/", 2, 2, TWO_DOUBLES, DIVISION, .eager = divide_doubles},
    {"/", 2, 2, TWO_FLOATS, DIVISION, .eager = divide_floats},
    {"div", 2, 2, TWO_LONGS, DIVISION, .eager = divide_integers},
    {"%", 2, 2, TWO_INTEGERS, DIVISION, .eager = rest_integers},
    {"%", 2, 2, TWO_DOUBLES, DIVISION, .eager = rest_doubles},
    {"%", 2, 2, TWO_FLOATS, DIVISION, .eager = rest_floats},
    {"pmod", 2, 2, TWO_INTEGERS, DIVISION, .eager = modulo_integers},
    {"pmod", 2, 2, TWO_DOUBLES, DIVISION, .eager = modulo_doubles},
    {"pmod", 2, 2, TWO_FLOATS, DIVISION, .eager = modulo_floats},
    {"negative", 1, 1, {SQL_INTEGERS}, .modes = true, .eager = negate_integer},
    {"negative", 1, 1, {IS_DOUBLE}, .modes = true, .eager = negate_doubles},
    {"negative", 1, 1, {IS_FLOAT}, .modes = true, .eager = negate_floats},
    {"abs", 1, 1, {SQL_INTEGERS}, .modes = true, .eager = abs_integer},
    {"abs", 1, 1, {IS_DOUBLE}, .modes = true, .eager = abs_doubles},
    {"abs", 1, 1, {IS_FLOAT}, .modes = true, .eager = abs_floats},
    {"&", 2, 2, TWO_INTEGERS, .eager = and_bits},
    {"|", 2, 2, TWO_INTEGERS, .eager = or_bits},
    {"^", 2, 2, TWO_INTEGERS, .eager = xor_bits},
    {"~", 1, 1, {SQL_INTEGERS}, .eager = not_bits},
    {"shift_left", INT_SHIFT, .eager = shift_int_left},
    {"shift_right", INT_SHIFT, .eager = shift_int_right},
    {"shift_right_unsigned", INT_SHIFT, .eager = shift_int_unsigned},
    {"shift_left", LONG_SHIFT, .eager = shift_long_left},
    {"shift_right", LONG_SHIFT, .eager = shift_long_right},
    {"shift_right_unsigned", LONG_SHIFT, .eager = shift_long_unsigned},
};

const struct sql_table sql_numbers = {functions, countof(functions)};
