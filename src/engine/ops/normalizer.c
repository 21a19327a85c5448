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

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct normalizer *x = params;

    x->norm = x->p == 1 ? norm_1 : x->p == 2 ? norm_2 : isinf(x->p) ? norm_max : norm_p;
    return x->norm != norm_p || load_pow(l, m->name, &x->cpu, e);
}

static const struct param params[] = {
    {"p", PARAM_DOUBLE(struct normalizer, p), .low = 1, .high = (double)INFINITY},
};

const struct op op_normalizer = {
    .name = "normalizer",
    .class_name = SPARK_ML("feature.Normalizer"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct normalizer),
    .prepare = prepare,
    .run = run,
};
