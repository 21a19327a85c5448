/* SPDX-License-Identifier: Apache-2.0 */
#include "centered.h"

static void run_shifted(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct centered *x = u->params;

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
    const struct centered *x = u->params;

    vec_run_scaled(u, f, rows, x->scale, x->n);
}

static bool reciprocals(struct load *l, const double *spread, uint32_t n, const double **out,
                        struct err *e)
{
    double *scale = load_new(l, double, n);

    if (!scale)
        return err_memory(e);
    for (uint32_t i = 0; i < n; i++)
        scale[i] = spread[i] == 0 ? 0.0 : 1.0 / spread[i];
    *out = scale;
    return true;
}

bool centered_prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct centered *x = params;
    const double *spread;
    int64_t size = m->shape.size;

    x->n = x->middle.size;
    if ((x->shifts && !load_dense(l, "shift", &x->middle, &x->shift, e)) ||
        (x->scales && (!load_dense(l, "scale", &x->spread, &spread, e) ||
                       !reciprocals(l, spread, x->n, &x->scale, e))))
        return false;
    m->unit.run = x->shift ? run_shifted : x->scale ? run_scaled : vec_run_same;
    m->nullable = m->unit.run == vec_run_same && load_input(l)->nullable;
    if (x->shift) /* dense, and not longer than the model */
        m->shape.most = size != SIZE_UNKNOWN && size < x->n ? (uint32_t)size : x->n;
    return true;
}
