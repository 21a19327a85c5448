/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CountVectorizerModel: how often each word of the vocabulary stands in the array, where it does so
 * at least minTF times, or, where that is below 1, that share of all tokens. Of a word that stands
 * twice in the vocabulary the last place counts, and the vector has no slot for it: if the place is
 * beyond the others, rows that have the word fail.
 */
#include "../text/text.h"

struct vectorizer {
    struct texts vocabulary;
    double min_tf;
    bool binary;
    struct dict dict;
    uint32_t size; /* different words */
};

static uint32_t find_places(const struct vectorizer *x, const struct list *from, uint32_t *places)
{
    const struct text *tokens = from->items;
    uint32_t n = 0;

    for (uint32_t i = 0; i < from->n; i++) {
        int64_t place =
            list_null(from, i) ? DICT_NONE : dict_find(&x->dict, tokens[i].p, tokens[i].len);
        if (place != DICT_NONE)
            places[n++] = (uint32_t)place;
    }
    return n;
}

/* Keeps counts of at least `least`. */
static void keep_frequent(struct vec *v, double least, bool binary)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < v->n; k++) {
        if (!(v->values[k] >= least))
            continue;
        v->indices[n] = v->indices[k];
        v->values[n++] = binary ? 1 : v->values[k];
    }
    v->n = n;
}

static void run(const struct unit *u, struct frame *f, uint64_t rows)
{
    const struct vectorizer *x = u->params;

    FOR_ROWS(r, fail_null_lists(u, f, rows))
    {
        const struct list *from = &f->columns[u->in[0]].list[r];
        uint32_t *places;
        struct vec *v = counts_room(u, f, r, x->size, &places);
        if (!v)
            return;
        counts_fill(v, places, find_places(x, from, places));
        keep_frequent(v, x->min_tf >= 1 ? x->min_tf : (double)from->n * x->min_tf, x->binary);
        if (v->n && v->indices[v->n - 1] >= x->size)
            frame_fail(f, r, u, u->in[0], PROBLEM_INVALID_VALUE,
                       "a word has place %u, the vocabulary has %u different ones",
                       (unsigned)v->indices[v->n - 1], (unsigned)x->size);
    }
}

static bool prepare(struct load *l, void *params, struct made *m, struct err *e)
{
    struct vectorizer *x = params;
    const struct text *words = x->vocabulary.values;

    if (!dict_build(&x->dict, words, x->vocabulary.size, l->arena))
        return err_memory(e);
    for (uint32_t i = 0; i < x->vocabulary.size; i++)
        x->size += dict_find(&x->dict, words[i].p, words[i].len) == i;
    m->nullable = false;
    m->shape = shape_vector(x->size, MOST_UNKNOWN);
    return true;
}

static const struct param params[] = {
    {"vocabulary", PARAM_STRINGS(struct vectorizer, vocabulary)},
    {"minTF", PARAM_DOUBLE(struct vectorizer, min_tf), .low = 0, .high = (double)INFINITY},
    {"binary", PARAM_BOOL(struct vectorizer, binary)},
};

const struct op op_count_vectorizer = {
    .name = "count_vectorizer",
    .class_name = SPARK_ML("feature.CountVectorizerModel"),
    .form = &form_vector,
    .in = {PORT("inputCols", IS_TEXTS)},
    .out = {{PORT("outputCols", IS_VECTOR)}},
    OP_PARAMS(params),
    .size = sizeof(struct vectorizer),
    .prepare = prepare,
    .run = run,
};
