/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StringIndexerModel: a value's text -> the index of its label. Numbers match by their bits,
 * prepared at export, so that none is printed here but decimals. Unseen values and nulls: error
 * fails, keep gives the number of labels, skip drops the row, as does NaN under skip.
 */
#include "../engine_priv.h"
#include "scored/java.h"
#include "scored/value.h"

struct indexer {
    struct dict dict;      /* of strings */
    struct bits_dict bits; /* of numbers */
    struct texts labels;
    enum type type;
    enum handle_invalid invalid;
    bool ansi; /* decimals have no exponents */
};

static int64_t find(const struct indexer *x, const struct column *c, unsigned row)
{
    if (x->type == TYPE_STRING)
        return dict_find(&x->dict, c->text[row].p, c->text[row].len);
    if (x->type == TYPE_DECIMAL) {
        char text[DECIMAL_SHOWN];
        return dict_find(&x->dict, text, decimal_print(&c->decimal[row], x->ansi, text));
    }
    return bits_dict_find(&x->bits, type_is_integer(x->type)
                                        ? (uint64_t)c->i64[row]
                                        : j_bits_of(column_double(c, x->type, row)));
}

static void fail(const struct unit *u, struct frame *f, unsigned row)
{
    const struct column *c = &f->columns[u->in[0]];
    const char *name = f->plan->columns[u->in[0]].name;

    if (c->nulls & row_bit(row))
        frame_fail(f, row, u, u->in[0], PROBLEM_NULL_VALUE, "'%s' is null", name);
    else if (f->plan->columns[u->in[0]].shape.type == TYPE_STRING)
        frame_fail(f, row, u, u->in[0], PROBLEM_UNSEEN_VALUE,
                   "'%s' was not seen in training: \"%.*s\"", name,
                   (int)(c->text[row].len < 100 ? c->text[row].len : 100), c->text[row].p);
    else
        frame_fail(f, row, u, u->in[0], PROBLEM_UNSEEN_VALUE, "'%s' was not seen in training",
                   name);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct indexer *x = u->params;
    const struct column *c = &f->columns[u->in[0]];
    double *out = f->columns[u->out].f64;

    FOR_ROWS(r, rows)
    {
        int64_t i = c->nulls & row_bit(r) ? DICT_NONE : find(x, c, r);
        if (i != DICT_NONE)
            out[r] = (double)i;
        else if (x->invalid == HANDLE_KEEP)
            out[r] = x->labels.size;
        else
            fail(u, f, r);
    }
}

/* Drops rows with a null, a NaN or an unseen value in any of the stage's columns. */
static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct indexer *indexers = u->params;

    for (unsigned i = 0; i < u->n_in; i++) {
        const struct column *c = &f->columns[u->in[i]];
        const struct indexer *x = &indexers[i];
        bool floating = x->type == TYPE_FLOAT || x->type == TYPE_DOUBLE;
        FOR_ROWS(r, rows & f->live)
        {
            bool null = c->nulls & row_bit(r);
            double d = floating && !null ? column_double(c, x->type, r) : 0;
            if (null || d != d || find(x, c, r) == DICT_NONE)
                frame_skip(f, r, u, u->in[i]);
        }
    }
}

static bool check_keys(const struct indexer *x, const struct block *keys, const struct block *index,
                       struct err *e)
{
    uint32_t n = x->labels.size;

    if (keys->n != index->n || keys->n > n)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: %llu keys, %llu indexes, %u labels",
                       keys->name, (unsigned long long)keys->n, (unsigned long long)index->n,
                       (unsigned)n);
    for (uint64_t k = 0; k < index->n; k++)
        if (((const uint32_t *)index->data)[k] >= n)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu is not the index of a label",
                           index->name, (unsigned long long)k);
    return true;
}

/* Doubles are compared by bits, every NaN as one. */
static bool load_keys(struct load *l, struct indexer *x, struct err *e)
{
    const struct block *keys, *index;
    bool integer = type_is_integer(x->type);

    if (!load_block_each(l, "keys", integer ? BLOCK_I64 : BLOCK_F64, &keys, e) ||
        !load_block_each(l, "key_index", BLOCK_U32, &index, e) || !check_keys(x, keys, index, e))
        return false;
    uint64_t *bits = load_new(l, uint64_t, keys->n);
    if (!bits)
        return err_memory(e);
    for (uint64_t k = 0; k < keys->n; k++)
        bits[k] = integer ? (uint64_t)((const int64_t *)keys->data)[k]
                          : j_bits_of(((const double *)keys->data)[k]);
    return bits_dict_build(&x->bits, bits, index->data, (uint32_t)keys->n, l->arena) ||
           err_memory(e);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct indexer *x = params;

    m->nullable = false;
    x->type = load_input(l)->shape.type;
    x->ansi = l->plan->platform->ansi;
    if (type_is_numeric(x->type))
        return load_keys(l, x, e);
    if (!dict_build(&x->dict, x->labels.values, x->labels.size, l->arena))
        return err_memory(e);
    return x->type == TYPE_DECIMAL || load_column_categories(l, &x->labels, x->invalid, e);
}

static const struct param_kind kind_keys = {
    .name = "keys of numeric columns",
    .blocks = (const struct kind_block[]){{"", BLOCK_I64, 1, "tinyint to bigint"},
                                          {"", BLOCK_F64, 1, "float, double"}},
    .n_blocks = 2,
    .only_blocks = true,
};
static const struct param_kind kind_key_index = {
    .name = "indexes of labels",
    .blocks = (const struct kind_block[]){{"", BLOCK_U32, 1, "numeric"}},
    .n_blocks = 1,
    .only_blocks = true,
};

static const struct param params[] = {
    {"handleInvalid", PARAM_INVALID(struct indexer, invalid, error_skip_keep)},
    {"labels", PARAM_STRINGS(struct indexer, labels), .each = true},
    {"keys", .kind = &kind_keys, .each = true},
    {"key_index", .kind = &kind_key_index, .each = true},
};

const struct op op_string_indexer = {
    .name = "string_indexer",
    .class_name = SPARK_ML("feature.StringIndexerModel"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_STRING | IS_REAL)},
    .out = {{PORT("outputCols", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct indexer),
    .prepare = prepare,
    .run = run,
    .filter = run_filter,
    .barrier = true,
};
