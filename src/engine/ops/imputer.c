/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ImputerModel: null and missingValue become the surrogate. All goes through double and back to the
 * column's type, so a bigint beyond 2^53 is rounded. NaN equals NaN here, and -0.0 equals 0.0.
 */
#include "../engine_priv.h"
#include "scored/java.h"

#include <math.h>

struct imputer {
    enum type type;
    double missing, surrogate;
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

static void put(const struct unit *u, struct frame *f, unsigned row, double d)
{
    const struct imputer *x = u->params;
    struct column *out = &f->columns[u->out];
    const struct range *range = &ranges[x->type];

    if (x->type == TYPE_DOUBLE)
        out->f64[row] = d;
    else if (x->type == TYPE_FLOAT)
        out->f32[row] = j_d2f(d);
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

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        bool null = c->nulls & row_bit(r);
        double d = null ? 0 : column_double(c, x->type, r);
        bool missing = null || d == x->missing || (isnan(d) && isnan(x->missing));
        put(u, f, r, missing ? x->surrogate : d);
    }
}

static bool load(struct load *l, struct err *e)
{
    const struct block *surrogates;
    const char *const *names;
    const uint16_t *columns;
    double missing;
    uint16_t n;

    if (!load_inputs(l, "inputCols", &columns, &n, e) ||
        !load_outputs(l, "outputCols", &names, n, e) ||
        !json_get_double(&l->params, "missingValue", &missing, e) ||
        !load_block(l, "surrogateDF", BLOCK_F64, &surrogates, e))
        return false;
    if (surrogates->n_dims != 1 || surrogates->n != n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: %u elements are needed, one a column",
                       surrogates->name, (unsigned)n);
    struct imputer *x = load_new(l, struct imputer, n);
    if (!x)
        return err_memory(e);
    for (uint16_t i = 0; i < n; i++) {
        const struct unit u = {.run = run, .params = &x[i], .in = &columns[i], .n_in = 1};
        enum type type;
        if (!load_numeric(l, i, columns[i], &type, e))
            return false;
        x[i] = (struct imputer){.type = type,
                                .missing = missing,
                                .surrogate = ((const double *)surrogates->data)[i],
                                .ansi = l->plan->platform->ansi};
        struct shape shape = {.type = type, .size = SIZE_UNKNOWN};
        if (!load_unit(l, names[i], shape, false, &u, e))
            return false;
    }
    return true;
}

const struct op op_imputer = {
    .name = "imputer",
    .class_name = "feature.ImputerModel",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"missingValue", NULL},
    .load = load,
};
