/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalizer: divided by the p-norm of the stored values; a norm of 0 changes nothing. Kind and
 * stored zeros stay. Java's pow may differ in last bits between makers of CPUs: other p than 1, 2
 * and Infinity need a known one.
 */
#include "../vectors.h"
#include "scored/jmath.h"

#include <math.h>

struct normalizer {
    double (*norm)(const struct normalizer *x, const struct vec *v);
    double p;
    enum jmath_cpu cpu;
};

static double norm_1(const struct normalizer *x, const struct vec *v)
{
    double sum = 0;

    (void)x;
    for (uint32_t k = 0; k < v->n; k++)
        sum += fabs(v->values[k]);
    return sum;
}

static double norm_2(const struct normalizer *x, const struct vec *v)
{
    double sum = 0;

    (void)x;
    for (uint32_t k = 0; k < v->n; k++)
        sum += v->values[k] * v->values[k];
    return sqrt(sum);
}

/* NaN is never the largest. */
static double norm_max(const struct normalizer *x, const struct vec *v)
{
    double max = 0;

    (void)x;
    for (uint32_t k = 0; k < v->n; k++)
        if (fabs(v->values[k]) > max)
            max = fabs(v->values[k]);
    return max;
}

static double norm_p(const struct normalizer *x, const struct vec *v)
{
    double sum = 0;

    for (uint32_t k = 0; k < v->n; k++)
        sum += jm_pow(fabs(v->values[k]), x->p, x->cpu);
    return jm_pow(sum, 1.0 / x->p, x->cpu);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct normalizer *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        struct vec *v = vec_copy(u, f, r, &f->columns[u->in[0]].vec[r]);
        if (!v)
            return;
        double norm = x->norm(x, v);
        if (norm == 0)
            continue;
        for (uint32_t k = 0; k < v->n; k++)
            v->values[k] /= norm;
    }
}

static bool load_norm(struct load *l, const char *name, struct normalizer *x, struct err *e)
{
    if (!json_get_double(&l->params, "p", &x->p, e))
        return false;
    if (!(x->p >= 1))
        return err_set(e, ERR_BAD_BUNDLE, "params.p: must be at least 1");
    x->norm = x->p == 1 ? norm_1 : x->p == 2 ? norm_2 : isinf(x->p) ? norm_max : norm_p;
    return x->norm != norm_p || load_pow(l, name, &x->cpu, e);
}

static bool load(struct load *l, struct err *e)
{
    struct normalizer *x = load_new(l, struct normalizer, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    const char *const *names;

    if (!x || !in)
        return err_memory(e);
    if (!load_input(l, "inputCols", TYPE_VECTOR, in, e) ||
        !load_outputs(l, "outputCols", &names, 1, e) || !load_norm(l, names[0], x, e))
        return false;
    const struct unit u = {.run = run, .params = x, .in = in, .n_in = 1};
    return load_unit(l, names[0], load_column(l, *in)->shape, false, &u, e);
}

const struct op op_normalizer = {
    .name = "normalizer",
    .class_name = "feature.Normalizer",
    .inputs = (const char *const[]){"inputCols", NULL},
    .outputs = (const char *const[]){"outputCols", NULL},
    .params = (const char *const[]){"p", NULL},
    .load = load,
};
