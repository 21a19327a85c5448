/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VectorIndexerModel: each categorical entry becomes the index of its value. Of a sparse vector
 * only stored entries are looked up. An unseen value (NaN always) fails, gives one index more
 * (keep), or drops the row (skip).
 */
#include "../vectors.h"
#include "scored/java.h"

struct feature {
    uint32_t index, n;
    struct bits_dict places; /* of values: 0.0 for both zeros */
};

struct indexer {
    uint32_t n_features;
    enum handle_invalid invalid;
    struct ints features;
    const struct feature *categorical; /* by index, ascending */
};

static int64_t place(const struct feature *c, double value)
{
    return value != value ? DICT_NONE : bits_dict_find(&c->places, value == 0 ? 0 : j_bits(value));
}

typedef bool each_entry(const struct feature *c, double *value);

/* Calls `each` for the stored categorical entries of a vector until it says no. */
static bool for_each(const struct indexer *x, const struct vec *v, each_entry *each)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < x->features.size; i++) {
        const struct feature *c = &x->categorical[i];
        if (!v->sparse)
            k = c->index;
        while (v->sparse && k < v->n && v->indices[k] < c->index)
            k++;
        if ((!v->sparse || (k < v->n && v->indices[k] == c->index)) && !each(c, &v->values[k]))
            return false;
    }
    return true;
}

static bool is_seen(const struct feature *c, double *value)
{
    return place(c, *value) != DICT_NONE;
}

static bool put_index(const struct feature *c, double *value)
{
    int64_t found = place(c, *value);

    *value = found == DICT_NONE ? (double)c->n : (double)found;
    return true;
}

static uint64_t fitting(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct indexer *x = u->params;

    return fail_sizes(u, f, fail_nulls(u, f, rows), x->n_features);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct indexer *x = u->params;

    FOR_ROWS(r, fitting(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (x->invalid != HANDLE_KEEP && !for_each(x, from, is_seen)) {
            frame_fail(f, r, u, u->in[0], PROBLEM_UNSEEN_VALUE,
                       "a categorical entry of '%s' was not seen in training",
                       f->plan->columns[u->in[0]].name);
            continue;
        }
        struct vec *v = vec_copy(u, f, r, from);
        if (!v)
            return;
        for_each(x, v, put_index);
    }
}

static void run_filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, fitting(u, f, rows))
    if (!for_each(u->params, &f->columns[u->in[0]].vec[r], is_seen))
        frame_skip(f, r, u, u->in[0]);
}

/* -- loading -- */

static bool build(struct load *l, struct feature *c, const double *values, struct err *e)
{
    uint64_t *keys = load_new(l, uint64_t, c->n);
    uint32_t *places = load_new(l, uint32_t, c->n);

    if (!keys || !places)
        return err_memory(e);
    for (uint32_t i = 0; i < c->n; i++) {
        keys[i] = values[i] == 0 ? 0 : j_bits(values[i]);
        places[i] = i;
    }
    return bits_dict_build(&c->places, keys, places, c->n, l->arena) || err_memory(e);
}

/* A block of values for each categorical feature, all behind each other. */
static bool load_categories(struct load *l, struct indexer *x, struct err *e)
{
    const struct block *offsets, *values;
    uint32_t n = x->features.size;
    struct feature *all = load_new(l, struct feature, n);

    if (!all)
        return err_memory(e);
    if (!load_array(l, "categories.offsets", BLOCK_U32, (uint64_t)n + 1, &offsets, e) ||
        !load_block(l, "categories.values", BLOCK_F64, &values, e))
        return false;
    const uint32_t *at = offsets->data;
    if (at[0] != 0 || at[n] != values->n || values->n_dims != 1)
        return err_set(e, ERR_BAD_BUNDLE, "block %s: must go from 0 to %llu", offsets->name,
                       (unsigned long long)values->n);
    for (uint32_t i = 0; i < n; i++) {
        if (at[i] > at[i + 1] || at[i + 1] > values->n)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u falls", offsets->name,
                           (unsigned)i + 1);
        all[i].index = x->features.values[i];
        all[i].n = at[i + 1] - at[i];
        if (!build(l, &all[i], (const double *)values->data + at[i], e))
            return false;
    }
    x->categorical = all;
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct indexer *x = params;

    m->nullable = false;
    m->shape = shape_vector(x->n_features, m->shape.most);
    for (uint32_t i = 0; i < x->features.size; i++)
        if (x->features.values[i] >= x->n_features ||
            (i && x->features.values[i] <= x->features.values[i - 1]))
            return err_set(e, ERR_BAD_BUNDLE,
                           "params.features: element %u must rise and be below %u", (unsigned)i,
                           (unsigned)x->n_features);
    return load_categories(l, x, e);
}

static const struct param_kind kind_categories = {
    .name = "values by index, behind each other",
    .blocks = (const struct kind_block[]){{".offsets", BLOCK_U32, 1, NULL},
                                          {".values", BLOCK_F64, 1, NULL}},
    .n_blocks = 2,
    .only_blocks = true,
};

static const struct param params[] = {
    {"numFeatures", PARAM_INT(struct indexer, n_features), .high = BOUND_FEATURES},
    {"handleInvalid", PARAM_INVALID(struct indexer, invalid, error_skip_keep)},
    {"features", PARAM_INTS(struct indexer, features), .note = "the categorical ones, rising"},
    {"categories", .kind = &kind_categories},
};

const struct op op_vector_indexer = {
    .name = "vector_indexer",
    .class_name = SPARK_ML("feature.VectorIndexerModel"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct indexer),
    .prepare = prepare,
    .run = run,
    .filter = run_filter,
    .single = true,
};
