/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VectorSlicer: chosen entries in a chosen order. A dense vector must have all of them; of a sparse
 * one, what is not stored is zero, also beyond its size, and stored zeros are dropped.
 */
#include "../engine_priv.h"

#include "scored/bounds.h"

struct slicer {
    const uint32_t *indices;
    uint32_t n, longest; /* longest: the largest index, plus 1 */
};

static void slice_dense(const struct slicer *x, const struct vec *from, struct vec *v)
{
    v->n = x->n;
    for (uint32_t i = 0; i < x->n; i++)
        v->values[i] = from->values[x->indices[i]];
}

static void slice_sparse(const struct slicer *x, const struct vec *from, struct vec *v)
{
    v->n = 0;
    for (uint32_t i = 0; i < x->n; i++) {
        double value = vec_at(from, x->indices[i]);
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
            frame_fail(f, r, u, u->in[0], PROBLEM_SIZE_MISMATCH,
                       "a vector of %u entries, one of at least %u is needed", (unsigned)from->size,
                       (unsigned)x->longest);
            continue;
        }
        struct vec *v = frame_vec(f, u->out, r, x->n);
        if (!v)
            return;
        v->size = x->n;
        v->sparse = from->sparse;
        (from->sparse ? slice_sparse : slice_dense)(x, from, v);
    }
}

static bool load_indices(struct load *l, struct slicer *x, struct err *e)
{
    struct json list;
    struct json_iter it = {0};

    if (!json_get_array(&l->params, "indices", &list, e))
        return false;
    x->n = json_size(&list);
    uint32_t *indices = load_new(l, uint32_t, x->n), *places = load_new(l, uint32_t, x->n);
    uint64_t *keys = load_new(l, uint64_t, x->n);
    struct bits_dict seen;
    if (!indices || !keys || !places)
        return err_memory(e);
    while (json_next(&list, &it)) {
        uint32_t *index = &indices[it.n - 1];
        if (!json_as_u32(&it.value, BOUND_FEATURES, index, e))
            return false;
        keys[it.n - 1] = *index;
        places[it.n - 1] = it.n - 1;
        if (*index >= x->longest)
            x->longest = *index + 1;
    }
    if (!bits_dict_build(&seen, keys, places, x->n, l->arena))
        return err_memory(e);
    for (uint32_t i = 0; i < x->n; i++)
        if (bits_dict_find(&seen, keys[i]) != i)
            return json_fail(&list, e, "%u stands twice", (unsigned)indices[i]);
    x->indices = indices;
    return true;
}

static bool load(struct load *l, struct err *e)
{
    struct slicer *x = load_new(l, struct slicer, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    const char *const *names;

    if (!x || !in)
        return err_memory(e);
    if (!load_input(l, "inputCols", TYPE_VECTOR, in, e) ||
        !load_outputs(l, "outputCols", &names, 1, e) || !load_indices(l, x, e))
        return false;
    const struct unit u = {.run = run, .params = x, .in = in, .n_in = 1};
    return load_unit(l, names[0], shape_vector(x->n, x->n), false, &u, e);
}

const struct op op_vector_slicer = {
    .name = "vector_slicer",
    .class_name = "feature.VectorSlicer",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"indices", NULL},
    .load = load,
};
