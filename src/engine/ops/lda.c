/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LocalLDAModel: the mixture of topics by variational inference. With b = exp of the expected
 * logarithm of the topics, a row's counts c and gamma = g, theta = exp(digamma(gamma) -
 * digamma(sum gamma)) and phi = b theta + 1e-100 are made again of each other, gamma = theta (b^T
 * (c/phi)) + docConcentration, until gamma moves by no more than 1e-3 on average; what it is then,
 * divided by its sum, is answered. Spark draws g at random, but from one seed, so that it is the
 * same for each row: it is taken from there at export. A row without counts has zeros.
 */
#include "../distance.h"
#include "scored/blas.h"
#include "scored/fastmath.h"

#include <math.h>
#include <string.h>

struct lda {
    const struct blas *blas;
    struct matrix topics;               /* a row a word, a column a topic */
    struct doubles concentration, draw; /* of each topic */
    double *words;                      /* b, laid out as topics */
    enum type type;
};

enum { ROUNDS_MOST = 100000 }; /* Spark knows no limit; counts of 1e5 take some thousand */

/* What a row is made in. */
struct inference {
    uint32_t k;
    double *gamma, *last, *theta, *sums; /* of k topics */
    double *phi;                         /* of the row's words */
};

/* exp(digamma(gamma) - digamma(sum gamma)). False: one is too far below zero. */
static bool expect(const double *gamma, uint32_t k, double *theta)
{
    double sum = 0, all;

    for (uint32_t i = 0; i < k; i++)
        sum += gamma[i];
    if (!fm_digamma(sum, &all))
        return false;
    for (uint32_t i = 0; i < k; i++) {
        double one;
        if (!fm_digamma(gamma[i], &one))
            return false;
        theta[i] = jm_exp(one - all);
    }
    return true;
}

static const double *word_of(const struct lda *x, const struct vec *row, uint32_t i)
{
    return x->words + (size_t)(row->sparse ? row->indices[i] : i) * x->topics.cols;
}

static void update_phi(const struct lda *x, const struct vec *row, struct inference *t)
{
    for (uint32_t i = 0; i < row->n; i++) {
        x->blas->dgemv_columns(1.0, word_of(x, row, i), 1, t->k, t->theta, 0.0, &t->phi[i]);
        t->phi[i] += 1e-100;
    }
}

/* A round; *moved is by how much gamma has moved, in sum. */
static bool update(const struct lda *x, const struct vec *row, struct inference *t, double *moved)
{
    memcpy(t->last, t->gamma, t->k * sizeof(double));
    memset(t->sums, 0, t->k * sizeof(double));
    for (uint32_t i = 0; i < row->n; i++) {
        double share = row->values[i] / t->phi[i];
        x->blas->dgemv_columns(1.0, word_of(x, row, i), t->k, 1, &share, 1.0, t->sums);
    }
    for (uint32_t i = 0; i < t->k; i++)
        t->gamma[i] = t->theta[i] * t->sums[i] + x->concentration.values[i];
    if (!expect(t->gamma, t->k, t->theta))
        return false;
    update_phi(x, row, t);
    *moved = 0;
    for (uint32_t i = 0; i < t->k; i++)
        *moved += fabs(t->gamma[i] - t->last[i]);
    return true;
}

/* False: it does not settle. */
static bool infer(const struct lda *x, const struct vec *row, struct inference *t)
{
    double moved;

    memcpy(t->gamma, x->draw.values, t->k * sizeof(double));
    if (!expect(t->gamma, t->k, t->theta))
        return false;
    update_phi(x, row, t);
    for (unsigned round = 0; round < ROUNDS_MOST; round++) {
        if (!update(x, row, t, &moved))
            return false;
        if (!(moved / t->k > 1e-3))
            return true;
    }
    return false;
}

static bool has_counts(const struct vec *row)
{
    for (uint32_t i = 0; i < row->n; i++)
        if (row->values[i] != 0.0)
            return true;
    return false;
}

/* Whether all words of the row are in the vocabulary. */
static bool is_known(const struct lda *x, const struct vec *row)
{
    uint32_t end = !row->sparse ? row->n : row->n ? row->indices[row->n - 1] + 1 : 0;

    return end <= x->topics.rows;
}

static bool take(const struct lda *x, struct frame *f, const struct vec *row, struct inference *t)
{
    uint32_t k = t->k = x->topics.cols;
    double *room = frame_take(f, 4 * (size_t)k + row->n, sizeof(double));

    if (!room)
        return false;
    t->gamma = room;
    t->last = room + k;
    t->theta = t->last + k;
    t->sums = t->theta + k;
    t->phi = t->sums + k;
    return true;
}

static void normalise(const struct inference *t, double *out)
{
    double sum = 0;

    for (uint32_t i = 0; i < t->k; i++)
        sum += fabs(t->gamma[i]);
    for (uint32_t i = 0; i < t->k; i++)
        out[i] = t->gamma[i] / sum;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct lda *x = u->params;
    const char *name = f->plan->columns[u->in[0]].name;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        struct vec row = distance_point(&f->columns[u->in[0]], x->type, r);
        struct inference t;
        struct vec *v = frame_dense(f, u->out, r, x->topics.cols);
        if (!v || !take(x, f, &row, &t))
            return;
        if (!has_counts(&row))
            memset(v->values, 0, t.k * sizeof(double));
        else if (!is_known(x, &row))
            frame_fail(f, r, u, u->in[0], PROBLEM_SIZE_MISMATCH,
                       "'%s' has words beyond the vocabulary of %u", name,
                       (unsigned)x->topics.rows);
        else if (infer(x, &row, &t))
            normalise(&t, v->values);
        else
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "'%s' has counts whose inference does not end", name);
    }
}

/* exp(digamma(topics) - digamma(sum of each topic)) */
static bool expect_words(struct load *l, struct lda *x, struct err *e)
{
    uint32_t n = x->topics.rows, k = x->topics.cols;
    const double *topics = x->topics.values;
    double *sums = load_new(l, double, k);

    x->words = load_new(l, double, (size_t)n *k);
    if (!sums || !x->words)
        return err_memory(e);
    for (size_t i = 0; i < (size_t)n * k; i++)
        sums[i % k] += topics[i];
    for (uint32_t i = 0; i < k; i++)
        if (!fm_digamma(sums[i], &sums[i]))
            return err_set(e, ERR_BAD_BUNDLE, "params.topicsMatrix: a sum is far below zero");
    for (size_t i = 0; i < (size_t)n * k; i++) {
        double one;
        if (!fm_digamma(topics[i], &one))
            return err_set(e, ERR_BAD_BUNDLE, "params.topicsMatrix: an entry is far below zero");
        x->words[i] = jm_exp(one - sums[i % k]);
    }
    const struct block *topics_block;
    if (!load_block(l, "topicsMatrix", BLOCK_F64, &topics_block, e))
        return false;
    block_release(topics_block, 0, UINT64_MAX); /* not needed any more */
    return true;
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct lda *x = params;
    uint32_t k = x->topics.cols;

    if (k == 0 || x->topics.sparse || x->concentration.size != k || x->draw.size != k)
        return err_set(e, ERR_BAD_BUNDLE, "params: must be of %u topics, dense", (unsigned)k);
    x->type = load_input(l)->shape.type;
    m->shape = shape_vector(k, k);
    return load_blas(l, m->name, &x->blas, e) && load_libm(l, m->name, e) && expect_words(l, x, e);
}

static const struct param params[] = {
    {"topicsMatrix", PARAM_MATRIX(struct lda, topics), .note = "a row a word"},
    {"docConcentration", PARAM_VECTOR(struct lda, concentration), .note = "one a topic"},
    {"draw", PARAM_VECTOR(struct lda, draw), .note = "what Spark's inference begins with"},
};

const struct op op_lda = {
    .name = "lda",
    .class_name = SPARK_ML("clustering.LocalLDAModel"),
    .form = &form_vector,
    .in = {PORT("featuresCol", IS_POINT)},
    .out = {{PORT("topicDistributionCol", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct lda),
    .prepare = prepare,
    .run = run,
};
