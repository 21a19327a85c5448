/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucketizer: the number of the interval between splits. Values outside fail whatever handleInvalid
 * says; that is about NaN: error fails, keep gives one bucket more, skip drops the row, as it does
 * with null. Null stays null. The order is Double.compare's: -0.0 is below a split of 0.0.
 */
#include "../engine_priv.h"
#include "scored/java.h"

#include <math.h>

struct bucketizer {
    enum type type;
    enum handle_invalid invalid;
    struct doubles splits;
};

enum { OUTSIDE = -1 };

static int64_t bucket(const struct bucketizer *x, double d)
{
    const double *splits = x->splits.values;
    uint32_t n = x->splits.size;

    if (d == splits[n - 1])
        return (int64_t)n - 2;
    uint32_t low = 0, high = n; /* the first split above d */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (j_compare(splits[mid], d) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low == 0 || low == n ? OUTSIDE : (int64_t)low - 1;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct bucketizer *x = u->params;
    const struct column *c = &f->columns[u->in[0]];
    const char *name = f->plan->columns[u->in[0]].name;
    bool keep = x->invalid == HANDLE_KEEP;

    FOR_ROWS(r, pass_nulls(u, f, rows))
    {
        double d = column_double(c, x->type, r);
        bool nan = isnan(d);
        int64_t b = !nan ? bucket(x, d) : keep ? (int64_t)x->splits.size - 1 : OUTSIDE;
        if (b != OUTSIDE)
            f->columns[u->out].f64[r] = (double)b;
        else if (nan)
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE, "'%s' is NaN", name);
        else
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "'%s' is outside the splits %.17g to %.17g", name, x->splits.values[0],
                       x->splits.values[x->splits.size - 1]);
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

static bool load_splits(struct load *l, const struct param *p, void *to, struct err *e)
{
    const struct block *b;

    if (!load_block_each(l, p->name, BLOCK_F64, &b, e))
        return false;
    if (b->n_dims != 1 || b->n < 3 || b->n > INT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: at least 3 splits are needed", b->name);
    const double *splits = b->data;
    for (uint64_t k = 1; k < b->n; k++)
        if (!(splits[k - 1] < splits[k]))
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u does not rise", b->name,
                           (unsigned)k);
    *(struct doubles *)to = (struct doubles){(uint32_t)b->n, splits};
    return true;
}

static const struct param_kind kind_splits = {
    .name = "at least 3, strictly rising",
    .load = load_splits,
    .blocks = (const struct kind_block[]){{"", BLOCK_F64, 1, NULL}},
    .n_blocks = 1,
    .only_blocks = true,
};

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    (void)m;
    (void)e;
    ((struct bucketizer *)params)->type = load_input(l)->shape.type;
    return true;
}

static const struct param params[] = {
    {"handleInvalid", PARAM_INVALID(struct bucketizer, invalid, error_skip_keep)},
    {"splitsArray", .kind = &kind_splits, .at = FIELD(struct bucketizer, splits, struct doubles),
     .each = true},
};

const struct op op_bucketizer = {
    .name = "bucketizer",
    .class_name = SPARK_ML("feature.Bucketizer"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_REAL)},
    .out = {{PORT("outputCols", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct bucketizer),
    .prepare = prepare,
    .run = run,
    .filter = run_filter,
};
