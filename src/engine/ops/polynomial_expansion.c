/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PolynomialExpansion: all monomials of the entries up to a degree but the constant. Each is the
 * product 1 * (last entry ...) * (first entry ...). A product that is zero ends its branch, so that
 * what it stands in is +0.0, or not stored. The vector keeps its kind.
 *
 * The monomials over the first j entries of degree at most d stand together, `count(j, d)` of them:
 * first the constant, then for each entry i < j, as the last one that has a power, those of each of
 * its powers.
 */
#include "../vectors.h"

#include <string.h>

struct expansion {
    uint32_t degree;
};

/* The binomial of j + d over d; more than INT32_MAX stands for too many. */
static uint64_t count(uint32_t j, uint32_t d)
{
    uint64_t n = 1;

    for (uint32_t i = 1; i <= d && n <= INT32_MAX; i++)
        n = n * ((uint64_t)j + i) / i;
    return n;
}

/* The entries that are stored, and what the monomials go to. */
struct terms {
    const struct vec *from;
    struct vec *to;
};

static void put(struct vec *to, uint64_t at, double value)
{
    if (at == 0) /* the constant of all */
        return;
    if (to->sparse) {
        to->indices[to->n] = (uint32_t)(at - 1);
        to->values[to->n++] = value;
    } else {
        to->values[at - 1] = value;
    }
}

/* The monomials over the first n stored entries times `factor`, which is not 0, from place `at` on.
 * Recurses as deep as the degree and n allow. */
static void expand(const struct terms *t, uint32_t n, uint32_t degree, double factor, uint64_t at)
{
    put(t->to, at, factor);
    for (uint32_t k = 0; k < n && degree; k++) {
        uint32_t j = t->from->sparse ? t->from->indices[k] : k;
        double alpha = factor * t->from->values[k];
        uint64_t begin = at + count(j, degree);
        for (uint32_t left = degree - 1; alpha != 0; left--) {
            expand(t, k, left, alpha, begin);
            begin += count(j, left);
            if (left == 0)
                break;
            alpha *= t->from->values[k];
        }
    }
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct expansion *x = u->params;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *from = &f->columns[u->in[0]].vec[r];
        uint64_t size = count(from->size, x->degree), stored = count(from->n, x->degree);
        if (size > INT32_MAX) {
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "%u entries have too many products of degree %u", (unsigned)from->size,
                       (unsigned)x->degree);
            continue;
        }
        struct vec *v = frame_vec_room(f, u->out, r, stored - 1, from->sparse);
        if (!v)
            return;
        v->size = (uint32_t)size - 1;
        v->sparse = from->sparse;
        v->n = from->sparse ? 0 : v->size;
        if (!from->sparse)
            memset(v->values, 0, v->n * sizeof(double));
        expand(&(struct terms){from, v}, from->n, x->degree, 1.0, 0);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct expansion *x = params;
    uint64_t size =
        m->shape.size == SIZE_UNKNOWN ? UINT64_MAX : count((uint32_t)m->shape.size, x->degree) - 1;

    (void)l;
    (void)e;
    m->shape = size < BOUND_EXPANDED ? shape_vector((int64_t)size, (uint32_t)size)
                                     : shape_vector(SIZE_UNKNOWN, MOST_UNKNOWN);
    return true;
}

static const struct param params[] = {
    {"degree", PARAM_INT(struct expansion, degree), .low = 1, .high = 1000},
};

const struct op op_polynomial_expansion = {
    .name = "polynomial_expansion",
    .class_name = SPARK_ML("feature.PolynomialExpansion"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct expansion),
    .prepare = prepare,
    .run = run,
};
