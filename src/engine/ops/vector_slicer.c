/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VectorSlicer: chosen entries in a chosen order. A dense vector must have all of them; of a sparse
 * one, what is not stored is zero, also beyond its size, and stored zeros are dropped.
 */
#include "../engine_priv.h"

struct slicer {
    struct ints indices;
    uint32_t longest; /* the largest index, plus 1 */
};

static void slice_dense(const struct slicer *x, const struct vec *from, struct vec *v)
{
    v->n = x->indices.size;
    for (uint32_t i = 0; i < x->indices.size; i++)
        v->values[i] = from->values[x->indices.values[i]];
}

static void slice_sparse(const struct slicer *x, const struct vec *from, struct vec *v)
{
    v->n = 0;
    for (uint32_t i = 0; i < x->indices.size; i++) {
        double value = vec_at(from, x->indices.values[i]);
        if (value == 0)
            continue;
        v->indices[v->n] = i;
        v->values[v->n++] = value;
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct slicer *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (!from->sparse && from->size < x->longest) {
            fail_short(u, f, r, x->longest);
            continue;
        }
        struct vec *v = frame_vec(f, u->out, r, x->indices.size);
        if (!v)
            return;
        v->size = x->indices.size;
        v->sparse = from->sparse;
        (from->sparse ? slice_sparse : slice_dense)(x, from, v);
    }
}

static bool check_distinct(struct load *l, const struct ints *x, struct err *e)
{
    uint32_t *places = load_new(l, uint32_t, x->size);
    uint64_t *keys = load_new(l, uint64_t, x->size);
    struct bits_dict seen;

    if (!keys || !places)
        return err_memory(e);
    for (uint32_t i = 0; i < x->size; i++) {
        keys[i] = x->values[i];
        places[i] = i;
    }
    if (!bits_dict_build(&seen, keys, places, x->size, l->arena))
        return err_memory(e);
    for (uint32_t i = 0; i < x->size; i++)
        if (bits_dict_find(&seen, keys[i]) != i)
            return err_set(e, ERR_BAD_BUNDLE, "params.indices: %u stands twice",
                           (unsigned)x->values[i]);
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct slicer *x = params;

    for (uint32_t i = 0; i < x->indices.size; i++)
        if (x->indices.values[i] >= x->longest)
            x->longest = x->indices.values[i] + 1;
    m->shape = shape_vector(x->indices.size, x->indices.size);
    return check_distinct(l, &x->indices, e);
}

static const struct param params[] = {
    {"indices", PARAM_INTS(struct slicer, indices), .high = BOUND_FEATURES,
     .note = "distinct: Spark's indices, then those of its names"},
};

const struct op op_vector_slicer = {
    .name = "vector_slicer",
    .class_name = SPARK_ML("feature.VectorSlicer"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct slicer),
    .prepare = prepare,
    .run = run,
};
