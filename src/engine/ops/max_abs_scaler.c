/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MaxAbsScalerModel: times 1/maxAbs (1 where maxAbs is 0). The vector keeps its kind and its stored
 * zeros. It may be shorter than the model; beyond it there is nothing.
 */
#include "../vectors.h"

struct scaler {
    struct doubles max_abs;
    const double *factors;
};

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct scaler *x = u->params;

    vec_run_scaled(u, f, rows, x->factors, x->max_abs.size);
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct scaler *x = params;
    double *factors = load_new(l, double, x->max_abs.size);

    (void)m;
    if (!factors)
        return err_memory(e);
    for (uint32_t i = 0; i < x->max_abs.size; i++)
        factors[i] = x->max_abs.values[i] == 0 ? 1.0 : 1.0 / x->max_abs.values[i];
    x->factors = factors;
    return true;
}

static const struct param params[] = {
    {"maxAbs", PARAM_VECTOR(struct scaler, max_abs)},
};

const struct op op_max_abs_scaler = {
    .name = "max_abs_scaler",
    .class_name = SPARK_ML("feature.MaxAbsScalerModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct scaler),
    .prepare = prepare,
    .run = run,
};
