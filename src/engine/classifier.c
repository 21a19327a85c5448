/* SPDX-License-Identifier: Apache-2.0 */
#include "classifier.h"
#include "vectors.h"

#include "scored/blas.h"
#include "scored/jmath.h"

#include <float.h>
#include <math.h>
#include <string.h>

bool classifier_margin(const struct unit *u, struct frame *f, unsigned row, double m)
{
    struct vec *v = frame_dense(f, u->out, row, 2);

    if (!v)
        return false;
    v->values[0] = -m;
    v->values[1] = m;
    return true;
}

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

void classifier_argmax(const struct unit *u, struct frame *f, uint64_t rows)
{
    FOR_ROWS(r, rows)
    {
        f->columns[u->out].f64[r] = vec_argmax(&f->columns[u->in[0]].vec[r]);
    }
}

/* The first largest p / threshold: 0 wins by infinity, unless p is 0 too. */
static void run_scaled(const struct unit *u, struct frame *f, uint64_t rows)
{
    const double *thresholds = u->params;

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

/* Null, or one a class. */
static bool load_thresholds(struct load *l, const struct param *p, void *to, struct err *e)
{
    struct doubles *x = to;
    struct json v;
    uint32_t zeros = 0;

    if (!json_get(&l->params, p->name, &v, e))
        return false;
    if (json_is_null(&v))
        return true;
    if (!kind_vector.load(l, p, to, e))
        return false;
    for (uint32_t i = 0; i < x->size; i++) {
        zeros += x->values[i] == 0;
        if (!(x->values[i] >= 0) || zeros > 1)
            return json_fail(&v, e, "must be at least 0, and at most one of them 0");
    }
    return true;
}

const struct param_kind kind_thresholds = {
    .name = "vector or null",
    .load = load_thresholds,
    .blocks = (const struct kind_block[]){{"", BLOCK_F64, 1, "dense"},
                                          {".indices", BLOCK_U32, 1, "sparse"},
                                          {".values", BLOCK_F64, 1, "sparse"}},
    .n_blocks = 3,
};

bool classifier_load_blas(struct load *l, const struct made *m, const struct blas **out,
                          struct err *e)
{
    return load_blas(l, m[RAW].name, out, e) && load_blas(l, m[PROBABILITY].name, out, e) &&
           load_blas(l, m[PREDICTION].name, out, e);
}

/* Which column the prediction is made from, and how: m[PREDICTION] is as the model has it. */
static void choose(const struct classifier *c, struct made *m, const uint16_t *raw,
                   const uint16_t *probability)
{
    const struct classifier_way *way = c->way;
    struct unit *u = &m[PREDICTION].unit;
    unit_run *run = way->alone;
    bool alone = !m[RAW].name && !m[PROBABILITY].name;

    if (alone && way->alone_from_input) {
        u->in = m[RAW].unit.in;
    } else if (c->thresholds.values && !(alone && way->alone_plain)) {
        u->in = probability;
        u->params = c->thresholds.values;
        run = run_scaled;
    } else if (m[RAW].name || alone) {
        u->in = raw;
        run = alone ? way->alone : way->from_raw;
    } else {
        u->in = probability;
        run = way->from_probability;
    }
    u->run = run ? run : classifier_argmax;
}

static bool check_exp(struct load *l, const struct classifier_way *way, const struct made *m,
                      const uint16_t *probability, struct err *e)
{
    const struct unit *u = &m[PREDICTION].unit;
    bool predicts = u->in == probability || u->run == way->alone;

    return !way->exp || (load_libm(l, m[PROBABILITY].name, e) &&
                         (!predicts || load_libm(l, m[PREDICTION].name, e)));
}

/* Adds a column that has a name, or that another one is made from, and tells which it is. */
static bool load_hidden(struct load *l, const struct made *m, bool read, uint16_t *column,
                        struct err *e)
{
    if (!m->name && !read)
        return true;
    if (!load_unit(l, m->name, m->shape, false, &m->unit, e))
        return false;
    *column = load_last(l);
    return true;
}

static bool load(struct load *l, struct err *e)
{
    uint16_t *raw = load_new(l, uint16_t, 2), *probability = raw + 1;
    struct made m[OUTPUTS_MAX];
    void *params;

    if (!raw)
        return err_memory(e);
    if (!load_columns_of_one(l, &params, m, e))
        return false;
    const struct classifier *c = params;
    if (c->thresholds.values && c->thresholds.size != c->n_classes)
        return err_set(e, ERR_BAD_BUNDLE, "params.thresholds: must have %u elements, one a class",
                       (unsigned)c->n_classes);
    m[RAW].shape = m[PROBABILITY].shape = shape_vector(c->n_classes, c->n_classes);
    if (c->room > c->n_classes)
        m[RAW].shape.most = c->room;
    m[RAW].unit.run = c->way->raw;
    m[PROBABILITY].unit.run = c->way->probability;
    m[PROBABILITY].unit.in = raw;
    choose(c, m, raw, probability);
    if (!check_exp(l, c->way, m, probability, e))
        return false;
    bool from_probability = m[PREDICTION].name && m[PREDICTION].unit.in == probability;
    bool from_raw = m[PREDICTION].name && m[PREDICTION].unit.in == raw;
    bool read = m[PROBABILITY].name || from_probability || from_raw;
    return load_hidden(l, &m[RAW], read, raw, e) &&
           load_hidden(l, &m[PROBABILITY], from_probability, probability, e) &&
           load_made(l, &m[PREDICTION], e) && load_made(l, &m[OUTPUTS_MAX - 1], e);
}

const struct form form_classifier = {.name = "classifier", .one_input = true, .load = load};
