/* SPDX-License-Identifier: Apache-2.0 */
/* FMClassificationModel: rawPrediction [-m, m] of the sum m of factorization.h; the sigmoid of the
 * second entry is the second probability. */
#include "../classifier.h"
#include "../factorization.h"
#include "scored/blas.h"

struct machine {
    struct classifier classifier;
    struct factorization sum;
};

static void run_raw(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct machine *x = u->params;

    FOR_ROWS(r, fail_sizes(u, f, fail_nulls(u, f, rows), x->sum.linear.size))
    {
        double m = factorization_sum(&x->sum, &f->columns[u->in[0]].vec[r]);
        if (!classifier_margin(u, f, r, m))
            return;
    }
}

static void run_probability(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    {
        double p = 1.0 / (1.0 + jm_exp(-f->columns[u->in[0]].vec[r].values[1]));
        struct vec *v = frame_dense(f, u->out, r, 2);
        if (!v)
            return;
        v->values[0] = 1.0 - p;
        v->values[1] = p;
    }
}

static const struct classifier_way way = {
    .raw = run_raw, .probability = run_probability, .exp = true};

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct machine *x = params;

    x->classifier.way = &way;
    x->classifier.n_classes = 2;
    return factorization_check(&x->sum, e) && classifier_load_blas(l, m, &x->sum.blas, e);
}

static const struct param params[] = {
    {"thresholds", PARAM_THRESHOLDS(struct machine)},
    FACTORIZATION_PARAMS(struct machine, sum),
};

const struct op op_fm_classification = {
    .name = "fm_classification",
    .class_name = SPARK_ML("classification.FMClassificationModel"),
    .form = &form_classifier,
    .in = {PORT("featuresCol", IS_VECTOR)},
    .out = {CLASSIFIER_PORTS},
    OP_PARAMS(params),
    .size = sizeof(struct machine),
    .prepare = prepare,
};
