/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StandardScalerModel: minus the mean, times 1/std (0 where std is 0). With the mean the result is
 * dense; else the vector keeps its kind and its stored zeros. A vector may be shorter than the
 * model; beyond it there is nothing. With neither flag the vector passes as it is, null too.
 */
#include "../vectors.h"

struct scaler {
    bool with_mean, with_std;
    struct vec mean, std;
    const double *shift, *scale; /* NULL where the flag is off */
    uint32_t n;
};

static void run_centered(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        if (!vec_reaches(u, f, r, x->n, true))
            continue;
        struct vec *v = vec_densify(u, f, r, from);
        if (!v)
            return;
        for (uint32_t i = 0; i < v->n; i++) {
            double d = v->values[i] - x->shift[i];
            v->values[i] = x->scale ? d * x->scale[i] : d;
        }
    }
}

static void run_scaled(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    vec_run_scaled(u, f, rows, x->scale, x->n);
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

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct scaler *x = params;
    const double *std;
    int64_t size = m->shape.size;

    x->n = x->mean.size;
    if ((x->with_mean && !load_dense(l, "mean", &x->mean, &x->shift, e)) ||
        (x->with_std &&
         (!load_dense(l, "std", &x->std, &std, e) || !reciprocals(l, std, x->n, &x->scale, e))))
        return false;
    m->unit.run = x->shift ? run_centered : x->scale ? run_scaled : run_same;
    m->nullable = m->unit.run == run_same && load_input(l)->nullable;
    if (x->shift) /* dense, and not longer than the model */
        m->shape.most = size != SIZE_UNKNOWN && size < x->n ? (uint32_t)size : x->n;
    return true;
}

static const struct param params[] = {
    {"withMean", PARAM_BOOL(struct scaler, with_mean)},
    {"withStd", PARAM_BOOL(struct scaler, with_std)},
    {"mean", PARAM_VEC(struct scaler, mean)},
    {"std", PARAM_VEC(struct scaler, std), .size_of = "mean"},
};

const struct op op_standard_scaler = {
    .name = "standard_scaler",
    .class_name = SPARK_ML("feature.StandardScalerModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct scaler),
    .prepare = prepare,
};
