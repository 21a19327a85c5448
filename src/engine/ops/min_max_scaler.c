/* SPDX-License-Identifier: Apache-2.0 */
/* MinMaxScalerModel: (v - min) * scale + lower bound; NaN stays, a constant column is the middle.
 * Compressed. */
#include "../vectors.h"

#include <math.h>

struct scaler {
    const double *min, *scale; /* scale 0: a constant column */
    double low, middle;
    uint32_t n;
    enum platform_compressed rule;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->n))
    {
        struct vec *v = frame_vec(f, u->out, r, x->n);
        if (!v)
            return;
        vec_spread(&f->columns[u->in[0]].vec[r], v);
        for (uint32_t i = 0; i < x->n; i++) {
            if (isnan(v->values[i]))
                continue;
            v->values[i] =
                x->scale[i] != 0 ? (v->values[i] - x->min[i]) * x->scale[i] + x->low : x->middle;
        }
        vec_compress(v, x->rule);
    }
}

static bool load_model(struct load *l, struct scaler *x, struct err *e)
{
    const double *max;
    double high;
    uint32_t n;

    if (!json_get_double(&l->params, "min", &x->low, e) ||
        !json_get_double(&l->params, "max", &high, e) ||
        !load_vector(l, "originalMin", &x->min, &n, NULL, e) ||
        !load_vector(l, "originalMax", &max, &x->n, NULL, e))
        return false;
    if (n != x->n)
        return err_set(e, ERR_BAD_BUNDLE, "params.originalMax.size: must be originalMin's, %u",
                       (unsigned)n);
    double *scale = load_new(l, double, n);
    if (!scale)
        return err_memory(e);
    for (uint32_t i = 0; i < n; i++) {
        double range = max[i] - x->min[i];
        scale[i] = range != 0 ? (high - x->low) / range : 0.0;
    }
    x->scale = scale;
    x->middle = (x->low + high) / 2;
    x->rule = l->plan->platform->compressed;
    return true;
}

static bool load(struct load *l, struct err *e)
{
    struct scaler *x = load_new(l, struct scaler, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    const char *const *names;

    if (!x || !in)
        return err_memory(e);
    if (!load_input(l, "inputCols", TYPE_VECTOR, in, e) ||
        !load_outputs(l, "outputCols", &names, 1, e) || !load_model(l, x, e))
        return false;
    const struct unit u = {.run = run, .params = x, .in = in, .n_in = 1};
    return load_unit(l, names[0], shape_vector(x->n, x->n), false, &u, e);
}

const struct op op_min_max_scaler = {
    .name = "min_max_scaler",
    .class_name = "feature.MinMaxScalerModel",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"min", "max", "originalMin", "originalMax", NULL},
    .load = load,
};
