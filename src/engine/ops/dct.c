/* SPDX-License-Identifier: Apache-2.0 */
/* DCT: the scaled cosine transform of a vector of any length but 0, or its inverse; dense. */
#include "../dct.h"
#include "../vectors.h"

struct cosines {
    bool inverse;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct cosines *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (from->size == 0 || from->size > DCT_MOST) {
            frame_fail(f, r, u, u->in[0], PROBLEM_SIZE_MISMATCH,
                       "'%s' must have 1 to %d entries, not %u", f->plan->columns[u->in[0]].name,
                       DCT_MOST, (unsigned)from->size);
            continue;
        }
        struct vec *v = vec_densify(u, f, r, from);
        double *room = v ? frame_take(f, dct_room(v->size), sizeof(double)) : NULL;
        if (!room)
            return;
        (x->inverse ? dct_inverse : dct_forward)(v->values, v->size, room);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    int64_t size = m->shape.size;

    (void)l, (void)params, (void)e;
    m->shape.most = size == SIZE_UNKNOWN ? MOST_UNKNOWN : (uint32_t)size;
    return true;
}

static const struct param params[] = {
    {"inverse", PARAM_BOOL(struct cosines, inverse)},
};

const struct op op_dct = {
    .name = "dct",
    .class_name = SPARK_ML("feature.DCT"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct cosines),
    .prepare = prepare,
    .run = run,
};
