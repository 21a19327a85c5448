/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OneVsRestModel, as PySpark computes it: rawPrediction has of each class's model the entry for
 * that class, the second of its own rawPrediction; the class with the largest is predicted.
 */
#include "../classifier.h"
#include "../spark_version.h"

#include <math.h>

enum { RAWS, BEST }; /* outputs, in the order of the ports */

static void run_raws(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    {
        struct vec *v = frame_dense(f, u->out, r, u->n_in);
        if (!v)
            return;
        for (unsigned i = 0; i < u->n_in; i++)
            v->values[i] = f->columns[u->in[i]].vec[r].values[1];
    }
}

/* From Spark 4.1 on NaN never wins, and -1 is predicted where nothing is above -Infinity. */
static void run_array_argmax(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    {
        const struct vec *v = &f->columns[u->in[0]].vec[r];
        double best = -(double)INFINITY, index = -1;
        for (uint32_t i = 0; i < v->n; i++) {
            if (v->values[i] > best) {
                best = v->values[i];
                index = i;
            }
        }
        f->columns[u->out].f64[r] = index;
    }
}

/* The columns of all models, one after the other. */
static bool load_raws(struct load *l, uint16_t *raws, struct err *e)
{
    for (uint32_t k = 0; k < l->stage->n_models; k++) {
        if (!load_model(l, k, "rawPredictionCol", &raws[k], e))
            return false;
        const struct shape *shape = &load_column(l, raws[k])->shape;
        if (shape->type != TYPE_VECTOR || shape->size < 2)
            return err_set(e, ERR_BAD_BUNDLE, "models[%u]: answers fewer than 2 classes",
                           (unsigned)k);
    }
    return true;
}

static bool load(struct load *l, struct err *e)
{
    uint16_t n = (uint16_t)l->stage->n_models, *raws = load_new(l, uint16_t, n + 1U);
    struct made m[OUTPUTS_MAX];
    void *params;

    if (!raws)
        return err_memory(e);
    if (!load_columns_of_one(l, &params, m, e))
        return false;
    l->promise = m[RAWS].name ? m[RAWS].name : m[BEST].name;
    if (!load_raws(l, raws, e))
        return false;
    m[RAWS].shape = shape_vector(n, n);
    m[RAWS].unit.in = raws;
    m[RAWS].unit.n_in = n;
    if (!load_unit(l, m[RAWS].name, m[RAWS].shape, false, &m[RAWS].unit, e))
        return false;
    raws[n] = load_last(l);
    m[BEST].unit.in = &raws[n];
    if (!spark_at_least(l->plan->platform, 4, 1))
        m[BEST].unit.run = classifier_argmax;
    return load_made(l, &m[BEST], e);
}

static const struct form form_models = {.name = "models", .one_input = true, .load = load};

const struct op op_one_vs_rest = {
    .name = "one_vs_rest",
    .class_name = SPARK_ML("classification.OneVsRestModel"),
    .form = &form_models,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {{PORT("rawPredictionCol", IS_VECTOR), .optional = true, .run = run_raws},
            {PORT("predictionCol", IS_DOUBLE), .optional = true, .run = run_array_argmax}},
    .models = true,
};
