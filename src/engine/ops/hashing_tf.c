/* SPDX-License-Identifier: Apache-2.0 */
/* HashingTF: how often each token stands in the array, at its hash modulo the number of features.
 */
#include "../murmur3.h"
#include "../text/text.h"
#include "scored/java.h"

enum hash { HASH_SPARK_2, HASH_SPARK_3 };

struct hashing {
    uint32_t n_features;
    bool binary;
    enum hash hash;
    enum type element;
};

/* Of null the seed. */
static int32_t hash_of(const struct hashing *x, const struct list *l, uint32_t i)
{
    struct murmur3 m = MURMUR3_SPARK;

    if (list_null(l, i))
        return (int32_t)m.hash;
    if (x->element == TYPE_DOUBLE) {
        uint64_t bits = j_bits_of(((const double *)l->items)[i]);
        murmur3_add(&m, (const char *)&bits, sizeof bits);
        return murmur3_end(m);
    }
    if (x->element == TYPE_FLOAT) {
        uint32_t bits = j_float_bits_of(((const float *)l->items)[i]);
        murmur3_add(&m, (const char *)&bits, sizeof bits);
        return murmur3_end(m);
    }
    struct text token = ((const struct text *)l->items)[i];
    murmur3_add(&m, token.p, token.len);
    return (x->hash == HASH_SPARK_2 ? murmur3_end_old : murmur3_end)(m);
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct hashing *x = u->params;

    FOR_ROWS(r, fail_null_lists(u, f, rows))
    {
        const struct list *from = &f->columns[u->in[0]].list[r];
        uint32_t *places;
        struct vec *v = counts_room(u, f, r, x->n_features, &places);
        if (!v)
            return;
        for (uint32_t i = 0; i < from->n; i++)
            places[i] = murmur3_index(hash_of(x, from, i), x->n_features);
        counts_fill(v, places, from->n);
        for (uint32_t k = 0; k < v->n && x->binary; k++)
            v->values[k] = 1;
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct hashing *x = params;

    (void)e;
    x->element = type_element(load_input(l)->shape.type);
    m->nullable = false;
    m->shape = shape_vector(x->n_features, MOST_UNKNOWN);
    return true;
}

static const struct choice hashes[] = {
    {"spark2", HASH_SPARK_2},
    {"spark3", HASH_SPARK_3},
    {NULL, 0},
};

static const struct param params[] = {
    {"numFeatures", PARAM_INT(struct hashing, n_features), .low = 1, .high = BOUND_FEATURES},
    {"binary", PARAM_BOOL(struct hashing, binary)},
    {"hash", .kind = &kind_choice, .at = FIELD(struct hashing, hash, enum hash), .choices = hashes,
     .note = "the former of models that a Spark before 3.0 saved"},
};

const struct op op_hashing_tf = {
    .name = "hashing_tf",
    .class_name = SPARK_ML("feature.HashingTF"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_TEXTS | IS_ARRAY_FLOAT | IS_ARRAY_DOUBLE)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct hashing),
    .prepare = prepare,
    .run = run,
};
