/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binarizer: 1.0 above the threshold, else 0.0, of a number or of a vector's entries, which come
 * out compressed. Under a negative threshold what a vector does not store is 1.0, and so is NaN;
 * else NaN is 0.0. A null number stays null until Spark 4.0, where it is 0.0.
 */
#include "../spark_version.h"
#include "../vectors.h"

#include <string.h>

struct binarizer {
    double threshold;
    enum platform_compressed rule;
    bool null_is_zero;
};

static void run_double(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct binarizer *x = u->params;
    const struct column *c = &f->columns[u->in[0]];
    double *out = f->columns[u->out].f64;

    if (!x->null_is_zero)
        pass_nulls(u, f, rows);
    FOR_ROWS(r, rows)
    out[r] = !(c->nulls & row_bit(r)) && c->f64[r] > x->threshold;
}

/* Whether a stored value differs from what is not stored: it is above a threshold that 0 is not, or
 * the other way. */
static bool differs(double threshold, double value)
{
    return threshold < 0 ? value <= threshold : value > threshold;
}

/* Writes the entries that are 1.0: the differing ones, or all but them. The vector's form is set.
 */
static void store(const struct vec *from, double threshold, struct vec *v)
{
    bool rest = threshold < 0; /* whether the others are 1.0 */
    uint32_t n = 0, k = 0;

    for (uint32_t i = 0; i < v->size; i++) {
        bool stored = k < from->n && (from->sparse ? from->indices[k] : k) == i;
        bool one = (stored && differs(threshold, from->values[k])) != rest;
        k += stored;
        if (!v->sparse) {
            v->values[i] = one;
        } else if (one) {
            v->indices[n] = i;
            v->values[n++] = 1.0;
        }
    }
}

/* The same where only differing entries are 1.0, over what is stored. */
static void store_sparse(const struct vec *from, double threshold, struct vec *v)
{
    uint32_t n = 0;

    if (!v->sparse)
        memset(v->values, 0, v->n * sizeof(double));
    for (uint32_t k = 0; k < from->n; k++) {
        uint32_t i = from->sparse ? from->indices[k] : k;
        if (!differs(threshold, from->values[k]))
            continue;
        v->values[v->sparse ? n : i] = 1.0;
        if (v->sparse)
            v->indices[n++] = i;
    }
}

static void run_vector(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct binarizer *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        uint32_t nnz = 0;
        for (uint32_t k = 0; k < from->n; k++)
            nnz += differs(x->threshold, from->values[k]);
        if (x->threshold < 0)
            nnz = from->size - nnz;
        bool sparse = compressed_sparse(x->rule, nnz, from->size);
        uint32_t n = sparse ? nnz : from->size;
        struct vec *v = frame_vec(f, u->out, r, n);
        if (!v)
            return;
        v->size = from->size;
        v->sparse = sparse;
        v->n = n;
        (x->threshold < 0 ? store : store_sparse)(from, x->threshold, v);
    }
}

static struct shape vector_shape(const struct shape *in, double threshold)
{
    bool all = threshold < 0; /* what is not stored comes out as 1.0 */

    if (all && in->size != SIZE_UNKNOWN)
        return shape_vector(in->size, (uint32_t)in->size);
    return shape_compressed(in->size, all ? MOST_UNKNOWN : in->most);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct binarizer *x = params;
    const struct plan_column *c = load_input(l);

    x->rule = l->plan->platform->compressed;
    x->null_is_zero = spark_at_least(l->plan->platform, 4, 0);
    m->nullable &= c->shape.type == TYPE_DOUBLE && !x->null_is_zero;
    if (c->shape.type == TYPE_DOUBLE)
        return true;
    if (x->threshold != x->threshold)
        return err_set(e, ERR_BAD_BUNDLE, "block thresholds: NaN for a vector, '%.64s'", c->name);
    m->unit.run = run_vector;
    m->shape = vector_shape(&c->shape, x->threshold);
    return true;
}

static const struct param params[] = {
    {"thresholds", PARAM_BLOCK_DOUBLE(struct binarizer, threshold)},
};

const struct op op_binarizer = {
    .name = "binarizer",
    .class_name = SPARK_ML("feature.Binarizer"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_DOUBLE | IS_VECTOR)},
    .out = {{PORT("outputCols", AS_INPUT)}},
    OP_PARAMS(params),
    .size = sizeof(struct binarizer),
    .prepare = prepare,
    .run = run_double,
};
