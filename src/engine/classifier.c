/* SPDX-License-Identifier: Apache-2.0 */
#include "classifier.h"

#include "scored/blas.h"
#include "scored/bounds.h"
#include "scored/jmath.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* -- probabilities -- */

/* A dense vector in the unit's column, with the values of the one it reads; NULL as frame_take. */
static struct vec *copy_of(const struct unit *u, struct frame *f, unsigned row)
{
    const struct vec *from = &f->columns[u->in[0]].vec[row];
    struct vec *v = frame_dense(f, u->out, row, from->size);

    if (v)
        memcpy(v->values, from->values, from->n * sizeof(double));
    return v;
}

void classifier_normalize(const struct unit *u, struct frame *f, uint64_t rows)
{
    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        struct vec *v = copy_of(u, f, r);
        double sum = 0;
        bool bad = false;
        if (!v)
            return;
        for (uint32_t i = 0; i < v->n; i++) {
            bad |= !(v->values[i] >= 0);
            sum += v->values[i];
        }
        if (bad || !(sum > 0)) {
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "the votes of the trees cannot be made probabilities");
            continue;
        }
        for (uint32_t i = 0; i < v->n; i++)
            v->values[i] /= sum;
    }
}

/* Spark scales by the BLAS, also by 0.0: what was NaN or negative stays NaN or becomes -0.0. */
static void scale(struct vec *v, double factor)
{
    if (factor == 1.0)
        return;
    for (uint32_t i = 0; i < v->n; i++)
        v->values[i] *= factor;
}

static void softmax(struct vec *v)
{
    double max = -DBL_MAX, sum = 0;

    for (uint32_t i = 0; i < v->n; i++) {
        double d = v->values[i];
        if (isinf(d) && d > 0) {
            scale(v, 0.0);
            v->values[i] = 1.0;
            return;
        }
        if (d > max)
            max = d;
    }
    for (uint32_t i = 0; i < v->n; i++) {
        v->values[i] = jm_exp(v->values[i] - max);
        sum += v->values[i];
    }
    scale(v, 1.0 / sum);
}

void classifier_softmax(const struct unit *u, struct frame *f, uint64_t rows)
{
    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        struct vec *v = copy_of(u, f, r);
        if (!v)
            return;
        softmax(v);
    }
}

static void sigmoid(const struct unit *u, struct frame *f, uint64_t rows, double factor)
{
    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        struct vec *v = copy_of(u, f, r);
        if (!v)
            return;
        double *p = v->values;
        p[0] = 1.0 / (1.0 + jm_exp(factor * p[0]));
        p[1] = 1.0 - p[0];
    }
}

void classifier_sigmoid(const struct unit *u, struct frame *f, uint64_t rows)
{
    sigmoid(u, f, rows, -1.0);
}

void classifier_sigmoid_double(const struct unit *u, struct frame *f, uint64_t rows)
{
    sigmoid(u, f, rows, -2.0);
}

/* -- predictions -- */

/* The first largest entry; 0 where the first is NaN, later ones never win. */
static void run_argmax(const struct unit *u, struct frame *f, uint64_t rows)
{
    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        const struct vec *v = &f->columns[u->in[0]].vec[r];
        uint32_t best = 0;
        for (uint32_t i = 1; i < v->n; i++)
            if (v->values[i] > v->values[best])
                best = i;
        f->columns[u->out].f64[r] = best;
    }
}

/* The first largest p / threshold: 0 wins by infinity, unless p is 0 too. */
static void run_scaled(const struct unit *u, struct frame *f, uint64_t rows)
{
    const double *thresholds = u->params;

    f->columns[u->out].nulls = 0;
    FOR_ROWS(r, rows)
    {
        const struct vec *v = &f->columns[u->in[0]].vec[r];
        double max = -(double)INFINITY;
        uint32_t best = 0;
        for (uint32_t i = 0; i < v->n; i++) {
            double scaled = v->values[i] / thresholds[i];
            if (scaled > max) {
                max = scaled;
                best = i;
            }
        }
        f->columns[u->out].f64[r] = best;
    }
}

/* -- loading -- */

struct names {
    const char *raw, *probability, *prediction;
};

static bool load_names(struct load *l, struct names *n, struct err *e)
{
    return load_output(l, "rawPredictionCol", &n->raw, e) &&
           load_output(l, "probabilityCol", &n->probability, e) &&
           load_output(l, "predictionCol", &n->prediction, e);
}

bool classifier_load_blas(struct load *l, const struct blas **out, struct err *e)
{
    struct names n;

    return load_names(l, &n, e) && (!n.raw || load_blas(l, n.raw, out, e)) &&
           (!n.probability || load_blas(l, n.probability, out, e)) &&
           (!n.prediction || load_blas(l, n.prediction, out, e));
}

bool classifier_load_classes(struct load *l, uint32_t min, struct classifier *c, struct err *e)
{
    if (!json_get_u32(&l->params, "numClasses", BOUND_CLASSES, &c->n_classes, e))
        return false;
    if (c->n_classes < min)
        return err_set(e, ERR_BAD_BUNDLE, "params.numClasses: must be at least %u", (unsigned)min);
    return load_thresholds(l, c->n_classes, &c->thresholds, e);
}

/* Which column the prediction is made from, and how. */
static struct unit predictor(const struct classifier *c, const struct names *n, const uint16_t *raw,
                             const uint16_t *probability)
{
    struct unit u = {.run = run_argmax, .params = c->params, .in = raw, .n_in = 1};
    unit_run *run = c->alone;

    if (!n->raw && !n->probability && c->alone_in) {
        u.in = c->alone_in;
    } else if (c->thresholds) {
        u.in = probability;
        u.params = c->thresholds;
        run = run_scaled;
    } else if (n->raw) {
        run = c->from_raw;
    } else if (n->probability) {
        u.in = probability;
        run = c->from_probability;
    }
    if (run)
        u.run = run;
    return u;
}

static bool check_exp(struct load *l, const struct classifier *c, const struct names *n,
                      const struct unit *prediction, const uint16_t *probability, struct err *e)
{
    bool predicts = n->prediction && (prediction->in == probability || prediction->run == c->alone);

    return !c->exp || ((!n->probability || load_libm(l, n->probability, e)) &&
                       (!predicts || load_libm(l, n->prediction, e)));
}

bool classifier_load(struct load *l, const struct classifier *c, struct err *e)
{
    uint16_t *columns = load_new(l, uint16_t, 2), *raw = columns, *probability = columns + 1;
    struct shape shape = shape_vector(c->n_classes, c->n_classes);
    struct names n;

    if (!columns)
        return err_memory(e);
    if (!load_names(l, &n, e))
        return false;
    const struct unit prediction = predictor(c, &n, raw, probability);
    const struct unit raw_unit = {
        .run = c->raw, .params = c->raw_params, .in = c->raw_in, .n_in = 1};
    const struct unit probability_unit = {.run = c->probability, .in = raw, .n_in = 1};
    bool by_probability = n.prediction && prediction.in == probability;
    bool by_raw = n.prediction && prediction.in == raw;
    if (!check_exp(l, c, &n, &prediction, probability, e))
        return false;
    if (n.raw || n.probability || by_probability || by_raw) {
        if (!load_unit(l, n.raw, shape, false, &raw_unit, e))
            return false;
        *raw = load_last(l);
    }
    if (n.probability || by_probability) {
        if (!load_unit(l, n.probability, shape, false, &probability_unit, e))
            return false;
        *probability = load_last(l);
    }
    return !n.prediction || load_unit(l, n.prediction, shape_double, false, &prediction, e);
}
