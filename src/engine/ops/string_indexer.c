/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StringIndexerModel: a value's text -> the index of its label. Numbers match by their bits,
 * prepared at export, so that none is printed here. Unseen values and nulls: error fails, keep
 * gives the number of labels, skip drops the row, as does NaN under skip.
 */
#include "../engine_priv.h"
#include "scored/java.h"

#include <stdio.h>

struct indexer {
    struct dict dict;      /* of strings */
    struct bits_dict bits; /* of numbers */
    uint32_t n_labels;
    enum type type;
    enum handle_invalid invalid;
};

struct skipper {
    const struct indexer *indexers; /* one a column */
};

static int64_t find(const struct indexer *x, const struct column *c, unsigned row)
{
    if (x->type == TYPE_STRING)
        return dict_find(&x->dict, c->text[row].p, c->text[row].len);
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

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        int64_t i = c->nulls & row_bit(r) ? DICT_NONE : find(x, c, r);
        if (i != DICT_NONE)
            out[r] = (double)i;
        else if (x->invalid == HANDLE_KEEP)
            out[r] = x->n_labels;
        else
            fail(u, f, r);
    }
}

/* Drops rows with a null, a NaN or an unseen value in any of the stage's columns. */
static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct skipper *s = u->params;

    for (unsigned i = 0; i < u->n_in; i++) {
        const struct column *c = &f->columns[u->in[i]];
        const struct indexer *x = &s->indexers[i];
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

/* keys.<i> and key_index.<i> */
static bool load_keys(struct load *l, uint16_t i, struct indexer *x, struct err *e)
{
    const struct block *keys, *index;
    char name[32];
    bool integer = type_is_integer(x->type);

    snprintf(name, sizeof name, "keys.%u", (unsigned)i);
    if (!load_block(l, name, integer ? BLOCK_I64 : BLOCK_F64, &keys, e))
        return false;
    snprintf(name, sizeof name, "key_index.%u", (unsigned)i);
    if (!load_block(l, name, BLOCK_U32, &index, e))
        return false;
    if (keys->n != index->n || keys->n > x->n_labels)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: %llu keys, %llu indexes, %u labels",
                       keys->name, (unsigned long long)keys->n, (unsigned long long)index->n,
                       (unsigned)x->n_labels);
    for (uint64_t k = 0; k < index->n; k++)
        if (((const uint32_t *)index->data)[k] >= x->n_labels)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %llu is not the index of a label",
                           index->name, (unsigned long long)k);
    /* doubles are compared by bits, every NaN as one */
    uint64_t *bits = load_new(l, uint64_t, keys->n);
    if (!bits)
        return err_memory(e);
    for (uint64_t k = 0; k < keys->n; k++)
        bits[k] = integer ? (uint64_t)((const int64_t *)keys->data)[k]
                          : j_bits_of(((const double *)keys->data)[k]);
    return bits_dict_build(&x->bits, bits, index->data, (uint32_t)keys->n, l->arena) ||
           err_memory(e);
}

static bool load_indexer(struct load *l, uint16_t i, uint16_t column, struct indexer *x,
                         struct err *e)
{
    const struct text *labels;

    x->type = load_column(l, column)->shape.type;
    if (x->type != TYPE_STRING && !type_is_numeric(x->type))
        return err_set(e, ERR_BAD_BUNDLE,
                       "inputs.inputCols[%u]: column '%.64s' is %s, not a string or number",
                       (unsigned)i, load_column(l, column)->name, type_name(x->type));
    if (!load_labels(l, i, &labels, &x->n_labels, e))
        return false;
    if (x->type != TYPE_STRING)
        return load_keys(l, i, x, e);
    return dict_build(&x->dict, labels, x->n_labels, l->arena) || err_memory(e);
}

static bool load(struct load *l, struct err *e)
{
    const uint16_t *columns;
    const char *const *names;
    enum handle_invalid invalid;
    struct json labels;
    uint16_t n;

    if (!load_inputs(l, "inputCols", &columns, &n, e) ||
        !load_outputs(l, "outputCols", &names, n, e) ||
        !load_handle_invalid(l, true, &invalid, e) ||
        !json_get_array(&l->params, "labels", &labels, e))
        return false;
    if (json_size(&labels) != n)
        return json_fail(&labels, e, "must have %u elements, one a column", (unsigned)n);
    struct indexer *x = load_new(l, struct indexer, n);
    struct skipper *s = load_new(l, struct skipper, 1);
    if (!x || !s)
        return err_memory(e);
    s->indexers = x;
    const struct unit filter = {.run = run_filter, .params = s, .in = columns, .n_in = n};
    if (invalid == HANDLE_SKIP && !load_filter(l, &filter, e))
        return false;
    for (uint16_t i = 0; i < n; i++) {
        const struct unit u = {.run = run, .params = &x[i], .in = &columns[i], .n_in = 1};
        x[i].invalid = invalid;
        if (!load_indexer(l, i, columns[i], &x[i], e) ||
            !load_unit(l, names[i], shape_double, false, &u, e))
            return false;
    }
    return true;
}

const struct op op_string_indexer = {
    .name = "string_indexer",
    .class_name = "feature.StringIndexerModel",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"handleInvalid", "labels", NULL},
    .barrier = true,
    .load = load,
};
