/* SPDX-License-Identifier: Apache-2.0 */
/* MinMaxScalerModel: (v - min) * scale + lower bound; NaN stays, a constant column is the middle.
 * Compressed. */
#include "../vectors.h"

#include <math.h>

struct scaler {
    struct doubles min, max;
    double low, high, middle;
    const double *scale; /* 0: a constant column */
    enum platform_compressed rule;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->min.size))
    {
        struct vec *v = frame_vec(f, u->out, r, x->min.size);
        if (!v)
            return;
        vec_spread(&f->columns[u->in[0]].vec[r], v);
        for (uint32_t i = 0; i < x->min.size; i++) {
            if (isnan(v->values[i]))
                continue;
            v->values[i] = x->scale[i] != 0
                               ? (v->values[i] - x->min.values[i]) * x->scale[i] + x->low
                               : x->middle;
        }
        vec_compress(v, x->rule);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct scaler *x = params;
    double *scale = load_new(l, double, x->min.size);

    if (!scale)
        return err_memory(e);
    for (uint32_t i = 0; i < x->min.size; i++) {
        double range = x->max.values[i] - x->min.values[i];
        scale[i] = range != 0 ? (x->high - x->low) / range : 0.0;
    }
    x->scale = scale;
    x->middle = (x->low + x->high) / 2;
    x->rule = l->plan->platform->compressed;
    m->shape = shape_vector(x->min.size, x->min.size);
    return true;
}

static const struct param params[] = {
    {"min", PARAM_DOUBLE(struct scaler, low)},
    {"max", PARAM_DOUBLE(struct scaler, high)},
    {"originalMin", PARAM_VECTOR(struct scaler, min)},
    {"originalMax", PARAM_VECTOR(struct scaler, max), .size_of = "originalMin"},
};

const struct op op_min_max_scaler = {
    .name = "min_max_scaler",
    .class_name = SPARK_ML("feature.MinMaxScalerModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct scaler),
    .prepare = prepare,
    .run = run,
};
