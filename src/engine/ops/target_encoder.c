/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TargetEncoderModel: a category -> what the target was for it in training, drawn to the whole's by
 * smoothing: w stat + (1 - w) whole, w = count/(count + smoothing). -0.0 is the category 0. Null is
 * a category of its own where training had nulls. Else, and for other values, handleInvalid: error
 * fails, keep gives the whole's.
 */
#include "../engine_priv.h"
#include "scored/java.h"

/* How Spark saves what is no category. */
#define NULL_CATEGORY  (-1.0)
#define WHOLE_CATEGORY 2147483647.0

enum { CONTINUOUS, BINARY };

struct encoder {
    enum type type;
    enum handle_invalid invalid;
    int target;
    double smoothing;
    struct doubles categories, counts, stats;
    struct bits_dict dict;
    double *codes; /* of categories */
    int64_t null, whole;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct encoder *x = u->params;
    const struct column *c = &f->columns[u->in[0]];
    const char *name = f->plan->columns[u->in[0]].name;

    FOR_ROWS(r, rows)
    {
        bool null = c->nulls & row_bit(r);
        int64_t i = null ? x->null
                         : bits_dict_find(&x->dict, j_bits_of(column_double(c, x->type, r) + 0.0));
        if (i == DICT_NONE && x->invalid == HANDLE_KEEP)
            i = x->whole;
        if (i != DICT_NONE)
            f->columns[u->out].f64[r] = x->codes[i];
        else
            frame_fail(f, r, u, u->in[0], null ? PROBLEM_NULL_VALUE : PROBLEM_UNSEEN_VALUE,
                       null ? "'%s' is null" : "'%s' was not seen in training", name);
    }
}

static bool load_numbers(struct load *l, const struct param *p, void *to, struct err *e)
{
    const struct block *b;

    if (!load_block_each(l, p->name, BLOCK_F64, &b, e))
        return false;
    if (b->n_dims != 1 || b->n > INT32_MAX)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must be of one dimension", b->name);
    *(struct doubles *)to = (struct doubles){(uint32_t)b->n, b->data};
    return true;
}

/* Where each category stands, those apart that are none. */
static bool index_categories(struct load *l, struct encoder *x, struct err *e)
{
    uint32_t n = x->categories.size, known = 0;
    uint64_t *bits = load_new(l, uint64_t, n);
    uint32_t *at = load_new(l, uint32_t, n);

    if (!bits || !at)
        return err_memory(e);
    x->null = x->whole = DICT_NONE;
    for (uint32_t i = 0; i < n; i++) {
        double category = x->categories.values[i];
        if (category == WHOLE_CATEGORY)
            x->whole = i;
        else if (category == NULL_CATEGORY)
            x->null = i;
        else {
            bits[known] = j_bits_of(category + 0.0);
            at[known++] = i;
        }
    }
    if (x->whole == DICT_NONE)
        return err_set(e, ERR_BAD_BUNDLE, "block categories.%u: 2147483647 is missing",
                       (unsigned)l->column);
    return bits_dict_build(&x->dict, bits, at, known, l->arena) || err_memory(e);
}

/* Sums of a binary target become shares. */
static double stat_of(const struct encoder *x, int64_t i)
{
    return x->target == BINARY ? x->stats.values[i] / x->counts.values[i] : x->stats.values[i];
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct encoder *x = params;
    uint32_t n = x->categories.size;

    if (x->counts.size != n || x->stats.size != n)
        return err_set(e, ERR_BAD_BUNDLE, "blocks of column %u: not one count and stat a category",
                       (unsigned)l->column);
    x->codes = load_new(l, double, n);
    if (!x->codes)
        return err_memory(e);
    if (!index_categories(l, x, e))
        return false;
    double whole = stat_of(x, x->whole);
    for (uint32_t i = 0; i < n; i++) {
        double count = x->counts.values[i], weight = count / (count + x->smoothing);
        x->codes[i] = weight * stat_of(x, i) + (1 - weight) * whole;
    }
    x->type = load_input(l)->shape.type;
    m->nullable = false;
    return true;
}

static const struct param_kind kind_numbers = {
    .name = "a number a category",
    .load = load_numbers,
    .blocks = (const struct kind_block[]){{"", BLOCK_F64, 1, NULL}},
    .n_blocks = 1,
    .only_blocks = true,
};

#define NUMBERS(field) \
    .kind = &kind_numbers, .at = FIELD(struct encoder, field, struct doubles), .each = true

static const struct choice targets[] = {{"binary", BINARY}, {"continuous", CONTINUOUS}, {NULL, 0}};

static const struct param params[] = {
    {"handleInvalid", PARAM_INVALID(struct encoder, invalid, error_keep)},
    {"targetType", .kind = &kind_choice, .at = FIELD(struct encoder, target, int),
     .choices = targets},
    {"smoothing", PARAM_DOUBLE(struct encoder, smoothing)},
    {"categories", NUMBERS(categories)},
    {"counts", NUMBERS(counts)},
    {"stats", NUMBERS(stats)},
};

const struct op op_target_encoder = {
    .name = "target_encoder",
    .class_name = SPARK_ML("feature.TargetEncoderModel"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_NUMERIC)},
    .out = {{PORT("outputCols", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct encoder),
    .prepare = prepare,
    .run = run,
};
