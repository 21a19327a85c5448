/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MinHashLSHModel: for each pair (a, b) the least ((1 + i) * a + b) % 2038074743 over the places i
 * of entries that are not zero. A vector without one fails.
 */
#include "../hash_list.h"

struct min_hash {
    struct ints pairs; /* a, b, a, b, ... */
};

enum { PRIME = 2038074743 };

static double least(const struct vec *v, uint64_t a, uint64_t b)
{
    uint64_t found = UINT64_MAX;

    for (uint32_t k = 0; k < v->n; k++) {
        uint64_t hash = ((1 + (uint64_t)(v->sparse ? v->indices[k] : k)) * a + b) % PRIME;
        if (v->values[k] != 0 && hash < found)
            found = hash;
    }
    return (double)found;
}

static bool is_zero(const struct vec *v)
{
    for (uint32_t k = 0; k < v->n; k++)
        if (v->values[k] != 0)
            return false;
    return true;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct min_hash *x = u->params;
    uint32_t n = x->pairs.size / 2;

    FOR_ROWS(r, fail_nulls(u, f, rows))
    {
        const struct vec *v = &f->columns[u->in[0]].vec[r];
        if (is_zero(v)) {
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE, "all entries are 0");
            continue;
        }
        double *hashes = hash_list(u, f, r, n);
        if (!hashes)
            return;
        const uint32_t *pairs = x->pairs.values;
        for (uint32_t i = 0; i < n; i++, pairs += 2)
            hashes[i] = least(v, pairs[0], pairs[1]);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    const struct min_hash *x = params;

    (void)l;
    m->shape = hash_shape();
    return x->pairs.size % 2 == 0 ||
           err_set(e, ERR_BAD_BUNDLE, "params.randCoefficients: must have two elements a table");
}

static const struct param params[] = {
    {"randCoefficients", PARAM_INTS_BLOCK(struct min_hash, pairs), .high = INT32_MAX,
     .note = "two a table"},
};

const struct op op_min_hash_lsh = {
    .name = "min_hash_lsh",
    .class_name = SPARK_ML("feature.MinHashLSHModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_VECTOR)},
    .out = {{PORT("outputCols", IS_ARRAY_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct min_hash),
    .prepare = prepare,
    .run = run,
};
