/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StandardScalerModel: minus the mean, times 1/std (0 where std is 0). With the mean the result is
 * dense; else the vector keeps its kind and its stored zeros. A vector may be shorter than the
 * model; beyond it there is nothing. With neither flag the vector passes as it is, null too.
 */
#include "../vectors.h"

struct scaler {
    const double *shift, *scale; /* NULL where the flag is off */
    uint32_t n;
};

static double scaled(const struct scaler *x, uint32_t i, double v)
{
    if (x->shift)
        v -= x->shift[i];
    return x->scale ? v * x->scale[i] : v;
}

/* Entries that the model has: all up to the last one looked at. */
static bool reaches(const struct unit *u, struct frame *f, unsigned row)
{
    const struct scaler *x = u->params;
    const struct vec *v = &f->columns[u->in[0]].vec[row];
    bool all = x->shift || !v->sparse;

    if (all ? v->size <= x->n : v->n == 0 || v->indices[v->n - 1] < x->n)
        return true;
    frame_fail(f, row, u, u->in[0], PROBLEM_SIZE_MISMATCH,
               "a vector of %u entries, the model has %u", (unsigned)v->size, (unsigned)x->n);
    return false;
}

static void run_centered(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (!reaches(u, f, r))
            continue;
        struct vec *v = vec_densify(u, f, r, from);
        if (!v)
            return;
        for (uint32_t i = 0; i < v->n; i++)
            v->values[i] = scaled(x, i, v->values[i]);
    }
}

static void run_scaled(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        if (!reaches(u, f, r))
            continue;
        struct vec *v = vec_copy(u, f, r, &f->columns[u->in[0]].vec[r]);
        if (!v)
            return;
        for (uint32_t k = 0; k < v->n; k++)
            v->values[k] = scaled(x, v->sparse ? v->indices[k] : k, v->values[k]);
    }
}

static void run_same(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, pass_nulls(u, f, rows))
    f->columns[u->out].vec[r] = f->columns[u->in[0]].vec[r];
}

static bool reciprocals(struct load *l, const double *std, uint32_t n, const double **out,
                        struct err *e)
{
    double *scale = load_new(l, double, n);

    if (!scale)
        return err_memory(e);
    for (uint32_t i = 0; i < n; i++)
        scale[i] = std[i] == 0 ? 0.0 : 1.0 / std[i];
    *out = scale;
    return true;
}

static bool load_model(struct load *l, struct scaler *x, struct err *e)
{
    const double *mean = NULL, *std = NULL;
    bool with_mean, with_std;
    uint32_t n;

    if (!json_get_bool(&l->params, "withMean", &with_mean, e) ||
        !json_get_bool(&l->params, "withStd", &with_std, e) ||
        !load_vector(l, "mean", with_mean ? &mean : NULL, &n, NULL, e) ||
        !load_vector(l, "std", with_std ? &std : NULL, &x->n, NULL, e))
        return false;
    if (n != x->n)
        return err_set(e, ERR_BAD_BUNDLE, "params.std.size: must be the mean's, %u", (unsigned)n);
    x->shift = mean;
    return !std || reciprocals(l, std, n, &x->scale, e);
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
    struct shape shape = load_column(l, *in)->shape;
    if (x->shift) /* dense, and not longer than the model */
        shape.most = shape.size != SIZE_UNKNOWN && shape.size < x->n ? (uint32_t)shape.size : x->n;
    const struct unit u = {.run = x->shift   ? run_centered
                                  : x->scale ? run_scaled
                                             : run_same,
                           .params = x,
                           .in = in,
                           .n_in = 1};
    bool nullable = load_column(l, *in)->nullable && u.run == run_same;
    return load_unit(l, names[0], shape, nullable, &u, e);
}

const struct op op_standard_scaler = {
    .name = "standard_scaler",
    .class_name = "feature.StandardScalerModel",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"withMean", "withStd", "mean", "std", NULL},
    .load = load,
};
