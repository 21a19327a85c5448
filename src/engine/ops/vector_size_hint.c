/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VectorSizeHint: the column again under its name, once its vectors are of the size: another, or
 * null, fails or drops the row. An optimistic one looks at nothing.
 */
#include "../vectors.h"

struct hint {
    uint32_t size;
    enum handle_invalid invalid;
};

static void run_checked(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct hint *x = u->params;

    vec_run_same(u, f, fail_sizes(u, f, fail_nulls(u, f, rows), x->size));
}

static void filter(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct hint *x = u->params;
    const struct column *c = &f->columns[u->in[0]];

    FOR_ROWS(r, rows)
    if (c->nulls & row_bit(r) || c->vec[r].size != x->size)
        frame_skip(f, r, u, u->in[0]);
}

/* Spark checks in a UDF, which is a barrier only where it throws. */
static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct hint *x = params;

    (void)l;
    (void)e;
    m->unit.barrier = x->invalid == HANDLE_ERROR;
    if (x->invalid == HANDLE_ERROR)
        m->unit.run = run_checked;
    if (x->invalid == HANDLE_OPTIMISTIC)
        return true;
    m->nullable = false;
    m->shape.size = x->size;
    return true;
}

static const struct param params[] = {
    {"size", PARAM_INT(struct hint, size), .high = BOUND_FEATURES},
    {"handleInvalid", PARAM_INVALID(struct hint, invalid, error_skip_optimistic)},
};

const struct op op_vector_size_hint = {
    .name = "vector_size_hint",
    .class_name = SPARK_ML("feature.VectorSizeHint"),
    .form = &form_map,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct hint),
    .prepare = prepare,
    .run = vec_run_same,
    .filter = filter,
    .single = true,
    .barrier = true,
    .shadows = true,
};
