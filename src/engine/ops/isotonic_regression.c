/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IsotonicRegressionModel: what stands at a boundary, or lies on the line between two. The order is
 * Double.compare's: NaN is beyond the last, -0.0 below 0.0. The feature is a number, where null
 * stays null, or an entry of a vector.
 */
#include "../engine_priv.h"
#include "scored/java.h"

struct isotonic {
    uint32_t feature;
    struct doubles boundaries, predictions;
};

static double predict(const struct isotonic *x, double d)
{
    const double *at = x->boundaries.values, *y = x->predictions.values;
    uint32_t low = 0, high = x->boundaries.size;

    while (low < high) {
        uint32_t mid = (low + high - 1) / 2;
        int order = j_compare(at[mid], d);
        if (order == 0)
            return y[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return y[0];
    if (low == x->boundaries.size)
        return y[low - 1];
    return y[low - 1] + (y[low] - y[low - 1]) * (d - at[low - 1]) / (at[low] - at[low - 1]);
}

static void run_number(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, pass_nulls(u, f, rows))
    f->columns[u->out].f64[r] = predict(u->params, f->columns[u->in[0]].f64[r]);
}

static void run_vector(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct isotonic *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *v = &f->columns[u->in[0]].vec[r];
        if (x->feature < v->size)
            f->columns[u->out].f64[r] = predict(x, vec_at(v, x->feature));
        else
            fail_short(u, f, r, x->feature + 1);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct isotonic *x = params;
    const struct plan_column *in = load_input(l);
    bool vector = in->shape.type == TYPE_VECTOR;

    m->unit.run = vector ? run_vector : run_number;
    m->nullable = !vector && in->nullable;
    return x->boundaries.size ||
           err_set(e, ERR_BAD_BUNDLE, "params.boundaries.size: must be at least 1");
}

static const struct param params[] = {
    {"featureIndex", PARAM_INT(struct isotonic, feature), .high = BOUND_FEATURES - 1},
    {"boundaries", PARAM_VECTOR(struct isotonic, boundaries)},
    {"predictions", PARAM_VECTOR(struct isotonic, predictions), .size_of = "boundaries"},
};

const struct op op_isotonic_regression = {
    .name = "isotonic_regression",
    .class_name = SPARK_ML("regression.IsotonicRegressionModel"),
    .form = &form_predictor,
    .in = {PORT("featuresCol", IS_VECTOR | IS_DOUBLE)},
    .out = {{PORT("predictionCol", IS_DOUBLE)}},
    OP_PARAMS(params),
    .size = sizeof(struct isotonic),
    .prepare = prepare,
};
