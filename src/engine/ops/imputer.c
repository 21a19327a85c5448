/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ImputerModel: null and missingValue become the surrogate. All goes through double and back to the
 * column's type, so a bigint beyond 2^53 is rounded. NaN equals NaN here, and -0.0 equals 0.0.
 */
#include "../sql/sql.h"
#include "scored/java.h"

#include <math.h>

struct imputer {
    enum type type;
    double missing, surrogate;
    struct digits digits; /* of decimals */
    bool ansi;
};

/* Bounds of Spark's casts under ANSI, which look at floor and ceil; bigint's upper one is 2^63
 * rounded. */
static const struct range {
    double low, high;
} ranges[TYPE_COUNT] = {
    [TYPE_TINYINT] = {INT8_MIN, INT8_MAX},
    [TYPE_SMALLINT] = {INT16_MIN, INT16_MAX},
    [TYPE_INT] = {INT32_MIN, INT32_MAX},
    [TYPE_BIGINT] = {-0x1p63, 0x1p63},
};

/* Without ANSI Java casts: to int or long, which saturates, and from int to narrower types by
 * dropping bits. */
static int64_t cast(enum type type, double d)
{
    if (type == TYPE_BIGINT)
        return j_d2l(d);
    int32_t i = j_d2i(d);
    return type == TYPE_TINYINT ? (int8_t)i : type == TYPE_SMALLINT ? (int16_t)i : i;
}

static void put_decimal(const struct unit *u, struct frame *f, unsigned row, double d)
{
    const struct imputer *x = u->params;
    struct column *out = &f->columns[u->out];
    struct decimal *to = &out->decimal[row];

    to->scale = x->digits.scale;
    if (isfinite(d) && decimal_of_double(d, x->digits, &to->unscaled))
        return;
    if (x->ansi && isfinite(d))
        frame_fail(f, row, u, u->in[0], PROBLEM_INVALID_VALUE, "'%s' gets a value beyond its type",
                   f->plan->columns[u->in[0]].name);
    out->nulls |= row_bit(row);
}

static void put(const struct unit *u, struct frame *f, unsigned row, double d)
{
    const struct imputer *x = u->params;
    struct column *out = &f->columns[u->out];
    const struct range *range = &ranges[x->type];

    if (x->type == TYPE_DOUBLE)
        out->f64[row] = d;
    else if (x->type == TYPE_FLOAT)
        out->f32[row] = j_d2f(d);
    else if (x->type == TYPE_DECIMAL)
        put_decimal(u, f, row, d);
    else if (x->ansi && !(floor(d) <= range->high && ceil(d) >= range->low))
        frame_fail(f, row, u, u->in[0], PROBLEM_INVALID_VALUE, "'%s' gets a value beyond %s",
                   f->plan->columns[u->in[0]].name, type_name(x->type));
    else
        out->i64[row] = cast(x->type, d);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct imputer *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, rows)
    {
        bool null = c->nulls & row_bit(r);
        double d = null ? 0 : column_double(c, x->type, r);
        bool missing = null || d == x->missing || (isnan(d) && isnan(x->missing));
        put(u, f, r, missing ? x->surrogate : d);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct imputer *x = params;

    x->type = load_input(l)->shape.type;
    x->digits = m->shape.digits = load_input(l)->shape.digits;
    x->ansi = l->plan->platform->ansi;
    m->nullable = x->type == TYPE_DECIMAL;
    return x->type != TYPE_DECIMAL || load_digits(l, m->name, e);
}

static const struct param params[] = {
    {"missingValue", PARAM_DOUBLE(struct imputer, missing)},
    {"surrogateDF", PARAM_BLOCK_DOUBLE(struct imputer, surrogate)},
};

const struct op op_imputer = {
    .name = "imputer",
    .class_name = SPARK_ML("feature.ImputerModel"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_REAL)},
    .out = {{PORT("outputCols", AS_INPUT)}},
    OP_PARAMS(params),
    .size = sizeof(struct imputer),
    .prepare = prepare,
    .run = run,
    .shadows = true,
};
