/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucketizer: the number of the interval between splits. Values outside fail whatever handleInvalid
 * says; that is about NaN: error fails, keep gives one bucket more, skip drops the row, as it does
 * with null. Null stays null. The order is Double.compare's: -0.0 is below a split of 0.0.
 */
#include "../engine_priv.h"
#include "scored/java.h"

#include <math.h>
#include <stdio.h>

struct bucketizer {
    enum type type;
    bool keep;
    const double *splits;
    uint32_t n;
};

enum { OUTSIDE = -1 };

static int64_t bucket(const struct bucketizer *x, double d)
{
    if (d == x->splits[x->n - 1])
        return (int64_t)x->n - 2;
    uint32_t low = 0, high = x->n; /* the first split above d */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (j_compare(x->splits[mid], d) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low == 0 || low == x->n ? OUTSIDE : (int64_t)low - 1;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct bucketizer *x = u->params;
    const struct column *c = &f->columns[u->in[0]];
    const char *name = f->plan->columns[u->in[0]].name;

    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        double d = column_double(c, x->type, r);
        bool nan = isnan(d);
        int64_t b = !nan ? bucket(x, d) : x->keep ? (int64_t)x->n - 1 : OUTSIDE;
        if (b != OUTSIDE)
            f->columns[u->out].f64[r] = (double)b;
        else if (nan)
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE, "'%s' is NaN", name);
        else
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "'%s' is outside the splits %.17g to %.17g", name, x->splits[0],
                       x->splits[x->n - 1]);
    }
}

static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct bucketizer *all = u->params;

    for (unsigned i = 0; i < u->n_in; i++) {
        const struct column *c = &f->columns[u->in[i]];
        FOR_ROWS(r, rows & f->live)
        {
            if (c->nulls & row_bit(r) || isnan(column_double(c, all[i].type, r)))
                frame_skip(f, r, u, u->in[i]);
        }
    }
}

static bool load_splits(struct load *l, uint16_t i, struct bucketizer *x, struct err *e)
{
    const struct block *b;
    char name[32];

    snprintf(name, sizeof name, "splitsArray.%u", (unsigned)i);
    if (!load_block(l, name, BLOCK_F64, &b, e))
        return false;
    if (b->n_dims != 1 || b->n < 3 || b->n > INT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: at least 3 splits are needed", b->name);
    x->splits = b->data;
    x->n = (uint32_t)b->n;
    for (uint32_t k = 1; k < x->n; k++)
        if (!(x->splits[k - 1] < x->splits[k]))
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u does not rise", b->name,
                           (unsigned)k);
    return true;
}

static bool load(struct load *l, struct err *e)
{
    const char *const *names;
    const uint16_t *columns;
    enum handle_invalid invalid;
    uint16_t n;

    if (!load_inputs(l, "inputCols", &columns, &n, e) ||
        !load_outputs(l, "outputCols", &names, n, e) || !load_handle_invalid(l, true, &invalid, e))
        return false;
    struct bucketizer *x = load_new(l, struct bucketizer, n);
    if (!x)
        return err_memory(e);
    for (uint16_t i = 0; i < n; i++) {
        x[i].keep = invalid == HANDLE_KEEP;
        if (!load_numeric(l, i, columns[i], &x[i].type, e) || !load_splits(l, i, &x[i], e))
            return false;
    }
    const struct unit filter = {.run = run_filter, .params = x, .in = columns, .n_in = n};
    if (invalid == HANDLE_SKIP && !load_filter(l, &filter, e))
        return false;
    for (uint16_t i = 0; i < n; i++) {
        const struct unit u = {.run = run, .params = &x[i], .in = &columns[i], .n_in = 1};
        bool nullable = load_column(l, columns[i])->nullable;
        if (!load_unit(l, names[i], shape_double, nullable, &u, e))
            return false;
    }
    return true;
}

const struct op op_bucketizer = {
    .name = "bucketizer",
    .class_name = "feature.Bucketizer",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"handleInvalid", NULL},
    .load = load,
};
