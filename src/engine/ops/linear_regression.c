/* SPDX-License-Identifier: Apache-2.0 */
/* LinearRegressionModel: BLAS.dot(features, coefficients) + intercept. */
#include "../engine_priv.h"
#include "scored/blas.h"

struct linear {
    const struct blas *blas;
    struct vec coefficients;
    double intercept;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct linear *x = u->params;
    const struct vec *features = f->columns[u->in[0]].vec;
    double *out = f->columns[u->out].f64;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->coefficients.size))
    out[r] = blas_dot(x->blas, &features[r], &x->coefficients) + x->intercept;
}

static bool load(struct load *l, struct err *e)
{
    struct linear *x = load_new(l, struct linear, 1);
    uint16_t *in = load_new(l, uint16_t, 1);
    const char *name;
    uint32_t size;

    if (!x || !in)
        return err_memory(e);
    if (!load_input(l, "featuresCol", TYPE_VECTOR, in, e) ||
        !load_output(l, "predictionCol", &name, e) ||
        !json_get_double(&l->params, "intercept", &x->intercept, e) ||
        !load_vector(l, "coefficients", NULL, &size, &x->coefficients, e) ||
        !load_blas(l, name, &x->blas, e))
        return false;
    const struct unit u = {.run = run, .params = x, .in = in, .n_in = 1};
    return !name || load_unit(l, name, shape_double, false, &u, e);
}

const struct op op_linear_regression = {
    .name = "linear_regression",
    .class_name = "regression.LinearRegressionModel",
    .inputs = (const char *const[]){"featuresCol", NULL},
    .outputs = (const char *const[]){"predictionCol", NULL},
    .params = (const char *const[]){"coefficients", "intercept", NULL},
    .load = load,
};
