/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interaction: the products of an entry of each column, all of them. A column is made of features:
 * a number is one, a vector has one an entry. A feature is a number, or a category of several,
 * which is a 1 at its place. Columns go from the last to the first, so that products are
 * ((1 * last) * ...) * first.
 */
#include "../vectors.h"
#include "scored/java.h"

#include <string.h>

struct parts {
    uint32_t n;
    const uint32_t *categories; /* of each feature; 1: a number */
    const uint32_t *places;     /* where each one's outputs begin */
    uint32_t size;              /* outputs of all */
};

struct interaction {
    enum platform_compressed rule;
    const struct parts *columns;
    const enum type *types;
    uint32_t size;
};

/* What of a column is not zero, as a sparse vector. */
struct entries {
    uint32_t n;
    uint32_t *places;
    double *values;
};

static bool put(const struct parts *p, uint32_t feature, double value, struct entries *out)
{
    uint32_t n = p->categories[feature];
    bool nominal = n > 1;

    if (nominal && !(value >= 0 && value < n && value == (double)j_d2i(value)))
        return false;
    out->places[out->n] = p->places[feature] + (nominal ? (uint32_t)j_d2i(value) : 0);
    out->values[out->n++] = nominal ? 1.0 : value;
    return true;
}

/* The entries of a row's column; NULL where they cannot interact. */
static const char *entries_of(const struct parts *p, const struct column *c, enum type type,
                              unsigned row, struct entries *out)
{
    static const char category[] = "an entry is not one of its categories";

    if (c->nulls & row_bit(row))
        return "values to interact cannot be null";
    if (type != TYPE_VECTOR)
        return put(p, 0, column_double(c, type, row), out) ? NULL : category;
    const struct vec *v = &c->vec[row];
    if (v->size != p->n)
        return "a vector is not of the size of its attributes";
    for (uint32_t k = 0; k < v->n; k++)
        if (!put(p, v->sparse ? v->indices[k] : k, v->values[k], out))
            return category;
    return NULL;
}

/* v times the entries; v begins with a single 1. In place, from the last product on. */
static void multiply(struct vec *v, const struct entries *with, uint32_t size)
{
    uint32_t n = v->n;

    for (uint32_t i = with->n; i-- > 0;) {
        for (uint32_t j = n; j-- > 0;) {
            v->indices[i * n + j] = v->indices[j] + with->places[i] * size;
            v->values[i * n + j] = v->values[j] * with->values[i];
        }
    }
    v->n = n * with->n;
}

/* What is stored and not zero. */
static void drop_zeros(struct vec *v)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < v->n; k++) {
        if (v->values[k] == 0)
            continue;
        v->indices[n] = v->indices[k];
        v->values[n++] = v->values[k];
    }
    v->n = n;
}

/* Spark's `compressed` of a sparse vector: zeros go, or it becomes dense, where a stored -0.0
 * stays. False: the scratch is full. */
static bool compress(struct frame *f, struct vec *v, enum platform_compressed rule)
{
    uint32_t nnz = 0;

    for (uint32_t k = 0; k < v->n; k++)
        nnz += v->values[k] != 0;
    if (compressed_sparse(rule, nnz, v->size)) {
        drop_zeros(v);
        return true;
    }
    double *dense = frame_take(f, v->size, sizeof(double));
    if (!dense)
        return false;
    const struct vec from = *v;
    v->values = dense;
    vec_spread(&from, v);
    return true;
}

/* How many entries a column has at most, and how many products there are at any time. */
static uint32_t widest(const struct frame *f, const struct unit *u, unsigned row,
                       const struct interaction *x, uint64_t *products)
{
    uint32_t most = 1;

    *products = 1;
    for (unsigned i = 0; i < u->n_in; i++) {
        uint32_t n = x->types[i] == TYPE_VECTOR ? f->columns[u->in[i]].vec[row].n : 1;
        if (f->columns[u->in[i]].nulls & row_bit(row) || n == 0)
            n = 1;
        most = n > most ? n : most;
        *products *= n;
        if (*products > x->size)
            *products = x->size;
    }
    return most;
}

/* False: the scratch is full. */
static bool interact(const struct unit *u, struct frame *f, unsigned row)
{
    const struct interaction *x = u->params;
    uint64_t products;
    uint32_t most = widest(f, u, row, x, &products), size = 1;
    struct entries with = {0, frame_take(f, most, sizeof(uint32_t)),
                           frame_take(f, most, sizeof(double))};
    struct vec *v = frame_vec(f, u->out, row, products < most ? most : products);

    if (!with.places || !with.values || !v)
        return false;
    *v = (struct vec){1, 1, true, v->values, v->indices};
    v->values[0] = 1.0;
    v->indices[0] = 0;
    for (unsigned i = u->n_in; i-- > 0;) {
        with.n = 0;
        const char *wrong =
            entries_of(&x->columns[i], &f->columns[u->in[i]], x->types[i], row, &with);
        if (wrong) {
            frame_fail(f, row, u, u->in[i], PROBLEM_INVALID_VALUE, "'%s': %s",
                       f->plan->columns[u->in[i]].name, wrong);
            return true;
        }
        multiply(v, &with, size);
        size *= x->columns[i].size;
    }
    v->size = x->size;
    return compress(f, v, x->rule);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    if (!interact(u, f, r))
        return;
}

/* -- loading -- */

static bool load_parts(struct load *l, struct parts *p, struct err *e)
{
    const struct block *b;
    uint64_t size = 0;

    if (!load_block_each(l, "categories", BLOCK_U32, &b, e))
        return false;
    uint32_t *places = load_new(l, uint32_t, b->n);
    if (!places)
        return err_memory(e);
    if (b->n_dims != 1 || b->n > BOUND_FEATURES ||
        (b->n != 1 && load_input(l)->shape.type != TYPE_VECTOR))
        return err_set(e, ERR_BAD_BUNDLE, "block %s: one element a feature is needed", b->name);
    *p = (struct parts){.n = (uint32_t)b->n, .categories = b->data, .places = places};
    for (uint32_t i = 0; i < p->n; i++) {
        places[i] = (uint32_t)size;
        size += p->categories[i];
        if (p->categories[i] == 0 || size > INT32_MAX)
            return err_set(e, ERR_BAD_BUNDLE, "block %s: element %u is 0, or all are too many",
                           b->name, (unsigned)i);
    }
    p->size = (uint32_t)size;
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct interaction *x = params;
    struct parts *columns = load_new(l, struct parts, l->n_in);
    enum type *types = load_new(l, enum type, l->n_in);
    uint64_t size = 1;

    if (!columns || !types)
        return err_memory(e);
    for (l->column = 0; l->column < l->n_in; l->column++) {
        if (!load_parts(l, &columns[l->column], e))
            return false;
        types[l->column] = load_input(l)->shape.type;
        size *= columns[l->column].size;
        if (size > INT32_MAX)
            return err_set(e, ERR_BAD_BUNDLE, "blocks: there are too many products");
    }
    x->columns = columns;
    x->types = types;
    x->size = (uint32_t)size;
    x->rule = l->plan->platform->compressed;
    m->shape = shape_vector((int64_t)size, MOST_UNKNOWN);
    return true;
}

static const struct param_kind kind_categories = {
    .name = "categories of each feature",
    .blocks = (const struct kind_block[]){{"", BLOCK_U32, 1, NULL}},
    .n_blocks = 1,
    .only_blocks = true,
};

static const struct param params[] = {
    {"categories", .kind = &kind_categories, .each = true},
};

const struct op op_interaction = {
    .name = "interaction",
    .class_name = SPARK_ML("feature.Interaction"),
    .form = &form_several,
    .in = {PORT("inputCols", IS_VECTOR | IS_REAL)},
    .out = {{PORT("outputCol", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct interaction),
    .prepare = prepare,
    .run = run,
};
